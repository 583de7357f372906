// A proxy handler inside node:http, Express, Fastify and Hono: what goes through a listener of our own goes through them.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { startActingBackend } from '../support/acting-backend.ts'
import { before, type HostKind, hostKinds, startHost } from '../support/hosts.ts'
import { fieldValue, fieldValues } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { answer, answerChunked, chunk, get, lastChunk, post, postChunked } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import { Random } from '../support/random.ts'
import { RawClient } from '../support/raw-client.ts'
import { fin, head, request, rst, type Script, startScriptedBackend, wait, write } from '../support/scripted-backend.ts'
import { assertSameBytes, filled, seenValues } from '../support/stand.ts'
import { deferred, until } from '../support/wait.ts'

const MIB = 1024 * 1024

async function acting(scope: Scope, kind: HostKind, pool: object = {}) {
  const backend = scope.use(await startActingBackend())
  const host = await startHost(scope, kind, before([backend.url], pool))
  const open = async (): Promise<RawClient> => scope.use(await RawClient.open(host.port))
  return { backend, host, open, client: await open() }
}

async function scripted(scope: Scope, kind: HostKind, scripts: readonly Script[], pool: object = {}) {
  const backend = scope.use(await startScriptedBackend(scripts))
  const host = await startHost(scope, kind, before([backend.url], pool))
  return { backend, host, client: scope.use(await RawClient.open(host.port)) }
}

