// TCP through the proxy: bytes, both ends of them, resets, back-pressure, what is counted and logged.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { refusingPort } from '../support/ports.ts'
import { Random } from '../support/random.ts'
import { RawClient } from '../support/raw-client.ts'
import { assertSameBytes } from '../support/stand.ts'
import {
  assertBothWays,
  startEcho,
  startTcpBackend,
  startTcpProxy,
  stuffed,
  type TcpOptions,
  tcpStand,
} from '../support/tcp-stand.ts'
import { until } from '../support/wait.ts'

const MiB = 1024 * 1024

// --- bytes and ends ---

leakTest('bytes of any size go through in both directions, whole and in order', async (scope) => {
  const { client, peer } = await tcpStand(scope)
  const random = new Random()
  const sizes = [1, 2, 100, 4095, 4096, 4097, 8191, 8192, 65_535, 65_536, 65_537, 200_000, 3 * MiB, 5]
  await assertBothWays(client, peer, random, sizes)
})

leakTest('both directions at once, many connections, each its own bytes', async (scope) => {
  const echo = scope.use(await startEcho())
  const proxy = scope.use(await startTcpProxy([echo.url]))
  await Promise.all(
    Array.from({ length: 30 }, async (_, n) => {
      const random = new Random(n)
      const bytes = random.bytes(random.between(1, 400_000))
      const client = scope.use(await RawClient.open(proxy.port))
      for (const piece of random.pieces(bytes)) client.write(piece)
      client.end()
      assert.equal(await client.ended(), 'fin')
      assertSameBytes(client.received, bytes, `connection ${n}`)
    }),
  )
  await until('nothing is active', () => Object.values(proxy.active())[0] === 0)
})

leakTest('small messages of many connections at once keep their order, up to their ends', async (scope) => {
  const echo = scope.use(await startEcho())
  const proxy = scope.use(await startTcpProxy([echo.url]))
  await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const random = new Random(n)
      const client = scope.use(await RawClient.open(proxy.port))
      const sent: Buffer[] = []
      let length = 0
      for (let round = 0; round < 200; round++) {
        const bytes = random.bytes(random.between(1, round % 10 === 0 ? 3000 : 300))
        sent.push(bytes)
        length += bytes.length
        client.write(bytes)
        if (round === 199) client.end()
        await client.receivedBytes(length)
      }
      assert.equal(await client.ended(), 'fin')
      assertSameBytes(client.received, Buffer.concat(sent), `connection ${n}`)
    }),
  )
})

leakTest('a server that speaks first is heard before the client says anything', async (scope) => {
  const { client } = await tcpStand(scope, { onConnection: (peer) => void peer.write('220 ready\r\n') })
  await client.receivedBytes(11)
  assert.equal(client.received.toString(), '220 ready\r\n')
})

leakTest('half-close of the client: the backend sees the end and goes on sending', async (scope) => {
  const { client, peer, proxy } = await tcpStand(scope)
  client.write('question').end()
  assert.equal(await peer.ended(), 'fin')
  assert.equal(peer.received.toString(), 'question')
  assert.equal(client.ending, null)
  const random = new Random()
  const answer = random.bytes(2 * MiB)
  peer.write(answer).end()
  assert.equal(await client.ended(), 'fin')
  assertSameBytes(client.received, answer, `seed ${random.seed}`)
  await until('nothing is active', () => Object.values(proxy.active())[0] === 0)
})

leakTest('half-close of the backend: the client sees the end and goes on sending', async (scope) => {
  const { client, peer, proxy } = await tcpStand(scope)
  peer.write('bye').end()
  assert.equal(await client.ended(), 'fin')
  assert.equal(client.received.toString(), 'bye')
  client.write('x'.repeat(100_000))
  await peer.receivedBytes(100_000)
  assert.equal(Object.values(proxy.active())[0], 1, 'the place is held as long as the connection')
  client.end()
  assert.equal(await peer.ended(), 'fin')
  await until('nothing is active', () => Object.values(proxy.active())[0] === 0)
})

