// The configuration changes while traffic flows: what is open stays open, whoever asks for the change and however.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { ask, steadyLoad } from '../support/load.ts'
import { folder, Program, writeConfig } from '../support/program.ts'
import { until, within } from '../support/wait.ts'

interface Changed {
  readonly revision: number
  readonly changes: string[]
  readonly plan: { readonly touched_connections: number }
}

async function backends(t: TestContext, ...names: string[]): Promise<ActingBackend[]> {
  const started = await Promise.all(names.map((name) => startActingBackend({ name })))
  t.after(() => Promise.all(started.map((backend) => backend.close())))
  return started
}

async function call<T = Record<string, unknown>>(
  program: Program,
  method: string,
  path: string,
  body?: unknown,
  expected = 200,
): Promise<T> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const answer = await fetch(`http://127.0.0.1:${program.adminPort}${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  assert.equal(answer.status, expected, `${method} ${path}: ${text}`)
  return JSON.parse(text) as T
}

/** An upgraded connection through the proxy, as WebSockets have it, that can be asked whether it lives. */
class Talk {
  readonly #socket: Socket
  readonly closed: Promise<unknown>
  #heard = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => socket.on('close', resolve))
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#heard += text
    })
    socket.on('error', () => {})
  }

  static async open(t: TestContext, port: number): Promise<Talk> {
    const talk = new Talk(connect(port, '127.0.0.1'))
    t.after(() => talk.#socket.destroy())
    talk.#socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await until('the upgrade', () => /^HTTP\/1\.1 101 .*\r\n\r\n/s.test(talk.#heard))
    return talk
  }

  get isClosed(): boolean {
    return this.#socket.closed
  }

  async echoes(text: string): Promise<void> {
    this.#heard = ''
    this.#socket.write(text)
    await until(`the echo of ${text}`, () => this.#heard === text)
  }
}

test('a WebSocket and a steady load live through every way to change the configuration, and no request fails', async (t) => {
  const [a, b, c] = (await backends(t, 'a', 'b', 'c')) as [ActingBackend, ActingBackend, ActingBackend]
  const dir = folder(t)
  const file = { backends: [a.url, b.url] }
  writeConfig(dir, file)
  const program = await Program.start(t, dir)
  const talks = [await Talk.open(t, program.port), await Talk.open(t, program.port)]
  const running = steadyLoad(program.port, { connections: 4 })
  let last = 1
  const step = async (change: () => Promise<{ revision: number }>): Promise<void> => {
    const before = running.tally.answered
    await until('load is on', () => running.tally.answered > before + 20)
    const { revision } = await change()
    assert.equal(revision, ++last)
    for (const talk of talks) await talk.echoes(`revision ${revision}`)
  }
  await step(() => call<Changed>(program, 'PATCH', '/config', { strategy: 'least-conn', limits: { header_count: 60 } }))
  await step(() => call<Changed>(program, 'PATCH', '/config', { pools: { next: { backends: [c.url] } } }))
  await step(async () => {
    const route = { name: 'c', match: { path: '/c' }, pool: 'next' }
    return call<Changed>(program, 'PATCH', '/config', { routes: [route], backend_timeout: '4s' })
  })
  assert.equal((await ask(program.port, { path: '/c' })).headers['x-backend'], 'c')
  await step(async () => {
    const document = await call<Record<string, object>>(program, 'GET', '/config')
    const listeners = document.listeners as unknown as object[]
    // A port has to be named in a document: one that is free just now.
    const probe = createServer().listen(0)
    await once(probe, 'listening')
    const { port } = probe.address() as { port: number }
    probe.close()
    await once(probe, 'close')
    const put = { ...document, listeners: [...listeners, { name: 'more', listen: `127.0.0.1:${port}` }] }
    const changed = await call<Changed>(program, 'PUT', '/config', put)
    assert.equal((await ask(port)).status, 200)
    return changed
  })
  await step(async () => {
    writeConfig(dir, { ...file, trusted_proxies: ['10.0.0.0/8'] })
    return call<Changed>(program, 'POST', '/reload')
  })
  await step(async () => {
    await call(program, 'POST', '/backends', { url: c.url, pool: 'default', weight: 2 }, 201)
    return call(program, 'GET', '/status')
  })
  await step(async () => {
    writeConfig(dir, { ...file, trusted_proxies: [] })
    program.signal('SIGHUP')
    await program.event('reloaded', 2)
    return call(program, 'GET', '/status')
  })
  await step(() => call<Changed>(program, 'POST', '/config/rollback', { revision: 3 }))
  assert.equal((await ask(program.port, { path: '/c' })).headers['x-backend'] === undefined, false)
  const { answered, failures } = await running.stop()
  assert.deepEqual(failures, [])
  assert.ok(answered > 100)
  assert.deepEqual(
    talks.map(({ isClosed }) => isClosed),
    [false, false],
  )
})

test('a drain with an end keeps what is bound until then, closes it, and is back with "up"', async (t) => {
  const [a, b] = (await backends(t, 'a', 'b')) as [ActingBackend, ActingBackend]
  const dir = folder(t)
  writeConfig(dir, { backends: [a.url] })
  const program = await Program.start(t, dir)
  const talk = await Talk.open(t, program.port)
  await call(program, 'POST', '/backends?wait=10s', { url: b.url }, 201)
  const drained = await call<{ state: string; drain_ends_at: string }>(program, 'PATCH', '/backends', {
    url: a.url,
    state: 'drain',
    drain: '2s',
  })
  assert.equal(drained.state, 'draining')
  await talk.echoes('still here')
  for (let i = 0; i < 4; i++) assert.equal((await ask(program.port)).headers['x-backend'], 'b')
  await within('the end of the drain', talk.closed, 10_000)
  assert.ok(Date.now() >= Date.parse(drained.drain_ends_at))
  assert.equal((await program.event('backend_drained')).cut, 1)
  await call(program, 'PATCH', '/backends', { url: a.url, state: 'up' })
  const seen = new Set<unknown>()
  for (let i = 0; i < 4; i++) seen.add((await ask(program.port)).headers['x-backend'])
  assert.deepEqual([...seen].sort(), ['a', 'b'])
})

test('what was changed is in force again after a restart, and the plan says which side wins', async (t) => {
  const [a, b] = (await backends(t, 'a', 'b')) as [ActingBackend, ActingBackend]
  const dir = folder(t)
  writeConfig(dir, { backends: [a.url, b.url] })
  const first = await Program.start(t, dir, { workers: 1 })
  await call(first, 'PATCH', '/config', { strategy: 'first', workers: 2 })
  await call(first, 'PATCH', '/backends', { url: a.url, state: 'disabled' })
  first.signal('SIGTERM')
  await first.ended()
  const second = await Program.start(t, dir, { workers: 1 })
  const status = await call<{ revision: number; workers: object[] }>(second, 'GET', '/status')
  assert.deepEqual([status.revision, status.workers.length], [3, 2])
  assert.equal((await ask(second.port)).headers['x-backend'], 'b')
  writeConfig(dir, { backends: [a.url, b.url], strategy: 'random' })
  const reloaded = await call<{ plan: { conflicts: { path: string; wins: string }[] } }>(second, 'POST', '/reload')
  assert.deepEqual(
    reloaded.plan.conflicts.map(({ path, wins }) => [path, wins]),
    [['pools.default.strategy', 'file']],
  )
})
