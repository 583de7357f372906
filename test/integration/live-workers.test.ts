// More and fewer workers while it runs: no request fails, what is open on those that leave goes on, counts are kept.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ListenerSpec } from '../../src/core/spec.ts'
import { startActingBackend } from '../support/acting-backend.ts'
import { listenerSpec, routeSpec } from '../support/control-kit.ts'
import { CrewStand, type CrewStandOptions } from '../support/crew-stand.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask, steadyLoad } from '../support/load.ts'
import { get } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import { RawClient } from '../support/raw-client.ts'
import { startEcho } from '../support/tcp-stand.ts'
import { Threads } from '../support/threads.ts'
import { until } from '../support/wait.ts'

async function stand(scope: Scope, workers: number, options: Partial<CrewStandOptions> = {}) {
  const threads = scope.use(new Threads())
  const backend = scope.use(await startActingBackend({ name: 'a' }))
  const echo = scope.use(await startEcho())
  const web = listenerSpec({ name: 'web', row: 0, port: await refusingPort() })
  const tcp = listenerSpec({ name: 'tcp', row: 1, protocol: 'tcp', pool: 'tcp', port: await refusingPort() })
  const made = await CrewStand.start(scope, {
    workers,
    listeners: [web, tcp],
    httpPort: backend.port,
    tcpPort: Number(new URL(echo.url).port),
    ...options,
  })
  const open = async (port: number): Promise<RawClient> => scope.use(await RawClient.open(port))
  const states = (): string =>
    made.crew
      .workers()
      .map(({ id, state, main }) => `${id} ${state}${main === true ? ' main' : ''}`)
      .sort()
      .join(', ')
  return { backend, threads, made, open, web, tcp, states }
}

async function echoes(client: RawClient, text: string): Promise<void> {
  const before = client.received.length
  client.write(text)
  await client.receivedBytes(before + text.length)
}

leakTest('1 → 3 → 1 under requests: none fails, every worker serves, and lanes are used again', async (scope) => {
  const { made, web, states, threads } = await stand(scope, 1)
  const running = steadyLoad(web.port, { connections: 12 })
  const more = async (): Promise<void> => {
    const before = running.tally.answered
    await until('load is on', () => running.tally.answered > before + 100)
  }
  await more()
  await made.change({ workers: 3 })
  assert.equal(states(), '0 running, 1 running, 2 running', 'all of them listen already')
  await more()
  // Each gets its share of new connections.
  const open = await Promise.all(Array.from({ length: 60 }, () => RawClient.open(web.port)))
  for (const client of open) scope.use(client)
  const held = (id: number): number => made.state.workerRow(id).openConnections
  await until('each has some', () => [0, 1, 2].every((id) => held(id) > 0))
  for (const client of open) await client.close()
  await made.change({ workers: 1 })
  await more()
  await until('the others have ended', () => states() === '0 running')
  await made.change({ workers: 2 })
  assert.equal(states(), '0 running, 1 running')
  await more()
  const { answered, failures } = await running.stop()
  assert.deepEqual(failures, [])
  assert.equal(threads.started.length, 4)
  const counted = (): number => made.state.listenerTotals(0).requests.reduce((sum, { count }) => sum + count, 0)
  await until('all are counted', () => counted() === answered)
  assert.deepEqual(
    made.log.named('workers_changed').map(({ message }) => message),
    [
      '3 workers serve from now on',
      '1 worker serves from now on; those that leave finish what they have',
      '2 workers serve from now on',
    ],
  )
})

