// A disk that is full or fails: memory goes on alone, it is said once, and the disk is used again when it is better.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { storedEntry } from '../../test/support/disk-entries.ts'
import { DiskStand, mebibyte, versions } from '../../test/support/disk-stand.ts'
import { until } from '../../test/support/wait.ts'
import { banSumName } from './ban-sum.ts'
import { type DiskFiles, nodeFiles } from './files.ts'
import type { DiskTier } from './types.ts'

/** Operations of these kinds fail, with this code, while `failing` has them. */
class FailingFiles implements DiskFiles {
  readonly failing = new Set<keyof DiskFiles>()
  code = 'EIO'
  open: DiskFiles['open'] = (path, how) => this.#try(how === 'read' ? 'read' : 'open', () => nodeFiles.open(path, how))
  read: DiskFiles['read'] = (...args) => this.#try('read', () => nodeFiles.read(...args))
  write: DiskFiles['write'] = async (fd, bytes, position) => {
    // What a full disk does: some of it arrives, then the error.
    if (this.failing.has('write')) await nodeFiles.write(fd, [bytes[0]!.subarray(0, 20)], position)
    await this.#try('write', () => nodeFiles.write(fd, bytes, position))
  }
  sync: DiskFiles['sync'] = (fd) => this.#try('sync', () => nodeFiles.sync(fd))
  close: DiskFiles['close'] = (fd) => nodeFiles.close(fd)
  size: DiskFiles['size'] = (fd) => this.#try('read', () => nodeFiles.size(fd))
  rename: DiskFiles['rename'] = (...args) => this.#try('rename', () => nodeFiles.rename(...args))
  remove: DiskFiles['remove'] = (path) => this.#try('remove', () => nodeFiles.remove(path))
  list: DiskFiles['list'] = (path) => this.#try('list', () => nodeFiles.list(path))

  async #try<T>(kind: keyof DiskFiles, work: () => Promise<T>): Promise<T> {
    if (this.failing.has(kind)) throw Object.assign(new Error(`${this.code}: ${kind}`), { code: this.code })
    return work()
  }
}

const [one, two, three] = ['http://a/1', 'http://a/2', 'http://a/3'] as const

