// GET /requests: exchanges and connections as they end, for those who want them, in every worker.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { startActingBackend } from '../support/acting-backend.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask, load } from '../support/load.ts'
import { type ProxyOptions, startProxy, type TestProxy } from '../support/proxy.ts'
import { SseClient } from '../support/sse-client.ts'
import { Threads } from '../support/threads.ts'
import { until } from '../support/wait.ts'

async function served(scope: Scope, options: ProxyOptions = {}) {
  const backend = scope.use(await startActingBackend({ name: 'a' }))
  const proxy = scope.use(await startProxy([backend.url], { admin: true, ...options }))
  return { proxy, backend }
}

/** A follower that all workers know of. */
async function follow(scope: Scope, proxy: TestProxy, query = ''): Promise<SseClient> {
  const client = scope.use(await SseClient.open(proxy.adminPort, { path: `/requests?follow=1${query}` }))
  await client.waitFor('hello')
  return client
}

const targets = (client: SseClient): unknown[] => client.named('request').map(({ data }) => data.target)

for (const workers of [0, 2]) {
  leakTest(`requests are told as they end, without an access log (workers: ${workers})`, async (scope) => {
    const { proxy, backend } = await served(scope, { workers })
    const client = await follow(scope, proxy)
    for (let i = 0; i < 20; i++) await ask(proxy.port, { path: `/x/${i}?token=secret` })
    await client.waitFor('request', 20)
    assert.deepEqual(new Set(targets(client)), new Set(Array.from({ length: 20 }, (_, i) => `/x/${i}?token=***`)))
    const { data } = client.named('request')[0]!
    assert.deepEqual(
      [data.listener, data.client, data.method, data.status, data.route, data.pool, data.backend, data.attempts],
      ['test', '127.0.0.1', 'GET', 200, 'default', 'default', backend.url, 1],
    )
    assert.ok(Number(data.duration_ms) > 0 && Number(data.first_byte_ms) > 0)
    client.close()
  })
}

leakTest('a worker that takes the place of a dead one tells too', async (scope) => {
  const threads = scope.use(new Threads())
  const { proxy } = await served(scope, { workers: 1 })
  const client = await follow(scope, proxy)
  await threads.kill(threads.started[0]!)
  await until('another one serves', () => proxy.running.status().workers[0]!.restarts === 1)
  await until('it runs', () => proxy.running.status().workers[0]!.state === 'running')
  // It is told of followers when it has said that it serves.
  let sent = 0
  while (client.named('request').length === 0 && sent++ < 200) await ask(proxy.port, { path: '/again' })
  assert.equal((await client.waitFor('request')).data.target, '/again')
})

leakTest('each filter leaves out what it does not ask for', async (scope) => {
  const { proxy, backend } = await served(scope, {
    config: { routes: [{ name: 'api', match: { path: '/api/*' }, pool: 'default' }] },
  })
  const cases: readonly (readonly [query: string, wanted: readonly string[]])[] = [
    ['', ['/', '/api/1', '/slow', '/missing', '/broken']],
    ['&route=api', ['/api/1']],
    ['&path=/api', ['/api/1']],
    ['&method=post', ['/slow']],
    ['&status=404', ['/missing']],
    ['&cache=hit,stale', []],
    ['&status=4xx,500-599', ['/missing', '/broken']],
    ['&errors=1', ['/broken']],
    ['&min_ms=400', ['/slow']],
    ['&host=other.example', ['/api/1']],
    ['&client=10.0.0.0/8', []],
    ['&client=127.0.0.1', ['/', '/api/1', '/slow', '/missing', '/broken']],
    ['&pool=other', []],
    ['&listener=test&pool=default&method=POST', ['/slow']],
    [`&backend=${backend.url}&route=api`, ['/api/1']],
    ['&backend=http://127.0.0.1:9', []],
  ]
  const clients: SseClient[] = []
  for (const [query] of cases) clients.push(await follow(scope, proxy, query))
  await ask(proxy.port)
  await ask(proxy.port, { path: '/api/1', headers: { host: 'Other.example:80' } })
  await ask(proxy.port, { method: 'POST', path: '/slow', headers: { 'x-act-delay': '500' } })
  await ask(proxy.port, { path: '/missing', headers: { 'x-act-status': '404' } })
  await ask(proxy.port, { path: '/broken', headers: { 'x-act-reset': '1' }, method: 'GET' })
  await clients[0]!.waitFor('request', 5)
  for (const [at, [query, wanted]] of cases.entries()) {
    await until(`${query} has all`, () => targets(clients[at]!).length >= wanted.length)
    assert.deepEqual(targets(clients[at]!), wanted, query)
  }
})

