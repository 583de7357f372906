// GET /events over real sockets: nothing is missed, nobody is slowed down, the numbers are those of the traffic.
import assert from 'node:assert/strict'
import { loadConfig } from '../../src/config/load.ts'
import { silentLog } from '../../src/core/log.ts'
import { startFrontdesk } from '../../src/supervisor/frontdesk.ts'
import { startActingBackend } from '../support/acting-backend.ts'
import { MemoryLog } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask, load } from '../support/load.ts'
import { type ProxyOptions, startProxy, type TestProxy } from '../support/proxy.ts'
import { SseClient, type SseFrame, type SseOptions } from '../support/sse-client.ts'
import { until } from '../support/wait.ts'

async function served(scope: Scope, count = 1, options: ProxyOptions = {}) {
  const names = ['a', 'b', 'c'].slice(0, count)
  const backends = await Promise.all(names.map((name) => startActingBackend({ name })))
  for (const backend of backends) scope.use(backend)
  const urls = backends.map(({ url }) => url)
  const proxy = scope.use(await startProxy(urls, { admin: true, ...options }))
  return { proxy, backends, urls }
}

async function reader(scope: Scope, proxy: TestProxy, options: SseOptions = {}): Promise<SseClient> {
  return scope.use(await SseClient.open(proxy.adminPort, options))
}

const json = { 'content-type': 'application/json' }

async function weigh(proxy: TestProxy, url: string, weight: number): Promise<void> {
  const body = JSON.stringify({ url, weight })
  const { status } = await ask(proxy.adminPort, { method: 'PATCH', path: '/backends', headers: json, body })
  assert.equal(status, 200)
}

const weights = (frames: readonly SseFrame[]): unknown[] => frames.map(({ data }) => data.weight)

leakTest('a stream begins with hello, tells what happens, and ends with the process', async (scope) => {
  const { proxy, urls } = await served(scope)
  const client = await reader(scope, proxy, { path: '/events?stats=0' })
  assert.deepEqual([client.status, client.type], [200, 'text/event-stream; charset=utf-8'])
  const { data: hello } = await client.waitFor('hello')
  assert.deepEqual([hello.version, hello.revision], ['0.0.0-test', 1])
  await weigh(proxy, urls[0]!, 7)
  const { id, data } = await client.waitFor('backend_updated')
  assert.equal(id, `${hello.instance}-1`)
  assert.deepEqual(
    [data.type, data.pool, data.backend, data.weight, data.max_connections, data.revision],
    ['backend_updated', 'default', urls[0], 7, 0, 2],
  )
  assert.equal(data.message, `backend ${urls[0]} of pool default now serves, weight 7`)
  assert.match(String(data.message), /weight 7/)
  assert.ok(!Number.isNaN(Date.parse(String(data.at))))
  proxy.running.drain({ graceMs: 1000, cause: 'test' })
  assert.equal((await client.waitFor('closed')).data.outcome, 'drained')
  await until('the stream ends', () => client.hasEnded)
  assert.deepEqual(
    client.frames.map(({ event }) => event),
    ['hello', 'backend_updated', 'draining', 'closed'],
  )
  await proxy.running.stopped
})

leakTest('who comes back with Last-Event-ID gets exactly what it missed', async (scope) => {
  const { proxy, urls } = await served(scope)
  const first = await reader(scope, proxy)
  await weigh(proxy, urls[0]!, 2)
  await weigh(proxy, urls[0]!, 3)
  await first.waitFor('backend_updated', 2)
  const last = first.ids.at(-1)!
  first.close()
  for (const weight of [4, 5, 6]) await weigh(proxy, urls[0]!, weight)
  const again = await reader(scope, proxy, { headers: { 'last-event-id': last } })
  await again.waitFor('backend_updated', 3)
  await weigh(proxy, urls[0]!, 7)
  await again.waitFor('backend_updated', 4)
  assert.deepEqual(weights(again.named('backend_updated')), [4, 5, 6, 7])
  const byQuery = await reader(scope, proxy, { path: `/events?last_event_id=${again.ids.at(-2)}` })
  await byQuery.waitFor('backend_updated')
  assert.deepEqual(weights(byQuery.named('backend_updated')), [7])
  // Of another process: all that this one knows.
  const foreign = await reader(scope, proxy, { headers: { 'last-event-id': 'dead-3' } })
  await foreign.waitFor('backend_updated', 6)
  assert.deepEqual(weights(foreign.named('backend_updated')), [2, 3, 4, 5, 6, 7])
  const fresh = await reader(scope, proxy)
  await weigh(proxy, urls[0]!, 8)
  await fresh.waitFor('backend_updated')
  assert.deepEqual(weights(fresh.named('backend_updated')), [8])
})

