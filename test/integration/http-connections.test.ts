// Connections on both sides: kept, shared, pipelined, closed when asked, HTTP/1.0 clients and backends.
import assert from 'node:assert/strict'
import { drip } from '../support/answering-backend.ts'
import { fieldValue, fieldValues } from '../support/http-message.ts'
import { leakTest } from '../support/leaks.ts'
import { answer, answerChunked, chunk, get, lastChunk, post, postChunked } from '../support/messages.ts'
import { fin, request, write } from '../support/scripted-backend.ts'
import { acting, assertSameBytes, filled, scripted, seenValues } from '../support/stand.ts'
import { until } from '../support/wait.ts'

leakTest('requests of one client use one connection to the backend', async (scope) => {
  const { backend, client } = await acting(scope)
  for (let i = 0; i < 20; i++) assert.equal((await client.request(get(`/${i}`))).body.toString(), `GET /${i}`)
  assert.equal(backend.connections, 1)
  assert.equal(backend.requests.length, 20)
})

leakTest('clients that come one after the other share the connection to the backend', async (scope) => {
  const { backend, open } = await acting(scope)
  for (let i = 0; i < 10; i++) {
    const client = await open()
    assert.equal((await client.request(get(`/${i}`))).status, 200)
    await client.close()
  }
  assert.equal(backend.connections, 1)
})

leakTest('requests at the same time get a connection each, and those connections serve again', async (scope) => {
  const { backend, open } = await acting(scope)
  const clients = await Promise.all(Array.from({ length: 8 }, open))
  for (const wave of ['a', 'b']) {
    for (const client of clients) client.write(get('/', { 'X-Act-Hold': wave }))
    await until('all requests are at the backend', () => backend.active === 8)
    backend.release(wave)
    for (const client of clients) assert.equal((await client.reply()).status, 200)
  }
  assert.equal(backend.connections, 8)
})

leakTest('no more idle connections are kept than configured', async (scope) => {
  const { backend, open } = await acting(scope, { pool: { keepalive: { max_idle: 2 } } })
  const clients = await Promise.all(Array.from({ length: 6 }, open))
  for (const client of clients) client.write(get('/', { 'X-Act-Hold': 'all' }))
  await until('all requests are at the backend', () => backend.active === 6)
  backend.release('all')
  for (const client of clients) assert.equal((await client.reply()).status, 200)
  await until('only two connections are left', () => backend.open === 2)
})

leakTest('none is kept with max_idle 0', async (scope) => {
  const { backend, client } = await acting(scope, { pool: { keepalive: { max_idle: 0 } } })
  for (let i = 0; i < 3; i++) assert.equal((await client.request(get('/'))).status, 200)
  assert.equal(backend.connections, 3)
  await until('every connection is closed', () => backend.open === 0)
})

leakTest('an idle backend connection is closed after its idle_timeout', async (scope) => {
  const { backend, client } = await acting(scope, { pool: { keepalive: { idle_timeout: '100ms' } } })
  assert.equal((await client.request(get('/'))).status, 200)
  assert.equal(backend.open, 1)
  await until('the idle connection is closed', () => backend.open === 0)
  assert.equal((await client.request(get('/'))).status, 200)
})

leakTest('a pipeline is answered in order, whichever answer is ready first', async (scope) => {
  const { client } = await acting(scope)
  const delays = [60, 0, 30, 0, 10]
  client.write(delays.map((delay, i) => get(`/${i}`, { 'X-Act-Delay': delay })).join(''))
  for (const i of delays.keys()) assert.equal((await client.reply()).body.toString(), `GET /${i}`)
})

