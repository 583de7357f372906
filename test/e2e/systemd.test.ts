// The units that `frontdesk systemd` prints, as systemd's own programs judge them; and what the program tells systemd while it
// runs, as a receiver of datagrams hears it.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { execWord } from '../../src/cli/systemd/unit-text.ts'
import { findProgram, skipWithout } from '../support/peers.ts'
import { folder, Program, writeConfig } from '../support/program.ts'
import { until } from '../support/wait.ts'
import { cli } from './cli-process.ts'

const run = promisify(execFile)
const backends = ['http://localhost:3000']
const variable = (text: string): string => `\${${text}}`

/** Values of a unit by key, in order; comments left out. */
function valuesIn(text: string): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (const [, key, value] of text.matchAll(/^([A-Z]\w+)=(.*)$/gm))
    values.set(key!, [...(values.get(key!) ?? []), value!])
  return values
}

async function unitsOf(t: TestContext, config: object, ...args: string[]) {
  const dir = folder(t)
  writeConfig(dir, config as Record<string, unknown>)
  const out = join(dir, 'units')
  mkdirSync(out)
  const { code, stderr } = await cli(t, ['systemd', '-c', 'config.json', '--write', 'units', ...args], { cwd: dir })
  assert.equal(code, 0, stderr)
  const files = readdirSync(out).sort()
  const text = (name: string): string => readFileSync(join(out, name), 'utf8')
  return { dir, out, files, text, hints: stderr, service: valuesIn(text('frontdesk.service')) }
}