leakTest('a client that has sent everything and its end before a backend was there', async (scope) => {
  const backend = scope.use(await startTcpBackend())
  const proxy = scope.use(await startTcpProxy([`tcp://127.0.0.1:${await refusingPort()}`, backend.url]))
  const random = new Random()
  for (const size of [0, 10, 300_000]) {
    const before = backend.peers.length
    const client = scope.use(await RawClient.open(proxy.port))
    const bytes = random.bytes(size)
    client.write(bytes).end()
    const peer = await backend.peer(before)
    assert.equal(await peer.ended(), 'fin')
    assertSameBytes(peer.received, bytes, `${size} bytes, seed ${random.seed}`)
    peer.write('got it').end()
    assert.equal(await client.ended(), 'fin')
    assert.equal(client.received.toString(), 'got it')
  }
})

leakTest('a reset of the client is a reset for the backend', async (scope) => {
  const { client, peer, proxy } = await tcpStand(scope)
  client.write('half a mess')
  await peer.receivedBytes(11)
  client.reset()
  assert.equal(await peer.ended(), 'rst')
  await until('nothing is active', () => Object.values(proxy.active())[0] === 0)
})

leakTest('a reset of the backend is a reset for the client', async (scope) => {
  const { client, peer, proxy } = await tcpStand(scope)
  peer.write('half an ans')
  await client.receivedBytes(11)
  peer.reset()
  assert.equal(await client.ended(), 'rst')
  await until('nothing is active', () => Object.values(proxy.active())[0] === 0)
})

leakTest('a reset after a half-close is still a reset', async (scope) => {
  const { client, peer } = await tcpStand(scope)
  client.write('question').end()
  assert.equal(await peer.ended(), 'fin')
  peer.reset()
  assert.equal(await client.ended(), 'rst')
})

leakTest('a client that closes altogether: what the backend still sends ends in a reset for it', async (scope) => {
  const { client, peer, proxy } = await tcpStand(scope)
  await client.close()
  assert.equal(await peer.ended(), 'fin')
  peer.write('into the void')
  await until('the backend is told', () => {
    peer.write('more')
    return peer.socket.destroyed
  })
  await until('nothing is active', () => Object.values(proxy.active())[0] === 0)
})

// --- back-pressure ---

leakTest(
  'a reader that does not read makes the writer wait, in both directions; then all of it comes',
  async (scope) => {
    const { client, peer } = await tcpStand(scope, { paused: true })
    const before = process.memoryUsage().arrayBuffers
    for (const [from, to] of [
      [client, peer],
      [peer, client],
    ] as const) {
      const { taken, release } = await stuffed(from, to, 64 * MiB)
      // What the buffers of four sockets take.
      assert.ok(taken < 40 * MiB, `${taken} bytes were taken though nobody reads`)
      assert.ok(process.memoryUsage().arrayBuffers - before < 4 * MiB, 'the rest waits at its sender')
      await release()
    }
  },
)

leakTest('many small messages to a reader that does not read wait at their sender', async (scope) => {
  const { client, peer } = await tcpStand(scope, { paused: true })
  const before = process.memoryUsage().arrayBuffers
  let sent = 0
  const message = Buffer.alloc(1000, 'frontdesk ')
  while (client.socket.writableLength < 200_000) {
    assert.ok(sent < 60 * MiB, 'all of it was taken though nobody reads')
    client.socket.write(message)
    sent += message.length
    // One at a time, as far as it goes.
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 * MiB)
  peer.socket.resume()
  await peer.receivedBytes(sent, 20_000)
})

leakTest('1 GiB goes through, whole', async (scope) => {
  const { client, peer } = await tcpStand(scope)
  const { release } = await stuffed(client, peer, 1024 * MiB)
  await release()
})

// --- what is counted and logged ---

