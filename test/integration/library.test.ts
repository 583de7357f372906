// Frontdesk inside a program: started, looked at, changed and closed by calls.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ConfigError,
  ControlError,
  createFrontdesk,
  type Frontdesk,
  type FrontdeskConfig,
  FrontdeskError,
  type FrontdeskEvent,
  type FrontdeskOptions,
  ListenError,
  type LogEvent,
  NeedsRestartError,
} from 'frontdesk'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { get } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import { folder } from '../support/program.ts'
import { RawClient } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'

const quiet = { health_check_method: 'none' } as const
const loopback = [{ name: 'default', listen: '127.0.0.1:0' }] as const

async function made(scope: Scope, config: FrontdeskConfig, options: FrontdeskOptions = {}): Promise<Frontdesk> {
  const proxy = await createFrontdesk(config, options)
  scope.defer(() => proxy.close({ graceMs: 0 }))
  return proxy
}

async function started(scope: Scope, config: FrontdeskConfig, options: FrontdeskOptions = {}): Promise<Frontdesk> {
  const proxy = await made(scope, { listeners: loopback, ...quiet, ...config }, options)
  await proxy.start()
  return proxy
}

const acting = async (scope: Scope, name = 'red'): Promise<ActingBackend> =>
  scope.use(await startActingBackend({ name }))
const portOf = (proxy: Frontdesk): number => proxy.listeners[0]!.port

/** Reads along; `types` are those so far. */
function follow(proxy: Frontdesk) {
  const seen: FrontdeskEvent[] = []
  const types = (): string[] => seen.map(({ type }) => type)
  const read = async (): Promise<FrontdeskEvent[]> => {
    for await (const event of proxy.events()) seen.push(event)
    return seen
  }
  return { seen, types, ended: read() }
}

const ofType = <T extends FrontdeskEvent['type']>(seen: readonly FrontdeskEvent[], type: T) =>
  seen.filter((event): event is Extract<FrontdeskEvent, { type: T }> => event.type === type)

const refusal = async (promise: Promise<unknown>): Promise<Record<string, unknown>> =>
  promise.then(
    () => assert.fail('it was not refused'),
    (error: unknown) => error as Record<string, unknown>,
  )

for (const workers of [0, 2]) {
  leakTest(`a proxy of three lines serves, tells where it is and ends (workers: ${workers})`, async (scope) => {
    const backend = await acting(scope)
    const events: string[] = []
    {
      await using proxy = await createFrontdesk({ port: 0, backends: [backend.url], workers })
      assert.deepEqual([proxy.listeners, proxy.admin], [[], null])
      const { seen, ended } = follow(proxy)
      void ended.then(() => events.push(...seen.map(({ type }) => type)))
      await Promise.all([proxy.start(), proxy.start()])
      const [listener] = proxy.listeners
      assert.deepEqual([listener?.name, listener?.host, listener?.socketPath], ['default', '', null])
      assert.equal((await ask(portOf(proxy))).body, 'GET /')
      await until('it is counted', () => proxy.status().backends[0]?.requests === 1)
      assert.equal(proxy.status().workers.length, Math.max(1, workers))
    }
    await until('the events have ended', () => events.at(-1) === 'closed')
    assert.deepEqual(
      events.filter((type) => type !== 'backend_up'),
      ['draining', 'closed'],
    )
  })
}

leakTest('two in one process do not know of each other', async (scope) => {
  const [red, blue] = [await acting(scope, 'red'), await acting(scope, 'blue')]
  const one = await started(scope, { backends: [red.url], admin_port: 0 })
  const other = await started(scope, { backends: [blue.url], admin_port: 0 })
  assert.notEqual(one.admin?.port, other.admin?.port)
  await other.backends.update({ url: blue.url, weight: 7 })
  for (const [proxy, name] of [
    [one, 'red'],
    [other, 'blue'],
  ] as const) {
    assert.equal((await ask(portOf(proxy))).headers['x-backend'], name)
    const status = await ask(proxy.admin!.port, { path: '/status' })
    assert.equal((JSON.parse(status.body) as { backends: unknown[] }).backends.length, 1)
  }
  await one.close()
  assert.equal((await ask(portOf(other))).headers['x-backend'], 'blue')
  assert.deepEqual(
    other.status().backends.map(({ weight }) => weight),
    [7],
  )
})

