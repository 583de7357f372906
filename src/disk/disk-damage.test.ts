// Whatever becomes of the files, nothing torn is handed over and nothing that was purged comes back.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { fetched, storedEntry, versionOf } from '../../test/support/disk-entries.ts'
import { DiskStand, versions } from '../../test/support/disk-stand.ts'
import { Random } from '../../test/support/random.ts'
import { until } from '../../test/support/wait.ts'
import { banSumName } from './ban-sum.ts'
import { checkpointName } from './checkpoint.ts'
import { segmentName } from './segments.ts'

const urls = Array.from({ length: 300 }, (_, i) => `http://a.example/${i}`)
const purged = urls.filter((_, i) => i % 10 === 0)
const rest = urls.filter((_, i) => i % 10 !== 0)
const segment = segmentName(0)

describe('damaged files of the disk tier', () => {
  let stand: DiskStand
  beforeEach(async () => {
    stand = await DiskStand.make()
    await stand.open()
    const tier = stand.attach()
    for (const [i, url] of urls.entries()) tier.keep(storedEntry({ url, version: i, bodyLength: (i * 37) % 6000 }))
    await stand.kept(urls)
    for (const url of purged) tier.forget(url)
    await stand.stop()
  })
  afterEach(() => stand.remove())

  const file = (name: string): string => join(stand.path, name)
  const change = (name: string, edit: (bytes: Buffer) => void): void => {
    const bytes = readFileSync(file(name))
    edit(bytes)
    writeFileSync(file(name), bytes)
  }
  const scanned = (count: number): Promise<void> =>
    until('all records are found', () => stand.disk.tier.totals().entries >= count)
  const opened = async (): Promise<string[]> => {
    await stand.open()
    return versions(stand.attach(), rest)
  }

  it('an index that is damaged, cut, foreign or gone is made anew from the records', async () => {
    const edits: readonly (() => void)[] = [
      () => change(checkpointName, (bytes) => bytes.writeUInt8(bytes[5000]! ^ 1, 5000)),
      () => truncateSync(file(checkpointName), 70_000),
      () => writeFileSync(file(checkpointName), 'something else'),
      () => writeFileSync(file(checkpointName), ''),
    ]
    for (const edit of edits) {
      edit()
      await stand.open()
      await scanned(rest.length)
      const tier = stand.attach()
      assert.equal((await versions(tier, rest)).length, rest.length)
      assert.deepEqual(await versions(tier, purged), [])
      await stand.stop()
    }
    assert.deepEqual(stand.said, [])
  })

  it('without a sound account of what was purged nothing is served, which is said', async () => {
    change(banSumName, (bytes) => bytes.writeUInt8(bytes[bytes.length - 20]! ^ 4, bytes.length - 20))
    assert.deepEqual(await opened(), [])
    assert.equal(stand.said.filter(({ name }) => name === 'cache_disk_emptied').length, 1)
    assert.ok(!readdirSync(stand.path).includes(segment), 'its files are gone')
    const tier = stand.attach(1)
    tier.keep(storedEntry({ url: urls[0]! }))
    await stand.kept([urls[0]!])
    assert.equal((await versions(await stand.restart(), [urls[0]!])).length, 1)
  })

  it('nor if a file with the youngest purges is damaged or missing; one that is cut at its end is none', async () => {
    const bans = (): string => readdirSync(stand.path).find((name) => /^bans\.\d+\.log$/.test(name))!
    truncateSync(file(bans()), readFileSync(file(bans())).length - 7)
    assert.equal((await opened()).length, rest.length)
    assert.equal(stand.has('cache_disk_emptied'), false)
    stand.disk.tier.forget(rest[0]!)
    await stand.stop()
    change(bans(), (bytes) => bytes.writeUInt8(bytes[20]! ^ 16, 20))
    assert.deepEqual(await opened(), [])
    assert.equal(stand.has('cache_disk_emptied'), true)
  })

  it('files of another version, or of an unknown one, are thrown away', async () => {
    change('format', (bytes) => bytes.write('9', bytes.indexOf('"version":') + 10))
    assert.deepEqual(await opened(), [])
    assert.ok(!readdirSync(stand.path).includes(segment))
  })

  it('random flips and cuts in segments: what is handed over is whole, what was purged stays away', async () => {
    const random = new Random()
    const intact = readFileSync(file(segment))
    for (let round = 0; round < 25; round++) {
      const bytes = Buffer.from(intact)
      const flips = random.between(1, 40)
      for (let i = 0; i < flips; i++) {
        const at = random.between(0, bytes.length - 1)
        bytes[at] = bytes[at]! ^ (1 << random.between(0, 7))
      }
      if (random.between(0, 3) === 0) {
        const from = random.between(0, bytes.length)
        bytes.fill(random.between(0, 1) * 255, from, Math.min(bytes.length, from + random.between(1, 100_000)))
      }
      const kept = random.between(0, 4) === 0 ? random.between(0, bytes.length) : bytes.length
      writeFileSync(file(segment), bytes.subarray(0, kept))
      // With the index, and by looking through the records.
      if (round % 2 === 0) writeFileSync(file(checkpointName), '')
      const where = `seed ${random.seed}, round ${round}`
      await stand.open()
      const tier = stand.attach()
      const check = async (): Promise<void> => {
        for (const url of urls) {
          for (const found of await fetched(tier, url)) {
            assert.equal(found.texts.url, url, where)
            assert.equal(versionOf(found), Number(url.slice(17)), where)
            assert.ok(!purged.includes(url), `${url} has come back: ${where}`)
          }
        }
      }
      await check()
      const fresh = `http://a.example/new/${round}`
      tier.keep(storedEntry({ url: fresh }))
      await stand.kept([fresh], tier)
      await check()
      assert.equal((await versions(tier, [fresh])).length, 1, where)
      await stand.stop()
    }
    assert.deepEqual(stand.said, [])
  })

  it('a record in the middle of a body is not taken for one', async () => {
    const record = readFileSync(file(segment)).subarray(0, 4096)
    await stand.open()
    const tier = stand.attach()
    // What somebody sends who has seen a file of this very folder, at all places where one may begin.
    const body = Buffer.concat(Array.from({ length: 20 }, () => record))
    const entry = storedEntry({ url: 'http://evil.example/', bodyLength: body.length })
    tier.keep({
      ...entry,
      open: () => ({ ...entry.open()!, read: (at) => (at < body.length ? body.subarray(at) : null) }),
    })
    await stand.kept(['http://evil.example/'])
    await stand.stop()
    change(checkpointName, (bytes) => bytes.fill(0))
    // Its own header is damaged, so that records are looked for in what follows.
    change(segment, (bytes) =>
      bytes.fill(1, bytes.lastIndexOf('http://evil.example/') - 100, bytes.lastIndexOf('http://evil.example/')),
    )
    await stand.open()
    await scanned(rest.length)
    await stand.disk.tier.purge({ kind: 'url', url: 'http://nothing.example/' }, false)
    assert.equal(stand.disk.tier.totals().entries, rest.length)
    assert.equal((await versions(stand.attach(), rest)).length, rest.length)
  })

  it('counts what it finds damaged', async () => {
    change(segment, (bytes) => bytes.writeUInt8(bytes[bytes.length - 100]! ^ 1, bytes.length - 100))
    assert.equal((await opened()).length, rest.length - 1)
    assert.equal(stand.disk.tier.totals().damaged, 1)
    assert.equal(stand.disk.tier.totals().entries, rest.length - 1)
  })
})
