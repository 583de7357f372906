// Listeners that are added, moved and removed while it runs: what is open goes on, and a change that cannot be made whole is
// not made at all.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { pathToFileURL } from 'node:url'
import type { ListenerSpec } from '../../src/core/spec.ts'
import { ListenError } from '../../src/supervisor/listen-error.ts'
import { startActingBackend } from '../support/acting-backend.ts'
import { makeCertificates } from '../support/certificates.ts'
import { listenerSpec, listenerTlsSpec, routeSpec } from '../support/control-kit.ts'
import { CrewStand, type CrewStandOptions } from '../support/crew-stand.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { get } from '../support/messages.ts'
import { skipWithout } from '../support/peers.ts'
import { refusingPort } from '../support/ports.ts'
import { RawClient } from '../support/raw-client.ts'
import { startEcho, startTcpBackend } from '../support/tcp-stand.ts'
import { Threads } from '../support/threads.ts'
import { until, within } from '../support/wait.ts'

type Listeners = readonly Partial<ListenerSpec>[]

async function stand(scope: Scope, workers: number, listeners: Listeners, options: Partial<CrewStandOptions> = {}) {
  const threads = scope.use(new Threads())
  const backend = scope.use(await startActingBackend({ name: 'a' }))
  const echo = scope.use(await startEcho())
  const made = await CrewStand.start(scope, {
    workers,
    listeners,
    httpPort: backend.port,
    tcpPort: Number(new URL(echo.url).port),
    ...options,
  })
  const open = async (port: number): Promise<RawClient> => scope.use(await RawClient.open(port))
  return { backend, echo, threads, made, open }
}

const port = async (): Promise<{ readonly port: number }> => ({ port: await refusingPort() })

/** A request on a connection that is kept. */
async function asks(client: RawClient): Promise<string> {
  const { status, fields } = await client.request(get('/'))
  return `${status} ${fields.some(([name, value]) => name.toLowerCase() === 'connection' && value === 'close') ? 'last' : 'kept'}`
}

/** A connection to an echo is alive: what is written comes back. */
async function echoes(client: RawClient, text: string): Promise<void> {
  const before = client.received.length
  client.write(text)
  await client.receivedBytes(before + text.length)
  assert.equal(client.received.subarray(before).toString(), text)
}

const refused = async (at: number): Promise<boolean> => (await ask(at)).error === 'ECONNREFUSED'

/** A socket that is given up is closed when its queue is empty. */
async function refuses(at: number): Promise<void> {
  const giveUpAt = performance.now() + 2000
  while (!(await refused(at))) assert.ok(performance.now() < giveUpAt, `${at} is still listened on`)
}

leakTest('listeners come, move and go; what is open on the others, and on those, is not touched', async (scope) => {
  const web = listenerSpec({ name: 'web', row: 0, ...(await port()) })
  const tcp = listenerSpec({ name: 'tcp', row: 1, protocol: 'tcp', pool: 'tcp', ...(await port()) })
  const { made, open } = await stand(scope, 2, [web, tcp])
  const kept = await Promise.all([open(web.port), open(web.port), open(web.port)])
  const relays = await Promise.all([open(tcp.port), open(tcp.port)])
  const all = async (): Promise<void> => {
    for (const client of kept) assert.equal(await asks(client), '200 kept')
    for (const client of relays) await echoes(client, 'still there')
  }
  await all()

  const more = listenerSpec({ name: 'more', row: 2, ...(await port()) })
  await made.change({ listeners: [more, web, tcp] })
  assert.equal((await ask(more.port)).status, 200)
  await all()

  const moved = { ...web, ...(await port()) }
  await made.change({ listeners: [more, moved, tcp] })
  assert.equal((await ask(moved.port)).status, 200)
  await refuses(web.port)
  await all()
  assert.deepEqual(
    made.crew.listeners().map((one) => `${one.name} ${one.port}`),
    [`more ${more.port}`, `web ${moved.port}`, `tcp ${tcp.port}`],
  )

  await made.change({ listeners: [moved, tcp] })
  await refuses(more.port)
  await all()
  assert.equal(made.active(0), 3)
  assert.equal(made.active(1), 2)
  assert.deepEqual(
    made.log.named('listeners_changed').map(({ message }) => message),
    [
      `listener more listens on 127.0.0.1:${more.port}`,
      `listener web has moved from 127.0.0.1:${web.port} to 127.0.0.1:${moved.port}`,
      `listener more on 127.0.0.1:${more.port} is closed`,
    ],
  )
})

