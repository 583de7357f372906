// RFC 9111 §4.3.1 and §4.3.3: how a stale answer is validated, and what comes of it.
import { failed, fetched, fresh, lost, ok, rule, says, section, stale, stored, unchanged, validated } from '../case.ts'

const renewed = 'Cache-Control: max-age=60'

export const validation = section('validation', 'Validation', [
  rule(
    '9111 §4.3.1',
    'MUST send the relevant entity tags (using If-Match, If-None-Match, or If-Range) if the entity tags were provided in the stored response(s) being validated.',
    [
      {
        id: 'etag',
        name: 'ETag',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, { sent: ['If-None-Match: "a"'] })],
      },
      {
        id: 'etag-weak',
        name: 'a weak one, with its mark',
        origin: [stale('ETag: W/"a"'), unchanged('ETag: W/"a"')],
        steps: [fetched(1), validated(1, { sent: ['If-None-Match: W/"a"'] })],
      },
      {
        id: 'etag-empty',
        name: 'an empty one',
        origin: [stale('ETag: ""'), unchanged('ETag: ""')],
        steps: [fetched(1), validated(1, { sent: ['If-None-Match: ""'] })],
      },
      {
        id: 'etag-odd',
        name: 'one with commas, spaces and a backslash',
        origin: [stale('ETag: "a,b\\c"'), unchanged('ETag: "a,b\\c"')],
        steps: [fetched(1), validated(1, { sent: ['If-None-Match: "a,b\\c"'] })],
      },
      {
        id: 'etag-no-cache',
        name: 'also where no-cache, not age, asks for it',
        origin: [ok('Cache-Control: no-cache', 'ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, { sent: ['If-None-Match: "a"'] }), validated(1)],
      },
      {
        id: 'etag-404',
        name: 'not that of a stored 404: a 304 would say that the answer is a 200',
        origin: [says(404, 'Cache-Control: max-age=60', 'Age: 100', 'ETag: "a"'), fresh('ETag: "a"')],
        steps: [fetched(1), fetched(2, { unsent: ['If-None-Match'] }), stored(2)],
        choice: 'Only stored answers of status 200 are validated: a 304 stands for a 200 (RFC 9110 §15.4.5).',
      },
    ],
  ),
  rule(
    '9111 §4.3.1',
    'SHOULD send the Last-Modified value (using If-Modified-Since) if the request is not for a subrange, a single stored response is being validated, and that response contains a Last-Modified value.',
    [
      {
        id: 'last-modified',
        name: 'Last-Modified',
        origin: [stale('Last-Modified: {start-1000}'), unchanged('Last-Modified: {start-1000}')],
        steps: [fetched(1), validated(1, { sent: ['If-Modified-Since: {start-1000}'] })],
      },
      {
        id: 'both',
        name: 'both where there are both',
        origin: [stale('ETag: "a"', 'Last-Modified: {start-1000}'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, { sent: ['If-None-Match: "a"', 'If-Modified-Since: {start-1000}'] })],
      },
      {
        id: 'last-modified-as-it-came',
        name: 'in the form in which it came',
        origin: [
          stale('Last-Modified: Sunday, 06-Nov-94 08:49:37 GMT'),
          unchanged('Last-Modified: Sunday, 06-Nov-94 08:49:37 GMT'),
        ],
        steps: [fetched(1), validated(1, { sent: ['If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT'] })],
      },
      {
        id: 'neither',
        name: 'without either there is no condition',
        origin: [stale()],
        steps: [fetched(1), fetched(2, { unsent: ['If-None-Match', 'If-Modified-Since'] })],
      },
    ],
  ),
  rule(
    '9111 §4.3.1',
    'When generating a conditional request for validation, a cache either starts with a request it is attempting to satisfy or',
    [
      {
        id: 'request-kept',
        name: 'the request that reaches the origin is that of the client',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1, { asks: ['X-Mine: 1'] }), validated(1, { asks: ['X-Mine: 2'], sent: ['X-Mine: 2'] })],
      },
      {
        id: 'head-validates',
        name: 'HEAD for a stale answer is validated or passed on, never answered stale',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"', renewed)],
        steps: [fetched(1), { source: 'origin', from: 1, method: 'HEAD' }],
      },
    ],
  ),
  rule(
    '9111 §4.3.3',
    'A 304 (Not Modified) response status code indicates that the stored response can be updated and reused; see Section 4.3.4.',
    [
      {
        id: '304-fresh-again',
        name: 'then it is fresh again for others',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"', 'Cache-Control: max-age=60', 'Age: 0')],
        steps: [fetched(1), validated(1), stored(1), stored(1, { after: 59 })],
      },
      {
        id: '304-by-time',
        name: 'after its lifetime: validated once for each lifetime',
        origin: [fresh('ETag: "a"'), unchanged('ETag: "a"', renewed)],
        steps: [
          fetched(1),
          stored(1, { after: 59 }),
          validated(1, { after: 1 }),
          stored(1, { after: 59, age: 59 }),
          validated(1, { after: 1 }),
        ],
      },
      {
        id: '304-last-modified',
        name: 'by Last-Modified alone',
        origin: [fresh('Last-Modified: {start-1000}'), unchanged('Last-Modified: {start-1000}', renewed)],
        steps: [fetched(1), validated(1, { after: 61 }), stored(1, { after: 30 })],
      },
      {
        id: '304-without-validator',
        name: 'a 304 that repeats no validator',
        origin: [fresh('ETag: "a"'), unchanged(renewed)],
        steps: [fetched(1), validated(1, { after: 61 }), stored(1)],
        choice:
          'A 304 without a validator answers the one question that was asked: it stands for the answer whose tag was sent.',
      },
      {
        id: '304-status',
        name: 'the client sees 200, not 304',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, { status: 200 })],
      },
      {
        id: '304-large',
        name: 'with a body of 100 KB',
        origin: [{ ...stale('ETag: "a"'), body: 'x'.repeat(100_000) }, unchanged('ETag: "a"', renewed, 'Age: 0')],
        steps: [fetched(1), validated(1), stored(1)],
      },
      {
        id: '304-chunked',
        name: 'with a body that came in chunks',
        origin: [{ ...stale('ETag: "a"'), framing: 'chunked' }, unchanged('ETag: "a"', renewed, 'Age: 0')],
        steps: [fetched(1), validated(1), stored(1)],
      },
    ],
  ),
  rule(
    '9111 §4.3.3',
    'A full response (i.e., one containing content) indicates that none of the stored responses nominated in the conditional request are suitable. Instead, the cache MUST use the full response to satisfy the request.',
    [
      {
        id: 'changed',
        name: 'a new answer takes the place of the old one',
        origin: [stale('ETag: "a"'), fresh('ETag: "b"')],
        steps: [fetched(1), fetched(2), stored(2)],
      },
      {
        id: 'changed-no-store',
        name: 'one that is not to be stored is passed on, and the old one is not used again',
        origin: [stale('ETag: "a"'), ok('Cache-Control: no-store', 'ETag: "b"')],
        steps: [fetched(1), fetched(2), fetched(3)],
      },
      {
        id: 'changed-private',
        name: 'the same with private',
        origin: [stale('ETag: "a"'), ok('Cache-Control: private', 'ETag: "b"')],
        steps: [fetched(1), fetched(2), fetched(3)],
      },
      {
        id: 'changed-404',
        name: 'a 404 is passed on',
        origin: [stale('ETag: "a"'), says(404, 'Cache-Control: no-store')],
        steps: [fetched(1), fetched(2), fetched(3)],
      },
      {
        id: 'changed-404-stored',
        name: 'and stored where it says so',
        origin: [stale('ETag: "a"'), says(404, 'Cache-Control: max-age=60')],
        steps: [fetched(1), fetched(2), stored(2)],
      },
      {
        id: 'changed-redirect',
        name: 'a redirect too',
        origin: [stale('ETag: "a"'), says(301, 'Location: /elsewhere', 'Cache-Control: max-age=60')],
        steps: [fetched(1), fetched(2), stored(2)],
      },
    ],
  ),
  rule(
    '9111 §4.3.3',
    'However, if a cache receives a 5xx (Server Error) response while attempting to validate a response, it can either forward this response to the requesting client or act as if the server failed to respond.',
    [
      {
        id: '500-passed',
        name: 'a 500 is passed on where nothing permits stale answers',
        origin: [stale('ETag: "a"'), says(500)],
        steps: [fetched(1), fetched(2)],
      },
      {
        id: '503-passed',
        name: 'a 503 too',
        origin: [stale('ETag: "a"'), says(503, 'Retry-After: 1')],
        steps: [fetched(1), fetched(2, { has: ['Retry-After: 1'] })],
      },
      {
        id: '500-not-instead',
        name: 'and does not take the place of what is stored: it is validated the next time',
        origin: [stale('ETag: "a"'), says(500), unchanged('ETag: "a"')],
        steps: [fetched(1), fetched(2), validated(1)],
      },
      {
        id: 'lost-must-revalidate',
        name: 'no answer, and must-revalidate: an error',
        origin: [stale('ETag: "a"', 'Cache-Control: must-revalidate'), lost],
        steps: [fetched(1), failed()],
      },
    ],
  ),
])

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
