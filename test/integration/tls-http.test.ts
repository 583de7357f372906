// What HTTP makes of TLS: the scheme, Strict-Transport-Security, redirects to https, and what backends hear of
// client certificates. The handshakes themselves are in tls-clients.test.ts.
import assert from 'node:assert/strict'
import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import tls from 'node:tls'
import type { ClientAuthSpec, ListenerSpec, ListenerTlsSpec } from '../../src/core/spec.ts'
import { type ActingBackend, type SeenRequest, startActingBackend } from '../support/acting-backend.ts'
import { type Authority, haveOpenssl, type Issued, makeAuthority } from '../support/certificates.ts'
import { listenerTlsSpec } from '../support/control-kit.ts'
import type { Message } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { accessLogSpec } from '../support/log-specs.ts'
import { chunk, get, lastChunk, post, postChunked } from '../support/messages.ts'
import { type PlaneOptions, TestPlane } from '../support/plane.ts'
import { RawClient, type Reply } from '../support/raw-client.ts'
import { seenValues } from '../support/stand.ts'
import { until, within } from '../support/wait.ts'

const skip = (await haveOpenssl()) ? false : 'openssl is not installed'
const authority: Authority | null = skip === false ? await makeAuthority() : null
test.after(() => authority?.remove())

/** Certificates are made once for the file: each costs some processes. */
const server = authority === null ? null : await authority.issue({ names: ['DNS:localhost'] })
const clients = new Map<string, Promise<Issued>>()
function clientNamed(name: string): Promise<Issued> {
  const known =
    clients.get(name) ?? authority!.issue({ subject: `/CN=${name}`, names: [`DNS:${name}.example`], use: 'client' })
  clients.set(name, known)
  return known
}

const names = { subject: 'x-cert-subject', san: 'x-cert-san', fingerprint: 'x-cert-fingerprint' }
const hsts = 'max-age=31536000'

function clientAuth(headers: ClientAuthSpec['headers'] = names): ClientAuthSpec {
  return { mode: 'optional', ca: authority!.pem, crl: null, headers }
}

function tlsSpec(over: Partial<ListenerTlsSpec> = {}): ListenerTlsSpec {
  const { cert, key } = server!
  const id = createHash('sha256').update(cert).digest('hex')
  return listenerTlsSpec([{ id, names: ['localhost'], keyType: 'ec', cert, key }], over)
}

interface Stand {
  readonly backend: ActingBackend
  readonly plane: TestPlane
}

async function stand(
  scope: Scope,
  listeners: readonly Partial<ListenerSpec>[],
  options: Partial<PlaneOptions> = {},
): Promise<Stand> {
  const backend = scope.use(await startActingBackend())
  const plane = await TestPlane.start({
    listeners,
    backendPort: backend.port,
    ticketKeys: new Map([['l0', randomBytes(48)]]),
    ...options,
  })
  scope.use(plane)
  return { backend, plane }
}

/** A client by TLS, with a certificate or without. */
async function secure(scope: Scope, port: number, options: tls.ConnectionOptions = {}): Promise<RawClient> {
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority!.pem, ...options })
  scope.defer(() => socket.destroy())
  await within('the handshake', once(socket, 'secureConnect'))
  return new RawClient(socket)
}

async function plain(scope: Scope, port: number): Promise<RawClient> {
  return scope.use(await RawClient.open(port))
}

const valuesOf = ({ fields }: Message, name: string): string[] =>
  fields.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value)

const policiesOf = (reply: Reply): string[] => valuesOf(reply, 'strict-transport-security')

const fingerprintOf = ({ cert }: Issued): string =>
  new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase()

/** All fields with `cert` in their names, however they are written. */
const told = ({ fields }: SeenRequest): string[] =>
  fields.filter(([name]) => /cert/i.test(name)).map(([name, value]) => `${name}: ${value}`)

const tellsOf = (name: string, issued: Issued): string[] => [
  `x-cert-subject: CN=${name}`,
  `x-cert-san: DNS:${name}.example`,
  `x-cert-fingerprint: ${fingerprintOf(issued)}`,
]

