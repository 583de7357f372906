// TLS towards backends, setting by setting: which certificates are accepted, what the backend sees of us, what a refusal
// says, which sessions are resumed, and what a change of the settings does to connections that wait.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { promisify } from 'node:util'
import type { BackendSpec, BackendTlsSpec, PoolSpec } from '../../src/core/spec.ts'
import { native } from '../../src/net/native.ts'
import { type Authority, haveOpenssl, type IssueOptions, makeAuthority } from '../support/certificates.ts'
import { backendSpec, plainBackendTls, poolSpec, SilentListener } from '../support/control-kit.ts'
import { fieldValue } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { get } from '../support/messages.ts'
import { TestPlane } from '../support/plane.ts'
import { RawClient, type Reply } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'

const skip = (await haveOpenssl()) ? (false as const) : 'openssl is not installed'
const options: { readonly skip: string | false } = { skip }

async function authority(scope: Scope): Promise<Authority> {
  const made = await makeAuthority()
  scope.defer(() => made.remove())
  return made
}

async function selfSigned(scope: Scope): Promise<{ readonly cert: string; readonly key: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'frontdesk-self-signed-'))
  scope.defer(() => rm(dir, { recursive: true }))
  const [key, cert] = [join(dir, 'key'), join(dir, 'cert')]
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-subj', '/CN=alone', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
  ])
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
}

/** One connection as the backend saw it. */
interface Seen {
  readonly socket: tls.TLSSocket
  readonly resumed: boolean
  readonly serverName: string | false | null
  readonly alpn: string | false | null
  readonly protocol: string | null
  /** Common name of our certificate. */
  readonly subject: unknown
}

interface SecureServer {
  readonly port: number
  readonly seen: Seen[]
  /** Bytes of clear text that arrived. */
  received(): string
}

/** A TLS server; by default every piece that arrives is answered with 200. */
async function serve(
  scope: Scope,
  given: tls.TlsOptions,
  answer: (socket: tls.TLSSocket) => void = (socket) =>
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')),
): Promise<SecureServer> {
  const seen: Seen[] = []
  let received = ''
  const sockets = new Set<Socket>()
  const server = tls.createServer({ ...given, allowHalfOpen: true } as tls.TlsOptions, (socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => (received += bytes.toString('latin1')))
    seen.push({
      socket,
      resumed: socket.isSessionReused(),
      serverName: (socket as { servername?: string | false | null }).servername ?? null,
      alpn: socket.alpnProtocol,
      protocol: socket.getProtocol(),
      subject: socket.getPeerCertificate().subject?.CN ?? '',
    })
    answer(socket)
  })
  server.on('tlsClientError', () => {})
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, seen, received: () => received }
}

/** A plane with an HTTP listener before one https backend. */
function front(
  scope: Scope,
  port: number,
  settings: Partial<BackendTlsSpec>,
  over: Partial<PoolSpec> = {},
  backend: Partial<BackendSpec> = {},
): Promise<TestPlane> {
  const pools: Parameters<typeof TestPlane.start>[0]['pools'] = (state) => [
    poolSpec([backendSpec(state.claimSlot(), port, { protocol: 'https', ...backend })], {
      tls: { ...plainBackendTls, ...settings },
      ...over,
    }),
  ]
  return TestPlane.start({ listeners: [{}], pools }).then((plane) => scope.use(plane))
}

/** The same with a TCP listener and a tls backend. */
function frontTcp(scope: Scope, port: number, settings: Partial<BackendTlsSpec>): Promise<TestPlane> {
  const pools: Parameters<typeof TestPlane.start>[0]['pools'] = (state) => [
    poolSpec([backendSpec(state.claimSlot(), port, { protocol: 'tls' })], {
      kind: 'tcp',
      tls: { ...plainBackendTls, alpn: [], ...settings },
    }),
  ]
  return TestPlane.start({ listeners: [{ protocol: 'tcp' }], pools }).then((plane) => scope.use(plane))
}

const backendTotals = (plane: TestPlane) => plane.state.backendTotals(plane.snapshot.pools[0]!.backends[0]!.slot)

async function ask(plane: TestPlane): Promise<Reply> {
  const client = await RawClient.open(plane.port())
  try {
    return await client.request(get('/'), 'GET')
  } finally {
    client.socket.destroy()
  }
}

