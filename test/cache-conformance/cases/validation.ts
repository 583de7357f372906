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
