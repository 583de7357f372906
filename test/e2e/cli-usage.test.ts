// What the command line says and which code it exits with, before anything is served.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parsePasswordHash, verifyScrypt } from '../../src/util/password-hash.ts'
import { refusingPort } from '../support/ports.ts'
import { cli, launcher, root } from './cli-process.ts'

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-cli-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

test('version says its own and the version of Node', async (t) => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const ended = await cli(t, ['version'])
  assert.equal(
    ended.stdout,
    `frontdesk ${version} · node ${process.versions.node} · ${process.platform}-${process.arch}\n`,
  )
  assert.equal(ended.code, 0)
})

test('hash-password prints one line that basic_auth takes', () => {
  const input = 'geheim\n'
  const ended = spawnSync(process.execPath, [launcher, 'hash-password'], { input, encoding: 'utf8' })
  assert.match(ended.stdout, /^\$scrypt\$[^\n]+\n$/)
  const hash = parsePasswordHash(ended.stdout.trim())
  assert.ok(hash.kind === 'scrypt' && verifyScrypt('geheim', hash))
  assert.deepEqual([ended.status, ended.stderr], [0, ''])
  const empty = spawnSync(process.execPath, [launcher, 'hash-password'], { input: '', encoding: 'utf8' })
  assert.deepEqual([empty.status, empty.stdout, empty.stderr], [1, '', 'frontdesk: the password is empty\n'])
})

test('help lists the commands that exist and no others', async (t) => {
  const { stdout, code } = await cli(t, ['help'])
  const commands = [...stdout.matchAll(/^ {2}([a-z-]+)(?: |$)/gm)].map((match) => match[1])
  const listed = commands.slice(0, commands.indexOf('help') + 1)
  assert.deepEqual(listed, [
    'run',
    'proxy',
    'demo',
    'backend',
    'request',
    'check',
    'schema',
    'hash-password',
    'status',
    'top',
    'backends',
    'pools',
    'listeners',
    'routes',
    'explain',
    'cache',
    'tail',
    'reload',
    'config',
    'certs',
    'stop',
    'systemd',
    'completion',
    'version',
    'help',
  ])
  assert.equal(code, 0)
})