leakTest('a storm is told in part, and how many were left out', async (scope) => {
  const { proxy } = await served(scope, { workers: 2 })
  const client = await follow(scope, proxy)
  const sent = 3000
  assert.equal((await load(proxy.port, sent, { connections: 16 })).answered, sent)
  const skipped = (): number => client.named('skipped').reduce((sum, { data }) => sum + Number(data.count), 0)
  await until('all are accounted for', () => client.named('request').length + skipped() === sent)
  assert.ok(skipped() > 0)
})

leakTest('TCP connections are told too, when they have ended', async (scope) => {
  const backend = scope.use(await startActingBackend({ name: 'a' }))
  const pool = { backends: [backend.url.replace('http', 'tcp')], health_check: { method: 'none' } }
  const config = {
    listeners: [{ name: 'raw', listen: '127.0.0.1:1', protocol: 'tcp', pool: 'default' }],
    pools: { default: pool },
  }
  const proxy = scope.use(await startProxy([], { admin: true, config }))
  const client = await follow(scope, proxy)
  const others = await follow(scope, proxy, '&method=GET')
  const socket = connect(proxy.port, '127.0.0.1')
  socket.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await once(socket.resume(), 'close')
  const { data } = await client.waitFor('request')
  assert.deepEqual([data.protocol, data.listener, data.pool, data.error], ['TCP', 'raw', 'default', ''])
  assert.ok(Number(data.bytes_sent) > 0)
  assert.deepEqual(targets(others), [])
})

leakTest('without follow: what ends within a second, or as many as were asked for', async (scope) => {
  const { proxy } = await served(scope)
  const gathering = ask(proxy.adminPort, { path: '/requests?limit=2&path=/w' })
  let done = false
  void gathering.then(() => (done = true))
  while (!done) {
    await ask(proxy.port, { path: '/other' })
    await ask(proxy.port, { path: '/w' })
  }
  const { status, headers, body } = await gathering
  assert.deepEqual([status, headers['content-type']], [200, 'application/json'])
  const list = JSON.parse(body) as { target: string }[]
  assert.deepEqual(
    list.map(({ target }) => target),
    ['/w', '/w'],
  )
  const nothing = await ask(proxy.adminPort, { path: '/requests?path=/never' })
  assert.deepEqual([nothing.status, nothing.body], [200, '[]'])
})

leakTest('not everybody can have lists gathered at once', async (scope) => {
  const { proxy } = await served(scope)
  const socket = connect(proxy.adminPort, '127.0.0.1')
  scope.defer(() => socket.destroy())
  // One connection, without waiting for answers.
  socket.write('GET /requests HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(20))
  let answers = ''
  socket.on('data', (data) => (answers += data))
  const count = (status: number): number => answers.split(`HTTP/1.1 ${status} `).length - 1
  await until('all are answered', () => count(200) + count(503) === 20)
  assert.equal(count(200), 16)
  assert.equal((await ask(proxy.adminPort, { path: '/requests?limit=1' })).status, 200)
})

leakTest('a filter that makes no sense is 400, and names itself', async (scope) => {
  const { proxy } = await served(scope)
  for (const wrong of [
    'status=99x',
    'status=5',
    'client=me',
    'min_ms=x',
    'limit=0',
    'backend=ftp://x',
    'rout=api',
    'cache=hot',
  ]) {
    const answer = await ask(proxy.adminPort, { path: `/requests?follow=1&${wrong}` })
    assert.equal(answer.status, 400, wrong)
    assert.match(answer.body, new RegExp(wrong.split('=')[0]!), wrong)
  }
})
