// `frontdesk reload` and `frontdesk config …` at a running Frontdesk.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { folder, Program } from '../support/program.ts'
import { cli, type Ended } from './cli-process.ts'

async function backend(t: TestContext): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Stand {
  readonly file: string
  readonly program: Program
  write(text: string): void
  run(...args: readonly string[]): Promise<Ended>
  revision(): Promise<number>
}

async function stand(t: TestContext, text: string): Promise<Stand> {
  const dir = folder(t)
  const file = join(dir, 'config.json')
  writeFileSync(file, text)
  const program = await Program.start(t, dir, { workers: 1 })
  const run = (...args: readonly string[]) =>
    cli(t, args, { cwd: dir, env: { FRONTDESK_ADMIN: String(program.adminPort) } })
  const revision = async () => (JSON.parse((await run('status', '--json')).stdout) as { revision: number }).revision
  return { file, program, write: (more) => writeFileSync(file, more), run, revision }
}

test('reload --dry-run prints the plan and changes nothing; reload applies it', async (t) => {
  const [a, b, c] = [await backend(t), await backend(t), await backend(t)]
  const it = await stand(t, `{ "backends": ["${a}", "${b}"] }`)
  const before = await it.revision()
  const idle = await it.run('reload')
  assert.deepEqual([idle.code, idle.stdout], [0, `nothing in the file has changed: revision ${before} stays\n`])

  it.write(`{ "strategy": "least-conn", "backends": [{ "url": "${a}", "weight": 3 }, "${c}"] }`)
  const dry = await it.run('reload', '--dry-run')
  assert.deepEqual([dry.code, dry.stderr], [0, ''])
  assert.match(dry.stdout, /^ {2}~ +pool +default +strategy round-robin → least-conn$/m)
  assert.match(dry.stdout, new RegExp(`^ {2}~ +backend +${a} \\(pool default\\) +weight 1 → 3$`, 'm'))
  assert.match(dry.stdout, new RegExp(`^ {2}\\+ +backend +${c} \\(pool default\\)`, 'm'))
  assert.match(dry.stdout, new RegExp(`^ {2}- +backend +${b} \\(pool default\\)`, 'm'))
  assert.match(
    dry.stdout,
    /\n1 added, 2 changed, 1 removed; no live connection is touched; "frontdesk reload" applies it\n$/,
  )
  assert.equal(await it.revision(), before)

  const json = JSON.parse((await it.run('reload', '--dry-run', '--json')).stdout) as { dry_run: boolean; plan: object }
  assert.deepEqual([json.dry_run, Object.keys(json.plan).includes('steps')], [true, true])
  const done = await it.run('reload')
  assert.equal(done.code, 0)
  assert.match(done.stdout, new RegExp(`applied as revision ${before + 1}: .*"frontdesk config rollback" goes back\n$`))
  assert.equal(await it.revision(), before + 1)
})

test('a file with mistakes: exit 78, every mistake with its place, nothing changed', async (t) => {
  const url = await backend(t)
  const it = await stand(t, `{ "backends": ["${url}"] }`)
  const before = await it.revision()
  it.write(`{\n  "strategy": "least-con",\n  "backends": ["${url}"],\n  "healthcheck": 1\n}`)
  for (const args of [['reload'], ['reload', '--dry-run']]) {
    const ended = await it.run(...args)
    assert.deepEqual([ended.code, ended.stdout], [78, ''])
    assert.match(ended.stderr, /^frontdesk: 2 problems in the configuration; nothing was changed\n/)
    assert.match(ended.stderr, /^ {2}config\.json:2:15: strategy: .*least-conn/m)
    assert.match(ended.stderr, /^ {2}config\.json:4:3: healthcheck: /m)
  }
  assert.equal(await it.revision(), before)
  it.write('{ "backends": [ }')
  const broken = await it.run('reload')
  assert.equal(broken.code, 78)
  assert.match(broken.stderr, /config\.json:1:17: /)
})

test('a running Frontdesk is found by a file that is in the middle of an edit', async (t) => {
  const url = await backend(t)
  const it = await stand(t, `{ "backends": ["${url}"] }`)
  const { adminPort } = it.program
  const dir = folder(t)
  for (const text of [
    `{ "admin_port": ${adminPort}, "backends": [`,
    `{ "admin": { "listen": "127.0.0.1:${adminPort}" }, "strategy": "no such", "backends": [] }`,
    `{ "admin_port": ${adminPort} "backends": "x" }`,
  ]) {
    writeFileSync(join(dir, 'config.json'), text)
    const { code, stdout } = await cli(t, ['status', '--json'], { cwd: dir })
    assert.deepEqual([code, (JSON.parse(stdout) as { total_backends: number }).total_backends], [0, 1], text)
  }
})

