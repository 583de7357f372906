// What `frontdesk/http-proxy` does otherwise than http-proxy, on purpose: holes it has not, crashes, hangs, and options
// that would be ignored.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import httpProxy, { createProxyServer, type ServerOptions } from '../../src/embed/http-proxy/index.ts'
import { startActingBackend } from '../support/acting-backend.ts'
import { haveOpenssl, makeCertificates } from '../support/certificates.ts'
import { fickleClients } from '../support/fickle-clients.ts'
import { fieldValue } from '../support/http-message.ts'
import { inServer, listening, portOf, target } from '../support/http-proxy-stand.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { answer, answerChunked, chunk, get, post, postChunked } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import { RawClient } from '../support/raw-client.ts'
import { fin, head, request, rst, type Script, startScriptedBackend, write } from '../support/scripted-backend.ts'
import { deferred, until } from '../support/wait.ts'

async function scripted(scope: Scope, script: Script, options: ServerOptions = {}) {
  const backend = scope.use(await startScriptedBackend([script]))
  const proxy = createProxyServer({ target: backend.url, ...options })
  return { backend, proxy, client: await inServer(scope, proxy) }
}

// --- options ---

leakTest('no option is read and ignored: unknown ones, wrong values, and what is not done here', async () => {
  const wrong: readonly [object, RegExp][] = [
    [{ targett: 'http://x' }, /"targett" does not exist; the options are target, forward/],
    [{ pathRewrite: {} }, /"pathRewrite" is of http-proxy-middleware/],
    [{ pfx: 'x' }, /"pfx" does not exist: it belongs into target/],
    [{ followRedirects: true }, /"followRedirects" is not done here: .*autoRewrite/],
    [{ target: 'localhost:9000' }, /"target" cannot be asked by "localhost:"; write it like/],
    [{ target: 'nonsense' }, /"target" is no URL/],
    [{ target: {} }, /"target" has no host/],
    [{ forward: 'ftp://x' }, /"forward" cannot be asked by "ftp:"/],
    [{ changeOrigin: 'yes' }, /"changeOrigin" is to be a boolean/],
    [{ proxyTimeout: '5s' }, /"proxyTimeout" is to be a number of milliseconds/],
    [{ headers: { 'Content-Length': '1' } }, /"headers" cannot have Content-Length/],
    [{ protocolRewrite: 'ftp' }, /"protocolRewrite"/],
    [{ trustedProxies: ['x'] }, /"trustedProxies" is wrong/],
    [{ buffer: 'text' }, /"buffer" is to be a stream/],
  ]
  for (const [options, message] of wrong) {
    assert.throws(
      () => createProxyServer(options as ServerOptions),
      { name: 'TypeError', message },
      JSON.stringify(options),
    )
  }
  createProxyServer({ followRedirects: false, target: undefined, protocolRewrite: null })
  const proxy = createProxyServer()
  assert.throws(
    () => proxy.web({} as IncomingMessage, {} as ServerResponse, { timout: 1 } as ServerOptions),
    /"timout"/,
  )
})

leakTest('targets in every form', async (scope) => {
  const { url, port } = await target(scope)
  const forms = [
    url,
    new URL(url),
    { host: '127.0.0.1', port },
    { host: `127.0.0.1:${port}` },
    { hostname: '127.0.0.1', port: String(port), protocol: 'http:', path: '/base/' },
    `ws://127.0.0.1:${port}`,
  ]
  for (const form of forms) {
    const client = await inServer(scope, createProxyServer({ target: form }))
    const path = typeof form === 'object' && 'path' in form ? '/base/x' : '/x'
    assert.equal((await client.request(get('/x'))).body.toString(), `GET ${path}`)
  }
})

leakTest('require gives the same as import', async () => {
  const required = createRequire(import.meta.url)('../../src/embed/http-proxy/index.ts')
  assert.equal(required, httpProxy)
  assert.equal(required.createProxyServer, createProxyServer)
})

// --- what belongs to the client's connection ---

leakTest('a client\u2019s Connection takes nothing away that the proxy says (CVE-2026-33805)', async (scope) => {
  const { url, seen } = await target(scope)
  const proxy = createProxyServer({ target: url, xfwd: true, headers: { 'X-Added': '1' }, auth: 'a:b' })
  proxy.on('proxyReq', (proxyReq) => void proxyReq.setHeader('X-Listener', '1'))
  const client = await inServer(scope, proxy)
  const names = [
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-host',
    'x-forwarded-port',
    'x-added',
    'x-listener',
  ]
  const connection = `close, x-hop, authorization, host, content-length, ${names.join(', ')}`
  await client.request(post('/', 'body', { Connection: connection, 'X-Hop': '1', 'Keep-Alive': '5' }), 'POST')
  const { headers, body } = seen[0]!
  for (const name of [...names, 'authorization', 'host']) assert.ok(headers[name], name)
  assert.deepEqual([headers['x-hop'], headers['keep-alive'], body], [undefined, undefined, 'body'])
})