leakTest(
  'by TLS backends hear of https, cookies are for https only; beside it a plain listener is as ever',
  async (scope) => {
    const sticky = { by: 'cookie', name: 's', ttlMs: 60_000, secret: 'ab'.repeat(32), table: -1 } as const
    const { backend, plane } = await stand(scope, [{ tls: tlsSpec() }, {}], { pool: { sticky } })
    for (const [client, scheme] of [
      [await secure(scope, plane.port(0)), 'https'],
      [await plain(scope, plane.port(1)), 'http'],
    ] as const) {
      const reply = await client.request(get('/', { 'X-Forwarded-Proto': 'gopher' }))
      const cookie = valuesOf(reply, 'set-cookie')[0]!
      assert.equal(/; Secure$/.test(cookie), scheme === 'https', cookie)
      assert.deepEqual(seenValues(backend.requests.at(-1), 'x-forwarded-proto'), [scheme])
      // The form of a target says nothing of the connection.
      await client.request(get('https://t.example/a'))
      await client.request(get('http://t.example/b'))
      assert.deepEqual(
        backend.requests.slice(-2).map((seen) => [seen.target, ...seenValues(seen, 'x-forwarded-proto')]),
        [
          ['/a', scheme],
          ['/b', scheme],
        ],
      )
    }
  },
  { skip },
)

leakTest(
  'Strict-Transport-Security is in every answer by TLS, whoever gives it, and in none without',
  async (scope) => {
    const { backend, plane } = await stand(scope, [{ tls: tlsSpec({ hsts }) }, {}])
    const [web, old] = [await secure(scope, plane.port(0)), await plain(scope, plane.port(1))]
    // One connection to the backend serves both, one after the other, and its answers' heads are kept.
    for (let round = 0; round < 3; round++) {
      for (const own of ['', 'Strict-Transport-Security=theirs']) {
        const request = get('/', own === '' ? {} : { 'x-act-header': own })
        assert.deepEqual(policiesOf(await web.request(request)), [hsts])
        assert.deepEqual(policiesOf(await old.request(request)), own === '' ? [] : ['theirs'])
      }
    }
    assert.equal(backend.connections, 1)
    assert.deepEqual(
      policiesOf(await web.request(get('/', { 'x-act-status': '302', 'x-act-header': 'Location=/x' }))),
      [hsts],
    )
    assert.deepEqual(
      policiesOf(await web.request('OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n', 'OPTIONS')),
      [hsts],
    )
    for (const [bad, status] of [
      ['GET / HTTP/1.1\r\n\r\n', 400],
      ['CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 501],
      ['GET / HTTP/3.0\r\nHost: a\r\n\r\n', 505],
      ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400],
    ] as const) {
      const reply = await (await secure(scope, plane.port(0))).request(bad)
      assert.equal(reply.status, status)
      assert.deepEqual(policiesOf(reply), [hsts])
      assert.deepEqual(policiesOf(await (await plain(scope, plane.port(1))).request(bad)), [])
    }
    await backend.close()
    const reply = await web.request(get('/'))
    assert.equal(reply.status, 503)
    assert.deepEqual(policiesOf(reply), [hsts])
    assert.deepEqual(policiesOf(await old.request(get('/'))), [])
  },
  { skip },
)

