// The admin API against a data plane under load: what it changes costs no request, and what it says is so.
import assert from 'node:assert/strict'
import type { BackendStatus, StatusDocument } from '../../src/control/status.ts'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { SilentListener } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { type Answered, ask, load, steadyLoad } from '../support/load.ts'
import { type ProxyOptions, startProxy, type TestProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'

async function served(scope: Scope, names: readonly string[], options: ProxyOptions = {}) {
  const started = await Promise.all(names.map((name) => startActingBackend({ name })))
  for (const backend of started) scope.use(backend)
  const first = started[0]!
  const proxy = scope.use(await startProxy([first.url], { workers: 2, admin: true, ...options }))
  return { proxy, all: started }
}

function call(proxy: TestProxy, method: string, body: object, path = '/backends'): Promise<Answered> {
  const headers = { 'content-type': 'application/json' }
  return ask(proxy.adminPort, { method, path, headers, body: JSON.stringify(body) })
}

const parsed = <T>(answer: Answered): T => JSON.parse(answer.body) as T

leakTest('100 backends added and removed under load cost no request', async (scope) => {
  const { proxy, all } = await served(scope, ['a', 'b', 'c'])
  const running = steadyLoad(proxy.port, { connections: 8 })
  await until('load is on', () => running.tally.answered > 50)
  for (let change = 0; change < 100; change++) {
    const { url } = all[1 + (change % 2)]!
    assert.equal((await call(proxy, 'POST', { url, weight: 1 + (change % 3) })).status, 201)
    const { status } = await call(proxy, 'DELETE', { url })
    assert.ok(status === 200 || status === 202, String(status))
  }
  const { answered, failures } = await running.stop()
  assert.deepEqual(failures, [])
  assert.ok(answered > 500, `${answered} requests`)
  const list = parsed<{ url: string }[]>(await ask(proxy.adminPort, { path: '/backends' }))
  await until('nothing drains any more', () => proxy.running.status().total_backends === 1)
  assert.equal(list[0]!.url, all[0]!.url)
  assert.deepEqual([...(await load(proxy.port, 20, { connections: 4 })).byBackend], [['a', 20]])
  await until('connections to removed backends are closed', () => all[1]!.open === 0 && all[2]!.open === 0)
})

leakTest('a removed backend finishes what it has, is waited for, and may come back meanwhile', async (scope) => {
  const { proxy, all } = await served(scope, ['a', 'b'])
  const [a, b] = all as [ActingBackend, ActingBackend]
  assert.equal((await call(proxy, 'POST', { url: b.url })).status, 201)
  assert.equal((await call(proxy, 'PATCH', { url: a.url, state: 'drain' })).status, 200)
  const slow = ask(proxy.port, { headers: { 'x-act-hold': 'slow' } })
  await until('it is in flight', () => b.active === 1)
  assert.equal((await call(proxy, 'PATCH', { url: a.url, state: 'up' })).status, 200)

  const removal = await call(proxy, 'DELETE', { url: b.url })
  assert.equal(removal.status, 202)
  const { state, drained_connections } = parsed<Record<string, unknown>>(removal)
  assert.deepEqual([state, drained_connections], ['draining', 1])
  assert.deepEqual([...(await load(proxy.port, 20, { connections: 4 })).byBackend], [['a', 20]])
  assert.equal(proxy.running.status().backends.find(({ url }) => url === b.url)!.state, 'draining')

  assert.equal((await call(proxy, 'POST', { url: b.url })).status, 201, 'taken back')
  assert.deepEqual((await load(proxy.port, 20, { connections: 4 })).byBackend.get('b'), 10)
  const waiting = call(proxy, 'DELETE', { url: b.url }, '/backends?wait=1')
  await until('it drains', () => proxy.running.status().backends.some(({ state: now }) => now === 'draining'))
  b.release('slow')
  assert.equal((await slow).status, 200)
  const waited = await waiting
  assert.deepEqual([waited.status, parsed<{ state: string }>(waited).state], [200, 'removed'])
})

leakTest('after the drain time what is still in flight at a removed backend is cut', async (scope) => {
  const { proxy, all } = await served(scope, ['a'])
  const slow = ask(proxy.port, { headers: { 'x-act-hold': 'never' } })
  await until('it is in flight', () => all[0]!.active === 1)
  const removal = await call(proxy, 'DELETE', { url: all[0]!.url, drain: '50ms' }, '/backends?wait=1')
  assert.equal(removal.status, 200)
  assert.equal((await slow).status, 502)
  await until('the backend sees it end', () => all[0]!.active === 0)
  assert.equal((await ask(proxy.port)).status, 503)
})

leakTest('a backend that is added is checked at once; disabled and draining ones get nothing new', async (scope) => {
  const { proxy, all } = await served(scope, ['a', 'b'], { pool: { health_check: { path: '/ready' } } })
  const [a, b] = all as [ActingBackend, ActingBackend]
  assert.equal((await call(proxy, 'POST', { url: b.url })).status, 201)
  await until('it was checked', () => b.requests.some(({ target }) => target === '/ready'))
  for (const state of ['drain', 'disabled']) {
    assert.equal((await call(proxy, 'PATCH', { url: b.url, state })).status, 200)
    assert.deepEqual([...(await load(proxy.port, 20, { connections: 4 })).byBackend], [['a', 20]])
  }
  assert.equal((await call(proxy, 'PATCH', { url: b.url, state: 'up', weight: 3 })).status, 200)
  await until('it takes part', () => proxy.running.status().active_backends === 2)
  assert.deepEqual(
    (await load(proxy.port, 40, { connections: 4 })).byBackend,
    new Map([
      ['a', 10],
      ['b', 30],
    ]),
  )
  assert.equal(a.requests.at(-1)!.target, '/')
})

leakTest('status and metrics count what happened, over all workers', async (scope) => {
  const { proxy, all } = await served(scope, ['a'])
  const tally = await load(proxy.port, 200, { connections: 16 })
  assert.equal(tally.answered, 200)
  assert.equal((await ask(proxy.port, { headers: { 'x-act-status': '418' } })).status, 418)
  // The client may have its answer a moment before the worker has counted it.
  await until('everything is counted', () => {
    const { requests, current_connections: open } = proxy.running.status().backends[0]!
    return requests === 201 && open === 0 && proxy.running.state.listenerTotals(0).active === 0
  })
  const status = parsed<{ total_backends: number; active_backends: number; backends: Record<string, unknown>[] }>(
    await ask(proxy.adminPort, { path: '/status' }),
  )
  assert.deepEqual([status.total_backends, status.active_backends], [1, 1])
  const { url, requests, errors, current_connections } = status.backends[0]!
  assert.deepEqual([url, requests, errors, current_connections], [all[0]!.url, 201, 0, 0])
  const { body } = await ask(proxy.adminPort, { path: '/metrics' })
  const value = (pattern: RegExp): number => Number(pattern.exec(body)?.[1])
  assert.equal(value(/^frontdesk_http_requests_total\{[^}]*method="GET"[^}]*code="200"[^}]*\} (\d+)$/m), 200)
  assert.equal(value(/^frontdesk_http_requests_total\{[^}]*method="GET"[^}]*code="418"[^}]*\} (\d+)$/m), 1)
  assert.equal(value(/^frontdesk_http_request_duration_seconds_count\{[^}]*\} (\d+)$/m), 201)
  assert.equal(value(/^frontdesk_connections_active\{[^}]*\} (\d+)$/m), 0)
})

