// What goes wrong around Frontdesk and must not take it along: backends killed, sockets used up, load without end.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { startActingBackend } from '../support/acting-backend.ts'
import { leakTest, openHandles, type Scope } from '../support/leaks.ts'
import { ask, steadyLoad } from '../support/load.ts'
import { get } from '../support/messages.ts'
import { folder, Program, writeConfig } from '../support/program.ts'
import { startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { until, within } from '../support/wait.ts'

/** A backend in a process of its own: begins every answer and never ends it. */
const endless = `
const { createServer } = require('node:net')
const heads = { length: 'Content-Length: 1000\\r\\n\\r\\nhalf', chunked: 'Transfer-Encoding: chunked\\r\\n\\r\\n4\\r\\nhalf\\r\\n' }
const server = createServer((socket) => {
  socket.on('error', () => {})
  socket.once('data', (data) => {
    const kind = data.toString('latin1').split(' ')[1].slice(1)
    socket.write('HTTP/1.1 200 OK\\r\\n' + heads[kind])
  })
}).listen(0, '127.0.0.1', () => console.log(server.address().port))`

async function processToKill(scope: Scope): Promise<{ port: number; kill: () => Promise<void> }> {
  const child = spawn(process.execPath, ['-e', endless], { stdio: ['ignore', 'pipe', 'inherit'] })
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  scope.defer(kill)
  const [line] = await within('the backend starts', once(child.stdout, 'data') as Promise<[Buffer]>, 20_000)
  return { port: Number(line.toString()), kill }
}

leakTest(
  'a backend killed in the middle of its answers: every client sees a broken message, nothing hangs',
  async (scope) => {
    const backend = await processToKill(scope)
    const other = scope.use(await startActingBackend())
    const pool = { strategy: 'first' }
    const proxy = scope.use(await startProxy([`http://127.0.0.1:${backend.port}`, other.url], { workers: 1, pool }))
    const clients = await Promise.all(
      ['length', 'chunked'].map(async (kind) => {
        const modern = scope.use(await RawClient.open(proxy.port)).write(get(`/${kind}`))
        // Without a length and without chunks only a reset tells an old client that something is missing.
        const old = scope.use(await RawClient.open(proxy.port)).write(`GET /${kind} HTTP/1.0\r\nHost: t\r\n\r\n`)
        return [modern, old]
      }),
    )
    const all = clients.flat()
    await until('all answers have begun', () => all.every(({ received }) => received.includes('half')))
    await backend.kill()
    for (const client of all) {
      const outcome = await client.read()
      assert.equal(outcome.kind, 'closed', client.received.toString())
      assert.ok(!client.received.includes('\r\n0\r\n'), 'a last chunk was sent')
    }
    assert.equal(await clients[1]![1]!.ended(), 'rst')
    assert.equal((await ask(proxy.port)).status, 200)
    assert.equal(proxy.running.status().backends[0]!.errors >= 4, true)
  },
)

test('out of file descriptors: the surplus is turned away and counted, the rest is served, and it recovers', async (t) => {
  const backend = await startActingBackend()
  t.after(() => backend.close())
  const dir = folder(t)
  writeConfig(dir, { backends: [backend.url] })
  const program = await Program.start(t, dir, { workers: 1, descriptors: 160 })
  const clients = await Promise.all(Array.from({ length: 200 }, () => RawClient.open(program.port)))
  t.after(() => Promise.all(clients.map((client) => client.close())))
  const rejected = async (): Promise<number> => {
    const { body } = await ask(program.adminPort, { path: '/metrics' })
    return Number(/^frontdesk_connections_rejected_total\{.*reason="fd".*\} (\d+)$/m.exec(body)?.[1] ?? 0)
  }
  await until('the surplus is turned away', () => clients.filter(({ ending }) => ending !== null).length > 100)
  const served = clients.filter(({ ending }) => ending === null)
  assert.ok(served.length >= 40, `only ${served.length} are served`)
  const replies = await Promise.all(served.map((client) => client.request(get('/'))))
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]))
  assert.equal((await rejected()) + served.length, 200)
  assert.equal(clients.filter(({ ending }) => ending === null).length, served.length)

  await Promise.all(clients.map((client) => client.close()))
  const active = async (): Promise<string> => (await ask(program.adminPort, { path: '/metrics' })).body
  while (!/^frontdesk_connections_active\{.*\} 0$/m.test(await active()));
  const again = await Promise.all(Array.from({ length: 40 }, () => ask(program.port)))
  assert.deepEqual(new Set(again.map(({ status }) => status)), new Set([200]))
  assert.doesNotMatch(`${program.stdout}${program.stderr}`, /worker_died|EMFILE/)
})

