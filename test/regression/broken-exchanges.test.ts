// Backends that die, clients that leave, requests that must not be made twice; and no input that costs without bound.
import assert from 'node:assert/strict'
import { startActingBackend } from '../support/acting-backend.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { answer, answerChunked, chunk, get, post, postChunked } from '../support/messages.ts'
import { startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { ended, fin, request, rst, type Script, startScriptedBackend, write } from '../support/scripted-backend.ts'
import { until } from '../support/wait.ts'

async function behind(scope: Scope, scripts: readonly Script[]) {
  const backend = scope.use(await startScriptedBackend(scripts))
  const proxy = scope.use(await startProxy([backend.url]))
  return { backend, proxy, client: scope.use(await RawClient.open(proxy.port)) }
}

const deaths: readonly (readonly [string, string, Script[number]])[] = [
  ['inside a body of known length', answer('hello', {}, '200 OK', 50), fin()],
  ['inside a body of known length, by reset', answer('hello', {}, '200 OK', 50), rst()],
  ['before the last chunk', answerChunked() + chunk('hello'), fin()],
  ['before the last chunk, by reset', answerChunked() + chunk('hello'), rst()],
  ['inside a chunk', `${answerChunked()}50\r\nhello`, fin()],
  ['inside a body without length, by reset', 'HTTP/1.1 200 OK\r\n\r\nhello', rst()],
]

for (const [where, bytes, end] of deaths) {
  leakTest(
    `measured, RFC 9112 §8: a backend that dies ${where} leaves a visibly broken answer, at once`,
    async (scope) => {
      const { client } = await behind(scope, [[request(), write(bytes), end]])
      const outcome = await client.write(get('/')).read()
      assert.ok(outcome.kind === 'closed' || (outcome.kind === 'reply' && outcome.reply.status === 502), outcome.kind)
    },
  )
}

leakTest('measured: a broken chunk after a good one never ends in a last chunk', async (scope) => {
  const { client } = await behind(scope, [
    [request(), write(`${answerChunked()}${chunk('hello')}ZZ\r\nworld\r\n0\r\n\r\n`)],
  ])
  const outcome = await client.write(get('/')).read()
  assert.ok(outcome.kind === 'closed' || (outcome.kind === 'reply' && outcome.reply.status === 502), outcome.kind)
  assert.ok(!client.received.toString('latin1').endsWith('0\r\n\r\n'))
})

leakTest('measured: a POST whose connection broke unanswered is not sent again', async (scope) => {
  const { backend, client } = await behind(scope, [
    [request(), fin()],
    [request(), write(answer('twice'))],
  ])
  assert.equal((await client.request(post('/', 'x'), 'POST')).status, 502)
  assert.equal(backend.requests.length, 1)
})

leakTest('measured: nor on a reused connection, once it was sent', async (scope) => {
  const { backend, client } = await behind(scope, [
    [request(), write(answer('one')), request(), rst()],
    [request(), write(answer('twice'))],
  ])
  assert.equal((await client.request(get('/'))).body.toString(), 'one')
  assert.equal((await client.request(post('/', 'x'), 'POST')).status, 502)
  assert.equal(backend.requests.length, 2)
})

leakTest(
  'measured: a GET on a reused connection that is reset before any byte of the answer goes to a new one',
  async (scope) => {
    const { backend, client } = await behind(scope, [[request(), write(answer('good')), request(), rst()]])
    for (let n = 0; n < 100; n++)
      assert.equal((await client.request(get(`/${n}`))).body.toString(), 'good', `request ${n}`)
    assert.ok(backend.connections.length >= 50)
  },
)

leakTest('RFC 9112 §9.3.1: nothing is sent again after the first byte of an answer', async (scope) => {
  const { backend, client } = await behind(scope, [
    [request(), write('HTTP/1.1 200'), rst()],
    [request(), write(answer('two'))],
  ])
  const outcome = await client.write(get('/')).read()
  assert.ok(outcome.kind === 'closed' || (outcome.kind === 'reply' && outcome.reply.status === 502), outcome.kind)
  assert.equal(backend.requests.length, 1)
})

leakTest('measured: clients that leave take their backend requests with them, at once', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const proxy = scope.use(await startProxy([backend.url]))
  const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.open(proxy.port)))
  for (const client of clients) client.write(get('/', { 'x-act-hold': 'for ever' }))
  await until('fifty requests are running', () => backend.active === 50)
  await Promise.all(clients.map((client) => client.close()))
  await until('none is running', () => backend.active === 0, 500)
  assert.equal(backend.aborted, 50)
  const next = scope.use(await RawClient.open(proxy.port))
  assert.equal((await next.request(get('/well'))).body.toString(), 'GET /well', 'the backend is not blamed')
})

leakTest('CVE-2024-22019: a chunk extension without end is cut off', async (scope) => {
  const backend = scope.use(await startScriptedBackend([[ended()]]))
  const proxy = scope.use(await startProxy([backend.url]))
  const client = scope.use(await RawClient.open(proxy.port))
  client.write(`${postChunked('/')}1;`)
  let sent = 0
  for (const block = 'x'.repeat(16_384); client.ending === null && sent < 4_194_304; sent += block.length) {
    client.write(block)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  await client.ended()
  assert.ok(sent < 4_194_304, `${sent} bytes were taken`)
  assert.equal(backend.requests.length, 0)
})

leakTest('CVE-2024-22019: so are a trailer section and a header section without end', async (scope) => {
  const backend = scope.use(await startScriptedBackend([[ended()]]))
  const proxy = scope.use(await startProxy([backend.url]))
  for (const start of [`${postChunked('/')}${chunk('a')}0\r\n`, 'GET / HTTP/1.1\r\nHost: t.example\r\n']) {
    const client = scope.use(await RawClient.open(proxy.port))
    client.write(start)
    let sent = 0
    for (const block = 'X-A: 1\r\n'.repeat(2_048); client.ending === null && sent < 4_194_304; sent += block.length) {
      client.write(block)
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    await client.ended()
    assert.ok(sent < 4_194_304, `${sent} bytes were taken`)
  }
  assert.equal(backend.requests.length, 0)
})

leakTest(
  'GHSA-6x33-pw7p-hmpq: an answer and a reset in the middle of an upload end one exchange, not the process',
  async (scope) => {
    const { backend, client, proxy } = await behind(scope, [
      [{ step: 'bytes', count: 1_000 }, write(answer('early')), rst()],
      [request(), write(answer('well'))],
    ])
    client.write(post('/', '', {}, 50_000_000))
    for (let n = 0; n < 50 && client.ending === null; n++) {
      client.write('x'.repeat(65_536))
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    const outcome = await client.read('POST')
    assert.ok(outcome.kind === 'closed' || outcome.kind === 'reply', outcome.kind)
    await client.close()
    await until('the backend connection is gone', () => backend.connections[0]?.over === true)
    const next = scope.use(await RawClient.open(proxy.port))
    assert.equal((await next.request(get('/'))).body.toString(), 'well')
  },
)
