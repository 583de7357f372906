// A configuration in TypeScript, as its operator sees it: found, checked, served, changed, broken.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startDemoBackend } from '../../src/cli/demo-backend/demo-backend.ts'
import { refusingPort } from '../support/ports.ts'
import { CliProcess, cli } from './cli-process.ts'

interface Folder {
  readonly dir: string
  write(name: string, text: string): void
}

function folder(t: TestContext): Folder {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-typescript-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return { dir, write: (name, text) => writeFileSync(join(dir, name), text) }
}

/** By which a line and a column can be told. */
const config = (backend: string, stamp: string, port = 8080): string => `const word: string = '${stamp}'
export default {
  listeners: [{ name: 'web', listen: '127.0.0.1:${port}' }],
  pools: { main: { backends: ['${backend}'], health_check: { method: 'none' } } },
  routes: [{ pool: 'main', use: [{ onResponse(response) { response.setHeader('X-Stamp', word) } }] }],
  workers: 2,
}
`

test('it is found where there is no config.json, served by workers, and read again on HUP', async (t) => {
  const { dir, write } = folder(t)
  const backend = await startDemoBackend({ port: 0, host: '127.0.0.1' })
  t.after(() => backend.close())
  const port = await refusingPort()
  write('frontdesk.config.ts', config(backend.url, 'one', port))
  const served = new CliProcess(t, ['run'], { cwd: dir })
  await served.says(/"event":"started"/)
  const stampNow = async (): Promise<string | null> => (await fetch(`http://127.0.0.1:${port}/`)).headers.get('x-stamp')
  assert.equal(await stampNow(), 'one')
  write('frontdesk.config.ts', config(backend.url, 'two', port))
  served.signal('SIGHUP')
  await served.says(/configuration applied as revision 2 \(HUP\): plugins: read again/)
  assert.equal(await stampNow(), 'two')
  write('frontdesk.config.ts', `${config(backend.url, 'three', port)}oops(\n`)
  served.signal('SIGHUP')
  await served.says(
    /"event":"reload_failed","message":"frontdesk\.config\.ts:8:\d+: broken code: .* \(nothing changed, the old configuration goes on\)"/,
  )
  assert.equal(await stampNow(), 'two')
  served.signal('SIGTERM')
  assert.equal((await served.ended()).code, 0)
})

test('what is wrong with it ends the start with 78 and its place', async (t) => {
  const { dir, write } = folder(t)
  const words = async (text: string, args: readonly string[] = []): Promise<string> => {
    write('frontdesk.config.ts', text)
    const ended = await cli(t, args, { cwd: dir })
    assert.equal(ended.code, 78, ended.stderr)
    return ended.stderr.split('\n')[0]!
  }
  const good = config('http://localhost:1', 'x')
  assert.equal(
    await words(good.replace("string = 'x'", 'string = ;')),
    'frontdesk.config.ts:1:22: broken code: Expression expected',
  )
  assert.match(
    await words(good.replace("pool: 'main'", "pool: 'mian'"), ['check']),
    /^frontdesk\.config\.ts: routes\[0\]\.pool: .*mian/,
  )
  assert.match(
    await words(good.replace('onResponse', 'onResponze')),
    /^frontdesk\.config\.ts: routes\[0\]\.use\[0\]: has none of the hooks/,
  )
  assert.equal(await words("throw new Error('no key')"), 'frontdesk.config.ts:1:7: failed while it was loaded: no key')
})

test('check tells of it, with config.json beside it of the one that is taken', async (t) => {
  const { dir, write } = folder(t)
  write('frontdesk.config.ts', config('http://localhost:1', 'x'))
  const alone = await cli(t, ['check'], { cwd: dir })
  assert.equal(alone.code, 0, alone.stderr)
  assert.match(
    alone.stdout,
    /^frontdesk\.config\.ts is valid\n\n {2}web +127\.0\.0\.1:8080 +1 route → 1 backend of pool main\n/,
  )
  write('config.json', '{ "backends": ["http://localhost:1"] }')
  const beside = await cli(t, ['check'], { cwd: dir })
  assert.match(beside.stdout, /^config\.json is valid/)
  assert.match(
    beside.stderr,
    /^warning: config\.json is taken; frontdesk\.config\.ts in the same folder is not: name the one you mean with --config\n/,
  )
  const named = await cli(t, ['check', '-c', 'frontdesk.config.ts', '--json'], { cwd: dir })
  assert.deepEqual(JSON.parse(named.stdout), { valid: true, warnings: [] })
})
