// `frontdesk run --watch` as a user runs it: what is saved is in force.
import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startDemoBackend } from '../../src/cli/demo-backend/demo-backend.ts'
import { CliProcess } from './cli-process.ts'

test('what is saved is applied; a broken file leaves the old configuration in force, and says so', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-watch-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const [red, green] = await Promise.all(
    ['red', 'green'].map((name) => startDemoBackend({ name, host: '127.0.0.1', port: 0 })),
  )
  t.after(() => Promise.all([red!.close(), green!.close()]))
  const page = join(dir, 'page.txt')
  const save = (backend: string): void => {
    const routes = [{ name: 'page', match: { path: '/page' }, respond: { status: 200, file: 'page.txt' } }]
    writeFileSync(join(dir, 'new.json'), JSON.stringify({ backends: [backend], routes }))
    renameSync(join(dir, 'new.json'), join(dir, 'config.json'))
  }
  writeFileSync(page, 'before')
  save(red!.url)
  const served = new CliProcess(t, ['--port', '0', '--admin-port', '0', '--workers', '1'], {
    cwd: dir,
    env: { FRONTDESK_WATCH: '1' },
  })
  const [, url] = await served.says(/"url":"(http:\/\/[^"]+)"/)
  const ask = async (path: string): Promise<string> => (await fetch(`${url}${path}`)).text()
  await served.says(/"event":"watching"/)
  assert.match(await ask('/'), /red/)
  save(green!.url)
  await served.says(/"event":"reloaded".*revision 2 \(file watch\)/)
  assert.match(await ask('/'), /green/)
  writeFileSync(join(dir, 'config.json'), '{ "backends": [')
  await served.says(/"event":"reload_failed".*config\.json:1:\d+: .*the old configuration goes on/)
  assert.match(await ask('/'), /green/)
  save(red!.url)
  await served.says(/revision 3 \(file watch\)/)
  assert.match(await ask('/'), /red/)
  assert.equal(await ask('/page'), 'before')
  writeFileSync(page, 'after')
  await served.says(/revision 4 \(file watch\)/)
  assert.equal(await ask('/page'), 'after')
})
