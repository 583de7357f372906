// `frontdesk/http-proxy` beside http-proxy itself: the examples of its README, option by option, on both. What one does the
// other does; what differs on purpose is in http-proxy-differences.test.ts.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { Agent, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import peer from 'http-proxy'
import { WebSocket, WebSocketServer } from 'ws'
import own, { type ProxyServer, type ServerOptions } from '../../src/embed/http-proxy/index.ts'
import { type Certificates, haveOpenssl, makeAuthority, makeCertificates } from '../support/certificates.ts'
import { fieldValue, fieldValues } from '../support/http-message.ts'
import { inServer, listen, listening, portOf, type Seen, target } from '../support/http-proxy-stand.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { chunk, get, lastChunk, post, postChunked } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import { RawClient, type Reply } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'

const run = promisify(execFile)

/** The same API by another hand: its types know less than its README. */
const both = { 'http-proxy': peer as unknown as typeof own, 'frontdesk/http-proxy': own } as const

/** One test for each. */
function onBoth(name: string, body: (scope: Scope, httpProxy: typeof own) => Promise<void>): void {
  for (const [by, httpProxy] of Object.entries(both)) leakTest(`${by}: ${name}`, (scope) => body(scope, httpProxy))
}

// --- the README's use cases ---

onBoth('a basic stand-alone proxy server', async (scope, httpProxy) => {
  const { url, seen } = await target(scope, (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/plain' })
    res.write('request successfully proxied!')
    res.end()
  })
  const port = await listen(scope, httpProxy.createProxyServer({ target: url }))
  const reply = await scope.use(await RawClient.open(port)).request(get('/path?query', { 'X-Mine': '1' }))
  assert.equal(reply.body.toString(), 'request successfully proxied!')
  assert.equal(fieldValue(reply, 'content-type'), 'text/plain')
  assert.deepEqual([seen[0]?.url, seen[0]?.headers['x-mine'], seen[0]?.headers.host], ['/path?query', '1', 't.example'])
})

onBoth('made by every name that it has', async (scope, httpProxy) => {
  const { url } = await target(scope)
  // biome-ignore lint/suspicious/noExplicitAny: the README calls it so
  const anyhow = httpProxy as any
  const proxies: ProxyServer[] = [
    httpProxy.createProxyServer({ target: url }),
    httpProxy.createServer({ target: url }),
    httpProxy.createProxy({ target: url }),
    new anyhow({ target: url }),
    new anyhow.createProxyServer({ target: url }),
  ]
  for (const proxy of proxies) {
    const client = await inServer(scope, proxy)
    assert.equal((await client.request(get('/x'))).body.toString(), 'GET /x')
  }
})

onBoth('custom server logic: the target in the call, and after a while', async (scope, httpProxy) => {
  const { url } = await target(scope)
  const proxy = httpProxy.createProxyServer()
  const client = await inServer(scope, proxy, (req, res) => {
    if (req.url === '/late') setImmediate(() => proxy.web(req, res, { target: url }))
    else proxy.web(req, res, { target: url })
  })
  assert.equal((await client.request(get('/now'))).body.toString(), 'GET /now')
  const other = scope.use(await RawClient.open(client.port))
  assert.equal((await other.request(post('/late', 'body'), 'POST')).body.toString(), 'POST /late')
})

onBoth('header rewriting: proxyReq comes before anything is sent', async (scope, httpProxy) => {
  const { url, seen } = await target(scope)
  const proxy = httpProxy.createProxyServer({})
  const options = { target: url }
  proxy.on('proxyReq', (proxyReq, req, res, given) => {
    proxyReq.setHeader('X-Special-Proxy-Header', 'foobar')
    proxyReq.removeHeader('x-secret')
    assert.deepEqual([req.url, res.headersSent, (given.target as URL).href], ['/', false, `${url}/`])
    assert.equal(proxyReq.getHeader('x-mine'), '1')
  })
  const client = await inServer(scope, proxy, (req, res) => proxy.web(req, res, options))
  assert.equal((await client.request(get('/', { 'X-Secret': 's', 'X-Mine': '1' }))).status, 200)
  assert.deepEqual([seen[0]?.headers['x-special-proxy-header'], seen[0]?.headers['x-secret']], ['foobar', undefined])
})

