// TLS from clients: certificates by name, versions, sessions, client certificates, and every bad way to begin.
import assert from 'node:assert/strict'
import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import type { IdentitySpec, ListenerTlsSpec } from '../../src/core/spec.ts'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { type Authority, haveOpenssl, type Issued, type IssueOptions, makeAuthority } from '../support/certificates.ts'
import { listenerTlsSpec } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { get } from '../support/messages.ts'
import { type PlaneOptions, TestPlane } from '../support/plane.ts'
import { RawClient } from '../support/raw-client.ts'
import { assertSameBytes, filled, seenValues } from '../support/stand.ts'
import { until, within } from '../support/wait.ts'

const skip = (await haveOpenssl()) ? false : 'openssl is not installed'
const authority: Authority | null = skip === false ? await makeAuthority() : null
test.after(() => authority?.remove())

const issued = new Map<string, Promise<Issued>>()
/** Certificates are made once for the file: each costs some processes. */
function issue(options: IssueOptions): Promise<Issued> {
  const key = JSON.stringify(options)
  const known = issued.get(key) ?? authority!.issue(options)
  issued.set(key, known)
  return known
}

async function identity(names: readonly string[], keyType: 'ec' | 'rsa' = 'ec'): Promise<IdentitySpec> {
  const { cert, key } = await issue({ names: names.map((name) => `DNS:${name}`), keyType })
  return { id: createHash('sha256').update(cert).digest('hex'), names, keyType, cert, key }
}

async function tlsSpec(over: Partial<ListenerTlsSpec> = {}): Promise<ListenerTlsSpec> {
  return listenerTlsSpec([await identity(['localhost'])], over)
}

interface Stand {
  readonly backend: ActingBackend
  readonly plane: TestPlane
}

async function stand(
  scope: Scope,
  over: Partial<ListenerTlsSpec> = {},
  options: Partial<PlaneOptions> = {},
): Promise<Stand> {
  const backend = scope.use(await startActingBackend())
  const plane = await TestPlane.start({
    listeners: [{ name: 'web', tls: await tlsSpec(over) }],
    backendPort: backend.port,
    ticketKeys: new Map([['web', randomBytes(48)]]),
    ...options,
  })
  scope.use(plane)
  return { backend, plane }
}

async function connect(scope: Scope, port: number, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority!.pem, ...options })
  scope.defer(() => socket.destroy())
  await within('the handshake', once(socket, 'secureConnect'))
  socket.on('error', () => {})
  return socket
}

/** How a connection that must not come to stand ends: the code of its error, or 'closed'. */
async function refused(scope: Scope, port: number, options: tls.ConnectionOptions = {}): Promise<string> {
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority!.pem, ...options })
  scope.defer(() => socket.destroy())
  let code = 'closed'
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? error.message
  })
  socket.on('data', (bytes: Buffer) => {
    const text = bytes.toString()
    code = text.startsWith('HTTP/1.1 400') ? (text.split('\r\n\r\n')[1] ?? '').trim() : 'answered'
  })
  // With TLS 1.3 a client is done before its certificate has been looked at: what it sends must not be answered.
  socket.on('secureConnect', () => socket.write(get('/')))
  await within('the end of the connection', new Promise((resolve) => socket.on('close', resolve)))
  return code
}

async function ask(socket: tls.TLSSocket, path = '/', fields: Record<string, string> = {}) {
  return new RawClient(socket).request(get(path, fields))
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  leakTest(
    `a request over ${version}`,
    async (scope) => {
      const { backend, plane } = await stand(scope)
      const socket = await connect(scope, plane.port(), {
        minVersion: version,
        maxVersion: version,
        ALPNProtocols: ['http/1.1'],
      })
      const reply = await ask(socket, '/x')
      assert.equal(reply.status, 200)
      assert.equal(socket.alpnProtocol, 'http/1.1')
      assert.deepEqual(seenValues(backend.requests[0], 'x-forwarded-proto'), ['https'])
      const index = plane.totals().handshakes.find((row) => row.version === version && !row.resumed)
      assert.equal(index?.count, 1)
    },
    { skip },
  )
}