leakTest('X-Forwarded-* of anybody is not believed, of a trusted proxy continued (CVE-2026-3635)', async (scope) => {
  const { url, seen } = await target(scope)
  const lies = {
    'X-Forwarded-For': '9.9.9.9',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'lie',
    X_Forwarded_For: '8',
  }
  const fields = { ...lies, Forwarded: 'for=9.9.9.9', 'X-Real-IP': '9.9.9.9' }
  const doubtful = await inServer(scope, createProxyServer({ target: url, xfwd: true }))
  await doubtful.request(get('/', fields))
  const trusting = await inServer(
    scope,
    createProxyServer({ target: url, xfwd: true, trustedProxies: ['127.0.0.0/8'] }),
  )
  await trusting.request(get('/', fields))
  const told = seen.map(({ headers }) => [
    headers['x-forwarded-for'],
    headers['x-forwarded-proto'],
    headers['x-forwarded-host'],
    headers['x-real-ip'],
    headers.forwarded,
    headers.x_forwarded_for,
  ])
  assert.deepEqual(told[0], ['127.0.0.1', 'http', 't.example', undefined, undefined, undefined])
  assert.deepEqual(told[1]?.slice(0, 3), ['9.9.9.9,127.0.0.1', 'https,http', 'lie'])
})

leakTest(
  'a client\u2019s Trailer and TE do not reach Node\u2019s client, which throws (http-proxy issue 1647)',
  async (scope) => {
    const { url, seen } = await target(scope)
    const client = await inServer(scope, createProxyServer({ target: url }))
    assert.equal((await client.request(get('/', { Trailer: 'x', TE: 'trailers' }))).status, 200)
    client.write(`${postChunked('/', { Trailer: 'X-Sum' })}${chunk('body')}0\r\nX-Sum: 1\r\n\r\n`)
    assert.equal((await client.reply('POST')).status, 200)
    assert.deepEqual([seen[0]?.headers.trailer, seen[0]?.headers.te, seen[1]?.body], [undefined, undefined, 'body'])
  },
)

leakTest('Expect does not send the head before listeners have seen it (GHSA-6x33-pw7p-hmpq)', async (scope) => {
  const { url, seen } = await target(scope)
  const proxy = createProxyServer({ target: url })
  proxy.on('proxyReq', (proxyReq) => void proxyReq.setHeader('X-Listener', '1'))
  const server = createServer((req, res) => proxy.web(req, res))
  server.on('checkContinue', (req, res) => proxy.web(req, res))
  await listening(scope, server)
  const client = scope.use(await RawClient.open(portOf(server)))
  client.write(post('/', '', { Expect: '100-continue' }, 4))
  await until('the target says go on', () => client.received.includes('100 Continue'))
  client.write('body')
  assert.equal((await client.reply('POST')).status, 200)
  assert.deepEqual(
    [seen[0]?.headers['x-listener'], seen[0]?.headers.expect, seen[0]?.body],
    ['1', '100-continue', 'body'],
  )
})

leakTest('the path goes through as it came', async (scope) => {
  const { url, seen } = await target(scope)
  const client = await inServer(scope, createProxyServer({ target: `${url}/base/?x=1` }))
  for (const path of ['//a//b?c=//d', '/a/../b', '/%2e%2e/%2F', '/?']) await client.request(get(path))
  assert.deepEqual(
    seen.map((one) => one.url),
    ['/base//a//b?x=1&c=//d', '/base/a/../b?x=1', '/base/%2e%2e/%2F?x=1', '/base/?x=1&'],
  )
})

leakTest('DELETE and OPTIONS with a chunked body keep it', async (scope) => {
  const { url, seen } = await target(scope)
  const client = await inServer(scope, createProxyServer({ target: url }))
  for (const method of ['DELETE', 'OPTIONS']) {
    const bytes = `${postChunked('/').replace('POST', method)}${chunk('body')}0\r\n\r\n`
    assert.equal((await client.request(bytes, method)).status, 200)
  }
  assert.deepEqual(
    seen.map(({ body }) => body),
    ['body', 'body'],
  )
})