leakTest('duplicates are 409, unknown ones 404, malformed ones 400 with the field named', async (scope) => {
  const { proxy, all } = await served(scope, ['a'])
  const url = all[0]!.url
  const unknown = 'http://127.0.0.1:9'
  const cases: readonly (readonly [string, object, number, string])[] = [
    ['POST', { url }, 409, 'url'],
    ['POST', { url: url.replace('http', 'HTTP') }, 409, 'url'],
    ['POST', { url: `${url}/` }, 409, 'url'],
    ['POST', { url: 'ftp://x' }, 400, 'url'],
    ['POST', { url: unknown, weight: 0.5 }, 400, 'weight'],
    ['POST', { url: unknown, wieght: 1 }, 400, 'wieght'],
    ['POST', { url: unknown, pool: 'none' }, 404, 'pool'],
    ['PATCH', { url: unknown, weight: 2 }, 404, 'url'],
    ['PATCH', { url, state: 'gone' }, 400, 'state'],
    ['DELETE', { url: unknown }, 404, 'url'],
  ]
  for (const [method, body, expected, field] of cases) {
    const answer = await call(proxy, method, body)
    const what = `${method} ${JSON.stringify(body)}: ${answer.body}`
    assert.equal(answer.status, expected, what)
    assert.equal(answer.headers['content-type'], 'application/problem+json', what)
    assert.ok(JSON.stringify(parsed<{ errors?: unknown }>(answer).errors ?? '').includes(field), what)
  }
  assert.equal(proxy.running.status().total_backends, 1)
})

