// PROXY headers with nginx and HAProxy as backends: what they make of ours, from exchanges and from health checks.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { probe } from '../../src/control/health/probe.ts'
import type { BackendSpec } from '../../src/core/spec.ts'
import { BackendContexts } from '../../src/net/tls/backend-context.ts'
import { haveOpenssl, makeAuthority } from '../support/certificates.ts'
import { backendSpec, checkSpec, plainBackendTls, poolSpec } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { get } from '../support/messages.ts'
import { type PeerServer, startHaproxy, startNginx } from '../support/peer-servers.ts'
import { skipWithout } from '../support/peers.ts'
import { TestPlane } from '../support/plane.ts'
import { refusingPort } from '../support/ports.ts'
import { RawClient } from '../support/raw-client.ts'

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
    const tls = new BackendContexts().update([pool]).get(pool.name) ?? null
    const { signal } = new AbortController()
    const check = checkSpec({ method: 'http' })
    const input = { backend, check, addresses: ['127.0.0.1'], signal, tls }
    assert.deepEqual(await probe({ ...input, sendProxyProtocol: version }), { ok: true, reason: 'status 200' })
    assert.equal((await probe({ ...input, sendProxyProtocol: null })).ok, false, 'they insist on a header')
  }
}