/** The client is told this in Proxy-Status, and control the same. */
async function assertRefused(plane: TestPlane, name: string, proxyStatus: string, reason: string): Promise<void> {
  const reply = await ask(plane)
  assert.equal(reply.status, 503)
  assert.equal(fieldValue(reply, 'proxy-status'), `frontdesk; ${proxyStatus}`)
  const told = (): boolean =>
    plane.messages.some((m) => m.type === 'backend-failure' && m.error === name && m.code === reason)
  await until(`control is told ${name}: ${reason}`, told)
}

const certificateError = (reason: string): readonly [string, string, string] => [
  'tls_certificate',
  `error=tls_certificate_error; details="${reason}"`,
  reason,
]

const refusals: readonly [string, IssueOptions, Partial<BackendTlsSpec>, string][] = [
  ['has expired', { days: -1 }, {}, 'certificate has expired'],
  ['is not yet valid', { days: 3, startsInDays: 1 }, {}, 'certificate is not yet valid'],
  ['is for another name', { names: ['DNS:db.example', 'IP:192.0.2.1'] }, {}, 'certificate is for another name'],
  ['has no name but a common one', { names: [], subject: '/CN=127.0.0.1' }, {}, 'certificate is for another name'],
  ['is for the address, not the name that is set', {}, { serverName: 'db.example' }, 'certificate is for another name'],
  ['is for clients', { use: 'client' }, {}, 'certificate is not for servers'],
]

for (const [what, issue, settings, reason] of refusals) {
  leakTest(
    `a certificate that ${what} is refused, and nothing is said to its owner`,
    async (scope) => {
      const ca = await authority(scope)
      const server = await serve(scope, await ca.issue(issue))
      const plane = await front(scope, server.port, { ca: ca.pem, ...settings })
      await assertRefused(plane, ...certificateError(reason))
      assert.equal(server.received(), '')
      assert.equal(backendTotals(plane).connectFailures, 1, 'counted')
    },
    options,
  )
}

leakTest(
  'authorities: those of the pool take the place of the system’s; a self-signed certificate has none',
  async (scope) => {
    const [own, other] = [await authority(scope), await authority(scope)]
    const server = await serve(scope, await (await own.intermediate()).issue())
    assert.equal((await ask(await front(scope, server.port, { ca: own.pem }))).status, 200)
    assert.equal((await ask(await front(scope, server.port, { ca: `${other.pem}\n${own.pem}` }))).status, 200)
    const unknown = 'unknown authority, or an intermediate certificate is missing'
    const inChain = certificateError(unknown)
    await assertRefused(await front(scope, server.port, { ca: other.pem }), ...inChain)
    await assertRefused(await front(scope, server.port, {}), ...inChain)
    const alone = await serve(scope, await selfSigned(scope))
    const nobody = certificateError('self-signed certificate')
    await assertRefused(await front(scope, alone.port, { ca: own.pem }), ...nobody)
  },
  options,
)

leakTest(
  'a certificate on a curve without a NIST name is one like any other, and its common name counts as ever',
  async (scope) => {
    const ca = await authority(scope)
    // Node's own check of the name ends the whole process.
    const curve = 'brainpoolP256r1'
    const server = await serve(scope, await ca.issue({ curve }))
    assert.equal((await ask(await front(scope, server.port, { ca: ca.pem }))).status, 200)
    const common = await serve(scope, await ca.issue({ curve, names: [], subject: '/O=Acme/CN=db.example' }))
    const settings = { ca: ca.pem, serverName: 'db.example' }
    assert.equal((await ask(await front(scope, common.port, settings))).status, 200)
    const other = await front(scope, common.port, { ...settings, serverName: 'other.example' })
    await assertRefused(other, ...certificateError('certificate is for another name'))
  },
  options,
)

leakTest(
  'verify: false accepts any certificate; the name is sent all the same',
  async (scope) => {
    const ca = await authority(scope)
    const server = await serve(scope, await ca.issue({ names: ['DNS:other.example'], days: -1 }))
    const plane = await front(scope, server.port, { verify: false, serverName: 'db.example' })
    assert.equal((await ask(plane)).status, 200)
    assert.equal(server.seen[0]!.serverName, 'db.example')
  },
  options,
)