leakTest('a target with TLS is asked for by its own name, whatever Host says', async (scope) => {
  if (!(await haveOpenssl())) return scope.t.skip('no openssl')
  const certificates = await makeCertificates(['DNS:localhost'])
  scope.defer(() => certificates.remove())
  const { cert, key, ca } = certificates
  const server = await listening(
    scope,
    createHttpsServer({ cert, key }, (req, res) => void res.end(req.headers.host)),
  )
  const client = await inServer(scope, createProxyServer({ target: `https://localhost:${portOf(server)}`, ca }))
  assert.equal((await client.request(get('/'))).body.toString(), 't.example')
})

// --- one exception, one exchange ---

leakTest('what a listener throws fails its exchange, and is told as an error', async (scope) => {
  const { url } = await target(scope)
  for (const event of ['start', 'proxyReq', 'proxyRes'] as const) {
    const proxy = createProxyServer({ target: url })
    const told: string[] = []
    let isFirst = true
    proxy.on(event, () => {
      if (isFirst) {
        isFirst = false
        throw new Error(`of ${event}`)
      }
    })
    proxy.on('error', (error, _req, res) => {
      told.push(error.message)
      ;(res as ServerResponse).writeHead(500).end()
    })
    const client = await inServer(scope, proxy)
    assert.equal((await client.request(get('/'))).status, 500)
    assert.deepEqual(told, [`of ${event}`])
    assert.equal((await client.request(get('/'))).status, 200)
  }
})

leakTest('a listener for errors that throws ends its exchange, with a warning of the process', async (scope) => {
  const proxy = createProxyServer({ target: `http://127.0.0.1:${await refusingPort()}` })
  proxy.on('error', () => {
    throw new Error('in the listener')
  })
  const warned = once(process, 'warning') as Promise<[Error]>
  const client = await inServer(scope, proxy)
  assert.equal((await client.write(get('/')).read()).kind, 'closed')
  assert.equal((await warned)[0].message, 'in the listener')
})

leakTest('without a listener an error is an answer, not the end of the process', async (scope) => {
  const down = await inServer(scope, createProxyServer({ target: `http://127.0.0.1:${await refusingPort()}` }))
  const refused = await down.request(get('/'))
  assert.deepEqual([refused.status, fieldValue(refused, 'retry-after')], [503, '1'])
  const { client: broken } = await scripted(scope, [request(), write('rubbish\r\n\r\n'), fin()])
  assert.equal((await broken.request(get('/'))).status, 502)
  const { client: silent } = await scripted(scope, [request()], { proxyTimeout: 50 })
  assert.equal((await silent.request(get('/'))).status, 504)
  const nowhere = await inServer(scope, createProxyServer())
  assert.equal((await nowhere.request(get('/'))).status, 500)
  const upgrade = get('/', { Connection: 'Upgrade', Upgrade: 'websocket' })
  const ws = await inServer(scope, createProxyServer({ target: `http://127.0.0.1:${await refusingPort()}` }))
  assert.equal((await ws.request(upgrade)).status, 503)
})

leakTest('bytes of a target never reach an API that throws', async (scope) => {
  const raw = 'HTTP/1.1 200 \xe2\x82\xac\r\nX-Raw: \xe2\x82\xac\r\nContent-Disposition: x; filename="\xe2\x82\xac"\r\n'
  const { client } = await scripted(scope, [request(), write(`${raw}Content-Length: 2\r\n\r\nok`)])
  const reply = await client.request(get('/'))
  assert.equal(reply.body.toString(), 'ok')
  assert.equal(fieldValue(reply, 'content-disposition'), 'x; filename="\xe2\x82\xac"')
})

// --- nothing that looks complete and is not ---

for (const [how, begin, end] of [
  ['a length', answer('part', {}, '200 OK', 100), fin()],
  ['a length', answer('part', {}, '200 OK', 100), rst()],
  ['chunks', answerChunked() + chunk('part'), fin()],
  ['chunks', answerChunked() + chunk('part'), rst()],
] as const) {
  leakTest(`an answer with ${how} that the target cuts (${end.step}) is cut for the client too`, async (scope) => {
    const { client } = await scripted(scope, [request(), write(begin), end])
    assert.equal((await client.write(get('/')).read()).kind, 'closed')
  })
}

leakTest('a cut answer without a length is reset for an HTTP/1.0 client', async (scope) => {
  const { client } = await scripted(scope, [request(), write(answerChunked() + chunk('part')), rst()])
  const outcome = await client.write('GET / HTTP/1.0\r\nHost: t\r\n\r\n').read()
  assert.deepEqual([outcome.kind, outcome.kind === 'closed' && outcome.how], ['closed', 'rst'])
})

