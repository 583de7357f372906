// RFC 9111 §5.2.1, §5.4: what requests say.
import {
  fetched,
  fresh,
  ok,
  refused,
  reused,
  rule,
  says,
  section,
  stale,
  stored,
  unchanged,
  validated,
} from '../case.ts'

const asks = (directives: string) => ({ asks: [`Cache-Control: ${directives}`] })
const hour = (...fields: readonly string[]) => ok('Cache-Control: max-age=3600', ...fields)

export const requestDirectives = section('request', 'Directives of requests', [
  rule(
    '9111 §5.2.1.1',
    'The max-age request directive indicates that the client prefers a response whose age is less than or equal to the specified number of seconds.',
    [
      {
        id: 'max-age-older',
        name: 'older than that: fetched',
        origin: [hour()],
        steps: [fetched(1), fetched(2, { after: 11, ...asks('max-age=10') })],
      },
      {
        id: 'max-age-younger',
        name: 'younger: reused',
        origin: [hour()],
        steps: [fetched(1), stored(1, { after: 9, ...asks('max-age=10') })],
      },
      {
        id: 'max-age-0',
        name: 'max-age=0 asks the origin',
        origin: [hour()],
        steps: [fetched(1), fetched(2, { after: 1, ...asks('max-age=0') })],
      },
      {
        id: 'max-age-0-validates',
        name: 'with a condition where there is a validator, and what is stored is fresh again',
        origin: [hour('ETag: "a"'), unchanged('ETag: "a"', 'Cache-Control: max-age=3600')],
        steps: [fetched(1), validated(1, { after: 60, ...asks('max-age=0') }), stored(1, { after: 30, age: 30 })],
      },
      {
        id: 'max-age-0-stores',
        name: 'what is fetched so is stored for others',
        origin: [hour()],
        steps: [fetched(1), fetched(2, { after: 1, ...asks('max-age=0') }), stored(2)],
      },
      {
        id: 'max-age-by-age',
        name: 'the Age that it came with counts',
        origin: [hour('Age: 100')],
        steps: [fetched(1), fetched(2, asks('max-age=50')), stored(2, asks('max-age=150'))],
      },
      {
        id: 'max-age-invalid',
        name: 'a max-age that cannot be read asks the origin',
        origin: [hour()],
        steps: [fetched(1), fetched(2, { after: 1, ...asks('max-age=x') })],
        choice: 'A request directive that cannot be read is taken for the strictest one.',
      },
    ],
  ),
  rule(
    '9111 §5.2.1.1',
    'Unless the max-stale request directive is also present, the client does not wish to receive a stale response.',
    [
      {
        id: 'max-age-stale',
        name: 'a great max-age does not make a stale answer fresh',
        origin: [stale()],
        steps: [fetched(1), fetched(2, asks('max-age=10000'))],
      },
      {
        id: 'max-age-max-stale',
        name: 'with max-stale it is served: it is younger than asked for, and stale for less',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { after: 70, ...asks('max-age=100, max-stale=20') })],
      },
    ],
  ),
  rule(
    '9111 §5.2.1.2',
    'If a value is present, then the client is willing to accept a response that has exceeded its freshness lifetime by no more than the specified number of seconds.',
    [
      {
        id: 'max-stale-within',
        name: 'stale for less',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { after: 70, ...asks('max-stale=20') })],
      },
      {
        id: 'max-stale-beyond',
        name: 'stale for more',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, { after: 81, ...asks('max-stale=20') })],
      },
      {
        id: 'max-stale-by-age',
        name: 'by the Age that it came with',
        origin: [stale('ETag: "a"')],
        steps: [fetched(1), stored(1, asks('max-stale=50')), fetched(2, asks('max-stale=30'))],
      },
      {
        id: 'max-stale-invalid',
        name: 'a value that cannot be read permits nothing',
        origin: [stale()],
        steps: [fetched(1), fetched(2, asks('max-stale=x'))],
        choice: 'A request directive that cannot be read is taken for the strictest one.',
      },
    ],
  ),
  rule(
    '9111 §5.2.1.2',
    'If no value is assigned to max-stale, then the client will accept a stale response of any age.',
    [
      {
        id: 'max-stale-any',
        name: 'stale for a long time',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { after: 100_000, ...asks('max-stale') })],
      },
      {
        id: 'max-stale-age',
        name: 'and its Age says so',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { after: 100, age: 100, ...asks('max-stale') })],
      },
    ],
  ),
  rule(
    '9111 §4.2.4',
    'A cache MUST NOT generate a stale response if it is prohibited by an explicit in-protocol directive (e.g., by a no-cache response directive, a must-revalidate response directive, or an applicable s-maxage or proxy-revalidate response directive; see Section 5.2.2).',
    [
      ...['must-revalidate, max-age=60', 'proxy-revalidate, max-age=60', 's-maxage=60', 'no-cache, max-age=60'].map(
        (directives) => ({
          id: `max-stale-${directives.split(/[,=]/)[0]}`,
          name: `max-stale does not override ${directives.split(/[,=]/)[0]}`,
          origin: [ok(`Cache-Control: ${directives}`, 'Age: 100')],
          steps: [fetched(1), fetched(2, asks('max-stale'))],
        }),
      ),
      {
        id: 'max-stale-set-cookie',
        name: 'nor does it give what was not stored',
        origin: [stale('Set-Cookie: a=1')],
        steps: [fetched(1), fetched(2, asks('max-stale'))],
        choice: 'An answer with Set-Cookie is not stored by default.',
      },
    ],
  ),
  rule(
    '9111 §5.2.1.3',
    'That is, the client wants a response that will still be fresh for at least the specified number of seconds.',
    [
      {
        id: 'min-fresh-enough',
        name: 'fresh for long enough',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { after: 30, ...asks('min-fresh=20') })],
      },
      {
        id: 'min-fresh-not-enough',
        name: 'not for long enough',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, { after: 50, ...asks('min-fresh=20') })],
      },
      {
        id: 'min-fresh-more-than-lifetime',
        name: 'more than its whole lifetime',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, asks('min-fresh=61'))],
      },
      {
        id: 'min-fresh-by-age',
        name: 'by the Age that it came with',
        origin: [fresh('Age: 30')],
        steps: [fetched(1), stored(1, asks('min-fresh=20')), fetched(2, asks('min-fresh=40'))],
      },
      {
        id: 'min-fresh-invalid',
        name: 'a value that cannot be read asks the origin',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, asks('min-fresh=x'))],
        choice: 'A request directive that cannot be read is taken for the strictest one.',
      },
    ],
  ),
  rule(
    '9111 §5.2.1.4',
    'The no-cache request directive indicates that the client prefers a stored response not be used to satisfy the request without successful validation on the origin server.',
    [
      {
        id: 'no-cache',
        name: 'the origin is asked',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, asks('no-cache'))],
      },
      {
        id: 'no-cache-case',
        name: 'in capitals',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, asks('No-Cache'))],
      },
      {
        id: 'no-cache-list',
        name: 'among others',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, asks('max-stale, no-cache'))],
      },
      {
        id: 'no-cache-stores',
        name: 'its answer is stored for others',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, asks('no-cache')), stored(2)],
      },
      {
        id: 'no-cache-first',
        name: 'also where nothing was stored',
        origin: [fresh()],
        steps: [fetched(1, asks('no-cache')), stored(1)],
      },
      {
        id: 'no-cache-validates',
        name: 'with a condition where there is a validator',
        origin: [fresh('ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, asks('no-cache'))],
      },
      {
        id: 'no-cache-error',
        name: 'an error then does not take the place of what is stored',
        origin: [fresh(), says(500)],
        steps: [fetched(1), fetched(2, asks('no-cache')), stored(1)],
      },
    ],
  ),
  rule(
    '9111 §5.2.1.5',
    'The no-store request directive indicates that a cache MUST NOT store any part of either this request or any response to it.',
    [
      {
        id: 'no-store',
        name: 'the answer is not stored',
        origin: [fresh()],
        steps: [fetched(1, asks('no-store')), fetched(2)],
      },
      {
        id: 'no-store-case',
        name: 'in capitals',
        origin: [fresh()],
        steps: [fetched(1, asks('NO-STORE')), fetched(2)],
      },
      {
        id: 'no-store-no-cache',
        name: 'with no-cache: what is stored stays as it was',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, asks('no-store, no-cache')), stored(1)],
      },
      {
        id: 'no-store-validates',
        name: 'also where it is validated for that',
        origin: [fresh('ETag: "a"'), unchanged('ETag: "a"', 'X-New: 1')],
        steps: [fetched(1), validated(1, { after: 1, ...asks('no-store, no-cache') }), stored(1, { age: 1 })],
      },
      {
        id: 'no-store-stale',
        name: 'what is stale and validated for such a client is there for the next',
        origin: [fresh('ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, { after: 61, ...asks('no-store') }), validated(1), stored(1)],
      },
      {
        id: 'no-store-variant',
        name: 'nor as a variant',
        origin: [fresh('Vary: X-A')],
        steps: [
          fetched(1, { asks: ['X-A: 1'] }),
          fetched(2, { asks: ['X-A: 2', 'Cache-Control: no-store'] }),
          fetched(3, { asks: ['X-A: 2'] }),
        ],
      },
    ],
  ),
  rule(
    '9111 §5.2.1.5',
    'Note that if a request containing this directive is satisfied from a cache, the no-store request directive does not apply to the already stored response.',
    [
      {
        id: 'no-store-hit',
        name: 'it may be answered from the cache, and what is stored stays',
        origin: [fresh()],
        steps: [fetched(1), stored(1, asks('no-store')), stored(1)],
        choice: 'no-store of a request forbids storing, not reusing.',
      },
    ],
  ),
  rule(
    '9111 §5.2.1.7',
    'Caches that honor this request directive SHOULD, upon receiving it, respond with either a stored response consistent with the other constraints of the request or a 504 (Gateway Timeout) status code.',
    [
      {
        id: 'only-if-cached-miss',
        name: 'nothing is stored: 504, and the origin is not asked',
        origin: [fresh()],
        steps: [refused(504, asks('only-if-cached'))],
      },
      {
        id: 'only-if-cached-hit',
        name: 'something is',
        origin: [fresh()],
        steps: [fetched(1), stored(1, asks('only-if-cached'))],
      },
      {
        id: 'only-if-cached-stale',
        name: 'it is stale: 504',
        origin: [stale('ETag: "a"')],
        steps: [fetched(1), refused(504, asks('only-if-cached'))],
      },
      {
        id: 'only-if-cached-max-stale',
        name: 'it is stale, and the client accepts that',
        origin: [stale('ETag: "a"')],
        steps: [fetched(1), stored(1, asks('only-if-cached, max-stale'))],
      },
      {
        id: 'only-if-cached-variant',
        name: 'another variant is: 504',
        origin: [fresh('Vary: X-A')],
        steps: [fetched(1, { asks: ['X-A: 1'] }), refused(504, { asks: ['X-A: 2', 'Cache-Control: only-if-cached'] })],
      },
      {
        id: 'only-if-cached-no-cache',
        name: 'with no-cache there is nothing it could be answered with: 504',
        origin: [fresh()],
        steps: [fetched(1), refused(504, asks('only-if-cached, no-cache'))],
      },
      {
        id: 'only-if-cached-head',
        name: 'HEAD',
        origin: [fresh()],
        steps: [refused(504, { method: 'HEAD', ...asks('only-if-cached') })],
      },
      {
        id: 'only-if-cached-no-store',
        name: 'what may not be stored is not there later',
        origin: [ok('Cache-Control: no-store')],
        steps: [fetched(1), refused(504, asks('only-if-cached'))],
      },
    ],
  ),
  rule(
    '9111 §5.4',
    'The "Pragma" request header field was defined for HTTP/1.0 caches, so that clients could specify a "no-cache" request (as Cache-Control was not defined until HTTP/1.1).',
    [
      {
        id: 'pragma',
        name: 'Pragma: no-cache asks the origin',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, { asks: ['Pragma: no-cache'] })],
        choice: 'Pragma: no-cache of a request without Cache-Control counts as Cache-Control: no-cache.',
      },
      {
        id: 'pragma-cache-control',
        name: 'beside Cache-Control it means nothing',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { asks: ['Pragma: no-cache', 'Cache-Control: max-age=100'] })],
        choice: 'Pragma: no-cache of a request without Cache-Control counts as Cache-Control: no-cache.',
      },
      {
        id: 'pragma-other',
        name: 'other words in it mean nothing',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { asks: ['Pragma: x'] })],
      },
    ],
  ),
  rule(
    '9111 §5.2',
    'Cache directives are unidirectional, in that the presence of a directive in a request does not imply that the same directive is present or copied in the response.',
    [
      {
        id: 'private-in-request',
        name: 'private, s-maxage and must-revalidate of a request mean nothing',
        origin: [fresh()],
        steps: [
          fetched(1, asks('private, s-maxage=0, must-revalidate')),
          stored(1, asks('private, s-maxage=0, public')),
        ],
      },
      {
        id: 'max-stale-in-answer',
        name: 'max-stale, min-fresh and only-if-cached of an answer mean nothing',
        origin: [ok('Cache-Control: max-age=60, min-fresh=100, only-if-cached, max-stale')],
        steps: reused(),
      },
    ],
  ),
])
