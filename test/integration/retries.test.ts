// Which failures of a backend the client never hears of, which it does, and as what status.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { startActingBackend } from '../support/acting-backend.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { answer, chunk, get, lastChunk, post, postChunked } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import { type BackendEntry, type ProxyOptions, startProxy, type TestProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { fin, head, request, rst, type Script, startScriptedBackend, wait, write } from '../support/scripted-backend.ts'
import { deferred, until } from '../support/wait.ts'

const refusing = async (): Promise<string> => `http://127.0.0.1:${await refusingPort()}`
const good = async (scope: Scope, name = 'good') => scope.use(await startActingBackend({ name }))
const scripted = async (scope: Scope, ...scripts: Script[]) => scope.use(await startScriptedBackend(scripts))
const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex')

/** In order: the first that is available gets the request. */
async function inOrder(scope: Scope, entries: readonly BackendEntry[], options: ProxyOptions = {}): Promise<TestProxy> {
  const pool = { strategy: 'first', passive_health: { max_fails: 0 }, ...options.pool }
  return scope.use(await startProxy(entries, { ...options, pool }))
}

const retries = (proxy: TestProxy) => proxy.running.state.poolTotals(0)
const failedConnections = (proxy: TestProxy): number[] =>
  proxy.running.status().backends.map((backend) => backend.errors)

leakTest('refused: the next backend gets the request, whatever its method, the body intact', async (scope) => {
  const backend = await good(scope)
  const proxy = await inOrder(scope, [await refusing(), backend.url])
  const client = scope.use(await RawClient.open(proxy.port))
  const body = 'x'.repeat(100_000)
  assert.equal((await client.request(get('/'))).status, 200)
  assert.equal((await client.request(post('/short', 'short body'), 'POST')).status, 200)
  assert.equal((await client.request(post('/long', body), 'POST')).status, 200)
  const chunked = `${postChunked('/chunked')}${chunk('first')}${chunk(body)}${chunk('last')}${lastChunk}`
  assert.equal((await client.request(chunked, 'POST')).status, 200)
  const bodies = ['', 'short body', body, `first${body}last`]
  assert.deepEqual(
    backend.requests.map(({ target, bodyHash }) => [target, bodyHash]),
    ['/', '/short', '/long', '/chunked'].map((target, i) => [target, sha256(bodies[i]!)]),
  )
  assert.equal(retries(proxy).retries.connect, 4)
  assert.deepEqual(failedConnections(proxy), [4, 0])
})

leakTest('refused while the body is still coming: the rest follows to the next backend', async (scope) => {
  const backend = await good(scope)
  const proxy = await inOrder(scope, [await refusing(), backend.url])
  const client = scope.use(await RawClient.open(proxy.port))
  client.write(postChunked('/') + chunk('early'))
  await until('the head has reached the backend', () => backend.started === 1)
  const { status } = await client.request(chunk('late') + lastChunk, 'POST')
  assert.deepEqual([status, backend.requests[0]!.body], [200, 'earlylate'])
})

for (const [how, end] of [
  ['closed', fin()],
  ['reset', rst()],
] as const) {
  const dying: Script = [request(), write(answer('one')), request(), end]
  const second: Script = [request(), write(answer('two'))]

  leakTest(`a kept connection ${how} under a request: GET and PUT are sent again, POST is not`, async (scope) => {
    for (const [method, bytes, expected] of [
      ['GET', get('/second'), 200],
      ['PUT', post('/second', 'body').replace('POST', 'PUT'), 200],
      ['POST', post('/second', 'body'), 502],
    ] as const) {
      const backend = await scripted(scope, dying, second)
      const proxy = await inOrder(scope, [backend.url])
      const client = scope.use(await RawClient.open(proxy.port))
      assert.equal((await client.request(get('/first'))).body.toString(), 'one')
      const reply = await client.request(bytes, method)
      assert.equal(reply.status, expected, method)
      const seen = backend.requests.filter(({ startLine }) => startLine.includes('/second'))
      assert.equal(seen.length, expected === 200 ? 2 : 1, method)
      assert.ok(seen.every((message) => message.body.toString() === (method === 'GET' ? '' : 'body')))
    }
  })

  leakTest(`accepted and then ${how} by every backend: 502, after as many attempts as may be`, async (scope) => {
    const broken = await Promise.all([1, 2, 3, 4].map(() => scripted(scope, [request(), end])))
    const proxy = await inOrder(
      scope,
      broken.map(({ url }) => url),
    )
    const { status, headers } = await ask(proxy.port)
    assert.deepEqual([status, headers['retry-after']], [502, undefined])
    assert.match(String(headers['proxy-status']), /connection_terminated/)
    assert.deepEqual(
      broken.map(({ requests }) => requests.length),
      [1, 1, 1, 0],
    )
    assert.deepEqual([retries(proxy).retries.reset, retries(proxy).retriesActive], [2, 0])
  })
}