leakTest('a redirecting listener answers 308, asks no backend, and keeps its connections', async (scope) => {
  const accessLog = accessLogSpec()
  const { backend, plane } = await stand(scope, [{ redirectHttpsPort: 8443 }], { snapshot: { accessLog } })
  const client = await plain(scope, plane.port())
  const goes = async (request: string, location: string, method = 'GET'): Promise<Reply> => {
    const reply = await client.request(request, method)
    assert.deepEqual([reply.status, valuesOf(reply, 'location')], [308, [location]])
    return reply
  }
  await goes(get('/a//b?c=%2f&d'), 'https://t.example:8443/a//b?c=%2f&d')
  await goes(get('/', { Host: '[::1]:80' }), 'https://[::1]:8443/')
  await goes(get('http://t.example/x'), 'https://t.example:8443/x')
  await goes(post('/form', 'a=b'), 'https://t.example:8443/form')
  await goes(`${postChunked('/form')}${chunk('abc')}${lastChunk}`, 'https://t.example:8443/form')
  const head = await goes('HEAD /h HTTP/1.1\r\nHost: t.example\r\n\r\n', 'https://t.example:8443/h', 'HEAD')
  assert.equal(head.body.length, 0)
  await goes(get('/ws', { Connection: 'upgrade', Upgrade: 'websocket' }), 'https://t.example:8443/ws')
  const about = await client.request('OPTIONS * HTTP/1.1\r\nHost: t.example\r\n\r\n', 'OPTIONS')
  assert.deepEqual([about.status, valuesOf(about, 'location')], [204, []])
  client.write(get('/1') + post('/2', 'body') + get('/3'))
  for (const at of [1, 2, 3]) {
    assert.deepEqual(valuesOf(await client.reply(), 'location'), [`https://t.example:8443/${at}`])
  }
  assert.equal(client.ending, null)
  assert.equal(backend.requests.length, 0)
  await until('they are logged', () => logged(plane).length === 11)
  const [first] = logged(plane)
  const { status, pool, backend: asked, attempts, tls: version } = first!
  assert.deepEqual([status, pool, asked, attempts, version], [308, '', '', 0, undefined])
  const metric = plane.totals().requests.filter(({ status }) => status === 308)
  assert.equal(
    metric.reduce((sum, { count }) => sum + count, 0),
    10,
  )
})

leakTest('beside pools of other kinds a redirecting listener needs none of its own', async (scope) => {
  const listeners = [
    { name: 'web', redirectHttpsPort: 443, pool: '' },
    { name: 'sni', protocol: 'tls-passthrough', pool: '', sni: [{ name: '*', pool: 'default', alpn: [] }] } as const,
  ]
  const { plane } = await stand(scope, listeners, { pool: { kind: 'tcp', strategy: 'ip-hash' } })
  const reply = await (await plain(scope, plane.port())).request(get('/'))
  assert.deepEqual([reply.status, valuesOf(reply, 'location')], [308, ['https://t.example/']])
})

