import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { fetched, storedEntry, versionOf } from '../../test/support/disk-entries.ts'
import { until } from '../../test/support/wait.ts'
import { silentLog } from '../core/log.ts'
import { attachDisk } from './attach-disk.ts'
import { openDisk } from './open-disk.ts'
import type { Disk } from './types.ts'

const mebibyte = 1024 ** 2
let now = Date.now()
const options = (path: string, size = 64 * mebibyte) => ({ path, size, lanes: 2, log: silentLog, now: () => now })

describe('disk tier', () => {
  let folder: string
  let path: string
  let disk: Disk | null
  let counter = 0
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'frontdesk-disk-'))
  })
  beforeEach(() => {
    path = join(folder, `${(counter += 1)}`)
    disk = null
    now = Date.now()
  })
  afterEach(() => disk?.close())
  after(() => rm(folder, { recursive: true }))

  const open = async (size?: number): Promise<Disk> => (disk = await openDisk(options(path, size), { tickMs: 5 }))
  const attach = (lane = 0) => attachDisk({ shared: disk!.shared, lane, now: () => now })
  const restart = async (): Promise<Disk> => {
    await disk!.close()
    return open()
  }
  const urls = async (tier: Disk['tier'], list: readonly string[]): Promise<string[]> => {
    const kept: string[] = []
    for (const url of list) for (const one of await fetched(tier, url)) kept.push(`${url} ${versionOf(one)}`)
    return kept
  }

  it('gives back what was kept, to other threads and after a restart', async () => {
    await open()
    const tier = attach()
    const facts = {
      status: 404,
      flags: 5,
      responseTime: now - 5,
      initialAge: 3,
      lifetime: 1e6,
      staleWhileRevalidate: 7,
      staleIfError: 9,
    }
    const texts = { url: 'http://a/x?y', selector: 'gzip', tags: 'one two', head: 'A: \xe9\r\n' }
    tier.keep(storedEntry({ ...facts, ...texts, bodyLength: 300_000 }))
    tier.keep(storedEntry({ url: 'http://a/small', bodyLength: 0 }))
    const other = attach(1)
    await until('it is kept', () => other.mayHave(texts.url) && other.mayHave('http://a/small'))
    assert.equal(other.mayHave('http://a/other'), false)
    const check = async (of: Disk['tier']): Promise<void> => {
      const [found, ...more] = await fetched(of, texts.url)
      assert.deepEqual([found!.facts, found!.texts, more.length], [facts, texts, 0])
      assert.equal(found!.body.length, 300_000)
      assert.deepEqual(await urls(of, ['http://a/small']), ['http://a/small 0'])
    }
    await check(other)
    await tier.close()
    await other.close()
    await restart()
    assert.equal(disk!.tier.totals().entries, 2)
    await check(attach())
  })
})