const pipeline: readonly (readonly [method: string, bytes: string, body: string])[] = [
  ['GET', get('/1'), 'GET /1'],
  ['POST', post('/2', 'length', { 'X-Act-Echo': 1 }), 'length'],
  ['POST', `${postChunked('/3', { 'X-Act-Echo': 1 })}${chunk('chun')}${chunk('ked')}${lastChunk}`, 'chunked'],
  ['HEAD', get('/4').replace('GET', 'HEAD'), ''],
  ['GET', get('/5', { 'X-Act-Status': 204, 'X-Act-Size': 0 }), ''],
  ['POST', post('/6', '', { 'X-Act-Chunks': 2, 'X-Act-Body': 'xyz' }), 'xyz'],
  ['GET', get('/7', { 'X-Act-Size': 100_000 }), filled(100_000).toString()],
  ['GET', get('/8'), 'GET /8'],
]

leakTest('a pipeline of mixed messages in one write keeps its boundaries', async (scope) => {
  const { backend, client } = await acting(scope)
  client.write(
    Array.from({ length: 3 }, () => pipeline)
      .flat()
      .map(([, bytes]) => bytes)
      .join(''),
  )
  for (let round = 0; round < 3; round++) {
    for (const [method, bytes, body] of pipeline) {
      assertSameBytes((await client.reply(method)).body, Buffer.from(body), bytes)
    }
  }
  assert.equal(backend.requests.length, 24)
  assert.equal(backend.connections, 1)
})

leakTest('the same pipeline byte by byte', async (scope) => {
  const { client } = await acting(scope)
  const dripping = drip(client.socket, pipeline.map(([, bytes]) => bytes).join(''))
  for (const [method, bytes, body] of pipeline) {
    assertSameBytes((await client.reply(method)).body, Buffer.from(body), bytes)
  }
  await dripping
})

leakTest('a long pipeline does not run out of stack', async (scope) => {
  const { client } = await acting(scope)
  const count = 2000
  client.write(get('/', { 'X-Act-Status': 204 }).repeat(count))
  for (let i = 0; i < count; i++) assert.equal((await client.reply()).status, 204)
})

leakTest('nor one whose answers are all made by the proxy itself', async (scope) => {
  const { client } = await acting(scope)
  const count = 5000
  client.write(`OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n`.repeat(count))
  for (let i = 0; i < count; i++) assert.equal((await client.reply('OPTIONS')).status, 204)
})

leakTest('Connection: close of the client is for its own connection only', async (scope) => {
  const { backend, client, open } = await acting(scope)
  const reply = await client.request(get('/1', { Connection: 'close' }))
  assert.equal(fieldValue(reply, 'connection'), 'close')
  assert.equal(await client.ended(), 'fin')
  assert.deepEqual(seenValues(backend.requests[0], 'connection'), [])
  assert.equal((await (await open()).request(get('/2'))).status, 200)
  assert.equal(backend.connections, 1)
})

leakTest('what is pipelined behind Connection: close is not served', async (scope) => {
  const { backend, client } = await acting(scope)
  client.write(get('/1', { Connection: 'close' }) + get('/2'))
  assert.equal((await client.reply()).body.toString(), 'GET /1')
  assert.equal((await client.read()).kind, 'closed')
  assert.equal(backend.requests.length, 1)
})

leakTest('Connection: close of the backend is for its own connection only', async (scope) => {
  const { backend, client } = await acting(scope)
  const first = await client.request(get('/1', { 'X-Act-Close': 1 }))
  assert.equal(fieldValue(first, 'connection'), undefined)
  assert.equal((await client.request(get('/2'))).status, 200)
  assert.equal(backend.connections, 2)
})

leakTest('an idle client connection is closed after limits.idle_timeout, without a word', async (scope) => {
  const { client } = await acting(scope, { limits: { idle_timeout: '100ms' } })
  assert.equal((await client.request(get('/'))).status, 200)
  assert.equal(await client.ended(), 'fin')
  assert.equal(client.unread.length, 0)
})

leakTest('so is one that never sent anything', async (scope) => {
  const { client } = await acting(scope, { limits: { idle_timeout: '100ms' } })
  assert.equal(await client.ended(), 'fin')
  assert.equal(client.received.length, 0)
})