leakTest('filters leave out what was not asked for; an unknown type is 400', async (scope) => {
  const { proxy, urls } = await served(scope)
  const updates = await reader(scope, proxy, { path: '/events?types=backend_updated' })
  const others = await reader(scope, proxy, { path: '/events?types=draining,stats' })
  await weigh(proxy, urls[0]!, 2)
  await updates.waitFor('backend_updated')
  await others.waitFor('stats')
  assert.deepEqual([updates.named('stats').length, others.named('backend_updated').length], [0, 0])
  const wrong = await ask(proxy.adminPort, { path: '/events?types=backend_upp' })
  assert.equal(wrong.status, 400)
  assert.match(wrong.body, /backend_upp/)
  assert.equal((await ask(proxy.adminPort, { path: '/events?type=x' })).status, 400)
  assert.equal((await ask(proxy.adminPort, { method: 'POST', path: '/events' })).status, 405)
  const head = await ask(proxy.adminPort, { method: 'HEAD', path: '/events' })
  assert.deepEqual([head.status, head.headers['content-type']], [200, 'text/event-stream; charset=utf-8'])
})

leakTest('64 streams are read at once, the next is refused until one is closed', async (scope) => {
  const { proxy, urls } = await served(scope)
  const clients = await Promise.all(Array.from({ length: 64 }, () => reader(scope, proxy)))
  const refused = await ask(proxy.adminPort, { path: '/events' })
  assert.deepEqual([refused.status, refused.headers['content-type']], [503, 'application/problem+json'])
  assert.match(refused.body, /64 streams/)
  await weigh(proxy, urls[0]!, 2)
  await Promise.all(clients.map((client) => client.waitFor('backend_updated')))
  clients[0]!.close()
  let client: SseClient | null = null
  const opened = async (): Promise<boolean> => {
    const next = await reader(scope, proxy)
    if (next.status === 200) client = next
    return client !== null
  }
  while (!(await opened()));
  assert.equal((await client!.waitFor('hello')).event, 'hello')
})

interface Figures {
  readonly requests: Record<'total' | 'rate' | 'active' | 'errors_total' | 'error_rate', number>
  readonly latency_ms: { readonly p50: number | null }
  readonly connections: Record<'active' | 'total', number>
  readonly bytes: Record<'received_total' | 'sent_total', number>
  readonly full: boolean
  readonly backends: readonly Record<string, unknown>[]
  readonly removed: readonly { readonly url: string }[]
  readonly listeners: readonly { readonly name: string; readonly rate: number }[]
  readonly workers: readonly { readonly state: string }[]
}

const figures = (frame: SseFrame): Figures => frame.data as unknown as Figures

