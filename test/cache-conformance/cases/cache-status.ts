// RFC 9211: what a cache tells of what it did.
import {
  fetched,
  fresh,
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
} from '../case.ts'

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
        steps: [refused(504, { asks: ['Cache-Control: only-if-cached'], lacks: ['Age', 'Cache-Status'] })],
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