leakTest('apply: another configuration whole, or nothing of it, and why', async (scope) => {
  const [red, blue] = [await acting(scope, 'red'), await acting(scope, 'blue')]
  const config: FrontdeskConfig = { listeners: loopback, ...quiet, backends: [red.url] }
  const proxy = await started(scope, config)
  const { seen } = follow(proxy)
  const client = scope.use(await RawClient.open(portOf(proxy)))
  client.write(get('/', { 'x-act-hold': 'it' }))
  await until('a request is in flight', () => red.active === 1)

  const { revision, changes, refused } = await proxy.apply({ ...config, backends: [blue.url] })
  assert.deepEqual(changes, [`pool default: added ${blue.url}`, `pool default: removed ${red.url}`])
  assert.deepEqual([revision, refused], [proxy.status().revision, []])
  assert.equal((await ask(portOf(proxy))).headers['x-backend'], 'blue')
  red.release('it')
  assert.equal((await client.reply()).status, 200)
  await until('it is told', () => ofType(seen, 'config_applied').length === 1)
  assert.deepEqual(ofType(seen, 'config_applied')[0]?.changes, changes)

  const invalid = await refusal(proxy.apply({ ...config, strategy: 'fastest' as 'first' }))
  assert.ok(invalid instanceof ConfigError && invalid instanceof FrontdeskError)
  assert.deepEqual([invalid.code, invalid.problems.map(({ path }) => path)], ['invalid-config', ['strategy']])
  const rehearsed = await proxy.apply({ ...config, strategy: 'first' }, { dryRun: true })
  assert.deepEqual(rehearsed.changes.slice(0, 1), ['pool default: strategy round-robin → first'])
  assert.equal(rehearsed.plan.steps[0]?.kind, 'pool')
  const restart = await refusal(proxy.apply({ ...config, state_file: join(tmpdir(), 'another.json') }))
  assert.ok(restart instanceof NeedsRestartError)
  assert.deepEqual([restart.code, restart.keys], ['needs-restart', ['state_file']])
  assert.deepEqual(proxy.status().revision, revision)
  assert.equal((await ask(portOf(proxy))).headers['x-backend'], 'blue')

  const back = await proxy.rollback()
  assert.deepEqual(back.changes, [`pool default: added ${red.url}`, `pool default: removed ${blue.url}`])
  assert.equal((await ask(portOf(proxy))).headers['x-backend'], 'red')
  assert.deepEqual(
    proxy.history().map(({ revision: n, by, cause }) => [n, by, cause]),
    [
      [3, 'program', 'rollback to 1'],
      [2, 'program', 'apply'],
      [1, 'start', 'start'],
    ],
  )
  assert.equal((proxy.config().pools as { default: { strategy: string } }).default.strategy, 'round-robin')
})

leakTest('what is no configuration, no backend and no time is refused as such', async (scope) => {
  for (const config of [undefined, null, 'config.json', [], () => ({})]) {
    const error = await refusal(createFrontdesk(config as never))
    assert.equal(error.message, 'configuration: the configuration must be one object; write { … }', String(config))
  }
  // The number of a file that is open: who reads it waits for the terminal.
  const numbered = await refusal(createFrontdesk({ file: 0 } as never))
  assert.match(String(numbered.message), /^configuration: file: unknown key/)
  const proxy = await started(scope, { backends: ['http://127.0.0.1:1'] })
  const { add, drain, remove, update } = proxy.backends as unknown as Record<string, (at: unknown) => Promise<unknown>>
  for (const call of [add, drain, remove, update]) {
    for (const at of [undefined, null, 5]) {
      const error = await refusal(call!(at))
      assert.ok(error instanceof ControlError && error.code === 'invalid', String(error))
    }
  }
  for (const graceMs of [-1, Number.NaN, '1s', null]) {
    assert.ok((await refusal(proxy.close({ graceMs } as never))) instanceof RangeError, String(graceMs))
  }
  assert.equal(proxy.status().draining, false)
})

