// A proxy handler and the program around it: what the program changes, mounts, filters, parses and ends.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect as connectHttp2, constants, createSecureServer as createHttp2Server } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import express from 'express'
import { fastify } from 'fastify'
import { ConfigError } from '../../src/config/problem.ts'
import type { ProxyHandler } from '../../src/embed/handler.ts'
import { HandlerError } from '../../src/embed/handler-error.ts'
import { proxyHandler } from '../../src/embed/proxy-handler.ts'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { haveOpenssl, makeCertificates } from '../support/certificates.ts'
import { fickleClients } from '../support/fickle-clients.ts'
import { before, type Host, listenHost, startHost } from '../support/hosts.ts'
import { fieldValue } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { answer, answerChunked, chunk, get, post } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { fin, head, request, type Script, startScriptedBackend, wait, write } from '../support/scripted-backend.ts'
import { seenValues } from '../support/stand.ts'
import { deferred, until } from '../support/wait.ts'

type Listener = (req: IncomingMessage, res: ServerResponse, handler: ProxyHandler) => void

/** An acting backend, and a server of the test's own in front of it. */
async function around(
  scope: Scope,
  listener: Listener,
  options: Parameters<typeof proxyHandler>[1] = {},
): Promise<{ backend: ActingBackend; host: Host; client: RawClient }> {
  const backend = scope.use(await startActingBackend())
  const handler = proxyHandler(before([backend.url]), options)
  const host = await listenHost(
    scope,
    createServer((req, res) => listener(req, res, handler)),
    handler,
  )
  return { backend, host, client: scope.use(await RawClient.open(host.port)) }
}

// --- what the program does to requests and answers ---

leakTest('what the program changes, adds and deletes in req.headers is what backends get', async (scope) => {
  const { backend, client } = await around(scope, (req, res, handler) => {
    delete req.headers.authorization
    req.headers['x-user'] = 'alice'
    req.headers['x-changed'] = 'b'
    req.headers['x-list'] = ['1', '2']
    handler(req, res)
  })
  const sent = { Authorization: 'secret', 'X-Changed': 'a', 'X-Kept': 'k', 'X-User': 'mallory' }
  assert.equal((await client.request(get('/', sent))).status, 200)
  const [seen] = backend.requests
  assert.deepEqual(seenValues(seen, 'authorization'), [])
  assert.deepEqual(seenValues(seen, 'x-user'), ['alice'])
  assert.deepEqual(seenValues(seen, 'x-changed'), ['b'])
  assert.deepEqual(seenValues(seen, 'x-list'), ['1', '2'])
  assert.deepEqual(seenValues(seen, 'x-kept'), ['k'])
})

leakTest(
  'of fields that Node shows the program once, the backend gets the one that the program has seen',
  async (scope) => {
    const seenByProgram: unknown[] = []
    const { backend, client } = await around(scope, (req, res, handler) => {
      seenByProgram.push(req.headers.authorization)
      handler(req, res)
    })
    await client.request(get('/').replace('Host', 'Authorization: a\r\nAuthorization: b\r\nHost'))
    assert.deepEqual(seenValues(backend.requests[0], 'authorization'), seenByProgram)
    assert.equal((await client.request(get('/').replace('Host', 'Host: other\r\nHost'))).status, 400)
  },
)

leakTest('a value with a line break never reaches a backend', async (scope) => {
  const { backend, client } = await around(scope, (req, res, handler) => {
    if (req.url === '/field') req.headers['x-user'] = 'a\r\nX-Admin: 1'
    if (req.url === '/name') req.headers['x-user\r\nx-admin'] = '1'
    if (req.url === '/wide') req.headers['x-user'] = 'a\u010d\u010aX-Admin: 1'
    if (req.url === '/url') req.url = '/a HTTP/1.1\r\nX-Admin: 1\r\nX-Rest:'
    if (req.url === '/wide-url') req.url = '/a\u0120HTTP/1.1\u010d\u010aX-Admin:'
    if (req.url === '/method') req.method = 'GET / HTTP/1.1\r\nX-Admin:'
    handler(req, res)
  })
  for (const target of ['/field', '/name', '/wide', '/url', '/wide-url', '/method']) {
    assert.equal((await client.request(get(target))).status, 400, target)
  }
  assert.equal(backend.requests.length, 0)
})