describe('a disk tier on a failing disk', () => {
  let stand: DiskStand
  let files: FailingFiles
  let tier: DiskTier
  beforeEach(async () => {
    stand = await DiskStand.make()
    files = new FailingFiles()
    stand.files = files
  })
  afterEach(() => stand.remove())

  const begin = async (): Promise<void> => {
    await stand.open()
    tier = stand.attach()
    tier.keep(storedEntry({ url: one }))
    await stand.kept([one])
  }
  const degraded = (): Promise<void> => until('it is degraded', () => tier.totals().state === 'degraded')
  const better = async (): Promise<void> => {
    files.failing.clear()
    await until('it is better', () => tier.totals().state === 'ok')
  }
  const saidTimes = (name: string): number => stand.said.filter((one) => one.name === name).length

  it('that is full: what is there is served, nothing is written, then it is again', async () => {
    await begin()
    files.code = 'ENOSPC'
    files.failing.add('write')
    tier.keep(storedEntry({ url: two }))
    await degraded()
    const problem = `${stand.path} cannot be written to: no space is left on its file system (ENOSPC)`
    assert.equal(tier.totals().problem, problem)
    await until('it is said', () => stand.has('cache_disk_degraded'))
    assert.ok(stand.said[0]!.message.includes(problem))
    assert.deepEqual(await versions(tier, [one, two]), [`${one} 0`])
    tier.keep(storedEntry({ url: two }))
    assert.ok(tier.totals().dropped >= 2)
    // In the place of an answer that could not be kept an older one would be wrong.
    tier.keep(storedEntry({ url: one, version: 1 }))
    assert.deepEqual(await versions(tier, [one]), [])
    await better()
    assert.equal(tier.totals().problem, null)
    tier.keep(storedEntry({ url: three }))
    await stand.kept([three])
    assert.deepEqual([saidTimes('cache_disk_degraded'), saidTimes('cache_disk_recovered')], [1, 1])
    assert.deepEqual(await versions(await stand.restart(), [two, three]), [`${three} 0`])
  })

  it('that cannot be read', async () => {
    await begin()
    files.failing.add('read')
    assert.deepEqual(await versions(tier, [one]), [])
    assert.equal(tier.totals().state, 'degraded')
    assert.match(tier.totals().problem ?? '', /cannot be read: the disk reports errors \(EIO\)/)
    await better()
    assert.deepEqual(await versions(tier, [one]), [`${one} 0`])
  })

  it('where purges cannot be written down: they hold, and the next start begins empty', async () => {
    await begin()
    tier.keep(storedEntry({ url: two }))
    await stand.kept([two])
    files.failing.add('write')
    assert.equal(await stand.disk.tier.purge({ kind: 'url', url: one }, false), 1)
    assert.deepEqual(await versions(tier, [one, two]), [`${two} 0`])
    assert.ok(!readdirSync(stand.path).includes(banSumName))
    const copy = await stand.afterKill()
    assert.deepEqual(await versions(copy.attach(), [one, two]), [])
    assert.ok(copy.has('cache_disk_emptied'))
    await copy.remove()
    // Once it is better, all that was purged is written down.
    await better()
    assert.deepEqual(await versions(await stand.restart(), [one, two]), [`${two} 0`])
  })

  it('where a worker cannot write down what it makes invalid', async () => {
    await begin()
    files.failing.add('sync').add('write')
    tier.forget(one)
    await until('nothing else is trusted', () => !readdirSync(stand.path).includes(banSumName))
    assert.deepEqual(await versions(tier, [one]), [])
    await better()
    assert.deepEqual(await versions(await stand.restart(), [one]), [])
  })

  it('where not even that is possible: whoever purges is told', async () => {
    await begin()
    files.failing.add('write').add('remove')
    const purge = stand.disk.tier.purge({ kind: 'all' }, false)
    await assert.rejects(purge, (error: NodeJS.ErrnoException) => {
      assert.equal(error.code, 'EIO')
      assert.match(error.message, /remove the files in it before the next start/)
      return true
    })
    assert.deepEqual(await versions(tier, [one]), [])
    await better()
  })

  it('from the start: it is used as soon as it is better', async () => {
    files.failing.add('open').add('write')
    await stand.open()
    tier = stand.attach()
    assert.equal(tier.totals().state, 'degraded')
    tier.keep(storedEntry({ url: one }))
    assert.equal(tier.totals().dropped, 1)
    await better()
    tier.keep(storedEntry({ url: one }))
    await stand.kept([one])
    assert.deepEqual(await versions(await stand.restart(), [one]), [`${one} 0`])
  })

  it('that fails when what is there is opened', async () => {
    await begin()
    await stand.stop()
    files.failing.add('read')
    await stand.open()
    tier = stand.attach()
    assert.deepEqual(await versions(tier, [one]), [])
    await better()
    tier.keep(storedEntry({ url: one, version: 1 }))
    await stand.kept([one])
    assert.deepEqual(await versions(await stand.restart(), [one]), [`${one} 1`])
  })

  it('whose files somebody removes while it runs', async () => {
    await begin()
    for (const name of readdirSync(stand.path)) if (name.endsWith('.segment')) rmSync(join(stand.path, name))
    assert.deepEqual(await versions(await attachedAnew(), [one]), [])
    assert.equal(tier.mayHave(one), false)
    assert.equal(tier.totals().state, 'ok')
  })

  for (const [how, take] of [
    ['folder', (path: string) => rmSync(path, { recursive: true })],
    ['contents', (path: string) => readdirSync(path).forEach((name) => void rmSync(join(path, name)))],
    ['name', (path: string) => renameSync(path, `${path}.old`)],
  ] as const)
    it(`whose ${how} somebody takes away while it runs: it is made and locked again, and used`, async () => {
      await begin()
      take(stand.path)
      await until('it is said', () => stand.has('cache_disk_degraded'))
      await better()
      assert.deepEqual(await versions(tier, [one]), [])
      assert.equal(tier.totals().entries, 0)
      tier.keep(storedEntry({ url: two }))
      await stand.kept([two])
      assert.deepEqual(await versions(tier, [two]), [`${two} 0`])
      assert.equal(tier.totals().damaged, 0)
      await assert.rejects(new DiskStand(stand.path).open(), /another process uses it/)
      assert.deepEqual(await versions(await stand.restart(), [one, two]), [`${two} 0`])
    })

  it('in whose place somebody puts a folder with other files: it is left alone', async () => {
    await begin()
    rmSync(stand.path, { recursive: true })
    mkdirSync(stand.path, { mode: 0o700 })
    writeFileSync(join(stand.path, 'holiday.jpg'), '1')
    await degraded()
    assert.match(tier.totals().problem ?? '', /have been removed/)
    await stand.stop()
    assert.deepEqual(readdirSync(stand.path), ['holiday.jpg'])
  })

  const attachedAnew = async (): Promise<DiskTier> => stand.attach(1)

  const isRoot = process.getuid?.() === 0
  it('a small file system that fills up in earnest', { skip: isRoot ? false : 'only root may mount' }, async (t) => {
    const mount = join(stand.path, '..', 'small')
    mkdirSync(mount)
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m,mode=700', 'none', mount])
    if (status !== 0) return t.skip('mounting is not allowed here')
    const small = new DiskStand(join(mount, 'cache'))
    try {
      await small.open()
      tier = small.attach()
      const filler = join(mount, 'filler')
      writeFileSync(filler, Buffer.alloc(5 * mebibyte - 256 * 1024))
      const urls = Array.from({ length: 60 }, (_, i) => `http://a/${i}`)
      for (const url of urls) tier.keep(storedEntry({ url, bodyLength: 50_000 }))
      await degraded()
      assert.match(tier.totals().problem ?? '', /no space is left/)
      const before = await versions(tier, urls)
      assert.ok(before.length < urls.length)
      rmSync(filler)
      await better()
      for (const url of urls) tier.keep(storedEntry({ url, bodyLength: 50_000 }))
      await small.kept(urls)
      assert.equal((await versions(await small.restart(), urls)).length, urls.length)
    } finally {
      await small.stop()
      spawnSync('umount', [mount])
    }
  })
})
