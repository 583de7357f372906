// Upgrade: WebSocket and other protocols through the proxy, tunnels with half-close and idle timeout, h2c dropped.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { fieldValue } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { answer, get } from '../support/messages.ts'
import { type ProxyOptions, startProxy, type TestProxy } from '../support/proxy.ts'
import { Random } from '../support/random.ts'
import { ended, fin, request, rst, type Script, wait, write } from '../support/scripted-backend.ts'
import { acting, assertSameBytes, scripted, seenValues } from '../support/stand.ts'
import { deferred, until } from '../support/wait.ts'

// --- with the ws package on both ends ---

interface Echo {
  readonly server: WebSocketServer
  readonly proxy: TestProxy
  connect(path?: string, protocols?: string[]): Promise<WebSocket>
}

async function echo(scope: Scope, options: ProxyOptions = {}): Promise<Echo> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: (set) => [...set][0] ?? false })
  await once(server, 'listening')
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  scope.defer(() => {
    for (const socket of server.clients) socket.terminate()
    return new Promise((resolve) => server.close(resolve))
  })
  const proxy = scope.use(await startProxy([`http://127.0.0.1:${(server.address() as AddressInfo).port}`], options))
  const open = async (path = '/', protocols: string[] = []): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}${path}`, protocols)
    scope.defer(() => socket.terminate())
    await once(socket, 'open')
    return socket
  }
  return { server, proxy, connect: open }
}

async function message(socket: WebSocket): Promise<{ data: Buffer; isBinary: boolean }> {
  const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean]
  return { data, isBinary }
}

leakTest('WebSocket: messages of any size, text and binary, both ways', async (scope) => {
  const { connect } = await echo(scope)
  const socket = await connect()
  const random = new Random()
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 1024 * 1024]) {
    const data = random.bytes(size)
    socket.send(data)
    const back = await message(socket)
    assert.ok(back.isBinary)
    assertSameBytes(back.data, data, `${size} bytes, seed ${random.seed}`)
  }
  socket.send('grüße')
  const back = await message(socket)
  assert.equal(back.data.toString(), 'grüße')
  assert.equal(back.isBinary, false)
})

leakTest('WebSocket: the server speaks first, and the subprotocol is negotiated', async (scope) => {
  const { server, proxy } = await echo(scope)
  server.on('connection', (socket, { url }) => socket.send(`welcome ${url}`))
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/chat?room=1`, ['v2.chat', 'v1.chat'])
  scope.defer(() => socket.terminate())
  assert.equal((await message(socket)).data.toString(), 'welcome /chat?room=1')
  assert.equal(socket.protocol, 'v2.chat')
})

leakTest('WebSocket: 50 connections at once keep their messages apart', async (scope) => {
  const { proxy, connect } = await echo(scope)
  const sockets = await Promise.all(Array.from({ length: 50 }, () => connect()))
  assert.equal(Object.values(proxy.active())[0], 50)
  await Promise.all(
    sockets.map(async (socket, i) => {
      for (let round = 0; round < 5; round++) {
        socket.send(`${i}/${round} ${'x'.repeat(i * 100)}`)
        const { data } = await message(socket)
        assert.ok(data.toString().startsWith(`${i}/${round} `))
      }
    }),
  )
  for (const socket of sockets) socket.close()
})

leakTest('WebSocket: close codes go through in both directions', async (scope) => {
  const { server, connect } = await echo(scope)
  const closed = deferred<[number, Buffer]>()
  server.once('connection', (socket) => socket.once('close', (code, reason) => closed.resolve([code, reason])))
  const first = await connect()
  first.close(4001, 'enough')
  const [[code, reason]] = await Promise.all([closed.promise, once(first, 'close')])
  assert.deepEqual([code, reason.toString()], [4001, 'enough'])

  server.once('connection', (socket) => socket.close(1013, 'later'))
  const second = new WebSocket((first as WebSocket & { url: string }).url)
  scope.defer(() => second.terminate())
  const [backCode, backReason] = (await once(second, 'close')) as [number, Buffer]
  assert.deepEqual([backCode, backReason.toString()], [1013, 'later'])
})