leakTest('fields that the program has set go out too, unless the backend says them', async (scope) => {
  const { client } = await around(scope, (req, res, handler) => {
    res.setHeader('X-Program', '1')
    res.setHeader('X-Backend', 'program')
    res.setHeader('Content-Length', '999')
    res.setHeader('Transfer-Encoding', 'chunked')
    handler(req, res)
  })
  const reply = await client.request(get('/'))
  assert.equal(fieldValue(reply, 'x-program'), '1')
  assert.notEqual(fieldValue(reply, 'x-backend'), 'program')
  assert.equal(reply.body.toString(), 'GET /')
})

leakTest('an answer that the program has begun is not mixed with another one', async (scope) => {
  const { backend, client } = await around(scope, (req, res, handler) => {
    res.writeHead(200)
    res.write('mine')
    handler(req, res)
  })
  assert.equal((await client.write(get('/')).read()).kind, 'closed')
  assert.equal(backend.requests.length, 0)
})

leakTest('an answer that the program ends meanwhile stays its own', async (scope) => {
  const { backend, client } = await around(scope, (req, res, handler) => {
    handler(req, res)
    if (req.url === '/mine') res.end('mine')
  })
  assert.equal((await client.request(get('/mine', { 'x-act-hold': 'it' }))).body.toString(), 'mine')
  backend.release('it')
  assert.equal(
    (await RawClient.open(client.socket.remotePort!).then((other) => scope.use(other).request(get('/')))).status,
    200,
  )
})

// --- Express ---

leakTest('under a mount path: the rest by default, the whole URL if wanted', async (scope) => {
  for (const [url, expected] of [
    ['rest', 'GET /users?a=1'],
    ['original', 'GET /api/users?a=1'],
  ] as const) {
    const backend = scope.use(await startActingBackend())
    const handler = proxyHandler(before([backend.url]), { url })
    const app = express().use('/api', handler)
    const host = await listenHost(scope, createServer(app), handler)
    const client = scope.use(await RawClient.open(host.port))
    assert.equal((await client.request(get('/api/users?a=1'))).body.toString(), expected)
    assert.equal((await client.request(get('/other'))).status, 404)
  }
})

leakTest(
  'behind express.json() a request is refused with words that help, or sent again with the option body',
  async (scope) => {
    const backend = scope.use(await startActingBackend())
    const refusing = proxyHandler(before([backend.url]))
    const errors: unknown[] = []
    const app = express()
      .use(express.json())
      .use('/refuse', refusing)
      .use((error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
        errors.push(error)
        res.status(500).end('told')
      })
    const host = await listenHost(scope, createServer(app), refusing)
    const client = scope.use(await RawClient.open(host.port))
    const json = { 'Content-Type': 'application/json' }
    const reply = await client.request(post('/refuse', '{"a": 1}', json), 'POST')
    assert.equal(reply.body.toString(), 'told')
    assert.ok(errors[0] instanceof HandlerError)
    assert.deepEqual([errors[0].code, errors[0].status], ['body-consumed', 500])
    assert.match(errors[0].message, /before express\.json\(\)/)
    // Nothing was there to be read.
    assert.equal((await client.request(get('/refuse'))).status, 200)
    assert.equal((await client.request(post('/refuse', ''), 'POST')).status, 200)

    const sending = proxyHandler(before([backend.url]), {
      body: (req) => ('body' in req && req.body !== undefined ? JSON.stringify(req.body) : undefined),
    })
    const second = await listenHost(scope, createServer(express().use(express.json()).use(sending)), sending)
    const other = scope.use(await RawClient.open(second.port))
    const echoed = await other.request(post('/', '{"a":   1}', { ...json, 'x-act-echo': 1 }), 'POST')
    assert.equal(echoed.body.toString(), '{"a":1}')
    assert.equal((await other.request(post('/', 'text', { 'x-act-echo': 1 }), 'POST')).body.toString(), 'text')
  },
)

