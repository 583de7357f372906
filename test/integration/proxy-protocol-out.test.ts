// PROXY headers to backends: who gets one, before what, and whose a connection is that began with one.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type ProxyHeader, parseProxyHeader } from '../../src/net/proxy-protocol/parse.ts'
import { haveOpenssl, makeAuthority } from '../support/certificates.ts'
import { backendSpec, plainBackendTls, poolSpec } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { get } from '../support/messages.ts'
import { TestPlane } from '../support/plane.ts'
import { RawClient } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'

/** One connection: its header, and what came behind it in clear text. */
interface Led {
  readonly socket: Socket
  header: ProxyHeader | null
  text: string
  over: boolean
}

interface LedBackend {
  readonly port: number
  readonly connections: Led[]
}

/** Answers each request with 200 and the number of its connection; with `secure`, TLS follows the header. */
async function startLed(scope: Scope, secure: { readonly cert: string; readonly key: string } | null = null) {
  const connections: Led[] = []
  const server = createServer((socket) => {
    const led: Led = { socket, header: null, text: '', over: false }
    const number = connections.push(led) - 1
    let bytes: Buffer = Buffer.alloc(0)
    const take = (more: Buffer): void => {
      led.text += more.toString('latin1')
      for (; led.text.includes('\r\n\r\n'); led.text = led.text.slice(led.text.indexOf('\r\n\r\n') + 4)) {
        clear.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${number}`)
      }
    }
    let clear: Socket = socket
    const begin = (more: Buffer): void => {
      bytes = Buffer.concat([bytes, more])
      const header = parseProxyHeader(bytes, bytes.length)
      if (typeof header === 'number') return
      assert.ok('size' in header, `no PROXY header but ${bytes.toString('hex')}`)
      led.header = header
      socket.off('data', begin)
      const rest = bytes.subarray(header.size)
      if (secure === null) {
        socket.on('data', take)
        take(rest)
        return
      }
      socket.pause()
      socket.unshift(rest)
      clear = new TLSSocket(socket, { isServer: true, ...secure }).on('data', take).on('error', () => {})
    }
    socket.on('data', begin)
    socket.on('error', () => {}).on('close', () => (led.over = true))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => {
    for (const { socket } of connections) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  const backend: LedBackend = { port: (server.address() as AddressInfo).port, connections }
  return backend
}

interface FrontOptions {
  readonly version?: 'v1' | 'v2'
  readonly secure?: string
  readonly tcp?: boolean
}

async function front(scope: Scope, ports: readonly number[], options: FrontOptions = {}): Promise<TestPlane> {
  const { version = 'v2', secure, tcp = false } = options
  const protocol = tcp ? (secure === undefined ? 'tcp' : 'tls') : secure === undefined ? 'http' : 'https'
  const plane = await TestPlane.start({
    listeners: [{ protocol: tcp ? 'tcp' : 'http' }],
    pools: (state) => [
      poolSpec(
        ports.map((port) => backendSpec(state.claimSlot(), port, { protocol })),
        { kind: tcp ? 'tcp' : 'http', sendProxyProtocol: version, tls: { ...plainBackendTls, ca: secure ?? null } },
      ),
    ],
  })
  return scope.use(plane)
}

const ask = async (client: RawClient): Promise<string> => (await client.request(get('/'), 'GET')).body.toString()

/** The header names the client's end and ours. */
function assertNames({ header }: Led, client: RawClient, plane: TestPlane): void {
  assert.deepEqual(header?.source, { address: '127.0.0.1', port: client.socket.localPort })
  assert.deepEqual(header?.destination, { address: '127.0.0.1', port: plane.port() })
}

const idle = (plane: TestPlane): number =>
  plane.snapshot.pools[0]!.backends.reduce((sum, { slot }) => sum + plane.state.backendTotals(slot).idle, 0)

for (const version of ['v1', 'v2'] as const) {
  leakTest(`HTTP, ${version}: each client has connections of its own, used again for it alone`, async (scope) => {
    const backend = await startLed(scope)
    const plane = await front(scope, [backend.port], { version })
    const [one, two] = [scope.use(await RawClient.open(plane.port())), scope.use(await RawClient.open(plane.port()))]
    const answers: string[] = []
    for (const client of [one, two, one, two, one]) answers.push(await ask(client))
    assert.deepEqual(answers, ['0', '1', '0', '1', '0'])
    assertNames(backend.connections[0]!, one, plane)
    assertNames(backend.connections[1]!, two, plane)
    assert.equal(idle(plane), 2)
  })
}

leakTest('HTTP: the connection is closed with its client’s, and the next client gets a new one', async (scope) => {
  const backend = await startLed(scope)
  const plane = await front(scope, [backend.port])
  const one = scope.use(await RawClient.open(plane.port()))
  assert.equal(await ask(one), '0')
  one.socket.destroy()
  await until('the backend connection is closed', () => backend.connections[0]!.over)
  assert.equal(idle(plane), 0)
  const two = scope.use(await RawClient.open(plane.port()))
  assert.equal(await ask(two), '1')
  assertNames(backend.connections[1]!, two, plane)
  const last = await two.request('GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n', 'GET')
  assert.equal(last.body.toString(), '1')
  await until('it is closed after the last answer', () => backend.connections[1]!.over)
})

leakTest('HTTP: a client that comes to another backend leaves its connection to the first', async (scope) => {
  const [a, b] = [await startLed(scope), await startLed(scope)]
  const plane = await front(scope, [a.port, b.port])
  const client = scope.use(await RawClient.open(plane.port()))
  for (let n = 0; n < 2; n++) await ask(client)
  const [first] = [a, b].filter(({ connections }) => connections[0]!.over === false)
  await until('one of the two is closed', () => [a, b].filter(({ connections }) => connections[0]!.over).length === 1)
  assert.ok(first !== undefined)
  assert.equal(idle(plane), 1)
})

leakTest('HTTP: a kept connection that was closed is replaced by a fresh one, with a header', async (scope) => {
  const backend = await startLed(scope)
  const plane = await front(scope, [backend.port])
  const client = scope.use(await RawClient.open(plane.port()))
  assert.equal(await ask(client), '0')
  backend.connections[0]!.socket.destroy()
  assert.equal(await ask(client), '1')
  assertNames(backend.connections[1]!, client, plane)
  assert.equal(idle(plane), 1)
})

leakTest('HTTP: connections are not kept beyond a change of the setting', async (scope) => {
  const backend = await startLed(scope)
  const plane = await front(scope, [backend.port])
  const client = scope.use(await RawClient.open(plane.port()))
  assert.equal(await ask(client), '0')
  plane.apply((snapshot) => ({
    ...snapshot,
    pools: snapshot.pools.map((pool) => ({ ...pool, sendProxyProtocol: 'v1' as const })),
  }))
  await until('it is closed', () => backend.connections[0]!.over)
  assert.equal(idle(plane), 0)
  assert.equal(await ask(client), '1')
  assertNames(backend.connections[1]!, client, plane)
})

leakTest('TCP: the header comes first, whoever speaks first', async (scope) => {
  for (const version of ['v1', 'v2'] as const) {
    const backend = await startLed(scope)
    const plane = await front(scope, [backend.port], { version, tcp: true })
    const client = scope.use(await RawClient.open(plane.port()))
    await until('the header has come before a byte of the client', () => backend.connections[0]?.header != null)
    assert.equal(await ask(client), '0')
    assertNames(backend.connections[0]!, client, plane)
    client.socket.destroy()
    await until('the connection ends with its client', () => backend.connections[0]!.over)
  }
})

leakTest(
  'the header goes before the TLS handshake, in clear',
  async (scope) => {
    const authority = await makeAuthority()
    scope.defer(() => authority.remove())
    const pair = await authority.issue()
    for (const tcp of [false, true]) {
      const backend = await startLed(scope, pair)
      const plane = await front(scope, [backend.port], { secure: authority.pem, tcp })
      const client = scope.use(await RawClient.open(plane.port()))
      for (let n = 0; n < 2; n++) assert.equal(await ask(client), '0')
      assertNames(backend.connections[0]!, client, plane)
      client.socket.destroy()
      await until('it is closed', () => backend.connections[0]!.over)
    }
  },
  { skip: (await haveOpenssl()) ? false : 'openssl is not installed' },
)