test('connections kept to some backends leave descriptors for the others', async (t) => {
  const backends = await Promise.all([1, 2, 3, 4].map(() => startActingBackend()))
  t.after(() => Promise.all(backends.map((backend) => backend.close())))
  const dir = folder(t)
  writeConfig(dir, { strategy: 'first', backends: backends.map(({ url }) => url) })
  const program = await Program.start(t, dir, { workers: 1, descriptors: 160 })
  for (const backend of backends) {
    const asked = Array.from({ length: 45 }, () => ask(program.port, { headers: { 'x-act-hold': 'all' } }))
    await until('45 requests are at one backend', () => backend.active === 45)
    backend.release('all')
    assert.deepEqual(new Set((await Promise.all(asked)).map(({ status }) => status)), new Set([200]))
    const body = JSON.stringify({ url: backend.url, state: 'drain' })
    const headers = { 'content-type': 'application/json' }
    assert.equal((await ask(program.adminPort, { method: 'PATCH', path: '/backends', headers, body })).status, 200)
  }
})

/** Bytes of heap in use after a full collection. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

leakTest('after seconds of load of every kind nothing is left: no lease, no socket, no memory', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const proxy = scope.use(await startProxy([backend.url]))
  const { state } = proxy.running
  const kinds: readonly Readonly<Record<string, string>>[] = [
    {},
    { 'x-act-size': '100000' },
    { 'x-act-chunks': '3', 'x-act-size': '3000' },
    { 'x-act-close': '1' },
    { connection: 'close' },
    { 'x-act-cut': '10', 'x-act-size': '1000' },
    { 'x-act-reset': '1' },
    { 'x-act-delay': '1', 'x-act-1xx': '103' },
  ]
  const round = async (ms: number): Promise<number> => {
    const loads = kinds.map((headers) => steadyLoad(proxy.port, { connections: 2, headers }))
    const upload = steadyLoad(proxy.port, { connections: 2, method: 'POST', body: Buffer.alloc(200_000) })
    const over = performance.now() + ms
    while (performance.now() < over) await leaveInTheMiddle(proxy.port)
    const tallies = await Promise.all([...loads, upload].map(({ stop }) => stop()))
    backend.requests.length = 0
    await until('nothing is in flight', () => state.active(0) === 0 && state.listenerTotals(0).active === 0)
    return tallies.reduce((sum, { answered }) => sum + answered, 0)
  }
  await round(2000)
  const before = heapUsed()
  const handles = openHandles().get('TCPSocketWrap') ?? 0
  assert.ok((await round(6000)) > 500)
  const totals = state.backendTotals(0)
  assert.deepEqual([totals.active, state.poolTotals(0).retriesActive], [0, 0])
  assert.deepEqual([state.listenerTotals(0).active, state.listenerTotals(0).requestsActive], [0, 0])
  await until('only kept connections are open', () => (openHandles().get('TCPSocketWrap') ?? 0) <= handles + 16)
  assert.equal(backend.open, state.backendTotals(0).idle)
  const grownKb = (heapUsed() - before) / 1024
  assert.ok(grownKb < 2048, `the heap has grown by ${Math.round(grownKb)} KB`)
})

/** A client that leaves before, during or after its answer. */
async function leaveInTheMiddle(port: number): Promise<void> {
  const client = await RawClient.open(port)
  client.write(get('/', { 'x-act-size': 300_000 }))
  if (Math.random() < 0.5) await client.receivedBytes(1000)
  if (Math.random() < 0.5) client.reset()
  await client.close()
}
