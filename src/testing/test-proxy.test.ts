// The kit as users have it: real backends, a real proxy, time that is moved.
import assert, { AssertionError } from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import {
  eventually,
  expectAttempts,
  expectBackend,
  expectOwnAnswer,
  explain,
  type FakeBackend,
  fakeBackend,
  fakeTcpBackend,
  type TestConfig,
  type TestProxy,
  testProxy,
  useClock,
} from './index.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  while (open.length > 0) await open.pop()![Symbol.asyncDispose]()
})

async function backends(...names: string[]): Promise<FakeBackend[]> {
  const started = await Promise.all(names.map((name) => fakeBackend({ name })))
  open.push(...started)
  return started
}

async function proxyOf(config: TestConfig): Promise<TestProxy> {
  const proxy = await testProxy(config)
  open.push(proxy)
  return proxy
}

const urls = (list: readonly FakeBackend[]): string[] => list.map(({ url }) => url)
const off = { method: 'none' } as const

test('which backend answered, and which were asked in vain', async () => {
  const [a, b] = (await backends('a', 'b')) as [FakeBackend, FakeBackend]
  const proxy = await proxyOf({
    pools: { default: { backends: urls([a, b]), strategy: 'first', health_check: off } },
  })
  const first = await proxy.request('/x?y=1')
  expectBackend(first, a)
  expectAttempts(first, [a])
  assert.equal(explain(first.exchange!), `GET /x?y=1: 200 from ${a.url} (pool default)`)
  await a.down()
  const second = await proxy.request()
  expectBackend(second, b)
  expectBackend(second, a, b)
  expectAttempts(second, [a, b])
  assert.equal(
    explain(second.exchange!),
    `GET /: 200 from ${b.url} (pool default), after ${a.url} connect_refused (ECONNREFUSED)`,
  )
  assert.throws(
    () => expectBackend(second, a),
    (error) =>
      error instanceof AssertionError &&
      /^a should have answered; GET \/: 200 from http:\S+ \(pool default\), after a connect_refused/.test(
        error.message,
      ),
  )
  assert.throws(() => expectAttempts(second, [b]), /b should have been asked; GET \/: 200 from b/)
  assert.throws(() => expectOwnAnswer(second), /the proxy should have answered by itself/)
  await b.down()
  const third = await proxy.request()
  assert.equal(third.status, 503)
  expectAttempts(third, [a, b])
  assert.throws(
    () => expectBackend(third, a, b),
    /a or b should have answered; GET \/: 503 \(connect_refused\), after a .*, b /,
  )
  assert.deepEqual(
    proxy.exchanges.map(({ status, attempts }) => [status, attempts]),
    [
      [200, 1],
      [200, 2],
      [503, 2],
    ],
  )
})

test('answers of the proxy itself, and broken ones', async () => {
  const [a] = (await backends('a')) as [FakeBackend]
  const proxy = await proxyOf({
    pools: { main: { backends: [a.url], health_check: off, retries: { attempts: 0 } } },
    routes: [{ match: { path: '/api/*' }, pool: 'main' }],
  })
  const none = await proxy.request('/else')
  assert.equal(none.status, 404)
  expectOwnAnswer(none)
  expectOwnAnswer(none, 'no_route')
  assert.deepEqual([none.exchange?.route, (await proxy.request('/api/')).exchange?.route], ['', 'route-1'])
  assert.throws(() => expectOwnAnswer(none, 'forbidden'), /by itself with forbidden/)
  a.answer('cut')
  const cut = await proxy.request('/api/x')
  assert.deepEqual([cut.status, cut.error], [0, 'ECONNRESET'])
  assert.equal(cut.exchange?.error, 'reset_in_answer')
  a.answer('reset')
  const reset = await proxy.request('/api/x')
  assert.equal(reset.status, 502)
  expectAttempts(reset, [a])
  a.answer({ headers: { 'x-request-id': 'another' } })
  const [one, two] = await Promise.all([proxy.request('/api/1'), proxy.request('/api/2')])
  assert.deepEqual([one?.exchange, two?.exchange], [null, null])
  assert.throws(() => expectBackend(one!, a), /it is not known what the proxy did/)
})