leakTest(
  'a removed listener lets go: idle connections at once, requests with their answer, tunnels in time',
  async (scope) => {
    const web = listenerSpec({ name: 'web', row: 0, ...(await port()) })
    const tcp = listenerSpec({ name: 'tcp', row: 1, protocol: 'tcp', pool: 'tcp', ...(await port()) })
    const other = listenerSpec({ name: 'other', row: 2, ...(await port()) })
    const { made, open, backend } = await stand(scope, 1, [web, tcp, other], { drainMs: 400 })
    const [idle, busy, relay] = [await open(web.port), await open(web.port), await open(tcp.port)]
    assert.equal(await asks(idle), '200 kept')
    await echoes(relay, 'hello')
    busy.write(get('/slow', { 'x-act-hold': 'slow' }))
    await until('a request is in flight', () => backend.active === 1)
    await made.change({ listeners: [other] })
    assert.equal(await idle.ended(), 'fin')
    await echoes(relay, 'still here')
    backend.release('slow')
    const { status, fields } = await busy.reply()
    assert.equal(status, 200)
    assert.ok(fields.some(([name, value]) => name.toLowerCase() === 'connection' && value === 'close'))
    await busy.ended()
    await relay.ended()
    await until('nothing is counted any more', () => made.active(0) + made.active(1) === 0)
    assert.equal((await ask(other.port)).status, 200)
  },
)

leakTest('of two new listeners one cannot be bound: neither is there, and the address is named', async (scope) => {
  const web = listenerSpec({ name: 'web', row: 0, ...(await port()) })
  const { made, open } = await stand(scope, 2, [web])
  const client = await open(web.port)
  await asks(client)
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  scope.defer(() => new Promise((resolve) => taken.close(resolve)))
  const { port: theirs } = taken.address() as { port: number }
  const free = listenerSpec({ name: 'free', row: 1, ...(await port()) })
  const busy = listenerSpec({ name: 'busy', row: 2, port: theirs })
  await assert.rejects(made.prepare({ listeners: [web, free, busy] }), (error) => {
    assert.ok(error instanceof ListenError)
    assert.deepEqual([error.code, error.message], ['EADDRINUSE', `cannot listen on 127.0.0.1:${theirs}: EADDRINUSE`])
    return true
  })
  assert.ok(await refused(free.port))
  assert.equal(await asks(client), '200 kept')
  await made.change({ listeners: [web, free] })
  assert.equal((await ask(free.port)).status, 200)
})

leakTest(
  'a connection that comes between the two steps is served at the second, or closed when it is given up',
  async (scope) => {
    const web = listenerSpec({ name: 'web', row: 0, ...(await port()) })
    const more = listenerSpec({ name: 'more', row: 1, ...(await port()) })
    const { made, open } = await stand(scope, 2, [web])
    const given = await made.prepare({ listeners: [web, more] })
    const early = (await open(more.port)).write(get('/'))
    assert.equal(made.active(1), 0, 'it is nobody’s yet')
    await given.abandon()
    assert.match(await early.ended(), /fin|rst/)
    assert.equal(early.received.length, 0)
    await refuses(more.port)

    const prepared = await made.prepare({ listeners: [web, more] })
    const waits = await Promise.all(Array.from({ length: 8 }, () => open(more.port)))
    for (const client of waits) client.write(get('/'))
    assert.equal((await ask(web.port)).status, 200)
    assert.deepEqual(
      waits.map((client) => client.received.length),
      Array(8).fill(0),
    )
    await prepared.commit()
    for (const client of waits) assert.equal((await client.reply()).status, 200)
  },
)

leakTest(
  'an address goes from one listener to another without a gap, to one of another protocol too',
  async (scope) => {
    const a = listenerSpec({ name: 'a', row: 0, ...(await port()) })
    const b = listenerSpec({ name: 'b', row: 1, protocol: 'tcp', pool: 'tcp', ...(await port()) })
    const { made, open } = await stand(scope, 2, [a, b])
    const [web, relay] = [await open(a.port), await open(b.port)]
    await asks(web)
    await echoes(relay, 'x')
    // They swap.
    await made.change({
      listeners: [
        { ...a, port: b.port },
        { ...b, port: a.port },
      ],
    })
    assert.equal(await asks(web), '200 kept')
    await echoes(relay, 'y')
    await echoes(await open(a.port), 'z')
    assert.equal((await ask(b.port)).status, 200)
    // Another name and another protocol at the same address.
    const c = listenerSpec({ name: 'c', row: 2, port: a.port })
    await made.change({ listeners: [{ ...a, port: b.port }, c] })
    assert.equal((await ask(a.port)).status, 200)
    await echoes(relay, 'goes on')
    await made.change({
      listeners: [
        { ...a, port: b.port },
        { ...c, protocol: 'tcp', pool: 'tcp' },
      ],
    })
    await echoes(await open(a.port), 'tcp now')
  },
)

