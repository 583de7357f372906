// Sockets that the process was started with: accepted from in the main thread, served by the workers.
import assert from 'node:assert/strict'
import { linkSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import type { Inheritance } from '../../src/supervisor/frontdesk.ts'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { haveOpenssl, makeAuthority } from '../support/certificates.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { get } from '../support/messages.ts'
import { PassedSocket } from '../support/passed-socket.ts'
import type { ProxyOptions } from '../support/proxy.ts'
import { type ProxyProcess, startProxyProcess } from '../support/proxy-process.ts'
import { RawClient } from '../support/raw-client.ts'
import { seenValues } from '../support/stand.ts'
import { until } from '../support/wait.ts'

interface Stand {
  readonly backend: ActingBackend
  readonly proxy: ProxyProcess
  /** Of the TCP socket. */
  readonly port: number
  /** Of the Unix socket. */
  readonly path: string
  readonly bound: Awaited<ReturnType<ProxyProcess['startListeners']>>
}

interface Extras {
  readonly env?: Readonly<Record<string, string>>
  /** Keys of both listeners. */
  readonly listener?: NonNullable<ProxyOptions['config']>
}

/** A proxy that was handed a TCP socket `web` and a Unix socket `app`, in a process of its own. */
async function activated(scope: Scope, workers: number, { env = {}, listener = {} }: Extras = {}): Promise<Stand> {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-'))
  scope.defer(() => rmSync(dir, { recursive: true }))
  const path = join(dir, 'app.sock')
  const backend = scope.use(await startActingBackend())
  const web = await PassedSocket.listen({ port: 0, host: '127.0.0.1' })
  const app = await PassedSocket.listen({ path: `${path}.here` })
  const proxy = scope.use(await startProxyProcess(env, [web.fd, app.fd]))
  // Node takes the file away with its own end of the socket.
  linkSync(`${path}.here`, path)
  web.close()
  app.close()
  const inheritance: Inheritance = {
    sockets: [
      { fd: 3, name: 'web' },
      { fd: 4, name: 'app' },
    ],
    refusal: '',
  }
  const options: ProxyOptions = {
    workers,
    inheritance,
    config: {
      listeners: [
        { name: 'l0', listen: 'systemd:web', ...listener },
        { name: 'l1', listen: 'systemd:1', ...listener },
      ],
    },
  }
  const bound = await proxy.startListeners([backend.url], options)
  return { backend, proxy, port: web.port, path, bound }
}

for (const workers of [0, 1, 2]) {
  leakTest(`${workers} workers serve what comes in by inherited sockets, TCP and Unix`, async (scope) => {
    const { backend, port, path, bound } = await activated(scope, workers)
    assert.deepEqual(bound, [
      { name: 'l0', host: '127.0.0.1', port, socketPath: null, inherited: 'web' },
      { name: 'l1', host: '', port: 0, socketPath: null, inherited: '1' },
    ])
    const answers = await Promise.all([
      ...Array.from({ length: 50 }, () => ask(port, { headers: { 'x-act-size': '100000' } })),
      ...Array.from({ length: 50 }, () => ask(0, { socketPath: path, headers: { 'x-act-size': '100000' } })),
    ])
    assert.deepEqual(
      new Set(answers.map(({ status, error, body }) => `${status} ${error} ${body.length}`)),
      new Set(['200  100000']),
    )
    const from = backend.requests.map((seen) => seenValues(seen, 'x-forwarded-for').join())
    assert.deepEqual(from.sort(), [...Array(50).fill(''), ...Array(50).fill('127.0.0.1')])
  })
}

leakTest('on plain sockets, too', async (scope) => {
  for (const workers of [0, 2]) {
    const { port, path } = await activated(scope, workers, { env: { FRONTDESK_PLAIN_SOCKETS: '1' } })
    assert.equal((await ask(port)).status, 200)
    assert.equal((await ask(0, { socketPath: path })).status, 200)
  }
})

leakTest(
  'a PROXY header and TLS come in by them as by any other socket',
  async (scope) => {
    const authority = await makeAuthority()
    scope.defer(() => authority.remove())
    const { certPath: cert, keyPath: key } = await authority.issue({ names: ['DNS:localhost'] })
    const listener = { accept_proxy_protocol: ['127.0.0.0/8', 'unix'], tls: { certificates: [{ cert, key }] } }
    for (const workers of [0, 2]) {
      const { backend, port, path } = await activated(scope, workers, { listener })
      for (const place of [{ port, host: '127.0.0.1' }, { path }]) {
        const socket = connect(place)
        socket.write('PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n')
        const secure = connectTls({ socket, ca: authority.pem, servername: 'localhost' })
        const client = scope.use(new RawClient(secure))
        const outcome = await client.write(get('/', { 'x-act-size': '100000' })).read()
        assert.ok(outcome.kind === 'reply' && outcome.reply.body.length === 100_000, outcome.kind)
      }
      const told = backend.requests.map((seen) => seenValues(seen, 'x-forwarded-for').join())
      assert.deepEqual(told, ['192.0.2.7', '192.0.2.7'])
    }
  },
  { skip: (await haveOpenssl()) ? false : 'the openssl program is not installed' },
)

leakTest('a Node that cannot hand sockets to threads: the main thread serves them', async (scope) => {
  const before = `import { Socket } from 'node:net'
    import { Worker } from 'node:worker_threads'
    const post = Worker.prototype.postMessage
    Worker.prototype.postMessage = function (message, list) {
      if (list?.[0] instanceof Socket) throw new TypeError('Found invalid value in transferList')
      return post.call(this, message, list)
    }`
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(before)}`
  const { port } = await activated(scope, 2, { env: { NODE_OPTIONS } })
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port)))
  assert.deepEqual(new Set(answers.map(({ status, error }) => status || error)), new Set([200]))
})

leakTest('connections are spread over the workers; one that dies takes only its own with it', async (scope) => {
  const { backend, proxy, port, path } = await activated(scope, 2)
  const clients: RawClient[] = []
  for (let nth = 0; nth < 10; nth++) clients.push(scope.use(await RawClient.open(port)))
  clients.push(scope.use(new RawClient(connect(path))))
  for (const client of clients) client.write(get('/', { 'x-act-hold': 'all' }))
  await until('all requests are at the backend', () => backend.active === 11)
  await proxy.killWorker(0)
  await until('its connections are closed', () => clients.filter(({ ending }) => ending !== null).length === 5)
  // With one worker gone the other one gets all.
  const meanwhile = await Promise.all(Array.from({ length: 10 }, () => ask(port)))
  assert.deepEqual(new Set(meanwhile.map(({ status }) => status)), new Set([200]))
  backend.release('all')
  const ends = await Promise.all(clients.map((client) => client.read()))
  assert.equal(ends.filter(({ kind }) => kind === 'closed').length, 5)
  assert.equal(ends.filter((end) => end.kind === 'reply' && end.reply.status === 200).length, 6)
})

leakTest('while no worker runs, connections wait for one', async (scope) => {
  const { proxy, port, path } = await activated(scope, 1)
  for (let death = 0; death < 3; death++) {
    await proxy.killWorker(death)
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port)))
    assert.deepEqual(new Set(answers.map(({ status, error }) => status || error)), new Set([200]))
    // The main thread serves these by itself.
    assert.equal((await ask(0, { socketPath: path })).status, 200)
  }
})

leakTest('a drain closes the sockets on our side, lets requests end, and leaves the file alone', async (scope) => {
  const { backend, proxy, port, path } = await activated(scope, 2)
  const clients = [scope.use(await RawClient.open(port)), scope.use(new RawClient(connect(path)))]
  for (const client of clients) client.write(get('/', { 'x-act-hold': 'all' }))
  await until('both requests are at the backend', () => backend.active === 2)
  const drained = proxy.drain()
  let refused = await ask(port)
  // One that was accepted just before is served; one in the queue when it was closed is reset.
  while (refused.error !== 'ECONNREFUSED') {
    assert.ok(refused.status === 200 || refused.error === 'ECONNRESET', refused.error)
    refused = await ask(port)
  }
  assert.equal((await ask(0, { socketPath: path })).error, 'ECONNREFUSED')
  backend.release('all')
  for (const client of clients) assert.equal((await client.read()).kind, 'reply')
  await Promise.all(clients.map((client) => client.close()))
  await drained
  assert.deepEqual(readdirSync(join(path, '..')), ['app.sock'])
})

leakTest(
  'sockets and descriptors do not add up',
  async (scope) => {
    const { proxy, port, path } = await activated(scope, 2)
    const open = (): number => readdirSync(`/proc/${proxy.child.pid}/fd`).length
    const round = async (): Promise<void> => {
      for (let nth = 0; nth < 200; nth++) await Promise.all([ask(port), ask(0, { socketPath: path })])
    }
    await round()
    const before = open()
    await round()
    await until('all is closed again', () => open() <= before)
  },
  { skip: process.platform === 'linux' ? false : 'counts in /proc' },
)