leakTest('WebSocket: a client that vanishes is gone for the backend too', async (scope) => {
  const { server, proxy, connect } = await echo(scope)
  const socket = await connect()
  assert.equal(server.clients.size, 1)
  socket.terminate()
  await until('the backend sees it', () => server.clients.size === 0)
  await until('nothing is active', () => Object.values(proxy.active())[0] === 0)
})

leakTest('WebSocket: silence of both sides ends the tunnel after timeouts.tunnel', async (scope) => {
  const { server, connect } = await echo(scope, { pool: { timeouts: { tunnel: '150ms', idle: '50ms' } } })
  const socket = await connect()
  const beganAt = performance.now()
  const [code] = (await once(socket, 'close')) as [number]
  assert.equal(code, 1006)
  assert.ok(performance.now() - beganAt > 100, 'not before its time')
  await until('the backend side is closed too', () => server.clients.size === 0)
})

leakTest('WebSocket: one message in time keeps the tunnel', async (scope) => {
  const { connect } = await echo(scope, {
    pool: { timeouts: { tunnel: '400ms', first_byte: '200ms', idle: '100ms', total: '0s' } },
    limits: { idle_timeout: '100ms', header_timeout: '100ms' },
  })
  const socket = await connect()
  const until1s = performance.now() + 1000
  while (performance.now() < until1s) {
    socket.send('ping')
    await message(socket)
    const next = performance.now() + 100
    await until('a while later', () => performance.now() > next)
  }
  assert.equal(socket.readyState, WebSocket.OPEN)
})

// --- with bytes ---

const upgrade = (protocol: string, more: Record<string, string> = {}): string =>
  get('/up', { Connection: 'Upgrade', Upgrade: protocol, ...more })
