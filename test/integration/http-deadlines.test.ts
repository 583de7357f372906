// Deadlines: each ends what it is for, with the right status, and blames the right side.
import assert from 'node:assert/strict'
import { fieldValue } from '../support/http-message.ts'
import { leakTest } from '../support/leaks.ts'
import { answer, answerChunked, chunk, get, lastChunk, post, postChunked } from '../support/messages.ts'
import { silentPort } from '../support/ports.ts'
import { startProxy, type TestProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { ended, head, request, write } from '../support/scripted-backend.ts'
import { acting, scripted } from '../support/stand.ts'
import { until } from '../support/wait.ts'

const errorsOf = (proxy: TestProxy): number => proxy.running.status().backends.reduce((sum, b) => sum + b.errors, 0)

/** Lets so much time pass: the clock is what these tests are about. */
async function pass(ms: number): Promise<void> {
  const end = performance.now() + ms
  await until('some time has passed', () => performance.now() >= end)
}

leakTest('a head that does not come to its end is a 408', async (scope) => {
  const { client } = await acting(scope, { limits: { header_timeout: '150ms' } })
  const reply = await client.request('GET / HTTP/1.1\r\nHost: t\r\n')
  assert.equal(reply.status, 408)
  assert.equal(fieldValue(reply, 'connection'), 'close')
  assert.equal(await client.ended(), 'fin')
})

leakTest('dripping does not extend the deadline of a head', async (scope) => {
  const { client } = await acting(scope, { limits: { header_timeout: '200ms' } })
  const beganAt = performance.now()
  client.write('GET / HTTP/1.1\r\nHost: t\r\nX-Drip: ')
  const dripping = setInterval(() => client.write('x'), 20)
  scope.defer(() => clearInterval(dripping))
  assert.equal((await client.reply()).status, 408)
  assert.ok(performance.now() - beganAt < 2000)
})

leakTest('it holds for the second request of a connection, too', async (scope) => {
  const { client } = await acting(scope, { limits: { header_timeout: '150ms' } })
  assert.equal((await client.request(get('/'))).status, 200)
  assert.equal((await client.request('GET / HTTP/1.1\r\nHo')).status, 408)
})

for (const [what, bytes] of [
  ['with a length', post('/', 'hel', {}, 10)],
  ['in chunks', postChunked('/') + chunk('hel')],
]) {
  leakTest(`a request body ${what} that falls silent is a 408 and nobody’s fault but the client’s`, async (scope) => {
    const { backend, proxy, client } = await scripted(scope, [[head(), ended()]], { limits: { idle_timeout: '150ms' } })
    const reply = await client.request(bytes!, 'POST')
    assert.equal(reply.status, 408)
    await client.ended()
    await until('the backend is let go', () => backend.connections.every(({ over }) => over))
    assert.equal(errorsOf(proxy), 0)
  })
}

leakTest('a request body that keeps coming, however slowly, is not interrupted', async (scope) => {
  const { client } = await acting(scope, {
    limits: { idle_timeout: '300ms' },
    pool: { timeouts: { first_byte: '200ms', idle: '200ms' } },
  })
  client.write(postChunked('/', { 'X-Act-Echo': 1 }))
  for (let i = 0; i < 8; i++) {
    client.write(chunk(`${i}`))
    await pass(100)
  }
  assert.equal((await client.request(lastChunk, 'POST')).body.toString(), '01234567')
})

leakTest('a backend that does not answer in time is a 504, and is blamed', async (scope) => {
  const { backend, proxy, client } = await acting(scope, { pool: { timeouts: { first_byte: '150ms' } } })
  const reply = await client.request(get('/', { 'X-Act-Hold': 'for ever' }))
  assert.equal(reply.status, 504)
  assert.match(fieldValue(reply, 'proxy-status') ?? '', /error=http_response_timeout/)
  await until('the request at the backend is given up', () => backend.aborted === 1)
  assert.equal(backend.started, 1, 'not tried again: it may have acted')
  assert.equal(errorsOf(proxy), 1)
  assert.equal((await client.request(get('/'))).status, 200, 'the client connection stays')
})

leakTest('the deadline of the first byte counts from the end of the request', async (scope) => {
  const { client } = await acting(scope, { pool: { timeouts: { first_byte: '300ms' } } })
  client.write(post('/', '', { 'X-Act-Echo': 1 }, 3))
  await pass(500)
  assert.equal((await client.request('abc', 'POST')).body.toString(), 'abc')
})

leakTest('an interim answer does not stop the clock of the final one for ever', async (scope) => {
  const { client } = await scripted(scope, [[request(), write('HTTP/1.1 103 Early Hints\r\n\r\n'), ended()]], {
    pool: { timeouts: { first_byte: '150ms' } },
  })
  const reply = await client.request(get('/'))
  assert.equal(reply.status, 504)
  assert.equal(reply.interim.length, 1)
})

leakTest('a backend that falls silent in its answer: the client sees that it is incomplete', async (scope) => {
  for (const half of [answer('half', {}, '200 OK', 100), answerChunked() + chunk('half')]) {
    const { proxy, client } = await scripted(scope, [[request(), write(half), ended()]], {
      pool: { timeouts: { idle: '150ms' } },
    })
    client.write(get('/'))
    const outcome = await client.read()
    assert.equal(outcome.kind, 'closed')
    assert.ok(outcome.kind === 'closed' && outcome.bytes.includes('half'))
    assert.equal(errorsOf(proxy), 1)
  }
})

leakTest('a client that does not take its answer is let go after limits.idle_timeout', async (scope) => {
  const { backend, proxy, client } = await acting(scope, {
    limits: { idle_timeout: '200ms' },
    pool: { timeouts: { idle: '100ms' } },
  })
  client.socket.pause()
  client.write(get('/', { 'X-Act-Size': 50_000_000 }))
  await until('the request at the backend is given up', () => backend.aborted === 1)
  assert.equal(errorsOf(proxy), 0, 'the backend is not to blame')
})

leakTest('the whole exchange has a deadline, where one is set', async (scope) => {
  const { backend, client } = await acting(scope, { pool: { timeouts: { total: '150ms' } } })
  const reply = await client.request(get('/', { 'X-Act-Hold': 'for ever' }))
  assert.equal(reply.status, 504)
  await until('the request at the backend is given up', () => backend.aborted === 1)
  client.write(get('/', { 'X-Act-Size': 10 }))
  assert.equal((await client.reply()).status, 200)
})

leakTest('it cuts an answer that drips on past it', async (scope) => {
  const { client } = await scripted(scope, [[request(), write(answerChunked() + chunk('half')), ended()]], {
    pool: { timeouts: { total: '150ms' } },
  })
  client.write(get('/'))
  const outcome = await client.read()
  assert.ok(outcome.kind === 'closed' && outcome.bytes.includes('half'), outcome.kind)
})

leakTest('a backend that does not accept the connection in time is a 503, or a retry elsewhere', async (scope) => {
  const silent = scope.use(await silentPort())
  const options = { pool: { timeouts: { connect: '150ms' } } }
  const alone = scope.use(await startProxy([`http://127.0.0.1:${silent.port}`], options))
  const client = scope.use(await RawClient.open(alone.port))
  const reply = await client.request(get('/'))
  assert.equal(reply.status, 503)
  assert.match(fieldValue(reply, 'proxy-status') ?? '', /error=connection_timeout/)

  const { backend } = await acting(scope)
  const strategy = { pool: { ...options.pool, strategy: 'first' } }
  const both = scope.use(await startProxy([`http://127.0.0.1:${silent.port}`, backend.url], strategy))
  const other = scope.use(await RawClient.open(both.port))
  const body = await other.request(post('/', 'intact', { 'X-Act-Echo': 1 }), 'POST')
  assert.equal(body.body.toString(), 'intact')
})

leakTest('a client that goes away while the backend is being dialled leaves nothing behind', async (scope) => {
  const silent = scope.use(await silentPort())
  const proxy = scope.use(await startProxy([`http://127.0.0.1:${silent.port}`]))
  const client = await RawClient.open(proxy.port)
  client.write(get('/'))
  const active = (): number => Object.values(proxy.active())[0]!
  await until('the dial has begun', () => active() === 1)
  await client.close()
  await until('nothing is active', () => active() === 0)
  assert.equal(errorsOf(proxy), 0)
})

for (const [how, leave] of [
  ['closes', (client: RawClient) => void client.close()],
  ['resets', (client: RawClient) => client.reset()],
  ['half-closes', (client: RawClient) => void client.end()],
] as const) {
  leakTest(
    `a client that ${how} takes its request at the backend with it, at once, and blames nobody`,
    async (scope) => {
      const { backend, proxy, client, open } = await acting(scope)
      client.write(get('/', { 'X-Act-Hold': 'for ever' }))
      await until('the request is at the backend', () => backend.active === 1)
      leave(client)
      await until('the backend is rid of it', () => backend.aborted === 1, 1000)
      assert.equal(errorsOf(proxy), 0)
      assert.equal((await (await open()).request(get('/'))).status, 200)
    },
  )
}

leakTest('a client that leaves in the middle of its answer, or of its body, too', async (scope) => {
  const { backend, proxy, client, open } = await acting(scope)
  client.write(get('/', { 'X-Act-Size': 50_000_000 }))
  await client.receivedBytes(1000)
  client.reset()
  await until('the backend is rid of the answer', () => backend.aborted === 1, 2000)
  const second = await open()
  second.write(post('/', 'begin', {}, 1000))
  await until('the request is at the backend', () => backend.started === 2)
  second.reset()
  await until('the backend is rid of the request', () => backend.active === 0, 2000)
  assert.equal(errorsOf(proxy), 0)
})