leakTest('what cannot be sent anywhere is refused by a redirecting listener', async (scope) => {
  const { backend, plane } = await stand(scope, [{ redirectHttpsPort: 443 }])
  for (const [request, status] of [
    [get('/', { Host: 'a%2eb' }), 400],
    [get('/', { Host: 'a,b' }), 400],
    [get('/', { Host: "a'b" }), 400],
    [get('http://evil.example/', { Host: 't.example' }), 400],
    [get('http://user@t.example/'), 400],
    ['GET / HTTP/1.0\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
    ['CONNECT t.example:443 HTTP/1.1\r\nHost: t.example:443\r\n\r\n', 501],
    [`${postChunked('/')}zz\r\n`, 400],
  ] as const) {
    const client = await plain(scope, plane.port())
    const reply = await client.request(request)
    assert.deepEqual([reply.status, valuesOf(reply, 'location')], [status, []], request)
    await client.ended()
  }
  const old = await (await plain(scope, plane.port())).request('GET /x HTTP/1.0\r\nHost: t.example:80\r\n\r\n')
  assert.deepEqual([old.status, valuesOf(old, 'location')], [308, ['https://t.example/x']])
  assert.equal(backend.requests.length, 0)
})

leakTest('a body that has not come is not waited for: the answer is the last one', async (scope) => {
  const { plane } = await stand(scope, [{ redirectHttpsPort: 443 }])
  for (const request of [
    post('/', 'half', {}, 1000),
    post('/', '', { Expect: '100-continue' }, 10),
    postChunked('/'),
  ]) {
    const client = await plain(scope, plane.port())
    const reply = await client.request(request)
    assert.deepEqual([reply.status, valuesOf(reply, 'connection'), reply.interim.length], [308, ['close'], 0])
    client.write('rest of it')
    assert.equal(await client.ended(), 'fin')
  }
})

leakTest(
  'a backend hears of the certificate that was shown, and only of that',
  async (scope) => {
    const { backend, plane } = await stand(scope, [{ tls: tlsSpec({ clientAuth: clientAuth() }) }, {}])
    const alice = await clientNamed('alice')
    const lies = {
      'X-Cert-Subject': 'CN=root',
      'x-cert-SAN': 'DNS:root',
      X_Cert_Fingerprint: '00',
      'X.Cert.Subject': 'CN=root',
      Connection: 'X-Cert-Fingerprint, keep-alive',
    }
    const shown = await secure(scope, plane.port(0), alice)
    const none = await secure(scope, plane.port(0))
    const unsecured = await plain(scope, plane.port(1))
    for (const fields of [{}, lies, {}]) {
      for (const client of [shown, none, unsecured]) assert.equal((await client.request(get('/', fields))).status, 200)
    }
    const seen = backend.requests.map(told)
    assert.deepEqual(seen, Array.from({ length: 3 }, () => [tellsOf('alice', alice), [], []]).flat())
  },
  { skip },
)

leakTest(
  'a trailer tells nothing of a certificate either, whether it comes with the head or later',
  async (scope) => {
    const { backend, plane } = await stand(scope, [{ tls: tlsSpec({ clientAuth: clientAuth() }) }, {}])
    const trailers = 'X-Sum: 1\r\nX-Cert-Subject: CN=root\r\nx_cert_san: DNS:root\r\n'
    for (const client of [await secure(scope, plane.port(0)), await plain(scope, plane.port(1))]) {
      const head = postChunked('/', { Trailer: 'X-Sum' })
      const end = `0\r\n${trailers}\r\n`
      assert.equal((await client.request(head + chunk('a') + end)).status, 200)
      const before = backend.started
      client.write(head + chunk('a'))
      await until('the head has arrived', () => backend.started > before)
      assert.equal((await client.request(end)).status, 200)
    }
    assert.equal(backend.requests.length, 4)
    for (const seen of backend.requests) {
      assert.deepEqual(
        seen.trailers.map(([name]) => name),
        ['X-Sum'],
      )
    }
  },
  { skip },
)

leakTest(
  'one client’s certificate is never told for another, in whatever order they come',
  async (scope) => {
    const { backend, plane } = await stand(scope, [{ tls: tlsSpec({ clientAuth: clientAuth() }) }])
    const [alice, bob] = [await clientNamed('alice'), await clientNamed('bob')]
    const kinds = [
      { options: alice, tells: tellsOf('alice', alice) },
      { options: bob, tells: tellsOf('bob', bob) },
      { options: {}, tells: [] },
    ]
    // All from one address with one header section: new connections first, one by one, in every order of three.
    const orders = [0, 1, 2, 0, 2, 1, 0, 0, 2, 2, 1, 1, 2]
    for (const kind of orders) {
      const client = await secure(scope, plane.port(), kinds[kind]!.options)
      for (let request = 0; request < 2; request++) await client.request(get('/'))
      assert.deepEqual(backend.requests.splice(0).map(told), [kinds[kind]!.tells, kinds[kind]!.tells], `in ${orders}`)
    }
    // Then all of them kept open, mixed, and with header sections that differ and return.
    const open = await Promise.all(orders.map((kind) => secure(scope, plane.port(), kinds[kind]!.options)))
    const fields = [{}, { Accept: 'a' }, {}]
    for (const [round, each] of fields.entries()) {
      await Promise.all(open.map((client, at) => client.request(get(`/${orders[at]}`, each))))
      for (const seen of backend.requests.splice(0)) {
        assert.deepEqual(told(seen), kinds[Number(seen.target.slice(1))]!.tells, `round ${round}`)
      }
    }
  },
  { skip },
)

leakTest(
  'a resumed session tells of the certificate it began with',
  async (scope) => {
    const { backend, plane } = await stand(scope, [{ tls: tlsSpec({ clientAuth: clientAuth() }) }])
    const alice = await clientNamed('alice')
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = tls.connect({
        port: plane.port(),
        host: '127.0.0.1',
        servername: 'localhost',
        ca: authority!.pem,
        maxVersion,
        ...alice,
      })
      scope.defer(() => first.destroy())
      const tickets: Buffer[] = []
      first.on('session', (ticket: Buffer) => tickets.push(ticket))
      await new RawClient(first).request(get('/'))
      await until('a ticket came', () => tickets.length > 0)
      for (const options of [{}, await clientNamed('bob')]) {
        const resumed = await secure(scope, plane.port(), { maxVersion, session: tickets[0]!, ...options })
        assert.equal((resumed.socket as tls.TLSSocket).isSessionReused(), true)
        await resumed.request(get('/'))
      }
      const anew = await secure(scope, plane.port(), { maxVersion })
      await anew.request(get('/'))
      const tells = tellsOf('alice', alice)
      assert.deepEqual(backend.requests.splice(0).map(told), [tells, tells, tells, []], maxVersion)
    }
  },
  { skip },
)