leakTest('a client that goes away takes its request to the target with it', async (scope) => {
  let reached = 0
  let left = 0
  const { url } = await target(scope, (_req, res) => {
    reached++
    res.on('close', () => left++)
  })
  const proxy = createProxyServer({ target: url })
  const told: unknown[] = []
  proxy.on('econnreset', (error, req) => told.push([error.code, req.url]))
  proxy.on('error', () => assert.fail('nobody is there to be answered'))
  const client = await inServer(scope, proxy)
  client.write(get('/x'))
  await until('the target is asked', () => reached === 1)
  client.reset()
  await until('it is told', () => told.length === 1 && left === 1)
  assert.deepEqual(told, [['ECONNRESET', '/x']])
})

leakTest('a body that was read before is an error with words that help', async (scope) => {
  const { url } = await target(scope)
  const proxy = createProxyServer({ target: url })
  const told: string[] = []
  proxy.on('error', (error, _req, res) => {
    told.push(error.message)
    ;(res as ServerResponse).writeHead(500).end()
  })
  const client = await inServer(scope, proxy, (req, res) => {
    req.resume().on('end', () => proxy.web(req, res))
  })
  assert.equal((await client.request(post('/', 'body'), 'POST')).status, 500)
  assert.match(told[0] ?? '', /was read before .* option buffer/)
})

leakTest('a body of another length than announced never begins another request', async (scope) => {
  for (const [text, isLong] of [
    ['longer than four GET /smuggled HTTP/1.1', true],
    ['x', false],
  ] as const) {
    const backend = scope.use(await startScriptedBackend([[head()]]))
    const agent = new Agent({ keepAlive: true })
    scope.defer(() => agent.destroy())
    const proxy = createProxyServer({ target: backend.url, agent })
    const client = await inServer(scope, proxy, (req, res) => {
      req.resume().on('end', () => proxy.web(req, res, { buffer: Readable.from([Buffer.from(text)]) }))
    })
    assert.equal((await client.request(post('/', 'body'), 'POST')).status, 502, text)
    await until('the connection is ended', () => backend.connections.every(({ over }) => over))
    if (isLong) assert.ok(!backend.connections.some(({ received }) => received.includes('smuggled')))
  }
})

leakTest('a body of a request that has none by its method is framed, and begins no other request', async (scope) => {
  const { url, seen } = await target(scope)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  scope.defer(() => agent.destroy())
  const proxy = createProxyServer({ target: url, agent })
  const client = await inServer(scope, proxy, (req, res) => {
    proxy.web(req, res, { buffer: Readable.from([Buffer.from('GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n')]) })
  })
  for (const path of ['/1', '/2']) assert.equal((await client.request(get(path))).body.toString(), `GET ${path}`)
  assert.deepEqual(
    seen.map((one) => one.url),
    ['/1', '/2'],
  )
})

leakTest('HTTP/2 by Node\u2019s compatibility API', async (scope) => {
  const { url, seen } = await target(scope)
  const proxy = createProxyServer({ target: url, xfwd: true })
  proxy.on('econnreset', () => assert.fail('nobody has gone'))
  const ended: unknown[] = []
  proxy.on('end', (req) => ended.push(req.url))
  const server = createHttp2Server((req, res) => proxy.web(req as never, res as never))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => new Promise((resolve) => server.close(resolve)))
  const session = connectHttp2(`http://127.0.0.1:${portOf(server)}`)
  scope.defer(() => new Promise<void>((resolve) => session.close(resolve)))
  for (const method of ['GET', 'POST', 'DELETE']) {
    const stream = session.request({ ':path': `/${method}`, ':method': method }, { endStream: method === 'GET' })
    if (method !== 'GET') stream.end('body')
    let text = ''
    stream.on('data', (bytes: Buffer) => (text += bytes))
    await once(stream, 'close')
    assert.equal(text, `${method} /${method}`)
  }
  assert.deepEqual(
    seen.map(({ body }) => body),
    ['', 'body', 'body'],
  )
  assert.equal(seen[0]?.headers.host, `127.0.0.1:${portOf(server)}`)
  await until('all is told', () => ended.length === 3)
})

leakTest('after a refused connection the same request can go to another target, body and all', async (scope) => {
  const { url } = await target(scope)
  const refused = `http://127.0.0.1:${await refusingPort()}`
  const proxy = createProxyServer()
  const client = await inServer(scope, proxy, (req, res) => {
    proxy.web(req, res, { target: refused }, () => proxy.web(req, res, { target: url }))
  })
  assert.equal((await client.request(post('/x', 'body'), 'POST')).body.toString(), 'POST /x')
})