onBoth('a body that a parser has taken, written again in proxyReq', async (scope, httpProxy) => {
  const { url, seen } = await target(scope)
  const proxy = httpProxy.createProxyServer({ target: url })
  proxy.on('proxyReq', (proxyReq, req) => {
    const { body } = req as IncomingMessage & { body?: object }
    if (body === undefined) return
    const text = JSON.stringify(body)
    proxyReq.setHeader('Content-Type', 'application/json')
    proxyReq.setHeader('Content-Length', Buffer.byteLength(text))
    proxyReq.write(text)
  })
  const client = await inServer(scope, proxy, (req, res) => {
    let text = ''
    req.on('data', (part) => (text += part))
    req.on('end', () => proxy.web(Object.assign(req, { body: JSON.parse(text) }), res))
  })
  assert.equal((await client.request(post('/', '{"a":    1}'), 'POST')).status, 200)
  assert.equal(seen[0]?.body, '{"a":1}')
})

onBoth(
  'events: start, proxyReq, proxyRes, end, in that order; what proxyRes changes counts',
  async (scope, httpProxy) => {
    const { url } = await target(scope, (_req, res) => {
      res.setHeader('x-removed', '1')
      res.setHeader('x-changed', '1')
      res.end('ok')
    })
    const proxy = httpProxy.createProxyServer({ target: url })
    const told: string[] = []
    proxy.on('start', (_req, _res, at) => told.push(`start ${(at as { href?: string }).href ?? at}`))
    proxy.on('proxyReq', () => told.push('proxyReq'))
    proxy.on('proxyRes', (proxyRes) => {
      told.push(`proxyRes ${proxyRes.statusCode}`)
      proxyRes.headers['x-added'] = 'foobar'
      proxyRes.headers['x-changed'] = '2'
      delete proxyRes.headers['x-removed']
    })
    proxy.on('end', () => told.push('end'))
    const client = await inServer(scope, proxy)
    const reply = await client.request(get('/'))
    assert.deepEqual(
      ['x-added', 'x-changed', 'x-removed'].map((name) => fieldValue(reply, name)),
      ['foobar', '2', undefined],
    )
    await until('all is told', () => told.length === 4)
    assert.deepEqual(
      told.map((text) => text.replace(/\/$/, '')),
      [`start ${url}`, 'proxyReq', 'proxyRes 200', 'end'],
    )
  },
)

onBoth('errors: the event, with the request and the answer to give', async (scope, httpProxy) => {
  const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${await refusingPort()}` })
  const codes: unknown[] = []
  proxy.on('error', (error, req, res) => {
    codes.push([error.code, req.url])
    const answer = res as ServerResponse
    answer.writeHead(500, { 'Content-Type': 'text/plain' })
    answer.end('Something went wrong. And we are reporting a custom error message.')
  })
  const client = await inServer(scope, proxy)
  const reply = await client.request(get('/x'))
  assert.deepEqual([reply.status, codes], [500, [['ECONNREFUSED', '/x']]])
  assert.match(reply.body.toString(), /^Something went wrong/)
})

onBoth('errors: the callback of the call comes before the event', async (scope, httpProxy) => {
  const proxy = httpProxy.createProxyServer()
  proxy.on('error', () => assert.fail('it was to be told to the callback'))
  const url = `http://127.0.0.1:${await refusingPort()}`
  const client = await inServer(scope, proxy, (req, res) => {
    proxy.web(req, res, { target: url }, (error) => {
      res.statusCode = 599
      res.end(error.code)
    })
  })
  const reply = await client.request(get('/'))
  assert.deepEqual([reply.status, reply.body.toString()], [599, 'ECONNREFUSED'])
})

onBoth('no target at all is an error', async (scope, httpProxy) => {
  const proxy = httpProxy.createProxyServer()
  const told: string[] = []
  proxy.on('error', (error) => told.push(error.message))
  const client = await inServer(scope, proxy, (req, res) => {
    proxy.web(req, res)
    res.end()
  })
  await client.request(get('/'))
  assert.deepEqual(told, ['Must provide a proper URL as target'])
})

