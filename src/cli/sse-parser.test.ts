import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ServerSentEvent, SseParser } from './sse-parser.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const whole = (text: string): ServerSentEvent[] => new SseParser().push(bytes(text))

test('types, data, ids and comments', () => {
  const text = ': hello\n\nid: a-1\nevent: up\ndata: {"x":1}\n\ndata:one\ndata: two\n\nevent: lost\n\nid\ndata\n\n'
  assert.deepEqual(whole(text), [
    { type: 'up', data: '{"x":1}', id: 'a-1' },
    { type: 'message', data: 'one\ntwo', id: 'a-1' },
    { type: 'message', data: '', id: '' },
  ])
})

test('what is not complete is kept back', () => {
  const parser = new SseParser()
  assert.deepEqual(parser.push(bytes('data: a\n')), [])
  assert.deepEqual(parser.push(bytes('\n')), [{ type: 'message', data: 'a', id: '' }])
})

test('however the stream is cut, the events are the same', () => {
  const line = fc.constantFrom('data: ä→x', 'data', 'event: up', 'id: 7', ': note', '', 'retry: 5', 'data:: y', 'odd')
  const end = fc.constantFrom('\n', '\r\n')
  const stream = fc.array(fc.tuple(line, end)).map((lines) => `${lines.map((parts) => parts.join('')).join('')}\n`)
  fc.assert(
    fc.property(stream, fc.array(fc.nat(200)), (text, cuts) => {
      const all = bytes(text)
      const places = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length]
      const parser = new SseParser()
      const found = places.slice(1).flatMap((to, i) => parser.push(all.subarray(places[i], to)))
      assert.deepEqual(found, whole(text))
    }),
  )
})

test('a line without end is refused', () => {
  const parser = new SseParser()
  const megabyte = new Uint8Array(1024 * 1024).fill(0x61)
  assert.throws(() => {
    for (let i = 0; i < 40; i++) parser.push(megabyte)
  }, /has no end/)
})
