// RFC 9111 §3.5: requests with credentials.
import { fetched, fresh, ok, rule, section, stored, unchanged, validated } from '../case.ts'

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