leakTest('backends: the calls of the admin API, with its rules, its answers and its refusals', async (scope) => {
  const [red, blue] = [await acting(scope, 'red'), await acting(scope, 'blue')]
  const proxy = await started(scope, { backends: [red.url], admin_port: 0 })
  const { seen } = follow(proxy)
  const added = await proxy.backends.add({ url: `${blue.url.toUpperCase()}/`, weight: 3 })
  assert.deepEqual([added.url, added.weight, added.pool, added.state], [blue.url, 3, 'default', 'unknown'])
  assert.deepEqual(await proxy.backends.list(), JSON.parse((await ask(proxy.admin!.port, { path: '/backends' })).body))
  const drained = await proxy.backends.drain(red.url)
  assert.equal(drained.state, 'draining')
  assert.equal((await ask(portOf(proxy))).headers['x-backend'], 'blue')
  assert.equal((await proxy.backends.update({ url: red.url, state: 'up', max_connections: 5 })).max_connections, 5)

  const client = scope.use(await RawClient.open(portOf(proxy)))
  await proxy.backends.drain({ url: blue.url, pool: 'default' })
  client.write(get('/', { 'x-act-hold': 'it' }))
  await until('a request is in flight', () => red.active === 1)
  const leaving = await proxy.backends.remove(red.url)
  assert.deepEqual([leaving.state, leaving.drained_connections, leaving.cut_connections], ['draining', 1, 0])
  const waited = proxy.backends.remove({ url: red.url, wait: true, drain: 30 })
  red.release('it')
  assert.deepEqual([(await waited).state, (await waited).cut_connections], ['removed', 0])
  assert.equal((await client.reply()).status, 200)

  const refused = [
    [proxy.backends.add(blue.url), 'duplicate', 'url'],
    [proxy.backends.add('ftp://x'), 'invalid', 'url'],
    [proxy.backends.add('http://x', { waitMs: Number.NaN }), 'invalid', 'waitMs'],
    [proxy.backends.add('http://x', { waitMs: '5s' as never }), 'invalid', 'waitMs'],
    [proxy.backends.add({ url: 'http://x', pool: 'nowhere' }), 'not-found', 'pool'],
    [proxy.backends.update({ url: blue.url, weight: 0 }), 'invalid', 'weight'],
    [proxy.backends.update({ url: blue.url, wieght: 1 } as never), 'invalid', 'wieght'],
    [proxy.backends.remove(red.url), 'not-found', 'url'],
    [proxy.backends.remove({ url: blue.url, drain: 'soon' }), 'invalid', 'drain'],
  ] as const
  for (const [call, code, path] of refused) {
    const error = await refusal(call)
    assert.ok(error instanceof ControlError && error instanceof FrontdeskError, String(error))
    assert.deepEqual([error.code, error.errors.map((one) => one.path)], [code, [path]])
  }
  const type = (one: FrontdeskEvent): boolean => /^backend_(added|updated|removed)/.test(one.type)
  await until('all is told', () => seen.filter(type).length === 5)
  assert.deepEqual(
    seen.filter(type).map((event) => [event.type, 'backend' in event && event.backend]),
    [
      ['backend_added', blue.url],
      ['backend_updated', red.url],
      ['backend_updated', red.url],
      ['backend_updated', blue.url],
      ['backend_removed', red.url],
    ],
  )
  const [, taken] = ofType(seen, 'backend_updated')
  assert.deepEqual([taken?.state, taken?.maxConnections, taken?.weight], ['up', 5, 1])
  assert.equal(ofType(seen, 'backend_removed')[0]?.inFlight, 1)
})

leakTest('events: a backend goes down and comes back, each with its cause; problems are told', async (scope) => {
  const proxy = await made(scope, {
    listeners: loopback,
    pools: {
      default: {
        backends: [`http://127.0.0.1:${await refusingPort()}`],
        health_check: { interval: '20ms', fall: 1 },
      },
    },
  })
  const { seen } = follow(proxy)
  await proxy.start()
  await until('it is down', () => ofType(seen, 'backend_down').length === 1)
  const [down] = ofType(seen, 'backend_down')
  assert.deepEqual([down?.pool, down?.was, down?.at instanceof Date], ['default', 'unknown', true])
  assert.match(down!.cause, /refused/i)
  const server = createServer((socket) => socket.destroy()).listen(Number(new URL(down!.backend).port), '127.0.0.1')
  scope.use(server)
  await until('it is up', () => ofType(seen, 'backend_up').length === 1)
  const [up] = ofType(seen, 'backend_up')
  assert.deepEqual([up?.was, up?.backend], ['down', down?.backend])
  assert.ok(up!.afterMs > 0)
  assert.deepEqual(ofType(seen, 'problem'), [])
})

