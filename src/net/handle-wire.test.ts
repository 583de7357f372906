// The wire on a bare handle by itself: several pieces in one write.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { refusingPort } from '../../test/support/ports.ts'
import { deferred, until } from '../../test/support/wait.ts'
import { Acceptor } from './acceptor.ts'
import { native } from './native.ts'
import type { Wire } from './wire.ts'

const skip = native === null ? 'this Node does not show its handles' : false

interface Pair extends AsyncDisposable {
  readonly wire: Wire
  /** Reads nothing by itself. */
  readonly peer: Socket
  readonly drains: () => number
}

/** A wire, and the socket at its other end. */
async function pair(): Promise<Pair> {
  let drains = 0
  const closed = deferred<void>()
  const opened = deferred<Wire>()
  const acceptor = new Acceptor()
  acceptor.serve({
    accept: (accepted) => {
      const events = {
        onData() {},
        onEnd() {},
        onDrain: () => {
          drains++
        },
        onClose: () => closed.resolve(),
        onFault: (error: unknown) => assert.fail(String(error)),
      }
      opened.resolve(accepted.open(events))
    },
    acceptFailed() {},
  })
  const port = await refusingPort()
  await acceptor.listen({ host: '127.0.0.1', port, reusePort: false })
  const peer = connect(port, '127.0.0.1')
  const wire = await opened.promise
  return {
    wire,
    peer,
    drains: () => drains,
    async [Symbol.asyncDispose]() {
      wire.destroy()
      peer.destroy()
      await closed.promise
      acceptor.close()
    },
  }
}

test('text and runs arrive in one piece and in their order', { skip }, async () => {
  await using stand = await pair()
  const runs = [Buffer.from('one '), Buffer.from('two '), Buffer.from('three')]
  stand.wire.writeRuns('zero ', runs)
  stand.wire.writeRuns('', [Buffer.from(' four')])
  stand.wire.end()
  let text = ''
  for await (const bytes of stand.peer as AsyncIterable<Buffer>) text += bytes.toString('latin1')
  assert.equal(text, 'zero one two three four')
  assert.equal(stand.wire.written, text.length)
})

test('of runs that the kernel does not take at once it is known how many bytes wait', { skip }, async () => {
  await using stand = await pair()
  const bytes = Buffer.alloc(1024 * 1024, 'x')
  const runs = Array.from({ length: 32 }, () => bytes)
  const size = 32 * bytes.length
  stand.wire.writeRuns('', runs)
  assert.equal(stand.wire.pending, true)
  const before = stand.wire.unsent
  assert.ok(before > 0 && before < size)
  let received = 0
  stand.peer.on('data', (part: Buffer) => {
    received += part.length
    if (received > size / 2) stand.peer.pause()
  })
  await until('half of it is taken', () => stand.wire.unsent <= before - size / 4)
  assert.equal(stand.drains(), 0, 'it tells of the end alone')
  stand.peer.removeAllListeners('data')
  stand.peer.on('data', (part: Buffer) => {
    received += part.length
  })
  stand.peer.resume()
  await until('all of it has come', () => received === size)
  await until('it tells', () => stand.drains() === 1)
  assert.deepEqual([stand.wire.pending, stand.wire.unsent], [false, 0])
})