leakTest('a worker that leaves keeps what is open until it ends, and closes with the next answer', async (scope) => {
  const { made, open, web, tcp, states, backend } = await stand(scope, 2)
  const relays = await Promise.all(Array.from({ length: 12 }, () => open(tcp.port)))
  for (const client of relays) await echoes(client, 'one')
  const kept = await Promise.all(Array.from({ length: 12 }, () => open(web.port)))
  for (const client of kept) assert.equal((await client.request(get('/'))).status, 200)
  const slow = await Promise.all(Array.from({ length: 12 }, () => open(web.port)))
  for (const client of slow) client.write(get('/', { 'x-act-hold': 'all' }))
  await until('they are in flight', () => backend.active === 12)
  await made.change({ workers: 1 })
  assert.equal(states(), '0 running, 1 draining')
  for (const client of relays) await echoes(client, 'two')
  let last = 0
  for (const client of kept) {
    const { status, fields } = await client.request(get('/'))
    assert.equal(status, 200)
    if (fields.some(([name, value]) => name.toLowerCase() === 'connection' && value === 'close')) last++
  }
  assert.ok(last > 0 && last < 12, `${last} of 12 were told that it is their last answer`)
  // A change reaches those that leave, too.
  await made.change({ limits: { ...made.snapshot.limits, bodySize: 1000 } })
  backend.release('all')
  for (const client of slow) assert.equal((await client.reply()).status, 200)
  for (const client of relays) await echoes(client, 'three')
  assert.equal(states(), '0 running, 1 draining')
  for (const client of [...relays, ...slow, ...kept]) client.socket.destroy()
  await until('it has ended', () => states() === '0 running')
  await until('nothing is counted', () => made.active(0) + made.active(1) === 0)
})

leakTest('after the time of grace what a leaving worker still has is cut, and given back', async (scope) => {
  const { made, open, tcp, states } = await stand(scope, 2, { snapshot: { graceMs: 300, workers: 2 } })
  const relays = await Promise.all(Array.from({ length: 12 }, () => open(tcp.port)))
  for (const client of relays) await echoes(client, 'one')
  await made.change({ workers: 1 })
  await until('it has ended', () => states() === '0 running')
  await until('some are cut', () => relays.some(({ ending }) => ending !== null))
  const alive = relays.filter(({ ending }) => ending === null)
  assert.ok(alive.length > 0 && alive.length < 12)
  await until('only the others are counted', () => made.active(1) === alive.length)
  for (const client of alive) await echoes(client, 'two')
})

leakTest('from the main thread to workers and back: requests go on, tunnels too', async (scope) => {
  const { made, open, web, tcp, states } = await stand(scope, 0)
  assert.equal(states(), '0 running main')
  const relay = await open(tcp.port)
  await echoes(relay, 'main')
  const running = steadyLoad(web.port, { connections: 4 })
  await until('load is on', () => running.tally.answered > 50)
  await made.change({ workers: 2 })
  assert.equal(states(), '0 draining main, 1 running, 2 running')
  await echoes(relay, 'still')
  const before = running.tally.answered
  await until('load goes on', () => running.tally.answered > before + 50)
  // Not at once: until its sockets are closed the main thread takes whoever comes to them.
  const threaded = await open(tcp.port)
  await echoes(threaded, 'thread')
  relay.socket.destroy()
  await until('the main thread is done', () => states() === '1 running, 2 running')
  await made.change({ workers: 0 })
  await echoes(threaded, 'still')
  assert.equal((await ask(web.port)).status, 200)
  assert.match(states(), /0 running main/)
  threaded.socket.destroy()
  await until('the workers are gone', () => states() === '0 running main')
  // A client that comes in the very moment in which one of several sockets of the address closes is reset by the kernel (ADR 14).
  const failures = (await running.stop()).failures.filter((failure) => failure !== 'ECONNRESET')
  assert.deepEqual(failures, [])
})

leakTest('a Unix socket goes from the worker that leaves to another without a gap', async (scope) => {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-live-'))
  scope.defer(() => rmSync(dir, { recursive: true }))
  const paths = ['a', 'b', 'c'].map((name) => join(dir, name))
  const listeners = paths.map((socketPath, row) => ({ name: `u${row}`, row, host: '', port: 0, socketPath }))
  const { made, states } = await stand(scope, 3, { listeners })
  let going = true
  const failures: string[] = []
  const asking = paths.map(async (socketPath) => {
    while (going) {
      const { status, error } = await ask(0, { socketPath })
      if (status !== 200) failures.push(`${socketPath} ${status} ${error}`)
    }
  })
  for (const workers of [1, 0, 2]) {
    await made.change({ workers })
    for (const socketPath of paths) {
      const { status, error } = await ask(0, { socketPath })
      assert.equal(status, 200, `${workers} workers: ${error} at ${socketPath}; ${JSON.stringify(made.log.events)}`)
    }
  }
  going = false
  await Promise.all(asking)
  assert.deepEqual(failures, [])
  await until('the others have ended', () => made.crew.workers().length === 2)
  assert.match(states(), /^\d running, \d running$/)
  await made.change({ listeners: [] })
  await until('the files are gone', () => !paths.some((path) => existsSync(path)))
})