leakTest('a start that fails says where, leaves nothing behind and may be tried again', async (scope) => {
  const backend = await acting(scope)
  for (const workers of [0, 2]) {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const log: LogEvent[] = []
    const listeners = [...loopback, { name: 'taken', listen: `127.0.0.1:${port}` }]
    const config = { ...quiet, listeners, backends: [backend.url], workers }
    const proxy = await made(scope, config, { log: (event) => log.push(event) })
    const error = await refusal(proxy.start())
    assert.ok(error instanceof ListenError && error instanceof FrontdeskError)
    assert.deepEqual([error.code, error.host, error.port], ['EADDRINUSE', '127.0.0.1', port])
    assert.deepEqual([proxy.listeners, log], [[], []])
    assert.throws(() => proxy.status(), { code: 'not-started' })
    server.close()
    await once(server, 'close')
    await proxy.start()
    assert.equal((await ask(port)).status, 200)
  }
  const server = scope.use(createServer().listen(0, '127.0.0.1'))
  await once(server, 'listening')
  const admin = { listen: `127.0.0.1:${(server.address() as AddressInfo).port}` }
  const blocked = await made(scope, { ...quiet, listeners: loopback, backends: [backend.url], admin })
  assert.equal((await refusal(blocked.start())).code, 'EADDRINUSE')
})

leakTest('close: what is open may finish; a shorter time cuts it; nothing begins any more', async (scope) => {
  const backend = await acting(scope)
  const proxy = await started(scope, { backends: [backend.url] })
  const { seen, ended } = follow(proxy)
  const [first, second] = [
    scope.use(await RawClient.open(portOf(proxy))),
    scope.use(await RawClient.open(portOf(proxy))),
  ]
  first.write(get('/', { 'x-act-hold': 'first' }))
  second.write(get('/', { 'x-act-hold': 'second' }))
  await until('two requests are in flight', () => backend.active === 2)
  const closing = proxy.close()
  assert.equal((await refusal(proxy.start())).code, 'closed')
  await until('it is told', () => seen.length === 1)
  assert.equal(proxy.status().draining, true)
  backend.release('first')
  assert.equal((await first.reply()).status, 200)
  assert.equal(await proxy.close({ graceMs: 10 }), 'grace-expired')
  assert.equal(await closing, 'grace-expired')
  assert.equal((await second.read()).kind, 'closed')
  assert.deepEqual(
    (await ended).map((event) => [
      event.type,
      'graceMs' in event ? event.graceMs : 'outcome' in event && event.outcome,
    ]),
    [
      ['draining', 30_000],
      ['closed', 'grace-expired'],
    ],
  )
  assert.equal(await proxy.close(), 'grace-expired')
  for (const call of [proxy.apply({ backends: [backend.url] }), proxy.backends.list(), proxy.start()]) {
    assert.equal((await refusal(call)).code, 'closed')
  }
  assert.throws(() => proxy.status(), { code: 'closed' })
  assert.deepEqual(await proxy.events().next(), { value: undefined, done: true })
  backend.release('second')
})

leakTest('close before, or in the middle of, a start', async (scope) => {
  const backend = await acting(scope)
  const never = await made(scope, { port: 0, backends: [backend.url] })
  const { ended } = follow(never)
  await assert.rejects(never.close({ graceMs: -1 }), RangeError)
  assert.equal(await never.close(), 'drained')
  assert.deepEqual(
    (await ended).map(({ type }) => type),
    ['closed'],
  )
  const early = await made(scope, { listeners: loopback, ...quiet, backends: [backend.url], workers: 1 })
  const starting = early.start()
  assert.equal(await early.close(), 'drained')
  await starting
  assert.equal((await ask(portOf(early))).error, 'ECONNREFUSED')
})

