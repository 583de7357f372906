// RFC 9213 (targeted fields), RFC 9211 (Cache-Status), cookies, and what a route may say of caching.
import {
  fetched,
  fresh,
  notReused,
  ok,
  refused,
  rescued,
  reused,
  rule,
  says,
  section,
  stale,
  stored,
  unchanged,
  validated,
  withBody,
} from '../case.ts'

const own = 'Frontdesk-Cache-Control'
const cdn = 'CDN-Cache-Control'

export const targeted = section('targeted', 'Targeted fields', [
  rule(
    '9213 §2.2',
    'When a cache that implements this specification receives a response with one or more of the header field names on its target list, the cache MUST select the first (in target-list order) field with a valid, non-empty value and use its value to determine the caching policy for the response, and it MUST ignore the Cache-Control and Expires header fields in that response, unless no valid, non-empty value is available from the listed header fields.',
    [
      {
        id: 'longer',
        name: 'CDN-Cache-Control with a longer lifetime than Cache-Control',
        origin: [ok('Cache-Control: max-age=10', `${cdn}: max-age=60`, 'Age: 30')],
        steps: reused(),
      },
      {
        id: 'shorter',
        name: 'with a shorter one',
        origin: [ok('Cache-Control: max-age=60', `${cdn}: max-age=10`, 'Age: 30')],
        steps: notReused(),
      },
      {
        id: 'no-store-overridden',
        name: 'Cache-Control: no-store is ignored beside it',
        origin: [ok('Cache-Control: no-store', `${cdn}: max-age=60`)],
        steps: reused(),
      },
      {
        id: 'private-overridden',
        name: 'private too',
        origin: [ok('Cache-Control: private', `${cdn}: max-age=60`)],
        steps: reused(),
      },
      {
        id: 'no-cache-overridden',
        name: 'and no-cache',
        origin: [ok('Cache-Control: no-cache', `${cdn}: max-age=60`)],
        steps: reused(),
      },
      {
        id: 'expires-ignored',
        name: 'Expires is ignored beside it',
        origin: [ok('Expires: {now-60}', `${cdn}: max-age=60`)],
        steps: reused(),
      },
      {
        id: 'expires-ignored-future',
        name: 'also where the targeted field has no lifetime',
        origin: [says(403, 'Expires: {now+60}', `${cdn}: must-revalidate`)],
        steps: notReused(),
      },
      {
        id: 's-maxage-of-cache-control',
        name: 'so is s-maxage of Cache-Control',
        origin: [ok('Cache-Control: s-maxage=60', `${cdn}: max-age=10`, 'Age: 30')],
        steps: notReused(),
      },
      {
        id: 'first-of-list',
        name: 'the field of Frontdesk goes before that of all CDNs',
        origin: [ok(`${cdn}: max-age=10`, `${own}: max-age=60`, 'Age: 30')],
        steps: reused(),
      },
      {
        id: 'first-of-list-no-store',
        name: 'also where it says no-store',
        origin: [ok(`${cdn}: max-age=60`, `${own}: no-store`)],
        steps: notReused(),
      },
      {
        id: 'second-where-first-invalid',
        name: 'one that cannot be read gives way to the next',
        origin: [ok(`${own}: max-age=&`, `${cdn}: max-age=60`, 'Cache-Control: no-store')],
        steps: reused(),
      },
      {
        id: 'configured-list',
        name: '`target_fields` of a route',
        route: { cache: { target_fields: ['My-Cache-Control'] } },
        origin: [ok('Cache-Control: no-store', 'My-Cache-Control: max-age=60')],
        steps: reused(),
      },
      {
        id: 'pragma-and-heuristic',
        name: 'none but no lifetime: heuristics are still there',
        origin: [ok(`${cdn}: none`, 'Cache-Control: no-store', 'Last-Modified: {start-10000}')],
        steps: reused(),
      },
    ],
  ),
  rule(
    '9213 §2.1',
    'If a targeted field in a given response is empty, or a parsing error is encountered, that field MUST be ignored by the cache (i.e., it behaves as if the field were not present, likely falling back to other cache-control mechanisms present).',
    [
      {
        id: 'empty',
        name: 'an empty one',
        origin: [ok('Cache-Control: no-store', `${cdn}:`)],
        steps: notReused(),
      },
      {
        id: 'empty-falls-back',
        name: 'an empty one beside a lifetime in Cache-Control',
        origin: [fresh(`${cdn}:`)],
        steps: reused(),
      },
      ...[
        ['unclosed', 'max-age="60'],
        ['semicolon', 'max-age=60;'],
        ['comma', 'max-age=60,'],
        ['at', '@max-age=60'],
        ['upper', 'Max-Age=60'],
        ['two-equals', 'max-age==60'],
        ['spaces', 'max-age = 60'],
      ].map(([id = '', value = '']) => ({
        id: `error-${id}`,
        name: `an error in it: ${value}`,
        origin: [ok('Cache-Control: no-store', `${cdn}: ${value}`)],
        steps: notReused(),
      })),
    ],
  ),
  rule('9213 §2.1', 'Implementations SHOULD NOT consume values that violate these inferred constraints.', [
    {
      id: 'decimal',
      name: 'max-age with a decimal fraction',
      origin: [ok('Cache-Control: no-store', `${cdn}: max-age=60.5`)],
      steps: notReused(),
    },
    {
      id: 'string',
      name: 'max-age as a string',
      origin: [ok('Cache-Control: no-store', `${cdn}: max-age="60"`)],
      steps: notReused(),
    },
    {
      id: 'token',
      name: 'max-age as a word',
      origin: [ok('Cache-Control: no-store', `${cdn}: max-age=soon`)],
      steps: notReused(),
    },
  ]),
  rule(
    '9213 §2.1',
    'Parameters received on cache directives are to be ignored, unless other handling is explicitly specified.',
    [
      {
        id: 'parameters',
        name: 'max-age=60;x=1',
        origin: [ok('Cache-Control: no-store', `${cdn}: max-age=60;x=1`)],
        steps: reused(),
      },
    ],
  ),
  rule(
    '9213 §2.2',
    "Targeted fields that are not on a cache's target list MUST NOT change that cache's behavior and MUST be passed through.",
    [
      {
        id: 'not-in-list',
        name: 'a field of another CDN',
        origin: [ok('Cache-Control: no-store', 'Other-CDN-Cache-Control: max-age=60')],
        steps: [fetched(1, { has: ['Other-CDN-Cache-Control: max-age=60'] }), fetched(2)],
      },
      {
        id: 'surrogate-control',
        name: 'Surrogate-Control is none',
        origin: [ok('Cache-Control: no-store', 'Surrogate-Control: max-age=60')],
        steps: notReused(),
      },
    ],
  ),
  rule(
    '9213 §2.2',
    'Caches that use a targeted field MUST implement the semantics of the following cache directives:',
    [
      {
        id: 'no-store',
        name: 'no-store',
        origin: [fresh(`${cdn}: no-store`)],
        steps: notReused(),
      },
      {
        id: 'private',
        name: 'private',
        origin: [fresh(`${cdn}: private, max-age=60`)],
        steps: notReused(),
      },
      {
        id: 'no-cache',
        name: 'no-cache',
        origin: [fresh(`${cdn}: no-cache, max-age=60`, 'ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1)],
      },
      {
        id: 'must-revalidate',
        name: 'must-revalidate',
        origin: [ok(`${cdn}: max-age=60, must-revalidate`, 'Cache-Control: stale-if-error=600', 'Age: 100'), says(500)],
        steps: [fetched(1), fetched(2)],
      },
      {
        id: 'max-age-0',
        name: 'max-age=0',
        origin: [fresh(`${cdn}: max-age=0`)],
        steps: notReused(),
      },
    ],
  ),
  rule(
    '9213 §2.2',
    'In particular, no-store and no-cache make max-age inoperative, and unrecognized extension directives are ignored.',
    [
      {
        id: 'no-store-max-age',
        name: 'no-store beside max-age',
        origin: [ok(`${cdn}: max-age=60, no-store`)],
        steps: notReused(),
      },
      {
        id: 'unknown',
        name: 'an unknown one',
        origin: [ok(`${cdn}: max-age=60, x=y`)],
        steps: reused(),
      },
    ],
  ),
  rule(
    '9213 §2.2',
    'Furthermore, they SHOULD implement other cache directives (including extension cache directives) that they support in the Cache-Control response header field.',
    [
      {
        id: 's-maxage',
        name: 's-maxage',
        origin: [ok(`${cdn}: max-age=10, s-maxage=60`, 'Age: 30')],
        steps: reused(),
      },
      {
        id: 'swr',
        name: 'stale-while-revalidate',
        origin: [ok(`${cdn}: max-age=60, stale-while-revalidate=60`, 'Age: 100')],
        steps: [fetched(1), stored(1, { background: true })],
      },
      {
        id: 'public-authorization',
        name: 'public, for a request with credentials',
        origin: [ok(`${cdn}: max-age=60, public`)],
        steps: [fetched(1, { asks: ['Authorization: Bearer x'] }), stored(1)],
      },
      {
        id: 'authorization-alone',
        name: 'which max-age alone does not allow',
        origin: [ok(`${cdn}: max-age=60`, 'Cache-Control: public')],
        steps: [fetched(1, { asks: ['Authorization: Bearer x'] }), fetched(2)],
      },
    ],
  ),
  rule(
    '9213 §3',
    'CDN caches that use CDN-Cache-Control will typically forward this header so that downstream CDN caches can use it as well.',
    [
      {
        id: 'forwarded',
        name: 'it goes on to the client',
        origin: [ok(`${cdn}: max-age=60`)],
        steps: reused({ has: [`${cdn}: max-age=60`] }),
      },
    ],
  ),
])

export const cacheStatus = section('cache-status', 'Cache-Status', [
  rule(
    '9211 §2.1',
    'The value of "hit" is a Boolean that, when true, indicates that the request was satisfied by the cache; that is, it was not forwarded, and the response was obtained from the cache.',
    [
      {
        id: 'hit',
        name: 'a hit, with the time it has left',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { after: 10, cacheStatus: ['hit', 'ttl=50', '!fwd'] })],
      },
      {
        id: 'hit-head',
        name: 'HEAD from an answer to GET',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { method: 'HEAD', cacheStatus: ['hit', '!fwd'] })],
      },
    ],
  ),
  rule(
    '9211 §2.1',
    'A response that was originally produced by the origin but was modified by the cache (for example, a 304 or 206 status code) is still considered a hit, as long as it did not go forward (e.g., for validation).',
    [
      {
        id: 'hit-304',
        name: 'a 304',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: "a"'], status: 304, cacheStatus: ['hit', '!fwd'] })],
      },
      {
        id: 'hit-206',
        name: 'a 206',
        origin: [fresh('ETag: "a"')],
        steps: [
          fetched(1),
          stored(1, { asks: ['Range: bytes=0-3'], status: 206, part: [0, 3], cacheStatus: ['hit', '!fwd'] }),
        ],
      },
    ],
  ),
  rule(
    '9211 §2.1',
    'Note that a stale response that is used without going forward (e.g., because the origin server is not available) can be considered a hit.',
    [
      {
        id: 'hit-stale',
        name: 'stale while it is revalidated, with a ttl below zero',
        origin: [ok('Cache-Control: max-age=60, stale-while-revalidate=60')],
        steps: [fetched(1), stored(1, { after: 70, background: true, cacheStatus: ['hit', 'ttl=-10'] })],
      },
      {
        id: 'hit-max-stale',
        name: 'stale because the client accepts it',
        origin: [fresh()],
        steps: [
          fetched(1),
          stored(1, { after: 70, asks: ['Cache-Control: max-stale'], cacheStatus: ['hit', 'ttl=-10'] }),
        ],
      },
    ],
  ),
  rule(
    '9211 §2.2',
    '"fwd", when present, indicates that the request went forward towards the origin; its value is a Token that indicates why.',
    [
      {
        id: 'miss',
        name: 'nothing was stored',
        origin: [fresh()],
        steps: [fetched(1, { cacheStatus: ['~fwd=(uri-)?miss', '!hit'] })],
      },
      {
        id: 'method',
        name: 'of a method that caches have nothing to do with nothing is said',
        origin: [fresh()],
        steps: [fetched(1, { method: 'POST', body: 'x', lacks: ['Cache-Status'] })],
        choice: 'Requests that are not for the cache by their method get no Cache-Status.',
      },
      {
        id: 'bypass',
        name: 'the route does not want it looked up',
        route: { cache: { bypass: { header: { 'X-Fresh': '1' } } } },
        origin: [fresh()],
        steps: [fetched(1), fetched(2, { asks: ['X-Fresh: 1'], cacheStatus: ['fwd=bypass', '!stored'] })],
      },
      {
        id: 'request',
        name: 'the request did not want what is fresh',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, { asks: ['Cache-Control: no-cache'], cacheStatus: ['fwd=request'] })],
      },
      {
        id: 'stale',
        name: 'what is stored was stale',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, { after: 61, cacheStatus: ['fwd=stale'] })],
      },
    ],
  ),
  rule(
    '9211 §2.2',
    "The cache contained a response that matched the request URI, but it could not select a response based upon this request's header fields and stored Vary header fields.",
    [
      {
        id: 'vary-miss',
        name: 'another variant is stored',
        origin: [fresh('Vary: X-A')],
        steps: [fetched(1, { asks: ['X-A: 1'] }), fetched(2, { asks: ['X-A: 2'], cacheStatus: ['~fwd=(vary-)?miss'] })],
      },
    ],
  ),
  rule(
    '9211 §2.3',
    'The value of "fwd-status" is an Integer that indicates which status code (see Section 15 of [HTTP]) the next-hop server returned in response to the forwarded request.',
    [
      {
        id: 'fwd-status',
        name: 'a successful validation',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, { cacheStatus: ['fwd=stale', 'fwd-status=304'] })],
      },
      {
        id: 'fwd-status-5xx',
        name: 'an error in whose place a stale answer is served',
        origin: [ok('Cache-Control: max-age=60, stale-if-error=600'), says(503)],
        steps: [fetched(1), rescued(1, { after: 70, cacheStatus: ['fwd=stale', 'fwd-status=503'] })],
      },
    ],
  ),
  rule(
    '9211 §2.4',
    'The value of "ttl" is an Integer that indicates the response\'s remaining freshness lifetime (see Section 4.2.1 of [HTTP-CACHING]) as calculated by the cache, as an integer number of seconds, measured as closely as possible to when the response header section is sent by the cache.',
    [
      {
        id: 'ttl-age',
        name: 'the Age that it came with is taken off',
        origin: [fresh('Age: 20')],
        steps: [fetched(1), stored(1, { after: 10, cacheStatus: ['hit', 'ttl=30'] })],
      },
      {
        id: 'ttl-heuristic',
        name: 'a lifetime that was made up',
        origin: [ok('Last-Modified: {start-1000}')],
        steps: [fetched(1), stored(1, { after: 10, cacheStatus: ['hit', 'ttl=90'] })],
      },
    ],
  ),
  rule(
    '9211 §2.5',
    'The value of "stored" is a Boolean that indicates whether the cache stored the response (see Section 3 of [HTTP-CACHING]); a true value indicates that it did.',
    [
      {
        id: 'stored',
        name: 'it did',
        origin: [fresh()],
        steps: [fetched(1, { cacheStatus: ['stored'] })],
      },
      {
        id: 'not-stored',
        name: 'it did not',
        origin: [ok('Cache-Control: no-store')],
        steps: [fetched(1, { cacheStatus: ['!stored', '!hit'] })],
      },
    ],
  ),
  rule(
    '9211 §2.7',
    'The value of "key" is a String that conveys a representation of the cache key (see Section 2 of [HTTP-CACHING]) used for the response.',
    [
      {
        id: 'key',
        name: '`"status": "key"`',
        route: { cache: { status: 'key' } },
        origin: [fresh()],
        steps: [
          fetched(1, { path: '?a=1', cacheStatus: ['~key="http://conformance.example[^"]*/cache-status/key\\?a=1"'] }),
          stored(1, { path: '?a=1', cacheStatus: ['hit', '~key="http://conformance.example[^"]*\\?a=1"'] }),
        ],
      },
      {
        id: 'no-key',
        name: 'not otherwise: it may say too much',
        origin: [fresh()],
        steps: reused({ cacheStatus: ['hit', '!key'] }),
      },
    ],
  ),
  rule(
    '9211 §2',
    'When adding a value to the Cache-Status header field, caches SHOULD preserve the existing field value, to allow debugging of the entire chain of caches handling the request.',
    [
      {
        id: 'chain',
        name: 'that of the origin stays, before ours',
        origin: [fresh('Cache-Status: OriginCache; hit; ttl=1100')],
        steps: [
          fetched(1, { has: ['Cache-Status: ~^OriginCache; hit; ttl=1100, frontdesk; fwd='] }),
          stored(1, { has: ['Cache-Status: ~^OriginCache; hit; ttl=1100, frontdesk; hit'] }),
        ],
      },
      {
        id: 'not-twice',
        name: 'ours is there once',
        origin: [fresh()],
        steps: reused({ has: ['Cache-Status: ~^frontdesk; hit[^,]*$'] }),
      },
    ],
  ),
  rule(
    '9211 §2',
    'An intermediary SHOULD NOT append a Cache-Status member to responses that it generates locally, even if that intermediary contains a cache, unless the generated response is based upon a stored response (e.g., 304 (Not Modified) and 206 (Partial Content) are both based upon a stored response).',
    [
      {
        id: 'own-504',
        name: 'the 504 of only-if-cached',
        origin: [fresh()],
        steps: [refused(504, { asks: ['Cache-Control: only-if-cached'], lacks: ['Age'] })],
      },
    ],
  ),
  rule('9211 §2', 'Caches determine when it is appropriate to add the Cache-Status header field to a response.', [
    {
      id: 'off',
      name: '`"status": "off"`',
      route: { cache: { status: 'off' } },
      origin: [fresh()],
      steps: [fetched(1, { lacks: ['Cache-Status'] }), stored(1, { lacks: ['Cache-Status'] })],
    },
  ]),
])