leakTest(
  'server_name is what is sent and verified; an address is verified and not sent',
  async (scope) => {
    const ca = await authority(scope)
    const server = await serve(scope, await ca.issue({ names: ['DNS:db.example', 'IP:127.0.0.1'] }))
    assert.equal((await ask(await front(scope, server.port, { ca: ca.pem, serverName: 'db.example' }))).status, 200)
    assert.equal((await ask(await front(scope, server.port, { ca: ca.pem }))).status, 200)
    assert.deepEqual(
      server.seen.map(({ serverName }) => serverName),
      ['db.example', false],
    )
  },
  options,
)

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  leakTest(
    `our certificate is shown to a backend that asks for one (${maxVersion}); without it the answer is the alert`,
    async (scope) => {
      const ca = await authority(scope)
      const identity = await ca.issue({ subject: '/CN=frontdesk', names: [], use: 'client' })
      const asking = { ...(await ca.issue()), ca: ca.pem, requestCert: true, maxVersion }
      const server = await serve(scope, asking)
      assert.equal((await ask(await front(scope, server.port, { ca: ca.pem, identity }))).status, 200)
      assert.equal(server.seen[0]!.subject, 'frontdesk')
      const [number, alert] = maxVersion === 'TLSv1.2' ? [40, 'handshake_failure'] : [116, 'certificate_required']
      const status = `error=tls_alert_received; alert-id=${number}; alert-message="${alert}"`
      const without = await front(scope, server.port, { ca: ca.pem })
      await assertRefused(without, 'tls_alert', status, `${alert} (alert ${number})`)
    },
    options,
  )
}

