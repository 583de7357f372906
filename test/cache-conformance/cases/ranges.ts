// RFC 9110 §14 and RFC 9111 §3.3: parts of answers.
import { type Answer, fetched, fresh, rule, says, section, stale, stored, withBody } from '../case.ts'

const TEXT = '0123456789abcdefghij'
const whole = (...fields: readonly string[]): Answer => withBody(fresh('ETag: "a"', ...fields), TEXT)
const asks = (range: string, ...more: readonly string[]) => ({ asks: [`Range: ${range}`, ...more] })
const part = (range: string, first: number, last: number, ...more: readonly string[]) =>
  stored(1, {
    ...asks(range, ...more),
    status: 206,
    part: [first, last],
    has: [`Content-Range: bytes ${first}-${last}/20`, `Content-Length: ${last - first + 1}`],
  })

export const ranges = section('ranges', 'Ranges', [
  rule(
    '9110 §14.2',
    'However, origin servers and intermediate caches ought to support byte ranges when possible, since they support efficient recovery from partially failed transfers and partial retrieval of large representations.',
    [
      { id: 'first', name: 'from the beginning', origin: [whole()], steps: [fetched(1), part('bytes=0-4', 0, 4)] },
      { id: 'middle', name: 'from the middle', origin: [whole()], steps: [fetched(1), part('bytes=5-9', 5, 9)] },
      { id: 'one', name: 'one byte', origin: [whole()], steps: [fetched(1), part('bytes=19-19', 19, 19)] },
      { id: 'all', name: 'all of it', origin: [whole()], steps: [fetched(1), part('bytes=0-19', 0, 19)] },
      {
        id: 'unit-case',
        name: 'units have no capitals',
        origin: [whole()],
        steps: [fetched(1), part('Bytes=0-4', 0, 4)],
      },
      {
        id: 'chunked',
        name: 'of an answer that came in chunks',
        origin: [{ ...whole(), framing: 'chunked' }],
        steps: [fetched(1), part('bytes=5-9', 5, 9)],
      },
      {
        id: 'large',
        name: 'of an answer of 200 KB',
        origin: [withBody(fresh('ETag: "a"'), TEXT.repeat(10_000))],
        steps: [
          fetched(1),
          stored(1, {
            ...asks('bytes=65530-131080'),
            status: 206,
            part: [65_530, 131_080],
            has: ['Content-Range: bytes 65530-131080/200000'],
          }),
        ],
      },
      {
        id: 'fields',
        name: 'with the fields of the whole',
        origin: [whole('X-Kept: 1', 'Vary: X-A')],
        steps: [
          fetched(1),
          stored(1, {
            ...asks('bytes=0-4'),
            status: 206,
            part: [0, 4],
            has: ['X-Kept: 1', 'ETag: "a"', 'Vary: X-A', 'Cache-Control: max-age=60', 'Content-Type: text/plain'],
          }),
        ],
      },
    ],
  ),
  rule(
    '9110 §14.1.2',
    'If the last-pos value is absent, or if the value is greater than or equal to the current length of the representation data, the byte range is interpreted as the remainder of the representation',
    [
      { id: 'open', name: 'no end', origin: [whole()], steps: [fetched(1), part('bytes=15-', 15, 19)] },
      {
        id: 'beyond',
        name: 'an end beyond the end',
        origin: [whole()],
        steps: [fetched(1), part('bytes=15-99', 15, 19)],
      },
      {
        id: 'huge',
        name: 'one of thirty digits',
        origin: [whole()],
        steps: [fetched(1), part(`bytes=15-${'9'.repeat(30)}`, 15, 19)],
      },
    ],
  ),
  rule(
    '9110 §14.1.2',
    'If the selected representation is shorter than the specified suffix-length, the entire representation is used.',
    [
      { id: 'suffix', name: 'the last five bytes', origin: [whole()], steps: [fetched(1), part('bytes=-5', 15, 19)] },
      {
        id: 'suffix-long',
        name: 'more than there are',
        origin: [whole()],
        steps: [fetched(1), part('bytes=-99', 0, 19)],
      },
    ],
  ),
  rule(
    '9110 §14.2',
    'If all of the preconditions are true, the server supports the Range header field for the target resource, the received Range field-value contains a valid ranges-specifier, and either the range-unit is not supported for that target resource or the ranges-specifier is unsatisfiable with respect to the selected representation, the server SHOULD send a 416 (Range Not Satisfiable) response.',
    [
      {
        id: 'unsatisfiable',
        name: 'what begins beyond the end: 416 with the length',
        origin: [whole()],
        steps: [fetched(1), stored(1, { ...asks('bytes=20-'), status: 416, has: ['Content-Range: bytes */20'] })],
      },
      {
        id: 'unsatisfiable-suffix',
        name: 'the last zero bytes',
        origin: [whole()],
        steps: [fetched(1), stored(1, { ...asks('bytes=-0'), status: 416 })],
      },
    ],
  ),
  rule('9110 §14.2', 'A server MAY ignore the Range header field.', [
    ...[
      ['backwards', 'bytes=9-5'],
      ['word', 'bytes=a-b'],
      ['no-unit', '0-4'],
      ['negative', 'bytes=--5'],
      ['nothing', 'bytes='],
      ['no-dash', 'bytes=5'],
    ].map(([id = '', range = '']) => ({
      id: `invalid-${id}`,
      name: `what is no range is ignored: ${range}`,
      origin: [whole()],
      steps: [fetched(1), stored(1, { ...asks(range), status: 200 })],
      choice: 'A Range that cannot be read, or of another unit, is ignored: the whole answer is sent.',
    })),
    {
      id: 'other-unit',
      name: 'so is another unit',
      origin: [whole()],
      steps: [fetched(1), stored(1, { ...asks('lines=0-4'), status: 200 })],
      choice: 'A Range that cannot be read, or of another unit, is ignored: the whole answer is sent.',
    },
    {
      id: 'several',
      name: 'several ranges are answered with the whole',
      origin: [whole()],
      steps: [fetched(1), stored(1, { ...asks('bytes=0-1,10-11'), status: 200 })],
      choice: 'Several ranges that are not one get the whole answer: multipart/byteranges is not made.',
    },
    {
      id: 'several-adjacent',
      name: 'those that make up one are one',
      origin: [whole()],
      steps: [fetched(1), part('bytes=5-9,0-4', 0, 9)],
      choice: 'Ranges that overlap or follow each other are sent as one (RFC 9110 §15.3.7.2 permits it).',
    },
    {
      id: 'overlapping',
      name: 'many that overlap cost nothing',
      origin: [whole()],
      steps: [fetched(1), stored(1, { ...asks(`bytes=${'0-,'.repeat(200)}0-`), status: [200, 206] })],
    },
  ]),
  rule(
    '9110 §14.2',
    'A server MUST ignore a Range header field received with a request method that is unrecognized or for which range handling is not defined. For this specification, GET is the only method for which range handling is defined.',
    [
      {
        id: 'head',
        name: 'HEAD with Range is told of the whole',
        origin: [whole()],
        steps: [
          fetched(1),
          stored(1, { method: 'HEAD', ...asks('bytes=0-4'), status: 200, has: ['Content-Length: 20'] }),
        ],
      },
    ],
  ),
  rule(
    '9110 §13.1.5',
    'A recipient of an If-Range header field MUST ignore the Range header field if the If-Range condition evaluates to false. Otherwise, the recipient SHOULD process the Range header field as requested.',
    [
      {
        id: 'if-range-same',
        name: 'If-Range with the tag',
        origin: [whole()],
        steps: [fetched(1), part('bytes=0-4', 0, 4, 'If-Range: "a"')],
      },
      {
        id: 'if-range-other',
        name: 'with another',
        origin: [whole()],
        steps: [fetched(1), stored(1, { ...asks('bytes=0-4', 'If-Range: "b"'), status: 200 })],
      },
      {
        id: 'if-range-date',
        name: 'with the date of Last-Modified',
        origin: [withBody(fresh('Last-Modified: {start-1000}'), TEXT)],
        steps: [fetched(1), part('bytes=0-4', 0, 4, 'If-Range: {start-1000}')],
      },
      {
        id: 'if-range-date-other',
        name: 'with a later one: only the very same will do',
        origin: [withBody(fresh('Last-Modified: {start-1000}'), TEXT)],
        steps: [fetched(1), stored(1, { ...asks('bytes=0-4', 'If-Range: {start-500}'), status: 200 })],
      },
      {
        id: 'if-range-invalid',
        name: 'with what is neither tag nor date',
        origin: [whole()],
        steps: [fetched(1), stored(1, { ...asks('bytes=0-4', 'If-Range: a'), status: 200 })],
      },
      {
        id: 'if-range-no-etag',
        name: 'with a tag where there is none',
        origin: [withBody(fresh(), TEXT)],
        steps: [fetched(1), stored(1, { ...asks('bytes=0-4', 'If-Range: "a"'), status: 200 })],
      },
    ],
  ),
  rule(
    '9110 §13.1.5',
    'If the entity-tag validator provided exactly matches the ETag field value for the selected representation using the strong comparison function (Section 8.8.3.2), the condition is true.',
    [
      {
        id: 'if-range-weak',
        name: 'a weak tag never matches',
        origin: [withBody(fresh('ETag: W/"a"'), TEXT)],
        steps: [fetched(1), stored(1, { ...asks('bytes=0-4', 'If-Range: W/"a"'), status: 200 })],
      },
      {
        id: 'if-range-weak-strong',
        name: 'nor one that only lacks the mark',
        origin: [withBody(fresh('ETag: W/"a"'), TEXT)],
        steps: [fetched(1), stored(1, { ...asks('bytes=0-4', 'If-Range: "a"'), status: 200 })],
      },
    ],
  ),
  rule(
    '9110 §13.1.5',
    'A server MUST ignore an If-Range header field received in a request that does not contain a Range header field.',
    [
      {
        id: 'if-range-alone',
        name: 'alone',
        origin: [whole()],
        steps: [fetched(1), stored(1, { asks: ['If-Range: "b"'], status: 200 })],
      },
    ],
  ),
  rule(
    '9110 §14.2',
    'The Range header field is evaluated after evaluating the precondition header fields defined in Section 13.1, and only if the result in absence of the Range header field would be a 200 (OK) response.',
    [
      {
        id: 'condition-first',
        name: 'a condition that yields 304 comes first',
        origin: [whole()],
        steps: [fetched(1), stored(1, { ...asks('bytes=0-4', 'If-None-Match: "a"'), status: 304 })],
      },
      {
        id: 'condition-holds',
        name: 'one that does not leaves the range',
        origin: [whole()],
        steps: [fetched(1), part('bytes=0-4', 0, 4, 'If-None-Match: "b"')],
      },
      {
        id: 'of-404',
        name: 'a stored 404 has no ranges',
        origin: [withBody(says(404, 'Cache-Control: max-age=60'), TEXT)],
        steps: [fetched(1), stored(1, { ...asks('bytes=0-4'), status: 404 })],
      },
    ],
  ),
  rule(
    '9111 §3.3',
    'Likewise, a 206 (Partial Content) response MAY be stored as if it were an incomplete 200 (OK) response.',
    [
      {
        id: 'miss',
        name: 'a range of what is not stored goes to the origin, and its 206 to the client',
        origin: [withBody(says(206, 'Cache-Control: max-age=60', 'ETag: "a"', 'Content-Range: bytes 0-4/20'), '01234')],
        steps: [fetched(1, { ...asks('bytes=0-4'), sent: ['Range: bytes=0-4'], has: ['Content-Range: bytes 0-4/20'] })],
      },
      {
        id: 'miss-not-stored',
        name: 'and is not stored: the same range goes to the origin again',
        origin: [withBody(says(206, 'Cache-Control: max-age=60', 'ETag: "a"', 'Content-Range: bytes 0-4/20'), '01234')],
        steps: [fetched(1, asks('bytes=0-4')), fetched(2, asks('bytes=0-4'))],
        choice: '206 is not stored. Ranges are served from whole answers.',
      },
      {
        id: 'miss-200',
        name: 'a 200 to a request for a range is stored as any, and the range is cut from it',
        origin: [whole()],
        steps: [fetched(1, { ...asks('bytes=0-4'), status: 206, part: [0, 4] }), stored(1)],
        choice:
          'An origin that ignores Range has sent the whole answer: it is stored, and the client gets the part it asked for.',
      },
      {
        id: 'stale-range',
        name: 'a range of what is stale is not served from it without asking',
        origin: [withBody(stale('ETag: "a"'), TEXT)],
        steps: [fetched(1), fetched(2, { ...asks('bytes=0-4'), status: 206, part: [0, 4] })],
        choice: 'What the origin sends whole is stored, and the client gets the part it asked for.',
      },
    ],
  ),
  rule(
    '9111 §3.3',
    'A cache MUST NOT use an incomplete response to answer requests unless the response has been made complete, or the request is partial and specifies a range wholly within the incomplete response.',
    [
      {
        id: '206-for-other-range',
        name: 'a 206 is not given to who asks for another range',
        origin: [
          withBody(says(206, 'Cache-Control: max-age=60', 'ETag: "a"', 'Content-Range: bytes 0-4/20'), '01234'),
          withBody(says(206, 'Cache-Control: max-age=60', 'ETag: "a"', 'Content-Range: bytes 3-7/20'), '34567'),
        ],
        steps: [fetched(1, asks('bytes=0-4')), fetched(2, asks('bytes=3-7'))],
      },
      {
        id: '206-unasked',
        name: 'a 206 that nobody asked for is not stored',
        origin: [withBody(says(206, 'Cache-Control: max-age=60', 'Content-Range: bytes 0-4/20'), '01234'), whole()],
        steps: [fetched(1), fetched(2)],
      },
      {
        id: '206-of-all',
        name: 'nor is one that says it has all',
        origin: [withBody(says(206, 'Cache-Control: max-age=60', 'Content-Range: bytes 0-19/20'), TEXT), whole()],
        steps: [fetched(1, asks('bytes=0-')), fetched(2)],
      },
    ],
  ),
  rule(
    '9111 §3.3',
    'A cache MUST NOT send a partial response to a client without explicitly marking it using the 206 (Partial Content) status code.',
    [
      {
        id: 'content-range-in-200',
        name: 'a 200 with Content-Range, which has no meaning there, is passed on and not stored',
        origin: [withBody(fresh('Content-Range: bytes 0-19/40'), TEXT)],
        steps: [fetched(1), fetched(2)],
        choice: 'Content-Range in an answer that is no 206 is a sign that something is wrong: it is not stored.',
      },
    ],
  ),
])
