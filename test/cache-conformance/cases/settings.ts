// Cookies, and what a route may say of caching.
import { fetched, fresh, notReused, ok, reused, rule, says, section, stored, withBody } from '../case.ts'

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
      id: 'default-ttl',
      name: '`default_ttl`: only where it says nothing, and to nobody who sends a cookie',
      route: { cache: { default_ttl: '30s' } },
      origin: [ok(), ok(), ok('Cache-Control: max-age=5')],
      steps: [
        fetched(1),
        fetched(2, { asks: ['Cookie: a=1'] }),
        stored(1, { after: 29 }),
        fetched(3, { after: 1 }),
        fetched(4, { after: 5 }),
      ],
    },
    {
      id: 'cookie-removed',
      name: 'nor does a cookie count that the route keeps from the origin',
      route: { cache: { default_ttl: '30s' }, headers: { request: { remove: ['Cookie'] } } },
      origin: [ok('Vary: Cookie')],
      steps: [fetched(1, { asks: ['Cookie: a=1'] }), stored(1, { asks: ['Cookie: a=2'] }), stored(1)],
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
