import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Bans } from './bans.ts'
import { DiskIndex } from './disk-index.ts'
import { createDiskMemory, DiskMemory } from './disk-memory.ts'
import { LogHead } from './log-head.ts'

const sizes = { lanes: 2, sets: 4, banCells: 1024, softCells: 256, segmentBytes: 65_536, segments: 4 }
const names = { path: '/var/cache/é', secret: [1, 2 ** 31, 3, 2 ** 32 - 1] }
const made = (): DiskMemory => new DiskMemory(createDiskMemory(sizes, names))
const forEver = 0xffffffff

describe('DiskMemory', () => {
  it('tells those who attach what it was made with', () => {
    const memory = made()
    assert.deepEqual(memory.sizes, sizes)
    assert.deepEqual([memory.path, memory.secret], [names.path, names.secret])
    assert.throws(() => memory.lane64(3), RangeError)
    assert.throws(() => new DiskMemory(new SharedArrayBuffer(8192)), /another layout/)
  })
})

describe('DiskIndex', () => {
  const record = (hi: number, position: number, selector = 0) => {
    return { hi, lo: 1, position, length: 200, selector, until: forEver }
  }

  it('finds the youngest first; a record takes the place of an older one with its selector, never of a younger one', () => {
    const index = new DiskIndex(made())
    assert.equal(index.insert(record(7, 64)), true)
    assert.equal(index.insert(record(7, 128, 1)), true)
    assert.equal(index.insert(record(7, 192)), true)
    assert.equal(index.insert(record(7, 0)), false)
    assert.deepEqual(index.find(7, 1, 0), [
      { position: 192, length: 200, selector: 0 },
      { position: 128, length: 200, selector: 1 },
    ])
    assert.deepEqual([index.has(7, 1), index.has(8, 1), index.has(7, 2), index.entries], [true, false, false, 2])
    index.remove(7, 1, { position: 64, length: 200, selector: 0 })
    assert.equal(index.entries, 2)
    assert.equal(index.removeAll(7, 1), 2)
    assert.deepEqual([index.entries, index.has(7, 1)], [0, false])
  })

  it('in a full set the oldest makes room, but not for one that is older still', () => {
    const index = new DiskIndex(made())
    for (let i = 1; i <= 8; i++) index.insert(record(i, i * 64))
    assert.equal(index.insert(record(9, 0)), false)
    assert.equal(index.insert(record(10, 1000)), true)
    assert.deepEqual(
      [1, 2, 10].map((hi) => index.has(hi, 1)),
      [false, true, true],
    )
    assert.equal(index.entries, 8)
  })

  it('what lies in a segment that is gone is not found, makes room, and is swept away', () => {
    const memory = made()
    const index = new DiskIndex(memory)
    for (let i = 1; i <= 8; i++) index.insert(record(i, i * 64))
    new LogHead(memory, 0).forgetBelow(1)
    assert.equal(index.has(3, 1), false)
    index.insert(record(9, 65_536))
    assert.deepEqual([index.has(9, 1), index.entries], [true, 8])
    assert.equal(index.sweep(0, 2), 2)
    assert.equal(index.sweep(2, 100), 0)
    assert.equal(index.entries, 1)
    index.recount()
    assert.equal(index.entries, 1)
  })

  it('leaves out what is of no use any more', () => {
    const index = new DiskIndex(made())
    index.insert({ ...record(1, 64), until: 4_000_000_000 })
    assert.equal(index.find(1, 1, 4_000_000_000).length, 1)
    assert.equal(index.find(1, 1, 4_000_000_001).length, 0)
  })
})

