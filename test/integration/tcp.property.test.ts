// Whatever both ends of a TCP connection do, and whenever: each gets the other's bytes in order, all of them unless
// somebody reset, and nothing is left behind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TestProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { startTcpBackend, startTcpProxy, type TcpBackend } from '../support/tcp-stand.ts'
import { until } from '../support/wait.ts'

const TIME_MS = 4_000

const size = fc.oneof(fc.integer({ min: 1, max: 1500 }), fc.integer({ min: 1, max: 300_000 }))
const step = fc.record({
  client: fc.boolean(),
  what: fc.oneof(
    { weight: 6, arbitrary: size },
    { weight: 1, arbitrary: fc.constantFrom('end', 'pause', 'resume') },
    { weight: 1, arbitrary: fc.constantFrom('end', 'reset') },
  ),
  /** Turns of the loop until the next step. */
  turns: fc.constantFrom(0, 0, 1, 2, 5),
})
const scenario = fc.array(step, { maxLength: 12 })

/** Bytes that tell their place. */
const stream = Buffer.from(Uint32Array.from({ length: 1 << 20 }, (_, n) => n).buffer)

class Side {
  readonly end: RawClient
  sent = 0
  ended = false

  constructor(end: RawClient) {
    this.end = end
  }

  #reset(): void {
    // A socket that is being shut down cannot be reset, and Node would leave it open.
    if (this.ended && !this.end.socket.writableFinished) this.end.socket.destroy()
    else this.end.reset()
  }

  do(what: number | 'end' | 'reset' | 'pause' | 'resume'): void {
    if (what === 'reset') this.#reset()
    else if (what === 'pause') this.end.socket.pause()
    else if (what === 'resume') this.end.socket.resume()
    else if (this.ended) return
    else if (what === 'end') {
      this.end.end()
      this.ended = true
    } else {
      this.end.write(stream.subarray(this.sent, this.sent + what))
      this.sent += what
    }
  }
}

async function play(
  proxy: TestProxy,
  backend: TcpBackend,
  steps: typeof scenario extends fc.Arbitrary<infer T> ? T : never,
) {
  const before = backend.peers.length
  const client = new Side(await RawClient.open(proxy.port))
  const peer = new Side(await backend.peer(before))
  try {
    for (const { client: byClient, what, turns } of steps) {
      ;(byClient ? client : peer).do(what)
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    for (const side of [client, peer]) {
      side.do('end')
      side.do('resume')
    }
    const wasReset = steps.some(({ what }) => what === 'reset')
    await until('both have ended', () => client.end.ending !== null && peer.end.ending !== null)
    for (const [from, to] of [
      [client, peer],
      [peer, client],
    ] as const) {
      const { received } = to.end
      assert.ok(received.equals(stream.subarray(0, received.length)), 'a prefix of what was sent')
      assert.ok(received.length <= from.sent)
      if (wasReset) continue
      assert.equal(received.length, from.sent)
      assert.equal(to.end.ending, 'fin')
    }
    await until('nothing is active', () => Object.values(proxy.active())[0] === 0)
  } finally {
    client.end.socket.destroy()
    peer.end.socket.destroy()
  }
}

test('bytes, ends and resets in any order', { timeout: 60_000 }, async () => {
  const backend = await startTcpBackend()
  const proxy = await startTcpProxy([backend.url])
  try {
    await fc.assert(
      fc.asyncProperty(scenario, (steps) => play(proxy, backend, steps)),
      { numRuns: 1000, interruptAfterTimeLimit: TIME_MS, markInterruptAsFailure: false },
    )
  } finally {
    await proxy.close()
    await backend.close()
  }
})
