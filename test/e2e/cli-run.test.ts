// A served configuration as its operator sees it: start, status, changes, signals, end.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type DemoBackend, startDemoBackend } from '../../src/cli/demo-backend/demo-backend.ts'
import { haveOpenssl, makeAuthority } from '../support/certificates.ts'
import { refusingPort } from '../support/ports.ts'
import { until } from '../support/wait.ts'
import { type CliOptions, CliProcess, cli } from './cli-process.ts'

const skip = (await haveOpenssl()) ? false : 'needs the openssl program'

interface Event {
  readonly level: string
  readonly event: string
  readonly message: string
  readonly listeners?: readonly { readonly url: string; readonly port: number }[]
  readonly admin?: string | null
}

/** A Frontdesk that writes JSON lines because its output is a pipe. */
class Served extends CliProcess {
  readonly dir: string

  constructor(t: TestContext, dir: string, args: readonly string[] = [], o: CliOptions = {}) {
    super(t, ['--port', '0', '--admin-port', '0', '--workers', '1', ...args], { cwd: dir, ...o })
    this.dir = dir
  }

  events(): Event[] {
    const lines = `${this.stdout}${this.stderr}`
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
    return lines.map((line) => JSON.parse(line) as Event)
  }

  /** Resolves with the nth event of that name. */
  async event(name: string, nth = 1): Promise<Event> {
    const found = (): Event | undefined => this.events().filter(({ event }) => event === name)[nth - 1]
    await until(
      `event ${name} no. ${nth} (there is: ${this.stdout}${this.stderr})`,
      () => found() !== undefined,
      20_000,
    )
    return found()!
  }

  async started(): Promise<{ url: string; admin: string }> {
    const { listeners, admin } = await this.event('started')
    return { url: listeners![0]!.url, admin: admin! }
  }
}

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-run-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

async function backend(t: TestContext, name: string): Promise<DemoBackend> {
  const started = await startDemoBackend({ name, host: '127.0.0.1', port: 0 })
  t.after(() => started.close())
  return started
}

function writeConfig(dir: string, config: Record<string, unknown>): void {
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config))
}

/** The name of the backend that answered. */
async function ask(url: string): Promise<string> {
  const [response] = await once(get(url, { agent: false }), 'response')
  response.resume()
  await once(response, 'end')
  return String(response.headers['x-backend'])
}

test('serves config.json of the folder; status and backends look at it and change it; TERM ends it with 0', async (t) => {
  const dir = folder(t)
  const [red, green] = [await backend(t, 'red'), await backend(t, 'green')]
  writeConfig(dir, { strategy: 'first', backends: [red.url], health_check_frequency: '1s' })
  const served = new Served(t, dir)
  const { url, admin } = await served.started()
  assert.equal(await ask(url), 'red')
  const env = { FRONTDESK_ADMIN: admin }

  const status = await cli(t, ['status'], { env })
  assert.match(status.stdout, /^ {2}frontdesk \S+ · up .* · 1 worker · revision \d+ · http:/)
  assert.match(status.stdout, new RegExp(`${red.url} +up +1 +0 +1 +0 .* passed \\d+ s ago`))
  assert.match(status.stdout, /^ {2}1 of 1 backend takes requests$/m)
  const json = JSON.parse((await cli(t, ['status', '--json'], { env })).stdout) as { total_backends: number }
  assert.equal(json.total_backends, 1)

  assert.match(
    (await cli(t, ['backends', 'add', green.url, '--weight', '2'], { env })).stdout,
    /^added .* to pool default, weight 2/,
  )
  const twice = await cli(t, ['backends', 'add', green.url], { env })
  assert.deepEqual([twice.code, /already in pool default/.test(twice.stderr)], [1, true])
  assert.match(twice.stderr, /^ {2}frontdesk backends weight \S+ N changes its weight$/m)
  assert.doesNotMatch(twice.stderr, /PATCH/)
  const slip = await cli(t, ['backends', 'drain', red.url.replace('127.0.0.1', 'localhost')], { env })
  assert.deepEqual([slip.code, slip.stderr.includes(`did you mean ${red.url}?`)], [1, true])
  assert.match((await cli(t, ['backends', 'drain', red.url, '--wait'], { env })).stdout, /is drained/)
  assert.equal(await ask(url), 'green')
  assert.match((await cli(t, ['backends', 'enable', red.url], { env })).stdout, /in service again/)
  assert.match((await cli(t, ['backends', 'weight', red.url, '7'], { env })).stdout, /has weight 7 now/)
  const list = JSON.parse((await cli(t, ['backends', 'list', '--json'], { env })).stdout) as {
    url: string
    weight: number
  }[]
  assert.deepEqual(
    list.map((one) => [one.url, one.weight]),
    [
      [red.url, 7],
      [green.url, 2],
    ],
  )
  assert.match((await cli(t, ['backends', 'remove', green.url, '--wait'], { env })).stdout, /^removed/)
  assert.equal((await cli(t, ['backends', 'remove', green.url], { env })).code, 1)

  served.child.kill('SIGTERM')
  const ended = await served.ended()
  assert.deepEqual([ended.code, ended.signal, ended.stderr], [0, null, ''])
  const draining = served.events().filter(({ event }) => event === 'draining')
  assert.deepEqual(
    draining.map(({ message }) => message),
    ['draining (SIGTERM): no new connections, those open may finish'],
  )
})

