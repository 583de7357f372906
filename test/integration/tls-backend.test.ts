// Backends over https: verified against the system's authorities and NODE_EXTRA_CA_CERTS, by name and by address. What a
// pool can set is in tls-backend-settings.test.ts.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Certificates, haveOpenssl, makeAuthority, makeCertificates } from '../support/certificates.ts'
import { MemoryLog } from '../support/control-kit.ts'
import { fieldValue } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { get, post } from '../support/messages.ts'
import { startProxy } from '../support/proxy.ts'
import { type ProxyProcess, startProxyProcess } from '../support/proxy-process.ts'
import { Random } from '../support/random.ts'
import { RawClient, type Reply } from '../support/raw-client.ts'
import { acting, assertSameBytes } from '../support/stand.ts'

const skip = (await haveOpenssl()) ? false : 'openssl is not installed'

interface Backend {
  readonly port: number
  readonly requests: IncomingMessage[]
  readonly serverNames: (string | false | undefined)[]
  connections(): number
}

/** An https server that echoes bodies. */
async function secure(scope: Scope, { cert, key }: Pick<Certificates, 'cert' | 'key'>): Promise<Backend> {
  const requests: IncomingMessage[] = []
  const serverNames: (string | false | undefined)[] = []
  const server: Server = createServer({ cert, key, keepAliveTimeout: 0, ALPNProtocols: ['http/1.1'] }, (req, res) => {
    requests.push(req)
    // Answered when it is complete: an answer before that ends the connection.
    const parts: Buffer[] = []
    req.on('data', (part: Buffer) => parts.push(part))
    req.on('end', () => res.end(Buffer.concat(parts)))
  })
  let connections = 0
  server.on('tlsClientError', () => {})
  server.on('secureConnection', (socket: TLSSocket & { servername?: string | false }) => {
    connections++
    serverNames.push(socket.servername)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, requests, serverNames, connections: () => connections }
}

async function trusting(scope: Scope, { caPath }: Certificates): Promise<ProxyProcess> {
  return scope.use(await startProxyProcess({ NODE_EXTRA_CA_CERTS: caPath }))
}

async function ask(scope: Scope, port: number, bytes = get('/'), method = 'GET'): Promise<Reply> {
  return scope.use(await RawClient.open(port)).request(bytes, method)
}

function assertRefused(reply: Reply, error: string, details: RegExp): void {
  assert.equal(reply.status, 503)
  const status = fieldValue(reply, 'proxy-status') ?? ''
  assert.ok(status.includes(`error=${error}`), status)
  assert.match(status, details)
}

leakTest(
  'a certificate of a known authority, for the name or the address of the backend, is accepted',
  async (scope) => {
    const certificates = await makeCertificates()
    scope.defer(() => certificates.remove())
    const backend = await secure(scope, certificates)
    const child = await trusting(scope, certificates)
    for (const [host, serverName] of [
      ['localhost', 'localhost'],
      ['127.0.0.1', false],
    ] as const) {
      const port = await child.start([`https://${host}:${backend.port}`])
      const client = scope.use(await RawClient.open(port))
      const before = backend.connections()
      const random = new Random()
      for (const size of [0, 5, 65_537, 1024 * 1024]) {
        const body = random.bytes(size)
        client.write(post('/', '', {}, size))
        for (const piece of random.pieces(body)) client.write(piece)
        assertSameBytes((await client.reply('POST')).body, body, `${size} bytes, seed ${random.seed}`)
      }
      assert.equal(backend.connections() - before, 1, 'the connection is kept')
      assert.equal(backend.serverNames.at(-1), serverName)
      assert.equal(backend.requests.at(-1)?.headers.host, 't.example')
      assert.equal(backend.requests.at(-1)?.headers['x-forwarded-proto'], 'http')
    }
  },
  { skip },
)

leakTest(
  'a certificate for another name is refused, and the next backend asked, body intact',
  async (scope) => {
    const right = await makeCertificates()
    const wrong = await makeCertificates(['DNS:other.example'])
    for (const made of [right, wrong]) scope.defer(() => made.remove())
    const stranger = await secure(scope, wrong)
    const child = await trusting(scope, wrong)
    const alone = await child.start([`https://127.0.0.1:${stranger.port}`])
    assertRefused(await ask(scope, alone), 'tls_certificate_error', /details="certificate is for another name"/)
    const { backend } = await acting(scope)
    const both = await child.start([`https://127.0.0.1:${stranger.port}`, backend.url], { pool: { strategy: 'first' } })
    const reply = await ask(scope, both, post('/', 'intact', { 'X-Act-Echo': 1 }), 'POST')
    assert.equal(reply.body.toString(), 'intact')
    assert.equal(stranger.requests.length, 0, 'nothing was said to the stranger')
  },
  { skip },
)

leakTest(
  'a certificate of an unknown authority is refused',
  async (scope) => {
    const certificates = await makeCertificates()
    scope.defer(() => certificates.remove())
    const backend = await secure(scope, certificates)
    const proxy = scope.use(await startProxy([`https://127.0.0.1:${backend.port}`]))
    assertRefused(await ask(scope, proxy.port), 'tls_certificate_error', /details="unknown authority/)
    assert.equal(backend.requests.length, 0)
  },
  { skip },
)

leakTest(
  'the authorities of the system are trusted, and no variable of the environment switches verification off',
  async (scope) => {
    const certificates = await makeCertificates()
    scope.defer(() => certificates.remove())
    const backend = await secure(scope, certificates)
    const trusts = scope.use(await startProxyProcess({ SSL_CERT_FILE: certificates.caPath }))
    const port = await trusts.start([`https://127.0.0.1:${backend.port}`])
    assert.equal((await ask(scope, port)).status, 200)
    const lax = scope.use(await startProxyProcess({ NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' }))
    const other = await lax.start([`https://127.0.0.1:${backend.port}`])
    assertRefused(await ask(scope, other), 'tls_certificate_error', /details="unknown authority/)
  },
  { skip },
)

leakTest(
  'what the configuration says of TLS holds for exchanges and health checks alike',
  async (scope) => {
    const authority = await makeAuthority()
    scope.defer(() => authority.remove())
    const backend = await secure(scope, await authority.issue({ names: ['DNS:api.internal'] }))
    const url = `https://127.0.0.1:${backend.port}`
    const health_check = { method: 'http', interval: '100ms' }
    const good = { ca: authority.path, server_name: 'api.internal' }
    const log = new MemoryLog()
    const start = async (tls: Record<string, string | boolean>) =>
      scope.use(await startProxy([url], { pool: { tls, health_check }, log }))
    const proxy = await start(good)
    await log.waitFor('backend_up')
    assert.equal((await ask(scope, proxy.port)).status, 200)
    assert.ok(backend.serverNames.every((name) => name === 'api.internal'))
    const wrong = await start({ ...good, server_name: 'api.example' })
    const down = await log.waitFor('backend_down')
    assert.equal(
      down.message,
      `backend ${url} DOWN: certificate is for another name: it is good for DNS:api.internal, and api.example was looked for (first check)`,
    )
    assert.equal((await ask(scope, wrong.port)).status, 503)
    assert.equal(log.named('tls_not_verified').length, 0)
    const lax = await start({ verify: false })
    assert.equal((await log.waitFor('tls_not_verified')).fields.pool, 'default')
    await log.waitFor('backend_up', 2)
    assert.equal((await ask(scope, lax.port)).status, 200)
  },
  { skip },
)

leakTest('a backend that does not speak TLS is a 503 with its own reason', async (scope) => {
  const { backend } = await acting(scope)
  const proxy = scope.use(await startProxy([backend.url.replace('http:', 'https:')]))
  assertRefused(await ask(scope, proxy.port), 'tls_protocol_error', /details="the answer is not TLS/)
  assert.equal(backend.started, 0)
})
