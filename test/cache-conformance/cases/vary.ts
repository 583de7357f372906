// RFC 9111 §4.1 and RFC 9110 §12.5.5: several answers for one URI.
import { fetched, fresh, ok, rule, section, stale, stored, unchanged, validated } from '../case.ts'

export const vary = section('vary', 'Vary', [
  rule(
    '9111 §4.1',
    'When a cache receives a request that can be satisfied by a stored response and that stored response contains a Vary header field (Section 12.5.5 of [HTTP]), the cache MUST NOT use that stored response without revalidation unless all the presented request header fields nominated by that Vary field value match those fields in the original request (i.e., the request that caused the cached response to be stored).',
    [
      {
        id: 'same',
        name: 'the same value',
        origin: [fresh('Vary: X-A')],
        steps: [fetched(1, { asks: ['X-A: 1'] }), stored(1, { asks: ['X-A: 1'] })],
      },
      {
        id: 'different',
        name: 'another value',
        origin: [fresh('Vary: X-A')],
        steps: [fetched(1, { asks: ['X-A: 1'] }), fetched(2, { asks: ['X-A: 2'] })],
      },
      {
        id: 'both-kept',
        name: 'both are kept',
        origin: [fresh('Vary: X-A')],
        steps: [
          fetched(1, { asks: ['X-A: 1'] }),
          fetched(2, { asks: ['X-A: 2'] }),
          stored(1, { asks: ['X-A: 1'] }),
          stored(2, { asks: ['X-A: 2'] }),
        ],
      },
      {
        id: 'five-kept',
        name: 'five of them',
        origin: [fresh('Vary: X-A')],
        steps: [
          ...[1, 2, 3, 4, 5].map((n) => fetched(n, { asks: [`X-A: ${n}`] })),
          ...[5, 3, 1, 4, 2].map((n) => stored(n, { asks: [`X-A: ${n}`] })),
        ],
      },
      {
        id: 'name-case',
        name: 'names have no capitals',
        origin: [fresh('Vary: x-a')],
        steps: [fetched(1, { asks: ['X-A: 1'] }), stored(1, { asks: ['X-a: 1'] }), fetched(2, { asks: ['X-A: 2'] })],
      },
      {
        id: 'two-names',
        name: 'two fields: both must match',
        origin: [fresh('Vary: X-A, X-B')],
        steps: [
          fetched(1, { asks: ['X-A: 1', 'X-B: 1'] }),
          stored(1, { asks: ['X-B: 1', 'X-A: 1'] }),
          fetched(2, { asks: ['X-A: 1', 'X-B: 2'] }),
          fetched(3, { asks: ['X-A: 2', 'X-B: 1'] }),
        ],
      },
      {
        id: 'two-lines',
        name: 'two lines of Vary: both count',
        origin: [fresh('Vary: X-A', 'Vary: X-B')],
        steps: [
          fetched(1, { asks: ['X-A: 1', 'X-B: 1'] }),
          fetched(2, { asks: ['X-A: 1', 'X-B: 2'] }),
          fetched(3, { asks: ['X-A: 2', 'X-B: 1'] }),
        ],
      },
      {
        id: 'unnamed',
        name: 'fields that it does not name do not count',
        origin: [fresh('Vary: X-A')],
        steps: [fetched(1, { asks: ['X-A: 1', 'X-C: 1'] }), stored(1, { asks: ['X-A: 1', 'X-C: 2'] })],
      },
      {
        id: 'values-not-confused',
        name: 'a value that looks like two is not two',
        origin: [fresh('Vary: X-A, X-B')],
        steps: [
          fetched(1, { asks: ['X-A: 1;2', 'X-B: 3'] }),
          fetched(2, { asks: ['X-A: 1', 'X-B: 2;3'] }),
          fetched(3, { asks: ['X-A: 1&x-b=2', 'X-B: 3'] }),
        ],
      },
      {
        id: 'case-of-value',
        name: 'values have capitals',
        origin: [fresh('Vary: X-A')],
        steps: [fetched(1, { asks: ['X-A: a'] }), fetched(2, { asks: ['X-A: A'] })],
      },
      {
        id: 'order-of-value',
        name: 'and an order',
        origin: [fresh('Vary: X-A')],
        steps: [fetched(1, { asks: ['X-A: a, b'] }), fetched(2, { asks: ['X-A: b, a'] })],
      },
      {
        id: 'cookie',
        name: 'Vary: Cookie',
        origin: [fresh('Vary: Cookie')],
        steps: [
          fetched(1, { asks: ['Cookie: a=1'] }),
          fetched(2, { asks: ['Cookie: a=2'] }),
          fetched(3),
          stored(1, { asks: ['Cookie: a=1'] }),
        ],
      },
      {
        id: 'user-agent',
        name: 'Vary: User-Agent',
        origin: [fresh('Vary: User-Agent')],
        steps: [fetched(1, { asks: ['User-Agent: x'] }), fetched(2, { asks: ['User-Agent: y'] })],
      },
      {
        id: 'origin',
        name: 'Vary: Origin',
        origin: [fresh('Vary: Origin')],
        steps: [fetched(1, { asks: ['Origin: http://a.example'] }), fetched(2, { asks: ['Origin: http://b.example'] })],
      },
      {
        id: 'head',
        name: 'HEAD too must match',
        origin: [fresh('Vary: X-A')],
        steps: [
          fetched(1, { asks: ['X-A: 1'] }),
          stored(1, { method: 'HEAD', asks: ['X-A: 1'] }),
          fetched(2, { method: 'HEAD', asks: ['X-A: 2'] }),
        ],
      },
      {
        id: 'range',
        name: 'and a request for a range',
        origin: [fresh('Vary: X-A', 'ETag: "a"'), fresh('Vary: X-A', 'ETag: "b"')],
        steps: [
          fetched(1, { asks: ['X-A: 1'] }),
          fetched(2, { asks: ['X-A: 2', 'Range: bytes=0-3'], status: 206, part: [0, 3] }),
        ],
        choice: 'What the origin sends whole is stored, and the client gets the part it asked for.',
      },
      {
        id: 'conditional',
        name: 'a client is not told 304 of a variant that is not its own',
        origin: [fresh('Vary: X-A', 'ETag: "a"'), fresh('Vary: X-A', 'ETag: "b"')],
        steps: [fetched(1, { asks: ['X-A: 1'] }), fetched(2, { asks: ['X-A: 2', 'If-None-Match: "a"'] })],
      },
    ],
  ),
  rule('9111 §4.1', "adding or removing whitespace, where allowed in the header field's syntax", [
    {
      id: 'white-space',
      name: 'white space around a value and within a list of Accept-Encoding',
      origin: [fresh('Vary: Accept-Encoding, X-A')],
      steps: [
        fetched(1, { asks: ['Accept-Encoding: gzip, br', 'X-A: 1'] }),
        stored(1, { asks: ['Accept-Encoding:   gzip,br', 'X-A:  1 \t'] }),
      ],
    },
  ]),
  rule('9111 §4.1', 'combining multiple header field lines with the same field name (see Section 5.2 of [HTTP])', [
    {
      id: 'lines-combined',
      name: 'two lines are the list of both',
      origin: [fresh('Vary: X-A')],
      steps: [fetched(1, { asks: ['X-A: 1', 'X-A: 2'] }), stored(1, { asks: ['X-A: 1, 2'] })],
    },
    {
      id: 'lines-order',
      name: 'in their order',
      origin: [fresh('Vary: X-A')],
      steps: [fetched(1, { asks: ['X-A: 1', 'X-A: 2'] }), fetched(2, { asks: ['X-A: 2', 'X-A: 1'] })],
    },
    {
      id: 'second-line',
      name: 'the second one counts',
      origin: [fresh('Vary: X-A')],
      steps: [fetched(1, { asks: ['X-A: 1', 'X-A: 2'] }), fetched(2, { asks: ['X-A: 1'] })],
    },
  ]),
  rule(
    '9111 §4.1',
    'If (after any normalization that might take place) a header field is absent from a request, it can only match another request if it is also absent there.',
    [
      {
        id: 'absent-both',
        name: 'absent in both',
        origin: [fresh('Vary: X-A')],
        steps: [fetched(1), stored(1)],
      },
      {
        id: 'absent-second',
        name: 'absent in the second',
        origin: [fresh('Vary: X-A')],
        steps: [fetched(1, { asks: ['X-A: 1'] }), fetched(2)],
      },
      {
        id: 'absent-first',
        name: 'absent in the first',
        origin: [fresh('Vary: X-A')],
        steps: [fetched(1), fetched(2, { asks: ['X-A: 1'] }), stored(1)],
      },
      {
        id: 'empty-not-absent',
        name: 'empty is not absent',
        origin: [fresh('Vary: X-A')],
        steps: [fetched(1), fetched(2, { asks: ['X-A:'] })],
      },
    ],
  ),
  rule('9111 §4.1', 'A stored response with a Vary header field value containing a member "*" always fails to match.', [
    { id: 'star', name: 'Vary: *', origin: [fresh('Vary: *')], steps: [fetched(1), fetched(2)] },
    { id: 'star-in-list', name: 'within a list', origin: [fresh('Vary: X-A, *')], steps: [fetched(1), fetched(2)] },
    {
      id: 'star-second-line',
      name: 'in a second line',
      origin: [fresh('Vary: X-A', 'Vary: *')],
      steps: [fetched(1), fetched(2)],
    },
    {
      id: 'star-does-not-hide',
      name: 'it does not hide what is stored besides',
      origin: [fresh('Vary: X-A'), fresh('Vary: *'), fresh('Vary: X-A')],
      steps: [fetched(1, { asks: ['X-A: 1'] }), fetched(2, { asks: ['X-A: 2'] }), stored(1, { asks: ['X-A: 1'] })],
    },
  ]),
  rule(
    '9111 §4.1',
    'When a cache has multiple stored responses for a target URI and one or more omits the Vary header field, the cache SHOULD choose the most recent (see Section 4.2.3) stored response with a valid Vary field value.',
    [
      {
        id: 'omitted',
        name: 'an answer without Vary does not stand in for one that has one and fits',
        origin: [fresh('Vary: X-A'), ok('Cache-Control: max-age=60')],
        steps: [fetched(1, { asks: ['X-A: 1'] }), fetched(2), stored(1, { asks: ['X-A: 1'], after: 1 })],
      },
    ],
  ),
  rule(
    '9111 §4.3.1',
    'Typically, this will include only the stored response(s) that has the same cache key, although a cache is allowed to validate a response that it cannot choose with the request header fields it is sending (see Section 4.1).',
    [
      {
        id: 'validates-own',
        name: 'of two stale variants the one that fits is validated and used',
        origin: [stale('Vary: X-A', 'ETag: "a"'), stale('Vary: X-A', 'ETag: "b"'), unchanged('ETag: "b"', 'Vary: X-A')],
        steps: [
          fetched(1, { asks: ['X-A: 1'] }),
          fetched(2, { asks: ['X-A: 2'] }),
          validated(2, { asks: ['X-A: 2'], sent: ['If-None-Match: ~"b"'] }),
        ],
      },
      {
        id: 'validates-other',
        name: 'the origin may choose a variant that the request would not have chosen: its tag is among those asked for, and it is used',
        origin: [fresh('Vary: X-A', 'ETag: "a"'), unchanged('ETag: "a"', 'Vary: X-A', 'Cache-Control: max-age=60')],
        steps: [fetched(1, { asks: ['X-A: 1'] }), validated(1, { asks: ['X-A: 2'], sent: ['If-None-Match: "a"'] })],
        choice: 'The entity tags of all stored variants of a URI are sent, so that the origin can name the one to use.',
      },
    ],
  ),
  rule('9110 §12.5.5', 'A Vary field containing a list of field names has two purposes:', [
    {
      id: 'language',
      name: 'Accept-Language',
      origin: [
        fresh('Vary: Accept-Language', 'Content-Language: de'),
        fresh('Vary: Accept-Language', 'Content-Language: en'),
      ],
      steps: [
        fetched(1, { asks: ['Accept-Language: de'] }),
        fetched(2, { asks: ['Accept-Language: en'] }),
        stored(1, { asks: ['Accept-Language: de'], has: ['Content-Language: de'] }),
      ],
    },
    {
      id: 'encoding',
      name: 'Accept-Encoding: what the origin has compressed is not for who does not take it',
      origin: [
        fresh('Vary: Accept-Encoding', 'Content-Encoding: gzip'),
        fresh('Vary: Accept-Encoding'),
        fresh('Vary: Accept-Encoding'),
        fresh('Vary: Accept-Encoding'),
      ],
      steps: [
        fetched(1, { asks: ['Accept-Encoding: gzip'] }),
        fetched(2),
        fetched(3, { asks: ['Accept-Encoding: gzip;q=0'] }),
        fetched(4, { asks: ['Accept-Encoding: br'] }),
        stored(1, { asks: ['Accept-Encoding: gzip'], has: ['Content-Encoding: gzip'] }),
      ],
    },
    {
      id: 'encoding-refused',
      name: 'nor for who refuses it in words',
      origin: [fresh('Vary: Accept-Encoding', 'Content-Encoding: gzip'), fresh('Vary: Accept-Encoding')],
      steps: [
        fetched(1, { asks: ['Accept-Encoding: gzip, identity;q=0'] }),
        fetched(2, { asks: ['Accept-Encoding: identity, gzip;q=0.0'] }),
      ],
    },
  ]),
])