leakTest('an address of ours is widened to all interfaces, and narrowed again', async (scope) => {
  const web = listenerSpec({ name: 'web', row: 0, ...(await port()) })
  const { made, open } = await stand(scope, 2, [web])
  const client = await open(web.port)
  await made.change({ listeners: [{ ...web, host: '0.0.0.0' }] })
  assert.equal(await asks(client), '200 kept')
  assert.equal((await ask(web.port, { host: '127.0.0.2' })).status, 200)
  await made.change({ listeners: [web] })
  assert.equal(await asks(client), '200 kept')
  assert.equal((await ask(web.port, { host: '127.0.0.2' })).error, 'ECONNREFUSED')
})

leakTest('Unix sockets come, move, change their permissions and go', async (scope) => {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-live-'))
  scope.defer(() => rmSync(dir, { recursive: true }))
  const web = listenerSpec({ name: 'web', row: 0, ...(await port()) })
  const socket = (name: string, mode: number | null = null) =>
    listenerSpec({ name: 'local', row: 1, port: 0, host: '', socketPath: join(dir, name), socketMode: mode })
  const { made } = await stand(scope, 2, [web])
  const answers = async (name: string): Promise<number | string> => {
    const { status, error } = await ask(0, { socketPath: join(dir, name) })
    return status || error
  }
  await made.change({ listeners: [web, socket('one')] })
  assert.equal(await answers('one'), 200)
  await made.change({ listeners: [web, socket('one', 0o600)] })
  assert.equal(statSync(join(dir, 'one')).mode & 0o777, 0o600)
  assert.equal(await answers('one'), 200)
  await made.change({ listeners: [web, socket('two', 0o660)] })
  assert.deepEqual([await answers('two'), existsSync(join(dir, 'one'))], [200, false])
  writeFileSync(join(dir, 'file'), '')
  await assert.rejects(made.prepare({ listeners: [web, socket('file')] }), /unix:.*file: ENOTSOCK/)
  assert.equal(await answers('two'), 200)
  await made.change({ listeners: [web] })
  assert.equal(existsSync(join(dir, 'two')), false)
})

leakTest('a listener for a socket that nobody passed cannot come later', async (scope) => {
  const web = listenerSpec({ name: 'web', row: 0, ...(await port()) })
  const { made } = await stand(scope, 1, [web])
  const passed = listenerSpec({ name: 'passed', row: 1, port: 0, inherited: 'web.socket' })
  await assert.rejects(made.prepare({ listeners: [web, passed] }), /systemd:web.socket: no socket was passed/)
  assert.equal((await ask(web.port)).status, 200)
})

const plugin = (scope: Scope, source: string) => {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-live-'))
  scope.defer(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'odd.mjs')
  writeFileSync(file, source)
  return { kind: 'plugin', url: pathToFileURL(file).href, label: './odd.mjs' } as const
}

const step = (name: string) => ({ ref: { name, options: {} }, place: 'routes[0].use[0]' })

leakTest('a plug-in that throws in one worker only keeps all of them from the change', async (scope) => {
  const web = listenerSpec({ name: 'web', row: 0, ...(await port()) })
  const { made } = await stand(scope, 3, [web])
  const source = `import { workerData } from 'node:worker_threads'
    export default { name: 'odd', middleware: { odd: () => {
      if (workerData?.workerId === 2) throw new Error('not on Tuesdays')
      return { onRequest: () => undefined }
    } } }`
  const more = listenerSpec({ name: 'more', row: 1, ...(await port()) })
  const routes = [routeSpec({}, { name: 'odd', rows: [0, 1], use: [step('odd')] })]
  const change = { listeners: [web, more], routes, plugins: [plugin(scope, source)] }
  await assert.rejects(
    made.prepare(change),
    /^Error: worker 2: routes\[0\]\.use\[0\]: the middleware odd.*not on Tuesdays/,
  )
  await refuses(more.port)
  assert.deepEqual(
    new Set((await Promise.all(Array.from({ length: 12 }, () => ask(web.port)))).map(({ status }) => status)),
    new Set([200]),
  )
  await made.change({ listeners: [web, more] })
  assert.equal((await ask(more.port)).status, 200)
})

leakTest(
  'a worker that dies between the two steps comes back with what ran, and then with the change',
  async (scope) => {
    const web = listenerSpec({ name: 'web', row: 0, ...(await port()) })
    const more = listenerSpec({ name: 'more', row: 1, ...(await port()) })
    const { made, threads } = await stand(scope, 2, [web])
    const prepared = await made.prepare({ listeners: [web, more] })
    await threads.kill(threads.started[0]!)
    await threads.listening(2)
    for (let i = 0; i < 10; i++) assert.equal((await ask(web.port)).status, 200)
    await prepared.commit()
    for (let i = 0; i < 10; i++) assert.equal((await ask(more.port)).status, 200)
    // The other one dies at the very moment.
    const again = await made.prepare({ listeners: [web] })
    const killed = threads.kill(threads.started[1]!)
    await again.commit()
    await killed
    await made.working(2)
    await refuses(more.port)
    for (let i = 0; i < 10; i++) assert.equal((await ask(web.port)).status, 200)
  },
)