export const cookies = section('cookies', 'Cookies', [
  rule(
    '9111 §7.3',
    'Note that the Set-Cookie response header field [COOKIE] does not inhibit caching; a cacheable response with a Set-Cookie header field can be (and often is) used to satisfy subsequent requests to caches.',
    [
      {
        id: 'set-cookie',
        name: 'an answer with Set-Cookie is not stored',
        origin: [fresh('Set-Cookie: a=1')],
        steps: [fetched(1, { has: ['Set-Cookie: a=1'] }), fetched(2)],
        choice: 'An answer with Set-Cookie is not stored by default.',
      },
      {
        id: 'set-cookie-public',
        name: 'nor with public',
        origin: [ok('Cache-Control: public, max-age=60', 'Set-Cookie: a=1')],
        steps: notReused(),
        choice: 'An answer with Set-Cookie is not stored by default.',
      },
      {
        id: 'strip',
        name: '`"set_cookie": "strip"`: stored without it; the client that asked gets it',
        route: { cache: { set_cookie: 'strip' } },
        origin: [fresh('Set-Cookie: a=1', 'X-Kept: 1')],
        steps: [fetched(1), stored(1, { lacks: ['Set-Cookie'], has: ['X-Kept: 1'] })],
      },
      {
        id: 'store',
        name: '`"set_cookie": "store"`: stored with it',
        route: { cache: { set_cookie: 'store' } },
        origin: [fresh('Set-Cookie: a=1', 'Set-Cookie: b=2')],
        steps: reused({ has: ['Set-Cookie: a=1, b=2'] }),
      },
      {
        id: 'cookie-of-request',
        name: 'a cookie of the request does not keep an answer that says it is for all from being reused',
        origin: [ok('Cache-Control: public, max-age=60')],
        steps: [fetched(1, { asks: ['Cookie: a=1'] }), stored(1, { asks: ['Cookie: a=2'] }), stored(1)],
      },
    ],
  ),
])