test('a state file of another configuration is refused with 78, and named', async (t) => {
  const dir = folder(t)
  const [red, green] = [await backend(t, 'red'), await backend(t, 'green')]
  writeConfig(dir, { backends: [red.url] })
  const served = new Served(t, dir)
  const { admin } = await served.started()
  assert.equal((await cli(t, ['backends', 'add', green.url, '--admin', admin])).code, 0)
  assert.equal((await cli(t, ['stop', '--admin', admin])).code, 0)
  assert.equal((await served.ended()).code, 0)
  renameSync(join(dir, 'config.json'), join(dir, 'other.json'))
  const refused = await new Served(t, dir, ['-c', 'other.json']).ended()
  assert.equal(refused.code, 78)
  const sentence =
    /^other\.json: state_file: the state file \S+frontdesk\.state\.json holds the changes made to config\.json, not to other\.json; give other\.json a "state_file" of its own; .* rename or remove the state file/m
  assert.match(refused.stderr, sentence)
})

test('stop over the admin API ends it with 0', async (t) => {
  const dir = folder(t)
  writeConfig(dir, { backends: [(await backend(t, 'red')).url] })
  const served = new Served(t, dir)
  const { admin } = await served.started()
  assert.equal((await cli(t, ['stop', '--admin', admin])).code, 0)
  assert.equal((await served.ended()).code, 0)
  const draining = served.events().filter(({ event }) => event === 'draining')
  assert.deepEqual(
    draining.map(({ message }) => message),
    ['draining (admin API): no new connections, those open may finish'],
  )
})

test('a flag wins over the environment, the environment over the file', async (t) => {
  const dir = folder(t)
  const [red, green, blue] = [await backend(t, 'red'), await backend(t, 'green'), await backend(t, 'blue')]
  writeConfig(dir, { port: 1, backends: [red.url] })
  const byVariable = new Served(t, dir, [], { env: { FRONTDESK_BACKEND: green.url, FRONTDESK_PORT: '2' } })
  assert.equal(await ask((await byVariable.started()).url), 'green')
  const byFlag = new Served(t, dir, ['--backend', blue.url], { env: { FRONTDESK_BACKEND: green.url } })
  assert.equal(await ask((await byFlag.started()).url), 'blue')
})

test('HUP applies changed backends, says what needs a restart, and survives a broken file', async (t) => {
  const dir = folder(t)
  const [red, green] = [await backend(t, 'red'), await backend(t, 'green')]
  writeConfig(dir, { backends: [red.url] })
  const served = new Served(t, dir)
  const { url } = await served.started()
  writeConfig(dir, { backends: [green.url] })
  served.child.kill('SIGHUP')
  assert.match((await served.event('reloaded')).message, /applied as revision \d+ \(HUP\): .*added/)
  assert.equal(await ask(url), 'green')
  writeConfig(dir, { backends: [red.url], state_file: 'another.json' })
  served.child.kill('SIGHUP')
  assert.match(
    (await served.event('reload_refused')).message,
    /nothing changed: state_file can only change with a restart/,
  )
  writeFileSync(join(dir, 'config.json'), '{ "backends": [')
  served.child.kill('SIGHUP')
  assert.match((await served.event('reload_failed')).message, /^config\.json:1:\d+: .*the old configuration goes on/)
  assert.equal(await ask(url), 'green')
})

test('USR2 opens the access log anew', async (t) => {
  const dir = folder(t)
  const log = join(dir, 'access.log')
  writeConfig(dir, { backends: [(await backend(t, 'red')).url], logging: { access: { file: log } } })
  const served = new Served(t, dir)
  const { url } = await served.started()
  await ask(`${url}/one`)
  await until('the first line is written', () => existsSync(log) && readFileSync(log, 'utf8').includes('/one'))
  renameSync(log, `${log}.1`)
  served.child.kill('SIGUSR2')
  await until('a new file is there', () => existsSync(log))
  await ask(`${url}/two`)
  await until('the second line is in the new file', () => readFileSync(log, 'utf8').includes('/two'))
  assert.doesNotMatch(readFileSync(`${log}.1`, 'utf8'), /\/two/)
})