onBoth('selfHandleResponse: the answer is the listener\u2019s', async (scope, httpProxy) => {
  const { url } = await target(scope)
  const proxy = httpProxy.createProxyServer({})
  const got: string[] = []
  proxy.on('proxyRes', (proxyRes, _req, res) => {
    const body: Buffer[] = []
    proxyRes.on('data', (part: Buffer) => body.push(part))
    proxyRes.on('end', () => {
      got.push(Buffer.concat(body).toString())
      res.end('my response to cli')
    })
  })
  const options = { target: url, selfHandleResponse: true }
  const client = await inServer(scope, proxy, (req, res) => proxy.web(req, res, options))
  const reply = await client.request(get('/x'))
  assert.deepEqual([reply.body.toString(), got], ['my response to cli', ['GET /x']])
})

onBoth('buffer: the body comes from a stream of the program', async (scope, httpProxy) => {
  const { url, seen } = await target(scope)
  const proxy = httpProxy.createProxyServer({ target: url })
  const client = await inServer(scope, proxy, (req, res) => {
    const parts: Buffer[] = []
    req.on('data', (part: Buffer) => parts.push(part))
    req.on('end', () => proxy.web(req, res, { buffer: Readable.from(parts) }))
  })
  assert.equal((await client.request(post('/', 'some body'), 'POST')).status, 200)
  assert.equal(seen[0]?.body, 'some body')
})

onBoth('an answer that the program changes on its way (write and end replaced)', async (scope, httpProxy) => {
  const { url } = await target(scope, (_req, res) => res.end('hello world'))
  const proxy = httpProxy.createProxyServer({ target: url })
  proxy.on('proxyRes', (proxyRes) => void delete proxyRes.headers['content-length'])
  const client = await inServer(scope, proxy, (req, res) => {
    const plainWrite = res.write.bind(res) as (part: string) => boolean
    res.write = ((part: Buffer) => plainWrite(part.toString().toUpperCase())) as typeof res.write
    proxy.web(req, res)
  })
  assert.equal((await client.request(get('/'))).body.toString(), 'HELLO WORLD')
})

onBoth('close stops accepting, and is harmless without a server', async (scope, httpProxy) => {
  const { url } = await target(scope)
  const proxy = httpProxy.createProxyServer({ target: url })
  proxy.close()
  const port = await listen(scope, proxy)
  proxy.close()
  await assert.rejects(RawClient.open(port))
})

// --- TLS ---

async function certified(scope: Scope): Promise<Certificates | null> {
  if (!(await haveOpenssl())) return null
  const certificates = await makeCertificates()
  scope.defer(() => certificates.remove())
  return certificates
}

onBoth('HTTPS to HTTP: ssl', async (scope, httpProxy) => {
  const certificates = await certified(scope)
  if (certificates === null) return scope.t.skip('no openssl')
  const { port: targetPort, seen } = await target(scope)
  const { cert, key } = certificates
  const proxy = httpProxy.createServer({
    target: { host: '127.0.0.1', port: targetPort },
    ssl: { cert, key },
    xfwd: true,
  })
  const port = await listen(scope, proxy)
  const socket = connectTls({ port, host: '127.0.0.1', ca: certificates.ca, servername: 'localhost' })
  await once(socket, 'secureConnect')
  const client = scope.use(new RawClient(socket))
  assert.equal((await client.request(get('/x'))).body.toString(), 'GET /x')
  assert.equal(seen[0]?.headers['x-forwarded-proto'], 'https')
})

onBoth('HTTP to HTTPS: verified unless secure is false', async (scope, httpProxy) => {
  const certificates = await certified(scope)
  if (certificates === null) return scope.t.skip('no openssl')
  const { cert, key } = certificates
  const server = await listening(
    scope,
    createHttpsServer({ cert, key }, (_req, res) => void res.end('secret')),
  )
  const url = `https://localhost:${portOf(server)}`
  const careless = await inServer(
    scope,
    httpProxy.createProxyServer({ target: url, secure: false, changeOrigin: true }),
  )
  assert.equal((await careless.request(get('/'))).body.toString(), 'secret')
  const careful = httpProxy.createProxyServer({ target: url, changeOrigin: true })
  careful.on('error', (error, _req, res) => void (res as ServerResponse).end(error.code))
  const client = await inServer(scope, careful)
  assert.match((await client.request(get('/'))).body.toString(), /^(?:SELF_SIGNED|UNABLE_TO_VERIFY|DEPTH_ZERO)/)
  const knowing = httpProxy.createProxyServer({ target: url, changeOrigin: true, ca: certificates.ca })
  assert.equal((await (await inServer(scope, knowing)).request(get('/'))).body.toString(), 'secret')
})

