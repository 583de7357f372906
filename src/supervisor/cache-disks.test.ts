// A folder is closed when nobody uses it any more, and only then opened again.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fetched, storedEntry } from '../../test/support/disk-entries.ts'
import { until } from '../../test/support/wait.ts'
import { silentLog } from '../core/log.ts'
import { CacheDisks } from './cache-disks.ts'

test('a folder that is left is opened again when all that used it have closed theirs, or have died', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'frontdesk-disks-'))
  t.after(() => rmSync(path, { recursive: true }))
  const disks = new CacheDisks({ lanes: 3, log: silentLog, now: Date.now })
  t.after(() => disks.closeAll())
  const spec = { path, size: 64 * 2 ** 20 }
  const first = await disks.open(spec, false)
  await assert.rejects(disks.open(spec, false), { code: 'EBUSY' })
  disks.leave(first, [0, 1, 2])
  let isOpen = false
  const second = disks.open({ path, size: 80 * 2 ** 20 }, true).then((held) => {
    isOpen = true
    return held
  })
  disks.closed(0, first.id)
  disks.closed(1, first.id + 7)
  disks.reclaim(2)
  await new Promise(setImmediate)
  assert.equal(isOpen, false, 'one of them has not said so yet')
  disks.closed(1, first.id)
  await until('it is open again', () => isOpen)
  assert.equal((await second).disk.tier.totals().size, 80 * 2 ** 20)
  await disks.close(await second)
  const third = await disks.open(spec, false)
  disks.leave(third, [0])
  await disks.closeAll()
  await disks.close(await disks.open(spec, false))
})

test('what is in a folder that was left while it runs is asked for again, also after a restart', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'frontdesk-disks-'))
  t.after(() => rmSync(path, { recursive: true }))
  const disks = new CacheDisks({ lanes: 1, log: silentLog, now: Date.now })
  t.after(() => disks.closeAll())
  const spec = { path, size: 64 * 2 ** 20 }
  const url = 'http://a/1'
  const first = await disks.open(spec, false)
  first.disk.tier.keep(storedEntry({ url }))
  await until('it is kept', () => first.disk.tier.mayHave(url))
  // What is purged from now on, this folder will not know of.
  disks.leave(first, [])
  await disks.closeAll()
  const again = await disks.open(spec, false)
  const [one] = await fetched(again.disk.tier, url)
  assert.ok(one!.facts.lifetime <= Date.now() - one!.facts.responseTime)
})