leakTest('what is not the filter\u2019s goes to the next handler', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const handler = proxyHandler(before([backend.url]), { filter: ({ url = '' }) => url.startsWith('/api') })
  const app = express()
    .use(handler)
    .use((_req, res) => void res.end('next'))
  const host = await listenHost(scope, createServer(app), handler)
  const client = scope.use(await RawClient.open(host.port))
  assert.equal((await client.request(get('/api'))).body.toString(), 'GET /api')
  assert.equal((await client.request(get('/page'))).body.toString(), 'next')
  const alone = await listenHost(scope, createServer(handler), handler)
  assert.equal((await scope.use(await RawClient.open(alone.port)).request(get('/page'))).status, 404)
})

// --- Fastify ---

leakTest('as a plug-in under a prefix, beside routes whose bodies are parsed', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const handler = proxyHandler(before([backend.url]))
  const app = fastify({ forceCloseConnections: true })
  scope.defer(() => handler.close({ graceMs: 0 }))
  scope.defer(() => app.close())
  await app.register(handler.fastify, { prefix: '/api' })
  app.post('/own', (request) => ({ got: request.body }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const client = scope.use(await RawClient.open((app.server.address() as AddressInfo).port))
  const json = { 'Content-Type': 'application/json', 'x-act-echo': 1 }
  assert.equal((await client.request(post('/api/x', '{"a":  1}', json), 'POST')).body.toString(), '{"a":  1}')
  assert.equal((await client.request(post('/own', '{"a":  1}', json), 'POST')).body.toString(), '{"got":{"a":1}}')
  assert.equal((await client.request(get('/api'))).body.toString(), 'GET /api')
  assert.equal((await client.request(get('/api/'))).body.toString(), 'GET /api/')
})

// --- HTTP/1.0, TLS, HTTP/2 ---

leakTest('an HTTP/1.0 client gets what it understands, and a reset where an answer was cut', async (scope) => {
  const scripts: Script[] = [
    [request(), write(`${answerChunked()}${chunk('whole')}0\r\nX-T: 1\r\n\r\n`)],
    [request(), write(`${answerChunked()}${chunk('part')}`), fin()],
  ]
  const backend = scope.use(await startScriptedBackend(scripts))
  const host = await startHost(scope, 'node:http', before([backend.url], { keepalive: { max_idle: 0 } }))
  const text = 'GET / HTTP/1.0\r\nHost: t.example\r\n\r\n'
  const whole = await scope.use(await RawClient.open(host.port)).request(text)
  assert.equal(whole.body.toString(), 'whole')
  assert.equal(whole.framing, 'close')
  const cut = await scope
    .use(await RawClient.open(host.port))
    .write(text)
    .read()
  assert.deepEqual([cut.kind, cut.kind === 'closed' && cut.how], ['closed', 'rst'])
})

leakTest('over TLS backends are told so', async (scope) => {
  if (!(await haveOpenssl())) return scope.t.skip('no openssl')
  const certificates = await makeCertificates()
  scope.defer(() => certificates.remove())
  const backend = scope.use(await startActingBackend())
  const handler = proxyHandler(before([backend.url]))
  const server = createHttpsServer({ cert: certificates.cert, key: certificates.key }, handler)
  const host = await listenHost(scope, server, handler)
  const socket = connectTls({ port: host.port, host: '127.0.0.1', ca: certificates.ca, servername: 'localhost' })
  await once(socket, 'secureConnect')
  const client = scope.use(new RawClient(socket))
  assert.equal((await client.request(get('/'))).status, 200)
  assert.deepEqual(seenValues(backend.requests[0], 'x-forwarded-proto'), ['https'])
})

leakTest('HTTP/2 by Node\u2019s compatibility API: bodies, trailers, Host, and a cut that is seen', async (scope) => {
  if (!(await haveOpenssl())) return scope.t.skip('no openssl')
  const certificates = await makeCertificates()
  scope.defer(() => certificates.remove())
  const backend = scope.use(await startActingBackend())
  const handler = proxyHandler(before([backend.url]))
  const server = createHttp2Server({ cert: certificates.cert, key: certificates.key, allowHTTP1: true }, handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => handler.close({ graceMs: 0 }))
  scope.defer(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  const session = connectHttp2(`https://localhost:${port}`, { ca: certificates.ca })
  scope.defer(() => new Promise<void>((resolve) => session.close(resolve)))
  const ask = async (
    fields: object,
    body = '',
  ): Promise<{ status: unknown; text: string; trailers: object; code: number }> => {
    const stream = session.request({ ':path': '/p', ...fields }, { endStream: body === '' })
    if (body !== '') stream.end(body)
    let status: unknown
    let trailers = {}
    let text = ''
    stream.on('response', (got) => (status = got[':status']))
    stream.on('trailers', (got) => (trailers = got))
    stream.on('data', (bytes: Buffer) => (text += bytes))
    stream.on('error', () => {})
    await new Promise((resolve) => stream.on('close', resolve))
    return { status, text, trailers, code: stream.rstCode ?? 0 }
  }
  assert.deepEqual(await ask({}), { status: 200, text: 'GET /p', trailers: {}, code: 0 })
  assert.deepEqual(seenValues(backend.requests[0], 'host'), [`localhost:${port}`])
  assert.deepEqual(seenValues(backend.requests[0], 'transfer-encoding'), [])
  assert.equal((await ask({ ':method': 'POST', 'x-act-echo': '1' }, 'body')).text, 'body')
  const withTrailers = await ask({ 'x-act-trailers': 'x-sum=1', 'x-act-header': 'trailer=x-sum' })
  assert.deepEqual(Object.entries(withTrailers.trailers), [['x-sum', '1']])
  const cut = await ask({ 'x-act-size': '100000', 'x-act-cut': '50000' })
  assert.equal(cut.code, constants.NGHTTP2_INTERNAL_ERROR)
})

leakTest('a server on a Unix socket: the client has no address to be told of', async (scope) => {
  const folder = await mkdtemp(join(tmpdir(), 'frontdesk-embed-'))
  scope.defer(() => rm(folder, { recursive: true }))
  const backend = scope.use(await startActingBackend())
  const handler = proxyHandler(before([backend.url]))
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve))
  scope.defer(() => handler.close({ graceMs: 0 }))
  scope.defer(() => new Promise((resolve) => server.close(resolve)))
  const socket = connect(join(folder, 's'))
  await once(socket, 'connect')
  const client = scope.use(new RawClient(socket))
  assert.equal((await client.request(get('/', { Connection: 'close' }))).status, 200)
  assert.deepEqual(seenValues(backend.requests[0], 'x-forwarded-for'), [])
})

