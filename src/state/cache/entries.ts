// The entries of one shard: chains from buckets, each with a version that moves on with every change of its chain. Changed
// under the shard's lock, read without it (see stored-entries.ts).
//
// Why what is read is never garbage: an entry is written whole before it is linked; it is unlinked, and then the version
// moves on, before its memory is used for anything else. So what was read between two looks at one and the same version
// was an entry of the chain all the time.
import type { Bodies } from './bodies.ts'
import { bodyCells } from './bodies.ts'
import type { CacheMemory } from './cache-memory.ts'
import { entryCells, inlineBodyAt, isTextAt, textsAt } from './entry-cells.ts'
import type { Fifo } from './fifo.ts'
import { unitBytes, unitCells } from './geometry.ts'
import { kind, shardCells, shardNumbers } from './shard-cells.ts'
import type { Slab } from './slab.ts'

/** Entries of a bucket; one more, and the oldest goes. */
export const longestChain = 256

export class Entries {
  private readonly cells: Int32Array
  private readonly bytes: Buffer
  private readonly slab: Slab
  private readonly fifo: Fifo
  private readonly bodies: Bodies
  private readonly base: number
  private readonly buckets: number
  private readonly mask: number
  private readonly numbers: Float64Array
  private readonly numberBase: number

  constructor(memory: CacheMemory, shard: number, o: { slab: Slab; fifo: Fifo; bodies: Bodies }) {
    const { shardStart, shardBytes, bucketsAt, buckets } = memory.geometry
    const start = shardStart + shard * shardBytes
    this.cells = memory.cells
    this.bytes = memory.bytes
    this.numbers = memory.numbers
    this.slab = o.slab
    this.fifo = o.fifo
    this.bodies = o.bodies
    this.base = start / 4
    this.numberBase = start / 8
    this.buckets = (start + bucketsAt) / 4
    this.mask = buckets - 1
  }

  get bucketCount(): number {
    return this.mask + 1
  }

  /** The cell of the version of a hash's chain; the next one is the place of its first entry. */
  versionCell(urlHash: number): number {
    return this.buckets + 2 * (urlHash & this.mask)
  }

  versionCellOf(bucket: number): number {
    return this.buckets + 2 * bucket
  }

  /** A number no other change of this shard has. */
  nextSerial(): number {
    return ++this.cells[this.base + shardCells.serial]!
  }

  /** The entry with this URL and selector; 0 = none. */
  find(urlHash: number, keyHash: number, url: string, selector: string): number {
    const { cells, bytes } = this
    for (let ref = cells[this.versionCell(urlHash) + 1]!; ref !== 0; ref = cells[ref * unitCells + entryCells.next]!) {
      const at = ref * unitCells
      if (cells[at + entryCells.keyHash] !== keyHash || cells[at + entryCells.urlHash] !== urlHash) continue
      if (cells[at + entryCells.urlLength] !== url.length) continue
      if (cells[at + entryCells.selectorLength] !== selector.length) continue
      const from = ref * unitBytes + textsAt
      if (isTextAt(bytes, from, url) && isTextAt(bytes, from + url.length, selector)) return ref
    }
    return 0
  }

  /** Whether this very entry is still there: its place may be another's by now. Without the lock it counts by the version. */
  has(ref: number, serial: number, urlHash: number): boolean {
    const { cells } = this
    let next = cells[this.versionCell(urlHash) + 1]!
    // Without the lock a chain may lead anywhere, also out of the memory or in a circle.
    for (let steps = 0; steps < 2 * longestChain && next !== 0; steps++) {
      if (next === ref) return cells[ref * unitCells + entryCells.serial] === serial
      next = cells[next * unitCells + entryCells.next] ?? 0
    }
    return false
  }

  /** Makes an entry, written whole, one that can be found; `old` (0 = none) is replaced by it. */
  insert(ref: number, old: number): void {
    const { cells } = this
    const at = ref * unitCells
    const version = this.versionCell(cells[at + entryCells.urlHash]!)
    cells[at + entryCells.serial] = this.nextSerial()
    cells[at + entryCells.next] = cells[version + 1]!
    if (old === 0) this.fifo.enter(ref)
    else this.fifo.enterAs(old, ref)
    this.count(ref, 1)
    Atomics.store(cells, version + 1, ref)
    if (old !== 0) this.remove(old)
    else {
      Atomics.add(cells, version, 1)
      this.shorten(version)
    }
  }

  /** Takes an entry out and gives its memory back. */
  remove(ref: number): void {
    const { cells } = this
    const at = ref * unitCells
    const version = this.versionCell(cells[at + entryCells.urlHash]!)
    let link = version + 1
    while (cells[link] !== ref) link = cells[link]! * unitCells + entryCells.next
    Atomics.store(cells, link, cells[at + entryCells.next]!)
    Atomics.add(cells, version, 1)
    this.fifo.leave(ref)
    this.count(ref, -1)
    const body = cells[at + entryCells.body]!
    this.slab.give(ref)
    // It may have been handed on to another entry.
    if (body !== 0 && cells[body * unitCells + bodyCells.owner] === ref) this.bodies.orphan(body)
  }

  /** Whether its memory would be free if it were taken out. */
  isHeld(ref: number): boolean {
    const body = this.cells[ref * unitCells + entryCells.body]!
    return body !== 0 && this.cells[body * unitCells + bodyCells.pins] !== 0
  }

  /** Writes the same entry into another chunk of its class, which it lives in from then on. */
  move(ref: number, to: number): void {
    const { cells, bytes } = this
    const at = ref * unitCells
    const body = cells[at + entryCells.body]!
    const end = inlineBodyAt(cells, ref) + (body === 0 ? cells[at + entryCells.bodyLength]! : 0)
    bytes.copyWithin(to * unitBytes, ref * unitBytes, end)
    if (body !== 0) cells[body * unitCells + bodyCells.owner] = to
    this.insert(to, ref)
  }

  /** Adds to the counts of this shard (shardNumbers). */
  add(number: number, by: number): void {
    this.numbers[this.numberBase + number]! += by
  }

  /** Bytes of an entry that are not the store's own. */
  private count(ref: number, sign: number): void {
    const at = ref * unitCells
    const bytes = this.cells[at + entryCells.headLength]! + (this.cells[at + entryCells.bodyLength]! >>> 0)
    this.numbers[this.numberBase + shardNumbers.payload]! += sign * bytes
  }

  private shorten(version: number): void {
    const { cells } = this
    let length = 0
    let last = 0
    for (let ref = cells[version + 1]!; ref !== 0; ref = cells[ref * unitCells + entryCells.next]!) {
      last = ref
      length++
    }
    if (length <= longestChain) return
    this.remove(last)
    this.add(shardNumbers.evicted, 1)
  }

  /** What a chunk is. */
  kindAt(ref: number): number {
    return this.cells[ref * unitCells] ?? kind.free
  }
}
