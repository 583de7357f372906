// RFC 9111 §4.3.2: conditions of clients.
import { fetched, fresh, ok, rule, says, section, stale, stored, unchanged, validated } from '../case.ts'

export const conditional = section('conditional', 'Conditional requests of clients', [
  rule(
    '9111 §4.3.2',
    'If a cache receives a request that can be satisfied by reusing a stored 200 (OK) or 206 (Partial Content) response, as per Section 4, the cache SHOULD evaluate any applicable conditional header field preconditions received in that request with respect to the corresponding validators contained within the stored response.',
    [
      {
        id: 'if-none-match-same',
        name: 'If-None-Match with the tag: 304',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: "a"'], status: 304, has: ['ETag: "a"'] })],
      },
      {
        id: 'if-none-match-other',
        name: 'with another: 200',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: "b"'], status: 200 })],
      },
      {
        id: 'if-none-match-list',
        name: 'with a list that has it',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: "x", "a" ,"y"'], status: 304 })],
      },
      {
        id: 'if-none-match-lines',
        name: 'in two lines',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: "x"', 'If-None-Match: "a"'], status: 304 })],
      },
      {
        id: 'if-none-match-commas',
        name: 'a tag with a comma is one tag',
        origin: [fresh('ETag: "a"')],
        steps: [
          fetched(1),
          stored(1, { asks: ['If-None-Match: "x, "a", y"'], status: [200, 304] }),
          stored(1, { asks: ['If-None-Match: "x,a"'], status: 200 }),
        ],
      },
      {
        id: 'if-none-match-case',
        name: 'tags have capitals',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: "A"'], status: 200 })],
      },
      {
        id: 'if-none-match-unquoted',
        name: 'what is no tag matches nothing',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: a'], status: 200 })],
      },
      {
        id: 'if-none-match-without-etag',
        name: 'nor does a tag match an answer that has none',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: "a"'], status: 200 })],
      },
      {
        id: 'head-if-none-match',
        name: 'HEAD gets 304 as well',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { method: 'HEAD', asks: ['If-None-Match: "a"'], status: 304 })],
      },
    ],
  ),
  rule(
    '9110 §13.1.2',
    'If the field value is "*", the condition is false if the origin server has a current representation for the target resource.',
    [
      {
        id: 'if-none-match-star',
        name: 'If-None-Match: *',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: *'], status: 304 })],
      },
    ],
  ),
  rule(
    '9110 §13.1.2',
    'A recipient MUST use the weak comparison function when comparing entity tags for If-None-Match (Section 8.8.3.2), since weak entity tags can be used for cache validation even if there have been changes to the representation data.',
    [
      {
        id: 'weak-stored',
        name: 'a weak tag is stored, the client has it without the mark',
        origin: [fresh('ETag: W/"a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: "a"'], status: 304 })],
      },
      {
        id: 'weak-asked',
        name: 'the client has it with the mark, a strong one is stored',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: W/"a"'], status: 304 })],
      },
      {
        id: 'weak-both',
        name: 'both with the mark',
        origin: [fresh('ETag: W/"a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: W/"a"'], status: 304 })],
      },
    ],
  ),
  rule(
    '9111 §4.3.2',
    'If an If-None-Match header field is not present, a request containing an If-Modified-Since header field (Section 13.1.3 of [HTTP]) indicates that the client wants to validate one or more of its own stored responses by modification date.',
    [
      {
        id: 'if-modified-since-same',
        name: 'If-Modified-Since with the date: 304',
        origin: [fresh('Last-Modified: {start-1000}')],
        steps: [fetched(1), stored(1, { asks: ['If-Modified-Since: {start-1000}'], status: 304 })],
      },
      {
        id: 'if-modified-since-later',
        name: 'with a later one: 304',
        origin: [fresh('Last-Modified: {start-1000}')],
        steps: [fetched(1), stored(1, { asks: ['If-Modified-Since: {start-500}'], status: 304 })],
      },
      {
        id: 'if-modified-since-earlier',
        name: 'with an earlier one: 200',
        origin: [fresh('Last-Modified: {start-1000}')],
        steps: [fetched(1), stored(1, { asks: ['If-Modified-Since: {start-1500}'], status: 200 })],
      },
      {
        id: 'head-if-modified-since',
        name: 'HEAD too',
        origin: [fresh('Last-Modified: {start-1000}')],
        steps: [fetched(1), stored(1, { method: 'HEAD', asks: ['If-Modified-Since: {start-1000}'], status: 304 })],
      },
    ],
  ),
  rule(
    '9110 §13.1.3',
    'A recipient MUST ignore If-Modified-Since if the request contains an If-None-Match header field;',
    [
      {
        id: 'precedence-changed',
        name: 'the tag differs, the date does not: 200',
        origin: [fresh('ETag: "a"', 'Last-Modified: {start-1000}')],
        steps: [
          fetched(1),
          stored(1, { asks: ['If-None-Match: "b"', 'If-Modified-Since: {start-1000}'], status: 200 }),
        ],
      },
      {
        id: 'precedence-same',
        name: 'the date differs, the tag does not: 304',
        origin: [fresh('ETag: "a"', 'Last-Modified: {start-1000}')],
        steps: [
          fetched(1),
          stored(1, { asks: ['If-None-Match: "a"', 'If-Modified-Since: {start-2000}'], status: 304 }),
        ],
      },
    ],
  ),
  rule(
    '9110 §13.1.3',
    'A recipient MUST ignore the If-Modified-Since header field if the received field value is not a valid HTTP-date, the field value has more than one member, or if the request method is neither GET nor HEAD.',
    [
      {
        id: 'if-modified-since-invalid',
        name: 'a word',
        origin: [fresh('Last-Modified: {start-1000}')],
        steps: [fetched(1), stored(1, { asks: ['If-Modified-Since: now'], status: 200 })],
      },
      {
        id: 'if-modified-since-iso',
        name: 'a date of another standard',
        origin: [fresh('Last-Modified: {start-1000}')],
        steps: [fetched(1), stored(1, { asks: ['If-Modified-Since: 2099-01-01T00:00:00Z'], status: 200 })],
      },
      {
        id: 'if-modified-since-twice',
        name: 'two of them',
        origin: [fresh('Last-Modified: {start-1000}')],
        steps: [
          fetched(1),
          stored(1, { asks: ['If-Modified-Since: {start-1000}', 'If-Modified-Since: {start-900}'], status: 200 }),
        ],
      },
    ],
  ),
  rule(
    '9111 §4.3.2',
    "If a request contains an If-Modified-Since header field and the Last-Modified header field is not present in a stored response, a cache SHOULD use the stored response's Date field value (or, if no Date field is present, the time that the stored response was received) to evaluate the conditional.",
    [
      {
        id: 'date-for-last-modified',
        name: 'a date after Date: 304',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { asks: ['If-Modified-Since: {start+10}'], after: 20, status: 304 })],
      },
      {
        id: 'date-for-last-modified-earlier',
        name: 'one before it: 200',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { asks: ['If-Modified-Since: {start-10}'], status: 200 })],
      },
    ],
  ),
  rule(
    '9111 §4.3.2',
    'A cache MUST NOT evaluate conditional header fields that only apply to an origin server, occur in a request with semantics that cannot be satisfied with a cached response, or occur in a request with a target resource for which it has no stored responses; such preconditions are likely intended for some other (inbound) server.',
    [
      {
        id: 'if-match-not-evaluated',
        name: 'If-Match is not answered with 412 by the cache but goes to the origin',
        origin: [fresh('ETag: "a"'), says(412, 'Cache-Control: no-store')],
        steps: [fetched(1), fetched(2, { asks: ['If-Match: "b"'], sent: ['If-Match: "b"'] }), stored(1)],
        choice: 'A GET with If-Match or If-Unmodified-Since goes to the origin: the client wants its word.',
      },
      {
        id: 'if-unmodified-since-not-evaluated',
        name: 'If-Unmodified-Since too',
        origin: [fresh('Last-Modified: {start-1000}'), says(412, 'Cache-Control: no-store')],
        steps: [
          fetched(1),
          fetched(2, { asks: ['If-Unmodified-Since: {start-2000}'], sent: ['If-Unmodified-Since: {start-2000}'] }),
          stored(1),
        ],
        choice: 'A GET with If-Match or If-Unmodified-Since goes to the origin: the client wants its word.',
      },
      {
        id: 'nothing-stored',
        name: 'where nothing is stored the whole answer is asked for, stored, and the condition evaluated by it',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1, { asks: ['If-None-Match: "a"'], unsent: ['If-None-Match'], status: 304 }), stored(1)],
        choice: 'Conditions of a client wait until the whole answer has come, so that it can be stored for the others.',
      },
      {
        id: 'nothing-stored-other',
        name: 'the same where the client has something else',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1, { asks: ['If-None-Match: "b"'], status: 200 }), stored(1)],
      },
      {
        id: 'nothing-stored-no-store',
        name: 'and where the answer may not be stored: the client has it, and is told so',
        origin: [ok('Cache-Control: no-store', 'ETag: "a"')],
        steps: [
          fetched(1, { asks: ['If-None-Match: "a"'], status: 304, has: ['ETag: "a"', 'Cache-Control: no-store'] }),
          fetched(2),
        ],
        choice: 'Conditions of a client are evaluated by the answer that came, also where it is not stored.',
      },
      {
        id: 'nothing-stored-private-date',
        name: 'by its date',
        origin: [ok('Cache-Control: private', 'Last-Modified: {start-1000}')],
        steps: [
          fetched(1, { asks: ['If-Modified-Since: {start-1000}'], status: 304 }),
          fetched(2, { asks: ['If-Modified-Since: {start-2000}'], status: 200 }),
        ],
        choice: 'Conditions of a client are evaluated by the answer that came, also where it is not stored.',
      },
      {
        id: 'put-condition',
        name: 'a condition of PUT goes to the origin',
        origin: [fresh('ETag: "a"'), says(412)],
        steps: [
          fetched(1),
          fetched(2, { method: 'PUT', body: 'x', asks: ['If-None-Match: *'], sent: ['If-None-Match: *'], status: 412 }),
        ],
      },
      {
        id: 'put-if-match',
        name: 'also If-Match',
        origin: [fresh('ETag: "a"'), says(412)],
        steps: [
          fetched(1),
          fetched(2, { method: 'PUT', body: 'x', asks: ['If-Match: "b"'], sent: ['If-Match: "b"'], status: 412 }),
        ],
      },
    ],
  ),
  rule(
    '9110 §13.2.1',
    'A server MUST ignore all received preconditions if its response to the same request without those conditions, prior to processing the request content, would have been a status code other than a 2xx (Successful) or 412 (Precondition Failed).',
    [
      {
        id: 'stored-404',
        name: 'a stored 404 with a tag is not turned into a 304',
        origin: [says(404, 'Cache-Control: max-age=60', 'ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: "a"'], status: 404 })],
      },
      {
        id: 'stored-301',
        name: 'nor a stored redirect',
        origin: [says(301, 'Cache-Control: max-age=60', 'Location: /x', 'ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: "a"'], status: 301 })],
      },
    ],
  ),
  rule(
    '9110 §15.4.5',
    'The server generating a 304 response MUST generate any of the following header fields that would have been sent in a 200 (OK) response to the same request:',
    [
      {
        id: '304-fields',
        name: 'Content-Location, Date, ETag, Vary, Cache-Control, Expires',
        origin: [fresh('ETag: "a"', 'Vary: X-A', 'Content-Location: /cl', 'Expires: {start+60}')],
        steps: [
          fetched(1),
          stored(1, {
            asks: ['If-None-Match: "a"'],
            status: 304,
            has: [
              'ETag: "a"',
              'Vary: X-A',
              'Content-Location: /cl',
              'Expires: {start+60}',
              'Cache-Control: max-age=60',
              'Date: {start}',
            ],
          }),
        ],
      },
      {
        id: '304-no-content-type',
        name: 'and no length of a body that is not there',
        origin: [fresh('ETag: "a"')],
        steps: [
          fetched(1),
          stored(1, { asks: ['If-None-Match: "a"'], status: 304, has: ['Content-Length: ~^(\\d\\d+)?$'] }),
        ],
      },
    ],
  ),
  rule(
    '9111 §4.3.2',
    'When a cache decides to forward a request to revalidate its own stored responses for a request that contains an If-None-Match list of entity tags, the cache MAY combine the received list with a list of entity tags from its own stored set of responses (fresh or stale) and send the union of the two lists as a replacement If-None-Match header field value in the forwarded request.',
    [
      {
        id: 'union-same',
        name: 'the client and the cache have the same: 304 for the client, and the cache is fresh again',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"', 'Cache-Control: max-age=60', 'Age: 0')],
        steps: [fetched(1), validated(1, { asks: ['If-None-Match: "a"'], status: 304 }), stored(1)],
      },
    ],
  ),
  rule(
    '9111 §4.3.2',
    "If the response to the forwarded request is 304 (Not Modified) and has an ETag field value with an entity tag that is not in the client's list, the cache MUST generate a 200 (OK) response for the client by reusing its corresponding stored response, as updated by the 304 response metadata (Section 4.3.4).",
    [
      {
        id: 'union-other',
        name: 'the client has another tag, the cache has the one that is valid: 200',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, { asks: ['If-None-Match: "b"'], sent: ['If-None-Match: ~"a"'], status: 200 })],
      },
      {
        id: 'union-client-only',
        name: 'the client has the tag that is valid now, the cache an older one: 304 for the client, and the new answer is stored',
        origin: [stale('ETag: "a"'), fresh('ETag: "b"')],
        steps: [fetched(1), fetched(2, { asks: ['If-None-Match: "b"'], status: 304, has: ['ETag: "b"'] }), stored(2)],
      },
    ],
  ),
])
