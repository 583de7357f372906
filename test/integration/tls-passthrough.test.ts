// TLS that is passed through: the name and the protocols of a ClientHello choose the pool, and nothing else is touched.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import tls from 'node:tls'
import { type Authority, haveOpenssl, makeAuthority } from '../support/certificates.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { startProxy, type TestProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { startTcpBackend, type TcpBackend } from '../support/tcp-stand.ts'
import { DEADLINE_MS, until, within } from '../support/wait.ts'

const skip = (await haveOpenssl()) ? false : 'openssl is not installed'
const authority: Authority | null = skip === false ? await makeAuthority() : null
test.after(() => authority?.remove())
const issued = authority === null ? null : await authority.issue({ names: ['DNS:*.example.com', 'DNS:other.test'] })

/** A server that ends TLS itself, tells its name and the protocol agreed on, and sends back what it gets. */
async function secureEcho(scope: Scope, name: string): Promise<string> {
  const { cert, key } = issued!
  const server = tls.createServer({ cert, key, ALPNProtocols: ['h2', 'http/1.1', 'postgresql'] }, (socket) => {
    socket.on('error', () => {})
    socket.write(`${name} ${socket.alpnProtocol || '-'} ${socket.servername || '-'}\n`)
    socket.pipe(socket)
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => new Promise((resolve) => server.close(resolve)))
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
}

type Keys = Readonly<Record<string, unknown>>

function passing(
  scope: Scope,
  pools: Readonly<Record<string, string>>,
  sni: Keys,
  more: { listener?: Keys; limits?: Keys; logging?: Keys } = {},
) {
  const listener = { name: 'sni', listen: '127.0.0.1:1', protocol: 'tls-passthrough', sni, ...more.listener }
  const config = {
    listeners: [listener],
    pools: Object.fromEntries(
      Object.entries(pools).map(([name, url]) => [name, { backends: [url], health_check: { method: 'none' } }]),
    ),
  }
  const logging = more.logging === undefined ? {} : { logging: more.logging }
  const options = { config: { ...config, ...logging }, limits: more.limits ?? {}, admin: true } as Parameters<
    typeof startProxy
  >[1]
  return startProxy([], options).then((proxy) => scope.use(proxy))
}

/** Connects; what the server said first, and what of a message came back. */
async function talk(proxy: TestProxy, options: tls.ConnectionOptions = {}): Promise<string> {
  const socket = tls.connect({
    host: '127.0.0.1',
    port: proxy.port,
    ca: authority!.pem,
    checkServerIdentity: () => undefined,
    ...options,
  })
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await within('the handshake', once(socket, 'secureConnect'))
  socket.end('hello')
  await within('the end', once(socket, 'close'))
  return text
}

async function rejected(proxy: TestProxy, reason: string): Promise<number> {
  const { body } = await ask(proxy.adminPort, { path: '/metrics' })
  return Number(new RegExp(`connections_rejected_total\\{listener="sni",reason="${reason}"\\} (\\d+)`).exec(body)?.[1])
}

leakTest(
  'names and protocols lead to their pools; TLS is that of the backend',
  async (scope) => {
    const pools: Record<string, string> = {}
    for (const name of ['db', 'wild', 'web1', 'web2', 'rest']) pools[name] = await secureEcho(scope, name)
    const proxy = await passing(scope, pools, {
      'db.example.com': 'db',
      '*.example.com': 'wild',
      'web.example.com': { pool: 'web1', alpn: { h2: 'web2' } },
      '*': 'rest',
    })
    for (const [servername, ALPNProtocols, expected] of [
      ['db.example.com', ['postgresql'], 'db postgresql db.example.com'],
      ['DB.Example.com', [], 'db - DB.Example.com'],
      ['x.example.com', [], 'wild - x.example.com'],
      ['web.example.com', ['http/1.1'], 'web1 http/1.1 web.example.com'],
      ['web.example.com', ['http/1.1', 'h2'], 'web2 h2 web.example.com'],
      ['other.test', [], 'rest - other.test'],
      ['', [], 'rest - -'],
    ] as const) {
      const said = await talk(proxy, {
        servername,
        ...(ALPNProtocols.length > 0 && { ALPNProtocols: [...ALPNProtocols] }),
      })
      assert.equal(said, `${expected}\nhello`)
    }
    assert.equal(
      await talk(proxy, { servername: 'db.example.com', maxVersion: 'TLSv1.2' }),
      'db - db.example.com\nhello',
    )
  },
  { skip },
)

leakTest(
  'without * an unknown name, and none, are told so in TLS',
  async (scope) => {
    const proxy = await passing(scope, { db: await secureEcho(scope, 'db') }, { 'db.example.com': 'db' })
    for (const servername of ['other.test', '']) {
      const socket = tls.connect({ host: '127.0.0.1', port: proxy.port, servername })
      const [error] = (await within('the alert', once(socket, 'error'))) as [NodeJS.ErrnoException]
      assert.match(error.code!, /UNRECOGNIZED_NAME/)
    }
    assert.equal(await talk(proxy, { servername: 'db.example.com' }), 'db - db.example.com\nhello')
    assert.equal(await rejected(proxy, 'no_route'), 2)
  },
  { skip },
)

/** The first flight of a client for this name. */
async function firstFlight(servername: string): Promise<Buffer> {
  const backend = await startTcpBackend()
  const { port } = new URL(backend.url.replace('tcp:', 'http:'))
  const socket = tls.connect({ host: '127.0.0.1', port: Number(port), servername, ALPNProtocols: ['h2'] })
  socket.on('error', () => {})
  const peer = await backend.peer()
  await peer.receivedBytes(100)
  socket.destroy()
  const bytes = Buffer.from(peer.received)
  await backend.close()
  return bytes
}

/** The same message in records of `size` bytes each. */
function refragmented(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5)
  const parts: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size)
    parts.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part)
  }
  return Buffer.concat(parts)
}

