// The image: its file read as Docker reads it, and its steps done by hand, as there may be no engine to build it with.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { startDemoBackend } from '../../src/cli/demo-backend/demo-backend.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ask } from '../support/load.ts'
import { refusingPort } from '../support/ports.ts'
import { folder } from '../support/program.ts'
import { CliProcess, root } from './cli-process.ts'

interface Instruction {
  readonly name: string
  readonly rest: string
}

/** Comments out, lines that go on put together. */
function instructionsIn(text: string): Instruction[] {
  const whole = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, ' ')
  return whole.split('\n').flatMap((line) => {
    const match = /^([A-Z]+)\s+(.*)$/.exec(line.trim())
    assert.ok(line.trim() === '' || match !== null, `no instruction: ${line}`)
    return match === null ? [] : [{ name: match[1]!, rest: match[2]! }]
  })
}

const instructions = instructionsIn(readFileSync(join(root, 'Dockerfile'), 'utf8'))
const starts = instructions.flatMap(({ name }, i) => (name === 'FROM' ? [i] : []))
const last = instructions.slice(starts.at(-1))
const valuesOf = (name: string): string[] => last.filter((one) => one.name === name).map(({ rest }) => rest)
const ignoreLines = readFileSync(join(root, '.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => /^[^#\s]/.test(line))

/** Names that begin with a dot are no exception, as they are for shells. */
function patternOf(pattern: string): RegExp {
  const parts = pattern.split('**/').map((part) =>
    part
      .split('*')
      .map((literal) => literal.replace(/[.+^$()|[\]{}\\?]/g, '\\$&'))
      .join('[^/]*'),
  )
  const source = parts.join('(?:.*/)?')
  return new RegExp(`^${source}(?:/.*)?$`)
}

/** The rule of .dockerignore: the last line that fits decides; one that names a folder stands for what is in it. */
function isSent(path: string): boolean {
  let sent = true
  for (const line of ignoreLines) {
    const isException = line.startsWith('!')
    const pattern = isException ? line.slice(1) : line
    if (patternOf(pattern).test(path)) sent = isException
  }
  return sent
}

test('the last stage has no build tools, no root, a check of its health, and signals that reach the program', () => {
  const stages = starts.map((i) => instructions[i]!.rest)
  assert.ok(stages.length >= 2, 'several stages')
  for (const stage of stages) assert.match(stage, /^node:24-slim( AS \w+)?$/)
  assert.match(valuesOf('USER').join(), /^[1-9]\d*:[1-9]\d*$/, 'a number: Kubernetes knows no names')
  assert.deepEqual(valuesOf('STOPSIGNAL'), ['SIGTERM'])
  assert.deepEqual(valuesOf('VOLUME'), ['/var/lib/frontdesk'])
  const [health = ''] = valuesOf('HEALTHCHECK')
  assert.match(health, /^--interval=\S+ --timeout=\S+ .*CMD \["node", "[^"]+"\]$/)
  const entry = JSON.parse(valuesOf('ENTRYPOINT')[0]!) as string[]
  assert.equal(entry[0], 'node', 'no shell stands between process 1 and the program')
  assert.deepEqual(JSON.parse(valuesOf('CMD')[0]!), ['run', '-c', '/etc/frontdesk/config.json'])
  assert.doesNotMatch(valuesOf('RUN').join(), /npm (?:ci|install)|apt-get|curl|wget/)
  assert.ok(last.findIndex(({ name }) => name === 'USER') > last.findLastIndex(({ name }) => name === 'RUN'))
  // What is run lies where the stages before have put it.
  const copied = valuesOf('COPY').map((rest) => rest.split(/\s+/).at(-1)!)
  for (const path of [entry[1]!, (JSON.parse(/\[.*\]/.exec(health)![0]) as string[])[1]!]) {
    assert.ok(
      copied.some((target) => path === target || path.startsWith(`${target}/`)),
      path,
    )
  }
})

test('everything that is copied exists, and is sent', () => {
  const names = new Set<string>()
  for (const { name, rest } of instructions) {
    if (name === 'FROM') names.add(/ AS (\w+)$/.exec(rest)?.[1] ?? '')
    if (name !== 'COPY') continue
    const from = /^--from=(\w+)\s/.exec(rest)
    if (from !== null) {
      assert.ok(names.has(from[1]!), rest)
      continue
    }
    for (const source of rest.split(/\s+/).slice(0, -1)) {
      if (source === '.') continue
      assert.ok(existsSync(join(root, source)), source)
      assert.ok(isSent(source), `${source} is in .dockerignore`)
    }
  }
  for (const path of ['src/cli/main.ts', 'bin/frontdesk.js', 'scripts/build.ts', 'dashboard/src/main.tsx', 'LICENSE']) {
    assert.ok(isSent(path), path)
  }
  for (const path of [
    'node_modules/hono/package.json',
    'dashboard/node_modules/a/b.js',
    '.git/config',
    'config.json',
    'test/e2e/docker.test.ts',
    'src/config/load.test.ts',
    'frontdesk.state.json',
  ]) {
    assert.ok(!isSent(path), path)
  }
})

test('the compose file drains before it kills, and gives the container nothing that it does not need', () => {
  const { services, volumes, secrets } = parse(readFileSync(join(root, 'deploy/docker/compose.yaml'), 'utf8'))
  const { frontdesk } = services
  assert.ok(
    Number.parseInt(frontdesk.stop_grace_period, 10) >
      loadConfig({ value: { backends: ['http://a'] } }).config.shutdown.graceMs / 1000,
  )
  assert.deepEqual([frontdesk.read_only, frontdesk.cap_drop], [true, ['ALL']])
  assert.ok(frontdesk.volumes.includes('state:/var/lib/frontdesk') && 'state' in volumes)
  for (const name of frontdesk.secrets) assert.ok(name in secrets)
})

const isRoot = process.getuid?.() === 0

/** Where others than root may look. */
function openFolder(path: string): string {
  mkdirSync(path, { recursive: true })
  chmodSync(path, 0o755)
  return path
}

test('what the stages make runs as another user, keeps its state, tells its health and drains on TERM', {
  skip: isRoot ? false : 'only root can run a program as somebody else',
}, async (t) => {
  const dir = folder(t)
  chmodSync(dir, 0o755)
  // The context that Docker would be sent, and the commands of the stages in it; packages come from here.
  const context = openFolder(join(dir, 'src'))
  const skipped = new Set(['node_modules', '.git', 'dist', '.work'])
  for (const entry of globSync('**/*', { cwd: root, withFileTypes: true, exclude: ({ name }) => skipped.has(name) })) {
    const path = relative(root, join(entry.parentPath, entry.name))
    if (entry.isDirectory() || !isSent(path)) continue
    mkdirSync(dirname(join(context, path)), { recursive: true })
    copyFileSync(join(root, path), join(context, path))
  }
  symlinkSync(join(root, 'node_modules'), join(context, 'node_modules'))
  command(process.execPath, ['scripts/build.ts'], context)
  const pack = openFolder(join(dir, 'pack'))
  command('npm', ['pack', './dist', '--offline', '--silent', '--pack-destination', pack], context)
  const [tarball] = globSync('*.tgz', { cwd: pack })
  const modules = openFolder(join(dir, 'opt', 'lib', 'node_modules'))
  command('tar', ['-xzf', join(pack, tarball!), '-C', modules], dir)
  command('mv', ['package', 'frontdesk'], modules)
  symlinkSync(join(root, 'node_modules'), join(dir, 'opt', 'node_modules'))
  // In the image these are copied, and readable to all.
  command('chmod', ['-R', 'a+rX', modules], dir)

  const backend = await startDemoBackend({ name: 'red', host: '127.0.0.1', port: 0 })
  t.after(() => backend.close())
  const [port, adminPort] = [await refusingPort(), await refusingPort()]
  const etc = openFolder(join(dir, 'etc'))
  const state = openFolder(join(dir, 'state'))
  const uid = 10_001
  chownSync(state, uid, uid)
  writeFileSync(
    join(etc, 'config.json'),
    JSON.stringify({
      port,
      admin_port: adminPort,
      backends: [backend.url],
      state_file: join(state, 'frontdesk.state.json'),
      workers: 2,
    }),
  )
  const script = join(modules, 'frontdesk', 'bin', 'frontdesk.js')
  // A shell that becomes the program, as another user: the test's own options have none.
  const args = [
    '--reuid',
    String(uid),
    '--regid',
    String(uid),
    '--clear-groups',
    process.execPath,
    script,
    'run',
    '-c',
    join(etc, 'config.json'),
  ]
  const program = new CliProcess(t, args.slice(1), {
    node: 'setpriv',
    script: args[0]!,
    cwd: state,
    env: { NODE_ENV: 'production', HOME: state },
  })
  await program.says(/"event":"started"/)
  assert.equal((await ask(port)).status, 200)
  const health = (url: string) => {
    const env = { ...process.env, FRONTDESK_HEALTH_URL: url }
    const { status, stdout } = spawnSync(process.execPath, [join(root, 'deploy/docker/health.mjs')], {
      env,
      encoding: 'utf8',
    })
    return [status, stdout.trim()]
  }
  assert.deepEqual(health(`http://127.0.0.1:${adminPort}/readyz`), [0, 'ready'])
  assert.deepEqual(health(`http://127.0.0.1:${adminPort}/nothing`), [1, 'not ready: status 404'])
  assert.equal(health(`http://127.0.0.1:${await refusingPort()}/readyz`)[0], 1)
  const body = JSON.stringify({ url: 'http://127.0.0.1:9' })
  const headers = { 'content-type': 'application/json' }
  assert.equal((await ask(adminPort, { method: 'POST', path: '/backends', headers, body })).status, 201)
  assert.match(readFileSync(join(state, 'frontdesk.state.json'), 'utf8'), /127\.0\.0\.1:9/)
  program.child.kill('SIGTERM')
  assert.equal((await program.ended()).code, 0)
})

function command(name: string, args: readonly string[], cwd: string): void {
  const { status, stdout, stderr, error } = spawnSync(name, args, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, `${name} ${args.join(' ')}: ${error?.message ?? stdout + stderr}`)
}
