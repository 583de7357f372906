// Where listeners listen: all interfaces with and without IPv4, and Unix sockets in workers that may die.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, lstatSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { connect, createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ListenError } from '../../src/supervisor/frontdesk.ts'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { MemoryLog } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { get } from '../support/messages.ts'
import { type ProxyOptions, startProxy, type TestProxy } from '../support/proxy.ts'
import { startProxyProcess } from '../support/proxy-process.ts'
import { RawClient } from '../support/raw-client.ts'
import { seenValues } from '../support/stand.ts'
import { Threads } from '../support/threads.ts'
import { until } from '../support/wait.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
const skip = hasIpv6 ? false : 'this machine has no IPv6 loopback address'
const run = promisify(execFile)

function socketPath(scope: Scope): string {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-'))
  scope.defer(() => rmSync(dir, { recursive: true }))
  return join(dir, 'web.sock')
}

const listening = (...listeners: readonly Readonly<Record<string, string | boolean>>[]): ProxyOptions => ({
  config: { listeners: listeners.map((keys, index) => ({ name: `l${index}`, ...keys })) },
})

interface Stand {
  readonly backend: ActingBackend
  readonly proxy: TestProxy
  readonly path: string
  readonly log: MemoryLog
}

/** A proxy with one Unix socket. */
async function onUnixSocket(
  scope: Scope,
  workers: number,
  keys: Readonly<Record<string, string>> = {},
): Promise<Stand> {
  const path = socketPath(scope)
  const backend = scope.use(await startActingBackend())
  const log = new MemoryLog()
  const options = { ...listening({ listen: `unix:${path}`, ...keys }), workers, log }
  return { path, backend, log, proxy: scope.use(await startProxy([backend.url], options)) }
}

const reach = async (port: number, host: string): Promise<number | string> => {
  const { status, error } = await ask(port, { host })
  return status || error
}

for (const [listen, more, expected] of [
  [':1', {}, [200, 200]],
  ['[::]:1', {}, [200, 200]],
  ['[::]:1', { ipv6_only: true }, ['ECONNREFUSED', 200]],
  ['0.0.0.0:1', {}, [200, 'ECONNREFUSED']],
  ['[::1]:1', {}, ['ECONNREFUSED', 200]],
] as const) {
  for (const workers of [0, 2]) {
    const what = `${listen} ${JSON.stringify(more)}, ${workers} workers`
    leakTest(
      `${what}: over IPv4 ${expected[0]}, over IPv6 ${expected[1]}`,
      async (scope) => {
        const backend = scope.use(await startActingBackend())
        const options = { ...listening({ listen, ...more }), workers }
        const { port } = scope.use(await startProxy([backend.url], options))
        assert.deepEqual([await reach(port, '127.0.0.1'), await reach(port, '::1')], expected)
        const seen = seenValues(backend.requests[0], 'x-forwarded-for')
        assert.deepEqual(seen, [expected[0] === 200 ? '127.0.0.1' : '::1'], 'an IPv4 client in IPv6 clothes')
      },
      { skip },
    )
  }
}

leakTest('an address that is in use is told before any worker starts, of either family', async (scope) => {
  const other = createServer().listen(0, '127.0.0.1')
  scope.defer(() => other.close())
  await until('it listens', () => other.listening)
  const backend = scope.use(await startActingBackend())
  const first = scope.use(await startProxy([backend.url], { ...listening({ listen: ':1' }), workers: 2 }))
  const { startFrontdesk } = await import('../../src/supervisor/frontdesk.ts')
  const { loadConfig } = await import('../../src/config/load.ts')
  const text = JSON.stringify({
    listeners: [{ name: 'a', listen: `127.0.0.1:${first.port}` }],
    backends: [backend.url],
    state_file: null,
  })
  const second = startFrontdesk({ loaded: loadConfig({ text }), log: new MemoryLog(), version: '0' })
  await assert.rejects(second, (error) => error instanceof ListenError && error.code === 'EADDRINUSE')
})