leakTest('forwarded fields of a trusted proxy are believed', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const config = { ...before([backend.url]), trusted_proxies: ['127.0.0.1'] }
  const host = await startHost(scope, 'node:http', config)
  const client = scope.use(await RawClient.open(host.port))
  await client.request(get('/', { 'X-Forwarded-For': '9.9.9.9', 'X-Forwarded-Proto': 'https' }))
  assert.deepEqual(seenValues(backend.requests[0], 'x-forwarded-for'), ['9.9.9.9, 127.0.0.1'])
  assert.deepEqual(seenValues(backend.requests[0], 'x-forwarded-proto'), ['https'])
})

// --- Expect: 100-continue ---

leakTest(
  'Expect: Node has answered it, unless the program listens for checkContinue: then the backend does',
  async (scope) => {
    const go = deferred()
    const script = [head(), wait(go.promise), write('HTTP/1.1 100 Continue\r\n\r\n'), request(), write(answer('done'))]
    const plain = scope.use(await startScriptedBackend([[request(), write(answer('done'))]]))
    const first = await startHost(scope, 'node:http', before([plain.url]))
    const eager = scope.use(await RawClient.open(first.port))
    eager.write(post('/', '', { Expect: '100-continue' }, 4))
    await until('Node says go on', () => eager.received.includes('100 Continue'))
    eager.write('body')
    assert.equal((await eager.reply('POST')).body.toString(), 'done')
    assert.equal(fieldValue(plain.requests[0]!, 'expect'), undefined)

    const careful = scope.use(await startScriptedBackend([script]))
    const second = await startHost(scope, 'node:http', before([careful.url]))
    second.server.on('checkContinue', second.handler)
    const client = scope.use(await RawClient.open(second.port))
    client.write(post('/', '', { Expect: '100-continue' }, 4))
    await until('the backend is asked', () => careful.connections.length === 1)
    assert.equal(client.received.length, 0)
    go.resolve()
    await until('the backend says go on', () => client.received.includes('100 Continue'))
    client.write('body')
    const reply = await client.reply('POST')
    assert.equal(reply.body.toString(), 'done')
    assert.equal(reply.interim.length, 1)
    assert.equal(fieldValue(careful.requests[0]!, 'expect'), '100-continue')
  },
)

