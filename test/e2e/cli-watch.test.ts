// `frontdesk tail`, `explain`, `routes`, `pools` and `listeners` at a running Frontdesk, and when there is none.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { refusingPort } from '../support/ports.ts'
import { folder, Program, writeConfig } from '../support/program.ts'
import { type CliOptions, CliProcess, cli } from './cli-process.ts'

async function backend(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    response.statusCode = request.url?.startsWith('/api/bad') ? 500 : 200
    response.end('ok')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function ask(port: number, path: string): Promise<number> {
  const [response] = await once(get({ port, path, host: '127.0.0.1', agent: false }), 'response')
  response.resume()
  await once(response, 'end')
  return response.statusCode
}

async function stand(
  t: TestContext,
): Promise<{ url: string; dead: string; port: number; program: Program; options: CliOptions }> {
  const dir = folder(t)
  const [url, dead] = [await backend(t), `http://127.0.0.1:${await refusingPort()}`]
  const listeners = [{ name: 'default', listen: ':8080', pool: 'web' }]
  const routes = [
    { name: 'api', match: { path: '/api/*' }, pool: 'api' },
    { name: 'old', match: { path: '/old' }, redirect: { to: '/new', status: 308 } },
    { name: 'canary', match: { path: '/api/*', header: { 'X-Canary': '1' } }, pool: 'web' },
  ]
  const check = { health_check: { interval: '200ms' } }
  const pools = { web: { backends: [url, dead], ...check }, api: { backends: [url], strategy: 'least-conn', ...check } }
  writeConfig(dir, { listeners, routes, pools })
  const program = await Program.start(t, dir, { workers: 1 })
  const options = { cwd: dir, env: { FRONTDESK_ADMIN: String(program.adminPort) } }
  return { url, dead, port: program.port, program, options }
}

/** A `tail` that is known to follow: it has shown one of the requests that were made meanwhile. */
async function following(
  t: TestContext,
  it: { port: number; options: CliOptions },
  args: readonly string[],
  path: string,
): Promise<CliProcess> {
  const tail = new CliProcess(t, ['tail', ...args], it.options)
  const giveUpAt = performance.now() + 20_000
  while (tail.stdout === '' && tail.child.exitCode === null && performance.now() < giveUpAt) await ask(it.port, path)
  return tail
}

test('tail shows requests as they end: for people, for programs, and only those that are wanted', async (t) => {
  const it = await stand(t)
  const human = await following(t, it, ['--route', 'api', '--status', '5xx'], '/api/bad')
  assert.equal(await ask(it.port, '/api/fine'), 200)
  assert.equal(await ask(it.port, '/api/bad?last'), 500)
  await human.says(/last/)
  const lines = human.stdout.trimEnd().split('\n')
  assert.match(
    lines[0]!,
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d\\.\\d{3}  500 .* ms  GET \\S+/api/bad  api → ${it.url}  from 127\\.0\\.0\\.1`),
  )
  assert.ok(
    lines.every((line) => line.includes('/api/bad')),
    human.stdout,
  )

  const json = await following(t, it, ['--json', '--limit', '3', '--path', '/api/'], '/api/x')
  while (json.child.exitCode === null) await ask(it.port, '/api/x')
  const ended = await json.ended()
  const entries = ended.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { target: string; pool: string })
  assert.deepEqual([ended.code, entries.length, entries[0]], [0, 3, { ...entries[0], target: '/api/x', pool: 'api' }])
})

test('tail --events shows what happens, and goes on when Frontdesk was away', async (t) => {
  const dir = folder(t)
  const url = await backend(t)
  const admin = await refusingPort()
  writeConfig(dir, { backends: [url] })
  const args = ['--port', '0', '--admin-port', String(admin), '--workers', '1']
  const options = { cwd: dir, env: { FRONTDESK_ADMIN: String(admin) } }
  const first = new CliProcess(t, args, { cwd: dir })
  await first.says(/"event":"started"/)
  const tail = new CliProcess(t, ['tail', '--events', '--types', 'backend_updated'], options)
  // It follows once it shows a change.
  for (let weight = 2; tail.stdout === '' && weight < 100; weight++) {
    await cli(t, ['backends', 'weight', url, String(weight)], options)
  }
  assert.match(tail.stdout, /^\d\d:\d\d:\d\d\.\d{3} {2}backend_updated +.*weight/)
  first.signal('SIGKILL')
  await tail.says(/-- stream lost \(.+\); trying again/)
  const second = new CliProcess(t, args, { cwd: dir })
  await second.says(/"event":"started"/)
  await tail.says(/-- stream is back/)
  const shown = tail.stdout.length
  await cli(t, ['backends', 'weight', url, '100'], options)
  await tail.says(/100/)
  assert.ok(tail.stdout.length > shown)
})

test('tail ends when nobody reads it any more', async (t) => {
  const it = await stand(t)
  const tail = await following(t, it, [], '/api/x')
  tail.child.stdout?.destroy()
  while (tail.child.exitCode === null) await ask(it.port, '/api/x')
  assert.equal((await tail.ended()).code, 0)
})

test('wrong filters are told: of the command, and of the API', async (t) => {
  const it = await stand(t)
  const types = await cli(t, ['tail', '--types', 'backend_up'], it.options)
  assert.deepEqual([types.code, /--types goes with --events/.test(types.stderr)], [2, true])
  const both = await cli(t, ['tail', '--events', '--route', 'api'], it.options)
  assert.deepEqual([both.code, /cannot be filtered by "route"/.test(both.stderr)], [2, true])
  const status = await cli(t, ['tail', '--status', 'many'], it.options)
  assert.deepEqual([status.code, /status/.test(status.stderr)], [1, true])
})

test('explain says which route, pool and backend, and why not the others', async (t) => {
  const it = await stand(t)
  await until(it)
  const api = await cli(t, ['explain', 'get', 'http://example.com/api/x?y=1'], it.options)
  assert.equal(api.code, 0)
  assert.match(api.stdout, /^GET http:\/\/example\.com\/api\/x\?y=1\n/)
  assert.match(api.stdout, /^ {2}route +api +\/api\/\* → pool api$/m)
  assert.match(api.stdout, /^ {2}not +[\s\S]*^ +canary +asks for header x-canary/m)
  assert.match(api.stdout, /^ {2}pool +api +least-conn$/m)
  assert.match(api.stdout, new RegExp(`^> ${it.url} +up +1 +0 `, 'm'))
  const canary = await cli(t, ['explain', 'GET', '/api/x', '-H', 'X-Canary: 1'], it.options)
  assert.match(canary.stdout, /^ {2}route +canary /m)
  assert.match(canary.stdout, new RegExp(`^ {2}${it.dead} +down +`, 'm'))
  const old = await cli(t, ['explain', 'GET', '/old', '--client', '10.0.0.1'], it.options)
  assert.match(old.stdout, /answers 308: /)
  const json = JSON.parse((await cli(t, ['explain', 'GET', '/api/x', '--json'], it.options)).stdout) as { pool: string }
  assert.equal(json.pool, 'api')
  const wrong = await cli(t, ['explain', 'GET', '/x', '--listener', 'nowhere'], it.options)
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /nowhere/)
})

/** Resolves when the dead backend is known to be. */
async function until({ program }: { program: Program }): Promise<void> {
  await program.event('backend_down')
}

test('pools, listeners and routes', async (t) => {
  const it = await stand(t)
  await until(it)
  for (let i = 0; i < 3; i++) await ask(it.port, '/api/x')
  const pools = await cli(t, ['pools'], it.options)
  assert.match(pools.stdout, /^ {2}web +round-robin +- +1\/2 +0 +0 +\d+ +0 +tcp every 0\.2 s$/m)
  assert.match(pools.stdout, /^ {2}api +least-conn +- +1\/1 +0 +3 /m)
  const listeners = await cli(t, ['listeners'], it.options)
  assert.match(listeners.stdout, /^ {2}default +http:\/\/\S+ +web +\d+ +3 +0 +3$/m)
  const routes = await cli(t, ['routes'], it.options)
  assert.match(routes.stdout, / canary .* pool web [\s\S]* api .* pool api [\s\S]* default .* pool web /)
  assert.match(routes.stdout, /^ {2}api +\/api\/\* +pool api +3 +0 +\S+ ms +\S+ ms$/m)
  assert.match(routes.stdout, /^ {2}default +everything else on listener default +pool web/m)
  const json = JSON.parse((await cli(t, ['routes', '--json'], it.options)).stdout) as { name: string }[]
  assert.ok(json.some(({ name }) => name === 'canary'))
})

test('every command that talks to a running Frontdesk says what to do when there is none', async (t) => {
  const env = { FRONTDESK_ADMIN: String(await refusingPort()) }
  const commands = [
    ['status'],
    ['top', '--once'],
    ['backends', 'list'],
    ['backends', 'add', 'http://a:1'],
    ['backends', 'swap', 'http://a:1', 'http://b:1'],
    ['pools'],
    ['listeners'],
    ['routes'],
    ['explain', 'GET', '/'],
    ['tail'],
    ['tail', '--events'],
    ['reload'],
    ['config', 'show'],
    ['config', 'diff'],
    ['config', 'history'],
    ['config', 'rollback'],
    ['config', 'save'],
    ['certs', 'list'],
    ['stop'],
  ]
  for (const args of commands) {
    const ended = await cli(t, args, { env, cwd: folder(t) })
    assert.deepEqual([ended.code, ended.stdout], [1, ''], args.join(' '))
    assert.match(
      ended.stderr,
      /^frontdesk: cannot reach the admin API at \S+: connection refused\n {2}is Frontdesk running/,
    )
  }
})