for (const workers of [0, 2]) {
  leakTest(`a Unix socket, ${workers} workers: requests on one connection, and curl`, async (scope) => {
    const { path, backend, proxy } = await onUnixSocket(scope, workers, { socket_mode: '0600' })
    assert.equal(lstatSync(path).mode & 0o777, 0o600)
    assert.deepEqual(proxy.running.listeners, [{ name: 'l0', host: '', port: 0, socketPath: path, inherited: null }])
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    scope.defer(() => agent.destroy())
    for (let nth = 0; nth < 3; nth++) {
      const body = Buffer.alloc(300_000, 'x')
      const answer = await ask(0, {
        socketPath: path,
        agent,
        method: 'POST',
        body,
        headers: { 'x-act-size': '200000' },
      })
      assert.deepEqual([answer.status, answer.body.length], [200, 200_000])
    }
    assert.equal(proxy.running.state.listenerTotals(0).connections, 1)
    // A peer without an address is told of as it is: not at all.
    assert.deepEqual(seenValues(backend.requests[0], 'x-forwarded-for'), [])
    const { stdout } = await run('curl', ['-s', '--unix-socket', path, '-w', '%{http_code}', 'http://web/x'])
    assert.match(stdout, /200$/)
    assert.deepEqual(seenValues(backend.requests.at(-1), 'x-forwarded-host'), ['web'])
  })
}

leakTest('on plain sockets, too, and a limit for each address does not count Unix peers as one', async (scope) => {
  for (const env of [{ FRONTDESK_PLAIN_SOCKETS: '1' }, {}]) {
    const path = socketPath(scope)
    const backend = scope.use(await startActingBackend())
    const child = scope.use(await startProxyProcess(env))
    await child.start([backend.url], {
      ...listening({ listen: `unix:${path}` }),
      limits: { max_connections_per_ip: 1 },
    })
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => ask(0, { socketPath: path, headers: { 'x-act-delay': '20' } })),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    )
  }
})

leakTest(
  'several Unix sockets are spread over the workers: a death costs only those of the dead one',
  async (scope) => {
    const first = socketPath(scope)
    const paths = [first, `${first}.2`]
    const backend = scope.use(await startActingBackend())
    const threads = scope.use(new Threads())
    const options = listening(...paths.map((path) => ({ listen: `unix:${path}` })))
    scope.use(await startProxy([backend.url], { ...options, workers: 2 }))
    const clients = paths.map((path) => scope.use(new RawClient(connect(path))))
    for (const client of clients) client.write(get('/', { 'x-act-hold': 'all' }))
    await until('both requests are at the backend', () => backend.active === 2)
    await threads.kill(threads.started[0]!)
    assert.equal((await clients[0]!.read()).kind, 'closed')
    backend.release('all')
    assert.equal((await clients[1]!.read()).kind, 'reply')
  },
)

for (const workers of [1, 2]) {
  leakTest(`the worker that accepts from a Unix socket dies, of ${workers}: it is listened on again`, async (scope) => {
    const threads = scope.use(new Threads())
    const { path, proxy, log } = await onUnixSocket(scope, workers, { socket_mode: '0620' })
    const working = (): number => proxy.running.status().workers.filter(({ state }) => state === 'running').length
    for (let death = 1; death <= 3; death++) {
      assert.equal((await ask(0, { socketPath: path })).status, 200)
      const { ino } = lstatSync(path)
      const keeper = workers === 1 ? threads.started.at(-1)! : await keeperOf(threads, path)
      await threads.kill(keeper)
      // The file is never missing: whoever comes in between is refused, and not told that there is no such place.
      await until('there is a new socket', () => lstatSync(path).ino !== ino)
      // Where another worker is left, it takes over before the dead one is back.
      if (workers === 2) assert.equal(working(), 1)
      assert.equal((await ask(0, { socketPath: path })).status, 200)
      assert.equal(lstatSync(path).mode & 0o777, 0o620)
      await until('all work', () => working() === workers)
    }
    assert.equal(log.named('worker_died').length, 3)
    assert.deepEqual(log.named('listen_failed'), [])
    assert.deepEqual(readdirSync(join(path, '..')), ['web.sock'])
    assert.equal((await ask(0, { socketPath: path })).status, 200)
  })
}

