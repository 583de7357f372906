// The published package: built, packed, unpacked beside its dependencies, and run from there.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startDemoBackend } from '../../src/cli/demo-backend/demo-backend.ts'
import { CliProcess, cli, root } from './cli-process.ts'

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? stdout + stderr}`)
  return stdout
}

test('the packed package runs without the sources, asks for nothing but Node, and serves', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-package-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const built = join(dir, 'built')
  run(process.execPath, [join(root, 'scripts', 'build.ts'), built], root)
  const packed = run('npm', ['pack', '--silent', '--offline', '--pack-destination', dir, built], dir).trim()
  const modules = join(dir, 'node_modules')
  mkdirSync(modules)
  run('tar', ['-xzf', join(dir, packed)], dir)
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  symlinkSync(join(dir, 'package'), join(modules, 'frontdesk'))

  const manifest = JSON.parse(readFileSync(join(modules, 'frontdesk', 'package.json'), 'utf8')) as Record<
    string,
    unknown
  >
  assert.deepEqual(manifest.engines, { node: '>=24' })
  for (const key of ['scripts', 'devDependencies', 'optionalDependencies']) assert.equal(manifest[key], undefined)
  for (const name of ['LICENSE', 'bin/frontdesk.js', 'cli/main.js', 'cli/main.d.ts']) {
    assert.ok(existsSync(join(modules, 'frontdesk', name)), name)
  }
  for (const [source, name] of [
    ['README.md', 'README.md'],
    ['CHANGELOG.md', 'CHANGELOG.md'],
    ['src/index.ts', 'index.js'],
  ]) {
    assert.equal(existsSync(join(modules, 'frontdesk', name!)), existsSync(join(root, source!)), name)
  }
  const left = readdirSync(join(modules, 'frontdesk'), { recursive: true, encoding: 'utf8' })
  assert.deepEqual(
    left.filter((name) => /(?<!\.d)\.ts$|\.test\./.test(name)),
    [],
  )

  const script = join(modules, 'frontdesk', 'bin', 'frontdesk.js')
  const version = await cli(t, ['version'], { script, cwd: dir })
  assert.match(version.stdout, new RegExp(`^frontdesk ${String(manifest.version)} `))
  const backend = await startDemoBackend({ name: 'red', host: '127.0.0.1', port: 0 })
  t.after(() => backend.close())
  const proxy = new CliProcess(t, ['proxy', '--from', '127.0.0.1:0', '--to', backend.url, '--workers', '1'], {
    script,
    cwd: dir,
  })
  const [, url] = await proxy.says(/"url":"(http:[^"]+)"/)
  const counted = await cli(t, ['request', url!, '-n', '3', '--json'], { script, cwd: dir })
  assert.deepEqual((JSON.parse(counted.stdout) as { backends: unknown }).backends, { red: 3 })
  proxy.child.kill('SIGTERM')
  assert.equal((await proxy.ended()).code, 0)
})