leakTest('statistics agree with the traffic that was sent; later frames tell what has changed', async (scope) => {
  const { proxy, backends, urls } = await served(scope, 2, { workers: 2 })
  const client = await reader(scope, proxy)
  const first = figures(await client.waitFor('stats'))
  assert.equal(first.full, true)
  assert.deepEqual(
    first.backends.map(({ url, requests, rate }) => [url, requests, rate]),
    urls.map((url) => [url, 0, 0]),
  )
  assert.equal(first.workers.length, 2)
  assert.deepEqual([first.requests.total, first.latency_ms.p50], [0, null])
  assert.equal((await load(proxy.port, 300, { connections: 8 })).answered, 300)
  for (let i = 0; i < 10; i++) await ask(proxy.port, { headers: { 'x-act-status': '500' } })
  await until('all of it was told', () => figures(client.named('stats').at(-1)!).requests.total === 310)
  const rates = client.named('stats').map((frame) => figures(frame))
  const now = rates.at(-1)!
  assert.equal(now.requests.errors_total, 10)
  assert.ok(rates.some(({ requests }) => requests.rate > 0))
  assert.ok(rates.some(({ requests }) => requests.error_rate > 0))
  assert.ok(rates.some(({ listeners }) => listeners[0]!.rate > 0))
  assert.ok(now.latency_ms.p50! > 0)
  assert.ok(now.bytes.received_total > 310 * 20 && now.bytes.sent_total > 310 * 20)
  const known = new Map<unknown, Record<string, unknown>>()
  for (const { backends: rows } of rates) for (const row of rows) known.set(row.url, row)
  const counted = [...known.values()].map(({ requests }) => Number(requests))
  assert.deepEqual(
    counted,
    backends.map(({ requests }) => requests.length),
  )
  // Nothing happens any more: rates come to 0, latencies to null, and then no backend is told of.
  await weigh(proxy, urls[1]!, 9)
  await until('the weight was told', () =>
    figures(client.named('stats').at(-1)!).backends.some(({ weight }) => weight === 9),
  )
  const removal = JSON.stringify({ url: urls[0] })
  await ask(proxy.adminPort, { method: 'DELETE', path: '/backends', headers: json, body: removal })
  await until('its end was told', () => client.named('stats').some((frame) => figures(frame).removed.length > 0))
  const told = client.named('stats').flatMap((frame) => [...figures(frame).removed])
  assert.deepEqual(told, [{ pool: 'default', url: urls[0] }])
})

leakTest('a stream is kept alive by comments, and its end does not keep the process', async (scope) => {
  const log = new MemoryLog()
  const { proxy } = await served(scope, 1, { log })
  const client = await reader(scope, proxy, { path: '/events?stats=0' })
  await client.waitFor('hello')
  proxy.running.force()
  await proxy.running.stopped
  await until('the stream ends', () => client.hasEnded)
  assert.equal(client.frames.at(-1)!.data.outcome, 'forced')
  assert.deepEqual(log.named('admin_call_failed'), [])
})

leakTest('readers have to show what is needed now: another token ends the streams', async (scope) => {
  const tokens = ['a-long-enough-text-of-0123456789abcdef', 'another-long-enough-text-0123456789abcd'] as const
  const value = {
    listeners: [{ name: 'web', listen: '127.0.0.1:0' }],
    pools: { default: { backends: ['http://127.0.0.1:9'], health_check: { method: 'none' } } },
    admin: { listen: '127.0.0.1:0', token: tokens[0] },
    state_file: null,
    workers: 0,
  }
  const loaded = loadConfig({ value, allowAnyPort: true })
  const running = await startFrontdesk({ loaded, log: silentLog, version: 'test' })
  scope.defer(async () => {
    running.force()
    await running.stopped
  })
  const { port } = running.admin!
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const client = scope.use(await SseClient.open(port, { headers: bearer(tokens[0]) }))
  await client.waitFor('hello')
  const body = JSON.stringify({ admin: { token: tokens[1] } })
  const headers = { ...json, ...bearer(tokens[0]) }
  assert.equal((await ask(port, { method: 'PATCH', path: '/config', headers, body })).status, 200)
  await until('the stream ends', () => client.hasEnded)
  assert.deepEqual(client.named('closed'), [])
  assert.equal((await ask(port, { path: '/events', headers: bearer(tokens[0]) })).status, 401)
  const again = scope.use(await SseClient.open(port, { headers: bearer(tokens[1]) }))
  assert.equal((await again.waitFor('hello')).data.revision, 2)
})