/** The living thread that serves this socket: the one whose listener a connection keeps busy. */
async function keeperOf(threads: Threads, path: string): Promise<Threads['started'][number]> {
  const alive = threads.started.filter(({ threadId }) => threadId !== -1)
  const client = new RawClient(connect(path))
  const before = alive.map((thread) => thread.performance.eventLoopUtilization())
  for (let nth = 0; nth < 200; nth++) await client.request(get('/'))
  await client.close()
  const busy = alive.map((thread, index) => thread.performance.eventLoopUtilization(before[index]).active)
  return alive[busy.indexOf(Math.max(...busy))]!
}

leakTest('a path that somebody else took meanwhile is told of, and left to it', async (scope) => {
  const threads = scope.use(new Threads())
  const { path, log } = await onUnixSocket(scope, 2)
  const other = createServer((socket) => socket.on('error', () => {}).end())
  scope.defer(() => other.close())
  other.listen(`${path}.other`)
  await until('the other listens', () => other.listening)
  renameSync(`${path}.other`, path)
  const { ino } = lstatSync(path)
  await threads.kill(threads.started[0]!)
  const { message } = await log.waitFor('listen_failed')
  assert.match(message, /^cannot listen on unix:.*web\.sock: EADDRINUSE$/)
  assert.equal(lstatSync(path).ino, ino)
})

leakTest('load on a Unix socket beside one on a port', async (scope) => {
  const { path, proxy } = await onUnixSocket(scope, 2)
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  scope.defer(() => agent.destroy())
  const answers = await Promise.all(Array.from({ length: 500 }, () => ask(0, { socketPath: path, agent })))
  assert.deepEqual(new Set(answers.map(({ status, error }) => status || error)), new Set([200]))
  assert.equal(proxy.running.state.listenerTotals(0).connections, 16)
})

for (const workers of [0, 2]) {
  leakTest(`a drain, ${workers} workers: what is in flight ends, and the file is gone before`, async (scope) => {
    const { path, backend, proxy } = await onUnixSocket(scope, workers)
    const client = scope.use(new RawClient(connect(path)))
    client.write(get('/', { 'x-act-hold': 'it' }))
    await until('a request is in flight', () => backend.active === 1)
    proxy.running.drain()
    await until('the file is gone', () => !existsSync(path))
    assert.equal((await ask(0, { socketPath: path })).error, 'ENOENT')
    backend.release('it')
    const outcome = await client.read()
    assert.ok(outcome.kind === 'reply' && outcome.reply.status === 200)
    await client.close()
    assert.equal(await proxy.running.stopped, 'drained')
  })
}

leakTest('a stop at once removes the file, too; a file that was put there by others stays', async (scope) => {
  const first = await onUnixSocket(scope, 2)
  await first.proxy.close()
  assert.ok(!existsSync(first.path))
  const second = await onUnixSocket(scope, 2)
  rmSync(second.path)
  writeFileSync(second.path, 'not yours')
  await second.proxy.close()
  assert.ok(existsSync(second.path))
})

leakTest('a path that cannot be had: the error says which and why, and nothing is left running', async (scope) => {
  const backend = scope.use(await startActingBackend())
  const live = await onUnixSocket(scope, 2)
  const file = socketPath(scope)
  writeFileSync(file, '')
  for (const [path, code] of [
    [live.path, 'EADDRINUSE'],
    [file, 'ENOTSOCK'],
    [`${file}/x.sock`, 'ENOTDIR'],
    [join(file, '..', 'nowhere', 'x.sock'), 'ENOENT'],
  ] as const) {
    for (const workers of [0, 2]) {
      await assert.rejects(
        startProxy([backend.url], { ...listening({ listen: `unix:${path}` }), workers }),
        (error) => {
          assert.ok(error instanceof ListenError, String(error))
          assert.deepEqual([error.code, error.socketPath], [code, path])
          return true
        },
      )
    }
  }
  assert.equal((await ask(0, { socketPath: live.path })).status, 200)
})