leakTest(
  'versions: 1.2 is spoken with whoever knows no more, unless 1.3 is asked for; 1.1 is not',
  async (scope) => {
    const ca = await authority(scope)
    const pair = await ca.issue()
    const server = await serve(scope, { ...pair, maxVersion: 'TLSv1.2' })
    assert.equal((await ask(await front(scope, server.port, { ca: ca.pem }))).status, 200)
    assert.equal(server.seen[0]!.protocol, 'TLSv1.2')
    const status = 'error=tls_alert_received; alert-id=70; alert-message="protocol_version"'
    const strict = await front(scope, server.port, { ca: ca.pem, minVersion: 'TLSv1.3' })
    await assertRefused(strict, 'tls_alert', status, 'protocol_version (alert 70)')
    const old = await serve(scope, {
      ...pair,
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
    assert.equal((await ask(await front(scope, old.port, { ca: ca.pem }))).status, 503)
    assert.equal(old.seen.length, 0)
  },
  options,
)

leakTest(
  'a backend that wants to renegotiate is left, whatever is on its way to it',
  async (scope) => {
    const ca = await authority(scope)
    const server = await serve(scope, { ...(await ca.issue()), maxVersion: 'TLSv1.2' }, (socket) => {
      socket.once('data', () => socket.renegotiate({}, () => {}))
    })
    // Of what the backend says on the way, one piece is passed on after the handshake: its wish.
    let left = Number.POSITIVE_INFINITY
    let asked = 0
    const relay = createServer((from) => {
      const to = connect(server.port, '127.0.0.1')
      from.on('data', (bytes) => {
        if (server.received() !== '') asked += bytes.length
        to.write(bytes)
      })
      to.on('data', (bytes) => {
        if (server.received() !== '') left = Math.min(left, 1)
        if (left-- > 0) from.write(bytes)
      })
      for (const socket of [from, to])
        socket.on('error', () => {}).on('close', () => [from, to].map((s) => s.destroy()))
    }).listen(0, '127.0.0.1')
    await once(relay, 'listening')
    scope.defer(() => relay.close())
    const plane = await front(scope, (relay.address() as AddressInfo).port, { ca: ca.pem })
    const client = scope.use(await RawClient.open(plane.port()))
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n')
    await until('we answer the wish, or are gone', () => asked > 0 || client.received.length > 0)
    for (const part of ['one', 'two', 'three']) {
      const before = plane.totals().bytesReceived
      client.write(part)
      await until('it is read, or answered', () => plane.totals().bytesReceived > before || client.received.length > 0)
    }
    const reply = await client.reply()
    assert.equal(reply.status, 502)
    assert.match(fieldValue(reply, 'proxy-status') ?? '', /RENEGOTIATION/)
  },
  { skip: skip || (native === null && 'a TLS socket renegotiates') },
)

leakTest(
  'ALPN: what is set is offered, and a backend that speaks nothing of it says so',
  async (scope) => {
    const ca = await authority(scope)
    const pair = await ca.issue()
    const server = await serve(scope, { ...pair, ALPNProtocols: ['redis', 'http/1.1'] })
    assert.equal((await ask(await front(scope, server.port, { ca: ca.pem }))).status, 200)
    assert.equal((await ask(await front(scope, server.port, { ca: ca.pem, alpn: [] }))).status, 200)
    assert.equal((await ask(await front(scope, server.port, { ca: ca.pem, alpn: ['acme', 'redis'] }))).status, 200)
    assert.deepEqual(
      server.seen.map(({ alpn }) => alpn),
      ['http/1.1', false, 'redis'],
    )
    const other = await serve(scope, { ...pair, ALPNProtocols: ['h2'] })
    const status = 'error=tls_alert_received; alert-id=120; alert-message="no_application_protocol"'
    const plane = await front(scope, other.port, { ca: ca.pem })
    await assertRefused(plane, 'tls_alert', status, 'no_application_protocol (alert 120)')
  },
  options,
)

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  leakTest(
    `sessions are resumed (${maxVersion}), never with other settings`,
    async (scope) => {
      const ca = await authority(scope)
      const server = await serve(scope, { ...(await ca.issue()), maxVersion })
      const keepalive = { maxIdle: 0, idleTimeoutMs: 1000 }
      const plane = await front(scope, server.port, { ca: ca.pem }, { keepalive })
      for (let n = 0; n < 4; n++) assert.equal((await ask(plane)).status, 200)
      const resumed = (): boolean[] => server.seen.map((seen) => seen.resumed)
      assert.deepEqual(resumed(), [false, true, true, true])
      plane.apply((snapshot) => withTls(structuredClone(snapshot), { ca: `${ca.pem}\n` }))
      for (let n = 0; n < 2; n++) assert.equal((await ask(plane)).status, 200)
      assert.deepEqual(resumed().slice(4), [false, true])
    },
    options,
  )
}

const withTls = (snapshot: TestPlane['snapshot'], settings: Partial<BackendTlsSpec>): TestPlane['snapshot'] => ({
  ...snapshot,
  generation: snapshot.generation + 1,
  pools: snapshot.pools.map((pool) => ({ ...pool, tls: { ...pool.tls, ...settings } })),
})

leakTest(
  'a connection that waits is used again while the settings are the same, and closed when they change',
  async (scope) => {
    const ca = await authority(scope)
    const server = await serve(scope, await ca.issue())
    const plane = await front(scope, server.port, { ca: ca.pem })
    for (let n = 0; n < 2; n++) assert.equal((await ask(plane)).status, 200)
    plane.apply((snapshot) => withTls(structuredClone(snapshot), {}))
    assert.equal((await ask(plane)).status, 200)
    assert.equal(server.seen.length, 1)
    assert.equal(backendTotals(plane).idle, 1)
    plane.apply((snapshot) => withTls(snapshot, { serverName: 'localhost' }))
    assert.equal(backendTotals(plane).idle, 0)
    await until(
      'the backend sees it close',
      () => server.seen[0]!.socket.destroyed || server.seen[0]!.socket.readableEnded,
    )
    assert.equal((await ask(plane)).status, 200)
    assert.equal(server.seen.length, 2)
    assert.equal(server.seen[1]!.serverName, 'localhost')
  },
  options,
)

leakTest(
  'an exchange under way when the settings change is finished, and its connection not kept',
  async (scope) => {
    const ca = await authority(scope)
    const held: tls.TLSSocket[] = []
    const server = await serve(scope, await ca.issue(), (socket) => socket.on('data', () => held.push(socket)))
    const plane = await front(scope, server.port, { ca: ca.pem })
    const reply = ask(plane)
    await until('the request is there', () => held.length === 1)
    plane.apply((snapshot) => withTls(snapshot, { serverName: 'localhost' }))
    held[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    assert.equal((await reply).body.toString(), 'ok')
    assert.equal(backendTotals(plane).idle, 0)
    await until('its connection closes', () => held[0]!.readableEnded || held[0]!.destroyed)
  },
  options,
)

leakTest(
  'what was begun with earlier settings is cut as well when the backend is removed and its time is over',
  async (scope) => {
    const ca = await authority(scope)
    const held: tls.TLSSocket[] = []
    const server = await serve(scope, await ca.issue(), (socket) => socket.on('data', () => held.push(socket)))
    const plane = await front(scope, server.port, { ca: ca.pem })
    const client = scope.use(await RawClient.open(plane.port()))
    client.write('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n')
    await until('the request is there', () => held.length === 1)
    const { slot } = plane.snapshot.pools[0]!.backends[0]!
    plane.apply((snapshot) => withTls(snapshot, { serverName: 'localhost' }))
    plane.apply((snapshot) => ({ ...snapshot, pools: snapshot.pools.map((pool) => ({ ...pool, backends: [] })) }))
    assert.equal(client.received.length, 0)
    plane.planes[0]!.cutBackend(slot)
    const reply = await client.reply('POST')
    assert.equal(reply.status, 502)
    await until('its connection closes', () => held[0]!.readableEnded || held[0]!.destroyed)
  },
  options,
)

leakTest(
  'settings that cannot be used are an error that names the pool, and change nothing',
  async (scope) => {
    const ca = await authority(scope)
    const server = await serve(scope, await ca.issue())
    const plane = await front(scope, server.port, { ca: ca.pem })
    assert.equal((await ask(plane)).status, 200)
    const identity = { cert: (await ca.issue()).cert, key: 'no key' }
    const before = plane.snapshot
    assert.throws(() => plane.apply((snapshot) => withTls(snapshot, { identity })), /^Error: pool default: /)
    plane.snapshot = before
    assert.equal((await ask(plane)).status, 200)
    assert.equal(server.seen.length, 1, 'the connection is kept')
  },
  options,
)

leakTest(
  'a backend that is silent in the handshake is given up after the connect timeout',
  async (scope) => {
    const silent = await SilentListener.start()
    scope.defer(() => silent.stop())
    const timeouts = { connectMs: 60, firstByteMs: 5000, idleMs: 5000, totalMs: 0, tunnelMs: 0 }
    const retries = { attempts: 0, onConnect: false, onReset: false, onStatus: [], budgetRatio: 0, budgetMin: 0 }
    const plane = await front(scope, silent.port, {}, { timeouts, retries })
    await assertRefused(plane, 'connect_timeout', 'error=connection_timeout; details="ETIMEDOUT"', 'ETIMEDOUT')
  },
  options,
)

leakTest(
  'TCP: bytes and both ends go through TLS to the backend; nothing is read from one that is not verified',
  async (scope) => {
    const ca = await authority(scope)
    const pair = await ca.issue()
    const greeting = (socket: tls.TLSSocket): void => {
      socket.write('hello ')
      socket.on('end', () => socket.end('bye'))
    }
    const server = await serve(scope, pair, greeting)
    const plane = await frontTcp(scope, server.port, { ca: ca.pem })
    const client = scope.use(await RawClient.open(plane.port()))
    client.write('question')
    await until('the greeting came', () => client.received.toString() === 'hello ')
    client.socket.end()
    await until('the backend has said bye', () => client.ending === 'fin')
    assert.equal(client.received.toString(), 'hello bye')
    assert.equal(server.received(), 'question')
    assert.equal(server.seen[0]!.alpn, false)

    const stranger = await serve(scope, await ca.issue({ days: -1 }), greeting)
    const refusing = await frontTcp(scope, stranger.port, { ca: ca.pem })
    const other = scope.use(await RawClient.open(refusing.port()))
    other.write('question')
    await until('the connection is closed', () => other.ending !== null)
    assert.equal(other.received.length, 0)
    assert.equal(stranger.received(), '')
    const reason = 'certificate has expired'
    await until('control is told why', () =>
      refusing.messages.some((m) => m.type === 'backend-failure' && m.code === reason),
    )
  },
  options,
)
