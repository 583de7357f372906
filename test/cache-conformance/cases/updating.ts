// RFC 9111 §3.2, §4.3.4, §4.3.5: what 304 and HEAD change of a stored answer.
import { fetched, fresh, ok, rule, says, section, stale, stored, unchanged, validated } from '../case.ts'

const again = ['Cache-Control: max-age=60', 'Age: 0']

export const updating = section('updating', 'Updating what is stored', [
  rule(
    '9111 §3.2',
    'When doing so, the cache MUST add each header field in the provided response to the stored response, replacing field values that are already present, with the following exceptions:',
    [
      {
        id: 'adds',
        name: 'a field that was not there is added',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"', ...again, 'X-New: 1')],
        steps: [fetched(1), validated(1, { has: ['X-New: 1'] }), stored(1, { has: ['X-New: 1'] })],
      },
      {
        id: 'replaces',
        name: 'one that was is replaced',
        origin: [stale('ETag: "a"', 'X-Old: 1'), unchanged('ETag: "a"', ...again, 'X-Old: 2')],
        steps: [fetched(1), validated(1, { has: ['X-Old: 2'] }), stored(1, { has: ['X-Old: 2'] })],
      },
      {
        id: 'replaces-lines',
        name: 'all its lines',
        origin: [stale('ETag: "a"', 'X-Old: 1', 'X-Old: 2'), unchanged('ETag: "a"', ...again, 'x-old: 3', 'x-old: 4')],
        steps: [fetched(1), validated(1, { has: ['X-Old: 3, 4'] }), stored(1, { has: ['X-Old: 3, 4'] })],
      },
      {
        id: 'keeps',
        name: 'one that the 304 does not have stays',
        origin: [stale('ETag: "a"', 'X-Old: 1'), unchanged('ETag: "a"', ...again)],
        steps: [
          fetched(1),
          validated(1, { has: ['X-Old: 1'] }),
          stored(1, { has: ['X-Old: 1', 'Content-Type: text/plain'] }),
        ],
      },
      {
        id: 'content-type',
        name: 'Content-Type is no exception',
        origin: [
          stale('ETag: "a"', 'Content-Type: text/plain'),
          unchanged('ETag: "a"', ...again, 'Content-Type: text/html'),
        ],
        steps: [fetched(1), validated(1), stored(1, { has: ['Content-Type: text/html'] })],
      },
      {
        id: 'cache-control',
        name: 'nor is Cache-Control: the lifetime is the new one',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"', 'Cache-Control: max-age=10', 'Age: 0')],
        steps: [
          fetched(1),
          validated(1, { has: ['Cache-Control: max-age=10'] }),
          stored(1, { after: 9 }),
          validated(1, { after: 1 }),
        ],
      },
      {
        id: 'cache-control-kept',
        name: 'a 304 that says nothing of time leaves the lifetime as it was, beginning anew',
        origin: [ok('Cache-Control: max-age=10', 'ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, { after: 11 }), stored(1, { after: 9 }), validated(1, { after: 1 })],
      },
      {
        id: 'vary',
        name: 'a 304 with another Vary: for whom it is good is not known any more',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"', ...again, 'Vary: X-A'), fresh('ETag: "a"', 'Vary: X-A')],
        steps: [fetched(1), validated(1), fetched(3, { asks: ['X-A: 1'] })],
      },
      {
        id: 'expires',
        name: 'Expires with its Date',
        origin: [ok('Expires: {now+10}', 'ETag: "a"'), unchanged('ETag: "a"', 'Expires: {now+20}')],
        steps: [fetched(1), validated(1, { after: 11 }), stored(1, { after: 19 }), validated(1, { after: 1 })],
      },
      {
        id: 'date',
        name: 'Date',
        origin: [ok('Cache-Control: max-age=10', 'ETag: "a"'), unchanged('ETag: "a"')],
        steps: [fetched(1), validated(1, { after: 20, has: ['Date: {start+20}'] })],
      },
      {
        id: 'no-store',
        name: 'a 304 with no-store: what is stored is not used again',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"', 'Cache-Control: no-store'), fresh('ETag: "a"')],
        steps: [fetched(1), validated(1, { has: ['Cache-Control: no-store'] }), fetched(3)],
      },
      {
        id: 'no-store-again',
        name: 'also where the origin says so each time',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"', 'Cache-Control: no-store')],
        steps: [fetched(1), validated(1), fetched(3, { status: 200 })],
      },
      {
        id: 'private',
        name: 'the same with private',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"', 'Cache-Control: private, max-age=60'), fresh('ETag: "a"')],
        steps: [fetched(1), validated(1), fetched(3)],
      },
      {
        id: 'set-cookie',
        name: 'a Set-Cookie of a 304 is for the client that asked, not for the others',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"', ...again, 'Set-Cookie: a=1')],
        steps: [fetched(1), validated(1, { has: ['Set-Cookie: a=1'] }), stored(1, { lacks: ['Set-Cookie'] })],
        choice: 'The Set-Cookie of a 304 is never stored, unless the route stores cookies.',
      },
    ],
  ),
  rule('9111 §3.2', 'Header fields excepted from storage in Section 3.1,', [
    {
      id: 'hop-by-hop',
      name: 'fields of the connection',
      origin: [stale('ETag: "a"'), unchanged('ETag: "a"', ...again, 'Connection: X-Hop', 'X-Hop: 1')],
      steps: [fetched(1), validated(1, { lacks: ['X-Hop'] }), stored(1, { lacks: ['X-Hop'] })],
    },
  ]),
  rule('9111 §3.2', 'The Content-Length header field.', [
    {
      id: 'content-length',
      name: 'a 304 with another Content-Length does not change the length',
      origin: [{ ...stale('ETag: "a"'), body: '0123456789' }, unchanged('ETag: "a"', ...again, 'Content-Length: 3')],
      steps: [fetched(1), validated(1, { has: ['Content-Length: 10'] }), stored(1, { has: ['Content-Length: 10'] })],
    },
    {
      id: 'content-length-0',
      name: 'nor one of 0',
      origin: [{ ...stale('ETag: "a"'), body: '0123456789' }, unchanged('ETag: "a"', ...again, 'Content-Length: 0')],
      steps: [fetched(1), validated(1, { has: ['Content-Length: 10'] }), stored(1, { has: ['Content-Length: 10'] })],
    },
  ]),
  rule(
    '9111 §3.2',
    'Furthermore, some fields are automatically processed and removed by the HTTP implementation, such as the Content-Range header field.',
    [
      {
        id: 'content-range',
        name: 'a Content-Range of a 304 does not get into a whole answer',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"', ...again, 'Content-Range: bytes 0-3/10')],
        steps: [fetched(1), validated(1), stored(1, { lacks: ['Content-Range'] })],
      },
      {
        id: 'content-encoding',
        name: 'a Content-Encoding of a 304 does not turn text into what is no text',
        origin: [stale('ETag: "a"'), unchanged('ETag: "a"', ...again, 'Content-Encoding: gzip')],
        steps: [fetched(1), validated(1), stored(1, { lacks: ['Content-Encoding'] })],
        choice:
          'Content-Encoding and Content-Range of a 304 are not taken over: the bytes stored would contradict them.',
      },
    ],
  ),
  rule(
    '9111 §4.3.4',
    'If none of the initial set contains at least one of the same strong validators, then the cache MUST NOT use the new response to update any stored responses.',
    [
      {
        id: 'other-etag',
        name: 'a 304 with a strong tag that was not asked for: what is stored is neither updated nor used',
        origin: [stale('ETag: "a"'), unchanged('ETag: "b"', ...again, 'X-New: 1'), fresh('ETag: "b"')],
        steps: [fetched(1), fetched(3, { asked: 2, lacks: ['X-New'] })],
      },
    ],
  ),
  rule(
    '9111 §4.3.4',
    "and those validators correspond to one of the initial set's stored responses, then the most recent of those matching stored responses is identified for update.",
    [
      {
        id: 'weak',
        name: 'a weak tag',
        origin: [stale('ETag: W/"a"'), unchanged('ETag: W/"a"', ...again, 'X-New: 1')],
        steps: [fetched(1), validated(1), stored(1, { has: ['X-New: 1'] })],
      },
      {
        id: 'weak-for-strong',
        name: 'a weak tag for what is stored with the strong one',
        origin: [stale('ETag: "a"'), unchanged('ETag: W/"a"', ...again, 'X-New: 1')],
        steps: [fetched(1), validated(1), stored(1, { has: ['X-New: 1'] })],
      },
      {
        id: 'last-modified',
        name: 'Last-Modified',
        origin: [stale('Last-Modified: {start-1000}'), unchanged('Last-Modified: {start-1000}', ...again, 'X-New: 1')],
        steps: [fetched(1), validated(1), stored(1, { has: ['X-New: 1'] })],
      },
    ],
  ),
  rule(
    '9111 §4.3.4',
    'For each stored response identified, the cache MUST update its header fields with the header fields provided in the 304 (Not Modified) response, as per Section 3.2.',
    [
      {
        id: 'variant',
        name: 'of two variants the one that is named',
        origin: [
          stale('Vary: X-A', 'ETag: "a"', 'X-Old: 1'),
          stale('Vary: X-A', 'ETag: "b"', 'X-Old: 2'),
          unchanged('ETag: "b"', ...again, 'Vary: X-A', 'X-New: 1'),
          unchanged('ETag: "a"', ...again, 'Vary: X-A'),
        ],
        steps: [
          fetched(1, { asks: ['X-A: 1'] }),
          fetched(2, { asks: ['X-A: 2'] }),
          validated(2, { asks: ['X-A: 2'], has: ['X-New: 1', 'X-Old: 2'] }),
          validated(1, { asks: ['X-A: 1'], has: ['X-Old: 1'], lacks: ['X-New'] }),
        ],
      },
    ],
  ),
  rule(
    '9111 §4.3.5',
    'When a cache makes an inbound HEAD request for a target URI and receives a 200 (OK) response, the cache SHOULD update or invalidate each of its stored GET responses that could have been chosen for that request (see Section 4.1).',
    [
      {
        id: 'head-changed-etag',
        name: 'HEAD tells another tag: what is stored is not served without asking',
        origin: [
          ok('Cache-Control: max-age=10', 'ETag: "a"'),
          ok('Cache-Control: max-age=10', 'ETag: "b"'),
          ok('Cache-Control: max-age=10', 'ETag: "b"'),
        ],
        steps: [
          fetched(1),
          fetched(2, { method: 'HEAD', asks: ['Cache-Control: no-cache'], has: ['ETag: "b"'] }),
          fetched(3),
        ],
      },
      {
        id: 'head-changed-length',
        name: 'HEAD tells another length',
        origin: [
          { ...fresh('ETag: "a"'), body: '0123456789' },
          { ...fresh('ETag: "a"'), body: '01234' },
          { ...fresh('ETag: "a"'), body: '01234' },
        ],
        steps: [fetched(1), fetched(2, { method: 'HEAD', asks: ['Cache-Control: no-cache'] }), fetched(3)],
      },
      {
        id: 'head-changed-last-modified',
        name: 'HEAD tells another Last-Modified',
        origin: [
          { ...fresh('Last-Modified: {start-1000}'), body: 'one' },
          { ...fresh('Last-Modified: {start-500}'), body: 'two' },
          { ...fresh('Last-Modified: {start-500}'), body: 'two' },
        ],
        steps: [fetched(1), fetched(2, { method: 'HEAD', asks: ['Cache-Control: no-cache'] }), fetched(3)],
      },
    ],
  ),
  rule(
    '9111 §4.3.5',
    'If a cache updates a stored response with the metadata provided in a HEAD response, the cache MUST use the header fields provided in the HEAD response to update the stored response (see Section 3.2).',
    [
      {
        id: 'head-updates',
        name: 'HEAD tells the same tag and length, and new fields',
        origin: [
          { ...fresh('ETag: "a"', 'X-Old: 1'), body: '0123456789' },
          { ...fresh('ETag: "a"', 'X-Old: 2'), body: '0123456789' },
        ],
        steps: [
          fetched(1),
          fetched(2, { method: 'HEAD', asks: ['Cache-Control: no-cache'] }),
          stored(1, { has: ['X-Old: 2'] }),
        ],
      },
      {
        id: 'head-no-store',
        name: 'for a client that wants nothing stored what is stored stays as it was',
        origin: [
          { ...fresh('ETag: "a"', 'X-Old: 1'), body: '0123456789' },
          { ...fresh('ETag: "a"', 'X-Old: 2'), body: '0123456789' },
        ],
        steps: [
          fetched(1),
          fetched(2, { method: 'HEAD', asks: ['Cache-Control: no-store, no-cache'], has: ['X-Old: 2'] }),
          stored(1, { has: ['X-Old: 1'] }),
        ],
      },
      {
        id: 'head-error-leaves',
        name: 'a HEAD that fails changes nothing',
        origin: [fresh('ETag: "a"'), says(500)],
        steps: [fetched(1), fetched(2, { method: 'HEAD', asks: ['Cache-Control: no-cache'] }), stored(1)],
      },
    ],
  ),
])