const switching = (protocol: string): string =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nX-More: 1\r\n\r\n`

async function tunnel(scope: Scope, script: Script, options: ProxyOptions = {}) {
  const stand = await scripted(scope, [[request(), write(switching('chat/1')), ...script]], options)
  const reply = await stand.client.request(upgrade('chat/1'))
  assert.equal(reply.status, 101)
  return { ...stand, reply }
}

leakTest('any protocol may be asked for; the 101 carries it back with its fields', async (scope) => {
  const { backend, client, reply } = await tunnel(scope, [ended(), fin()])
  assert.equal(fieldValue(reply, 'upgrade'), 'chat/1')
  assert.equal(fieldValue(reply, 'connection')?.toLowerCase(), 'upgrade')
  assert.equal(fieldValue(reply, 'x-more'), '1')
  const [seen] = backend.requests
  assert.equal(fieldValue(seen!, 'upgrade'), 'chat/1')
  assert.equal(fieldValue(seen!, 'connection')?.toLowerCase(), 'upgrade')
  client.write('GET / not http at all\r\n\r\n\0\x01')
  await until('the bytes are through', () => backend.connections[0]!.received.includes('not http at all\r\n\r\n\0\x01'))
})

leakTest('bytes sent along with the 101, and before it, are not lost', async (scope) => {
  const go = deferred()
  const { backend, client } = await scripted(scope, [
    [request(), wait(go.promise), write(`${switching('chat/1')}hello from the backend`), ended(), fin()],
  ])
  client.write(`${upgrade('chat/1')}hello from the client`)
  await until('the request is there', () => backend.requests.length === 1)
  go.resolve()
  await until('the client has it', () => client.received.includes('\r\n\r\nhello from the backend'))
  await until('the backend has it', () => backend.connections[0]!.received.includes('\r\n\r\nhello from the client'))
})

leakTest('half-close of the client: the backend sees the end and can still answer', async (scope) => {
  const { client, proxy } = await tunnel(scope, [ended(), write('last words'), fin()])
  client.write('question').end()
  await until('the last words have come', () => client.received.includes('last words'))
  assert.equal(await client.ended(), 'fin')
  await until('nothing is active', () => Object.values(proxy.active())[0] === 0)
})

leakTest('half-close of the backend: the client sees the end and can still send', async (scope) => {
  const { backend, client, proxy } = await tunnel(scope, [write('bye'), fin(), ended()])
  assert.equal(await client.ended(), 'fin')
  assert.ok(client.received.includes('bye'))
  client.write('still here')
  await until('the backend has it', () => backend.connections[0]!.received.includes('still here'))
  assert.equal(Object.values(proxy.active())[0], 1)
  client.end()
  await until('nothing is active', () => Object.values(proxy.active())[0] === 0)
})

leakTest('a tunnel half closed for ever ends with its idle timeout', async (scope) => {
  const { client, proxy } = await tunnel(scope, [fin()], { pool: { timeouts: { tunnel: '100ms' } } })
  assert.equal(await client.ended(), 'fin')
  await until('nothing is active', () => Object.values(proxy.active())[0] === 0)
})

leakTest('a reset of the backend is a reset for the client', async (scope) => {
  const go = deferred()
  const { client } = await tunnel(scope, [wait(go.promise), rst()])
  go.resolve()
  assert.equal(await client.ended(), 'rst')
})

leakTest('a reset of the client is a reset for the backend', async (scope) => {
  const { backend, client } = await tunnel(scope, [ended()])
  client.reset()
  await until('the backend sees it', () => backend.connections[0]!.broken)
})

leakTest('a large transfer both ways at once through a tunnel is whole', async (scope) => {
  const random = new Random()
  const data = random.bytes(3_000_000)
  const { backend, client } = await acting(scope)
  const socket = client.write(upgrade('echo'))
  await until('the tunnel stands', () => socket.received.includes('\r\n\r\n'))
  const start = client.received.indexOf('\r\n\r\n') + 4
  for (const piece of random.pieces(data)) client.write(piece)
  await client.receivedBytes(start + data.length)
  assertSameBytes(client.received.subarray(start), data, `seed ${random.seed}`)
  assert.equal(backend.connections, 1)
})

leakTest('a backend that does not switch answers as ever, and its connection is not kept', async (scope) => {
  const { backend, client } = await scripted(scope, [
    [request(), write(answer('plain'))],
    [request(), write(answer('next'))],
  ])
  const reply = await client.request(upgrade('chat/1'))
  assert.equal(reply.body.toString(), 'plain')
  assert.equal((await client.request(get('/'))).body.toString(), 'next')
  assert.equal(backend.connections.length, 2)
})

for (const protocol of ['h2c', 'H2C', 'h2c, h2']) {
  leakTest(`Upgrade: ${protocol} is dropped and the request served as HTTP/1.1`, async (scope) => {
    const { backend, client } = await acting(scope)
    const reply = await client.request(
      get('/', { Connection: 'Upgrade, HTTP2-Settings', Upgrade: protocol, 'HTTP2-Settings': 'AAMAAABkAAQAAP__' }),
    )
    assert.equal(reply.status, 200)
    for (const name of ['upgrade', 'connection', 'http2-settings']) {
      assert.deepEqual(seenValues(backend.requests[0], name), [], name)
    }
    assert.equal((await client.request(get('/'))).status, 200)
  })
}

leakTest('h2c beside another protocol leaves the other', async (scope) => {
  const { backend, client } = await scripted(scope, [[request(), write(switching('websocket')), ended(), fin()]])
  assert.equal((await client.request(upgrade('h2c, websocket'))).status, 101)
  assert.equal(fieldValue(backend.requests[0]!, 'upgrade'), 'websocket')
})

leakTest('Upgrade without Connection: upgrade is a field like any hop-by-hop one: dropped', async (scope) => {
  const { backend, client } = await acting(scope)
  assert.equal((await client.request(get('/', { Upgrade: 'websocket' }))).status, 200)
  assert.deepEqual(seenValues(backend.requests[0], 'upgrade'), [])
})

leakTest('an HTTP/1.0 client cannot upgrade', async (scope) => {
  const { backend, client } = await acting(scope)
  const reply = await client.request('GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  assert.equal(reply.status, 200)
  assert.deepEqual(seenValues(backend.requests[0], 'upgrade'), [])
})