leakTest('a worker that hangs is named when a change is made ready, and replaced when it is to swap', async (scope) => {
  const web = listenerSpec({ name: 'web', row: 0, ...(await port()) })
  const more = listenerSpec({ name: 'more', row: 1, ...(await port()) })
  const source = `export default { name: 'odd', middleware: { spin: { onRequest({ path }) {
    if (path === '/spin') for (const until = Date.now() + 60_000; Date.now() < until; );
    if (path === '/doze') for (const until = Date.now() + 1500; Date.now() < until; );
  } } } }`
  const routes = [routeSpec({}, { name: 'odd', rows: [0, 0], use: [step('spin')] })]
  const snapshot = { routes, plugins: [plugin(scope, source)] }
  const { made, open, backend, threads } = await stand(scope, 1, [web], { rollOutMs: 500, snapshot })
  const dozing = (await open(web.port)).write(get('/doze'))
  const noticed = await open(web.port)
  await until('the worker is busy', () => made.state.connectionTotals(0).requestsActive === 1)
  await assert.rejects(
    made.prepare({ listeners: [web, more] }),
    /^Error: worker 0 did not make the change ready within 0.5 s/,
  )
  assert.equal((await dozing.reply()).status, 200)
  assert.equal((await noticed.request(get('/'))).status, 200)
  await refuses(more.port)

  const prepared = await made.prepare({ listeners: [web, more] })
  const spinning = (await open(web.port)).write(get('/spin'))
  await until('it spins', () => made.state.connectionTotals(0).requestsActive === 1)
  await prepared.commit()
  assert.match(made.log.named('worker_hangs')[0]?.message ?? '', /^worker 0: did not swap within 0.5 s/)
  assert.match(await spinning.ended(), /fin|rst/)
  await threads.listening(1)
  assert.equal((await ask(more.port)).status, 200)
  assert.equal(backend.active, 0)
})

leakTest(
  'settings of a listener hold for new connections, and the pool under a WebSocket may change its backends',
  async (scope) => {
    const chat = scope.use(
      await startTcpBackend({
        onConnection: ({ socket }) =>
          socket.once('data', () => {
            socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n')
            socket.on('data', (bytes) => socket.write(bytes))
          }),
      }),
    )
    const web = listenerSpec({ name: 'web', row: 0, ...(await port()) })
    const { made, open, backend } = await stand(scope, 1, [web], { httpPort: Number(new URL(chat.url).port) })
    const socket = await open(web.port)
    const { status } = await socket.request(get('/', { Connection: 'Upgrade', Upgrade: 'chat' }))
    assert.equal(status, 101)
    const ping = (): Promise<void> => echoes(socket, 'ping')
    await ping()
    const [pool, tcp] = made.snapshot.pools
    const slot = made.state.claimSlot()
    const other = { ...pool!.backends[0]!, slot, port: backend.port, url: `http://127.0.0.1:${backend.port}` }
    await made.change({ pools: [{ ...pool!, backends: [other] }, tcp!] })
    await ping()
    const kept = await open(web.port)
    assert.equal(await asks(kept), '200 kept')
    await made.change({ limits: { ...made.snapshot.limits, maxConnections: 2 } })
    assert.equal((await ask(web.port)).error, 'ECONNRESET')
    assert.equal(await asks(kept), '200 kept')
    await ping()
  },
)

leakTest(
  'TLS is put before a listener and taken away, for new connections',
  async (scope) => {
    const { cert, key, ca, remove } = await makeCertificates()
    scope.defer(remove)
    const identity = { id: '1', names: ['localhost'], keyType: 'ec', cert, key }
    const plain = listenerSpec({ name: 'web', row: 0, ...(await port()) })
    const { made, open } = await stand(scope, 2, [plain])
    const before = await open(plain.port)
    assert.equal(await asks(before), '200 kept')
    await made.change({ listeners: [{ ...plain, tls: listenerTlsSpec([identity]) }] })
    assert.equal(await asks(before), '200 kept')
    const secure = async (): Promise<string> => {
      const socket = tls.connect({ port: plain.port, host: '127.0.0.1', servername: 'localhost', ca })
      scope.defer(() => socket.destroy())
      await within('the handshake', once(socket, 'secureConnect'))
      return socket.getProtocol() ?? ''
    }
    assert.equal(await secure(), 'TLSv1.3')
    await made.change({ listeners: [plain] })
    assert.equal((await ask(plain.port)).status, 200)
    assert.equal(await asks(before), '200 kept')
  },
  { skip: skipWithout('openssl') },
)