leakTest(
  'a backend that dies under a kept connection and refuses a new one is not asked a third time',
  async (scope) => {
    const [dying, backend] = [await good(scope, 'dying'), await good(scope)]
    const proxy = await inOrder(scope, [dying.url, backend.url])
    assert.equal((await ask(proxy.port)).headers['x-backend'], 'dying')
    const asked = ask(proxy.port, { headers: { 'x-act-hold': 'never' } })
    await until('the request has arrived on the kept connection', () => dying.active === 1)
    assert.equal(dying.connections, 1)
    backend.release('never')
    dying.server.close()
    dying.resetAll()
    const { status, headers } = await asked
    assert.deepEqual([status, headers['x-backend']], [200, 'good'])
    assert.deepEqual(failedConnections(proxy), [1, 0])
  },
)

leakTest('nothing is retried once a byte of the answer has been seen', async (scope) => {
  const backend = await good(scope)
  const beginnings = [
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n',
    answer('half', {}, '200 OK', 50),
  ]
  for (const bytes of beginnings) {
    const dying = await scripted(scope, [request(), write(bytes), fin()])
    const proxy = await inOrder(scope, [dying.url, backend.url])
    const client = scope.use(await RawClient.open(proxy.port))
    const outcome = await client.write(get('/')).read()
    const cut = bytes.includes('half')
    if (cut) assert.equal(outcome.kind, 'closed', 'the client must see that the message is incomplete')
    else assert.equal(outcome.kind === 'reply' && outcome.reply.status, 502)
    assert.equal(retries(proxy).retries.reset, 0)
  }
  assert.equal(backend.started, 0)
})

leakTest('attempts bound how many backends a request may try', async (scope) => {
  const urls = await Promise.all([1, 2, 3, 4, 5].map(refusing))
  for (const [attempts, expected] of [
    [2, [1, 1, 1, 0, 0]],
    [0, [1, 0, 0, 0, 0]],
  ] as const) {
    const proxy = await inOrder(scope, urls, { pool: { retries: { attempts } } })
    const { status, headers } = await ask(proxy.port)
    assert.deepEqual([status, headers['retry-after']], [503, '1'])
    assert.match(String(headers['proxy-status']), /connection_refused/)
    assert.deepEqual(failedConnections(proxy), expected)
  }
})

leakTest('the retry budget: three at once are always allowed, a fourth is not', async (scope) => {
  const backend = await good(scope)
  const proxy = await inOrder(scope, [await refusing(), backend.url])
  const headers = { 'x-act-hold': 'all' }
  const held = [1, 2, 3].map(() => ask(proxy.port, { headers }))
  await until('three retries are in flight', () => backend.active === 3)
  assert.equal(retries(proxy).retriesActive, 3)
  assert.equal((await ask(proxy.port)).status, 503)
  assert.equal(backend.started, 3)
  backend.release('all')
  assert.deepEqual(new Set((await Promise.all(held)).map(({ status }) => status)), new Set([200]))
  assert.equal(retries(proxy).retriesActive, 0)
  assert.equal((await ask(proxy.port)).status, 200)
})

