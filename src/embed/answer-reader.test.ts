import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ResponseHead } from '../http/http1/response-head.ts'
import { AnswerReader, type AnswerSink } from './answer-reader.ts'

class Sink implements AnswerSink {
  readonly told: string[] = []
  body = ''
  onInterim(head: ResponseHead): void {
    this.told.push(`interim ${head.status}`)
  }
  onHead(head: ResponseHead, hasBody: boolean): void {
    this.told.push(`head ${head.status} ${hasBody ? 'with' : 'without'} body`)
  }
  onBody(bytes: Buffer): void {
    this.body += bytes.latin1Slice()
  }
  onEnd(last: Buffer | null, trailers: string): void {
    this.body += last?.latin1Slice() ?? ''
    this.told.push(`end ${JSON.stringify(trailers)}`)
  }
  onBroken(): void {
    this.told.push('broken')
  }
}

/** In pieces that end at these places. */
function read(text: string, cuts: readonly number[], method = 'GET'): Sink {
  const sink = new Sink()
  const reader = new AnswerReader(method, sink)
  const bytes = Buffer.from(text, 'latin1')
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const place of [...places, bytes.length]) {
    reader.feed(bytes.subarray(from, place))
    from = place
  }
  return sink
}

const cases: readonly [name: string, text: string, told: readonly string[], body: string, method?: string][] = [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody', ['head 200 with body', 'end ""'], 'body'],
  ['nothing', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', ['head 200 without body', 'end ""'], ''],
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', ['head 200 without body', 'end ""'], '', 'HEAD'],
  ['304', 'HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n', ['head 304 without body', 'end ""'], ''],
  [
    'chunks and trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: 1\r\n\r\n',
    ['head 200 with body', 'end "X: 1\\r\\n"'],
    'abcde',
  ],
  [
    'interim answers',
    'HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 103 Hint\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n.',
    ['interim 100', 'interim 103', 'head 200 with body', 'end ""'],
    '.',
  ],
  ['rubbish', 'HTTP/1.1 200\r\nno field\r\n\r\n', ['broken'], ''],
  ['a switch of protocols', 'HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n', ['broken'], ''],
]

for (const [name, text, told, body, method] of cases) {
  test(`${name}, in any pieces`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 8 }), (cuts) => {
        const sink = read(text, cuts, method)
        assert.deepEqual([sink.told, sink.body], [told, body])
      }),
    )
  })
}

test('a part of the body is told as soon as it is there', () => {
  const sink = read('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart', [])
  assert.deepEqual([sink.told, sink.body], [['head 200 with body'], 'part'])
})
