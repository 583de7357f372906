// RFC 9111 §3.3: answers that are only in part there.
import { broken, fetched, fresh, ok, refused, rule, section, stale, stored, withBody } from '../case.ts'

const TEXT = '0123456789abcdefghij'
const asks = (range: string, ...more: readonly string[]) => ({ asks: [`Range: ${range}`, ...more] })

export const incomplete = section('incomplete', 'Answers that break off', [
  rule(
    '9111 §3.3',
    'If the request method is GET, the response status code is 200 (OK), and the entire response header section has been received, a cache MAY store a response that is not complete (Section 6.1 of [HTTP]) provided that the stored response is recorded as being incomplete.',
    [
      {
        id: 'length',
        name: 'half of the length: the client sees that it broke off, and nobody gets it again',
        origin: [{ ...fresh(), fault: 'cut' }, fresh()],
        steps: [broken(1), fetched(2), stored(2)],
      },
      {
        id: 'chunked',
        name: 'no last chunk',
        origin: [{ ...fresh(), framing: 'chunked', fault: 'cut' }, fresh()],
        steps: [broken(1), fetched(2), stored(2)],
      },
      {
        id: 'with-etag',
        name: 'nor is its tag asked for',
        origin: [{ ...fresh('ETag: "a"'), fault: 'cut' }, fresh('ETag: "a"')],
        steps: [broken(1), fetched(2, { unsent: ['If-None-Match', 'If-Range'] })],
      },
      {
        id: 'range-within',
        name: 'nor is a range of it',
        origin: [{ ...withBody(fresh('ETag: "a"'), TEXT), fault: 'cut' }, withBody(fresh('ETag: "a"'), TEXT)],
        steps: [broken(1), fetched(2, { ...asks('bytes=0-4'), status: 206, part: [0, 4] })],
        choice: 'What is incomplete is not stored at all.',
      },
      {
        id: 'keeps-old',
        name: 'an update that breaks off does not become the answer for others',
        origin: [stale(), { ...fresh(), fault: 'cut' }, fresh()],
        steps: [fetched(1), broken(2), fetched(3), stored(3)],
      },
    ],
  ),
  rule(
    '9112 §8',
    'A message body that uses the chunked transfer coding is incomplete if the zero-sized chunk that terminates the encoding has not been received.',
    [
      {
        id: 'chunked-large',
        name: 'after 100 KB',
        origin: [{ ...withBody(fresh(), 'x'.repeat(200_000)), framing: 'chunked', fault: 'cut' }, fresh()],
        steps: [broken(1), fetched(2), stored(2)],
      },
    ],
  ),
  rule(
    '9112 §8',
    'A response that has neither chunked transfer coding nor Content-Length is terminated by closure of the connection and, if the header section was received intact, is considered complete unless an error was indicated by the underlying connection',
    [
      {
        id: 'until-close',
        name: 'an answer that ends with the connection is stored whole',
        origin: [{ ...fresh(), framing: 'close' }],
        steps: [fetched(1), stored(1)],
      },
    ],
  ),
  rule('9111 §3', 'A cache MUST NOT store a response to a request unless:', [
    {
      id: 'too-long',
      name: 'an answer longer than `max_object` passes through and is not stored',
      origin: [withBody(fresh(), 'x'.repeat(400_000))],
      steps: [fetched(1), fetched(2)],
      choice: 'Answers longer than `cache_store.max_object` are not stored; here it is 300 KB.',
    },
    {
      id: 'too-long-chunked',
      name: 'nor one whose length is not known before',
      origin: [{ ...withBody(fresh(), 'x'.repeat(400_000)), framing: 'chunked' }],
      steps: [fetched(1), fetched(2)],
      choice: 'Answers longer than `cache_store.max_object` are not stored; here it is 300 KB.',
    },
    {
      id: 'long',
      name: 'one of 250 KB is',
      origin: [{ ...withBody(fresh(), 'x'.repeat(250_000)), framing: 'chunked' }],
      steps: [fetched(1), stored(1)],
    },
    {
      id: 'empty',
      name: 'so is an empty one',
      origin: [withBody(fresh(), '')],
      steps: [fetched(1), stored(1, { has: ['Content-Length: 0'] })],
    },
  ]),
  rule(
    '9111 §5.2.1.7',
    'Caches that honor this request directive SHOULD, upon receiving it, respond with either a stored response consistent with the other constraints of the request or a 504 (Gateway Timeout) status code.',
    [
      {
        id: 'only-if-cached',
        name: 'what broke off is not there',
        origin: [{ ...fresh(), fault: 'cut' }],
        steps: [broken(1), refused(504, { asks: ['Cache-Control: only-if-cached'] })],
      },
    ],
  ),
  rule(
    '9111 §4',
    'When a stored response is used to satisfy a request without validation, a cache MUST generate an Age header field',
    [
      {
        id: 'until-close-age',
        name: 'also for what ended with the connection',
        origin: [{ ...ok('Cache-Control: max-age=60'), framing: 'close' }],
        steps: [fetched(1), stored(1, { after: 3, age: 3 })],
      },
    ],
  ),
])