test('what was taken out while it ran is a difference too', async (t) => {
  const [stays, goes] = [await backend(t), await backend(t)]
  const it = await stand(t, `{ "backends": ["${stays}", "${goes}"] }`)
  assert.equal((await it.run('backends', 'remove', goes)).code, 0)
  const diff = (await it.run('config', 'diff')).stdout
  assert.match(diff, /^Changed while it ran, not in the file \(1 value\):\n/)
  assert.ok(diff.includes(`  pools.default.backends[${goes}]  removed  changed  by admin API`), diff)
  assert.equal((await it.run('config', 'save')).code, 0)
  assert.match((await it.run('config', 'diff')).stdout, /^no difference: /)
})

test('config show, diff, history, rollback and save', async (t) => {
  const url = await backend(t)
  const it = await stand(t, `{\n  // kept\n  "backends": ["${url}"]\n}\n`)
  assert.equal((await it.run('config', 'diff')).stdout, 'no difference: what runs is what the file says\n')
  const first = await it.revision()
  assert.equal((await it.run('backends', 'weight', url, '9')).code, 0)

  const shown = JSON.parse((await it.run('config', 'show')).stdout) as { pools: { default: { backends: unknown[] } } }
  assert.deepEqual(shown.pools.default.backends, [{ url, weight: 9 }])
  const expanded = (await it.run('config', 'show', '--expanded')).stdout
  assert.match(expanded, /"strategy": "round-robin"/)

  const origin = (await it.run('config', 'show', '--origin')).stdout
  assert.match(origin, /^ {2}pools\.default\.backends\[\S+\]\.url +http\S+ +file +config\.json:3:16$/m)
  assert.match(origin, /\.weight +9 +changed +by admin API \(127\.0\.0\.1.*\), 20\S+ \S+Z, revision \d+$/m)
  assert.match(origin, /\d+ defaults not shown: --expanded shows them/)
  assert.match((await it.run('config', 'show', '--origin', '--expanded')).stdout, /strategy +round-robin +default/)

  const diff = await it.run('config', 'diff')
  assert.match(
    diff.stdout,
    /^Changed while it ran, not in the file \(1 value\):\n[\s\S]*weight +9[\s\S]*"frontdesk config save"/,
  )
  const history = (await it.run('config', 'history')).stdout
  assert.match(
    history,
    new RegExp(`^ {2}${first + 1} \\* +\\d+ s ago +.*weight 1 → 9 +admin API .*, PATCH /backends$`, 'm'),
  )
  assert.match(history, new RegExp(`back +frontdesk config rollback ${first} --dry-run`))

  const dry = await it.run('config', 'rollback', '--dry-run')
  assert.match(dry.stdout, /weight 9 → 1\n[\s\S]*"frontdesk config rollback" does it\n$/)
  assert.equal(await it.revision(), first + 1)
  const back = await it.run('config', 'rollback', String(first))
  assert.match(back.stdout, new RegExp(`went back, as revision ${first + 2}: 1 changed; `))
  const unknown = await it.run('config', 'rollback', '999')
  assert.deepEqual([unknown.code, /"frontdesk config history" lists/.test(unknown.stderr)], [1, true])
  const none = await it.run('config', 'save')
  assert.match(none.stdout, /^nothing to save: /)

  await it.run('backends', 'weight', url, '4')
  const saved = await it.run('config', 'save')
  assert.match(saved.stdout, /1 change saved in config\.json: /)
  const text = readFileSync(it.file, 'utf8')
  assert.ok(text.includes('// kept') && /"weight": *4/.test(text), text)
  assert.equal((await it.run('config', 'diff')).stdout, 'no difference: what runs is what the file says\n')
})

test('where both have changed a value, the plan says who wins', async (t) => {
  const url = await backend(t)
  const it = await stand(t, `{ "backends": ["${url}"] }`)
  await it.run('backends', 'weight', url, '9')
  it.write(`{ "backends": [{ "url": "${url}", "weight": 2 }] }`)
  const dry = await it.run('reload', '--dry-run')
  assert.match(dry.stdout, /^ {2}! .*weight/m)
  assert.match(dry.stdout, /weight 9 → 2/)
})

test('without a file there is nothing to save, and it is said that the change holds', async (t) => {
  const [a, b] = [await backend(t), await backend(t)]
  const dir = folder(t)
  const { CliProcess } = await import('./cli-process.ts')
  const args = ['run', '--backend', a, '--port', '0', '--admin-port', '0', '--workers', '1']
  const served = new CliProcess(t, args, { cwd: dir })
  const [, admin = ''] = await served.says(/"admin":"http:\/\/localhost:(\d+)"/)
  const ended = await cli(t, ['backends', 'add', b, '--save', '--admin', admin], { cwd: dir })
  assert.equal(ended.code, 1)
  assert.match(ended.stderr, /the change is in force and survives a restart, but is not in the file: /)
})
