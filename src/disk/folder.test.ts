import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { DiskStand } from '../../test/support/disk-stand.ts'
import { DiskError } from './disk-error.ts'

describe('folder of the disk tier', () => {
  let stand: DiskStand
  beforeEach(async () => {
    stand = await DiskStand.make()
  })
  afterEach(() => stand.remove())

  const refused = (code: string, words: RegExp): Promise<void> =>
    assert.rejects(stand.open(), (error: DiskError) => {
      assert.ok(error instanceof DiskError)
      assert.equal(error.code, code)
      assert.match(error.message, words)
      return true
    })

  it('is made with all that is above it, for its owner alone', async () => {
    const deep = new DiskStand(join(stand.path, 'a', 'b'))
    await deep.open()
    assert.equal(statSync(deep.path).mode & 0o777, 0o700)
    await deep.stop()
  })

  it('that cannot be made is refused, whatever the system says of it', async () => {
    writeFileSync(join(stand.path, '..', 'file'), '')
    const paths = [join(stand.path, '..', 'file'), join(stand.path, '..', 'file', 'below'), '/proc/none/below']
    for (const path of paths)
      await assert.rejects(new DiskStand(path).open(), /it is not a folder|it cannot be made or used \(ENOENT\)/)
  })

  it('with files of others is refused, and left as it is', async () => {
    mkdirSync(stand.path, { mode: 0o700 })
    writeFileSync(join(stand.path, 'holiday.jpg'), '1')
    mkdirSync(join(stand.path, 'lost+found'))
    await refused('ENOTEMPTY', /there are other files in it \(holiday\.jpg\); name an empty folder, or one of a cache/)
    assert.deepEqual(readdirSync(stand.path).sort(), ['holiday.jpg', 'lost+found'])
  })

  it('that others may write to is refused: they could put answers there', async () => {
    mkdirSync(stand.path)
    chmodSync(stand.path, 0o775)
    await refused('EPERM', /others may write to it; take that from them \(chmod go-w\)/)
    chmodSync(stand.path, 0o755)
    await stand.open()
  })

  it('that is no folder is refused', async () => {
    writeFileSync(stand.path, '')
    await refused('EEXIST', /it is not a folder; name another/)
    const below = new DiskStand(join(stand.path, 'x'))
    await assert.rejects(below.open(), { code: 'ENOTDIR' })
  })

  it('may be a link to one; links in it are not followed', async () => {
    const elsewhere = join(stand.path, '..', 'elsewhere')
    mkdirSync(elsewhere, { mode: 0o700 })
    const victim = join(stand.path, '..', 'victim')
    writeFileSync(victim, 'of somebody else')
    symlinkSync(elsewhere, stand.path)
    for (const name of ['format.tmp', 'bans.tmp', 'bans.1.log']) symlinkSync(victim, join(elsewhere, name))
    await stand.open()
    await stand.disk.tier.purge({ kind: 'all' }, false)
    assert.equal(statSync(victim).size, 'of somebody else'.length)
    assert.deepEqual(stand.said, [])
  })

  it('may have a long path, and is one of one process all the same', async () => {
    const path = join(stand.path, 'x'.repeat(120), 'y'.repeat(120))
    const [first, second] = [new DiskStand(path), new DiskStand(path)]
    await first.open()
    await assert.rejects(second.open(), { code: 'EBUSY' })
    await first.stop()
    await second.open()
    await second.stop()
    assert.deepEqual([...first.said, ...second.said], [])
    assert.ok(!readdirSync(path).includes('lock'))
  })
})
