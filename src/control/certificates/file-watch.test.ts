import assert from 'node:assert/strict'
import { watch } from 'node:fs'
import { mkdir, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { folder } from '../../../test/support/program.ts'
import { until, within } from '../../../test/support/wait.ts'
import { FileWatch } from './file-watch.ts'

interface Bed {
  readonly dir: string
  readonly watch: FileWatch
  readonly problems: string[]
  /** Does it, waits until that was seen, and follows anew, as the owner of a watch does. */
  seen(what: string, change: () => Promise<unknown>): Promise<void>
}

/** Events come in order: when a later one of another folder has come, all have that were before it. */
async function marker(t: TestContext): Promise<() => Promise<void>> {
  const at = join(folder(t), 'marker')
  let changes = 0
  const watch = new FileWatch({ delayMs: 5, onChange: () => (changes += 1), onProblem: () => {} })
  t.after(() => watch.close())
  await watch.follow([at])
  return async () => {
    const before = changes
    await writeFile(at, String(before))
    await until('the marker is seen', () => changes > before)
  }
}

async function bed(t: TestContext, paths: (dir: string) => string[], pollMs?: number): Promise<Bed> {
  const dir = folder(t)
  const problems: string[] = []
  let changes = 0
  const watch = new FileWatch({
    delayMs: 5,
    pollMs: pollMs ?? 60_000,
    onChange: () => (changes += 1),
    onProblem: (where, code) => problems.push(`${code} ${where}`),
  })
  t.after(() => watch.close())
  const settled = await marker(t)
  const seen = async (what: string, change: () => Promise<unknown>): Promise<void> => {
    const before = changes
    await change()
    await until(what, () => changes > before)
    // What belongs to the same change may come in several events.
    for (let known = -1; known !== changes; ) {
      known = changes
      await within('following', watch.follow(paths(dir)))
      await settled()
    }
  }
  return { dir, watch, problems, seen }
}

const file = (dir: string): string[] => [join(dir, 'tls', 'a.pem')]

test('sees a file written, renamed over, removed and back', async (t) => {
  const { dir, watch, seen, problems } = await bed(t, file)
  const at = join(dir, 'tls', 'a.pem')
  await mkdir(join(dir, 'tls'))
  await writeFile(at, '1')
  await watch.follow(file(dir))
  assert.deepEqual(watch.folders, [join(dir, 'tls')])
  await seen('it is written', () => writeFile(at, '2'))
  await seen('another takes its place', async () => {
    await writeFile(`${at}.new`, '3')
    await rename(`${at}.new`, at)
  })
  await seen('it is removed', () => unlink(at))
  await seen('it is back', () => writeFile(at, '4'))
  await seen('it is touched', () => utimes(at, 1, 1))
  assert.deepEqual(problems, [])
})

test('other files of the folder are nothing to it', async (t) => {
  const { dir, watch, seen } = await bed(t, file)
  await mkdir(join(dir, 'tls'))
  await writeFile(join(dir, 'tls', 'a.pem'), '1')
  let wrong = 0
  const other = new FileWatch({ delayMs: 5, onChange: () => (wrong += 1), onProblem: () => {} })
  t.after(() => other.close())
  await other.follow([join(dir, 'tls', 'b.pem')])
  await watch.follow(file(dir))
  await seen('it is written', () => writeFile(join(dir, 'tls', 'a.pem'), '2'))
  assert.equal(wrong, 0)
})

test('sees the swap of a symbolic link on the way, as Kubernetes does it', async (t) => {
  const { dir, watch, seen } = await bed(t, file)
  const tls = join(dir, 'tls')
  for (const version of ['..1', '..2', '..3']) {
    await mkdir(join(tls, version), { recursive: true })
    await writeFile(join(tls, version, 'a.pem'), version)
  }
  await symlink('..1', join(tls, '..data'))
  await symlink(join('..data', 'a.pem'), join(tls, 'a.pem'))
  await watch.follow(file(dir))
  assert.deepEqual([...watch.folders].sort(), [tls, join(tls, '..1')])
  for (const version of ['..2', '..3']) {
    await seen(`${version} is in place`, async () => {
      await symlink(version, join(tls, '..data_tmp'))
      await rename(join(tls, '..data_tmp'), join(tls, '..data'))
    })
    assert.deepEqual([...watch.folders].sort(), [tls, join(tls, version)])
  }
  await seen('the target itself is written', () => writeFile(join(tls, '..3', 'a.pem'), 'x'))
})

test('sees the target of an absolute link replaced, in its own folder', async (t) => {
  const live = (dir: string): string[] => [join(dir, 'live', 'a.pem')]
  const { dir, watch, seen } = await bed(t, live)
  await mkdir(join(dir, 'live'))
  await mkdir(join(dir, 'archive'))
  await writeFile(join(dir, 'archive', 'a1.pem'), '1')
  await symlink(join(dir, 'archive', 'a1.pem'), join(dir, 'live', 'a.pem'))
  await watch.follow(live(dir))
  await seen('the target is written', () => writeFile(join(dir, 'archive', 'a1.pem'), '2'))
  await writeFile(join(dir, 'archive', 'a2.pem'), '3')
  await seen('the link leads elsewhere', async () => {
    await symlink(join(dir, 'archive', 'a2.pem'), join(dir, 'live', 'next'))
    await rename(join(dir, 'live', 'next'), join(dir, 'live', 'a.pem'))
  })
  await seen('the new target is written', () => writeFile(join(dir, 'archive', 'a2.pem'), '4'))
})

test('a folder that goes away and comes back, or is swapped, is watched again', async (t) => {
  const { dir, watch, seen, problems } = await bed(t, file)
  const tls = join(dir, 'tls')
  const fill = async (name: string): Promise<void> => {
    await mkdir(join(dir, name))
    await writeFile(join(dir, name, 'a.pem'), name)
  }
  await fill('tls')
  await watch.follow(file(dir))
  await seen('it is gone', () => rm(tls, { recursive: true }))
  assert.deepEqual(watch.folders, [dir])
  await seen('it is back', () => fill('tls'))
  assert.deepEqual(watch.folders, [tls])
  await seen('the file is written', () => writeFile(join(tls, 'a.pem'), '2'))
  await fill('next')
  await seen('another folder takes its place', async () => {
    await rename(tls, join(dir, 'old'))
    await rename(join(dir, 'next'), tls)
  })
  await seen('the file in the new one is written', () => writeFile(join(tls, 'a.pem'), '3'))
  assert.deepEqual(problems, [])
})

test('looks from time to time where no event comes', async (t) => {
  const { dir, watch, seen } = await bed(t, file, 30)
  await mkdir(join(dir, 'tls'))
  await watch.follow(file(dir))
  await seen('it looks', async () => {})
})

test('a folder that cannot be watched is told of once, looked at from time to time, and watched when it can be', async (t) => {
  const dir = folder(t)
  await writeFile(join(dir, 'a.pem'), '1')
  const problems: string[] = []
  let refusing = true
  let looks = 0
  const watcher: FileWatch = new FileWatch({
    delayMs: 5,
    pollMs: 10,
    onChange: () => {
      looks += 1
      void watcher.follow([join(dir, 'a.pem')])
    },
    onProblem: (where, code) => problems.push(`${code} ${where}`),
    watchFolder: (where) => {
      if (refusing) throw Object.assign(new Error('no watches left'), { code: 'ENOSPC' })
      return watch(where, { persistent: false })
    },
  })
  t.after(() => watcher.close())
  await watcher.follow([join(dir, 'a.pem')])
  await until('it has looked some times', () => looks >= 3)
  assert.deepEqual(problems, [`ENOSPC ${dir}`])
  refusing = false
  await until('it is watched', () => watcher.folders.length === 1)
})

test('a loop of links ends, and closing ends everything', async (t) => {
  const { dir, watch } = await bed(t, file)
  await symlink('tls', join(dir, 'tls'))
  await watch.follow(file(dir))
  assert.deepEqual(watch.folders, [dir])
  watch.close()
  assert.deepEqual(watch.folders, [])
})
