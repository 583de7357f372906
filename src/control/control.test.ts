import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { FakePort, MemoryLog, SilentListener } from '../../test/support/control-kit.ts'
import { refusingPort } from '../../test/support/ports.ts'
import { until, within } from '../../test/support/wait.ts'
import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { Control } from './control.ts'
import type { BackendStatus, StatusDocument } from './status.ts'

interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
  /** The body parsed; tests look into it freely. */
  json<T = Record<string, unknown>>(): T
}

describe('Control and its admin API', () => {
  let folder: string
  let port: FakePort
  let control: Control
  let log: MemoryLog
  let alive: SilentListener
  let count = 0
  let statePath: string
  const a = (): string => `http://127.0.0.1:${alive.port}`
  const c = 'http://127.0.0.3:1'

  const loadedOf = (over: Record<string, unknown> = {}): LoadedConfig => {
    const file = {
      admin: { listen: '127.0.0.1:0' },
      state_file: statePath,
      backends: [a(), 'http://127.0.0.2:1'],
      ...over,
    }
    return loadConfig({ path: join(folder, 'config.json'), text: JSON.stringify(file), allowAnyPort: true })
  }
  const start = async (over: Record<string, unknown> = {}, configPath: string | null = null): Promise<void> => {
    log = new MemoryLog()
    control = await Control.create({ port, loaded: { ...loadedOf(over), path: configPath }, log })
    await control.start()
  }
  const call = async (
    method: string,
    path: string,
    o: { body?: unknown; raw?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const payload = o.raw ?? (o.body === undefined ? undefined : JSON.stringify(o.body))
    const length =
      'transfer-encoding' in (o.headers ?? {}) ? {} : { 'content-length': Buffer.byteLength(payload ?? '') }
    const typed = payload === undefined ? {} : { 'content-type': 'application/json', ...length }
    const headers = { ...typed, ...o.headers }
    const outgoing = request({ ...control.adminAddress(), method, path, headers, agent: false })
    outgoing.end(payload)
    const [response] = await within(`${method} ${path}`, once(outgoing, 'response'))
    const body = await text(response)
    return { status: response.statusCode, headers: response.headers, text: body, json: () => JSON.parse(body) }
  }
  const urls = async (): Promise<string[]> =>
    (await call('GET', '/backends')).json<BackendStatus[]>().map((backend) => backend.url)
  const slotOf = (url: string): number =>
    control.snapshot.pools[0]!.backends.find((backend) => backend.url === url)!.slot

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'frontdesk-control-'))
    alive = await SilentListener.start()
  })
  after(async () => {
    await alive.stop()
    await rm(folder, { recursive: true })
  })
  beforeEach(() => {
    statePath = join(folder, `${(count += 1)}.json`)
    port = new FakePort(32)
  })
  afterEach(() => control.close())

  it('shows the status, the names of the family first', async () => {
    await start()
    await log.waitFor('backend_up')
    await log.waitFor('backend_down')
    port.worker.enter(0, 0)
    const answer = await call('GET', '/status')
    assert.equal(answer.status, 200)
    const status = answer.json<StatusDocument>()
    assert.deepEqual(Object.keys(status).slice(0, 3), ['total_backends', 'active_backends', 'backends'])
    assert.deepEqual(Object.keys(status.backends[0]!).slice(0, 3), ['url', 'alive', 'current_connections'])
    assert.deepEqual([status.total_backends, status.active_backends], [2, 1])
    const [first, second] = status.backends
    assert.deepEqual([first?.url, first?.alive, first?.state, first?.current_connections], [a(), true, 'up', 1])
    assert.deepEqual([second?.alive, second?.state, second?.last_check?.ok], [false, 'down', false])
    assert.equal(second?.last_check?.reason, 'connection refused (ECONNREFUSED)')
    assert.deepEqual(first?.latency_ms, { p50: null, p99: null })
    assert.deepEqual([status.revision, status.version, status.workers.length], [1, port.version, 1])
    port.worker.leave(0)
  })

  it('adds a backend: 201, checked at once, in every worker, after a restart too', async () => {
    await start()
    const dead = `http://127.0.0.1:${await refusingPort()}`
    const answer = await call('POST', '/backends', {
      body: { url: `${dead.toUpperCase()}/`, weight: 2, max_connections: 7 },
    })
    assert.equal(answer.status, 201)
    const made = answer.json<BackendStatus>()
    assert.deepEqual([made.url, made.weight, made.max_connections, made.pool], [dead, 2, 7, 'default'])
    assert.equal(port.applied.at(-1)?.pools[0]?.backends[2]?.url, dead)
    await until('it is known to be down', () => control.status().backends[2]?.state === 'down')
    const again = await call('POST', '/backends', { body: { url: dead } })
    assert.equal(again.status, 409)
    assert.equal(again.headers['content-type'], 'application/problem+json')
    assert.equal(again.json<{ errors: { path: string }[] }>().errors[0]?.path, 'url')
    await control.close()
    port = new FakePort(32)
    await start()
    assert.deepEqual(await urls(), [a(), 'http://127.0.0.2:1', dead])
    assert.match(log.named('state_restored')[0]!.message, /1 added/)
  })

  it('refuses the state file of a configuration of another name, and takes an older one as it is', async () => {
    await start()
    await call('POST', '/backends', { body: { url: c } })
    await control.close()
    // Written without a name: taken, and from the next change on it has one.
    await start({}, '/etc/one.json')
    assert.equal((await urls()).at(-1), c)
    await call('PATCH', '/backends', { body: { url: c, weight: 2 } })
    await control.close()
    const before = await readFile(statePath, 'utf8')
    await assert.rejects(start({}, '/etc/two.json'), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, /^\/etc\/two\.json: state_file: .*made to one\.json, not to two\.json/)
      assert.ok(error.message.includes(statePath))
      return true
    })
    assert.equal(await readFile(statePath, 'utf8'), before)
    // The folder is not part of the name, and a run without a file keeps whose it is.
    await start({}, 'elsewhere/one.json')
    await control.close()
    await start()
    await call('PATCH', '/backends', { body: { url: c, weight: 3 } })
    await control.close()
    await assert.rejects(start({}, '/etc/two.json'), ConfigError)
  })

  it('leaves a line in the log for each change', async () => {
    await start()
    await call('POST', '/backends', { body: { url: c } })
    await call('PATCH', '/backends', { body: { url: c, weight: 3, max_connections: 8 } })
    for (const state of ['drain', 'disabled', 'up']) await call('PATCH', '/backends', { body: { url: c, state } })
    await call('PATCH', '/backends', { body: { url: c, state: 'up' } })
    await call('DELETE', '/backends', { body: { url: c } })
    await call('DELETE', '/backends', { body: { url: c } })
    assert.deepEqual(
      log.named('backend_changed').map(({ level, message }) => `${level} ${message}`),
      [
        'added (admin API (127.0.0.1), revision 2)',
        'weight 1 → 3, max_connections 0 → 8 (admin API (127.0.0.1), revision 3)',
        'drained (admin API (127.0.0.1), revision 4)',
        'disabled (admin API (127.0.0.1), revision 5)',
        'enabled (admin API (127.0.0.1), revision 6)',
        'removed (admin API (127.0.0.1), revision 7)',
      ].map((rest) => `info backend ${c} ${rest}`),
    )
  })

  it('asks about the backend that was probably meant', async () => {
    const known = ['http://127.0.0.1:8082', 'http://10.0.0.7:80/app', 'http://[::1]:9000']
    await start({ backends: known })
    const detail = async (url: string): Promise<string> => {
      const answer = await call('PATCH', '/backends', { body: { url, weight: 2 } })
      assert.equal(answer.status, 404)
      return answer.json<{ detail: string }>().detail
    }
    const asked = (url: string, meant: string): string => `${url} is not a backend of any pool; did you mean ${meant}?`
    assert.equal(await detail('http://localhost:8082'), asked('http://localhost:8082', known[0]!))
    assert.equal(await detail('http://localhost:9000'), asked('http://localhost:9000', known[2]!))
    assert.equal(await detail('http://10.0.0.7/ap'), asked('http://10.0.0.7/ap', 'http://10.0.0.7/app'))
    assert.match(await detail('http://far.example:1'), /of any pool; known: http:\/\/127\.0\.0\.1:8082, /)
  })

  it('answers two adds of the same at once with one 201 and one 409', async () => {
    await start()
    const both = await Promise.all([1, 2].map(() => call('POST', '/backends', { body: { url: c } })))
    assert.deepEqual(both.map(({ status }) => status).sort(), [201, 409])
  })

  it('removes: 200 at once, 202 while something is open, and takes it back', async () => {
    await start()
    const idle = await call('DELETE', `/backends?url=${encodeURIComponent('http://127.0.0.2:1')}`)
    assert.equal(idle.status, 200)
    assert.deepEqual(idle.json(), {
      message: 'http://127.0.0.2:1 is removed',
      url: 'http://127.0.0.2:1',
      pool: 'default',
      drained_connections: 0,
      cut_connections: 0,
      state: 'removed',
    })
    port.worker.enter(slotOf(a()), 0)
    const busy = await call('DELETE', '/backends', { body: { url: a(), drain: '1h' } })
    assert.equal(busy.status, 202)
    assert.deepEqual([busy.json().state, busy.json().drained_connections], ['draining', 1])
    const [left] = (await call('GET', '/backends')).json<BackendStatus[]>()
    assert.deepEqual([left?.url, left?.state, left?.alive], [a(), 'draining', false])
    assert.equal((await call('POST', '/backends', { body: { url: a() } })).status, 201)
    assert.deepEqual(await urls(), [a()])
    port.worker.leave(slotOf(a()))
    assert.equal((await call('DELETE', '/backends', { body: { url: c } })).status, 404)
  })

  it('waits for the drain when asked to', async () => {
    await start()
    const slot = slotOf(a())
    port.worker.enter(slot, 0)
    port.worker.enter(slot, 0)
    const waiting = call('DELETE', '/backends?wait=1', { body: { url: a() } })
    await until('it drains', () => control.status().backends.some(({ state }) => state === 'draining'))
    port.worker.leave(slot)
    port.worker.leave(slot)
    const answer = await waiting
    assert.equal(answer.status, 200)
    assert.deepEqual([answer.json().drained_connections, answer.json().state], [2, 'removed'])
  })

  it('changes weight, limit and state', async () => {
    await start()
    const patch = (body: object) => call('PATCH', '/backends', { body: { url: a(), ...body } })
    const changed = (await patch({ weight: 9, max_connections: 3, backup: true })).json<BackendStatus>()
    assert.deepEqual([changed.weight, changed.max_connections, changed.backup], [9, 3, true])
    assert.equal((await patch({ state: 'drain' })).json().state, 'draining')
    assert.equal((await patch({ state: 'disabled' })).json().state, 'disabled')
    assert.equal(port.state.isAvailable(slotOf(a())), false)
    assert.ok(['unknown', 'up'].includes(String((await patch({ state: 'up' })).json().state)))
    assert.equal(port.applied.at(-1)?.pools[0]?.backends[0]?.weight, 9)
  })

  it('names the field of whatever is wrong', async () => {
    await start()
    const cases: [string, string, object | string, number, string][] = [
      ['POST', '/backends', {}, 400, 'url'],
      ['POST', '/backends', { url: 'ftp://x' }, 400, 'url'],
      ['POST', '/backends', { url: 7 }, 400, 'url'],
      ['POST', '/backends', { url: c, weight: 0 }, 400, 'weight'],
      ['POST', '/backends', { url: c, weight: 'much' }, 400, 'weight'],
      ['POST', '/backends', { url: c, max_connections: -1 }, 400, 'max_connections'],
      ['POST', '/backends', { url: c, wieght: 2 }, 400, 'wieght'],
      ['POST', '/backends', { url: c, pool: 'nowhere' }, 404, 'pool'],
      ['POST', '/backends', '{"url": ', 400, ''],
      ['POST', '/backends', '[]', 400, ''],
      ['POST', '/backends', 'null', 400, ''],
      ['PATCH', '/backends', { url: a(), state: 'asleep' }, 400, 'state'],
      ['PATCH', '/backends', { url: c, weight: 2 }, 404, 'url'],
      ['DELETE', '/backends', {}, 400, 'url'],
      ['DELETE', '/backends?wait=maybe', { url: a() }, 400, 'wait'],
      ['DELETE', `/backends?url=${c}`, { url: a() }, 400, 'url'],
      ['DELETE', '/backends', { url: a(), drain: 'soon' }, 400, 'drain'],
    ]
    for (const [method, path, body, status, field] of cases) {
      const given = typeof body === 'string' ? { raw: body } : { body }
      const answer = await call(method, path, given)
      const what = `${method} ${path} ${JSON.stringify(body)}: ${answer.text}`
      assert.equal(answer.status, status, what)
      assert.equal(answer.headers['content-type'], 'application/problem+json', what)
      const problem = answer.json<{ status: number; errors: { path: string; message: string }[] }>()
      assert.equal(problem.status, status, what)
      assert.ok(problem.errors[0]?.path === field && problem.errors[0].message !== '', what)
    }
    assert.deepEqual([control.status().revision, control.status().total_backends], [1, 2])
  })

  it('refuses other methods, other kinds of body and bodies that are too large', async () => {
    await start()
    const put = await call('PUT', '/backends', { body: {} })
    assert.deepEqual([put.status, put.headers.allow], [405, 'GET, HEAD, POST, PATCH, DELETE'])
    assert.equal((await call('POST', '/status')).status, 405)
    assert.equal((await call('OPTIONS', '/openapi.json')).status, 405)
    assert.equal((await call('GET', '/nothing')).status, 404)
    assert.equal((await call('HEAD', '/status')).status, 200)
    const form = { raw: `url=${c}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } }
    assert.equal((await call('POST', '/backends', form)).status, 415)
    const long = JSON.stringify({ url: c, pool: 'x'.repeat(70_000) })
    assert.equal((await call('POST', '/backends', { raw: long })).status, 413)
    const chunked = { 'transfer-encoding': 'chunked' }
    assert.equal((await call('POST', '/backends', { raw: long, headers: chunked })).status, 413)
    assert.equal(control.status().total_backends, 2)
    assert.equal((await call('POST', '/backends', { body: { url: c }, headers: chunked })).status, 201)
  })

  it('is safe from DNS rebinding and from pages of other origins', async () => {
    await start()
    const { port: own } = control.adminAddress()!
    const status = async (headers: Record<string, string>) => (await call('GET', '/status', { headers })).status
    assert.equal(await status({ host: `localhost:${own}` }), 200)
    assert.equal(await status({ host: `[::1]:${own}` }), 200)
    assert.equal(await status({ host: `evil.example:${own}` }), 403)
    assert.equal(await status({ host: 'localhost.evil.example' }), 403)
    assert.equal(await status({ origin: `http://127.0.0.1:${own}` }), 200)
    assert.equal(await status({ origin: 'http://evil.example' }), 403)
    assert.equal(await status({ origin: 'null' }), 403)
    assert.equal(await status({ origin: `http://127.0.0.1:${own + 1}` }), 403)
    assert.equal(await status({ 'sec-fetch-site': 'cross-site' }), 403)
    const stop = await call('POST', '/stop', { headers: { origin: 'http://evil.example' } })
    assert.deepEqual([stop.status, port.stops], [403, 0])
  })

  it('wants the token where one is configured, except for the probes', async () => {
    await start({ admin: { listen: '127.0.0.1:0', token: 'a long secret' } })
    const status = async (path: string, authorization?: string) =>
      call('GET', path, authorization === undefined ? {} : { headers: { authorization } })
    const none = await status('/status')
    assert.deepEqual([none.status, none.headers['www-authenticate']], [401, 'Bearer realm="frontdesk admin"'])
    assert.equal((await status('/metrics', 'Bearer a long secre')).status, 401)
    assert.equal((await status('/status', 'Basic a long secret')).status, 401)
    assert.equal((await status('/status', 'Bearer a long secret')).status, 200)
    assert.equal((await status('/healthz')).status, 200)
    assert.equal((await status('/readyz')).status, 200)
    const named = await call('GET', '/readyz', { headers: { host: 'frontdesk-admin.internal' } })
    assert.equal(named.status, 200)
  })

  it('tells whether it is alive and ready', async () => {
    await start()
    const ready = async () => (await call('GET', '/readyz')).status
    assert.equal((await call('GET', '/healthz')).status, 200)
    assert.equal(await ready(), 200)
    port.workerInfo = [
      { id: 0, state: 'running', restarts: 0 },
      { id: 1, state: 'starting', restarts: 0 },
    ]
    assert.equal(await ready(), 503)
    port.workerInfo = [
      { id: 0, state: 'running', restarts: 0 },
      { id: 1, state: 'starting', restarts: 3 },
    ]
    assert.equal(await ready(), 200, 'one worker that is respawned does not take the others out')
    port.workerInfo = [{ id: 0, state: 'dead', restarts: 3 }]
    assert.equal(await ready(), 503)
    const stop = await call('POST', '/stop')
    assert.equal(stop.status, 202)
    await until('it was told to stop', () => port.stops === 1)
    assert.equal((await call('GET', '/readyz')).json().status, 'draining')
  })

  it('serves its own description and the schema of the configuration', async () => {
    await start()
    const document = (await call('GET', '/openapi.json')).json<{ openapi: string; paths: Record<string, object> }>()
    assert.match(document.openapi, /^3\.1/)
    assert.deepEqual(Object.keys(document.paths['/backends']!).sort(), ['delete', 'get', 'patch', 'post'])
    assert.ok('properties' in (await call('GET', '/schema.json')).json())
  })

  it('changes nothing when the disk is full, and says so', async () => {
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' })
    const disk = { readFile: () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOENT' })) }
    const fileSystem = { ...disk, open: () => Promise.reject(full), rename: async () => {}, unlink: async () => {} }
    log = new MemoryLog()
    control = await Control.create({ port, loaded: { ...loadedOf(), path: null }, log, fileSystem })
    await control.start()
    const answer = await call('POST', '/backends', { body: { url: c } })
    assert.equal(answer.status, 507)
    assert.match(answer.json<{ detail: string }>().detail, /ENOSPC.*Nothing was changed/)
    assert.equal((await urls()).length, 2)
    assert.equal(port.applied.length, 0)
  })

  it('keeps the sticky secret over a restart', async () => {
    await start({ sticky: { by: 'cookie' } })
    const secret = control.snapshot.pools[0]?.sticky?.secret
    assert.match(secret ?? '', /^[0-9a-f]{64}$/)
    await control.close()
    await start({ sticky: { by: 'cookie' } })
    assert.equal(control.snapshot.pools[0]?.sticky?.secret, secret)
  })

  it('reloads what differs in backends, or says what needs a restart and changes nothing', async () => {
    await start()
    await call('POST', '/backends', { body: { url: c } })
    const moved = await control.reload(loadedOf({ state_file: `${statePath}.other`, strategy: 'first' }))
    assert.deepEqual([moved.applied, !moved.applied && moved.needsRestart], [false, ['state_file']])
    assert.equal(control.status().revision, 2)
    assert.match((await call('GET', '/metrics')).text, /^frontdesk_config_last_reload_successful 0$/m)
    const result = await control.reload(loadedOf({ backends: [{ url: a(), weight: 4 }] }))
    assert.ok(result.applied)
    assert.deepEqual([result.revision, result.refused], [3, []])
    assert.deepEqual(result.changes, [`pool default: ${a()} weight 1 → 4`, 'pool default: removed http://127.0.0.2:1'])
    assert.deepEqual(await urls(), [a(), c])
    assert.match((await call('GET', '/metrics')).text, /^frontdesk_config_last_reload_successful 1$/m)
  })

  it('checks again at once when live traffic is refused', async () => {
    const other = await SilentListener.start()
    await start({ backends: [`http://127.0.0.1:${other.port}`] })
    await log.waitFor('backend_up')
    await other.stop()
    port.fail({ slot: 0, error: 'connect_refused', code: 'ECONNREFUSED', count: 1 })
    await log.waitFor('backend_down')
    assert.equal(control.status().active_backends, 0)
  })

  it('closes with a client connected', async () => {
    await start()
    const socket = connect(control.adminAddress()!)
    await once(socket, 'connect')
    await within('the close', control.close(), 2_000)
    socket.destroy()
  })
})
