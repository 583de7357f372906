// Limits and counters of routes over real worker threads: one count for all of them, over a reload and a death.
import assert from 'node:assert/strict'
import { loadConfig } from '../../src/config/load.ts'
import { startActingBackend } from '../support/acting-backend.ts'
import { leakTest } from '../support/leaks.ts'
import { ask, load } from '../support/load.ts'
import { get } from '../support/messages.ts'
import { startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { Threads } from '../support/threads.ts'
import { until } from '../support/wait.ts'

const api = { name: 'api', match: { path: '/api/*' }, pool: 'default', rate_limit: { rate: '40/24h', burst: 40 } }
const counts = (tally: { answered: number; failures: readonly string[] }) => ({
  passed: tally.answered,
  refused: tally.failures.filter((failure) => failure === '429').length,
})

leakTest(
  'a burst is let through once by all workers together, and counted at its route, also over a reload',
  async (scope) => {
    const backend = scope.use(await startActingBackend())
    const proxy = scope.use(await startProxy([backend.url], { workers: 2, admin: true, config: { routes: [api] } }))
    const path = { path: '/api/x' }
    // Connections of their own, so that both workers get some.
    assert.deepEqual(counts(await load(proxy.port, 100, { ...path, connections: 10 })), { passed: 40, refused: 60 })
    /** What /metrics says once so many requests have been counted. */
    const scrape = async (exchanges: number): Promise<string> => {
      await until('all are counted', () => proxy.running.state.listenerTotals(0).duration.count === exchanges)
      return (await ask(proxy.adminPort, { path: '/metrics' })).body
    }
    const assertHas = (text: string, sample: string): void =>
      assert.ok(text.includes(`\n${sample}\n`), `${sample} in\n${text}`)
    const requests = (code: number, route = 'api'): string =>
      `frontdesk_http_requests_total{listener="test",route="${route}",method="GET",code="${code}"}`
    const before = await scrape(100)
    assertHas(before, `${requests(200)} 40`)
    assertHas(before, `${requests(429)} 60`)
    assertHas(before, 'frontdesk_rate_limited_total{route="api"} 60')
    assertHas(before, 'frontdesk_http_request_errors_total{route="api",reason="rate_limited"} 60')
    const other = { name: 'other', match: { path: '/other' }, respond: 204 }
    const document = {
      listeners: [{ name: 'test', listen: `127.0.0.1:${proxy.port}` }],
      pools: { default: { backends: [backend.url], health_check: { method: 'none' } } },
      routes: [other, api],
      workers: 2,
      state_file: null,
      admin: { listen: `127.0.0.1:${proxy.adminPort}` },
    }
    const { config } = loadConfig({ text: JSON.stringify(document) })
    const asItIs = {
      listeners: config.listeners.map((one) => ({ ...one, port: 0 })),
      admin: { ...config.admin!, port: 0 },
    }
    const result = await proxy.running.reload({
      ...loadConfig({ text: JSON.stringify(document) }),
      config: { ...config, ...asItIs },
    })
    assert.ok(result.applied, JSON.stringify(result))
    assert.equal((await ask(proxy.port, { path: '/other' })).status, 204)
    assert.deepEqual(counts(await load(proxy.port, 5, { ...path, connections: 5 })), { passed: 0, refused: 5 })
    const after = await scrape(106)
    assertHas(after, `${requests(429)} 65`)
    assertHas(after, `${requests(204, 'other')} 1`)
  },
)

leakTest('what a dead worker held of a concurrency limit is free again', async (scope) => {
  const threads = scope.use(new Threads())
  const backend = scope.use(await startActingBackend())
  const route = { match: '*', pool: 'default', concurrency: 2 }
  const proxy = scope.use(await startProxy([backend.url], { workers: 1, config: { routes: [route] } }))
  const clients = await Promise.all([RawClient.open(proxy.port), RawClient.open(proxy.port)])
  for (const client of clients) scope.use(client).write(get('/', { 'x-act-hold': 'never' }))
  await until('both are there', () => backend.active === 2)
  assert.equal((await ask(proxy.port)).status, 429)
  await threads.kill(threads.started[0]!)
  await threads.listening(1)
  const third = scope.use(await RawClient.open(proxy.port))
  third.write(get('/', { 'x-act-hold': 'never' }))
  await until('it is there', () => backend.requests.length === 3)
  assert.equal((await ask(proxy.port)).status, 200)
})
