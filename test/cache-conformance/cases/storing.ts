// RFC 9111 §3: which answers are stored at all.
import { fetched, fresh, lost, notReused, ok, reused, rule, says, section, stored, withBody } from '../case.ts'

const unless = 'A cache MUST NOT store a response to a request unless:'
const contains = `${unless} [...] the response contains at least one of the following:`

/** Statuses that RFC 9110 §15.1 names, but for 206, which has cases of its own, and 204, which has no body to tell by. */
const heuristic = [200, 203, 300, 301, 308, 404, 405, 410, 414, 501]
/** Final statuses that are not heuristically cacheable. */
const others = [
  201, 202, 205, 302, 303, 307, 400, 401, 402, 403, 406, 408, 409, 411, 412, 413, 415, 417, 421, 422, 429, 500, 502,
  503, 504, 505,
]

export const storing = section('storing', 'Which answers are stored', [
  rule('9111 §3', `${unless} [...] the request method is understood by the cache;`, [
    { id: 'get', name: 'an answer to GET with a lifetime is stored', origin: [fresh()], steps: reused() },
    {
      id: 'put-not',
      name: 'an answer to PUT is not',
      origin: [fresh()],
      steps: [fetched(1, { method: 'PUT', body: 'x' }), fetched(2)],
    },
    {
      id: 'delete-not',
      name: 'nor one to DELETE',
      origin: [fresh()],
      steps: [fetched(1, { method: 'DELETE' }), fetched(2)],
    },
    {
      id: 'patch-not',
      name: 'nor one to PATCH',
      origin: [fresh()],
      steps: [fetched(1, { method: 'PATCH', body: 'x' }), fetched(2)],
    },
    {
      id: 'options-not',
      name: 'nor one to OPTIONS, for OPTIONS or GET',
      origin: [fresh()],
      steps: [fetched(1, { method: 'OPTIONS' }), fetched(2, { method: 'OPTIONS' }), fetched(3)],
    },
    {
      id: 'unknown-method-not',
      name: 'nor one to a method nobody knows, for itself or GET',
      origin: [fresh()],
      steps: [fetched(1, { method: 'FROBNICATE' }), fetched(2, { method: 'FROBNICATE' }), fetched(3)],
    },
  ]),
  rule(
    '9110 §9.3.3',
    "Responses to POST requests are only cacheable when they include explicit freshness information (see Section 4.2.1 of [CACHING]) and a Content-Location header field that has the same value as the POST's target URI (Section 8.7).",
    [
      {
        id: 'post-not',
        name: 'an answer to POST with a lifetime alone is not stored',
        origin: [fresh()],
        steps: [fetched(1, { method: 'POST', body: 'x' }), fetched(2)],
      },
      {
        id: 'post-content-location-elsewhere',
        name: 'nor with a Content-Location of another URI',
        origin: [fresh('Content-Location: /elsewhere')],
        steps: [fetched(1, { method: 'POST', body: 'x' }), fetched(2)],
      },
      {
        id: 'post-not-for-post',
        name: 'an answer to POST is never given to another POST',
        origin: [fresh()],
        steps: [fetched(1, { method: 'POST', body: 'x' }), fetched(2, { method: 'POST', body: 'x' })],
      },
    ],
  ),
  rule('9110 §9.3.4', 'Responses to the PUT method are not cacheable.', [
    {
      id: 'put-public-not',
      name: 'whatever they say',
      origin: [ok('Cache-Control: public, max-age=60, s-maxage=60')],
      steps: [fetched(1, { method: 'PUT', body: 'x' }), fetched(2)],
    },
  ]),
  rule('9111 §3', `${unless} [...] the response status code is final (see Section 15 of [HTTP]);`, [
    {
      id: 'interim-not',
      name: 'a 103 with a lifetime before the answer is not stored in its place',
      origin: [
        {
          ...ok('Cache-Control: no-store'),
          interim: ['103', 'Cache-Control: max-age=60', 'Link: </a.css>; rel=preload'],
        },
      ],
      steps: notReused(),
    },
    {
      id: 'interim-fields-not',
      name: 'and its fields do not get into what is stored',
      origin: [{ ...fresh(), interim: ['103', 'X-Interim: 1'] }],
      steps: reused({ lacks: ['X-Interim'] }),
    },
  ]),
  rule(
    '9111 §3',
    `${unless} [...] if the response status code is 206 or 304, or the must-understand cache directive (see Section 5.2.2.3) is present: the cache understands the response status code;`,
    [
      {
        id: '304-not',
        name: 'a 304 that comes without having been asked for is not stored as the answer for others',
        origin: [{ ...says(304, 'Cache-Control: max-age=60', 'ETag: "a"'), isAnyway: true }, fresh('ETag: "a"')],
        steps: [fetched(1), fetched(2)],
      },
      {
        id: '206-not-as-200',
        name: 'a 206 is not given to who asks for all',
        origin: [
          withBody(says(206, 'Cache-Control: max-age=60', 'Content-Range: bytes 0-3/10', 'ETag: "a"'), '0123'),
          fresh(),
        ],
        steps: [fetched(1, { asks: ['Range: bytes=0-3'] }), fetched(2)],
      },
      {
        id: 'unknown-status',
        name: 'a status that nobody knows, with a lifetime, is stored: only must-understand asks for more',
        origin: [says(299, 'Cache-Control: max-age=60')],
        steps: reused(),
      },
      {
        id: 'unknown-status-error',
        name: 'the same of class 5',
        origin: [says(599, 'Cache-Control: max-age=60')],
        steps: reused(),
      },
    ],
  ),
  rule(
    '9111 §3',
    `${unless} [...] the no-store cache directive is not present in the response (see Section 5.2.2.5);`,
    [
      { id: 'no-store', name: 'no-store', origin: [ok('Cache-Control: no-store')], steps: notReused() },
      {
        id: 'no-store-max-age',
        name: 'beside a lifetime',
        origin: [ok('Cache-Control: max-age=60, no-store')],
        steps: notReused(),
      },
      {
        id: 'no-store-case',
        name: 'in capitals',
        origin: [ok('Cache-Control: max-age=60, No-StoRe')],
        steps: notReused(),
      },
      {
        id: 'no-store-second-line',
        name: 'in a second field line',
        origin: [ok('Cache-Control: max-age=60', 'Cache-Control: no-store')],
        steps: notReused(),
      },
      {
        id: 'no-store-public',
        name: 'beside public',
        origin: [ok('Cache-Control: public, no-store, s-maxage=60')],
        steps: notReused(),
      },
      {
        id: 'no-store-expires',
        name: 'beside Expires',
        origin: [ok('Cache-Control: no-store', 'Expires: {now+60}')],
        steps: notReused(),
      },
      {
        id: 'no-store-argument',
        name: 'with an argument, which it does not have: the safe side',
        origin: [ok('Cache-Control: max-age=60, no-store=x')],
        steps: notReused(),
        choice: 'An argument that is not defined does not take the force from no-store, private and no-cache.',
      },
      {
        id: 'no-store-etag',
        name: 'with a validator: the next request has no condition',
        origin: [ok('Cache-Control: no-store', 'ETag: "a"')],
        steps: notReused({ unsent: ['If-None-Match'] }),
      },
      {
        id: 'no-store-in-quotes',
        name: 'the word within the quoted argument of another directive is no directive',
        origin: [ok('Cache-Control: max-age=60, x="a, no-store, b"')],
        steps: reused(),
      },
      {
        id: 'no-store-as-suffix',
        name: 'nor is a longer word',
        origin: [ok('Cache-Control: max-age=60, x-no-store, no-store-x')],
        steps: reused(),
      },
    ],
  ),
  rule(
    '9111 §3',
    `${unless} [...] if the cache is shared: the private response directive is either not present or allows a shared cache to store a modified response; see Section 5.2.2.7);`,
    [
      { id: 'private', name: 'private', origin: [ok('Cache-Control: private, max-age=60')], steps: notReused() },
      {
        id: 'private-case',
        name: 'in capitals',
        origin: [ok('Cache-Control: PRIVATE, max-age=60')],
        steps: notReused(),
      },
      {
        id: 'private-s-maxage',
        name: 'beside s-maxage',
        origin: [ok('Cache-Control: s-maxage=60, private')],
        steps: notReused(),
      },
      {
        id: 'private-public',
        name: 'beside public: the stricter one',
        origin: [ok('Cache-Control: public, private, max-age=60')],
        steps: notReused(),
      },
      {
        id: 'private-second-line',
        name: 'in a second field line',
        origin: [ok('Cache-Control: max-age=60', 'Cache-Control: private')],
        steps: notReused(),
      },
      {
        id: 'private-empty',
        name: 'with an empty list of fields: the safe side',
        origin: [ok('Cache-Control: private="", max-age=60')],
        steps: notReused(),
        choice: 'private="" names no field that could be left out: it counts as private.',
      },
    ],
  ),
  rule(
    '9111 §5.2.2.7',
    'a shared cache MUST NOT store the listed header fields if they are present in the original response but MAY store the remainder of the response message without those header fields, subject the constraints defined in Section 3.',
    [
      {
        id: 'private-field',
        name: 'the field that it lists is not given to another client',
        origin: [ok('Cache-Control: private="X-Whose", max-age=60', 'X-Whose: 1', 'X-Other: 2')],
        steps: [fetched(1, { has: ['X-Whose: 1'] }), stored(1, { lacks: ['X-Whose'], has: ['X-Other: 2'] })],
      },
      {
        id: 'private-fields',
        name: 'several of them, in any case of letters',
        origin: [ok('Cache-Control: private="x-WHOSE, x-too", max-age=60', 'X-Whose: 1', 'X-Too: 2')],
        steps: [fetched(1, { has: ['X-Whose: 1'] }), stored(1, { lacks: ['X-Whose', 'X-Too'] })],
      },
      {
        id: 'private-field-token',
        name: 'without quotes',
        origin: [ok('Cache-Control: private=X-Whose, max-age=60', 'X-Whose: 1')],
        steps: [fetched(1, { has: ['X-Whose: 1'] }), stored(1, { lacks: ['X-Whose'] })],
      },
      {
        id: 'private-set-cookie',
        name: 'Set-Cookie so listed does not keep the rest from being stored',
        origin: [ok('Cache-Control: private="set-cookie", max-age=60', 'Set-Cookie: a=1')],
        steps: [fetched(1, { has: ['Set-Cookie: a=1'] }), stored(1, { lacks: ['Set-Cookie'] })],
      },
    ],
  ),
  rule('9111 §3', `${contains} [...] a public response directive (see Section 5.2.2.9);`, [
    {
      id: 'public-last-modified',
      name: 'public makes an answer cacheable by heuristics whose status is not',
      origin: [says(403, 'Cache-Control: public', 'Last-Modified: {start-1000}')],
      steps: reused(),
    },
    {
      id: 'no-public-last-modified',
      name: 'without it it is not',
      origin: [says(403, 'Last-Modified: {start-1000}')],
      steps: notReused(),
    },
  ]),
  rule('9111 §3', `${contains} [...] an Expires header field (see Section 5.3);`, [
    { id: 'expires', name: 'Expires alone will do', origin: [ok('Expires: {now+60}')], steps: reused() },
    { id: 'expires-403', name: 'for any final status', origin: [says(403, 'Expires: {now+60}')], steps: reused() },
  ]),
  rule('9111 §3', `${contains} [...] if the cache is shared: an s-maxage response directive (see Section 5.2.2.10);`, [
    { id: 's-maxage', name: 's-maxage alone will do', origin: [ok('Cache-Control: s-maxage=60')], steps: reused() },
    {
      id: 's-maxage-403',
      name: 'for any final status',
      origin: [says(403, 'Cache-Control: s-maxage=60')],
      steps: reused(),
    },
  ]),
  rule('9111 §3', `${contains} [...] a max-age response directive (see Section 5.2.2.1);`, [
    ...others.map((status) => ({
      id: `max-age-${status}`,
      name: `status ${status} with max-age`,
      origin: [
        status === 205
          ? withBody(says(status, 'Cache-Control: max-age=60'), '')
          : says(status, 'Cache-Control: max-age=60'),
      ],
      steps: reused(),
    })),
    ...others.map((status) => ({
      id: `nothing-${status}`,
      name: `status ${status} that says nothing`,
      origin: [
        status === 205
          ? withBody(says(status, 'Last-Modified: {start-1000}'), '')
          : says(status, 'Last-Modified: {start-1000}'),
      ],
      steps: notReused(),
    })),
  ]),
  rule(
    '9110 §15.1',
    'Responses with status codes that are defined as heuristically cacheable (e.g., 200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, and 501 in this specification) can be reused by a cache with heuristic expiration unless otherwise indicated by the method definition or explicit cache controls [CACHING]; all other status codes are not heuristically cacheable.',
    [
      ...heuristic.map((status) => ({
        id: `heuristic-${status}`,
        name: `status ${status} with Last-Modified alone`,
        origin: [says(status, 'Last-Modified: {start-1000}')],
        steps: reused(),
      })),
      {
        id: 'heuristic-204',
        name: 'status 204 with Last-Modified alone',
        origin: [says(204, 'Last-Modified: {start-1000}', 'X-Which: 1'), says(204, 'X-Which: 2')],
        steps: [fetched(1), stored(1, { has: ['X-Which: 1'] })],
      },
    ],
  ),
  rule(
    '9111 §3',
    'Note that, in normal operation, some caches will not store a response that has neither a cache validator nor an explicit expiration time, as such responses are not usually useful to store.',
    [
      {
        id: 'nothing-200',
        name: 'a 200 that says nothing of time and has no validator is not reused',
        origin: [ok()],
        steps: notReused(),
        choice: 'Without Last-Modified there is nothing to derive a lifetime from: none is made up.',
      },
      {
        id: 'etag-200',
        name: 'nor is one with an ETag alone, without asking',
        origin: [ok('ETag: "a"'), ok('ETag: "b"')],
        steps: notReused(),
        choice: 'Without Last-Modified there is nothing to derive a lifetime from: none is made up.',
      },
    ],
  ),
  rule(
    '9112 §6.3',
    "If the final response to the last request on a connection has been completely received and there remains additional data to read, a user agent MAY discard the remaining data or attempt to determine if that data belongs as part of the prior message body, which might be the case if the prior message's Content-Length value is incorrect. A client MUST NOT process, cache, or forward such extra data as a separate response, since such behavior would be vulnerable to cache poisoning.",
    [
      {
        id: 'extra-bytes',
        name: 'bytes behind the answer, in the form of an answer, are given to nobody',
        origin: [
          {
            ...withBody(
              ok('Cache-Control: no-store', 'Content-Length: 5'),
              'helloHTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\npoison',
            ),
            framing: 'close',
          },
          withBody(ok('Cache-Control: no-store'), 'second'),
        ],
        steps: [fetched(1, { part: [0, 4] }), fetched(2)],
      },
    ],
  ),
  rule(
    '9110 §15.6.3',
    'The 502 (Bad Gateway) status code indicates that the server, while acting as a gateway or proxy, received an invalid response from an inbound server it accessed while attempting to fulfill the request.',
    [
      {
        id: 'own-errors-not',
        name: 'the error that Frontdesk makes when the origin gives no answer is not stored',
        origin: [lost, lost, lost, lost, lost, lost, fresh()],
        steps: [
          { source: 'origin', from: 0, status: [502, 503, 504] },
          { source: 'origin', from: 0, status: [502, 503, 504] },
        ],
      },
    ],
  ),
])