onBoth('HTTP to HTTPS with a PKCS12 client certificate', async (scope, httpProxy) => {
  if (!(await haveOpenssl())) return scope.t.skip('no openssl')
  const authority = await makeAuthority()
  scope.defer(() => authority.remove())
  const { cert, key } = await authority.issue({})
  const alice = await authority.issue({ subject: '/CN=alice', use: 'client' })
  const path = `${alice.certPath}.p12`
  await run('openssl', [
    'pkcs12',
    '-export',
    '-in',
    alice.certPath,
    '-inkey',
    alice.keyPath,
    '-out',
    path,
    '-passout',
    'pass:password',
  ])
  const server = createHttpsServer({ cert, key, ca: authority.pem, requestCert: true }, (req, res) => {
    res.end(
      (req.socket as unknown as { getPeerCertificate(): { subject: { CN: string } } }).getPeerCertificate().subject.CN,
    )
  })
  await listening(scope, server)
  const proxy = httpProxy.createProxyServer({
    target: {
      protocol: 'https:',
      host: 'localhost',
      port: portOf(server),
      pfx: await readFile(path),
      passphrase: 'password',
    },
    changeOrigin: true,
    secure: false,
  })
  assert.equal((await (await inServer(scope, proxy)).request(get('/'))).body.toString(), 'alice')
})

// --- WebSockets ---

async function echoing(scope: Scope) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const requests: IncomingMessage[] = []
  server.on('connection', (socket, req) => {
    requests.push(req)
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  scope.defer(() => {
    for (const socket of server.clients) socket.terminate()
    return new Promise((resolve) => server.close(resolve))
  })
  return { requests, port: portOf(server), server }
}

async function talk(scope: Scope, port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat?x=1`, { headers: { 'X-Mine': '1' } })
  scope.defer(() => socket.terminate())
  await once(socket, 'open')
  socket.send('hello')
  assert.equal(String((await once(socket, 'message'))[0]), 'hello')
  return socket
}

onBoth('WebSockets: ws: true and listen', async (scope, httpProxy) => {
  const { port, requests } = await echoing(scope)
  const proxy = httpProxy.createServer({ target: `ws://127.0.0.1:${port}`, ws: true, xfwd: true })
  await talk(scope, await listen(scope, proxy))
  assert.deepEqual([requests[0]?.url, requests[0]?.headers['x-mine']], ['/chat?x=1', '1'])
  assert.equal(requests[0]?.headers['x-forwarded-proto'], 'ws')
})

onBoth('WebSockets: the ws method, and its events', async (scope, httpProxy) => {
  const { port, requests, server } = await echoing(scope)
  // biome-ignore lint/suspicious/noExplicitAny: the README calls it so
  const proxy: ProxyServer = new (httpProxy as any).createProxyServer({ target: { host: '127.0.0.1', port } })
  const told: string[] = []
  let fromTarget = 0
  proxy.on('proxyReqWs', (proxyReq, req, _socket, _options, head) => {
    told.push(`proxyReqWs ${req.url} ${head.length}`)
    proxyReq.setHeader('X-Special-Proxy-Header', 'foobar')
  })
  proxy.on('open', (proxySocket) => {
    told.push('open')
    proxySocket.on('data', (bytes: Buffer) => (fromTarget += bytes.length))
  })
  proxy.on('close', () => told.push('close'))
  const client = await inServer(scope, proxy)
  const socket = await talk(scope, client.port)
  assert.equal(requests[0]?.headers['x-special-proxy-header'], 'foobar')
  assert.ok(fromTarget > 'hello'.length)
  socket.close()
  await once(socket, 'close')
  await until('it is told', () => told.includes('close'))
  assert.deepEqual(told, ['proxyReqWs /chat?x=1 0', 'open', 'close'])
  await until('the target has seen it', () => server.clients.size === 0)
})