// --- limits ---

leakTest('a body in another coding than chunks is refused, and not passed on as if it were none', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const host = await startHost(scope, 'node:http', before([backend.url]))
  const client = scope.use(await RawClient.open(host.port))
  client.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n')
  assert.equal((await client.reply()).status, 501)
  assert.equal((await client.request(get('/'))).status, 200)
  assert.deepEqual(
    backend.requests.map(({ method }) => method),
    ['GET'],
  )
})

leakTest('limits hold: too many at once, too large a body', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const host = await startHost(scope, 'node:http', {
    ...before([backend.url]),
    limits: { max_connections: 1, body_size: 10 },
  })
  const [one, two] = [scope.use(await RawClient.open(host.port)), scope.use(await RawClient.open(host.port))]
  one.write(get('/', { 'x-act-hold': 'it' }))
  await until('the first is at the backend', () => backend.active === 1)
  const busy = await two.request(get('/'))
  assert.deepEqual([busy.status, fieldValue(busy, 'retry-after')], [503, '1'])
  backend.release('it')
  assert.equal((await one.reply()).status, 200)
  await until('a place is free', () => backend.active === 0)
  assert.equal((await two.request(post('/', 'x'.repeat(11)), 'POST')).status, 413)
})

// --- upgrades ---

leakTest(
  'an upgrade that the backend refuses ends the connection: what follows is not for the proxy alone',
  async (scope) => {
    const backend = scope.use(await startScriptedBackend([[request(), write(answer('no', {}, '403 No'))]]))
    const host = await startHost(scope, 'node:http', before([backend.url]))
    const client = scope.use(await RawClient.open(host.port))
    const upgrade = get('/', { Connection: 'Upgrade', Upgrade: 'websocket' })
    client.write(upgrade + get('/admin'))
    const reply = await client.reply()
    assert.deepEqual([reply.status, fieldValue(reply, 'connection')], [403, 'close'])
    await client.ended()
    assert.equal(backend.requests.length, 1)
  },
)

leakTest('bytes behind an upgrade reach the backend; a body with it is refused', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const host = await startHost(scope, 'node:http', before([backend.url]))
  const client = scope.use(await RawClient.open(host.port))
  const upgrade = get('/', { Connection: 'Upgrade', Upgrade: 'echo' })
  client.write(`${upgrade}early`)
  assert.equal((await client.reply()).status, 101)
  await until('they come back', () => client.unread.toString() === 'early')
  client.end()
  assert.equal(await client.ended(), 'fin')
  const other = scope.use(await RawClient.open(host.port))
  other.write(post('/', 'body', { Connection: 'Upgrade', Upgrade: 'echo' }))
  assert.equal((await other.reply()).status, 400)
})

leakTest('without an upgrade listener the request is an ordinary one', async (scope) => {
  const { backend, client } = await around(scope, (req, res, handler) => handler(req, res))
  const reply = await client.request(
    get('/', { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AA' }),
  )
  assert.equal(reply.status, 200)
  assert.deepEqual(seenValues(backend.requests[0], 'upgrade'), [])
})

leakTest('an upgrade that is not the filter\u2019s is left to others', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const host = await startHost(scope, 'node:http', before([backend.url]), { filter: ({ url }) => url !== '/own' })
  host.server.on('upgrade', (req, socket) => {
    if (req.url === '/own') socket.end('HTTP/1.1 418 Mine\r\nContent-Length: 0\r\n\r\n')
  })
  const client = scope.use(await RawClient.open(host.port))
  assert.equal((await client.request(get('/own', { Connection: 'Upgrade', Upgrade: 'x' }))).status, 418)
})

// --- from start to end ---

leakTest('requests that come before it is ready wait for it', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const handler = proxyHandler(before([backend.url]))
  const host = await listenHost(scope, createServer(handler), handler)
  host.server.on('upgrade', handler.upgrade)
  const [one, two] = [scope.use(await RawClient.open(host.port)), scope.use(await RawClient.open(host.port))]
  const both = [
    one.request(post('/', 'early'), 'POST'),
    two.request(get('/', { Connection: 'Upgrade', Upgrade: 'echo' })),
  ]
  assert.deepEqual(
    (await Promise.all(both)).map(({ status }) => status),
    [200, 101],
  )
  await two.close()
})