async function sees(backend: TcpBackend, bytes: Buffer): Promise<void> {
  const peer = await backend.peer(backend.peers.length)
  await peer.receivedBytes(bytes.length)
  assert.ok(peer.received.equals(bytes), 'the backend has it byte for byte')
  peer.reset()
}

leakTest('a hello in many packets and many records is read whole and passed on as it came', async (scope) => {
  const backend = scope.use(await startTcpBackend())
  const proxy = await passing(scope, { db: backend.url }, { 'db.example.com': 'db' })
  const hello = await firstFlight('db.example.com')
  for (const bytes of [hello, refragmented(hello, 50), refragmented(hello, 1)]) {
    const whole = scope.use(await RawClient.open(proxy.port))
    const arrived = sees(backend, Buffer.concat([bytes, Buffer.from('and what follows')]))
    whole.write(bytes).write('and what follows')
    await arrived
    const drip = scope.use(await RawClient.open(proxy.port))
    const dripped = sees(backend, bytes)
    for (let at = 0; at < bytes.length; at += 7) {
      drip.write(bytes.subarray(at, at + 7))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await dripped
  }
})

leakTest(
  'what is no hello, too large a one, and silence: closed, counted, and no backend hears of it',
  async (scope) => {
    const backend = scope.use(await startTcpBackend())
    const limits = { handshake_timeout: '200ms', hello_size: '1KB' }
    const proxy = await passing(scope, { db: backend.url }, { '*': 'db' }, { limits })
    const hello = await firstFlight('db.example.com')
    const cases = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
      // A length beyond what is allowed, a truncated one, half a record head, nothing.
      Buffer.from([22, 3, 1, 0x20, 0, 1, 0, 0x1f, 0xfc]),
      hello.subarray(0, 90),
      hello.subarray(0, 3),
      Buffer.alloc(0),
    ]
    for (const bytes of cases) {
      const client = scope.use(await RawClient.open(proxy.port))
      client.write(bytes)
      await client.ended()
      // Who was sent an alert is counted when it has had time to read it.
      await client.close()
    }
    const giveUpAt = performance.now() + 5000
    while ((await rejected(proxy, 'hello')) < cases.length && performance.now() < giveUpAt) {}
    assert.equal(await rejected(proxy, 'hello'), cases.length)
    assert.equal(backend.peers.length, 0)
  },
)

leakTest('behind a PROXY header, and with one for the backend', async (scope) => {
  const backend = scope.use(await startTcpBackend())
  const config = {
    listeners: [
      {
        name: 'sni',
        listen: '127.0.0.1:1',
        protocol: 'tls-passthrough',
        sni: { 'db.example.com': 'db' },
        accept_proxy_protocol: ['127.0.0.1'],
      },
    ],
    pools: { db: { backends: [backend.url], health_check: { method: 'none' }, send_proxy_protocol: 'v1' } },
  }
  const proxy = scope.use(await startProxy([], { config }))
  const hello = await firstFlight('db.example.com')
  const header = 'PROXY TCP4 192.0.2.7 198.51.100.1 5555 443\r\n'
  const expected = sees(backend, Buffer.concat([Buffer.from(header), hello]))
  const client = scope.use(await RawClient.open(proxy.port))
  client.write(header).write(hello)
  await expected
  await until('it is over', () => Object.values(proxy.active()).every((count) => count === 0))
})

leakTest(
  'the access log has the name that was asked for',
  async (scope) => {
    const dir = await mkdtemp(join(tmpdir(), 'frontdesk-passthrough-'))
    scope.defer(() => rm(dir, { recursive: true }))
    const file = join(dir, 'access.log')
    const pools = { a: await secureEcho(scope, 'a') }
    const proxy = await passing(scope, pools, { '*': 'a' }, { logging: { access: { format: 'json', file } } })
    await talk(proxy, { servername: 'db.example.com' })
    let text = ''
    const deadline = AbortSignal.timeout(DEADLINE_MS)
    while (!text.includes('\n') && !deadline.aborted) text = await readFile(file, 'utf8').catch(() => '')
    const line = JSON.parse(text) as Record<string, unknown>
    assert.equal(line.server_name, 'db.example.com')
    assert.equal(line.protocol, 'TCP')
    assert.equal(line.tls, undefined)
  },
  { skip },
)