leakTest(
  'a new configuration is in force for the next request of an open connection',
  async (scope) => {
    const { backend, plane } = await stand(scope, [{ tls: tlsSpec() }, {}])
    const alice = await clientNamed('alice')
    const apply = (headers: ClientAuthSpec['headers'], policy = ''): void =>
      plane.apply((snapshot) => ({
        ...snapshot,
        listeners: snapshot.listeners.map((spec) =>
          spec.tls === null ? spec : { ...spec, tls: tlsSpec({ clientAuth: clientAuth(headers), hsts: policy }) },
        ),
      }))
    const none = { subject: null, san: null, fingerprint: null }
    const lie = get('/', { 'X-Cert-Subject': 'CN=root', 'X-Other-Cert': 'root' })
    const old = await plain(scope, plane.port(1))
    const ask = async (...all: RawClient[]): Promise<string[][]> => {
      const from = backend.requests.length
      for (const client of all) assert.equal((await client.request(lie)).status, 200)
      return backend.requests.slice(from).map(told)
    }
    const believed = ['X-Cert-Subject: CN=root', 'X-Other-Cert: root']
    assert.deepEqual(await ask(old), [believed])
    apply(names)
    const shown = await secure(scope, plane.port(0), alice)
    const other = ['X-Other-Cert: root']
    assert.deepEqual(await ask(old, shown), [other, [...other, ...tellsOf('alice', alice)]])
    apply({ ...none, subject: 'x-other-cert' }, hsts)
    const mine = ['X-Cert-Subject: CN=root']
    assert.deepEqual(await ask(old, shown), [mine, [...mine, 'x-other-cert: CN=alice']])
    assert.deepEqual(policiesOf(await shown.request(lie)), [hsts])
    apply(none)
    assert.deepEqual(await ask(old, shown), [believed, believed])
    assert.deepEqual(policiesOf(await shown.request(lie)), [])
  },
  { skip },
)

leakTest(
  'a subject in any alphabet is one line that decodes to what the certificate says',
  async (scope) => {
    const { backend, plane } = await stand(scope, [{ tls: tlsSpec({ clientAuth: clientAuth() }) }])
    const zoe = await authority!.issue({ subject: '/CN=Zoë 100%, \\"x\\"', names: [], use: 'client' })
    const client = await secure(scope, plane.port(), zoe)
    await client.request(get('/'))
    const [subject] = seenValues(backend.requests[0], 'x-cert-subject')
    assert.match(subject!, /^[\x21-\x7e][\x20-\x7e]*$/)
    assert.match(subject!, /100%25/)
    assert.equal(decodeURIComponent(subject!), new X509Certificate(zoe.cert).subject)
    assert.deepEqual(seenValues(backend.requests[0], 'x-cert-san'), [])
  },
  { skip },
)