leakTest('what cannot start says why to whoever asks', async (scope) => {
  const folder = await mkdtemp(join(tmpdir(), 'frontdesk-embed-'))
  scope.defer(() => rm(folder, { recursive: true }))
  const pool = { backends: ['https://127.0.0.1:1'], tls: { ca: join(folder, 'missing.pem') } }
  const handler = proxyHandler({ pools: { default: pool } })
  await assert.rejects(handler.ready, /missing\.pem/)
  assert.throws(() => handler.status(), { code: 'not-started' })
  const server = createServer(handler).on('upgrade', handler.upgrade)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.defer(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  const client = scope.use(await RawClient.open(port))
  const reply = await client.request(get('/', { Connection: 'close' }))
  assert.equal(reply.status, 503)
  assert.doesNotMatch(reply.body.toString(), /missing/)
  const upgrading = scope.use(await RawClient.open(port))
  assert.equal((await upgrading.request(get('/', { Connection: 'Upgrade', Upgrade: 'x' }))).status, 503)
  assert.equal(await handler.close(), 'drained')
})

leakTest('a wrong configuration is refused where the handler is made, all of it at once', async () => {
  const wrong = { pools: { default: { backends: ['nonsense'], strategie: 'x' } } }
  assert.throws(() => proxyHandler(wrong as never), ConfigError)
  const listening = { ...before(['http://127.0.0.1:1']), port: 80, workers: 2 }
  assert.throws(
    () => proxyHandler(listening as never),
    (error) => error instanceof ConfigError && error.problems.map(({ path }) => path).join() === 'port,workers',
  )
  for (const config of [undefined, null, 'config.json', []]) {
    assert.throws(
      () => proxyHandler(config as never),
      /^ConfigError: configuration: the configuration must be one object/,
    )
  }
})

leakTest('two handlers in one process know nothing of one another', async (scope) => {
  const backends = [scope.use(await startActingBackend()), scope.use(await startActingBackend())]
  const [one, two] = backends.map(({ url }) => proxyHandler(before([url])))
  const server = createServer((req, res) => (req.url === '/one' ? one! : two!)(req, res))
  const host = await listenHost(scope, server, one!)
  scope.defer(() => two!.close({ graceMs: 0 }))
  const client = scope.use(await RawClient.open(host.port))
  for (const target of ['/one', '/two', '/one']) assert.equal((await client.request(get(target))).status, 200)
  assert.deepEqual(
    backends.map(({ requests }) => requests.length),
    [2, 1],
  )
  await one!.close()
  assert.throws(() => one!.status(), { code: 'closed' })
  await assert.rejects(one!.backends.list(), { code: 'closed' })
  assert.equal((await client.request(get('/one'))).status, 503)
  assert.equal((await client.request(get('/two'))).status, 200)
})

leakTest('close lets what is in flight finish, refuses what is new, and cuts what takes too long', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const host = await startHost(scope, 'node:http', before([backend.url]))
  const [patient, late, cut] = await Promise.all([1, 2, 3].map(async () => scope.use(await RawClient.open(host.port))))
  patient!.write(get('/', { 'x-act-hold': 'a' }))
  cut!.write(get('/', { 'x-act-hold': 'b' }))
  await until('both are at the backend', () => backend.active === 2)
  const closed = host.handler.close()
  await until('it is stopping', () => host.handler.status().draining)
  assert.equal((await late!.request(get('/'))).status, 503)
  const upgrading = scope.use(await RawClient.open(host.port))
  assert.equal((await upgrading.request(get('/', { Connection: 'Upgrade', Upgrade: 'x' }))).status, 503)
  backend.release('a')
  assert.equal((await patient!.reply()).status, 200)
  await assert.rejects(host.handler.close({ graceMs: Number.NaN }), RangeError)
  void host.handler.close({ graceMs: 0 })
  assert.equal(await closed, 'grace-expired')
  assert.equal((await cut!.read()).kind, 'closed')
})