leakTest('bytes are counted for the listener while a connection is open', async (scope) => {
  const { client, peer, proxy } = await tcpStand(scope, { admin: true })
  client.write('x'.repeat(70_001))
  await peer.receivedBytes(70_001)
  peer.write('y'.repeat(200_003))
  await client.receivedBytes(200_003)
  const { body } = await ask(proxy.adminPort, { path: '/metrics' })
  assert.match(body, /frontdesk_bytes_received_total\{listener="test"\} 70001\n/)
  assert.match(body, /frontdesk_bytes_sent_total\{listener="test"\} 200003\n/)
  assert.match(body, /frontdesk_connections_active\{listener="test"\} 1\n/)
  assert.equal(client.ending, null)
})

/** A proxy that logs to a file; `lines` waits for as many as there should be. */
async function logging(
  scope: Scope,
  format: 'json' | 'combined',
  backends: readonly string[],
  options: TcpOptions = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'frontdesk-tcp-log-'))
  scope.defer(() => rm(folder, { recursive: true }))
  const file = join(folder, 'access.log')
  const config = { logging: { access: { format, file } } }
  const proxy = scope.use(await startTcpProxy(backends, { ...options, config }))
  const lines = async (count: number): Promise<string[]> => {
    const giveUpAt = performance.now() + 5000
    let text = ''
    while (text.split('\n').length <= count && performance.now() < giveUpAt) {
      text = await readFile(file, 'utf8').catch(() => '')
      await new Promise((resolve) => setImmediate(resolve))
    }
    return text.split('\n').slice(0, -1)
  }
  return { proxy, lines }
}

leakTest('json: one line a connection, with what became of it', async (scope) => {
  const backend = scope.use(await startTcpBackend())
  const dead = `tcp://127.0.0.1:${await refusingPort()}`
  const pool = { strategy: 'first' }
  const { proxy, lines } = await logging(scope, 'json', [dead, backend.url], { pool })
  const client = scope.use(await RawClient.open(proxy.port))
  client.write('hello')
  const peer = await backend.peer()
  peer.write('hello to you').end()
  await client.ended()
  client.end()
  const [line] = await lines(1)
  const { time, duration_ms, connect_ms, ...rest } = JSON.parse(line!) as Record<string, unknown>
  assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000)
  assert.ok(Number(duration_ms) > 0)
  assert.ok(Number(connect_ms) > 0 && Number(connect_ms) <= Number(duration_ms))
  assert.deepEqual(rest, {
    listener: 'test',
    client: '127.0.0.1',
    protocol: 'TCP',
    bytes_received: 5,
    bytes_sent: 12,
    pool: 'default',
    backend: backend.url,
    attempts: 2,
    failures: [{ backend: dead, error: 'connect_refused', code: 'ECONNREFUSED' }],
    error: '',
  })
})

leakTest('json: who ended a connection that did not end in peace', async (scope) => {
  const backend = scope.use(await startTcpBackend())
  const { proxy, lines } = await logging(scope, 'json', [backend.url], { listener: { idle_timeout: '100ms' } })
  const errorOf = async (count: number): Promise<unknown> => JSON.parse((await lines(count)).at(-1)!).error
  const open = async (): Promise<RawClient> => scope.use(await RawClient.open(proxy.port))
  const first = await open()
  await backend.peer(0)
  first.reset()
  assert.equal(await errorOf(1), 'client_gone')
  await open()
  ;(await backend.peer(1)).reset()
  assert.equal(await errorOf(2), 'reset_in_answer')
  await open()
  assert.equal(await errorOf(3), 'idle_timeout')
  await backend.close()
  await open()
  assert.equal(await errorOf(4), 'connect_refused')
})

leakTest('combined: the pool stands where a request has its target', async (scope) => {
  const backend = scope.use(await startTcpBackend({ onConnection: (peer) => void peer.write('12345').end() }))
  const { proxy, lines } = await logging(scope, 'combined', [backend.url])
  const client = scope.use(await RawClient.open(proxy.port))
  await client.ended()
  client.end()
  assert.match((await lines(1))[0]!, /^127\.0\.0\.1 - - \[[^\]]+\] "TCP default" 200 5 "-" "-"$/)
  await backend.close()
  const refused = scope.use(await RawClient.open(proxy.port))
  await refused.ended()
  assert.match((await lines(2))[1]!, /"TCP default" 503 0 "-" "-"$/)
})