leakTest(
  'bodies of any size pass whole, in both directions, also to a client that reads slowly',
  async (scope) => {
    const { plane } = await stand(scope)
    const socket = await connect(scope, plane.port())
    const client = new RawClient(socket)
    const large = 1536 * 1024
    for (const size of [0, 1, 16_384, 16_385, 100_000, large]) {
      const reply = await client.request(get('/', { 'X-Act-Size': String(size) }))
      assertSameBytes(reply.body, filled(size), `an answer of ${size} bytes`)
    }
    const body = randomBytes(large)
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nX-Act-Echo: 1\r\nContent-Length: ${body.length}\r\n\r\n`).write(body)
    const reply = await client.reply()
    assert.equal(reply.status, 200)
    // A reader that pauses: the proxy waits for it instead of storing what comes.
    client.write(get('/', { 'X-Act-Size': String(large) }))
    for (let pause = 0; pause < 20; pause++) {
      socket.pause()
      await new Promise((resolve) => setImmediate(resolve))
      socket.resume()
      await new Promise((resolve) => setImmediate(resolve))
    }
    assertSameBytes((await client.reply()).body, filled(large))
  },
  { skip },
)

leakTest(
  'pipelined requests are answered in order',
  async (scope) => {
    const { plane } = await stand(scope)
    const client = new RawClient(await connect(scope, plane.port()))
    const sizes = Array.from({ length: 50 }, (_, index) => index * 700)
    client.write(sizes.map((size) => get('/', { 'X-Act-Size': String(size) })).join(''))
    for (const size of sizes) assertSameBytes((await client.reply()).body, filled(size))
  },
  { skip },
)

leakTest(
  'the last answer ends with a goodbye, not with a cut',
  async (scope) => {
    const { plane } = await stand(scope)
    const socket = await connect(scope, plane.port())
    const client = new RawClient(socket)
    const reply = await client.request(get('/', { Connection: 'close', 'X-Act-Size': '300000' }))
    assertSameBytes(reply.body, filled(300_000))
    assert.equal(await client.ended(), 'fin')
  },
  { skip },
)

leakTest(
  'the certificate is chosen by name: exact, then wildcard, then the first',
  async (scope) => {
    const identities = [
      await identity(['first.example']),
      await identity(['*.wild.example', 'wild.example']),
      await identity(['exact.wild.example']),
    ]
    const { plane } = await stand(scope, { identities })
    const namesFor = async (servername: string): Promise<string> => {
      const socket = await connect(scope, plane.port(), { servername, checkServerIdentity: () => undefined })
      return socket.getPeerCertificate().subjectaltname ?? ''
    }
    assert.match(await namesFor('exact.wild.example'), /^DNS:exact\.wild\.example$/)
    assert.match(await namesFor('EXACT.wild.example'), /^DNS:exact\.wild\.example$/)
    assert.match(await namesFor('other.wild.example'), /^DNS:\*\.wild\.example/)
    assert.match(await namesFor('wild.example'), /^DNS:\*\.wild\.example/)
    assert.equal(await namesFor('a.b.wild.example'), 'DNS:first.example')
    assert.equal(await namesFor('unknown.example'), 'DNS:first.example')
    assert.equal(await namesFor(''), 'DNS:first.example')
  },
  { skip },
)

leakTest(
  'an RSA and an ECDSA certificate serve one name side by side',
  async (scope) => {
    const identities = [await identity(['localhost'], 'rsa'), await identity(['localhost'], 'ec')]
    const { plane } = await stand(scope, { identities })
    const options = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const
    const modern = await connect(scope, plane.port(), { ...options, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })
    assert.equal(modern.getPeerCertificate().asn1Curve, 'prime256v1')
    const old = await connect(scope, plane.port(), { ...options, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })
    assert.equal(old.getPeerCertificate().bits, 2048)
  },
  { skip },
)

leakTest(
  'a version below the minimum and unshared ciphers are refused and counted',
  async (scope) => {
    const { plane } = await stand(scope, { minVersion: 'TLSv1.3' })
    await refused(scope, plane.port(), { maxVersion: 'TLSv1.2' })
    await until('it is counted', () => plane.totals().handshakeErrors.protocol_version === 1)
    const second = await stand(scope)
    await refused(scope, second.plane.port(), { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-SHA' })
    await until('it is counted', () => second.plane.totals().handshakeErrors.no_shared_cipher === 1)
  },
  { skip },
)

leakTest(
  'a client that offers only other application protocols is refused',
  async (scope) => {
    const { plane } = await stand(scope)
    assert.match(await refused(scope, plane.port(), { ALPNProtocols: ['h3'] }), /NO_APPLICATION_PROTOCOL|ALERT/)
    await until('it is counted', () => {
      const { no_application_protocol: named, other } = plane.totals().handshakeErrors
      return named + other === 1
    })
  },
  { skip },
)

async function session(socket: tls.TLSSocket): Promise<Buffer> {
  const [ticket] = (await within('a session ticket', once(socket, 'session'))) as [Buffer]
  // Node announces it from within a read: what is written before that returns is not sent.
  await new Promise((resolve) => setImmediate(resolve))
  return ticket
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  leakTest(
    `a session of ${version} is resumed on whatever worker the client meets`,
    async (scope) => {
      const { plane } = await stand(scope, {}, { planes: 2 })
      const options = { minVersion: version, maxVersion: version } as const
      const first = tls.connect({
        port: plane.port(),
        host: '127.0.0.1',
        servername: 'localhost',
        ca: authority!.pem,
        ...options,
      })
      scope.defer(() => first.destroy())
      let ticket = await session(first)
      for (let i = 0; i < 12; i++) {
        const socket = tls.connect({
          port: plane.port(),
          host: '127.0.0.1',
          servername: 'localhost',
          ca: authority!.pem,
          session: ticket,
          ...options,
        })
        scope.defer(() => socket.destroy())
        const next = version === 'TLSv1.3' ? session(socket) : null
        await within('the handshake', once(socket, 'secureConnect'))
        assert.equal(socket.isSessionReused(), true, `connection ${i}`)
        if (next !== null) ticket = await next
      }
    },
    { skip },
  )
}

leakTest(
  'a ticket outlives one rotation of the key, and after the second costs a full handshake',
  async (scope) => {
    const { plane } = await stand(scope)
    const rotate = (): void => {
      for (const each of plane.planes) each.setTicketKeys(new Map([['web', randomBytes(48)]]))
    }
    const visit = async (ticket: Buffer | null): Promise<{ reused: boolean; next: Buffer }> => {
      const options = { port: plane.port(), host: '127.0.0.1', servername: 'localhost', ca: authority!.pem }
      const socket = tls.connect({ ...options, ...(ticket !== null && { session: ticket }) })
      const next = session(socket)
      await within('the handshake', once(socket, 'secureConnect'))
      const result = { reused: socket.isSessionReused(), next: await next }
      socket.destroy()
      return result
    }
    const first = await visit(null)
    rotate()
    const second = await visit(first.next)
    assert.equal(second.reused, true)
    rotate()
    assert.equal((await visit(first.next)).reused, false)
    assert.equal((await visit(second.next)).reused, true)
  },
  { skip },
)

leakTest(
  'without session tickets nothing is resumed',
  async (scope) => {
    const { plane } = await stand(scope, { sessionTickets: false })
    const options = { maxVersion: 'TLSv1.2' } as const
    const first = await connect(scope, plane.port(), options)
    const ticket = first.getSession()
    const second = await connect(scope, plane.port(), { ...options, ...(ticket && { session: ticket }) })
    assert.equal(second.isSessionReused(), false)
  },
  { skip },
)

const headers = { subject: 'x-client-subject', san: 'x-client-san', fingerprint: 'x-client-fingerprint' }

leakTest(
  'required client certificates: shown and good, or no answer',
  async (scope) => {
    const clientAuth = { mode: 'required', ca: authority!.pem, crl: null, headers } as const
    const { backend, plane } = await stand(scope, { clientAuth })
    const alice = await issue({ subject: '/O=Example/CN=alice', names: ['email:alice@example.com'], use: 'client' })
    const socket = await connect(scope, plane.port(), { cert: alice.cert, key: alice.key })
    assert.equal((await ask(socket, '/', { 'X-Client-Subject': 'CN=admin' })).status, 200)
    assert.deepEqual(seenValues(backend.requests[0], 'x-client-subject'), ['CN=alice,O=Example'])
    assert.deepEqual(seenValues(backend.requests[0], 'x-client-san'), ['email:alice@example.com'])
    const [fingerprint] = seenValues(backend.requests[0], 'x-client-fingerprint')
    const shown = new X509Certificate(alice.cert).fingerprint256
    assert.equal(fingerprint, shown.replaceAll(':', '').toLowerCase())

    assert.notEqual(await refused(scope, plane.port()), 'answered')
    const strangers = await makeAuthority('Strangers')
    scope.defer(() => strangers.remove())
    const stranger = await strangers.issue({ subject: '/CN=mallory', use: 'client' })
    assert.match(await refused(scope, plane.port(), { cert: stranger.cert, key: stranger.key }), /unknown authority/)
    const old = await issue({ subject: '/CN=old', use: 'client', days: -1 })
    assert.match(
      await refused(scope, plane.port(), { cert: old.cert, key: old.key }),
      /refused: certificate has expired/,
    )
    await until('they are counted', () => plane.totals().handshakeErrors.client_certificate === 3)
    assert.equal(backend.requests.length, 1)
  },
  { skip },
)

leakTest(
  'optional client certificates: none is fine, a bad one is not',
  async (scope) => {
    const clientAuth = { mode: 'optional', ca: authority!.pem, crl: null, headers } as const
    const { backend, plane } = await stand(scope, { clientAuth })
    const socket = await connect(scope, plane.port())
    assert.equal((await ask(socket, '/', { 'X-Client-Subject': 'CN=admin', X_Client_San: 'x' })).status, 200)
    assert.deepEqual(seenValues(backend.requests[0], 'x-client-subject'), [])
    assert.deepEqual(seenValues(backend.requests[0], 'x_client_san'), [])
    const old = await issue({ subject: '/CN=old', use: 'client', days: -1 })
    assert.match(
      await refused(scope, plane.port(), { cert: old.cert, key: old.key }),
      /refused: certificate has expired/,
    )
    assert.equal(backend.requests.length, 1)
  },
  { skip },
)

leakTest(
  'a revoked client certificate is refused, also with the session it had before',
  async (scope) => {
    const own = await makeAuthority('Revoking')
    scope.defer(() => own.remove())
    const good = await own.issue({ subject: '/CN=good', use: 'client' })
    const bad = await own.issue({ subject: '/CN=bad', use: 'client' })
    const crlBefore = await own.crl()
    const clientAuth = { mode: 'required', ca: own.pem, crl: crlBefore.pem, headers } as const
    const { plane } = await stand(scope, { clientAuth })
    const options = {
      port: plane.port(),
      host: '127.0.0.1',
      servername: 'localhost',
      ca: authority!.pem,
      cert: bad.cert,
      key: bad.key,
    }
    const first = tls.connect(options)
    scope.defer(() => first.destroy())
    const client = new RawClient(first)
    const ticket = await session(first)
    assert.equal((await client.request(get('/'))).status, 200)

    await own.revoke(bad)
    const { pem: crl } = await own.crl()
    plane.apply((snapshot) => ({
      ...snapshot,
      listeners: snapshot.listeners.map((spec) => ({
        ...spec,
        tls: { ...spec.tls!, clientAuth: { ...clientAuth, crl } },
      })),
    }))
    assert.equal((await client.request(get('/'))).status, 200, 'a live connection is untouched')
    assert.notEqual(await refused(scope, plane.port(), { cert: bad.cert, key: bad.key, session: ticket }), 'answered')
    assert.match(
      await refused(scope, plane.port(), { cert: bad.cert, key: bad.key }),
      /refused: certificate has been revoked/,
    )
    const socket = await connect(scope, plane.port(), { cert: good.cert, key: good.key })
    assert.equal((await ask(socket)).status, 200)
  },
  { skip },
)

leakTest(
  'a client certificate on a curve without a NIST name is one like any other',
  async (scope) => {
    const clientAuth = { mode: 'optional', ca: authority!.pem, crl: null, headers } as const
    const { plane } = await stand(scope, { clientAuth })
    const strangers = await makeAuthority('Strangers')
    scope.defer(() => strangers.remove())
    // Node's older way to read it ends the whole process.
    const odd = { subject: '/CN=odd', use: 'client', curve: 'brainpoolP256r1' } as const
    assert.notEqual(await refused(scope, plane.port(), await strangers.issue(odd)), 'answered')
    await until('it is counted', () => plane.totals().handshakeErrors.client_certificate === 1)
    const { cert, key } = await issue(odd)
    assert.equal((await ask(await connect(scope, plane.port(), { cert, key }))).status, 200)
  },
  { skip },
)

leakTest(
  'a session ends with the certificate that it began with',
  async (scope) => {
    const clientAuth = { mode: 'required', ca: authority!.pem, crl: null, headers } as const
    const { plane } = await stand(scope, { clientAuth })
    const { cert, key } = await authority!.issue({ subject: '/CN=brief', use: 'client', days: 2 / 86_400 })
    const options = { port: plane.port(), host: '127.0.0.1', servername: 'localhost', ca: authority!.pem, cert, key }
    const first = tls.connect(options)
    scope.defer(() => first.destroy())
    const ticket = await session(first)
    const { validTo } = new X509Certificate(cert)
    await until('the certificate has expired', () => Date.now() > Date.parse(validTo) + 1000)
    assert.notEqual(await refused(scope, plane.port(), { cert, key, session: ticket }), 'answered')
    await until('it is counted', () => plane.totals().handshakeErrors.client_certificate === 1)
    assert.equal((await new RawClient(first).request(get('/'))).status, 200, 'a live connection is untouched')
  },
  { skip },
)

leakTest(
  'a session of a listener that asks for no certificate opens none that does',
  async (scope) => {
    const clientAuth = { mode: 'required', ca: authority!.pem, crl: null, headers } as const
    const key = randomBytes(48)
    const listeners = [
      { name: 'open', tls: await tlsSpec() },
      { name: 'closed', tls: await tlsSpec({ clientAuth }) },
    ]
    const { plane } = await stand(
      scope,
      {},
      {
        listeners,
        ticketKeys: new Map([
          ['open', key],
          ['closed', key],
        ]),
      },
    )
    const first = tls.connect({ port: plane.port(0), host: '127.0.0.1', servername: 'localhost', ca: authority!.pem })
    scope.defer(() => first.destroy())
    const ticket = await session(first)
    assert.notEqual(await refused(scope, plane.port(1), { session: ticket }), 'answered')
  },
  { skip },
)

leakTest(
  'a changed certificate serves new connections, and leaves the others alone',
  async (scope) => {
    const { plane } = await stand(scope)
    const before = await connect(scope, plane.port())
    const client = new RawClient(before)
    const renewed = await authority!.issue({ names: ['DNS:localhost'] })
    const next = { id: 'renewed', names: ['localhost'], keyType: 'ec', cert: renewed.cert, key: renewed.key }
    plane.apply((snapshot) => ({
      ...snapshot,
      listeners: snapshot.listeners.map((spec) => ({ ...spec, tls: { ...spec.tls!, identities: [next] } })),
    }))
    const after = await connect(scope, plane.port())
    assert.notEqual(after.getPeerCertificate().fingerprint256, before.getPeerCertificate().fingerprint256)
    assert.equal((await client.request(get('/'))).status, 200)
  },
  { skip },
)

/** The first bytes that a client sends. */
async function realHello(): Promise<Buffer> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = tls.connect({
    port: (server.address() as net.AddressInfo).port,
    host: '127.0.0.1',
    servername: 'localhost',
  })
  client.on('error', () => {})
  const [socket] = (await once(server, 'connection')) as [net.Socket]
  const [hello] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  client.destroy()
  server.close()
  await once(server, 'close')
  return hello
}

leakTest(
  'a handshake that comes a byte at a time is a handshake',
  async (scope) => {
    const { plane } = await stand(scope)
    // A relay that cuts what the client sends into single bytes.
    const relay = net.createServer((from) => {
      const to = net.connect({ port: plane.port(), host: '127.0.0.1', noDelay: true })
      from.on('data', (bytes) => {
        for (const byte of bytes) to.write(Buffer.of(byte))
      })
      to.pipe(from)
      from.on('close', () => to.destroy())
      from.on('error', () => {})
      to.on('error', () => {})
    })
    relay.listen(0, '127.0.0.1')
    await once(relay, 'listening')
    scope.defer(() => new Promise((resolve) => relay.close(resolve)))
    const socket = await connect(scope, (relay.address() as net.AddressInfo).port)
    assert.equal((await ask(socket)).status, 200)
    socket.destroy()
  },
  { skip },
)

leakTest(
  'plain HTTP is told that this is a port of HTTPS',
  async (scope) => {
    const { plane } = await stand(scope)
    const client = scope.use(await RawClient.open(plane.port()))
    const reply = await client.request(get('/'))
    assert.equal(reply.status, 400)
    assert.match(reply.body.toString(), /HTTPS/)
    assert.equal(await client.ended(), 'fin')
    await until('it is counted', () => plane.totals().handshakeErrors.not_tls === 1)
  },
  { skip },
)

const hello = skip === false ? await realHello() : Buffer.alloc(0)
const beginnings: readonly (readonly [
  string,
  Buffer,
  'not_tls' | 'bad_hello' | 'hello_too_large' | 'timeout' | 'closed',
])[] = [
  ['random bytes', Buffer.from('\x00\x01\x02\xff random', 'latin1'), 'not_tls'],
  ['a record that is no ClientHello', Buffer.concat([Buffer.of(22, 3, 1, 0, 4, 2, 0, 0, 0)]), 'bad_hello'],
  [
    'a ClientHello without end',
    Buffer.concat([hello.subarray(0, 5), Buffer.of(1, 0xff, 0xff, 0xff), Buffer.alloc(600)]),
    'hello_too_large',
  ],
  ['nothing at all', Buffer.alloc(0), 'timeout'],
  ['half a ClientHello and silence', hello.subarray(0, hello.length >> 1), 'timeout'],
  ['a ClientHello and silence', hello, 'timeout'],
]
for (const [what, bytes, reason] of beginnings) {
  leakTest(
    `${what}: closed, counted as ${reason}, logged`,
    async (scope) => {
      const { plane } = await stand(scope, {}, { limits: { handshakeTimeoutMs: 150, helloSize: 4096 } })
      const client = scope.use(await RawClient.open(plane.port()))
      if (bytes.length > 0) client.write(bytes)
      await client.ended()
      await until('it is counted', () => plane.totals().handshakeErrors[reason] === 1)
      await until('it is logged', () =>
        plane.messages.some((message) => message.type === 'turned-away' && message.reason === reason),
      )
    },
    { skip },
  )
}

leakTest(
  'a flood of half-open handshakes is bounded and leaves the other listener alone',
  async (scope) => {
    const listeners = [{ name: 'web', tls: await tlsSpec() }, { name: 'plain' }]
    const { plane } = await stand(scope, {}, { listeners, limits: { maxHandshakes: 10, handshakeTimeoutMs: 60_000 } })
    const flood = await Promise.all(Array.from({ length: 30 }, () => RawClient.open(plane.port(0))))
    for (const client of flood) scope.use(client)
    await until('twenty are turned away', () => plane.totals(0).rejected.handshakes === 20)
    const other = scope.use(await RawClient.open(plane.port(1)))
    assert.equal((await other.request(get('/'))).status, 200)
    for (const client of flood) await client.close()
    await until('they have left', () => plane.totals(0).active === 0)
    assert.equal((await ask(await connect(scope, plane.port(0)))).status, 200)
  },
  { skip },
)

leakTest(
  'clients that vanish at any moment cost nothing but themselves',
  async (scope) => {
    const { plane } = await stand(scope)
    const chance = (below: number) => randomBytes(4).readUInt32LE() % below
    const vanish = async (): Promise<void> => {
      const raw = net.connect(plane.port(), '127.0.0.1')
      raw.on('error', () => {})
      const closed = once(raw, 'close')
      await once(raw, 'connect')
      if (chance(2) === 0) {
        raw.write(hello.subarray(0, chance(hello.length)))
        setImmediate(() => (chance(2) === 0 ? raw.resetAndDestroy() : raw.destroy()))
      } else {
        const socket = tls.connect({ socket: raw, servername: 'localhost', ca: authority!.pem })
        socket.on('error', () => {})
        socket.on('secureConnect', () => {
          socket.write(get('/', { 'X-Act-Size': String(chance(2_000_000)) }))
          if (chance(2) === 0) socket.once('data', () => raw.resetAndDestroy())
          else setImmediate(() => raw.destroy())
        })
      }
      await within('the end', closed)
    }
    for (let wave = 0; wave < 10; wave++) await Promise.all(Array.from({ length: 12 }, vanish))
    assert.equal((await ask(await connect(scope, plane.port()))).status, 200)
  },
  { skip },
)

/** A client whose handshake is done, over a relay that passes on no answers any more: `socket` is the relay's. */
async function deafClient(
  scope: Scope,
  port: number,
  options: tls.ConnectionOptions,
): Promise<{ readonly client: tls.TLSSocket; readonly socket: net.Socket }> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => {})
  scope.defer(() => socket.destroy())
  const relay = net.createServer((from) => {
    from.on('data', (bytes) => socket.write(bytes)).on('error', () => {})
    socket.on('data', (bytes) => from.write(bytes))
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  scope.defer(() => relay.close())
  const client = await connect(scope, (relay.address() as net.AddressInfo).port, options)
  socket.removeAllListeners('data').resume()
  return { client, socket }
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  leakTest(
    `what is no record of ${version} ends the connection, whatever the client does`,
    async (scope) => {
      const { plane } = await stand(scope)
      const { socket } = await deafClient(scope, plane.port(), { minVersion: version, maxVersion: version })
      await until('it has arrived', () => plane.totals().active === 1)
      socket.write(Buffer.alloc(1000, 'x'))
      await until('it is closed', () => plane.totals().active === 0)
    },
    { skip },
  )
}

leakTest(
  'a client that wants to renegotiate is closed: refusing it again and again is work, and memory if it does not read',
  async (scope) => {
    const { plane } = await stand(scope)
    const { client } = await deafClient(scope, plane.port(), { maxVersion: 'TLSv1.2' })
    await until('it has arrived', () => plane.totals().active === 1)
    client.renegotiate({}, () => {})
    await until('it is closed', () => plane.totals().active === 0)
  },
  { skip },
)

leakTest(
  'a PROXY header comes before the handshake, in one packet or two',
  async (scope) => {
    const listeners = [{ name: 'web', tls: await tlsSpec(), acceptProxyProtocol: ['127.0.0.0/8'] }]
    const { backend, plane } = await stand(scope, {}, { listeners })
    for (const together of [true, false]) {
      const raw = net.connect(plane.port(), '127.0.0.1')
      scope.defer(() => raw.destroy())
      if (together) raw.cork()
      raw.write('PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n')
      const socket = tls.connect({ socket: raw, servername: 'localhost', ca: authority!.pem })
      if (together) setImmediate(() => raw.uncork())
      await within('the handshake', once(socket, 'secureConnect'))
      assert.equal((await ask(socket)).status, 200)
    }
    for (const request of backend.requests) assert.deepEqual(seenValues(request, 'x-forwarded-for'), ['192.0.2.7'])
  },
  { skip },
)

leakTest('PROXY headers: strangers, lies and silence are closed and counted', async (scope) => {
  const listeners = [
    { name: 'web', acceptProxyProtocol: ['127.0.0.0/8'] },
    { name: 'far', acceptProxyProtocol: ['192.0.2.0/24'] },
  ]
  const { plane } = await stand(scope, {}, { listeners, limits: { handshakeTimeoutMs: 150 } })
  for (const begin of [
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 0x10 80\r\n',
    'PROXY TCP',
    '',
  ]) {
    const client = scope.use(await RawClient.open(plane.port(0)))
    if (begin !== '') client.write(begin)
    await client.ended()
  }
  await until('they are counted', () => plane.totals(0).rejected.proxy_protocol === 4)
  const stranger = scope.use(await RawClient.open(plane.port(1)))
  await stranger.ended()
  await until('it is counted', () => plane.totals(1).rejected.proxy_protocol === 1)
  const client = scope.use(await RawClient.open(plane.port(0)))
  client.write(`PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n${get('/')}`)
  assert.equal((await client.reply()).status, 200)
})

leakTest(
  'a route that goes while a hello is on its way is no route',
  async (scope) => {
    const sni = [{ name: 'localhost', pool: 'default', alpn: [] }]
    const { plane } = await stand(scope, {}, { listeners: [{ name: 'pass', protocol: 'tls-passthrough', sni }] })
    const client = scope.use(await RawClient.open(plane.port()))
    await until('it has come in', () => plane.totals().active === 1)
    plane.apply((snapshot) => ({
      ...snapshot,
      listeners: snapshot.listeners.map((spec) => ({ ...spec, sni: [{ ...sni[0]!, name: 'another' }] })),
    }))
    client.write(hello)
    await client.ended()
    await until('it is counted', () => plane.totals().rejected.no_route === 1)
    assert.deepEqual(
      plane.messages.filter(({ type }) => type === 'problem'),
      [],
    )
  },
  { skip },
)
