// The published package: built, packed, installed by npm in an empty project, and used there as a program and as a library.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { publicEntries } from '../../scripts/package/entries.ts'
import { startDemoBackend } from '../../src/cli/demo-backend/demo-backend.ts'
import { refusingPort } from '../support/ports.ts'
import { snippetsOf } from '../support/snippets.ts'
import { CliProcess, cli, root } from './cli-process.ts'

const dir = mkdtempSync(join(tmpdir(), 'frontdesk-package-'))
const modules = join(dir, 'node_modules')
const installed = join(modules, 'frontdesk')
after(() => rmSync(dir, { recursive: true, force: true }))

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? stdout + stderr}`)
  return stdout
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly dev?: true; readonly optional?: true; readonly devOptional?: true; readonly link?: true }>
  >
}

/** What the package needs at run time, and what that needs. */
function runTimePackages(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock
  // The dashboard is bundled into the package: a workspace, not a package that is installed.
  const wanted = Object.entries(packages).filter(
    ([path, o]) => path.startsWith('node_modules/') && !o.link && !o.dev && !o.optional && !o.devOptional,
  )
  return wanted.map(([path]) => path)
}

const json = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>

/** As npm does it from the registry; here every package comes from the repository's own modules, so that no network is asked. */
before(() => {
  const built = join(dir, 'built')
  run(process.execPath, [join(root, 'scripts', 'build.ts'), built], root)
  const tarball = run('npm', ['pack', '--silent', '--offline', '--pack-destination', dir, built], dir).trim()
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
  const packages = runTimePackages().map((path) => join(root, path))
  const options = ['--offline', '--ignore-scripts', '--install-links', '--no-audit', '--no-fund']
  run('npm', ['install', ...options, join(dir, tarball), ...packages], dir)
})

test('it has compiled files, the types its entries lead to, and asks for nothing but Node and a few packages', () => {
  const manifest = json(join(installed, 'package.json'))
  assert.deepEqual([manifest.engines, manifest.type, manifest.sideEffects], [{ node: '>=24' }, 'module', false])
  assert.deepEqual(manifest.dependencies, json(join(root, 'package.json')).dependencies)
  for (const key of ['scripts', 'devDependencies', 'optionalDependencies', 'private']) {
    assert.equal(manifest[key], undefined, key)
  }
  const exported = manifest.exports as Record<string, string | Record<string, string>>
  assert.deepEqual(Object.keys(exported), [...publicEntries().map(({ path }) => path), './package.json'])
  for (const target of Object.values(exported).flatMap((entry) =>
    Object.values(entry === String(entry) ? [entry] : entry),
  )) {
    assert.ok(existsSync(join(installed, target)), target)
  }
  for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md', 'bin/frontdesk.js', 'cli/main.js', 'worker/thread.js']) {
    assert.ok(existsSync(join(installed, name)), name)
  }
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' })
  assert.deepEqual(
    files.filter((name) => /(?<!\.d)\.ts$|\.test\.|\.map$/.test(name)),
    [],
  )
})

test('its size and its dependencies are what the guide says', () => {
  const guide = readFileSync(join(root, 'docs', 'guide', 'library.md'), 'utf8')
  const [, kilobytes, direct, all] = /([\d,.]+) KB packed.*?(\d+) dependencies.*?(\d+) packages/s.exec(guide) ?? []
  const tarball = readdirSync(dir).find((name) => name.endsWith('.tgz'))!
  const packed = readFileSync(join(dir, tarball)).length / 1000
  assert.ok(Math.abs(packed - Number(kilobytes)) < 0.15 * packed, `${packed} KB packed; the guide says ${kilobytes}`)
  assert.equal(Object.keys(json(join(root, 'package.json')).dependencies as object).length, Number(direct))
  assert.equal(runTimePackages().length, Number(all))
})

test('the program runs without the sources and serves', async (t) => {
  const script = join(modules, '.bin', 'frontdesk')
  const version = await cli(t, ['version'], { script, cwd: dir })
  assert.match(version.stdout, new RegExp(`^frontdesk ${String(json(join(installed, 'package.json')).version)} `))
  const backend = await startDemoBackend({ name: 'red', host: '127.0.0.1', port: 0 })
  t.after(() => backend.close())
  const admin = `http://127.0.0.1:${await refusingPort()}`
  const ports = ['--from', '127.0.0.1:0', '--admin-port', new URL(admin).port]
  const args = ['proxy', ...ports, '--to', backend.url, '--workers', '1']
  const proxy = new CliProcess(t, args, { script, cwd: dir })
  const [, url] = await proxy.says(/"url":"(http:[^"]+)"/)
  const counted = await cli(t, ['request', url!, '-n', '3', '--json'], { script, cwd: dir })
  assert.deepEqual((JSON.parse(counted.stdout) as { backends: unknown }).backends, { red: 3 })
  const page = await fetch(admin, { headers: { accept: 'text/html' } })
  const [bundle] = /\/assets\/[^"]+\.js/.exec(await page.text())!
  const code = await fetch(`${admin}${bundle}`)
  assert.equal(code.headers.get('content-encoding'), 'gzip')
  assert.match(await code.text(), /last-event-id/)
  proxy.child.kill('SIGTERM')
  assert.equal((await proxy.ended()).code, 0)
})