leakTest('backends and the configuration can change while it serves, and it tells of it', async (scope) => {
  const [a, b] = [
    scope.use(await startActingBackend({ name: 'a' })),
    scope.use(await startActingBackend({ name: 'b' })),
  ]
  const host = await startHost(scope, 'node:http', before([a.url]))
  const events = host.handler.events()
  await host.handler.backends.add(b.url)
  assert.equal((await events.next()).value?.type, 'backend_added')
  await host.handler.backends.remove(a.url)
  const client = scope.use(await RawClient.open(host.port))
  assert.equal(fieldValue(await client.request(get('/')), 'x-backend'), 'b')
  await host.handler.backends.remove(b.url)
  const c = scope.use(await startActingBackend({ name: 'c' }))
  const result = await host.handler.reload(before([a.url, c.url]))
  assert.ok(result.changes.length > 0)
  assert.equal(fieldValue(await client.request(get('/')), 'x-backend'), 'c')
  const { changes } = await host.handler.reload(before([a.url, c.url], { strategy: 'first' }))
  assert.deepEqual(changes, ['pool default: strategy round-robin → first'])
  assert.equal(fieldValue(await client.request(get('/')), 'x-backend'), 'c')
  const listening = { ...before([a.url]), listeners: [] } as never
  await assert.rejects(host.handler.reload(listening), ConfigError)
  await events.return?.()
})

leakTest('a request that the program makes to itself, and abandons, leaves nothing', async (scope) => {
  const { backend, host } = await around(scope, (req, res, handler) => handler(req, res))
  const outgoing = httpRequest({ port: host.port, path: '/', method: 'POST', headers: { 'x-act-hold': 'it' } })
  outgoing.on('error', () => {})
  outgoing.write('some')
  await until('it is at the backend', () => backend.active === 1)
  outgoing.destroy()
  await until('the backend is rid of it', () => backend.active === 0)
})

leakTest('HTTP/2: large bodies both ways, more than fits anywhere', async (scope) => {
  if (!(await haveOpenssl())) return scope.t.skip('no openssl')
  const certificates = await makeCertificates()
  scope.defer(() => certificates.remove())
  const backend = scope.use(await startActingBackend())
  const handler = proxyHandler(before([backend.url]))
  const server = createHttp2Server({ cert: certificates.cert, key: certificates.key }, handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => handler.close({ graceMs: 0 }))
  scope.defer(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  const session = connectHttp2(`https://localhost:${port}`, { ca: certificates.ca })
  scope.defer(() => new Promise<void>((resolve) => session.close(resolve)))
  const size = 8 * 1024 * 1024
  const down = session.request({ ':path': '/', 'x-act-size': String(size) })
  let got = 0
  down.on('data', (bytes: Buffer) => {
    got += bytes.length
  })
  await once(down, 'end')
  assert.equal(got, size)
  const up = session.request({ ':path': '/', ':method': 'POST' })
  up.end(Buffer.alloc(size, 'u'))
  up.resume()
  await once(up, 'end')
  assert.equal(backend.requests[1]?.bodyLength, size)
})

leakTest('large answers to a pipeline come whole and in order', async (scope) => {
  const { client } = await around(scope, (req, res, handler) => handler(req, res))
  const sizes = [3_000_000, 10, 2_000_000, 0, 1_000_000]
  client.write(sizes.map((size) => get('/', { 'x-act-size': size, 'x-act-chunks': size % 3 })).join(''))
  for (const size of sizes) assert.equal((await client.reply()).body.length, size)
})

leakTest('requests of a test that Fastify injects', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const handler = proxyHandler(before([backend.url]))
  const app = fastify()
  scope.defer(() => handler.close({ graceMs: 0 }))
  scope.defer(() => app.close())
  await app.register(handler.fastify)
  const answered = await app.inject({ method: 'POST', url: '/x', payload: 'body', headers: { 'x-act-echo': '1' } })
  assert.deepEqual([answered.statusCode, answered.body], [200, 'body'])
})

leakTest('whatever clients do, nobody gets another one\u2019s answer and nothing is left', async (scope) => {
  const { backend, host } = await around(scope, (req, res, handler) => handler(req, res))
  await fickleClients(host.port)
  await until('the backend is idle', () => backend.active === 0)
})
