// A backend connection is used again only when the exchange on it was over, on both sides, to the last byte.
import assert from 'node:assert/strict'
import { statusOf } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { answer, answerChunked, chunk, get, lastChunk, post } from '../support/messages.ts'
import { type ProxyOptions, startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import {
  ended,
  fin,
  head,
  request,
  rst,
  type Script,
  startScriptedBackend,
  wait,
  write,
} from '../support/scripted-backend.ts'
import { deferred, until } from '../support/wait.ts'

async function between(scope: Scope, scripts: readonly Script[], options: ProxyOptions = {}) {
  const backend = scope.use(await startScriptedBackend(scripts))
  const proxy = scope.use(await startProxy([backend.url], options))
  const open = async (): Promise<RawClient> => scope.use(await RawClient.open(proxy.port))
  return { backend, proxy, open, client: await open() }
}

leakTest(
  'CVE-2026-6733: an answer nobody asked for destroys the idle connection and is never paired with a request',
  async (scope) => {
    const go = deferred()
    const { backend, client } = await between(scope, [
      [request(), write(answer('one')), wait(go.promise), write(answer('evil')), ended()],
      [request(), write(answer('two'))],
    ])
    assert.equal((await client.request(get('/1'))).body.toString(), 'one')
    go.resolve()
    await until('the poisoned connection is closed', () => backend.connections[0]?.over === true)
    assert.equal((await client.request(get('/2'))).body.toString(), 'two')
    assert.equal(backend.connections.length, 2)
  },
)

leakTest('CVE-2026-6733: nor when it comes together with the answer before it', async (scope) => {
  const { backend, client } = await between(scope, [
    [request(), write(answer('one') + answer('evil')), ended()],
    [request(), write(answer('two'))],
  ])
  assert.equal((await client.request(get('/1'))).body.toString(), 'one')
  assert.equal((await client.request(get('/2'))).body.toString(), 'two')
  assert.ok(backend.connections[0]?.over)
})

leakTest(
  'RFC 9112 §9.3.2: the body of one answer is never read as the head of the next, though the next request waits',
  async (scope) => {
    const inner = answer('evil')
    const { client } = await between(scope, [[request(), write(answer(inner)), request(), write(answer('two'))]])
    client.write(get('/1') + get('/2'))
    assert.equal((await client.reply()).body.toString(), inner)
    assert.equal((await client.reply()).body.toString(), 'two')
  },
)

leakTest('CVE-2026-58055: an Upgrade request with a body is refused and never reaches a backend', async (scope) => {
  const { backend, client } = await between(scope, [[request(), write(answer('no'))]])
  const reply = await client.request(post('/ws', 'hello', { Connection: 'Upgrade', Upgrade: 'websocket' }), 'POST')
  assert.equal(reply.status, 400)
  assert.equal(backend.connections.length, 0)
})

leakTest(
  'CVE-2026-58055: an Upgrade answered without a length does not leave its connection in the pool',
  async (scope) => {
    const { backend, client, open } = await between(scope, [
      [request(), write('HTTP/1.1 200 OK\r\n\r\nplain'), fin()],
      [request(), write(answer('two'))],
    ])
    const reply = await client.request(get('/ws', { Connection: 'Upgrade', Upgrade: 'websocket' }))
    assert.equal(reply.body.toString(), 'plain')
    const next = await open()
    assert.equal((await next.request(get('/2'))).body.toString(), 'two')
    assert.equal(backend.connections.length, 2)
  },
)

leakTest('CVE-2024-23326: a 200 that carries Upgrade is no tunnel: what follows is read as HTTP', async (scope) => {
  const { client } = await between(scope, [
    [
      request(),
      write(answer('plain', { Connection: 'Upgrade', Upgrade: 'websocket' })),
      request(),
      write(answer('second')),
    ],
    [request(), write(answer('second'))],
  ])
  client.write(get('/ws', { Connection: 'Upgrade', Upgrade: 'websocket' }))
  const first = await client.reply()
  assert.equal(first.body.toString(), 'plain')
  assert.ok(!/upgrade/i.test(first.raw.toString('latin1')), 'Upgrade is not passed on')
  client.write('\x81\x05hello\r\n\r\n')
  const second = await client.read()
  assert.ok(second.kind === 'closed' || (second.kind === 'reply' && second.reply.status === 400), second.kind)
})

leakTest('CVE-2024-23326: a 101 to another protocol than the one asked for is a 502', async (scope) => {
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'
  const { backend, client } = await between(scope, [[request(), write(`${switching}raw bytes`)]])
  const reply = await client.request(get('/ws', { Connection: 'Upgrade', Upgrade: 'websocket' }))
  assert.equal(reply.status, 502)
  await until('the backend connection is closed', () => backend.connections[0]?.over === true)
})

leakTest('CVE-2026-33555: fewer body bytes than announced kill the backend connection', async (scope) => {
  const { backend, client, open } = await between(scope, [[request(), write(answer('two'))]])
  client.write(post('/1', 'hello', {}, 10)).end()
  await client.ended()
  const next = await open()
  assert.equal((await next.request(get('/2'))).body.toString(), 'two')
  assert.deepEqual(
    backend.requests.map(({ startLine }) => startLine),
    ['GET /2 HTTP/1.1'],
  )
})

leakTest(
  'CVE-2024-24791: a final answer to Expect: 100-continue does not leave a half used connection',
  async (scope) => {
    const { backend, client, open } = await between(scope, [
      [head(), write(answer('no', {}, '403 Forbidden')), ended()],
      [request(), write(answer('two'))],
    ])
    client.write(post('/1', '', { Expect: '100-continue' }, 5))
    assert.equal((await client.reply('POST')).status, 403)
    const next = await open()
    assert.equal((await next.request(get('/2'))).body.toString(), 'two')
    assert.equal(backend.connections.length, 2)
    await until('the half used connection is closed', () => backend.connections[0]?.over === true)
  },
)

leakTest('CVE-2022-23959: a body the backend would not read is never taken for the next request', async (scope) => {
  const smuggled = get('/smuggled')
  const { backend, client } = await between(scope, [
    [head(), write(answer('', {}, '413 Content Too Large')), ended()],
    [request(), write(answer('evil'))],
  ])
  client.write(post('/1', '', {}, smuggled.length + 10))
  assert.equal((await client.reply('POST')).status, 413)
  client.write(smuggled)
  const next = await client.read()
  assert.equal(next.kind, 'closed', 'the connection is not used again')
  assert.equal(backend.requests.length, 0)
  assert.ok(backend.connections.length === 1)
})

leakTest('CVE-2025-62409: any order of data, end and reset ends one exchange and no other', async (scope) => {
  const half = answer('hello', {}, '200 OK', 50)
  const broken: Script[] = [
    [request(), fin()],
    [request(), rst()],
    [request(), write('HTTP/1.1 2'), fin()],
    [request(), write('HTTP/1.1 2'), rst()],
    [request(), write(half), fin()],
    [request(), write(half), rst()],
    [request(), write(answer('hello')), fin()],
    [request(), write(answer('hello')), rst()],
    [request(), write(`${answer('hello')}junk`), rst()],
    [request(), write(answerChunked() + chunk('hello')), rst()],
    [request(), write(answerChunked() + chunk('hello') + lastChunk), fin()],
    [head(), rst()],
    [head(), write(answer('early')), rst()],
  ]
  for (const script of broken) {
    const { client, open } = await between(scope, [script, [request(), write(answer('well'))]], {
      pool: { retries: { attempts: 0 } },
    })
    client.write(post('/1', 'body'))
    const first = await client.read('POST')
    assert.ok(
      first.kind === 'closed' || (first.kind === 'reply' && [200, 502].includes(first.reply.status)),
      first.kind,
    )
    const next = await open()
    assert.equal((await next.request(get('/2'))).body.toString(), 'well')
  }
})

leakTest('CVE-2026-1642: what a backend says before the TLS handshake is not its answer', async (scope) => {
  const backend = scope.use(await startScriptedBackend([[write(answer('plaintext'))]]))
  const proxy = scope.use(
    await startProxy([backend.url.replace('http:', 'https:')], { pool: { timeouts: { connect: '1s' } } }),
  )
  const client = scope.use(await RawClient.open(proxy.port))
  const reply = await client.request(get('/'))
  assert.ok(reply.status === 503 || reply.status === 502, reply.startLine)
  assert.ok(!reply.raw.includes('plaintext'))
})

leakTest(
  'RFC 9112 §9.3: an exchange that was complete on both sides leaves its connection to the next',
  async (scope) => {
    const { backend, client } = await between(scope, [
      [request(), write(answer('one')), request(), write(answer('two')), request(), write(answer('three'))],
    ])
    for (const body of ['one', 'two', 'three'])
      assert.equal((await client.request(post('/', 'x'), 'POST')).body.toString(), body)
    assert.equal(backend.connections.length, 1)
    assert.ok(backend.requests.every((seen) => statusOf(seen) !== 0))
  },
)