for (const kind of hostKinds) {
  leakTest(`${kind}: fields as the client wrote them, ours added, those of the connection taken off`, async (scope) => {
    const { backend, client } = await acting(scope, kind)
    const fields = { 'X-CaSe': 'a', Connection: 'close, X-Hop', 'X-Hop': '1', 'X-Forwarded-For': '9.9.9.9' }
    const text = get('/p%61th?q=%20', fields).replace('X-CaSe: a', 'X-CaSe: a\r\nX-Twice: 1\r\nX-Twice: 2')
    const reply = await client.request(text)
    assert.equal(reply.status, 200)
    assert.equal(reply.body.toString(), 'GET /p%61th?q=%20')
    const [seen] = backend.requests
    assert.ok(seen?.fields.some(([name]) => name === 'X-CaSe'))
    assert.deepEqual(seenValues(seen, 'x-twice'), ['1', '2'])
    assert.deepEqual(seenValues(seen, 'host'), ['t.example'])
    assert.deepEqual(seenValues(seen, 'x-hop'), [])
    assert.deepEqual(seenValues(seen, 'connection'), [])
    assert.deepEqual(seenValues(seen, 'x-forwarded-for'), ['127.0.0.1'])
    assert.deepEqual(seenValues(seen, 'x-forwarded-proto'), ['http'])
    assert.deepEqual(seenValues(seen, 'x-forwarded-host'), ['t.example'])
    assert.equal(fieldValue(reply, 'via'), '1.1 frontdesk')
    assert.equal(await client.ended(), 'fin')
  })

  leakTest(
    `${kind}: several fields of one name come back as several, and bytes beyond ASCII as they are`,
    async (scope) => {
      const raw =
        'HTTP/1.1 200 Fine\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Raw: caf\xc3\xa9\r\nVary: a\r\nVary: b\r\n'
      const more = 'Content-Disposition: attachment; filename="\xe2\x82\xac"\r\nContent-Length: 2\r\n\r\nok'
      const { client } = await scripted(scope, kind, [[request(), write(raw + more)]])
      const reply = await client.request(get('/'))
      assert.equal(reply.startLine, 'HTTP/1.1 200 Fine')
      assert.deepEqual(fieldValues(reply, 'set-cookie'), ['a=1', 'b=2'])
      assert.deepEqual(fieldValues(reply, 'vary'), ['a', 'b'])
      assert.equal(fieldValue(reply, 'x-raw'), 'caf\xc3\xa9')
      assert.equal(fieldValue(reply, 'content-disposition'), 'attachment; filename="\xe2\x82\xac"')
      assert.equal(fieldValue(reply, 'transfer-encoding'), undefined)
      assert.equal(reply.body.toString(), 'ok')
    },
  )

  leakTest(`${kind}: many requests on one connection`, async (scope) => {
    const { backend, client } = await acting(scope, kind)
    for (let n = 0; n < 20; n++) assert.equal((await client.request(get(`/${n}`))).body.toString(), `GET /${n}`)
    assert.equal(backend.connections, 1)
    client.write(get('/a') + get('/b') + post('/c', 'body') + get('/d'))
    for (const body of ['GET /a', 'GET /b', 'POST /c', 'GET /d'])
      assert.equal((await client.reply()).body.toString(), body)
  })

  leakTest(`${kind}: bodies of any size up, with a length and in chunks`, async (scope) => {
    const { backend, client } = await acting(scope, kind)
    const random = new Random()
    for (const size of [0, 1, 4096, 65_536, 65_537, MIB]) {
      const bytes = random.bytes(size)
      const hash = createHash('sha256').update(bytes).digest('hex')
      client.write(`POST / HTTP/1.1\r\nHost: t\r\nContent-Length: ${size}\r\n\r\n`)
      for (const piece of random.pieces(bytes)) client.write(piece)
      await client.reply('POST')
      client.write(postChunked('/'))
      for (const piece of random.pieces(bytes)) {
        client
          .write(`${piece.length.toString(16)}\r\n`)
          .write(piece)
          .write('\r\n')
      }
      client.write(`0\r\nX-Sum: ${size}\r\n\r\n`)
      await client.reply('POST')
      for (const seen of backend.requests.splice(0)) assert.equal(seen.bodyHash, hash, `${size}, seed ${random.seed}`)
    }
  })

  leakTest(`${kind}: bodies of any size down, with a length, in chunks and until the end`, async (scope) => {
    const { client } = await acting(scope, kind)
    for (const size of [0, 1, 4096, 65_536, 65_537, MIB]) {
      for (const fields of [{}, { 'x-act-chunks': 7 }, { 'x-act-until-close': 1 }] as const) {
        const reply = await client.request(get('/', { 'x-act-size': size, ...fields }))
        const chunks = 'x-act-chunks' in fields ? 7 : 0
        assertSameBytes(reply.body, filled(size, chunks), `${size} ${JSON.stringify(fields)}`)
      }
    }
  })

  leakTest(`${kind}: trailers both ways`, async (scope) => {
    const { backend, client } = await acting(scope, kind)
    const fields = { 'x-act-trailers': 'x-sum=7', 'x-act-header': 'trailer=x-sum', TE: 'trailers' }
    client.write([postChunked('/', { Trailer: 'X-Up', ...fields }), chunk('body'), '0\r\nX-Up: 1\r\n\r\n'].join(''))
    const reply = await client.reply('POST')
    assert.deepEqual(reply.trailers, [['x-sum', '7']])
    assert.deepEqual(backend.requests[0]?.trailers, [['X-Up', '1']])
  })

  leakTest(`${kind}: HEAD, 204, 205 and 304 have no body and lose no field`, async (scope) => {
    const { client } = await acting(scope, kind)
    const headOnly = await client.request(get('/', { 'x-act-size': 4321 }).replace('GET', 'HEAD'), 'HEAD')
    assert.equal(fieldValue(headOnly, 'content-length'), '4321')
    for (const status of [204, 304]) {
      const reply = await client.request(get('/', { 'x-act-status': status, 'x-act-header': 'etag="x"' }))
      assert.equal(reply.status, status)
      assert.equal(fieldValue(reply, 'etag'), '"x"')
      assert.equal(reply.body.length, 0)
    }
    assert.equal((await client.request(get('/after'))).body.toString(), 'GET /after')
  })

  leakTest(`${kind}: interim answers are passed on`, async (scope) => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'
    const { client } = await scripted(scope, kind, [[request(), write(hints + answer('ok'))]])
    const reply = await client.request(get('/'))
    assert.equal(reply.interim[0]?.startLine, 'HTTP/1.1 103 Early Hints')
    assert.equal(fieldValue(reply.interim[0]!, 'link'), '</a.css>; rel=preload')
    assert.equal(reply.body.toString(), 'ok')
  })

  leakTest(`${kind}: the head of an answer and each event go out when they come (SSE)`, async (scope) => {
    const first = deferred()
    const second = deferred()
    const events = answerChunked({ 'Content-Type': 'text/event-stream' })
    const script = [request(), write(events), wait(first.promise), write(chunk('data: 1\n\n')), wait(second.promise)]
    const { client } = await scripted(scope, kind, [[...script, write(chunk('data: 2\n\n') + lastChunk)]])
    client.write(get('/'))
    await until('the head is there', () => client.received.includes('\r\n\r\n'))
    first.resolve()
    await until('the first event is there', () => client.received.includes('data: 1'))
    assert.ok(!client.received.includes('data: 2'))
    second.resolve()
    assert.equal((await client.reply()).body.toString(), 'data: 1\n\ndata: 2\n\n')
  })

  leakTest(`${kind}: a client that does not read stops the backend`, async (scope) => {
    let sent = 0
    const backend = await listening(scope, (socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * MIB}\r\n\r\n`)
        pump(socket, 64 * MIB, (count) => (sent += count))
      })
    })
    const host = await startHost(scope, kind, before([backend]))
    const socket = connect(host.port, '127.0.0.1')
    scope.defer(() => socket.destroy())
    socket.pause()
    socket.write(get('/'))
    const stuck = await standstill(() => sent)
    assert.ok(stuck < 24 * MIB, `${stuck} bytes were taken from the backend while nobody read them`)
    let got = 0
    socket.on('data', (bytes: Buffer) => (got += bytes.length))
    socket.resume()
    await until('the rest has come', () => got > 64 * MIB)
  })

  leakTest(`${kind}: a backend that does not read stops the client`, async (scope) => {
    for (const isChunked of [false, true]) {
      let got = 0
      let socketOfBackend: Socket | undefined
      const backend = await listening(scope, (socket) => {
        socketOfBackend = socket
        socket.pause()
        socket.on('data', (bytes: Buffer) => {
          got += bytes.length
          if (got > 64 * MIB) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
        })
        socket.pause()
      })
      const host = await startHost(scope, kind, before([backend]))
      const client = scope.use(await RawClient.open(host.port))
      client.write(isChunked ? `${postChunked('/')}${(64 * MIB).toString(16)}\r\n` : post('/', '', {}, 64 * MIB))
      let sent = 0
      pump(client.socket, 64 * MIB, (count) => (sent += count))
      const stuck = await standstill(() => sent)
      assert.ok(stuck < 24 * MIB, `${stuck} bytes were taken from the client while nobody read them`)
      socketOfBackend?.resume()
      if (isChunked) await until('all is sent', () => sent === 64 * MIB)
      if (isChunked) client.write(`\r\n${lastChunk}`)
      assert.equal((await client.reply('POST')).body.toString(), 'ok')
    }
  })

  leakTest(`${kind}: a client that goes away takes its request to the backend with it, at any time`, async (scope) => {
    const { backend, open, host } = await acting(scope, kind)
    const waiting = await open()
    waiting.write(get('/', { 'x-act-hold': 'for ever' }))
    await until('it is at the backend', () => backend.active === 1)
    waiting.reset()
    await until('the backend is rid of it', () => backend.aborted === 1 && backend.active === 0)
    const reading = await open()
    reading.write(get('/', { 'x-act-size': 64 * MIB }))
    await until('the answer has begun', () => reading.received.length > 0)
    reading.reset()
    await until('the backend is rid of it, too', () => backend.aborted === 2 && backend.active === 0)
    const sending = await open()
    sending.write(post('/', 'only a part', {}, MIB))
    await until('the body is on its way', () => backend.active === 1)
    sending.reset()
    await until('and of this one', () => backend.aborted === 3 && backend.active === 0)
    assert.equal(host.handler.status().backends[0]?.errors, 0)
  })

  for (const [how, framing, end] of [
    ['a length', answer('part', {}, '200 OK', 100), fin()],
    ['a length', answer('part', {}, '200 OK', 100), rst()],
    ['chunks', answerChunked() + chunk('part'), fin()],
    ['chunks', answerChunked() + chunk('part'), rst()],
  ] as const) {
    leakTest(`${kind}: an answer with ${how} that the backend cuts (${end.step}) is no complete one`, async (scope) => {
      const { client } = await scripted(scope, kind, [[request(), write(framing), end]])
      const outcome = await client.write(get('/')).read()
      assert.equal(outcome.kind, 'closed')
    })
  }

  leakTest(
    `${kind}: what the backend sends that is no HTTP is a 502, and a server that is down a 503`,
    async (scope) => {
      const { client } = await scripted(scope, kind, [
        [request(), write('HTTP/1.1 200 OK\r\nbroken\r\n\r\nrest'), fin()],
      ])
      const reply = await client.request(get('/'))
      assert.equal(reply.status, 502)
      assert.match(fieldValue(reply, 'proxy-status') ?? '', /^frontdesk; error=/)
      const down = await startHost(scope, kind, before([`http://127.0.0.1:${await refusingPort()}`]))
      const other = scope.use(await RawClient.open(down.port))
      assert.equal((await other.request(get('/'))).status, 503)
    },
  )

  leakTest(`${kind}: a refused connection is tried at another backend, body and all`, async (scope) => {
    const backend = scope.use(await startActingBackend())
    const host = await startHost(scope, kind, before([`http://127.0.0.1:${await refusingPort()}`, backend.url]))
    const client = scope.use(await RawClient.open(host.port))
    for (let n = 0; n < 4; n++) {
      const reply = await client.request(post('/', 'some body', { 'x-act-echo': 1 }), 'POST')
      assert.equal(reply.body.toString(), 'some body')
    }
  })

  leakTest(`${kind}: routes, redirects and fixed answers`, async (scope) => {
    const backend = scope.use(await startActingBackend())
    const host = await startHost(scope, kind, {
      pools: { api: { backends: [backend.url] } },
      routes: [
        { name: 'api', match: { path: '/api/*' }, pool: 'api', strip_prefix: '/api' },
        { name: 'old', match: { path: '/old/*' }, redirect: { to: '/api/{path}', status: 308 } },
        { name: 'hello', match: { path: '/hello' }, respond: { status: 200, body: 'hello' } },
      ],
    })
    const client = scope.use(await RawClient.open(host.port))
    assert.equal((await client.request(get('/api/users?id=1'))).body.toString(), 'GET /users?id=1')
    const moved = await client.request(get('/old/users'))
    assert.deepEqual([moved.status, fieldValue(moved, 'location')], [308, '/api/users'])
    assert.equal((await client.request(get('/hello'))).body.toString(), 'hello')
    assert.equal((await client.request(get('/nowhere'))).status, 404)
  })

  leakTest(`${kind}: an answer before the end of the request, and the connection goes on`, async (scope) => {
    const { client } = await scripted(scope, kind, [
      [head(), write(answer('no', { Connection: 'close' }, '403 No')), fin()],
    ])
    client.write(post('/', 'x'.repeat(1000), {}, 200_000))
    assert.equal((await client.reply('POST')).status, 403)
    client.write('x'.repeat(199_000) + get('/next'))
    assert.equal((await client.reply()).status, 403)
  })

  leakTest(`${kind}: WebSockets through the server's upgrade event`, async (scope) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    server.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    })
    scope.defer(() => {
      for (const socket of server.clients) socket.terminate()
      return new Promise((resolve) => server.close(resolve))
    })
    const host = await startHost(scope, kind, before([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]))
    const socket = new WebSocket(`ws://127.0.0.1:${host.port}/chat`)
    scope.defer(() => socket.terminate())
    await once(socket, 'open')
    const random = new Random()
    for (const size of [0, 1, 125, 65_536, MIB]) {
      const data = random.bytes(size)
      socket.send(data)
      const [back] = (await once(socket, 'message')) as [Buffer]
      assertSameBytes(back, data, `${size} bytes, seed ${random.seed}`)
    }
    socket.close()
    await once(socket, 'close')
    await until('the backend has seen it', () => server.clients.size === 0)
  })
}

async function listening(scope: Scope, accept: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    accept(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Writes so many bytes as fast as they are taken. */
function pump(socket: Socket, total: number, onSent: (count: number) => void): void {
  const block = Buffer.alloc(65_536, 'x')
  let left = total
  const more = (): void => {
    while (left > 0) {
      const size = Math.min(left, block.length)
      left -= size
      onSent(size)
      if (!socket.write(size === block.length ? block : block.subarray(0, size))) {
        socket.once('drain', more)
        return
      }
    }
  }
  more()
}

/** The value once it has not changed for a while. */
async function standstill(value: () => number): Promise<number> {
  let last = -1
  let since = performance.now()
  await until('nothing moves', () => {
    if (value() !== last || last === 0) {
      last = value()
      since = performance.now()
    }
    return performance.now() - since > 200
  })
  return last
}
