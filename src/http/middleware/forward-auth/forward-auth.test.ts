import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import { afterEach, test } from 'node:test'
import { refusingPort } from '../../../../test/support/ports.ts'
import {
  type Fields,
  TestRequest,
  type TestRequestOptions,
  TestResponse,
} from '../../../../test/support/request-view.ts'
import { until, within } from '../../../../test/support/wait.ts'
import type { Answer, FinishView, Middleware } from '../../../core/plugin.ts'
import type { ForwardAuthSpec } from '../../../core/route-spec.ts'
import { isRefusal } from '../refusal.ts'
import { AuthAgents } from './auth-agents.ts'
import { type ForwardAuthOptions, forwardAuth } from './forward-auth.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const servers: (Server | TcpServer)[] = []
const sockets: Socket[] = []
const agents = new AuthAgents()

afterEach(async () => {
  agents.close()
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})

/** An authentication server, and what it was asked. */
async function authServer(
  handler: Handler,
): Promise<{ url: string; asked: IncomingMessage[]; connections: () => number }> {
  const asked: IncomingMessage[] = []
  let connections = 0
  const server = createServer((request, response) => {
    asked.push(request)
    handler(request, response)
  })
  server.on('connection', () => connections++)
  return { url: `${await listen(server)}/check?x=1`, asked, connections: () => connections }
}

/** One that writes bytes as they are. */
async function rawServer(onSocket: (socket: Socket) => void): Promise<string> {
  const server = createTcpServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.resume()
    onSocket(socket)
  })
  return `${await listen(server)}/`
}

