// One exception ends one exchange (GHSA-6x33-pw7p-hmpq): a bug in a handler is reported and costs its own wire.
import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { Acceptor } from '../../src/net/acceptor.ts'
import type { Wire, WireEvents } from '../../src/net/wire.ts'

test('a handler that throws loses its wire and nothing else', async () => {
  const faults: unknown[] = []
  const closed: string[] = []
  const events = (name: string): WireEvents & { wire?: Wire } => ({
    onData(bytes, length) {
      const text = bytes.toString('latin1', 0, length)
      if (text === 'boom') throw new Error(name)
      this.wire!.write(`${name}:${text}`)
    },
    onEnd() {
      this.wire!.destroy()
    },
    onDrain() {},
    onClose() {
      closed.push(name)
    },
    onFault(error) {
      faults.push(error)
    },
  })
  let count = 0
  const acceptor = new Acceptor()
  acceptor.serve({
    accept: (accepted) => {
      const mine = events(`c${count++}`)
      mine.wire = accepted.open(mine)
    },
    acceptFailed() {},
  })
  const probe = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as net.AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  await acceptor.listen({ host: '127.0.0.1', port, reusePort: false })
  const first = net.connect(port, '127.0.0.1')
  await new Promise((resolve) => first.once('connect', resolve))
  first.write('boom')
  await new Promise((resolve) =>
    first
      .once('close', resolve)
      .on('error', () => {})
      .resume(),
  )
  const second = net.connect(port, '127.0.0.1')
  second.write('hello')
  const [answer] = await new Promise<string[]>((resolve) => second.once('data', (data) => resolve([String(data)])))
  assert.equal(answer, 'c1:hello')
  second.destroy()
  acceptor.close()
  assert.deepEqual(
    faults.map((error) => (error as Error).message),
    ['c0'],
  )
  assert.equal(closed[0], 'c0')
})
