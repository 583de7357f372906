// RFC 9111 §2 and §4: what a stored answer may be used for.
import { type Answer, fetched, fetchedEach, fresh, ok, reused, rule, says, section, stored, withBody } from '../case.ts'

const unless = 'When presented with a request, a cache MUST NOT reuse a stored response unless:'

export const reuse = section('reuse', 'What a stored answer is used for', [
  rule(
    '9111 §4',
    `${unless} the presented target URI (Section 7.1 of [HTTP]) and that of the stored response match, and`,
    [
      {
        id: 'path',
        name: 'another path is another answer',
        origin: [fresh()],
        steps: [fetched(1), fetched(1, { path: '/b' }), stored(1), stored(1, { path: '/b' })],
      },
      {
        id: 'query',
        name: 'another query is another answer',
        origin: [fresh()],
        steps: [fetched(1, { path: '?a=1' }), fetched(1, { path: '?a=2' }), stored(1, { path: '?a=1' })],
      },
      {
        id: 'no-query',
        name: 'a query is not no query',
        origin: [fresh()],
        steps: [fetched(1, { path: '?a=1' }), fetched(1), stored(1, { path: '?a=1' })],
      },
      {
        id: 'empty-query',
        name: 'an empty query is not taken for one that is not empty',
        origin: [fresh()],
        steps: [fetched(1, { path: '?a=1' }), fetched(1, { path: '?a=' }), fetched(1, { path: '?a' })],
      },
      {
        id: 'query-order',
        name: 'nor one in another order',
        origin: [fresh()],
        steps: [fetched(1, { path: '?a=1&b=2' }), fetched(1, { path: '?b=2&a=1' })],
      },
      {
        id: 'query-case',
        name: 'nor one in other letters',
        origin: [fresh()],
        steps: [fetched(1, { path: '?a=x' }), fetched(1, { path: '?a=X' }), fetched(1, { path: '?A=x' })],
      },
      {
        id: 'query-escape',
        name: 'nor one with an escape that might mean another character to the origin',
        origin: [fresh()],
        steps: [fetched(1, { path: '?a=1%262' }), fetched(1, { path: '?a=1&2' })],
      },
      {
        id: 'path-case',
        name: 'paths have capitals',
        origin: [fresh()],
        steps: [fetched(1, { path: '/b' }), fetched(1, { path: '/B' })],
      },
      {
        id: 'path-slash',
        name: 'a slash at the end makes another path',
        origin: [fresh()],
        steps: [fetched(1, { path: '/b' }), fetched(1, { path: '/b/' })],
      },
      {
        id: 'path-encoded-slash',
        name: 'an encoded slash is no slash',
        origin: [fresh()],
        steps: [fetched(1, { path: '/b/c' }), fetched(1, { path: '/b%2Fc' })],
      },
      {
        id: 'path-parameters',
        name: 'a path parameter makes another path',
        origin: [fresh()],
        steps: [fetched(1, { path: '/b' }), fetched(1, { path: '/b;x=1.css' }), fetched(1, { path: '/b.css' })],
      },
      {
        id: 'path-encoded-question-mark',
        name: 'an encoded question mark is no query',
        origin: [fresh()],
        steps: [fetched(1, { path: '?a=1' }), fetched(1, { path: '%3Fa=1' })],
      },
      {
        id: 'host',
        name: 'another host is another answer',
        origin: [fresh()],
        steps: [fetched(1, { host: 'a.example' }), fetched(2, { host: 'b.example' }), stored(1, { host: 'a.example' })],
      },
      {
        id: 'host-port',
        name: 'another port too',
        origin: [fresh()],
        steps: [fetched(1, { host: 'a.example:8080' }), fetched(2, { host: 'a.example:8081' })],
      },
      {
        id: 'host-case',
        name: 'hosts are the same in any case of letters',
        origin: [fresh()],
        steps: [fetched(1, { host: 'a.example' }), stored(1, { host: 'A.Example' })],
      },
      {
        id: 'unbelieved-host',
        name: 'what a stranger says of the host in X-Forwarded-Host neither reaches the origin nor another client',
        origin: [fresh()],
        steps: [
          fetched(1, { asks: ['X-Forwarded-Host: evil.example'], sent: ['X-Forwarded-Host: conformance.example'] }),
          stored(1),
        ],
      },
    ],
  ),
  rule(
    '9111 §4',
    `${unless} [...] the request method associated with the stored response allows it to be used for the presented request, and`,
    [
      {
        id: 'head-from-get',
        name: 'HEAD is answered from an answer to GET',
        origin: [fresh('X-Kept: 1')],
        steps: [fetched(1), stored(1, { method: 'HEAD', has: ['X-Kept: 1'] })],
      },
      {
        id: 'get-not-from-head',
        name: 'GET is not answered from an answer to HEAD',
        origin: [fresh()],
        steps: [fetched(1, { method: 'HEAD' }), fetched(2)],
      },
      {
        id: 'head-length',
        name: 'HEAD is told the length that GET has',
        origin: [withBody(fresh(), '0123456789')],
        steps: [fetched(1), stored(1, { method: 'HEAD', has: ['Content-Length: 10'] })],
      },
      {
        id: 'post-not-from-get',
        name: 'POST goes to the origin',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, { method: 'POST', body: 'x' })],
      },
      {
        id: 'options-not-from-get',
        name: 'OPTIONS too',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, { method: 'OPTIONS' }), stored(1)],
      },
      {
        id: 'unknown-not-from-get',
        name: 'and a method that nobody knows',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, { method: 'FROBNICATE' })],
      },
      {
        id: 'get-with-body',
        name: 'GET with a body goes to the origin',
        origin: [fresh()],
        steps: [fetched(1), fetched(2, { body: 'query' }), stored(1)],
        choice:
          'The body of a GET may have changed the answer: such requests are passed on and their answers not stored.',
      },
    ],
  ),
  rule(
    '9111 §4',
    `${unless} [...] the stored response does not contain the no-cache directive (Section 5.2.2.4), unless it is successfully validated (Section 4.3), and`,
    [
      {
        id: 'no-cache',
        name: 'no-cache is asked for each time',
        origin: [ok('Cache-Control: no-cache, max-age=60')],
        steps: [fetched(1), fetched(2), fetched(3)],
      },
    ],
  ),
  rule(
    '9111 §4',
    `${unless} [...] the stored response is one of the following: fresh (see Section 4.2), or allowed to be served stale (see Section 4.2.4), or successfully validated (see Section 4.3).`,
    [
      {
        id: 'stale-not',
        name: 'a stale answer without a validator is fetched again',
        origin: [ok('Cache-Control: max-age=10')],
        steps: [fetched(1), fetched(2, { after: 11 })],
      },
    ],
  ),
  rule(
    '9111 §4',
    'A cache MUST write through requests with methods that are unsafe (Section 9.2.1 of [HTTP]) to the origin server; i.e., a cache is not allowed to generate a reply to such a request before having forwarded the request and having received a corresponding response.',
    ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => ({
      id: `write-through-${method.toLowerCase()}`,
      name: method,
      origin: [fresh()],
      steps: [
        fetched(1),
        fetched(2, { method, ...(method === 'DELETE' ? {} : { body: 'x' }), sentMethod: method }),
        fetched(3, { method, ...(method === 'DELETE' ? {} : { body: 'x' }), sentMethod: method }),
      ],
    })),
  ),
  rule(
    '9111 §4',
    'A cache can use a response that is stored or storable to satisfy multiple requests, provided that it is allowed to reuse that response for the requests in question.',
    [
      {
        id: 'collapsed',
        name: 'ten at once are one request to the origin',
        origin: [fresh()],
        steps: [fetched(1, { clients: 10 })],
      },
      {
        id: 'collapsed-chunked',
        name: 'also without a length',
        origin: [{ ...fresh(), framing: 'chunked' }],
        steps: [fetched(1, { clients: 10 })],
      },
    ],
  ),
  rule(
    '9111 §4',
    'Note, however, that if the cache cannot use the returned response for some or all of the collapsed requests, it will need to forward the requests in order to satisfy them, potentially introducing additional latency.',
    [
      ...[
        ['no-store', ok('Cache-Control: no-store')],
        ['private', ok('Cache-Control: private, max-age=60')],
        ['set-cookie', fresh('Set-Cookie: a=1')],
        ['vary-any', fresh('Vary: *')],
        ['nothing-said', ok()],
        ['error', says(500)],
        ['max-age-0', ok('Cache-Control: max-age=0')],
        ['too-long', withBody(fresh(), 'x'.repeat(400_000))],
      ].map(([id, answer]) => ({
        id: `not-collapsed-${id as string}`,
        name: `five at once each get an answer of their own: ${id as string}`,
        origin: [answer as Answer],
        steps: [fetchedEach(5), fetchedEach(5)],
      })),
      {
        id: 'not-collapsed-authorization',
        name: 'with credentials',
        origin: [fresh()],
        steps: [fetchedEach(5, { asks: ['Authorization: Bearer x'] })],
      },
      {
        id: 'not-collapsed-no-cache',
        name: 'and those that want a fresh one',
        origin: [fresh()],
        steps: [fetched(1), fetchedEach(3, { asks: ['Cache-Control: no-cache'], after: 1 })],
        choice:
          'Requests with no-cache at the same time are each passed on: an answer to one that came before is not theirs.',
      },
    ],
  ),
  rule(
    '9111 §4',
    'When more than one suitable response is stored, a cache MUST use the most recent one (as determined by the Date header field).',
    [
      {
        id: 'most-recent',
        name: 'of two that fit, the later one',
        origin: [fresh('Vary: X-A'), fresh('Vary: X-B')],
        steps: [
          fetched(1, { asks: ['X-A: 1', 'X-B: 1'] }),
          fetched(2, { asks: ['X-A: 2', 'X-B: 2'], after: 1 }),
          stored(2, { asks: ['X-A: 1', 'X-B: 2'], after: 1 }),
        ],
      },
    ],
  ),
  rule(
    '9111 §3.1',
    'Caches MUST include all received response header fields — including unrecognized ones — when storing a response; this assures that new HTTP header fields can be successfully deployed.',
    [
      {
        id: 'fields',
        name: 'fields that nobody knows, repeated ones and their order',
        origin: [fresh('X-Unknown: a b', 'X-Twice: 1', 'X-Twice: 2', 'Content-Language: de', 'Link: <x>; rel=y')],
        steps: reused({
          has: [
            'X-Unknown: a b',
            'X-Twice: 1, 2',
            'Content-Language: de',
            'Link: <x>; rel=y',
            'Content-Type: text/plain',
          ],
        }),
      },
      {
        id: 'cache-control-passes',
        name: 'Cache-Control goes to the client as it came',
        origin: [ok('Cache-Control: max-age=60, x-y="z", public')],
        steps: reused({ has: ['Cache-Control: max-age=60, x-y="z", public'] }),
      },
      {
        id: 'date-passes',
        name: 'so does Date: it is that of the origin, not of the reuse',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { after: 10, has: ['Date: {start}'] })],
      },
      {
        id: 'status-passes',
        name: 'and the status',
        origin: [says(404, 'Cache-Control: max-age=60')],
        steps: reused({ status: 404 }),
      },
      {
        id: 'obs-text',
        name: 'bytes beyond ASCII in a field',
        origin: [fresh('X-Latin: caf\xe9')],
        steps: reused({ has: ['X-Latin: caf\xe9'] }),
      },
    ],
  ),
  rule(
    '9111 §3.1',
    'The Connection header field and fields whose names are listed in it are required by Section 7.6.1 of [HTTP] to be removed before forwarding the message. This MAY be implemented by doing so before storage.',
    [
      {
        id: 'connection-listed',
        name: 'a field that Connection names is not given to anybody',
        origin: [fresh('Connection: X-Hop', 'X-Hop: 1', 'X-End: 2')],
        steps: [fetched(1, { lacks: ['X-Hop'] }), stored(1, { lacks: ['X-Hop'], has: ['X-End: 2'] })],
      },
      {
        id: 'keep-alive',
        name: 'nor are the other fields of the connection',
        origin: [fresh('Keep-Alive: timeout=5', 'Proxy-Connection: keep-alive')],
        steps: reused({ lacks: ['Keep-Alive', 'Proxy-Connection'] }),
      },
    ],
  ),
  rule(
    '9111 §3.1',
    'Header fields that are specific to the proxy that a cache uses when forwarding a request MUST NOT be stored, unless the cache incorporates the identity of the proxy into the cache key.',
    [
      {
        id: 'proxy-authenticate',
        name: 'Proxy-Authenticate, Proxy-Authentication-Info',
        origin: [fresh('Proxy-Authenticate: Basic', 'Proxy-Authentication-Info: x=1')],
        steps: reused({ lacks: ['Proxy-Authenticate', 'Proxy-Authentication-Info'] }),
      },
    ],
  ),
  rule(
    '9111 §3.1',
    'Caches MAY either store trailer fields separate from header fields or discard them. Caches MUST NOT combine trailer fields with header fields.',
    [
      {
        id: 'trailers',
        name: 'a trailer field does not become a header field',
        origin: [{ ...fresh(), framing: 'chunked', trailers: ['X-Sum: 1'] }],
        steps: reused({ lacks: ['X-Sum'] }),
      },
      {
        id: 'trailer-lifetime',
        name: 'Cache-Control in a trailer does not make an answer cacheable',
        origin: [{ ...ok(), framing: 'chunked', trailers: ['Cache-Control: max-age=60'] }],
        steps: [fetched(1), fetched(2)],
      },
      {
        id: 'trailer-no-store',
        name: 'nor does an Expires',
        origin: [{ ...ok(), framing: 'chunked', trailers: ['Expires: Thu, 18 Aug 2050 02:01:18 GMT'] }],
        steps: [fetched(1), fetched(2)],
      },
    ],
  ),
  rule(
    '9112 §6.1',
    'Unlike Content-Encoding (Section 8.4.1 of [HTTP]), Transfer-Encoding is a property of the message, not of the representation.',
    [
      {
        id: 'chunked',
        name: 'a chunked answer is stored, and its framing is not part of it',
        origin: [{ ...fresh(), framing: 'chunked' }],
        steps: reused(),
      },
    ],
  ),
  rule(
    '9111 §5.2',
    'A proxy, whether or not it implements a cache, MUST pass cache directives through in forwarded messages, regardless of their significance to that application, since the directives might apply to all recipients along the request/response chain.',
    [
      {
        id: 'request-directives-pass',
        name: 'those of a request reach the origin',
        origin: [ok('Cache-Control: no-store')],
        steps: [fetched(1, { asks: ['Cache-Control: max-age=5, x-y=z'], sent: ['Cache-Control: max-age=5, x-y=z'] })],
      },
      {
        id: 'response-directives-pass',
        name: 'those of an answer reach the client, also where it is not stored',
        origin: [ok('Cache-Control: private, x-y=z')],
        steps: [fetched(1, { has: ['Cache-Control: private, x-y=z'] })],
      },
      {
        id: 'pragma-passes',
        name: 'Pragma too',
        origin: [ok('Cache-Control: no-store')],
        steps: [fetched(1, { asks: ['Pragma: no-cache'], sent: ['Pragma: no-cache'] })],
      },
    ],
  ),
  rule('9111 §5.5', 'This specification obsoletes it, as it is not widely generated or surfaced to users.', [
    {
      id: 'no-warning',
      name: 'no Warning is generated',
      origin: [ok('Cache-Control: max-age=10, stale-while-revalidate=60')],
      steps: [fetched(1), stored(1, { after: 20, background: true, lacks: ['Warning'] })],
    },
  ]),
])