onBoth('WebSockets: a target that refuses is heard', async (scope, httpProxy) => {
  const { url } = await target(scope, (_req, res) => {
    res.writeHead(403, { 'X-Why': 'because' })
    res.end('no')
  })
  const client = await inServer(scope, httpProxy.createProxyServer({ target: url }))
  client.write(get('/', { Connection: 'Upgrade', Upgrade: 'websocket' }))
  await until('an answer is there', () => client.received.includes('\r\n\r\n'))
  assert.match(client.received.toString(), /^HTTP\/1.1 403 Forbidden\r\n/)
  assert.match(client.received.toString(), /x-why: because/i)
})

onBoth('WebSockets: a target that is down is an error, with the socket to answer on', async (scope, httpProxy) => {
  const proxy = httpProxy.createProxyServer({ target: `ws://127.0.0.1:${await refusingPort()}` })
  proxy.on('error', (error, _req, socket) => void (socket as Socket).end(`HTTP/1.1 502 ${error.code}\r\n\r\n`))
  const client = await inServer(scope, proxy)
  client.write(get('/', { Connection: 'Upgrade', Upgrade: 'websocket' }))
  await client.ended()
  assert.equal(client.received.toString(), 'HTTP/1.1 502 ECONNREFUSED\r\n\r\n')
})

// --- options: what both make of a request ---

/** What a target sees, without what only tells of the connection and the clock. */
const comparable = ({ method, url, headers, body }: Seen) => {
  const { connection: _c, host, ...rest } = headers
  return { method, url, body, host: host?.replace(/\d+$/, 'PORT'), headers: rest }
}

/** A request through both: what the target has seen of it. */
async function seenByBoth(scope: Scope, options: ServerOptions & { path?: string }, bytes: string, method = 'GET') {
  const { path = '', ...rest } = options
  const results = []
  for (const httpProxy of Object.values(both)) {
    const { url, seen } = await target(scope)
    const client = await inServer(scope, httpProxy.createProxyServer({ target: url + path, ...rest }))
    await client.request(bytes, method)
    results.push(comparable(seen[0]!))
  }
  return results
}

const requests: readonly (readonly [
  name: string,
  options: ServerOptions & { path?: string },
  bytes: string,
  method?: string,
])[] = [
  ['nothing', {}, get('/a/b?c=d&e=%20')],
  [
    'cookies and repeated fields',
    {},
    get('/', { Cookie: 'a=1; b=2', Accept: 'x' }).replace('Accept', 'Accept: y\r\nAccept'),
  ],
  ['a body with a length', {}, post('/', 'body'), 'POST'],
  ['a body in chunks', {}, postChunked('/') + chunk('some') + chunk('body') + lastChunk, 'POST'],
  ['an empty POST', {}, post('/', ''), 'POST'],
  ['a POST that says nothing of a body', {}, get('/').replace('GET', 'POST'), 'POST'],
  ['DELETE', {}, get('/', { 'Content-Length': 0 }).replace('GET', 'DELETE'), 'DELETE'],
  ['OPTIONS', {}, get('/', { 'Content-Length': 0 }).replace('GET', 'OPTIONS'), 'OPTIONS'],
  ['a target with a path', { path: '/base' }, get('/a?b')],
  ['a target with a path and a slash', { path: '/base/' }, get('/a?b')],
  ['a target with a path, and the root', { path: '/base' }, get('/?b')],
  ['prependPath: false', { path: '/base', prependPath: false }, get('/a?b')],
  ['ignorePath', { path: '/base/', ignorePath: true }, get('/a?b')],
  ['ignorePath with a query of the target', { path: '/base?x=1', ignorePath: true }, get('/a?b')],
  ['changeOrigin', { changeOrigin: true }, get('/')],
  ['auth', { auth: 'user:pass' }, get('/')],
  ['headers', { headers: { 'x-added': '1', host: 'other.example', 'x-sent': '2' } }, get('/', { 'X-Sent': '1' })],
  ['xfwd', { xfwd: true }, get('/')],
  ['xfwd with a port', { xfwd: true }, get('/').replace('t.example', 't.example:8080')],
  ['method', { method: 'PUT' }, post('/', 'body'), 'POST'],
  ['localAddress', { localAddress: '127.0.0.1' }, get('/')],
  ['toProxy', { toProxy: true, prependPath: false }, get('http://t.example/a?b')],
  ['an absolute URL', {}, get('http://t.example/a?b')],
]

