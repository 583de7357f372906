// Workers that die: what they held is given back, another one takes their place, and the service goes on.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { startActingBackend } from '../support/acting-backend.ts'
import { MemoryLog } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask, load, steadyLoad } from '../support/load.ts'
import { get } from '../support/messages.ts'
import { type ProxyOptions, startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { Threads } from '../support/threads.ts'
import { until } from '../support/wait.ts'

async function crew(scope: Scope, workers: number, options: ProxyOptions = {}) {
  const threads = scope.use(new Threads())
  const backend = scope.use(await startActingBackend())
  const log = new MemoryLog()
  const proxy = scope.use(await startProxy([backend.url], { ...options, workers, log }))
  const working = (): number => proxy.running.status().workers.filter(({ state }) => state === 'running').length
  return { threads, backend, log, proxy, working, worker: (index: number) => threads.started[index]! }
}

const leases = (state: Awaited<ReturnType<typeof crew>>['proxy']['running']['state']) => ({
  active: state.active(0),
  idle: state.backendTotals(0).idle,
  retries: state.poolTotals(0).retriesActive,
  clients: state.listenerTotals(0).active,
  requests: state.listenerTotals(0).requestsActive,
})

/** How long this machine takes just now to start a thread that loads a worker's code and ends. */
async function timeToLoad(): Promise<number> {
  const startedAt = performance.now()
  const thread = new Worker(new URL('../../src/worker/data-plane.ts', import.meta.url))
  await once(thread, 'exit')
  return performance.now() - startedAt
}

for (const death of ['kill', 'crash'] as const) {
  leakTest(`a worker that dies (${death}) gives back what it held and is started again`, async (scope) => {
    const { threads, backend, log, proxy, working, worker } = await crew(scope, 1)
    const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.open(proxy.port)))
    for (const client of clients) scope.use(client).write(get('/', { 'x-act-hold': 'never' }))
    await until('8 requests are in flight', () => backend.active === 8)
    const { state } = proxy.running
    assert.deepEqual([leases(state).active, leases(state).clients], [8, 8])
    await threads[death](worker(0))
    const ends = await Promise.all(clients.map((client) => client.read()))
    assert.deepEqual(new Set(ends.map(({ kind }) => kind)), new Set(['closed']))
    assert.deepEqual(leases(state), { active: 0, idle: 0, retries: 0, clients: 0, requests: 0 })
    const died = await log.waitFor('worker_died')
    assert.equal(died.level, 'error')
    if (death === 'crash') assert.match(died.message, /TypeError/)
    await until('it works again', () => working() === 1)
    assert.equal((await ask(proxy.port)).status, 200)
    assert.deepEqual(
      proxy.running.status().workers.map(({ id, state: now, restarts }) => ({ id, now, restarts })),
      [{ id: 0, now: 'running', restarts: 1 }],
    )
  })
}

leakTest('one worker: a new connection is served within 200 ms of its death', async (scope) => {
  const { threads, log, proxy, worker } = await crew(scope, 1)
  const gaps: number[] = []
  for (let death = 0; death < 3; death++) {
    assert.equal((await ask(proxy.port)).status, 200)
    await threads.kill(worker(death))
    const diedAt = performance.now()
    await threads.listening(death + 1)
    assert.equal((await ask(proxy.port)).status, 200)
    gaps.push(performance.now() - diedAt)
    await log.waitFor('worker_died', death + 1)
  }
  // Loading the code is most of it, and takes its time where others want the processor too.
  const loadingMs = Math.min(await timeToLoad(), await timeToLoad())
  const allowedMs = Math.max(200, 3 * loadingMs)
  assert.ok(Math.min(...gaps) < allowedMs, `served after ${gaps.map(Math.round)} ms; loading takes ${loadingMs} ms`)
})

leakTest(
  'two workers: while one is gone every new connection is served, and both share the load again',
  async (scope) => {
    const { threads, log, proxy, working, worker } = await crew(scope, 2)
    await threads.kill(worker(0))
    // From here on its listening socket is gone too.
    let asked = 0
    while (working() < 2 || asked < 20) {
      const { status, error } = await ask(proxy.port)
      assert.equal(status, 200, `${status} ${error}`)
      asked++
    }
    assert.equal(log.named('worker_died').length, 1)
    assert.deepEqual((await load(proxy.port, 400, { connections: 32 })).failures, [])
    assert.equal(threads.started.length, 3)
  },
)