describe('frontdesk systemd', () => {
  test('names what it starts by absolute paths, and gives no right that is not needed', async (t) => {
    const { dir, service, text } = await unitsOf(t, { port: 8080, backends, shutdown: { grace: '90s' } })
    const [start = ''] = service.get('ExecStart')!
    assert.match(start, /^\/\S+ \/\S+bin\/frontdesk\.js run -c \/\S+\/config\.json$/)
    assert.ok(start.endsWith(join(dir, 'config.json')))
    assert.deepEqual(service.get('Type'), ['notify'])
    assert.deepEqual(service.get('NotifyAccess'), ['all'])
    assert.deepEqual(service.get('ExecReload'), ['/bin/kill -HUP $MAINPID'])
    assert.deepEqual(service.get('CapabilityBoundingSet'), [''])
    assert.equal(service.get('AmbientCapabilities'), undefined)
    assert.deepEqual(service.get('TimeoutStopSec'), ['100'])
    assert.deepEqual(service.get('ProtectSystem'), ['strict'])
    assert.deepEqual(service.get('StateDirectory'), ['frontdesk'])
    assert.deepEqual(service.get('ReadWritePaths'), [dir], 'the state file lies there')
    assert.ok(Number(service.get('LimitNOFILE')![0]) >= 65_536)
    assert.equal(service.get('MemoryDenyWriteExecute'), undefined)
    assert.match(text('frontdesk.service'), /^# MemoryDenyWriteExecute= must stay off: /m)
  })

  test('gives the right to low ports where there are some, folders by what is written, descriptors by the limit', async (t) => {
    const { service, hints } = await unitsOf(t, {
      listeners: [
        { name: 'web', listen: ':443' },
        { name: 'local', listen: 'unix:/run/frontdesk/web.sock' },
      ],
      backends,
      state_file: '/var/lib/frontdesk/state.json',
      logging: { access: { file: '/var/log/frontdesk/access.log' } },
      limits: { max_connections: 100_000 },
    })
    assert.deepEqual(service.get('CapabilityBoundingSet'), ['CAP_NET_BIND_SERVICE'])
    assert.deepEqual(service.get('AmbientCapabilities'), ['CAP_NET_BIND_SERVICE'])
    assert.deepEqual(service.get('StateDirectory'), ['frontdesk'])
    assert.deepEqual(service.get('RuntimeDirectory'), ['frontdesk'])
    assert.deepEqual(service.get('LogsDirectory'), ['frontdesk'])
    assert.equal(service.get('ReadWritePaths'), undefined)
    assert.deepEqual(service.get('LimitNOFILE'), ['204096'])
    assert.equal(hints, '')
  })

  test('names the variables that the configuration takes from the environment', async (t) => {
    const { text } = await unitsOf(t, {
      backends,
      admin: { token: variable('ADMIN_TOKEN:-') },
      port: variable('PORT:-8080'),
    })
    assert.match(
      text('frontdesk.service'),
      /^# .*: ADMIN_TOKEN, PORT\nEnvironmentFile=-\/etc\/frontdesk\/environment$/m,
    )
  })

  test('prints a socket unit for each listener, under the name that the listener asks for', async (t) => {
    const config = {
      listeners: [
        { name: 'web', listen: ':80' },
        { name: 'six', listen: '[::1]:8000', ipv6_only: true },
        { name: 'db', listen: 'systemd:postgres', protocol: 'tcp', pool: 'db' },
        { name: 'local', listen: 'unix:/run/frontdesk/web.sock', socket_mode: '0660' },
      ],
      pools: { default: { backends }, db: { backends: ['tcp://localhost:5432'] } },
      routes: [{ match: '*', pool: 'default' }],
    }
    const { files, text, service, hints } = await unitsOf(t, config, '--socket-activation')
    const names = ['web', 'six', 'db', 'local'].map((name) => `frontdesk-${name}.socket`)
    assert.deepEqual(files, ['frontdesk.service', ...names].sort())
    assert.deepEqual(service.get('Sockets'), [names.join(' ')])
    assert.deepEqual(service.get('CapabilityBoundingSet'), [''], 'systemd opens the low ports')
    const sockets = names.map((name) => valuesIn(text(name)))
    const of = (key: string) => sockets.map((values) => values.get(key)?.[0])
    assert.deepEqual(of('ListenStream'), ['80', '[::1]:8000', '80', '/run/frontdesk/web.sock'])
    assert.deepEqual(of('FileDescriptorName'), ['web', 'six', 'postgres', 'local'])
    assert.deepEqual(of('Service'), Array(4).fill('frontdesk.service'))
    assert.deepEqual(of('BindIPv6Only'), [undefined, 'ipv6-only', undefined, undefined])
    assert.deepEqual(of('SocketMode'), [undefined, undefined, undefined, '0660'])
    assert.match(hints, /write "listen": "systemd:web" for listener web, in place of ":80"/)
    assert.match(hints, /the address of listener db stands in frontdesk-db\.socket/)
  })

  test('for the manager of a user it asks for nothing that this one cannot give', async (t) => {
    const { service, hints } = await unitsOf(t, { port: 80, backends }, '--user')
    for (const key of ['User', 'AmbientCapabilities', 'CapabilityBoundingSet', 'ProtectSystem', 'PrivateDevices']) {
      assert.equal(service.get(key), undefined, key)
    }
    assert.deepEqual(service.get('NoNewPrivileges'), ['yes'])
    assert.deepEqual(service.get('WantedBy'), ['default.target'])
    assert.match(hints, /below 1024/)
  })

  test('what cannot be is said', async (t) => {
    const dir = folder(t)
    const none = await cli(t, ['systemd'], { cwd: dir })
    assert.equal(none.code, 78)
    writeConfig(dir, { backends: [] })
    assert.equal((await cli(t, ['systemd'], { cwd: dir })).code, 78)
    writeConfig(dir, { backends })
    const named = await cli(t, ['systemd', '--name', 'a b'], { cwd: dir })
    assert.deepEqual([named.code, /no name for a unit/.test(named.stderr)], [2, true])
    const unwritable = await cli(t, ['systemd', '--write', 'nowhere'], { cwd: dir })
    assert.deepEqual([unwritable.code, /cannot write nowhere/.test(unwritable.stderr)], [1, true])
  })

  test('takes paths literally, whatever stands in them', () => {
    assert.equal(execWord('/usr/bin/node'), '/usr/bin/node')
    assert.equal(execWord('/a b/100%/$x/"q"\\'), '"/a b/100%%/$$x/\\"q\\"\\\\"')
    assert.throws(() => execWord('a\nExecStartPre=b'))
  })

  test('systemd itself finds nothing wrong with them, and little exposed', {
    skip: skipWithout('systemd-analyze'),
  }, async (t) => {
    const listeners = [
      { name: 'web', listen: ':80' },
      { name: 'local', listen: 'unix:/run/frontdesk/web.sock' },
    ]
    const analyze = findProgram('systemd-analyze')!
    for (const args of [[], ['--socket-activation']]) {
      const { out, files } = await unitsOf(t, { listeners, backends, admin: { token: variable('A:-') } }, ...args)
      const { stderr } = await run(analyze, ['verify', ...files.map((name) => join(out, name))])
      assert.equal(stderr, '')
      const judged = await run(analyze, [
        'security',
        '--offline=true',
        '--threshold=25',
        join(out, 'frontdesk.service'),
      ])
      const [, exposure] = /exposure level for frontdesk\.service: ([\d.]+)/.exec(judged.stdout)!
      t.diagnostic(`exposure ${exposure}`)
    }
    const { dir, out } = await unitsOf(t, { backends }, '--user')
    const env = { ...process.env, XDG_RUNTIME_DIR: dir }
    const { stderr } = await run(analyze, ['verify', '--user', join(out, 'frontdesk.service')], { env })
    assert.equal(stderr, '')
  })
})

/** Prints each datagram that comes to a Unix socket; Node has no such sockets. */
const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(repr(s.recv(4096).decode()), flush=True)
`

test('it tells systemd when it is ready, reloads and stops', {
  skip: skipWithout('systemd-notify', 'python3'),
}, async (t) => {
  const dir = folder(t)
  const path = join(dir, 'notify.sock')
  const heard: string[] = []
  const listening = spawn('python3', ['-c', receiver, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => void listening.kill('SIGKILL'))
  // Whole lines: how they lie in pieces is not told.
  createInterface(listening.stdout).on('line', (line) => void heard.push(line))
  await until('it is bound', () => heard.length === 1)
  writeConfig(dir, { backends, state_file: null, health_check_method: 'none' })
  const had = process.env.NOTIFY_SOCKET
  process.env.NOTIFY_SOCKET = path
  const starting = Program.start(t, dir)
  if (had === undefined) delete process.env.NOTIFY_SOCKET
  else process.env.NOTIFY_SOCKET = had
  const program = await starting
  // A barrier is what systemd-notify sends after each of its messages, to know that it was taken.
  const said = (): string[] => heard.slice(1).filter((line) => !line.includes('BARRIER=1'))
  await until('READY', () => said().length === 1, 15_000)
  assert.match(
    said()[0]!,
    new RegExp(`^'READY=1\\\\nSTATUS=serving on default .*:${program.port}; admin .*:${program.adminPort}`),
  )
  program.child.kill('SIGHUP')
  await until('RELOADING and READY', () => said().length === 3, 15_000)
  assert.match(said()[1]!, /^'RELOADING=1\\nMONOTONIC_USEC=\d+\\n/)
  assert.match(said()[2]!, /^'READY=1\\n/)
  writeFileSync(join(dir, 'config.json'), '{')
  program.child.kill('SIGHUP')
  await until('the same where the reload fails', () => said().length === 5, 15_000)
  assert.match(said()[4]!, /^'READY=1\\n/)
  program.child.kill('SIGTERM')
  assert.equal((await program.ended()).code, 0)
  await until('STOPPING', () => said().length === 6, 15_000)
  assert.match(said()[5]!, /^'STOPPING=1\\n/)
})
