// TLS on either side of a TCP connection: bytes, their ends, back-pressure and resets as without it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { type Authority, haveOpenssl, makeAuthority } from '../support/certificates.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import type { TestProxy } from '../support/proxy.ts'
import { Random } from '../support/random.ts'
import { RawClient } from '../support/raw-client.ts'
import {
  assertBothWays,
  startTcpBackend,
  startTcpProxy,
  stuffed,
  type TcpBackend,
  type TcpOptions,
} from '../support/tcp-stand.ts'
import { until } from '../support/wait.ts'

const MiB = 1024 * 1024
const skip = (await haveOpenssl()) ? false : 'openssl is not installed'
const authority: Authority | null = skip === false ? await makeAuthority() : null
test.after(() => authority?.remove())
const issued = authority === null ? null : await authority.issue()

/** A connection by TLS, read and written like any other. */
async function secure(scope: Scope, port: number, options: tls.ConnectionOptions = {}): Promise<RawClient> {
  const given = { ca: authority!.pem, servername: 'localhost', allowHalfOpen: true, ...options }
  const socket = tls.connect({ host: '127.0.0.1', port, ...given } as tls.ConnectionOptions)
  await once(socket, 'secureConnect')
  return scope.use(new RawClient(socket))
}

interface Stand {
  readonly client: RawClient
  readonly peer: RawClient
  readonly proxy: TestProxy
}

/** TLS from the client, and none to the backend. */
async function securedClient(
  scope: Scope,
  options: TcpOptions = {},
  version: tls.SecureVersion = 'TLSv1.3',
): Promise<Stand> {
  const backend = scope.use(await startTcpBackend())
  const certificates = [{ cert: issued!.certPath, key: issued!.keyPath }]
  const listener = { tls: { certificates }, ...options.listener }
  const proxy = scope.use(await startTcpProxy([backend.url], { ...options, listener }))
  scope.defer(() => closeAll(backend))
  const client = await secure(scope, proxy.port, { minVersion: version, maxVersion: version })
  return { client, peer: await backend.peer(), proxy }
}

/** TLS to the backend, and none from the client. */
async function securedBackend(scope: Scope): Promise<Stand> {
  const peers: RawClient[] = []
  const { cert, key } = issued!
  const server = tls.createServer({ cert, key, allowHalfOpen: true } as tls.TlsOptions, (socket) => {
    peers.push(new RawClient(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => new Promise((resolve) => server.close(resolve)))
  const url = `tls://127.0.0.1:${(server.address() as AddressInfo).port}`
  const pool = { tls: { ca: authority!.path } }
  const proxy = scope.use(await startTcpProxy([url], { pool }))
  scope.defer(() => {
    for (const { socket } of peers) socket.destroy()
  })
  const client = scope.use(await RawClient.open(proxy.port))
  await until('the backend has a connection', () => peers.length === 1)
  return { client, peer: peers[0]!, proxy }
}

function closeAll(backend: TcpBackend): void {
  for (const { socket } of backend.peers) socket.destroy()
}

const stands = { 'TLS from clients': securedClient, 'TLS to backends': securedBackend }

for (const [what, start] of Object.entries(stands)) {
  leakTest(
    `${what}: bytes of any size in both directions`,
    async (scope) => {
      const { client, peer } = await start(scope)
      const random = new Random()
      await assertBothWays(client, peer, random, [1, 100, 1024, 1025, 16_384, 16_385, 70_000, 3 * MiB, 7])
    },
    { skip },
  )

  leakTest(
    `${what}: a half-close goes through in both directions`,
    async (scope) => {
      const first = await start(scope)
      first.client.write('question').end()
      assert.equal(await first.peer.ended(), 'fin')
      assert.equal(first.peer.received.toString(), 'question')
      first.peer.write('x'.repeat(300_000)).end()
      assert.equal(await first.client.ended(), 'fin')
      assert.equal(first.client.received.length, 300_000)
      await until('nothing is active', () => Object.values(first.proxy.active())[0] === 0)
      const second = await start(scope)
      second.peer.write('bye').end()
      assert.equal(await second.client.ended(), 'fin')
      second.client.write('x'.repeat(300_000)).end()
      assert.equal(await second.peer.ended(), 'fin')
      assert.equal(second.peer.received.length, 300_000)
      await until('nothing is active', () => Object.values(second.proxy.active())[0] === 0)
    },
    { skip },
  )

  leakTest(
    `${what}: a reader that does not read makes the writer wait`,
    async (scope) => {
      const { client, peer } = await start(scope)
      for (const [from, to] of [
        [client, peer],
        [peer, client],
      ] as const) {
        const before = process.memoryUsage().arrayBuffers
        const { taken, release } = await stuffed(from, to, 48 * MiB)
        assert.ok(taken < 40 * MiB, `${taken} bytes were taken though nobody reads`)
        // What waits in the clients' own engines counts here too.
        assert.ok(process.memoryUsage().arrayBuffers - before < 24 * MiB)
        await release()
      }
    },
    { skip },
  )

  leakTest(
    `${what}: a reset of the plain side cuts the other off`,
    async (scope) => {
      const { client, peer, proxy } = await start(scope)
      client.write('a')
      await peer.receivedBytes(1)
      const [plain, secured] = what === 'TLS from clients' ? [peer, client] : [client, peer]
      plain.reset()
      assert.equal(await secured.ended(), 'rst')
      await until('nothing is active', () => Object.values(proxy.active())[0] === 0)
    },
    { skip },
  )
}

leakTest(
  'TLS 1.2 from clients, and a session resumed',
  async (scope) => {
    const { client, peer, proxy } = await securedClient(scope, {}, 'TLSv1.2')
    client.write('hello')
    await peer.receivedBytes(5)
    const session = (client.socket as tls.TLSSocket).getSession()!
    const again = await secure(scope, proxy.port, { session, maxVersion: 'TLSv1.2' })
    assert.equal((again.socket as tls.TLSSocket).isSessionReused(), true)
    assert.equal((again.socket as tls.TLSSocket).getProtocol(), 'TLSv1.2')
  },
  { skip },
)

leakTest(
  'a backend whose certificate is not good is not reached: the client is closed',
  async (scope) => {
    const { cert, key } = await authority!.issue({ names: ['DNS:elsewhere.test'] })
    const server = tls.createServer({ cert, key })
    server.on('tlsClientError', () => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    scope.defer(() => new Promise((resolve) => server.close(resolve)))
    const url = `tls://127.0.0.1:${(server.address() as AddressInfo).port}`
    const proxy = scope.use(await startTcpProxy([url], { pool: { tls: { ca: authority!.path } } }))
    const client = scope.use(await RawClient.open(proxy.port))
    client.write('secret')
    assert.equal(await client.ended(), 'fin')
    assert.ok(proxy.running.status().backends[0]!.errors >= 1)
  },
  { skip },
)
