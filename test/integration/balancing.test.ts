// Which backend gets how many requests, with real workers and sockets: counts and limits hold for the whole process.
import assert from 'node:assert/strict'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { MemoryLog } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask, load } from '../support/load.ts'
import { refusingPort } from '../support/ports.ts'
import { type BackendEntry, type ProxyOptions, startProxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'

async function backends(scope: Scope, count: number): Promise<ActingBackend[]> {
  const started = await Promise.all(
    Array.from({ length: count }, (_, i) => startActingBackend({ name: 'abcdefg'[i]! })),
  )
  return started.map((backend) => scope.use(backend))
}

async function proxied(scope: Scope, entries: readonly BackendEntry[], options: ProxyOptions) {
  return scope.use(await startProxy(entries, options))
}

const counts = (all: readonly ActingBackend[]): number[] => all.map((backend) => backend.requests.length)
const spread = (numbers: readonly number[]): number => Math.max(...numbers) - Math.min(...numbers)

leakTest('round-robin: 4 workers, 3 backends, 3000 requests over 64 connections: 1000 each', async (scope) => {
  const all = await backends(scope, 3)
  const proxy = await proxied(
    scope,
    all.map(({ url }) => url),
    { workers: 4 },
  )
  const tally = await load(proxy.port, 3000, { connections: 64 })
  assert.deepEqual(tally.failures, [])
  // Nothing is in flight any more, so nothing is left to be uneven.
  assert.deepEqual(counts(all), [1000, 1000, 1000])
  assert.equal(proxy.running.status().workers.length, 4)
})

leakTest('least-conn: with 4 workers the loads differ by no more than the workers', async (scope) => {
  const all = await backends(scope, 3)
  const proxy = await proxied(
    scope,
    all.map(({ url }) => url),
    { workers: 4, pool: { strategy: 'least-conn' } },
  )
  const answers = Array.from({ length: 300 }, () => ask(proxy.port, { headers: { 'x-act-hold': 'all' } }))
  await until('300 requests have arrived', () => all.reduce((sum, { active }) => sum + active, 0) === 300)
  const active = all.map((backend) => backend.active)
  assert.ok(spread(active) <= 4, `in flight: ${active}`)
  for (const backend of all) backend.release('all')
  assert.deepEqual(new Set((await Promise.all(answers)).map(({ status }) => status)), new Set([200]))
})

leakTest('weights 5, 1, 1: smooth, in the order a a b a c a a, and exact over 4 workers', async (scope) => {
  const all = await backends(scope, 3)
  const entries = all.map(({ url }, i) => ({ url, weight: i === 0 ? 5 : 1 }))
  const one = await proxied(scope, entries, { workers: 1 })
  const order: unknown[] = []
  for (let i = 0; i < 14; i++) order.push((await ask(one.port)).headers['x-backend'])
  assert.equal(order.join(''), 'aabacaaaabacaa')

  const before = counts(all)
  const four = await proxied(scope, entries, { workers: 4 })
  assert.deepEqual((await load(four.port, 700, { connections: 32 })).failures, [])
  assert.deepEqual(
    counts(all).map((count, i) => count - before[i]!),
    [500, 100, 100],
  )
})

leakTest("a dead backend's share goes to all others, not to its neighbour", async (scope) => {
  const all = await backends(scope, 3)
  const log = new MemoryLog()
  const dead = `http://127.0.0.1:${await refusingPort()}`
  const entries = [all[0]!.url, dead, all[1]!.url, all[2]!.url]
  const proxy = await proxied(scope, entries, { workers: 2, log, pool: { health_check: { fall: 1 } } })
  await log.waitFor('backend_down')
  assert.deepEqual((await load(proxy.port, 900, { connections: 16 })).failures, [])
  assert.ok(spread(counts(all)) <= 1, `requests: ${counts(all)}`)
  assert.equal(proxy.running.status().backends[1]!.errors, 0, 'the dead one was tried')
})

leakTest('backups serve only while no other is available', async (scope) => {
  const [main, backup] = await backends(scope, 2)
  const log = new MemoryLog()
  const entries = [main!.url, { url: backup!.url, backup: true }]
  const pool = { health_check: { interval: '50ms' } }
  const proxy = await proxied(scope, entries, { workers: 2, log, pool })
  assert.deepEqual([...(await load(proxy.port, 50, { connections: 8 })).byBackend], [['a', 50]])
  const { port } = main!
  await main!.close()
  await log.waitFor('backend_down')
  assert.deepEqual([...(await load(proxy.port, 50, { connections: 8 })).byBackend], [['b', 50]])
  scope.use(await startActingBackend({ name: 'a', port }))
  await until('it is up again', () => log.named('backend_up').some(({ fields }) => fields.from === 'down'))
  assert.deepEqual([...(await load(proxy.port, 50, { connections: 8 })).byBackend], [['a', 50]])
})

leakTest('max_connections holds over 4 workers; when all are full the answer is 503 at once', async (scope) => {
  const all = await backends(scope, 2)
  const entries = all.map(({ url }) => ({ url, max_connections: 5 }))
  const proxy = await proxied(scope, entries, { workers: 4 })
  const headers = { 'x-act-hold': 'all' }
  let refused = 0
  const answers = Array.from({ length: 40 }, async () => {
    const answer = await ask(proxy.port, { headers })
    if (answer.status === 503) refused++
    return answer
  })
  await until('30 are refused', () => refused === 30)
  await until('10 have arrived', () => all.every(({ active }) => active === 5))
  for (const backend of all) backend.release('all')
  const statuses = await Promise.all(answers)
  assert.equal(statuses.filter(({ status }) => status === 200).length, 10)
  const full = statuses.find(({ status }) => status === 503)!
  assert.equal(full.headers['retry-after'], '1')
  assert.match(full.body, /connection limit/)
  assert.equal((await ask(proxy.port)).status, 200)
  assert.ok(all.every(({ mostActive }) => mostActive <= 5))
})

leakTest('max_connections is never exceeded at the backend while 4 workers compete for it', async (scope) => {
  const [only] = await backends(scope, 1)
  const proxy = await proxied(scope, [{ url: only!.url, max_connections: 3 }], { workers: 4 })
  const tally = await load(proxy.port, 800, { connections: 24, headers: { 'x-act-delay': '1' } })
  assert.equal(only!.mostActive, 3)
  assert.equal(tally.answered, only!.requests.length)
  assert.deepEqual(new Set(tally.failures), new Set(['503']))
})

leakTest('all backends down: 503 with Retry-After at once, and none of them is tried', async (scope) => {
  const log = new MemoryLog()
  const urls = [await refusingPort(), await refusingPort()].map((port) => `http://127.0.0.1:${port}`)
  const proxy = await proxied(scope, urls, { log, pool: { health_check: { fall: 1 } } })
  await log.waitFor('backend_down', 2)
  const startedAt = performance.now()
  for (let i = 0; i < 20; i++) {
    const answer = await ask(proxy.port)
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['retry-after'], '1')
    assert.match(String(answer.headers['proxy-status']), /destination_unavailable/)
  }
  assert.ok(performance.now() - startedAt < 1000)
  for (const backend of proxy.running.status().backends) assert.equal(backend.errors, 0, 'no connection was tried')
})