describe('LogHead', () => {
  it('gives each its bytes, never over the end of a segment', () => {
    const memory = made()
    const [one, two] = [new LogHead(memory, 0), new LogHead(memory, 1)]
    assert.deepEqual([one.reserve(30_000), two.reserve(30_000)], [0, 30_000])
    assert.equal(one.settled, 0)
    one.written()
    assert.equal(one.settled, 30_000)
    two.written()
    assert.equal(two.settled, 60_000)
    assert.equal(two.reserve(5536), -1)
    assert.equal(two.reserve(5535), 60_000)
    assert.equal(two.reserve(1), -1)
    one.advance(1)
    two.advance(1)
    assert.equal(one.reserve(1), 65_536)
  })

  it('what a dead lane was writing is not waited for', () => {
    const memory = made()
    new LogHead(memory, 0).reserve(100)
    const head = new LogHead(memory, 2)
    assert.equal(head.settled, 0)
    head.reclaim(0)
    assert.equal(head.settled, 100)
  })

  it('is degraded with the first problem that is told, until it recovers', () => {
    const head = new LogHead(made(), 0)
    head.degrade('é'.repeat(1000))
    head.degrade('another')
    assert.equal(head.isDegraded, true)
    assert.ok(head.problem.startsWith('ééé'))
    head.recover()
    head.degrade('third')
    assert.equal(head.problem, 'third')
  })
})

describe('Bans', () => {
  const url = (mark: number, hi: number) => ({ mark, url: 'http://a/', hashes: [hi, 5] })

  it('mean what has a lower mark; a mark is below all bans that have not ended', async () => {
    const memory = made()
    const [one, two] = [new Bans(memory, 0), new Bans(memory, 1)]
    const mark = two.mark()
    one.begin({ kind: 'hash', hi: 1, lo: 5 }, false)
    assert.equal(two.mark(), mark, 'the memory of the cache may not be purged yet')
    await Promise.resolve()
    assert.equal(two.mark(), mark + 1)
    assert.deepEqual(
      [two.verdict(url(mark, 1)), two.verdict(url(mark, 2)), two.verdict(url(mark + 1, 1))],
      ['gone', 'good', 'good'],
    )
    assert.deepEqual([two.isHashBanned(mark, 1, 5), two.isHashBanned(mark + 1, 1, 5)], [true, false])
  })

  it('softly, by prefix, and of everything', async () => {
    const memory = made()
    const bans = new Bans(memory, 0)
    bans.begin({ kind: 'hash', hi: 1, lo: 5 }, true)
    bans.begin({ kind: 'prefix', prefix: 'http://b', segment: 0 }, false)
    const said = (hi: number, of: string) => new Bans(memory, 1).verdict({ mark: 0, url: of, hashes: [hi, 5] })
    assert.deepEqual([said(1, 'http://a'), said(2, 'http://a'), said(1, 'http://b/x')], ['stale', 'good', 'gone'])
    bans.begin({ kind: 'all' }, true)
    assert.equal(said(2, 'http://a'), 'stale')
    bans.begin({ kind: 'all' }, false)
    assert.equal(said(2, 'http://a'), 'gone')
  })

  it('of a lane that has died do not hold up marks', () => {
    const memory = made()
    new Bans(memory, 0).begin({ kind: 'hash', hi: 1, lo: 5 }, false)
    const main = new Bans(memory, 2)
    assert.equal(main.mark(), 0)
    main.reclaim(0)
    assert.equal(main.mark(), 1)
  })

  it('can be taken over into more cells or fewer: none is lost', () => {
    const memory = made()
    const bans = new Bans(memory, 0)
    for (let i = 1; i <= 50; i++) bans.begin({ kind: 'hash', hi: i, lo: i * 7 }, false)
    for (const banCells of [256, 1024, 8192]) {
      const other = new Bans(new DiskMemory(createDiskMemory({ ...sizes, banCells }, names)), 0)
      for (const [index, number] of bans.cells(false)) other.raiseCell(false, index, sizes.banCells, number)
      for (let i = 1; i <= 50; i++) assert.equal(other.isHashBanned(i - 1, i, i * 7), true, `${i} in ${banCells}`)
      assert.equal(other.isHashBanned(50, 1, 7), false)
    }
  })
})
