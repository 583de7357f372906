// RFC 9111 §5.2.2, §5.2.3 and RFC 8246: what answers say.
import {
  failed,
  fetched,
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

/** Each of them, on an answer that was fresh once. */
const forbidding = ['must-revalidate, max-age=60', 'proxy-revalidate, max-age=60', 's-maxage=60']
const nameOf = (directives: string): string => directives.split(/[,=]/)[0]!

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
    '9111 §4.2.4',
    'A cache MUST NOT generate a stale response if it is prohibited by an explicit in-protocol directive (e.g., by a no-cache response directive, a must-revalidate response directive, or an applicable s-maxage or proxy-revalidate response directive; see Section 5.2.2).',
    forbidding.flatMap((directives) => [
      {
        id: `${nameOf(directives)}-beats-swr`,
        name: `${nameOf(directives)} on what has become stale beats stale-while-revalidate`,
        origin: [ok(`Cache-Control: ${directives}, stale-while-revalidate=600`, 'ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, { after: 70 }), stored(1, { after: 59 })],
      },
      {
        id: `${nameOf(directives)}-beats-sie`,
        name: 'and stale-if-error',
        origin: [ok(`Cache-Control: ${directives}, stale-if-error=600`, 'ETag: "a"'), says(503)],
        steps: [fetched(1), fetched(2, { after: 70 })],
      },
      {
        id: `${nameOf(directives)}-beats-max-stale`,
        name: 'and max-stale of the client',
        origin: [ok(`Cache-Control: ${directives}`, 'ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, { after: 70, asks: ['Cache-Control: max-stale'] })],
      },
      {
        id: `${nameOf(directives)}-beats-down`,
        name: 'and the origin being down',
        origin: [ok(`Cache-Control: ${directives}`, 'ETag: "a"')],
        steps: [fetched(1), stored(1, { after: 50, down: true }), refused([502, 503, 504], { after: 20 })],
      },
      {
        id: `${nameOf(directives)}-beats-only-if-cached`,
        name: 'and only-if-cached with max-stale',
        origin: [ok(`Cache-Control: ${directives}`, 'ETag: "a"')],
        steps: [fetched(1), refused(504, { after: 70, asks: ['Cache-Control: only-if-cached, max-stale'] })],
      },
    ]),
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