leakTest('a stop by the admin API is told, and leaves nothing open', async (scope) => {
  const backend = await acting(scope)
  const proxy = await started(scope, { backends: [backend.url], admin_port: 0 })
  const { ended } = follow(proxy)
  assert.equal((await ask(proxy.admin!.port, { method: 'POST', path: '/stop' })).status, 202)
  const [draining, closed] = await ended
  assert.deepEqual([draining?.type, draining?.type === 'draining' && draining.cause], ['draining', 'admin API'])
  assert.equal(closed?.type, 'closed')
  assert.equal(await proxy.close(), 'drained')
})

leakTest('the log is a function of the program, from its level up; what it throws hurts nobody', async (scope) => {
  const backend = await acting(scope)
  const events: LogEvent[] = []
  const log = (event: LogEvent): void => {
    events.push(event)
    throw new Error('the program has a mistake')
  }
  const unused = { pools: { other: { backends: ['http://127.0.0.1:1'], health_check: { method: 'none' } } } } as const
  const proxy = await started(scope, { backends: [backend.url], ...unused }, { log })
  await proxy.backends.add('http://127.0.0.1:2')
  await proxy.close()
  assert.deepEqual(
    events.map(({ level, name }) => `${level} ${name}`),
    ['warn configuration', 'info backend_changed', 'info draining'],
  )
  assert.match(events[1]!.message, /added \(program, pool default, revision 2\)/)
  const silent: LogEvent[] = []
  const strict = { logging: { level: 'error' }, ...unused } as const
  await (await started(scope, { backends: [backend.url], ...strict }, { log: (event) => silent.push(event) })).close()
  assert.deepEqual(silent, [])
  const later = async (): Promise<void> => Promise.reject(new Error('the program has a mistake'))
  await (await started(scope, { backends: [backend.url] }, { log: () => later() })).close()
})

leakTest('a file: in the main thread unless it says otherwise, read again when it is asked for', async (scope) => {
  const [red, blue] = [await acting(scope, 'red'), await acting(scope, 'blue')]
  const file = join(folder(scope.t), 'config.json')
  const write = (url: string): void =>
    writeFileSync(
      file,
      JSON.stringify({ listeners: loopback, ...quiet, backends: [url], admin: { listen: '127.0.0.1:0' } }),
    )
  write(red.url)
  const proxy = await createFrontdesk({ file })
  scope.defer(() => proxy.close({ graceMs: 0 }))
  await proxy.start()
  assert.deepEqual(
    proxy.status().workers.map(({ main }) => main),
    [true],
  )
  write(blue.url)
  assert.equal((await ask(proxy.admin!.port, { method: 'POST', path: '/reload' })).status, 200)
  assert.equal((await ask(portOf(proxy))).headers['x-backend'], 'blue')
  write(red.url)
  assert.equal((await proxy.apply({ file })).changes.length, 2)
  writeFileSync(file, '{ "backends": [], }')
  const error = await refusal(createFrontdesk({ file }))
  assert.ok(error instanceof ConfigError)
  assert.deepEqual([error.problems[0]?.file, error.problems[0]?.line], [file, 1])
  assert.equal((await refusal(createFrontdesk({ file, port: 1 } as never))).code, 'invalid-config')
})

leakTest(
  'functions in the configuration run in the main thread, and with workers are refused by name',
  async (scope) => {
    const backend = await acting(scope)
    const config: FrontdeskConfig = {
      backends: [backend.url],
      routes: [
        { use: [{ onRequest: ({ path }) => ({ status: 418, body: path }) }], match: { path: '/own' }, pool: 'default' },
      ],
    }
    const proxy = await started(scope, config)
    const answer = await ask(portOf(proxy), { path: '/own' })
    assert.deepEqual([answer.status, answer.body], [418, '/own'])
    assert.equal((await ask(portOf(proxy))).status, 200)
    const error = await refusal(createFrontdesk({ ...config, workers: 1 }))
    assert.ok(error instanceof ConfigError)
    assert.deepEqual(
      error.problems.map(({ path }) => path),
      ['workers'],
    )
  },
)