for (const [name, options, bytes, method] of requests) {
  leakTest(`both send the same request: ${name}`, async (scope) => {
    const [theirs, ours] = await seenByBoth(scope, options, bytes, method)
    assert.deepEqual(ours, theirs)
  })
}

// --- options: what both make of an answer ---

/** An answer through both. */
async function answersOfBoth(
  scope: Scope,
  options: ServerOptions,
  answer: (res: ServerResponse, port: number) => void,
  fields = {},
) {
  const results: Reply[] = []
  for (const httpProxy of Object.values(both)) {
    const at: { port: number } = await target(scope, (_req, res) => answer(res, at.port))
    const client = await inServer(
      scope,
      httpProxy.createProxyServer({ target: `http://127.0.0.1:${at.port}`, ...options }),
    )
    results.push(await client.request(get('/', fields)))
  }
  return results.map(({ startLine, fields: all, body }) => ({
    startLine,
    fields: all
      .filter(([field]) => !/^(?:date|connection|keep-alive)$/i.test(field))
      .map(([field, value]) => [/^transfer/i.test(field) ? field.toLowerCase() : field, value] as const)
      .sort(),
    body: body.toString(),
  }))
}

const cookies = [
  'a=1; Domain=old.example; Path=/old/',
  'b=2; domain=kept.example; path=/kept/',
  'c=3; HttpOnly',
  'd=4; Path=/x',
]
const withCookies = (res: ServerResponse): void => void res.setHeader('Set-Cookie', cookies).end('ok')
const redirecting =
  (status: number, location: (port: number) => string) =>
  (res: ServerResponse, port: number): void =>
    void res.writeHead(status, { Location: location(port) }).end()
const toTarget = (port: number): string => `http://127.0.0.1:${port}/there?a=b#c`

const answers: readonly (readonly [
  name: string,
  options: ServerOptions,
  answer: (res: ServerResponse, port: number) => void,
])[] = [
  ['a status with words of its own', {}, (res) => void res.writeHead(418, 'Short And Stout', { 'X-A': '1' }).end('x')],
  ['chunks', {}, (res) => void Readable.from(['some', 'more']).pipe(res)],
  ['204', {}, (res) => void res.writeHead(204).end()],
  ['304', {}, (res) => void res.writeHead(304, { ETag: '"x"' }).end()],
  ['preserveHeaderKeyCase', { preserveHeaderKeyCase: true }, (res) => void res.setHeader('X-CaSe', '1').end('x')],
  ['cookieDomainRewrite: a string', { cookieDomainRewrite: 'new.example' }, withCookies],
  ['cookieDomainRewrite: nothing', { cookieDomainRewrite: '' }, withCookies],
  ['cookieDomainRewrite: false', { cookieDomainRewrite: false }, withCookies],
  [
    'cookieDomainRewrite: by domain',
    { cookieDomainRewrite: { 'kept.example': 'kept.example', 'old.example': 'new.example', '*': '' } },
    withCookies,
  ],
  ['cookiePathRewrite: a string', { cookiePathRewrite: '/new/' }, withCookies],
  ['cookiePathRewrite: by path', { cookiePathRewrite: { '/kept/': '/kept/', '/old/': '/new/', '*': '' } }, withCookies],
  ...[201, 301, 302, 303, 307, 308].map(
    (status) => [`autoRewrite of ${status}`, { autoRewrite: true }, redirecting(status, toTarget)] as const,
  ),
  ['hostRewrite', { hostRewrite: 'ext.example' }, redirecting(302, toTarget)],
  [
    'hostRewrite goes before autoRewrite',
    { hostRewrite: 'ext.example', autoRewrite: true },
    redirecting(302, toTarget),
  ],
  ['protocolRewrite', { protocolRewrite: 'https' }, redirecting(302, toTarget)],
  ['protocolRewrite and autoRewrite', { protocolRewrite: 'https', autoRewrite: true }, redirecting(302, toTarget)],
  ['a redirect elsewhere', { autoRewrite: true }, redirecting(302, () => 'http://elsewhere.example/')],
  ['a relative redirect', { hostRewrite: 'ext.example' }, redirecting(302, () => '/there')],
  ['a redirect, and no option', {}, redirecting(302, () => 'http://127.0.0.1/')],
]

