// `frontdesk backends drain`, `disable`, `swap` and --save at a running Frontdesk.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, get, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { refusingPort } from '../support/ports.ts'
import { folder, Program, writeConfig } from '../support/program.ts'
import { CliProcess, cli, type Ended } from './cli-process.ts'

interface Row {
  readonly url: string
  readonly pool: string
  readonly state: string
  readonly weight: number
  readonly max_connections: number
}

interface BackendOptions {
  readonly healthy?: () => boolean
  /** Told of every request that is no health check. */
  readonly onRequest?: () => void
}

async function backend(t: TestContext, o: BackendOptions = {}): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url === '/slow') return
    if (request.url !== '/') o.onRequest?.()
    response.statusCode = o.healthy?.() === false ? 503 : 200
    response.end('ok')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

class Stand {
  readonly dir: string
  readonly program: Program
  readonly #t: TestContext

  static async start(t: TestContext, config: Record<string, unknown>): Promise<Stand> {
    const dir = folder(t)
    writeConfig(dir, config)
    return new Stand(t, dir, await Program.start(t, dir, { workers: 1 }))
  }

  constructor(t: TestContext, dir: string, program: Program) {
    this.#t = t
    this.dir = dir
    this.program = program
  }

  get options() {
    return { cwd: this.dir, env: { FRONTDESK_ADMIN: String(this.program.adminPort) } }
  }