async function listen(server: Server | TcpServer): Promise<string> {
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function build(
  url: string,
  spec: Partial<ForwardAuthSpec> = {},
  options: Partial<ForwardAuthOptions> = {},
): Middleware {
  const route = { url, timeoutMs: 4000, requestHeaders: [], copyHeaders: [], ...spec }
  return forwardAuth(route, { via: '', agents, ...options })
}

async function run(
  middleware: Middleware,
  options: TestRequestOptions = {},
): Promise<[TestRequest, Answer | undefined]> {
  const request = new TestRequest(options)
  const answer = await within('an answer', Promise.resolve(middleware.onRequest?.(request)))
  return [request, answer ?? undefined]
}

const finished = (request: TestRequest): FinishView => ({
  request,
  status: 499,
  durationMs: 1,
  backend: '',
  attempts: 0,
  error: 'client_gone',
})

function assertUnavailable(answer: Answer | undefined, reason: string): void {
  assert.equal(answer?.status, 503)
  assert.ok(isRefusal(answer) && answer.error.name === 'auth_unavailable')
  assert.equal(answer.details, reason)
}

test('2xx lets the request go on, with what the server says of it', async () => {
  const server = await authServer((_, response) => {
    response
      .writeHead(202, ['Remote-User', 'ann', 'Remote-Groups', 'a', 'remote-groups', 'b', 'X-Other', 'x'])
      .end('yes')
  })
  const middleware = build(server.url, { copyHeaders: ['remote-user', 'remote-groups', 'remote-email'] })
  const fields: Fields = [
    ['Cookie', 's=1'],
    ['Content-Length', '3'],
  ]
  const [request, answer] = await run(middleware, { method: 'POST', target: '/a?b', fields })
  assert.equal(answer, undefined)
  const added = [
    ['remote-user', 'ann'],
    ['remote-groups', 'a'],
    ['remote-groups', 'b'],
  ]
  assert.deepEqual(request.forBackend, [...fields, ...added])
  const [asked] = server.asked
  assert.deepEqual([asked?.method, asked?.url], ['GET', '/check?x=1'])
  assert.equal(asked?.headers.host, new URL(server.url).host)
  assert.equal(asked?.headers['x-forwarded-method'], 'POST')
  assert.equal(asked?.headers['x-forwarded-uri'], '/a?b')
  assert.equal(asked?.headers.cookie, 's=1')
  assert.equal(asked?.headers['content-length'], undefined)
  assert.equal(asked?.headers['transfer-encoding'], undefined)
})

test('identity fields of the client are gone whatever the server says, however they are spelled (CVE-2026-30851, CVE-2026-52845)', async () => {
  const spoofed: Fields = [
    ['Remote-User', 'admin'],
    ['remote_user', 'admin'],
    ['REMOTE.USER', 'admin'],
    ['Remote-User', 'x'],
  ]
  const copyHeaders = ['remote-user']
  const silent = await authServer((_, response) => response.writeHead(200).end())
  const [passed] = await run(build(silent.url, { copyHeaders }), { fields: spoofed })
  assert.deepEqual(passed.forBackend, [], 'it said nothing')
  assert.equal(
    silent.asked[0]?.rawHeaders.some((text) => text === 'admin'),
    false,
  )
  const names = await authServer((_, response) => response.writeHead(200, { 'Remote-User': 'ann' }).end())
  const [named] = await run(build(names.url, { copyHeaders }), { fields: spoofed })
  assert.deepEqual(named.forBackend, [['remote-user', 'ann']])
  const refuses = await authServer((_, response) => response.writeHead(401).end())
  const [refused] = await run(build(refuses.url, { copyHeaders }), { fields: spoofed })
  assert.deepEqual(refused.forBackend, [])
  const [lost] = await run(build(`http://127.0.0.1:${await refusingPort()}/`, { copyHeaders }), { fields: spoofed })
  assert.deepEqual(lost.forBackend, [])
})

test('any other answer is for the client, without what was of the hop', async () => {
  const server = await authServer((_, response) => {
    const fields = ['Location', '/login?rd=x', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Content-Type', 'text/html']
    const hop = [
      'Connection',
      'X-Hop',
      'X-Hop',
      '1',
      'Keep-Alive',
      'timeout=5',
      'Server',
      'auth/1',
      'Content-Length',
      '5',
    ]
    response.writeHead(302, [...fields, ...hop]).end('login')
  })
  const [, answer] = await run(build(server.url))
  assert.deepEqual(answer, {
    status: 302,
    headers: {
      location: ['/login?rd=x'],
      'set-cookie': ['a=1', 'b=2'],
      'content-type': ['text/html'],
      'cache-control': ['no-store'],
    },
    body: Buffer.from('login'),
  })
})

test('401, 403, 404, 500: the server knows why; it also says what may be cached', async () => {
  for (const status of [301, 304, 401, 403, 404, 500, 503]) {
    const fields = { 'WWW-Authenticate': 'Bearer', 'Cache-Control': 'max-age=1' }
    const server = await authServer((_, response) => response.writeHead(status, fields).end())
    const [, answer] = await run(build(server.url))
    assert.equal(answer?.status, status)
    assert.deepEqual(answer.headers?.['www-authenticate'], ['Bearer'])
    assert.deepEqual(answer.headers?.['cache-control'], ['max-age=1'])
  }
})

test('redirects are not followed', async () => {
  const server = await authServer((_, response) => response.writeHead(307, { Location: '/check' }).end())
  const [, answer] = await run(build(server.url))
  assert.equal(answer?.status, 307)
  assert.equal(server.asked.length, 1)
})

test('a body of 64 KB is passed on, a larger one is left away', async () => {
  for (const [size, passed] of [
    [65536, 65536],
    [65537, 0],
    [5_000_000, 0],
  ] as const) {
    const server = await authServer((_, response) =>
      response.writeHead(403, { 'Content-Type': 'text/html', 'X-Why': 'no' }).end('x'.repeat(size)),
    )
    const [, answer] = await run(build(server.url))
    assert.equal(answer?.status, 403)
    assert.equal(answer.body?.length, passed)
    assert.deepEqual(answer.headers?.['x-why'], ['no'])
    assert.equal('content-type' in (answer.headers ?? {}), passed > 0)
  }
})

test('a server that cannot be asked: 503, never the backend', async () => {
  const refused = build(`http://127.0.0.1:${await refusingPort()}/`)
  assertUnavailable((await run(refused))[1], 'ECONNREFUSED')
  const silent = build(await rawServer(() => {}), { timeoutMs: 50 })
  assertUnavailable((await run(silent))[1], 'timed out')
  const garbage = build(await rawServer((socket) => socket.end('SSH-2.0-x\r\n')))
  assert.match(String((await run(garbage))[1]?.status), /503/)
  const closing = build(await rawServer((socket) => socket.end()))
  assertUnavailable((await run(closing))[1], 'ECONNRESET')
})

test('answers that are cut, never end, or are no answers: 503', async () => {
  const cut = await rawServer((socket) => socket.end('HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\nshort'))
  assertUnavailable((await run(build(cut)))[1], 'the answer was cut')
  const slow = await rawServer((socket) => socket.write('HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\nshort'))
  assertUnavailable((await run(build(slow, { timeoutMs: 50 })))[1], 'timed out')
  const odd = await rawServer((socket) => socket.write('HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n'))
  assertUnavailable((await run(build(odd)))[1], 'no usable answer')
  const switches = await rawServer((socket) =>
    socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  )
  assert.equal((await run(build(switches)))[1]?.status, 503)
})

test('a yes is a yes before its body has come, and that body ends in time', async () => {
  let closed = false
  const url = await rawServer((socket) => {
    socket.on('close', () => {
      closed = true
    })
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort')
  })
  const [, answer] = await run(build(url, { timeoutMs: 100 }))
  assert.equal(answer, undefined)
  await until('the connection is given up', () => closed)
})

test('connections outlive the route that made them, and end with the worker', async () => {
  const server = await authServer((_, response) => response.writeHead(200).end('yes'))
  assert.equal((await run(build(server.url)))[1], undefined)
  assert.equal((await run(build(`${server.url}&y=2`)))[1], undefined)
  assert.equal(server.connections(), 1)
  const [socket] = server.asked.map((request) => request.socket)
  agents.close()
  await until('it is closed', () => socket?.destroyed === true)
})

test('connections are kept; one that was closed in the meantime is no failure', async () => {
  const server = await authServer((_, response) => response.writeHead(200).end('yes'))
  const middleware = build(server.url)
  for (let at = 0; at < 5; at++) assert.equal((await run(middleware))[1], undefined)
  assert.equal(server.connections(), 1)
  let requests = 0
  const resets = await rawServer((socket) => {
    let first = true
    socket.on('data', () => {
      requests++
      if (first) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      else socket.resetAndDestroy()
      first = false
    })
  })
  const retrying = build(resets)
  assert.equal((await run(retrying))[1], undefined)
  assert.equal((await run(retrying))[1], undefined)
  assert.equal(requests, 3, 'asked again on a fresh connection')
})

test('too many at once are refused at once; connections are bounded', async () => {
  const held: ServerResponse[] = []
  const server = await authServer((_, response) => held.push(response))
  const middleware = build(server.url, {}, { agents: new AuthAgents(2), maxCalls: 4 })
  const waiting = Array.from({ length: 4 }, () => run(middleware))
  assertUnavailable((await run(middleware))[1], 'too many calls at once')
  await until('two have arrived', () => held.length === 2)
  assert.equal(server.connections(), 2)
  const answered = Promise.all(waiting)
  for (let done = 0; done < 4; done++) {
    await until('the next has arrived', () => held.length > done)
    held[done]!.writeHead(200).end()
  }
  for (const [, answer] of await within('all', answered)) assert.equal(answer, undefined)
  assert.equal(server.connections(), 2)
  held.length = 0
  const next = run(middleware)
  await until('it is asked again', () => held.length === 1)
  held[0]!.writeHead(200).end()
  assert.equal((await next)[1], undefined)
})

test('a client that goes takes its question along', async () => {
  let closed = false
  const server = await authServer((request) =>
    request.on('close', () => {
      closed = true
    }),
  )
  const middleware = build(server.url)
  const request = new TestRequest()
  const pending = Promise.resolve(middleware.onRequest?.(request))
  await until('it is asked', () => server.asked.length === 1)
  middleware.onFinish?.(finished(request))
  assertUnavailable((await within('the end', pending)) ?? undefined, 'cancelled')
  await until('the server has noticed', () => closed)
  middleware.onFinish?.(finished(request))
})

test('a renewed session reaches the client, where that is asked for', async () => {
  const server = await authServer((_, response) => response.writeHead(202, { 'Set-Cookie': ['s=2', 't=3'] }).end())
  const renewing = build(server.url, { copyHeaders: ['set-cookie'] })
  const [request] = await run(renewing)
  const response = new TestResponse(request, [['Set-Cookie', 'own=1']])
  renewing.onResponse?.(response)
  assert.deepEqual(response.headers('set-cookie'), ['own=1', 's=2', 't=3'])
  assert.deepEqual(request.forBackend, [])
  assert.equal(build(server.url).onResponse, undefined)
})

test('a server that leads back here can be told by Via', async () => {
  const server = await authServer((_, response) => response.writeHead(200).end())
  await run(build(server.url, {}, { via: '1.1 frontdesk (abc)' }), { fields: [['Via', '1.0 before']] })
  assert.equal(server.asked[0]?.headers.via, '1.0 before, 1.1 frontdesk (abc)')
})

test('fields that frame a message cannot be copied', () => {
  assert.throws(() => build('http://a.example/', { copyHeaders: ['x-user', 'content-length'] }), /content-length/)
})

test('bytes beyond ASCII go there and back as they are', async () => {
  const name = Buffer.from('jos\u00e9').toString('latin1')
  const server = await authServer((request, response) => {
    response.writeHead(200, ['Remote-User', request.headers['x-name'] as string]).end()
  })
  const [request] = await run(build(server.url, { copyHeaders: ['remote-user'] }), { fields: [['X-Name', name]] })
  assert.deepEqual(request.forBackend.at(-1), ['remote-user', name])
})