for (const [name, options, answer] of answers) {
  leakTest(`both give the same answer: ${name}`, async (scope) => {
    const [theirs, ours] = await answersOfBoth(scope, options, answer)
    const withoutPorts = JSON.parse(
      JSON.stringify([theirs, ours]).replaceAll(/127\.0\.0\.1:\d+/g, 'TARGET'),
    ) as object[]
    assert.deepEqual(withoutPorts[1], withoutPorts[0])
  })
}

// --- the rest ---

onBoth('forward: both get the request, the client the answer of the target', async (scope, httpProxy) => {
  const [main, copy] = [await target(scope), await target(scope, (_req, res) => res.writeHead(500).end('ignored'))]
  const client = await inServer(scope, httpProxy.createProxyServer({ target: main.url, forward: copy.url }))
  const reply = await client.request(post('/x', 'body'), 'POST')
  assert.equal(reply.body.toString(), 'POST /x')
  await until('the copy is there', () => copy.seen.length === 1)
  assert.deepEqual([main.seen[0]?.body, copy.seen[0]?.body, copy.seen[0]?.url], ['body', 'body', '/x'])
})

onBoth('forward alone: an empty answer', async (scope, httpProxy) => {
  const copy = await target(scope)
  const client = await inServer(scope, httpProxy.createProxyServer({ forward: copy.url }))
  const reply = await client.request(post('/x', 'body'), 'POST')
  assert.deepEqual([reply.status, reply.body.length], [200, 0])
  await until('the copy is there', () => copy.seen.length === 1)
  assert.equal(copy.seen[0]?.body, 'body')
})

onBoth('proxyTimeout: a target that says nothing is an error', async (scope, httpProxy) => {
  const { url } = await target(scope, () => {})
  const proxy = httpProxy.createProxyServer({ target: url, proxyTimeout: 50 })
  let failed = 0
  proxy.on('error', (_error, _req, res) => {
    failed++
    ;(res as ServerResponse).writeHead(504).end()
  })
  const client = await inServer(scope, proxy)
  assert.equal((await client.request(get('/'))).status, 504)
  assert.equal(failed, 1)
})

onBoth('timeout: a client that says nothing is left', async (scope, httpProxy) => {
  const { url } = await target(scope)
  const proxy = httpProxy.createProxyServer({ target: url, timeout: 50 })
  proxy.on('error', () => {})
  const client = await inServer(scope, proxy)
  client.write(post('/', 'only a part', {}, 1000))
  await client.ended()
})

onBoth('an agent of the program is used', async (scope, httpProxy) => {
  const agent = new Agent({ keepAlive: true })
  scope.defer(() => agent.destroy())
  let connections = 0
  const { url, server } = await target(scope)
  server.on('connection', () => connections++)
  const client = await inServer(scope, httpProxy.createProxyServer({ target: url, agent }))
  for (let n = 0; n < 5; n++) {
    assert.equal((await client.request(get('/'))).status, 200)
    await until('the connection is free', () => Object.keys(agent.freeSockets).length === 1)
  }
  assert.equal(connections, 1)
})

onBoth('several fields of one name in an answer', async (scope, httpProxy) => {
  const { url } = await target(scope, (_req, res) => res.setHeader('Set-Cookie', ['a=1', 'b=2']).end('ok'))
  const client = await inServer(scope, httpProxy.createProxyServer({ target: url }))
  assert.deepEqual(fieldValues(await client.request(get('/')), 'set-cookie'), ['a=1', 'b=2'])
})