leakTest(
  'TCP backends are added, drained and removed by the same calls; the status shows their connections',
  async (scope) => {
    const [one, two] = [await SilentListener.start(), await SilentListener.start()]
    scope.defer(() => Promise.all([one.stop(), two.stop()]))
    const url = (listener: SilentListener): string => `tcp://127.0.0.1:${listener.port}`
    const config = {
      listeners: [{ name: 'db', listen: '127.0.0.1:1', protocol: 'tcp', pool: 'db' }],
      pools: { db: { strategy: 'least-conn', backends: [url(one)], health_check: { method: 'none' } } },
    }
    const proxy = scope.use(await startProxy([], { workers: 2, admin: true, config }))
    const open = async (): Promise<RawClient> => {
      const client = await RawClient.open(proxy.port)
      scope.defer(() => client.socket.destroy())
      return client
    }
    const clients = [await open(), await open()]
    await until('both are connected', () => one.open === 2)
    assert.equal((await call(proxy, 'POST', { url: url(two), max_connections: 1 })).status, 201)
    clients.push(await open())
    await until('the new one is used', () => two.open === 1)
    const backends = async (): Promise<BackendStatus[]> =>
      parsed<StatusDocument>(await ask(proxy.adminPort, { path: '/status' })).backends
    assert.deepEqual(
      (await backends()).map((b) => [b.url, b.protocol, b.current_connections, b.connections, b.requests, b.errors]),
      [
        [url(one), 'tcp', 2, 2, 0, 0],
        [url(two), 'tcp', 1, 1, 0, 0],
      ],
    )
    assert.ok((await backends())[0]!.latency_ms.p50! > 0)
    const { body } = await ask(proxy.adminPort, { path: '/metrics' })
    assert.match(body, /^frontdesk_connections_active\{listener="db"\} 3$/m)
    assert.match(body, new RegExp(`^frontdesk_backend_connections_active\\{pool="db",backend="${url(one)}"\\} 2$`, 'm'))
    assert.doesNotMatch(body, /^frontdesk_http_\w+\{[^}]*listener=/m)
    const removal = await call(proxy, 'DELETE', { url: url(one) })
    assert.equal(removal.status, 202)
    assert.match(parsed<{ message: string }>(removal).message, /gets no new connections and is draining/)
    assert.equal((await backends()).at(-1)!.current_connections, 2)
    for (const { socket } of clients) socket.destroy()
    await until('it is gone', () => proxy.running.status().total_backends === 1)
    assert.equal((await call(proxy, 'POST', { url: 'http://127.0.0.1:9' })).status, 400)
  },
)