leakTest('two workers under load: a death costs only what the dead one held', async (scope) => {
  const { threads, proxy, working, worker } = await crew(scope, 2)
  const lanes = 16
  const running = steadyLoad(proxy.port, { connections: lanes })
  await until('load is on', () => running.tally.answered > 200)
  await threads.crash(worker(1))
  await until('both work', () => working() === 2)
  const answered = running.tally.answered
  await until('load goes on', () => running.tally.answered > answered + 200)
  const { failures } = await running.stop()
  assert.ok(failures.length <= lanes, `${failures.length} failures`)
  assert.ok(
    failures.every((failure) => failure === 'ECONNRESET' || failure === 'ECONNREFUSED'),
    `${failures}`,
  )
})

leakTest('the limit on connections to a backend is not eaten up by dead workers', async (scope) => {
  const threads = scope.use(new Threads())
  const backend = scope.use(await startActingBackend())
  const entry = { url: backend.url, max_connections: 2 }
  const proxy = scope.use(await startProxy([entry], { workers: 1 }))
  for (let death = 0; death < 2; death++) {
    const clients = [scope.use(await RawClient.open(proxy.port)), scope.use(await RawClient.open(proxy.port))]
    for (const client of clients) client.write(get('/', { 'x-act-hold': 'never' }))
    await until('both places are taken', () => proxy.running.state.active(0) === 2)
    assert.equal((await ask(proxy.port)).status, 503)
    await threads.kill(threads.started[death]!)
    await until('it works again', () => proxy.running.status().workers[0]!.state === 'running')
    assert.equal((await ask(proxy.port)).status, 200)
  }
})

leakTest('a change that is under way when a worker dies is applied, and the new worker knows it', async (scope) => {
  const { threads, proxy, working, worker } = await crew(scope, 2, { admin: true })
  const other = scope.use(await startActingBackend({ name: 'other' }))
  const change = ask(proxy.adminPort, {
    method: 'POST',
    path: '/backends',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url: other.url }),
  })
  await threads.kill(worker(0))
  assert.equal((await change).status, 201)
  await until('both work', () => working() === 2)
  const { byBackend, failures } = await load(proxy.port, 200, { connections: 20 })
  assert.deepEqual([failures, [...byBackend.values()]], [[], [100, 100]])
})

leakTest(
  'a worker that dies again and again is started with growing pauses, and the other one serves',
  async (scope) => {
    const { threads, log, proxy, working } = await crew(scope, 2)
    const gaps: number[] = []
    for (let death = 0; death < 4; death++) {
      const last = threads.started.at(-1)!
      const count = threads.started.length
      await threads.kill(last)
      const diedAt = performance.now()
      await until('another thread is started', () => threads.started.length > count)
      gaps.push(performance.now() - diedAt)
      assert.equal((await ask(proxy.port)).status, 200)
      await until('both work', () => working() === 2)
    }
    assert.equal(log.named('worker_died').length, 4)
    // 10, 20, 40, 80 ms
    assert.ok(gaps[3]! >= 75 && gaps[3]! > gaps[0]!, `pauses of ${gaps.map(Math.round).join(', ')} ms`)
  },
)

leakTest('a worker that dies during a drain is not started again, and the drain goes on', async (scope) => {
  const { threads, backend, proxy, worker } = await crew(scope, 2)
  const clients = await Promise.all(Array.from({ length: 12 }, () => RawClient.open(proxy.port)))
  for (const client of clients) scope.use(client).write(get('/', { 'x-act-hold': 'all' }))
  await until('12 requests are in flight', () => backend.active === 12)
  proxy.running.drain()
  await threads.kill(worker(0))
  backend.release('all')
  const ends = await Promise.all(clients.map((client) => client.read()))
  assert.ok(ends.every((end) => end.kind === 'closed' || (end.kind === 'reply' && end.reply.status === 200)))
  for (const client of clients) await client.close()
  assert.equal(await proxy.running.stopped, 'drained')
  assert.equal(threads.started.length, 2)
  assert.equal((await ask(proxy.port)).error, 'ECONNREFUSED')
})