test('one INT waits for a request in flight, however often it arrives; a second forces with 130', async (t) => {
  const dir = folder(t)
  const red = await backend(t, 'red')
  writeConfig(dir, { backends: [red.url] })
  const served = new Served(t, dir)
  const { url } = await served.started()
  const pending = get(`${url}/sse`, { agent: false })
  pending.on('error', () => {})
  await once(pending, 'response')
  served.child.kill('SIGINT')
  await served.event('draining')
  served.child.kill('SIGTERM')
  served.child.kill('SIGINT')
  assert.equal(served.child.exitCode, null)
  // Within half a second of the first these are the same key press; the one after it is the second.
  const pressing = setInterval(() => served.signal('SIGINT'), 50)
  t.after(() => clearInterval(pressing))
  const startedMs = performance.now()
  assert.equal((await served.ended()).code, 130)
  assert.ok(performance.now() - startedMs > 300, 'the repeats of the first key press did not force')
})

test('a drain lets a request in flight finish', async (t) => {
  const dir = folder(t)
  const red = await backend(t, 'red')
  writeConfig(dir, { backends: [red.url] })
  const served = new Served(t, dir)
  const { url } = await served.started()
  const pending = get(`${url}/sse?count=3&interval=200`, { agent: false })
  const [response] = await once(pending, 'response')
  for (const signal of ['SIGTERM', 'SIGTERM', 'SIGQUIT', 'SIGINT'] as const) served.child.kill(signal)
  let body = ''
  for await (const chunk of response) body += String(chunk)
  assert.equal(body.match(/^id: /gm)?.length, 3)
  assert.equal((await served.ended()).code, 0)
})

test('a reader of the output that goes away changes nothing', async (t) => {
  const dir = folder(t)
  const red = await backend(t, 'red')
  writeConfig(dir, { backends: [red.url], logging: { access: { format: 'json' } } })
  const served = new Served(t, dir)
  const { url } = await served.started()
  served.child.stdout?.destroy()
  served.child.stderr?.destroy()
  for (let i = 0; i < 5; i++) assert.equal(await ask(url), 'red')
  served.child.kill('SIGTERM')
  assert.equal((await served.ended()).code, 0)
})

test('an occupied admin port exits 69 and names the option for it', async (t) => {
  const dir = folder(t)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const { stderr, code } = await cli(
    t,
    ['--port', '0', '--admin-port', String(port), '--backend', 'http://127.0.0.1:9'],
    { cwd: dir },
  )
  assert.match(
    stderr,
    new RegExp(
      `^frontdesk: cannot listen on 127\\.0\\.0\\.1:${port}: another program listens there\n.*--admin-port\n$`,
    ),
  )
  assert.equal(code, 69)
})

test('an occupied port of a listener that no option is for is said with its name', async (t) => {
  const dir = folder(t)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const more = { name: 'more', listen: `127.0.0.1:${port}` }
  writeConfig(dir, { port: await refusingPort(), listeners: [more], backends: ['http://127.0.0.1:9'] })
  const { stderr, code } = await cli(t, ['--admin-port', '0'], { cwd: dir })
  assert.match(stderr, /another program listens there\n.*; change "listen" of listener more\n$/)
  assert.equal(code, 69)
})

test('a configuration that only redirects is served, and has no backends', async (t) => {
  const dir = folder(t)
  writeConfig(dir, { listeners: [{ name: 'web', listen: '127.0.0.1:1', redirect_https: true }] })
  const served = new Served(t, dir)
  const { url, admin } = await served.started()
  const [response] = await once(get(`${url}/a`, { agent: false }), 'response')
  response.resume()
  assert.deepEqual([response.statusCode, response.headers.location], [308, 'https://localhost/a'])
  assert.match((await cli(t, ['status', '--admin', admin])).stdout, /^ {2}no backends$/m)
})