// --- HTTP/1.0 ---

leakTest('an HTTP/1.0 client without keep-alive gets its answer and the end of the connection', async (scope) => {
  const { backend, client } = await acting(scope)
  const reply = await client.request('GET /old HTTP/1.0\r\nHost: t.example\r\n\r\n')
  assert.equal(reply.body.toString(), 'GET /old')
  assert.equal(fieldValue(reply, 'connection'), 'close')
  assert.equal(await client.ended(), 'fin')
  assert.equal(backend.requests[0]?.version, '1.1')
})

leakTest('an HTTP/1.0 client that asks for keep-alive is told that it is granted', async (scope) => {
  const { backend, client } = await acting(scope)
  for (let i = 0; i < 3; i++) {
    const reply = await client.request(`GET /${i} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`)
    assert.equal(reply.body.toString(), `GET /${i}`)
    assert.equal(fieldValue(reply, 'connection'), 'keep-alive')
  }
  assert.equal(backend.connections, 1)
})

leakTest('an HTTP/1.0 request without Host reaches the backend with the address of the backend', async (scope) => {
  const { backend, client } = await acting(scope)
  await client.request('GET / HTTP/1.0\r\n\r\n')
  assert.deepEqual(seenValues(backend.requests[0], 'host'), [`127.0.0.1:${backend.port}`])
  assert.deepEqual(seenValues(backend.requests[0], 'x-forwarded-host'), [])
})

for (const connection of ['close', 'keep-alive']) {
  leakTest(
    `an HTTP/1.0 client (${connection}) gets a long chunked answer without chunks, ended by FIN`,
    async (scope) => {
      const { client } = await acting(scope)
      const act = 'X-Act-Size: 300000\r\nX-Act-Chunks: 7\r\nX-Act-Trailers: X-T=1'
      const reply = await client.request(`GET / HTTP/1.0\r\nConnection: ${connection}\r\n${act}\r\n\r\n`)
      assert.equal(reply.framing, 'close')
      assertSameBytes(reply.body, filled(300_000, 7))
      assert.deepEqual([...fieldValues(reply, 'transfer-encoding'), ...fieldValues(reply, 'trailer')], [])
    },
  )
}

leakTest('an HTTP/1.0 client that keeps alive gets a chunked answer that came whole with a length', async (scope) => {
  const { client } = await scripted(scope, [
    [request(), write(`${answerChunked()}${chunk('hel')}${chunk('lo')}${lastChunk}`), request(), write(answer('two'))],
  ])
  const keep = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'
  const first = await client.request(keep)
  assert.equal(first.body.toString(), 'hello')
  assert.equal(fieldValue(first, 'content-length'), '5')
  assert.equal((await client.request(keep)).body.toString(), 'two')
})

leakTest('an HTTP/1.0 client sees no interim answer', async (scope) => {
  const { client } = await acting(scope)
  client.write('GET / HTTP/1.0\r\nX-Act-1xx: 103\r\n\r\n')
  const reply = await client.reply()
  assert.equal(reply.status, 200)
  assert.equal(reply.interim.length, 0)
})

leakTest('an HTTP/1.0 backend connection is kept only where the backend says so', async (scope) => {
  const body = (text: string, more = ''): string => `HTTP/1.0 200 OK\r\n${more}Content-Length: 3\r\n\r\n${text}`
  const { backend, client } = await scripted(scope, [
    [request(), write(body('one', 'Connection: keep-alive\r\n')), request(), write(body('two'))],
    [request(), write('HTTP/1.0 200 OK\r\n\r\nthree'), fin()],
    [request(), write(body('4th'))],
  ])
  for (const text of ['one', 'two', 'three', '4th']) {
    const reply = await client.request(get('/'))
    assert.equal(reply.body.toString(), text)
    assert.equal(reply.startLine, 'HTTP/1.1 200 OK')
  }
  assert.equal(backend.connections.length, 3)
})