export const settings = section('settings', 'What a route may say', [
  rule('9111 §2', 'Caches might incorporate additional material into the cache key.', [
    {
      id: 'key-header',
      name: '`key.headers`',
      route: { cache: { key: { headers: ['X-Tenant'] } } },
      origin: [fresh()],
      steps: [
        fetched(1, { asks: ['X-Tenant: a'] }),
        fetched(2, { asks: ['X-Tenant: b'] }),
        fetched(3),
        stored(1, { asks: ['X-Tenant: a'] }),
      ],
    },
    {
      id: 'key-cookie',
      name: '`key.cookies`: one cookie, not the others',
      route: { cache: { key: { cookies: ['lang'] } } },
      origin: [fresh()],
      steps: [
        fetched(1, { asks: ['Cookie: lang=de; x=1'] }),
        stored(1, { asks: ['Cookie: x=2; lang=de'] }),
        fetched(2, { asks: ['Cookie: lang=en; x=1'] }),
      ],
    },
    {
      id: 'vary-added',
      name: '`vary` of the route',
      route: { cache: { vary: ['X-Device'] } },
      origin: [fresh()],
      steps: [
        fetched(1, { asks: ['X-Device: a'] }),
        fetched(2, { asks: ['X-Device: b'] }),
        stored(1, { asks: ['X-Device: a'] }),
      ],
    },
  ]),
  rule(
    '9111 §2',
    'However, many HTTP caches in common use today only cache GET responses and therefore only use the URI as the cache key.',
    [
      {
        id: 'query-except',
        name: '`key.query.except`: parameters that do not change the answer',
        route: { cache: { key: { query: { except: ['utm_*'] } } } },
        origin: [fresh()],
        steps: [
          fetched(1, { path: '?a=1&utm_source=x' }),
          stored(1, { path: '?utm_medium=y&a=1', of: '?a=1&utm_source=x' }),
          fetched(1, { path: '?a=2' }),
        ],
        choice: 'Parameters of the query are left out of the key only where the route says so.',
      },
      {
        id: 'query-only',
        name: '`key.query.only`',
        route: { cache: { key: { query: { only: ['a'] } } } },
        origin: [fresh()],
        steps: [
          fetched(1, { path: '?a=1&b=1' }),
          stored(1, { path: '?a=1&b=2', of: '?a=1&b=1' }),
          fetched(1, { path: '?a=2&b=1' }),
        ],
        choice: 'Parameters of the query are left out of the key only where the route says so.',
      },
      {
        id: 'query-none',
        name: '`"query": "none"`',
        route: { cache: { key: { query: 'none' } } },
        origin: [fresh()],
        steps: [fetched(1, { path: '?a=1' }), stored(1, { path: '?a=2', of: '?a=1' }), stored(1, { of: '?a=1' })],
        choice: 'Parameters of the query are left out of the key only where the route says so.',
      },
      {
        id: 'query-sorted',
        name: '`key.sort_query`',
        route: { cache: { key: { sort_query: true } } },
        origin: [fresh()],
        steps: [fetched(1, { path: '?b=2&a=1' }), stored(1, { path: '?a=1&b=2', of: '?b=2&a=1' })],
        choice: 'The order of the query is left out of the key only where the route says so.',
      },
    ],
  ),
  rule('9111 §4.2.4', 'configuration in accordance with an out-of-band contract', [
    {
      id: 'ttl',
      name: '`ttl`: whatever the answer says of time',
      route: { cache: { ttl: '30s' } },
      origin: [ok('Cache-Control: max-age=5')],
      steps: [fetched(1), stored(1, { after: 29 }), fetched(2, { after: 1 })],
    },
    {
      id: 'ttl-nothing',
      name: 'also where it says nothing',
      route: { cache: { ttl: '30s' } },
      origin: [ok()],
      steps: [fetched(1), stored(1, { after: 29 }), fetched(2, { after: 1 })],
    },
    {
      id: 'ttl-by-status',
      name: '`ttl_by_status`: 404 for ten seconds, 500 not at all',
      route: { cache: { ttl_by_status: { '404': '10s', '500': '0s' } } },
      origin: [says(404), says(404), says(500, 'Cache-Control: max-age=60'), ok('Cache-Control: max-age=60')],
      steps: [fetched(1), stored(1, { after: 9 }), fetched(2, { after: 1 }), fetched(3, { after: 10 }), fetched(4)],
    },
    {
      id: 'bypass-cookie',
      name: '`bypass.cookie`: neither looked up nor stored',
      route: { cache: { bypass: { cookie: { session: true } } } },
      origin: [fresh()],
      steps: [fetched(1), fetched(2, { asks: ['Cookie: session=1'] }), stored(1)],
    },
    {
      id: 'no-store-query',
      name: '`no_store.query`: looked up, not stored',
      route: { cache: { no_store: { query: { preview: true } } } },
      origin: [fresh()],
      steps: [fetched(1, { path: '?preview=1' }), fetched(2, { path: '?preview=1' })],
    },
    {
      id: 'ignore-clients',
      name: '`"client_directives": "ignore"`: a reload is answered from the cache',
      route: { cache: { client_directives: 'ignore' } },
      origin: [fresh()],
      steps: [
        fetched(1),
        stored(1, { asks: ['Cache-Control: no-cache'] }),
        stored(1, { asks: ['Pragma: no-cache'] }),
        stored(1, { asks: ['Cache-Control: min-fresh=100'] }),
      ],
    },
    {
      id: 'no-reload',
      name: '`"client_directives": "no-reload"`: no-cache and max-age count for nothing, the others for what they say',
      route: { cache: { client_directives: 'no-reload' } },
      origin: [fresh()],
      steps: [
        fetched(1),
        stored(1, { asks: ['Cache-Control: no-cache'] }),
        stored(1, { asks: ['Cache-Control: max-age=0'] }),
        fetched(2, { asks: ['Cache-Control: min-fresh=100'] }),
      ],
    },
    {
      id: 'off',
      name: '`"cache": false`: nothing is kept',
      route: { cache: false },
      origin: [fresh()],
      steps: [fetched(1, { lacks: ['Cache-Status', 'Age'] }), fetched(2)],
    },
    {
      id: 'tags-removed',
      name: 'tags for purging do not reach the client',
      origin: [fresh('Cache-Tag: a, b', 'Surrogate-Key: c')],
      steps: [
        fetched(1, { lacks: ['Cache-Tag', 'Surrogate-Key'] }),
        stored(1, { lacks: ['Cache-Tag', 'Surrogate-Key'] }),
      ],
    },
  ]),
  rule(
    '9110 §12.5.3',
    'When selecting between multiple content codings that have the same purpose, the acceptable content coding with the highest non-zero qvalue is preferred.',
    [
      {
        id: 'compressed',
        name: 'a compressed form for those who take it, the plain one for those who do not',
        route: { cache: true, compression: true },
        origin: [withBody(fresh('ETag: "a"', 'Content-Type: text/plain'), 'text that is compressed '.repeat(400))],
        steps: [
          fetched(1, {
            asks: ['Accept-Encoding: gzip'],
            has: ['Content-Encoding: gzip', 'Vary: ~(?i:accept-encoding)'],
          }),
          stored(1, {
            asks: ['Accept-Encoding: gzip'],
            has: ['Content-Encoding: gzip', 'Vary: ~(?i:accept-encoding)'],
          }),
          stored(1, { lacks: ['Content-Encoding'], has: ['Vary: ~(?i:accept-encoding)'] }),
          stored(1, { asks: ['Accept-Encoding: identity'], lacks: ['Content-Encoding'] }),
        ],
      },
      {
        id: 'compressed-order',
        name: 'the plain one first',
        route: { cache: true, compression: true },
        origin: [withBody(fresh('ETag: "a"', 'Content-Type: text/plain'), 'text that is compressed '.repeat(400))],
        steps: [
          fetched(1, { lacks: ['Content-Encoding'] }),
          stored(1, { asks: ['Accept-Encoding: gzip'], has: ['Content-Encoding: gzip'] }),
          stored(1, { asks: ['Accept-Encoding: br'], has: ['Content-Encoding: br'] }),
          stored(1, { lacks: ['Content-Encoding'] }),
        ],
      },
      {
        id: 'no-transform',
        name: 'no-transform: never',
        route: { cache: true, compression: true },
        origin: [
          withBody(ok('Cache-Control: max-age=60, no-transform', 'Content-Type: text/plain'), 'text '.repeat(2000)),
        ],
        steps: [
          fetched(1, { asks: ['Accept-Encoding: gzip'], lacks: ['Content-Encoding'] }),
          stored(1, { asks: ['Accept-Encoding: gzip'], lacks: ['Content-Encoding'] }),
        ],
      },
    ],
  ),
  rule(
    '9110 §8.8.1',
    'For example, if the origin server sends the same validator for a representation with a gzip content coding applied as it does for a representation with no content coding, then that validator is weak.',
    [
      {
        id: 'compressed-etag',
        name: 'the compressed form has a weak tag, and 304 is answered to it',
        route: { cache: true, compression: true },
        origin: [withBody(fresh('ETag: "a"', 'Content-Type: text/plain'), 'text that is compressed '.repeat(400))],
        steps: [
          fetched(1, { asks: ['Accept-Encoding: gzip'], has: ['ETag: ~^W/"a'] }),
          stored(1, { asks: ['Accept-Encoding: gzip'], has: ['ETag: ~^W/"a'] }),
          stored(1, { asks: ['Accept-Encoding: gzip', 'If-None-Match: W/"a"'], status: 304 }),
        ],
      },
    ],
  ),
])
