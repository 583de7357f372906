import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { type SseFrame, SseParser } from './sse-parser.ts'

it('gives frames with their event, data and id', () => {
  const parser = new SseParser()
  const frames = parser.feed(
    'event: hello\ndata: {"a":1}\n\n: a comment\n\nid: x-7\nevent: backend_up\ndata: 1\ndata:2\n\n',
  )
  assert.deepEqual(frames, [
    { event: 'hello', data: '{"a":1}', id: '' },
    { event: 'backend_up', data: '1\n2', id: 'x-7' },
  ])
  assert.equal(parser.lastId, 'x-7')
})

it('keeps the id of a frame without data, and gives no frame for it', () => {
  const parser = new SseParser()
  assert.deepEqual(parser.feed('id: 9\n\n'), [])
  assert.deepEqual(parser.feed('data: x\n\n'), [{ event: 'message', data: 'x', id: '9' }])
})

it('reads the same wherever the text is cut, and whichever line ends it has', () => {
  const line = fc.constantFrom('data: a', 'data:b:c', 'event: e', 'id: 1', 'id: 2', ': c', 'retry: 3', 'nonsense', '')
  const text = fc
    .tuple(fc.array(line), fc.constantFrom('\n', '\r\n', '\r'))
    .map(([lines, end]) => lines.join(end) + end)
  fc.assert(
    fc.property(text, fc.array(fc.nat(12)), (whole, cuts) => {
      const expected = frameWords(new SseParser(), [`${whole}\n`])
      const pieces: string[] = []
      let at = 0
      for (const cut of cuts) pieces.push(whole.slice(at, (at += cut)))
      assert.deepEqual(frameWords(new SseParser(), [...pieces, `${whole.slice(at)}\n`]), expected)
    }),
  )
})

const frameWords = (parser: SseParser, pieces: readonly string[]): SseFrame[] =>
  pieces.flatMap((one) => parser.feed(one))