leakTest('the retry budget: a fifth of what is in flight, exactly', async (scope) => {
  const [filled, backend] = [await good(scope, 'filled'), await good(scope)]
  const proxy = await inOrder(scope, [{ url: filled.url, max_connections: 40 }, await refusing(), backend.url])
  const headers = { 'x-act-hold': 'all' }
  const held = Array.from({ length: 40 }, () => ask(proxy.port, { headers }))
  await until('40 requests are in flight', () => filled.active === 40)
  let refused = 0
  for (let i = 0; refused < 3; i++) {
    assert.ok(i < 20, 'the budget has no end')
    const before = backend.started
    const asked = ask(proxy.port, { headers }).then((reply) => {
      if (reply.status === 503) refused++
      return reply
    })
    held.push(asked)
    const seen = refused
    await until('the request was retried or refused', () => backend.started > before || refused > seen)
    const { retriesActive } = retries(proxy)
    const active = [0, 1, 2].reduce((sum, slot) => sum + proxy.running.state.active(slot), 0)
    assert.ok(retriesActive <= 0.2 * active, `${retriesActive} retries with ${active} in flight`)
  }
  // Nine retries beside 40 others: one more would need 50 in flight without it.
  assert.equal(backend.active, 9)
  for (const one of [filled, backend]) one.release('all')
  await Promise.all(held)
})

leakTest('statuses are passed on as they are, unless configured', async (scope) => {
  const [first, second] = [await good(scope, 'first'), await good(scope, 'second')]
  const headers = { 'x-act-status': '503' }
  const plain = await inOrder(scope, [first.url, second.url])
  const reply = await ask(plain.port, { headers })
  assert.deepEqual([reply.status, reply.headers['x-backend'], second.started], [503, 'first', 0])
})

leakTest(
  'configured statuses go to another backend: idempotent methods only, the last answer is passed on',
  async (scope) => {
    const failing = await scripted(scope, [
      request(),
      write(answer('no', {}, '502 Bad Gateway')),
      request(),
      write(answer('no', {}, '502 Bad Gateway')),
    ])
    const backend = await good(scope)
    const proxy = await inOrder(scope, [failing.url, backend.url], { pool: { retries: { on: ['502'] } } })
    const client = scope.use(await RawClient.open(proxy.port))
    assert.equal((await client.request(get('/'))).status, 200)
    assert.equal((await client.request(post('/', 'x'), 'POST')).status, 502)
    assert.deepEqual([retries(proxy).retries.status, backend.started], [1, 1])

    const both = await inOrder(scope, [(await good(scope)).url, (await good(scope)).url], {
      pool: { retries: { on: ['503'] } },
    })
    assert.equal((await ask(both.port, { headers: { 'x-act-status': '503' } })).status, 503)
    assert.equal(retries(both).retriesActive, 0)
  },
)

leakTest('no answer in time: 504, and no other backend is asked', async (scope) => {
  const done = deferred()
  const silent = await scripted(scope, [head(), wait(done.promise)])
  const backend = await good(scope)
  const proxy = await inOrder(scope, [silent.url, backend.url], { pool: { timeouts: { first_byte: '50ms' } } })
  const { status, headers } = await ask(proxy.port)
  assert.equal(status, 504)
  assert.match(String(headers['proxy-status']), /http_response_timeout/)
  assert.equal(backend.started, 0)
  done.resolve()
})

leakTest('one refuses and another breaks: 502, since one was reached', async (scope) => {
  const broken = await scripted(scope, [request(), fin()])
  for (const entries of [
    [await refusing(), broken.url],
    [broken.url, await refusing()],
  ]) {
    const proxy = await inOrder(scope, entries)
    assert.equal((await ask(proxy.port)).status, 502)
  }
})

leakTest('a client that goes away ends the request at the backend at once, and nobody is blamed', async (scope) => {
  const backend = await good(scope)
  const proxy = await inOrder(scope, [backend.url])
  for (const leave of ['close', 'reset'] as const) {
    const before = backend.aborted
    const client = await RawClient.open(proxy.port)
    client.write(get('/', { 'x-act-hold': leave }))
    await until('the request has arrived', () => backend.active === 1)
    await client[leave]()
    await until('the backend sees it end', () => backend.aborted === before + 1)
    await until('nothing is in flight', () => proxy.running.status().backends[0]!.current_connections === 0)
  }
  assert.deepEqual(failedConnections(proxy), [0])
  assert.equal(proxy.running.state.listenerTotals(0).errors.client_gone, 2)
})