test('a wrong command line exits 2 and says what was meant', async (t) => {
  const wrong: [string[], RegExp][] = [
    [['statsu'], /unknown command 'statsu'\n\(Did you mean status\?\)/],
    [['nonsense'], /^frontdesk: unknown command 'nonsense'\n"frontdesk help"/],
    [['help', 'nonsense'], /^frontdesk: unknown command 'nonsense'\n"frontdesk help"/],
    [['help', 'statsu'], /unknown command 'statsu'\n\(Did you mean status\?\)/],
    [['help', 'backends', 'drian'], /unknown command 'drian'\n\(Did you mean drain\?\)/],
    [['backend', '--prot', '1'], /unknown option '--prot'\n\(Did you mean --port\?\)\n"frontdesk help backend"/],
    [['run', '--port', '70000'], /--port <n>' argument '70000' is invalid.*1 to 65535/],
    [['request'], /missing required argument 'url'/],
    [['proxy'], /required option '--to/],
    [['proxy', '--from', 'nowhere', '--to', 'http://localhost:1'], /"nowhere" is not an address to listen on/],
  ]
  await Promise.all(
    wrong.map(async ([args, message]) => {
      const ended = await cli(t, args)
      assert.match(ended.stderr, message)
      assert.equal(ended.code, 2, args.join(' '))
      assert.equal(ended.stdout, '')
    }),
  )
})

test('a wrong value in the environment names the variable', async (t) => {
  const ended = await cli(t, ['backend'], { env: { FRONTDESK_PORT: 'many' } })
  assert.match(ended.stderr, /value 'many' from env 'FRONTDESK_PORT' is invalid/)
  assert.equal(ended.code, 2)
})

test('without a configuration, run says what to do and exits 78', async (t) => {
  const ended = await cli(t, [], { cwd: folder(t) })
  assert.match(
    ended.stderr,
    /there is no config\.json or frontdesk\.config\.ts in this folder, and no --backend was given\n.*frontdesk -c .*\n.*--backend .*\n.*frontdesk demo/,
  )
  assert.equal(ended.code, 78)
})

test('an invalid configuration exits 78 with every problem and its place', async (t) => {
  const dir = folder(t)
  writeFileSync(
    join(dir, 'config.json'),
    '{\n  "port": 8080,\n  "admin_port": 8080,\n  "strategy": "round-robbin",\n  "backends": []\n}\n',
  )
  for (const args of [['run'], ['check'], ['-c', 'config.json']]) {
    const ended = await cli(t, args, { cwd: dir })
    assert.match(ended.stderr, /^config\.json:4:15: strategy: .*round-robin/m)
    assert.match(ended.stderr, /^config\.json:5:15: backends: /m)
    assert.equal(ended.code, 78)
  }
})

test('check tells what the file means, and with --connect whether the backends answer', async (t) => {
  const dir = folder(t)
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const open = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  const shut = `http://127.0.0.1:${await refusingPort()}`
  writeFileSync(join(dir, 'config.json'), JSON.stringify({ port: 9000, admin_port: 9001, backends: [open, shut] }))
  const plain = await cli(t, ['check'], { cwd: dir })
  assert.match(
    plain.stdout,
    /^config\.json is valid\n\n {2}default +:9000 +round-robin → 2 backends of pool default\n {2}admin +127\.0\.0\.1:9001/,
  )
  assert.equal(plain.code, 0)
  const connected = await cli(t, ['check', '--connect', '--json'], { cwd: dir })
  const { backends } = JSON.parse(connected.stdout) as { backends: { url: string; ok: boolean; detail: string }[] }
  assert.deepEqual(
    backends.map(({ url, ok }) => [url, ok]),
    [
      [open, true],
      [shut, false],
    ],
  )
  assert.match(backends[1]?.detail ?? '', /connection refused.*ECONNREFUSED/)
  assert.equal(connected.code, 1)
})

test('check --expanded prints a file that means the same', async (t) => {
  const dir = folder(t)
  writeFileSync(
    join(dir, 'config.json'),
    JSON.stringify({
      backends: ['http://localhost:3000', { url: 'http://localhost:3001', weight: 3 }],
      strategy: 'least-conn',
      sticky: { by: 'cookie' },
      routes: [
        { name: 'rest', match: '*', pool: 'default' },
        { name: 'api', match: { path: '/api/*', method: 'GET' }, pool: 'default', strip_prefix: '/api' },
        { name: 'gone', match: { path: '/api/gone' }, respond: { status: 410, body: '{{gone}}' } },
      ],
    }),
  )
  const first = await cli(t, ['check', '--expanded'], { cwd: dir })
  assert.equal(first.code, 0, first.stderr)
  writeFileSync(join(dir, 'long.json'), first.stdout)
  const second = await cli(t, ['check', '--expanded', '-c', 'long.json'], { cwd: dir })
  assert.equal(second.stdout, first.stdout)
  assert.match(first.stdout, /"strategy": "least-conn"/)
  const order =
    /^\/\/ Routes .*\n\/\/ +1 +gone +\/api\/gone +any host, exact path.*\n\/\/ +2 +api .*\n\/\/ +3 +rest .*\n\{/
  assert.match(first.stdout, order)
  const bare = await cli(t, ['check', '--expanded', '--json'], { cwd: dir })
  const { routes } = JSON.parse(bare.stdout) as { routes: { name: string }[] }
  assert.deepEqual(
    routes.map(({ name }) => name),
    ['rest', 'api', 'gone'],
  )
  const shown = await cli(t, ['check'], { cwd: dir })
  assert.match(shown.stdout, /\n {2}1 +gone +\/api\/gone +→ 410\n {2}2 +api +\/api\/\* +GET +→ pool default\n/)
})

test('schema prints a JSON Schema that knows the seven keys, whole though a pipe takes less at once', async (t) => {
  const { stdout, code } = await cli(t, ['schema'])
  const { properties } = JSON.parse(stdout) as { properties: Record<string, unknown> }
  for (const key of [
    'port',
    'admin_port',
    'strategy',
    'health_check_frequency',
    'backend_timeout',
    'health_check_method',
    'backends',
  ]) {
    assert.ok(properties[key] !== undefined, key)
  }
  assert.equal(code, 0)
})

test('commands that need a running Frontdesk say in one line that there is none', async (t) => {
  const admin = `127.0.0.1:${await refusingPort()}`
  for (const args of [['status'], ['backends', 'list'], ['certs', 'list'], ['stop']]) {
    const ended = await cli(t, [...args, '--admin', admin])
    assert.match(
      ended.stderr,
      new RegExp(`^frontdesk: cannot reach the admin API at http://${admin}: connection refused\n`),
    )
    assert.equal(ended.code, 1)
  }
})

test('an occupied port exits 69 with one clear line', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const commands = [
    ['backend', '--port', String(port)],
    ['proxy', '--from', `127.0.0.1:${port}`, '--to', 'http://127.0.0.1:9'],
  ]
  for (const args of commands) {
    const ended = await cli(t, args)
    assert.match(
      ended.stderr,
      new RegExp(`^frontdesk: cannot listen on 127\\.0\\.0\\.1:${port}: another program listens there\n`),
    )
    assert.equal(ended.code, 69)
  }
})