  run(...args: readonly string[]): Promise<Ended> {
    return cli(this.#t, args, this.options)
  }

  async rows(): Promise<Row[]> {
    return JSON.parse((await this.run('backends', 'list', '--json')).stdout) as Row[]
  }
}

const checked = (urls: readonly unknown[]) => ({
  backends: urls,
  health_check_frequency: '200ms',
  health_check_method: 'http',
})

test('swap: the new one takes over with weight and limits of the old one, which drains', async (t) => {
  const [old, other, young] = [await backend(t), await backend(t), await backend(t)]
  const it = await Stand.start(t, checked([{ url: old, weight: 3, max_connections: 50 }, other]))
  const ended = await it.run('backends', 'swap', old, young, '--wait')
  assert.deepEqual([ended.code, ended.stderr.replace(/^waiting for .*\n/gm, '')], [0, ''])
  assert.match(ended.stdout, new RegExp(`^${young} serves in the place of ${old}, which is drained\n`))
  assert.match(ended.stdout, new RegExp(`back +"frontdesk backends swap ${young} ${old}"`))
  const rows = await it.rows()
  assert.deepEqual(
    rows.map(({ url, state, weight, max_connections: max }) => [url, state, weight, max]),
    [
      [old, 'draining', 3, 50],
      [other, 'up', 1, 0],
      [young, 'up', 3, 50],
    ],
  )
  // The way back that it has named.
  const back = await it.run('backends', 'swap', young, old, '--json')
  assert.equal(back.code, 0)
  const told = JSON.parse(back.stdout) as { old: Row; new: Row }
  assert.deepEqual([told.old.url, told.old.state, told.new.url, told.new.state], [young, 'draining', old, 'up'])
})

test('swap: a new one that does not come up is taken out again, and the old one serves on', async (t) => {
  const old = await backend(t)
  const it = await Stand.start(t, checked([old]))
  const dead = `http://127.0.0.1:${await refusingPort()}`
  const ended = await it.run('backends', 'swap', old, dead, '--timeout', '600ms')
  assert.deepEqual([ended.code, ended.stdout], [1, ''])
  assert.match(
    ended.stderr,
    new RegExp(
      `frontdesk: ${dead} did not come up \\(down: connection refused \\(ECONNREFUSED\\)\\); ${old} serves as before\n`,
    ),
  )
  const rows = await it.rows()
  assert.deepEqual(
    rows.filter(({ state }) => state !== 'draining').map(({ url, state }) => [url, state]),
    [[old, 'up']],
  )
})

test('swap waits for one that needs a while, and Ctrl-C ends the wait as a failure does', async (t) => {
  const old = await backend(t)
  let isHealthy = false
  let early = 0
  const onRequest = (): void => {
    if (!isHealthy) early++
  }
  const late = await backend(t, { healthy: () => isHealthy, onRequest })
  const it = await Stand.start(t, checked([old]))
  const first = new CliProcess(t, ['backends', 'swap', old, late], it.options)
  await first.says(/waiting for .* \(down: /)
  first.signal('SIGINT')
  const interrupted = await first.ended()
  assert.equal(interrupted.code, 130)
  assert.match(interrupted.stderr, /did not come up \(interrupted, down: .*\); \S+ serves as before/)
  assert.ok(!(await it.rows()).some(({ url, state }) => url === late && state !== 'draining'))
  const second = new CliProcess(t, ['backends', 'swap', old, late, '--timeout', '20s'], it.options)
  await second.says(/waiting for .* \(down: /)
  for (let i = 0; i < 20; i++) {
    const [response] = await once(get(`http://127.0.0.1:${it.program.port}/x`, { agent: false }), 'response')
    response.resume()
    assert.equal(response.statusCode, 200)
  }
  assert.equal(early, 0, 'the new one gets nothing before a check has passed')
  isHealthy = true
  const ended = await second.ended()
  assert.equal(ended.code, 0)
  assert.deepEqual(
    (await it.rows()).map(({ url, state }) => [url, state]).sort(),
    [
      [late, 'up'],
      [old, 'draining'],
    ].sort(),
  )
})

test('swap in one of several pools; an old one that is not there is refused with what was meant', async (t) => {
  const [a, b, c] = [await backend(t), await backend(t), await backend(t)]
  const check = { health_check: { interval: '200ms' } }
  const pools = { one: { backends: [a, b], ...check }, two: { backends: [a], health_check: { method: 'none' } } }
  const it = await Stand.start(t, { listeners: [{ name: 'default', listen: ':8080', pool: 'one' }], pools })
  const unclear = await it.run('backends', 'swap', a, c)
  assert.deepEqual([unclear.code, /several pools: name one of one, two/.test(unclear.stderr)], [1, true])
  const slip = await it.run('backends', 'swap', a.replace('127.0.0.1', 'localhost'), c, '--pool', 'one')
  assert.deepEqual([slip.code, slip.stderr.includes(`did you mean ${a}?`)], [1, true])
  const same = await it.run('backends', 'swap', b, b)
  assert.equal(same.code, 2)
  const done = await it.run('backends', 'swap', a, c, '--pool', 'two')
  assert.equal(done.code, 0)
  assert.match(done.stderr, /pool two has no health checks: \S+ is taken as it is/)
  assert.match(done.stdout, /backends remove \S+ --pool two"/)
})

test('--save writes the change into the file, comments kept; a state is none of the file', async (t) => {
  const [first, second] = [await backend(t), await backend(t)]
  const dir = folder(t)
  const file = join(dir, 'config.json')
  writeFileSync(file, `{\n  // the only one\n  "backends": ["${first}"]\n}\n`)
  const it = new Stand(t, dir, await Program.start(t, dir, { workers: 1 }))
  const added = await it.run('backends', 'add', second, '--weight', '4', '--save')
  assert.deepEqual([added.code, added.stderr], [0, ''])
  assert.match(added.stdout, /^added .*\nsaved in config\.json\n$/)
  const text = readFileSync(file, 'utf8')
  assert.match(text, /\/\/ the only one/)
  assert.match(text, new RegExp(`\\{(?=[^}]*"url": *"${second}")[^}]*"weight": *4`))
  const weighed = await it.run('backends', 'weight', second, '5', '--save', '--json')
  const told = JSON.parse(weighed.stdout) as { weight: number; saved: { file: string } }
  assert.deepEqual([told.weight, told.saved.file], [5, 'config.json'])
  assert.match(readFileSync(file, 'utf8'), /"weight": *5/)
})

test('add --wait: in service when it returns, or left out again', async (t) => {
  const [first, second] = [await backend(t), await backend(t)]
  const it = await Stand.start(t, checked([first]))
  const good = await it.run('backends', 'add', second, '--wait')
  assert.deepEqual([good.code, good.stdout], [0, `added ${second} to pool default, weight 1: it is up\n`])
  const dead = `http://127.0.0.1:${await refusingPort()}`
  const bad = await it.run('backends', 'add', dead, '--wait', '--timeout', '500ms')
  assert.deepEqual([bad.code, bad.stdout], [1, ''])
  assert.match(bad.stderr, /did not come up within 500ms.*\n {2}see what its health check says/)
  assert.ok(!(await it.rows()).some(({ url, state }) => url === dead && state !== 'draining'))
})

test('drain with an end says when; disable and enable', async (t) => {
  const [first, second] = [await backend(t), await backend(t)]
  const it = await Stand.start(t, checked([first, second]))
  const hanging = get(`http://127.0.0.1:${it.program.port}/slow`, { agent: false })
  const cut = once(hanging, 'error').catch(() => undefined)
  const rowsOpen = async (): Promise<string> => {
    for (;;) {
      const rows = JSON.parse((await it.run('backends', 'list', '--json')).stdout) as {
        url: string
        current_connections: number
      }[]
      const open = rows.find(({ current_connections: count }) => count > 0)
      if (open !== undefined) return open.url
    }
  }
  const busy = await rowsOpen()
  const drained = await it.run('backends', 'drain', busy, '--drain', '500ms')
  assert.match(drained.stdout, /is draining, 1 request in flight, cut at \d\d:\d\d:\d\d: "frontdesk backends enable/)
  hanging.on('response', () => {})
  await Promise.race([cut, once(hanging, 'close')])
  const disabled = await it.run('backends', 'disable', busy)
  assert.match(disabled.stdout, /is disabled, 0 requests in flight may finish: "frontdesk backends enable/)
  assert.equal((await it.rows()).find(({ url }) => url === busy)?.state, 'disabled')
  assert.equal((await it.run('backends', 'enable', busy)).code, 0)
  assert.equal((await it.rows()).find(({ url }) => url === busy)?.state, 'up')
})

test('swap: where a call fails on the way, the new one is taken out again all the same', async (t) => {
  const [old, young] = [await backend(t), await backend(t, { healthy: () => false })]
  const it = await Stand.start(t, checked([old]))
  // In front of the admin API: it breaks one call off, then all is well again.
  let calls = 0
  let breaks = 0
  const wire = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming
    if (method === 'GET' && path === '/backends' && ++calls === breaks) return void incoming.socket.destroy()
    const onwards = request({ port: it.program.adminPort, host: '127.0.0.1', method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, { 'content-type': 'application/json' })
      answer.pipe(outgoing)
    })
    incoming.pipe(onwards)
  }).listen(0, '127.0.0.1')
  await once(wire, 'listening')
  t.after(() => wire.close())
  const env = { FRONTDESK_ADMIN: String((wire.address() as AddressInfo).port) }
  breaks = 4
  const ended = await cli(t, ['backends', 'swap', old, young, '--timeout', '20s'], { ...it.options, env })
  assert.deepEqual([ended.code, ended.stdout], [1, ''])
  assert.match(ended.stderr, new RegExp(`cannot reach the admin API[^]*${young}: it is taken out again`))
  const rows = await it.rows()
  assert.deepEqual(
    rows.filter(({ state }) => state !== 'draining').map(({ url, state }) => [url, state]),
    [[old, 'up']],
  )
})