const program = `
import { createServer } from 'node:http'
import { once } from 'node:events'
import { createFrontdesk, type FrontdeskConfig, type FrontdeskEvent, ListenError } from 'frontdesk'

const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as { port: number }
const words = (event: FrontdeskEvent): string => (event.type === 'backend_down' ? event.cause : event.type)
for (const workers of [0, 2]) {
  const config: FrontdeskConfig = { port: 0, backends: [\`http://127.0.0.1:\${port}\`], workers }
  await using proxy = await createFrontdesk(config)
  const events = proxy.events()
  await proxy.start()
  const answer = await fetch(\`http://127.0.0.1:\${proxy.listeners[0]?.port}/\`)
  console.log(workers, answer.status, await answer.text(), proxy.status().workers.length)
  void proxy.close()
  const seen = new Set<string>()
  for await (const event of events) seen.add(words(event))
  console.log([...seen].filter((word) => word !== 'backend_up').join(' '))
}
const taken = await createFrontdesk({ listeners: [{ name: 'taken', listen: \`127.0.0.1:\${port}\` }], backends: ['http://x'] })
await taken.start().catch((error: unknown) => console.log(error instanceof ListenError && error.code))
server.close()
`

test('a program in TypeScript uses it as a library, with and without workers, and ends', async (t) => {
  writeFileSync(join(dir, 'program.ts'), program)
  const ended = await cli(t, [], { script: join(dir, 'program.ts'), cwd: dir })
  assert.deepEqual(ended.stdout.trim().split('\n'), [
    '0 200 hello 1',
    'draining closed',
    '2 200 hello 2',
    'draining closed',
    'EADDRINUSE',
  ])
  assert.deepEqual([ended.code, ended.stderr], [0, ''])
})

/** Type-checks what lies in the project; returns what the compiler says. */
function compile(files: readonly string[], ...options: string[]): string {
  if (!existsSync(join(modules, '@types'))) {
    mkdirSync(join(modules, '@types'))
    symlinkSync(join(root, 'node_modules', '@types', 'node'), join(modules, '@types', 'node'))
  }
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--lib', 'esnext']
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  return spawnSync(tsc, [...strict, '--types', 'node', ...options, ...files], { cwd: dir, encoding: 'utf8' }).stdout
}

test('its types check in a strict project, and lead to no other package', () => {
  writeFileSync(join(dir, 'program.ts'), program)
  assert.equal(compile(['program.ts']), '')
  assert.equal(compile(['program.ts'], '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'), '')
  const entries = publicEntries().map(({ specifier }, i) => `export * as e${i} from '${specifier}'`)
  writeFileSync(join(dir, 'entries.ts'), entries.join('\n'))
  const files = compile(['entries.ts'], '--listFiles').split('\n')
  assert.deepEqual(
    files.filter((path) => /error TS/.test(path) || (path.startsWith(modules) && !path.startsWith(installed))),
    [],
  )
  writeFileSync(
    join(dir, 'wrong.ts'),
    `import { createFrontdesk } from 'frontdesk'\nawait createFrontdesk({ prot: 1 })\n`,
  )
  assert.match(compile(['wrong.ts']), /'prot' does not exist in type/)
})

test('the programs of the guide check with its types', () => {
  const files = snippetsOf('docs/guide/library.md').map(({ line, code }) => {
    writeFileSync(join(dir, `line-${line}.ts`), code)
    return `line-${line}.ts`
  })
  assert.equal(compile(files), '')
})
