// RFC 9111 §4.4: what unsafe methods do to what is stored.
import { type Case, fetched, fresh, ok, rule, says, section, stored } from '../case.ts'

const unsafe = ['POST', 'PUT', 'PATCH', 'DELETE', 'FROBNICATE']
const body = (method: string): { body?: string } => (method === 'DELETE' ? {} : { body: 'x' })

/** Answer 2 is that to an unsafe request for the same path. */
const afterwards = (id: string, name: string, status: number, isGone: boolean): Case => ({
  id,
  name,
  origin: [fresh(), says(status, 'Location: /nowhere-of-this-case'), fresh()],
  steps: [fetched(1), fetched(2, { method: 'POST', body: 'x' }), isGone ? fetched(3) : stored(1)],
})

export const invalidation = section('invalidation', 'Invalidation', [
  rule(
    '9111 §4.4',
    'A cache MUST invalidate the target URI (Section 7.1 of [HTTP]) when it receives a non-error status code in response to an unsafe request method (including methods whose safety is unknown).',
    [
      ...unsafe.map((method) => ({
        id: `by-${method.toLowerCase()}`,
        name: `by ${method}`,
        origin: [fresh(), ok(), fresh()],
        steps: [fetched(1), fetched(2, { method, ...body(method) }), fetched(3), stored(3)],
      })),
      {
        id: 'all-variants',
        name: 'all variants of the URI',
        origin: [fresh('Vary: X-A'), fresh('Vary: X-A'), ok(), fresh('Vary: X-A')],
        steps: [
          fetched(1, { asks: ['X-A: 1'] }),
          fetched(2, { asks: ['X-A: 2'] }),
          fetched(3, { method: 'POST', body: 'x' }),
          fetched(4, { asks: ['X-A: 1'] }),
          fetched(5, { asks: ['X-A: 2'] }),
        ],
      },
      {
        id: 'other-query-stays',
        name: 'another query is another URI',
        origin: [fresh()],
        others: { '?a=1': [fresh()], '?a=2': [ok()] },
        steps: [
          fetched(1, { path: '?a=1' }),
          fetched(1, { path: '?a=2', method: 'POST', body: 'x' }),
          stored(1, { path: '?a=1' }),
        ],
      },
      {
        id: 'other-host-stays',
        name: 'another host too',
        origin: [fresh(), ok()],
        steps: [
          fetched(1, { host: 'a.example' }),
          fetched(2, { host: 'b.example', method: 'POST', body: 'x' }),
          stored(1, { host: 'a.example' }),
        ],
      },
      {
        id: 'fresh-again',
        name: 'what is fetched then is stored',
        origin: [fresh(), ok(), fresh()],
        steps: [fetched(1), fetched(2, { method: 'PUT', body: 'x' }), fetched(3), stored(3)],
      },
    ],
  ),
  rule('9111 §4.4', 'A "non-error response" is one with a 2xx (Successful) or 3xx (Redirection) status code.', [
    ...[200, 201, 202, 204, 301, 302, 303, 307, 308].map((status) =>
      afterwards(`status-${status}`, `status ${status} invalidates`, status, true),
    ),
    ...[400, 401, 403, 404, 409, 412, 500, 503].map((status) =>
      afterwards(`status-${status}`, `status ${status} does not`, status, false),
    ),
  ]),
  rule(
    '9110 §9.2.1',
    'Of the request methods defined by this specification, the GET, HEAD, OPTIONS, and TRACE methods are defined to be safe.',
    [
      {
        id: 'not-by-options',
        name: 'OPTIONS invalidates nothing',
        origin: [fresh(), ok()],
        steps: [fetched(1), fetched(2, { method: 'OPTIONS' }), stored(1)],
      },
      {
        id: 'not-by-head',
        name: 'nor does HEAD',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { method: 'HEAD' }), stored(1)],
      },
    ],
  ),
  rule(
    '9111 §4.4',
    'In particular, the URI(s) in the Location and Content-Location response header fields (if present) are candidates for invalidation;',
    [
      ...['Location', 'Content-Location'].flatMap((field) => {
        const id = field.toLowerCase()
        const steps = [
          fetched(1, { path: '/b' }),
          fetched(1, { method: 'POST', body: 'x' }),
          fetched(2, { path: '/b' }),
        ]
        const others = { '/b': [fresh()] }
        return [
          {
            id: `${id}-path`,
            name: `${field} with a path`,
            origin: [says(201, `${field}: {path}/b`)],
            others,
            steps,
            choice: `The URIs of ${field} are invalidated where they are of the same origin.`,
          },
          {
            id: `${id}-absolute`,
            name: `${field} with a whole URI`,
            origin: [says(201, `${field}: http://conformance.example{path}/b`)],
            others,
            steps,
            choice: `The URIs of ${field} are invalidated where they are of the same origin.`,
          },
          {
            id: `${id}-relative`,
            name: `${field} with a relative reference`,
            origin: [says(201, `${field}: ${field === 'Location' ? 'location' : 'content-location'}-relative/b`)],
            others,
            steps,
            choice: `The URIs of ${field} are invalidated where they are of the same origin.`,
          },
          ...[
            ['fragment', `{path}/b#x`],
            ['dots', `{path}/x/../b`],
            ['case', `HTTP://CONFORMANCE.EXAMPLE{path}/b`],
            ['port', `http://conformance.example:80{path}/b`],
            ['network-path', `//conformance.example{path}/b`],
          ].map(([form = '', uri = '']) => ({
            id: `${id}-${form}`,
            name: `${field} in another form: ${form}`,
            origin: [says(201, `${field}: ${uri}`)],
            others,
            steps,
            choice: `The URIs of ${field} are invalidated where they are of the same origin.`,
          })),
          {
            id: `${id}-error`,
            name: `${field} of an error invalidates nothing`,
            origin: [says(409, `${field}: {path}/b`)],
            others,
            steps: [...steps.slice(0, 2), stored(1, { path: '/b' })],
          },
        ]
      }),
      {
        id: 'location-of-get',
        name: 'Location of an answer to GET invalidates nothing',
        origin: [says(302, 'Location: {path}/b', 'Cache-Control: no-store')],
        others: { '/b': [fresh()] },
        steps: [fetched(1, { path: '/b' }), fetched(1), stored(1, { path: '/b' })],
      },
    ],
  ),
  rule(
    '9111 §4.4',
    'However, a cache MUST NOT trigger an invalidation under these conditions if the origin (Section 4.3.1 of [HTTP]) of the URI to be invalidated differs from that of the target URI (Section 7.1 of [HTTP]).',
    [
      ...['Location', 'Content-Location'].flatMap((field) => {
        const id = `other-origin-${field.toLowerCase()}`
        const case_ = (suffix: string, name: string, uri: string, host: string): Case => ({
          id: `${id}-${suffix}`,
          name: `${field} ${name}`,
          origin: [says(201, `${field}: ${uri}{path}/b`)],
          others: { '/b': [fresh()] },
          steps: [
            fetched(1, { path: '/b', host }),
            fetched(1, { method: 'POST', body: 'x', host: 'conformance.example' }),
            stored(1, { path: '/b', host }),
          ],
        })
        return [
          case_('host', 'of another host', 'http://other.example', 'other.example'),
          case_('port', 'of another port', 'http://conformance.example:8080', 'conformance.example:8080'),
          case_('scheme', 'of another scheme', 'https://conformance.example', 'conformance.example'),
          case_(
            'user',
            'of another host behind a user name',
            'http://conformance.example@other.example',
            'other.example',
          ),
        ]
      }),
    ],
  ),
  rule(
    '9111 §4.4',
    'the cache will either remove all stored responses whose target URI matches the given URI or mark them as "invalid" and in need of a mandatory validation before they can be sent in response to a subsequent request.',
    [
      {
        id: 'not-served-stale',
        name: 'what has been invalidated is not served stale either',
        origin: [ok('Cache-Control: max-age=60, stale-while-revalidate=600, stale-if-error=600'), ok(), fresh()],
        steps: [fetched(1), fetched(2, { method: 'POST', body: 'x' }), fetched(3)],
      },
      {
        id: 'not-for-max-stale',
        name: 'nor to who accepts stale answers',
        origin: [fresh(), ok(), fresh()],
        steps: [
          fetched(1),
          fetched(2, { method: 'POST', body: 'x' }),
          fetched(3, { asks: ['Cache-Control: max-stale'] }),
        ],
      },
      {
        id: 'not-only-if-cached',
        name: 'nor to who wants what is stored only',
        origin: [fresh(), ok(), fresh()],
        steps: [
          fetched(1),
          fetched(2, { method: 'POST', body: 'x' }),
          { source: 'proxy', from: 0, status: 504, asks: ['Cache-Control: only-if-cached'] },
        ],
      },
    ],
  ),
])