leakTest('an early answer to an upload comes through, and the connection goes on', async (scope) => {
  const { client } = await scripted(scope, [head(), write(answer('no', { Connection: 'close' }, '403 No')), fin()])
  client.write(post('/', 'x'.repeat(1000), {}, 300_000))
  assert.equal((await client.reply('POST')).status, 403)
  client.write('x'.repeat(299_000) + get('/next'))
  assert.equal((await client.reply()).status, 403)
})

leakTest('a head without a body goes out at once (SSE)', async (scope) => {
  const go = deferred()
  const { url } = await target(scope, (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    res.flushHeaders()
    void go.promise.then(() => res.end('data: 1\n\n'))
  })
  const client = await inServer(scope, createProxyServer({ target: url }))
  client.write(get('/'))
  await until('the head is there', () => client.received.includes('\r\n\r\n'))
  go.resolve()
  assert.equal((await client.reply()).body.toString(), 'data: 1\n\n')
})

leakTest('whatever clients do, nobody gets another one\u2019s answer and nothing is left', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const agent = new Agent({ keepAlive: true })
  scope.defer(() => agent.destroy())
  const proxy = createProxyServer({ target: backend.url, agent })
  const client = await inServer(scope, proxy)
  await fickleClients(client.port)
  await until('the backend is idle', () => backend.active === 0)
})

// --- forward ---

leakTest('a copy that is slow, refused or broken harms nothing', async (scope) => {
  const sockets: Socket[] = []
  const deaf = createTcpServer((socket) => void sockets.push(socket.pause()))
  deaf.listen(0, '127.0.0.1')
  await once(deaf, 'listening')
  scope.defer(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => deaf.close(resolve))
  })
  const { url, seen } = await target(scope)
  for (const port of [(deaf.address() as AddressInfo).port, await refusingPort()]) {
    const proxy = createProxyServer({ target: url, forward: `http://127.0.0.1:${port}` })
    proxy.on('error', () => assert.fail('it concerns nobody'))
    const client = await inServer(scope, proxy)
    const body = 'x'.repeat(8_000_000)
    assert.equal((await client.request(post('/', body), 'POST')).status, 200)
    assert.equal(seen.pop()?.body.length, body.length)
  }
})

// --- upgrades ---

const upgrade = get('/', { Connection: 'Upgrade', Upgrade: 'websocket' })

leakTest('an upgrade only to what was asked for, and only if asked (CVE-2024-23326)', async (scope) => {
  const other = 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'
  const { client } = await scripted(scope, [request(), write(other)])
  assert.equal((await client.request(upgrade)).status, 502)
  const { client: plain } = await scripted(scope, [request(), write(other)])
  assert.equal((await plain.request(get('/'))).status, 502)
  const { client: foreign, backend } = await scripted(scope, [request()])
  assert.equal((await foreign.request(get('/', { Connection: 'Upgrade', Upgrade: 'h2c' }))).status, 502)
  assert.equal(backend.connections.length, 0)
})

leakTest('a refused upgrade ends the client\u2019s connection, framed', async (scope) => {
  const { client } = await scripted(scope, [request(), write(answer('no', { 'X-A': '1' }, '403 No'))])
  const reply = await client.request(upgrade + get('/next'))
  assert.deepEqual([reply.status, reply.body.toString(), fieldValue(reply, 'x-a')], [403, 'no', '1'])
  await client.ended()
})

leakTest('a tunnel: early bytes both ways, an end is an end, a reset is a reset', async (scope) => {
  const accept = 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  const { client, backend } = await scripted(scope, [request(), write(`${accept}early`), fin()])
  assert.equal((await client.request(`${upgrade}first`)).status, 101)
  assert.equal(await client.ended(), 'fin')
  assert.equal(client.unread.toString(), 'early')
  await until('the first bytes are there', () => backend.connections[0]!.received.toString().endsWith('first'))
  client.end()
  await until('the backend sees the end', () => backend.connections[0]!.over)

  const { client: cut } = await scripted(scope, [request(), write(accept), rst()])
  assert.equal((await cut.request(upgrade)).status, 101)
  assert.equal(await cut.ended(), 'rst')

  const { client: leaving, backend: left } = await scripted(scope, [request(), write(accept)])
  assert.equal((await leaving.request(upgrade)).status, 101)
  leaving.reset()
  await until('the backend sees the reset', () => left.connections[0]!.broken)
})

leakTest('a client that goes before the upgrade is done leaves nothing', async (scope) => {
  const { client, backend } = await scripted(scope, [request()])
  client.write(upgrade)
  await until('the backend is asked', () => backend.connections.length === 1)
  client.reset()
  await until('it is left', () => backend.connections[0]!.over)
})