leakTest(
  'the access log has the TLS version, and the fingerprint where there was a certificate',
  async (scope) => {
    const accessLog = accessLogSpec()
    const listeners = [{ tls: tlsSpec({ clientAuth: clientAuth() }) }, {}]
    const { plane } = await stand(scope, listeners, { snapshot: { accessLog } })
    const alice = await clientNamed('alice')
    await (await secure(scope, plane.port(0), { ...alice, maxVersion: 'TLSv1.2' })).request(get('/'))
    await (await secure(scope, plane.port(0))).request(get('/'))
    await (await secure(scope, plane.port(0), alice)).request('bad\r\n\r\n')
    await (await plain(scope, plane.port(1))).request(get('/'))
    await until('they are logged', () => logged(plane).length === 4)
    assert.deepEqual(
      logged(plane).map((line) => [line.status, line.tls, line.client_cert]),
      [
        [200, 'TLSv1.2', fingerprintOf(alice)],
        [200, 'TLSv1.3', undefined],
        [400, 'TLSv1.3', fingerprintOf(alice)],
        [200, undefined, undefined],
      ],
    )
  },
  { skip },
)

leakTest(
  'behind a PROXY header the address is the one it says: for backends, trust and the next client',
  async (scope) => {
    const listeners = [{ acceptProxyProtocol: ['127.0.0.0/8'] }]
    const { backend, plane } = await stand(scope, listeners, {
      snapshot: { trustedProxies: ['192.0.2.0/24', '127.0.0.1'] },
    })
    const claims = { 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Proto': 'https' }
    for (const [source, chain, proto] of [
      ['192.0.2.7', '6.6.6.6, 192.0.2.7', 'https'],
      ['198.51.100.1', '198.51.100.1', 'http'],
      ['198.51.100.2', '198.51.100.2', 'http'],
      ['192.0.2.7', '6.6.6.6, 192.0.2.7', 'https'],
    ] as const) {
      const client = await plain(scope, plane.port())
      client.write(`PROXY TCP4 ${source} 203.0.113.1 4711 80\r\n`)
      await client.request(get('/', claims))
      const seen = backend.requests.at(-1)
      assert.deepEqual([seenValues(seen, 'x-forwarded-for'), seenValues(seen, 'x-forwarded-proto')], [[chain], [proto]])
    }
    // The load balancer speaks for itself (its health checks): it is trusted here.
    const own = await plain(scope, plane.port())
    own.write('PROXY UNKNOWN\r\n')
    await own.request(get('/', claims))
    assert.deepEqual(seenValues(backend.requests.at(-1), 'x-forwarded-for'), ['6.6.6.6, 127.0.0.1'])
  },
)

leakTest('who comes by a Unix socket has no address to tell of, and is trusted by that word', async (scope) => {
  const folder = await mkdtemp(join(tmpdir(), 'frontdesk-http-'))
  scope.defer(() => rm(folder, { recursive: true, force: true }))
  const socketPath = join(folder, 'http.sock')
  const accessLog = accessLogSpec()
  for (const trustedProxies of [[], ['unix']]) {
    // No more than one connection for each address: these have none.
    const { backend, plane } = await stand(scope, [{ socketPath, port: 0 }], {
      snapshot: { accessLog, trustedProxies },
      limits: { maxConnectionsPerIp: 1 },
    })
    const clients = [1, 2].map(() => scope.use(new RawClient(connect(socketPath))))
    for (const client of clients) await client.request(get('/'))
    await clients[0]!.request(get('/', { 'X-Forwarded-For': '6.6.6.6' }))
    assert.deepEqual(
      backend.requests.map((seen) => seenValues(seen, 'x-forwarded-for')),
      [[], [], trustedProxies.length === 0 ? [] : ['6.6.6.6']],
    )
    await until('they are logged', () => logged(plane).length === 3)
    assert.equal(logged(plane)[0]!.client, 'unix:')
    for (const client of clients) await client.close()
    await plane.close()
  }
})

/** The lines of the access log so far. */
function logged(plane: TestPlane): Record<string, unknown>[] {
  const lines = plane.messages.flatMap((message) => (message.type === 'access' ? message.lines.split('\n') : []))
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>)
}
