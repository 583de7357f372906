// PROXY headers with nginx and HAProxy: what they make of ours as backends, from exchanges and from health checks; what we
// make of theirs, and of another Frontdesk's.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { probe } from '../../src/control/health/probe.ts'
import type { BackendSpec } from '../../src/core/spec.ts'
import { BackendContexts } from '../../src/net/tls/backend-context.ts'
import { startActingBackend } from '../support/acting-backend.ts'
import { haveOpenssl, makeAuthority } from '../support/certificates.ts'
import { backendSpec, checkSpec, plainBackendTls, poolSpec } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { get } from '../support/messages.ts'
import { type PeerServer, skipWithoutStream, startHaproxy, startNginx } from '../support/peer-servers.ts'
import { skipWithout } from '../support/peers.ts'
import { TestPlane } from '../support/plane.ts'
import { refusingPort } from '../support/ports.ts'
import { startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { seenValues } from '../support/stand.ts'

/** Ports with and without TLS, both of which want a PROXY header. They answer with the four parts of what it said. */
interface Ports {
  readonly plain: number
  readonly secure: number
}

interface Identity {
  readonly certPath: string
  readonly keyPath: string
  readonly cert: string
  readonly key: string
}

function nginx({ plain, secure }: Ports, { certPath, keyPath }: Identity): Promise<PeerServer> {
  const server = (listen: string): string => `server {
    listen 127.0.0.1:${listen};
    return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port";
  }`
  return startNginx(
    `http {
  ssl_certificate ${certPath}; ssl_certificate_key ${keyPath};
  ${server(`${plain} proxy_protocol`)} ${server(`${secure} ssl proxy_protocol`)}
}`,
    plain,
  )
}

async function haproxy({ plain, secure }: Ports, { cert, key }: Identity): Promise<PeerServer> {
  const dir = await mkdtemp(join(tmpdir(), 'frontdesk-peer-'))
  await writeFile(join(dir, 'both.pem'), `${cert}\n${key}`)
  const sections = `frontend f
  mode http
  bind 127.0.0.1:${plain} accept-proxy
  bind 127.0.0.1:${secure} accept-proxy ssl crt ${dir}/both.pem
  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]"`
  return startHaproxy(sections, plain).finally(() => rm(dir, { recursive: true }))
}

async function front(scope: Scope, protocol: BackendSpec['protocol'], port: number, version: 'v1' | 'v2', ca: string) {
  const kind = protocol.startsWith('http') ? ('http' as const) : ('tcp' as const)
  return scope.use(
    await TestPlane.start({
      listeners: [{ protocol: kind }],
      pools: (state) => [
        poolSpec([backendSpec(state.claimSlot(), port, { protocol })], {
          kind,
          sendProxyProtocol: version,
          tls: { ...plainBackendTls, alpn: kind === 'http' ? ['http/1.1'] : [], ca },
        }),
      ],
    }),
  )
}

for (const [name, start] of [
  ['nginx', nginx],
  ['haproxy', haproxy],
] as const) {
  leakTest(
    `${name} reads our PROXY headers: v1 and v2, HTTP, TCP and TLS, and those of health checks`,
    async (scope) => {
      const authority = await makeAuthority()
      scope.defer(() => authority.remove())
      const ports: Ports = { plain: await refusingPort(), secure: await refusingPort() }
      scope.use(await start(ports, await authority.issue()))
      for (const version of ['v1', 'v2'] as const) {
        for (const protocol of ['http', 'https', 'tcp'] as const) {
          const port = protocol === 'https' ? ports.secure : ports.plain
          const plane = await front(scope, protocol, port, version, authority.pem)
          for (let clients = 0; clients < 2; clients++) {
            const client = scope.use(await RawClient.open(plane.port()))
            const told = `127.0.0.1 ${client.socket.localPort} 127.0.0.1 ${plane.port()}`
            for (let n = 0; n < 2; n++) {
              const reply = await client.request(get('/'), 'GET')
              assert.equal(reply.body.toString(), told, `${protocol} ${version}`)
            }
          }
        }
        await assertChecks(ports, version, authority.pem)
      }
    },
    { skip: skipWithout(name) || ((await haveOpenssl()) ? false : 'openssl is not installed') },
  )
}

async function assertChecks({ plain, secure }: Ports, version: 'v1' | 'v2', ca: string): Promise<void> {
  for (const protocol of ['http', 'https'] as const) {
    const backend = backendSpec(0, protocol === 'https' ? secure : plain, { protocol })
    const pool = poolSpec([backend], { tls: { ...plainBackendTls, ca } })
    const context = new BackendContexts().update([pool]).get(pool.name) ?? null
    const { signal } = new AbortController()
    const check = checkSpec({ method: 'http' })
    const input = { backend, check, addresses: ['127.0.0.1'], signal, tls: context }
    assert.deepEqual(await probe({ ...input, sendProxyProtocol: version }), { ok: true, reason: 'status 200' })
    assert.equal((await probe({ ...input, sendProxyProtocol: null })).ok, false, 'they insist on a header')
  }
}

/** The address that clients come from, so that it is nobody else's. */
const localAddress = '127.0.0.2'

leakTest(
  'we read the PROXY headers of HAProxy, v1 and v2, on HTTP and on TLS listeners, and its health checks',
  async (scope) => {
    const authority = await makeAuthority()
    scope.defer(() => authority.remove())
    const { certPath, keyPath } = await authority.issue()
    const backend = scope.use(await startActingBackend())
    const accept_proxy_protocol = ['127.0.0.1']
    const own = { certificates: [{ cert: certPath, key: keyPath }] }
    const listeners = [
      { name: 'plain', listen: '127.0.0.1:1', pool: 'default', accept_proxy_protocol },
      { name: 'secure', listen: '127.0.0.1:2', pool: 'default', accept_proxy_protocol, tls: own },
    ]
    const proxy = scope.use(await startProxy([backend.url], { config: { listeners } }))
    const [plain, secure] = proxy.running.listeners
    const fronts: { readonly port: number; readonly target: number; readonly version: string }[] = []
    for (const target of [plain!.port, secure!.port]) {
      for (const version of ['send-proxy', 'send-proxy-v2'])
        fronts.push({ port: await refusingPort(), target, version })
    }
    const sections = fronts.map(
      ({ port, target, version }) =>
        `listen l${port}\n  mode tcp\n  bind 127.0.0.1:${port}\n  server s 127.0.0.1:${target} ${version} check inter 50ms`,
    )
    scope.use(await startHaproxy(sections.join('\n'), fronts.at(-1)!.port))
    for (const { port, target } of fronts) {
      const client = scope.use(await RawClient.open(port, { localAddress }))
      if (target === plain!.port) assert.equal((await client.request(get('/'), 'GET')).status, 200)
      else assert.match(await askOverTls(client, authority.pem), /^HTTP\/1.1 200 /)
      assert.deepEqual(seenValues(backend.requests.at(-1), 'x-forwarded-for'), [localAddress])
    }
    assert.equal(proxy.running.state.listenerTotals(0).rejected.proxy_protocol, 0)
  },
  { skip: skipWithout('haproxy') || ((await haveOpenssl()) ? false : 'openssl is not installed') },
)

leakTest(
  'we read the PROXY headers of nginx',
  async (scope) => {
    const backend = scope.use(await startActingBackend())
    const proxy = scope.use(await startProxy([backend.url], { config: { listeners: [listening(['127.0.0.1'])] } }))
    const port = await refusingPort()
    const server = `listen 127.0.0.1:${port}; proxy_pass 127.0.0.1:${proxy.port}; proxy_protocol on;`
    scope.use(await startNginx(`stream { server { ${server} } }`, port))
    const client = scope.use(await RawClient.open(port, { localAddress }))
    assert.equal((await client.request(get('/'), 'GET')).status, 200)
    assert.deepEqual(seenValues(backend.requests.at(-1), 'x-forwarded-for'), [localAddress])
  },
  { skip: skipWithoutStream() },
)

leakTest('one Frontdesk tells another whose a connection is', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const inner = scope.use(await startProxy([backend.url], { config: { listeners: [listening(['127.0.0.1'])] } }))
  for (const send_proxy_protocol of ['v1', 'v2']) {
    const outer = scope.use(await startProxy([inner.url], { pool: { send_proxy_protocol } }))
    const client = scope.use(await RawClient.open(outer.port, { localAddress }))
    for (let n = 0; n < 2; n++) assert.equal((await client.request(get('/'), 'GET')).status, 200)
    // The inner one believes the header, and not the field, which is the outer one's.
    assert.deepEqual(seenValues(backend.requests.at(-1), 'x-forwarded-for'), [localAddress])
    client.socket.destroy()
  }
})

const listening = (accept_proxy_protocol: readonly string[]) => ({
  name: 'test',
  listen: '127.0.0.1:1',
  pool: 'default',
  accept_proxy_protocol,
})

async function askOverTls(client: RawClient, ca: string): Promise<string> {
  client.socket.removeAllListeners('data')
  const secured = tls.connect({ socket: client.socket, ca, servername: 'localhost' })
  await once(secured, 'secureConnect')
  secured.write(get('/'))
  const [bytes] = (await once(secured, 'data')) as [Buffer]
  secured.destroy()
  return bytes.toString('latin1')
}
