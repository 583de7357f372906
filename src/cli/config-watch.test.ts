// With real files, replaced in the ways in which people and machines replace them.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, open, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../../test/support/wait.ts'
import { silentLog } from '../core/log.ts'
import { ConfigWatch } from './config-watch.ts'

async function scene(t: TestContext, path = 'config.json') {
  const folder = await mkdtemp(join(tmpdir(), 'frontdesk-watch-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, path)
  const named: string[] = []
  /** What was in the file at each reload. */
  const reloads: string[] = []
  const reload = async (): Promise<void> => {
    const text = await readFile(file, 'utf8')
    reloads.push(text)
    if (text === 'wrong') throw new Error('refused')
  }
  const start = async (text: string, settleMs = 20): Promise<void> => {
    const watch = await ConfigWatch.start({ log: silentLog, path: file, text, files: () => named, reload, settleMs })
    t.after(() => watch.close())
  }
  const seen = (count: number) => until(`there were ${count} reloads`, () => reloads.length >= count)
  return { folder, file, named, reloads, start, seen }
}

test('a file that is written in place or replaced by renaming is applied, each time', async (t) => {
  const { folder, file, reloads, start, seen } = await scene(t)
  await writeFile(file, 'one')
  await start('one')
  await writeFile(file, 'two')
  await seen(1)
  await writeFile(join(folder, 'config.json.new'), 'three')
  await rename(join(folder, 'config.json.new'), file)
  await seen(2)
  // As vim does with a backup: the old one is renamed, a new one is made.
  await rename(file, `${file}~`)
  await writeFile(file, 'four')
  await seen(3)
  assert.deepEqual(reloads, ['two', 'three', 'four'])
})

test('a file that is being written is left alone until it keeps still', async (t) => {
  const { file, reloads, start, seen } = await scene(t)
  await writeFile(file, 'one')
  await start('one', 300)
  const handle = await open(file, 'w')
  // Longer than what is gathered before a first look.
  const until = performance.now() + 400
  let written = ''
  while (performance.now() < until) {
    await handle.write('half ')
    written += 'half '
    await new Promise((next) => setImmediate(next))
  }
  await handle.write('whole')
  await handle.close()
  await seen(1)
  assert.deepEqual(reloads, [`${written}whole`])
})

test('what was refused is no obstacle for what comes after it', async (t) => {
  const { file, reloads, start, seen } = await scene(t)
  await writeFile(file, 'one')
  await start('one')
  await writeFile(file, 'wrong')
  await seen(1)
  await writeFile(file, 'mended')
  await seen(2)
  assert.deepEqual(reloads, ['wrong', 'mended'])
})

test('the links that Kubernetes turns around are followed', async (t) => {
  const { folder, file, reloads, start, seen } = await scene(t)
  for (const version of ['v1', 'v2', 'v3']) {
    await mkdir(join(folder, version))
    await writeFile(join(folder, version, 'config.json'), version)
  }
  await symlink('v1', join(folder, '..data'))
  await symlink(join('..data', 'config.json'), file)
  await start('v1')
  for (const [i, version] of ['v2', 'v3'].entries()) {
    await symlink(version, join(folder, '..data_tmp'))
    await rename(join(folder, '..data_tmp'), join(folder, '..data'))
    await seen(i + 1)
  }
  assert.deepEqual(reloads, ['v2', 'v3'])
})

test('files that it names are watched too, also those that come later', async (t) => {
  const { folder, file, named, reloads, start, seen } = await scene(t)
  const users = join(folder, 'users')
  const page = join(folder, 'page.html')
  await writeFile(file, 'one')
  await writeFile(users, 'ann')
  await writeFile(page, 'oops')
  named.push(users)
  await start('one')
  await writeFile(users, 'ann\nbob')
  await seen(1)
  named.push(page)
  await writeFile(file, 'two')
  await seen(2)
  await writeFile(page, 'sorry')
  await seen(3)
  assert.deepEqual(reloads, ['one', 'two', 'two'])
})

test('what was saved while it started is applied, and what is saved unchanged is not', async (t) => {
  const { folder, file, reloads, start, seen } = await scene(t)
  await writeFile(file, 'two')
  await start('one')
  await seen(1)
  await writeFile(file, 'two')
  const other = await open(join(folder, 'other'), 'w')
  await other.close()
  await writeFile(file, 'three')
  await seen(2)
  assert.deepEqual(reloads, ['two', 'three'])
})
