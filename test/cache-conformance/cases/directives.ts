// RFC 9111 §5.2.1 (of requests), §5.2.2 (of answers), §5.2.3 (extensions), §5.4 Pragma, and RFC 8246.
import {
  failed,
  fetched,
  fresh,
  lost,
  notReused,
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

export const responseDirectives = section('response', 'Directives of answers', [
  rule(
    '9111 §5.2.2.2',
    'The must-revalidate response directive indicates that once the response has become stale, a cache MUST NOT reuse that response to satisfy another request until it has been successfully validated by the origin, as defined by Section 4.3.',
    [
      {
        id: 'must-revalidate-fresh',
        name: 'while fresh it is reused',
        origin: [ok('Cache-Control: max-age=60, must-revalidate')],
        steps: reused(),
      },
      {
        id: 'must-revalidate-stale',
        name: 'stale, it is validated',
        origin: [stale('Cache-Control: must-revalidate', 'ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1)],
      },
      {
        id: 'must-revalidate-swr',
        name: 'it beats stale-while-revalidate',
        origin: [ok('Cache-Control: max-age=60, must-revalidate, stale-while-revalidate=600', 'Age: 100')],
        steps: notReused(),
      },
      {
        id: 'must-revalidate-sie',
        name: 'and stale-if-error',
        origin: [ok('Cache-Control: max-age=60, must-revalidate, stale-if-error=600', 'Age: 100'), says(500)],
        steps: [fetched(1), fetched(2)],
      },
    ],
  ),
  rule(
    '9111 §5.2.2.2',
    'In all circumstances, a cache MUST NOT ignore the must-revalidate directive; in particular, if a cache is disconnected, the cache MUST generate an error response rather than reuse the stale response.',
    [
      {
        id: 'must-revalidate-lost',
        name: 'the origin gives no answer: an error',
        origin: [stale('Cache-Control: must-revalidate'), lost],
        steps: [fetched(1), failed()],
      },
      {
        id: 'must-revalidate-down',
        name: 'the origin is down: an error',
        origin: [stale('Cache-Control: must-revalidate')],
        steps: [fetched(1), refused([502, 503, 504], { down: true })],
      },
    ],
  ),
  rule(
    '9111 §5.2.2.8',
    'The proxy-revalidate response directive indicates that once the response has become stale, a shared cache MUST NOT reuse that response to satisfy another request until it has been successfully validated by the origin, as defined by Section 4.3.',
    [
      {
        id: 'proxy-revalidate-stale',
        name: 'stale, it is fetched',
        origin: [ok('Cache-Control: max-age=60, proxy-revalidate, stale-while-revalidate=600', 'Age: 100')],
        steps: notReused(),
      },
      {
        id: 'proxy-revalidate-down',
        name: 'the origin is down: an error',
        origin: [stale('Cache-Control: proxy-revalidate')],
        steps: [fetched(1), refused([502, 503, 504], { down: true })],
      },
    ],
  ),
  rule('9111 §5.2.2.8', 'Note that proxy-revalidate on its own does not imply that a response is cacheable.', [
    {
      id: 'proxy-revalidate-alone',
      name: 'alone it makes nothing cacheable',
      origin: [says(403, 'Cache-Control: proxy-revalidate')],
      steps: notReused(),
    },
  ]),
  rule(
    '9111 §5.2.2.10',
    'A shared cache MUST NOT reuse a stale response with s-maxage to satisfy another request until it has been successfully validated by the origin, as defined by Section 4.3.',
    [
      {
        id: 's-maxage-swr',
        name: 's-maxage beats stale-while-revalidate',
        origin: [ok('Cache-Control: s-maxage=60, stale-while-revalidate=600', 'Age: 100')],
        steps: notReused(),
      },
      {
        id: 's-maxage-down',
        name: 'the origin is down: an error',
        origin: [ok('Cache-Control: s-maxage=60', 'Age: 100')],
        steps: [fetched(1), refused([502, 503, 504], { down: true })],
      },
    ],
  ),
  rule(
    '9111 §5.2.2.4',
    'The no-cache response directive, in its unqualified form (without an argument), indicates that the response MUST NOT be used to satisfy any other request without forwarding it for validation and receiving a successful response; see Section 4.3.',
    [
      {
        id: 'no-cache-validated',
        name: 'it is validated each time',
        origin: [ok('Cache-Control: no-cache', 'ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1), validated(1)],
      },
      {
        id: 'no-cache-s-maxage',
        name: 'also beside s-maxage',
        origin: [ok('Cache-Control: s-maxage=60, no-cache')],
        steps: notReused(),
      },
      {
        id: 'no-cache-500',
        name: 'an error is no success',
        origin: [ok('Cache-Control: no-cache, max-age=60, stale-if-error=600', 'ETag: "a"'), says(500)],
        steps: [fetched(1), fetched(2)],
      },
      {
        id: 'no-cache-down',
        name: 'nor is the origin being down',
        origin: [ok('Cache-Control: no-cache, max-age=60', 'ETag: "a"')],
        steps: [fetched(1), refused([502, 503, 504], { down: true })],
      },
    ],
  ),
  rule(
    '9111 §5.2.2.4',
    'The qualified form of the no-cache response directive, with an argument that lists one or more field names, indicates that a cache MAY use the response to satisfy a subsequent request, subject to any other restrictions on caching, if the listed header fields are excluded from the subsequent response or the subsequent response has been successfully revalidated with the origin server (updating or removing those fields).',
    [
      {
        id: 'no-cache-field',
        name: 'the field that it lists is not reused, the rest is',
        origin: [ok('Cache-Control: no-cache="X-Whose", max-age=60', 'X-Whose: 1', 'X-Other: 2')],
        steps: [fetched(1, { has: ['X-Whose: 1'] }), stored(1, { lacks: ['X-Whose'], has: ['X-Other: 2'] })],
        choice: 'Fields that no-cache or private lists are left out of what is stored; the rest is reused.',
      },
      {
        id: 'no-cache-field-case',
        name: 'in any case of letters, several',
        origin: [ok('Cache-Control: no-cache="X-WHOSE, x-too", max-age=60', 'X-Whose: 1', 'X-Too: 2')],
        steps: [fetched(1), stored(1, { lacks: ['X-Whose', 'X-Too'] })],
        choice: 'Fields that no-cache or private lists are left out of what is stored; the rest is reused.',
      },
    ],
  ),
  rule(
    '9111 §5.2.2.3',
    "When a cache that implements the must-understand directive receives a response that includes it, the cache SHOULD ignore the no-store directive if it understands and implements the status code's caching requirements.",
    [
      {
        id: 'must-understand-200',
        name: 'must-understand, no-store on a 200: stored',
        origin: [ok('Cache-Control: must-understand, no-store, max-age=60')],
        steps: reused(),
      },
      {
        id: 'must-understand-404',
        name: 'on a 404',
        origin: [says(404, 'Cache-Control: no-store, must-understand, max-age=60')],
        steps: reused(),
      },
      {
        id: 'must-understand-private',
        name: 'private is not ignored',
        origin: [ok('Cache-Control: must-understand, no-store, private, max-age=60')],
        steps: notReused(),
      },
    ],
  ),
  rule(
    '9111 §5.2.2.3',
    "The must-understand response directive limits caching of the response to a cache that understands and conforms to the requirements for that response's status code.",
    [
      {
        id: 'must-understand-299',
        name: 'on a status that nobody knows: not stored',
        origin: [says(299, 'Cache-Control: must-understand, no-store, max-age=60')],
        steps: notReused(),
      },
      {
        id: 'must-understand-alone-299',
        name: 'also without no-store',
        origin: [says(299, 'Cache-Control: must-understand, max-age=60')],
        steps: notReused(),
      },
      {
        id: 'must-understand-599',
        name: 'of class 5',
        origin: [says(599, 'Cache-Control: must-understand, max-age=60')],
        steps: notReused(),
      },
    ],
  ),
  rule('9111 §5.2.3', 'A cache MUST ignore unrecognized cache directives.', [
    {
      id: 'extension',
      name: 'unknown ones, with and without an argument',
      origin: [ok('Cache-Control: x, y=1, z="a, b", max-age=60')],
      steps: reused(),
    },
    {
      id: 'extension-like',
      name: 'ones that begin as known ones do',
      origin: [ok('Cache-Control: max-age=60, max-age-x=0, privately, no-cachet')],
      steps: reused(),
    },
  ]),
  rule(
    '9111 §5.2.3',
    'A cache that does not recognize the community cache directive would ignore it and adhere to the private directive.',
    [
      {
        id: 'community',
        name: 'private, community="UCI"',
        origin: [ok('Cache-Control: private, community="UCI", max-age=60')],
        steps: notReused(),
      },
    ],
  ),
  rule(
    '8246 §2',
    'The immutable extension only applies during the freshness lifetime of the stored response. Stale responses SHOULD be revalidated as they normally would be in the absence of the immutable extension.',
    [
      {
        id: 'immutable-stale',
        name: 'stale, it is validated',
        origin: [stale('Cache-Control: immutable', 'ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1)],
      },
      {
        id: 'immutable-alone',
        name: 'alone it is no lifetime',
        origin: [ok('Cache-Control: immutable')],
        steps: notReused(),
      },
    ],
  ),
  rule('8246 §2', 'If any arguments are present, they have no meaning and MUST be ignored.', [
    {
      id: 'immutable-argument',
      name: 'an argument',
      origin: [ok('Cache-Control: max-age=60, immutable=0')],
      steps: reused(),
    },
  ]),
  rule(
    '8246 §2.1',
    'Therefore, proxies SHOULD skip conditionally revalidating fresh responses containing the immutable extension unless there is a signal from the client that a validation is necessary (e.g., a no-cache Cache-Control request directive defined in Section 5.2.1.4 of [RFC7234]).',
    [
      {
        id: 'immutable-no-cache',
        name: 'no-cache of the client is such a signal',
        origin: [ok('Cache-Control: max-age=60, immutable', 'ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, { asks: ['Cache-Control: no-cache'] })],
      },
      {
        id: 'immutable-conditional',
        name: 'a condition of the client is not',
        origin: [ok('Cache-Control: max-age=60, immutable', 'ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: "a"'], status: 304 })],
      },
    ],
  ),
])

export const authorization = section('authorization', 'Requests with credentials', [
  rule(
    '9111 §3.5',
    'A shared cache MUST NOT use a cached response to a request with an Authorization header field (Section 11.6.2 of [HTTP]) to satisfy any subsequent request unless the response contains a Cache-Control field with a response directive (Section 5.2.2) that allows it to be stored by a shared cache, and the cache conforms to the requirements of that directive for that response.',
    [
      {
        id: 'max-age',
        name: 'max-age alone does not allow it',
        origin: [fresh()],
        steps: [fetched(1, { asks: ['Authorization: Basic YTpi'] }), fetched(2)],
      },
      {
        id: 'same-credentials',
        name: 'not even for the same credentials',
        origin: [fresh()],
        steps: [
          fetched(1, { asks: ['Authorization: Basic YTpi'] }),
          fetched(2, { asks: ['Authorization: Basic YTpi'] }),
        ],
      },
      {
        id: 'expires',
        name: 'nor Expires',
        origin: [ok('Expires: {now+60}')],
        steps: [fetched(1, { asks: ['Authorization: Bearer x'] }), fetched(2)],
      },
      {
        id: 'heuristic',
        name: 'nor Last-Modified',
        origin: [ok('Last-Modified: {start-100000}')],
        steps: [fetched(1, { asks: ['Authorization: Bearer x'] }), fetched(2)],
      },
      {
        id: 'proxy-revalidate',
        name: 'nor proxy-revalidate, which is not in the list',
        origin: [ok('Cache-Control: max-age=60, proxy-revalidate')],
        steps: [fetched(1, { asks: ['Authorization: Bearer x'] }), fetched(2)],
      },
      {
        id: 'vary',
        name: 'nor Vary: Authorization',
        origin: [fresh('Vary: Authorization')],
        steps: [fetched(1, { asks: ['Authorization: Bearer x'] }), fetched(2, { asks: ['Authorization: Bearer x'] })],
      },
      {
        id: 'head',
        name: 'nor through HEAD',
        origin: [fresh()],
        steps: [fetched(1, { method: 'HEAD', asks: ['Authorization: Bearer x'] }), fetched(2, { method: 'HEAD' })],
      },
      {
        id: 'does-not-replace',
        name: 'it does not take the place of what is stored for all',
        origin: [fresh(), fresh()],
        steps: [fetched(1), fetched(2, { asks: ['Authorization: Bearer x', 'Cache-Control: no-cache'] }), stored(1)],
      },
      {
        id: 'validation-does-not-drop',
        name: 'a validation with credentials does not take away what is stored for all',
        origin: [fresh('ETag: "a"'), unchanged('ETag: "a"')],
        steps: [
          fetched(1),
          validated(1, { after: 1, asks: ['Authorization: Bearer x', 'Cache-Control: no-cache'] }),
          stored(1),
        ],
      },
      {
        id: 'reads-public',
        name: 'a request with credentials may be answered with what was stored for all',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { asks: ['Authorization: Bearer x'] })],
        choice:
          'What was stored for everybody is given to requests with Authorization too: §3.5 forbids only the other direction.',
      },
    ],
  ),
  rule(
    '9111 §3.5',
    'In this specification, the following response directives have such an effect: must-revalidate (Section 5.2.2.2), public (Section 5.2.2.9), and s-maxage (Section 5.2.2.10).',
    ['public, max-age=60', 's-maxage=60', 'must-revalidate, max-age=60'].map((directives) => ({
      id: directives.split(/[,=]/)[0]!,
      name: directives,
      origin: [ok(`Cache-Control: ${directives}`)],
      steps: [
        fetched(1, { asks: ['Authorization: Bearer x'] }),
        stored(1),
        stored(1, { asks: ['Authorization: Bearer y'] }),
      ],
    })),
  ),
  rule(
    '9111 §5.2.2.10',
    'This directive also permits a shared cache to reuse a response to a request containing an Authorization header field, subject to the above requirements on maximum age and revalidation (Section 3.5).',
    [
      {
        id: 's-maxage-0',
        name: 's-maxage=0 means asking each time',
        origin: [ok('Cache-Control: s-maxage=0', 'ETag: "a"'), unchanged('ETag: "a"')],
        steps: [
          fetched(1, { asks: ['Authorization: Bearer x'] }),
          validated(1, { asks: ['Authorization: Bearer y'], sent: ['Authorization: Bearer y'] }),
        ],
      },
    ],
  ),
])
