import assert from 'node:assert/strict'
import { it } from 'node:test'
import { until } from '../../../test/support/wait.ts'
import { type FrameSource, frame, Streams } from './streams.ts'

/** A source that gives what it is told to. */
class Source implements FrameSource {
  due = ''
  closed = 0
  readonly wake: () => void

  constructor(wake: () => void) {
    this.wake = wake
  }

  give(text: string): void {
    this.due += text
    this.wake()
  }

  take(): string {
    const text = this.due
    this.due = ''
    return text
  }

  close(): void {
    this.closed += 1
  }
}

const operator = { method: 'GET', role: 'full' } as const

function opened(streams: Streams) {
  let source!: Source
  const response = streams.answer(operator, (wake) => (source = new Source(wake)))
  const reader = response.body!.getReader()
  const next = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value)
  return { source, next, reader }
}

it('gives what is due in one piece, and waits for more', async () => {
  const streams = new Streams()
  const { source, next } = opened(streams)
  source.give(frame('a', '1'))
  source.give(frame('b', '2', 'x-2'))
  assert.equal(await next(), 'event: a\ndata: 1\n\nid: x-2\nevent: b\ndata: 2\n\n')
  const later = next()
  source.give(frame('c', '3'))
  assert.equal(await later, 'event: c\ndata: 3\n\n')
  streams.close('')
})

it('sends comments to a reader that waits, none to one that does not read', async () => {
  const streams = new Streams({ heartbeatMs: 1 })
  const { next } = opened(streams)
  assert.equal(await next(), ':\n\n')
  assert.equal(await next(), ':\n\n')
  streams.close('')
})

it('ends with what was due and the last frame; then no more are begun', async () => {
  const streams = new Streams()
  const { source, next, reader } = opened(streams)
  source.due = frame('a', '1')
  streams.close(frame('closed', '{}'))
  assert.equal(await next(), 'event: a\ndata: 1\n\nevent: closed\ndata: {}\n\n')
  assert.equal((await reader.read()).done, true)
  assert.equal(source.closed, 1)
  assert.equal(streams.answer(operator, (wake) => new Source(wake)).status, 503)
})

it('has room again when a reader has left', async () => {
  const streams = new Streams({ max: 1 })
  const { source, reader } = opened(streams)
  assert.equal(streams.answer(operator, (wake) => new Source(wake)).status, 503)
  await reader.cancel()
  await until('it is told', () => source.closed === 1)
  assert.equal(streams.size, 0)
  assert.equal(streams.answer({ ...operator, method: 'HEAD' }, () => assert.fail('a HEAD has no stream')).status, 200)
  assert.equal(opened(streams).source.closed, 0)
  streams.close('')
})

it('keeps some for those who may change things', () => {
  const streams = new Streams({ max: 4 })
  const statusFor = (role: 'full' | 'read') =>
    streams.answer({ method: 'GET', role }, (wake) => new Source(wake)).status
  assert.deepEqual(
    [1, 2, 3, 4].map(() => statusFor('read')),
    [200, 200, 200, 503],
  )
  assert.deepEqual([statusFor('full'), statusFor('full')], [200, 503])
  streams.close('')
})