test('requests of many kinds', async () => {
  const [a] = (await backends('a')) as [FakeBackend]
  const proxy = await proxyOf({ backends: [a.url], sticky: { by: 'cookie' } })
  const posted = await proxy.request({
    method: 'POST',
    path: '/p',
    host: 'site.example',
    body: { b: 1 },
    headers: { 'X-A': ['1', '2'] },
    from: '127.0.0.1',
  })
  assert.equal(posted.status, 200)
  const seen = a.requests[0]!
  assert.deepEqual(
    [seen.headers.host, seen.headers['content-type'], seen.text, seen.headers['x-a']],
    ['site.example', 'application/json', '{"b":1}', '1, 2'],
  )
  assert.equal(seen.id, posted.exchange?.requestId)
  assert.match(proxy.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  await assert.rejects(proxy.request({ listener: 'nobody' }), /no listener nobody/)
  assert.throws(() => proxy.port('nobody'), /no listener nobody: default/)
})

test('a client keeps its cookies, and so its backend', async () => {
  const all = await backends('a', 'b', 'c')
  const proxy = await proxyOf({
    pools: { default: { backends: urls(all), health_check: off, sticky: { by: 'cookie', cookie: 'where' } } },
  })
  const client = proxy.client({ headers: { 'x-who': 'me' } })
  const first = await client.request()
  const home = all.find(({ url }) => url === first.exchange?.backend)!
  for (let i = 0; i < 5; i++) expectBackend(await client.request(), home)
  assert.deepEqual([...client.cookies.keys()], ['where'])
  assert.equal(home.requests[0]!.headers['x-who'], 'me')
  const others = new Set<string | undefined>()
  for (let i = 0; i < 6; i++) others.add((await proxy.request()).exchange?.backend)
  assert.equal(others.size, 3)
})

test('TCP: connections, and what became of them', async () => {
  const tcp = await fakeTcpBackend({ name: 'db' })
  open.push(tcp)
  const proxy = await proxyOf({
    listeners: [{ name: 'db', listen: ':5432', protocol: 'tcp', pool: 'db' }],
    pools: { db: { backends: [tcp.url], health_check: off } },
  })
  const socket = await proxy.connect('db')
  socket.end('select 1')
  let said = ''
  socket.on('data', (part) => (said += part))
  await eventually(() => assert.equal(said, 'select 1'))
  const exchange = await eventually(() => proxy.exchanges[0] ?? false)
  assert.ok(exchange !== false)
  expectBackend(exchange, tcp)
  assert.equal((await tcp.connection()).text, 'select 1')
  await assert.rejects(proxy.request(), /no listener for HTTP/)
})

test('functions of the test are middleware, strategies and matchers', async () => {
  const all = (await backends('a', 'b')) as [FakeBackend, FakeBackend]
  const proxy = await proxyOf({
    pools: {
      default: {
        backends: urls(all),
        health_check: off,
        strategy: {
          build:
            ({ backends }) =>
            () =>
              backends[1],
        },
      },
    },
    routes: [
      {
        match: { custom: (request) => request.path !== '/no' },
        pool: 'default',
        use: [{ onRequest: (request) => request.setHeader('x-step', 'on') }],
      },
    ],
  })
  expectBackend(await proxy.request('/yes'), all[1])
  assert.equal(all[1].requests[0]!.headers['x-step'], 'on')
})

test('health: a backend goes down and comes up, by a clock that is moved', async () => {
  using clock = useClock()
  const [a, b] = (await backends('a', 'b')) as [FakeBackend, FakeBackend]
  const proxy = await proxyOf({ backends: urls([a, b]), health_check_frequency: '30s' })
  const stateOf = (url: string) => proxy.status().backends.find((backend) => backend.url === url)?.state
  await eventually(() => assert.deepEqual([stateOf(a.url), stateOf(b.url)], ['up', 'up']))
  await a.down()
  await eventually(async () => {
    await clock.advance(33_000)
    assert.equal(stateOf(a.url), 'down')
  })
  assert.match((await proxy.logged('backend_down')).message, /DOWN: .*ECONNREFUSED/)
  for (let i = 0; i < 4; i++) expectAttempts(await proxy.request(), [b])
  await a.up()
  await eventually(async () => {
    await clock.advance(33_000)
    assert.equal(stateOf(a.url), 'up')
  })
})

test('ejection lasts as long as is configured', async () => {
  using clock = useClock()
  const [a, b] = (await backends('a', 'b')) as [FakeBackend, FakeBackend]
  const passive_health = { max_fails: 1, window: '10s', eject: '30s' }
  const pool = { backends: urls([a, b]), strategy: 'first', health_check: off, passive_health } as const
  const proxy = await proxyOf({ pools: { default: pool } })
  await a.down()
  expectAttempts(await proxy.request(), [a, b])
  await proxy.logged('backend_ejected')
  expectAttempts(await proxy.request(), [b])
  await a.up()
  await clock.advance(29_000)
  expectAttempts(await proxy.request(), [b])
  await clock.advance(2_000)
  expectAttempts(await proxy.request(), [a])
})

test('time limits: a slow backend, an idle client, a drain', async () => {
  using clock = useClock()
  const [a] = (await backends('a')) as [FakeBackend]
  const proxy = await proxyOf({
    pools: { default: { backends: [a.url], health_check: off, timeouts: { first_byte: '10m' } } },
    limits: { idle_timeout: '60s' },
    shutdown: { grace: '30s' },
  })
  a.answer('hang')
  const slow = proxy.request()
  await a.waitFor(1)
  await clock.advance(600_100)
  assert.equal((await slow).status, 504)

  const socket = await proxy.connect()
  socket.resume()
  let ended = false
  socket.on('end', () => {
    ended = true
  })
  await eventually(async () => {
    await clock.advance(61_000)
    assert.ok(ended, 'an idle connection is closed')
  })
  socket.destroy()

  const cut = proxy.request()
  await a.waitFor(2)
  const drained = proxy.drain()
  await clock.advance(31_000)
  await drained
  assert.equal((await cut).status, 0)
})

test('a delay of a fake backend passes with the clock', async () => {
  using clock = useClock()
  const [a] = (await backends('a')) as [FakeBackend]
  const proxy = await proxyOf({ pools: { default: { backends: [a.url], health_check: off } } })
  a.answer({ delayMs: 5000 })
  const answer = proxy.request()
  await a.waitFor(1)
  await clock.advance(5000)
  assert.equal((await answer).status, 200)
  assert.ok((await answer).exchange!.durationMs >= 5000)
})

test('another configuration, and changes of backends', async () => {
  const [a, b] = (await backends('a', 'b')) as [FakeBackend, FakeBackend]
  const config = (list: readonly FakeBackend[]) => ({ pools: { default: { backends: urls(list), health_check: off } } })
  const proxy = await proxyOf(config([a]))
  expectBackend(await proxy.request(), a)
  await proxy.apply(config([b]))
  expectBackend(await proxy.request(), b)
  await proxy.backends.add(a.url)
  await proxy.backends.drain(b.url)
  expectBackend(await proxy.request(), a)
  await proxy.apply({ ...config([a]), listeners: [{ name: 'other', listen: ':1' }], shutdown: { grace: '1s' } })
  expectBackend(await proxy.request({ listener: 'other' }), a)
})

test('what is not valid is refused as anywhere', async () => {
  await assert.rejects(testProxy({ backends: ['nonsense'] }), { name: 'ConfigError' })
  await assert.rejects(testProxy({ file: '/no/such/file.ts' }), /there is no such file/)
})

test('the cache goes by the clock that a test moves, and can be looked at and purged', async () => {
  using clock = useClock()
  const origin = await fakeBackend({ answer: { body: 'kept', headers: { 'cache-control': 'max-age=60' } } })
  open.push(origin)
  const proxy = await proxyOf({ pools: { default: { backends: [origin.url], health_check: off } }, cache: true })
  const ask = async (): Promise<string> => String((await proxy.request('/a')).headers['cache-status'])
  assert.match(await ask(), /fwd=uri-miss/)
  await clock.advance(50_000)
  assert.match(await ask(), /; hit/)
  assert.equal((await proxy.cache.stats()).top[0]!.age_seconds, 50)
  await clock.advance(20_000)
  assert.match(await ask(), /fwd=stale/)
  assert.deepEqual(await proxy.cache.purge({ all: true }), { purged: 1, soft: false })
  assert.match(await ask(), /fwd=uri-miss/)
  assert.equal(origin.requests.length, 3)
})