/** It answers, at the latest when whoever has it now listens. */
async function comesBack(socketPath: string): Promise<void> {
  const giveUpAt = performance.now() + 4000
  for (let status = 0; status !== 200; ) {
    const answered = await ask(0, { socketPath })
    status = answered.status
    assert.ok(status === 200 || performance.now() < giveUpAt, `${socketPath}: ${answered.error}`)
  }
}

leakTest('a Unix socket gets another name or worker, whoever dies meanwhile', async (scope) => {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-live-'))
  scope.defer(() => rmSync(dir, { recursive: true }))
  const [a, b] = ['a', 'b'].map((name, row) =>
    listenerSpec({ name, row, host: '', port: 0, socketPath: join(dir, name) }),
  ) as [ListenerSpec, ListenerSpec]
  const { made, threads } = await stand(scope, 2, { listeners: [a, b] })
  const all = async (): Promise<void> => {
    for (const { socketPath } of made.snapshot.listeners) await comesBack(socketPath!)
  }
  // The second worker has it, and the first has nothing.
  await made.change({ listeners: [{ ...b, name: 'c' }] })
  await all()
  await made.change({ listeners: [a, b] })
  await all()
  // Dead when it is asked: what it had is another's by then.
  await threads.kill(threads.started[0]!)
  await made.change({ graceMs: 100 })
  await all()
  await made.working(2)
  // With names exchanged, and fewer workers than before; who stays dies at that moment.
  const prepared = await made.prepare({
    workers: 1,
    listeners: [
      { ...a, name: 'b' },
      { ...b, name: 'a' },
    ],
  })
  const committed = prepared.commit()
  const killed = threads.kill(threads.started.at(-1)!)
  await committed
  await killed
  await all()
  await made.working(1)
  await all()
})

leakTest(
  'a thread that cannot start keeps the change from being made, and more than there is room for too',
  async (scope) => {
    const { made, web, states } = await stand(scope, 1, { spareLanes: 2 })
    const dir = mkdtempSync(join(tmpdir(), 'frontdesk-live-'))
    scope.defer(() => rmSync(dir, { recursive: true }))
    const file = join(dir, 'odd.mjs')
    writeFileSync(
      file,
      `import { workerData } from 'node:worker_threads'
     if (workerData?.workerId === 1) throw new Error('one is enough')
     export default { name: 'odd', middleware: { odd: { onRequest() {} } } }`,
    )
    const plugins = [{ kind: 'plugin', url: pathToFileURL(file).href, label: './odd.mjs' } as const]
    const use = [{ ref: { name: 'odd', options: {} }, place: 'routes[0].use[0]' }]
    const routes = [routeSpec({}, { name: 'odd', rows: [0, 0], use })]
    await assert.rejects(
      made.prepare({ workers: 2, plugins, routes }),
      /^Error: worker 1: \.\/odd\.mjs: .*one is enough/,
    )
    assert.equal(states(), '0 running')
    await assert.rejects(made.prepare({ workers: 4 }), /room for 3 workers.* until a restart/)
    await made.change({ workers: 3, plugins: [], routes: [] })
    assert.equal(states(), '0 running, 1 running, 2 running')
    const given = await made.prepare({ workers: 1 })
    await given.abandon()
    assert.equal(states(), '0 running, 1 running, 2 running')
    assert.equal((await ask(web.port)).status, 200)
  },
)

leakTest('a worker that was added dies: another takes its place with what is in force', async (scope) => {
  const { made, web, threads, states } = await stand(scope, 1)
  await made.change({ workers: 2 })
  await threads.kill(threads.started[1]!)
  await until('it is noticed', () => states() !== '0 running, 1 running')
  await until('it works again', () => states() === '0 running, 1 running')
  for (let i = 0; i < 10; i++) assert.equal((await ask(web.port)).status, 200)
})