test('what is removed is brought back with its pool; what was cut is counted', async (t) => {
  const dir = folder(t)
  const servers = [await backend(t, 'red'), await backend(t, 'green'), await backend(t, 'blue')]
  const [red, green, blue] = servers.map(({ url }) => url)
  const pools = { a: { backends: [red] }, b: { backends: [green, blue] } }
  writeConfig(dir, { listeners: [{ name: 'default', listen: ':8080', pool: 'a' }], pools })
  const served = new Served(t, dir)
  const { url, admin } = await served.started()
  const env = { FRONTDESK_ADMIN: admin }
  const gone = await cli(t, ['backends', 'remove', green!], { env })
  assert.equal(gone.stdout, `removed ${green}: "frontdesk backends add ${green} --pool b" brings it back\n`)
  const unclear = await cli(t, ['backends', 'add', green!], { env })
  assert.match(unclear.stderr, /^ {2}--pool: there are several pools: name one of a, b$/m)
  const bare = await cli(t, ['backends', 'add', 'localhost:9', '--pool', 'b'], { env })
  assert.match(bare.stderr, /write http:\/\/localhost:9, or tcp:\/\/localhost:9 for a TCP pool/)
  const hanging = get(`${url}/?fail=hang`, { agent: false }).on('error', () => {})
  t.after(() => hanging.destroy())
  const open = async (): Promise<number> => {
    const { stdout } = await cli(t, ['backends', 'list', '--json', '--pool', 'a'], { env })
    return (JSON.parse(stdout) as { current_connections: number }[])[0]!.current_connections
  }
  let shown = 0
  for (let tries = 0; tries < 50 && shown === 0; tries++) shown = await open()
  assert.equal(shown, 1)
  const cut = await cli(t, ['backends', 'remove', red!, '--drain', '0s', '--wait'], { env })
  assert.match(cut.stdout, /^removed \S+ \(1 request cut\): /)
})

test('HUP to a proxy with a certificate reads it again; without one it drains', { skip }, async (t) => {
  const dir = folder(t)
  const authority = await makeAuthority()
  t.after(() => authority.remove())
  const { certPath, keyPath } = await authority.issue()
  const to = ['--to', (await backend(t, 'red')).url, '--workers', '1']
  const secure = ['proxy', '--from', 'https://127.0.0.1:0', '--tls', `${certPath},${keyPath}`, ...to]
  const served = new CliProcess(t, secure, { cwd: dir })
  await served.says(/"event":"started"/)
  served.child.kill('SIGHUP')
  await served.says(/"event":"reloaded","message":"certificates read again \(HUP\): nothing has changed"/)
  served.child.kill('SIGTERM')
  assert.equal((await served.ended()).code, 0)
  const plain = new CliProcess(t, ['proxy', '--from', '127.0.0.1:0', ...to], { cwd: dir })
  await plain.says(/"event":"started"/)
  plain.child.kill('SIGHUP')
  const ended = await plain.ended()
  assert.deepEqual([ended.code, /draining \(SIGHUP\)/.test(ended.stdout)], [0, true])
})

test('proxy serves without a file and writes none', async (t) => {
  const dir = folder(t)
  const [red, green] = [await backend(t, 'red'), await backend(t, 'green')]
  const port = await refusingPort()
  const args = ['proxy', '--from', `127.0.0.1:${port}`, '--to', `${red.url},3`, '--to', green.url, '--workers', '1']
  const served = new CliProcess(t, args, { cwd: dir })
  await served.says(/"event":"started"/)
  const counted = await cli(t, ['request', `http://127.0.0.1:${port}/`, '-n', '40', '--json'])
  assert.deepEqual((JSON.parse(counted.stdout) as { backends: unknown }).backends, { red: 30, green: 10 })
  served.child.kill('SIGTERM')
  assert.equal((await served.ended()).code, 0)
  assert.equal(existsSync(join(dir, 'frontdesk.state.json')), false)
})

test('demo finds free ports, says where everything is, and ends everything', async (t) => {
  const served = new CliProcess(t, ['demo', '--workers', '1'])
  const [, port] = await served.says(/Proxy {6}http:\/\/localhost:(\d+) +round-robin → 3 backends \(3 up\)/)
  assert.match(
    served.stdout,
    /Admin {6}http:\/\/localhost:\d+ +\(the dashboard\)\n {2}Metrics {4}http:\/\/localhost:\d+\/metrics\n/,
  )
  const counted = await cli(t, ['request', `http://127.0.0.1:${port}/`, '-n', '30', '-c', '3', '--json'])
  assert.deepEqual((JSON.parse(counted.stdout) as { backends: unknown }).backends, { blue: 10, green: 10, red: 10 })
  const second = new CliProcess(t, ['demo', '--workers', '1'])
  await second.says(/port 8080 is taken: the proxy is on \d+\n/)
  await second.says(/Proxy {6}http:/)
  for (const one of [served, second]) {
    one.child.kill('SIGINT')
    assert.equal((await one.ended()).code, 0)
  }
})
