// Counts everything in the memory of the store of cached answers anew, and says what does not agree. While nobody is at it.
import { bodyCells } from '../../src/state/cache/bodies.ts'
import { CacheThread } from '../../src/state/cache/cache-thread.ts'
import { entryCells, isMainBit } from '../../src/state/cache/entry-cells.ts'
import { flightCells, flightState } from '../../src/state/cache/flight-table.ts'
import { pageUnits, unitBytes, unitCells } from '../../src/state/cache/geometry.ts'
import type { Shard } from '../../src/state/cache/shard.ts'
import { kind, pageCells, shardCells, shardNumbers } from '../../src/state/cache/shard-cells.ts'
import { classUnits } from '../../src/state/cache/slab.ts'
import { totalsOf } from '../../src/state/cache/totals.ts'

/** One sentence for everything that is wrong. */
export function problemsOfStore(buffer: SharedArrayBuffer): string[] {
  const thread = new CacheThread(buffer, 0, { isOnlyLooking: true })
  const problems = thread.shards.flatMap((shard) => new Check(thread, shard).run())
  const { used, memory } = totalsOf(thread)
  if (used > memory) problems.push(`${used} bytes are in use of ${memory}`)
  return problems
}

class Check {
  private readonly problems: string[] = []
  private readonly cells: Int32Array
  private readonly thread: CacheThread
  private readonly shard: Shard
  /** Chunks that something leads to. */
  private readonly chunks = new Set<number>()
  private readonly bodies = new Set<number>()
  private readonly pages = new Set<number>()

  constructor(thread: CacheThread, shard: Shard) {
    this.thread = thread
    this.shard = shard
    this.cells = thread.memory.cells
  }

  run(): string[] {
    this.same('lock', this.cells[this.shard.base]!, 0)
    const entries = this.entries()
    this.queue(entries, false)
    this.queue(entries, true)
    this.same('entries without a queue', entries.size, 0)
    this.held()
    for (const body of this.bodies) this.body(body)
    this.memory()
    return this.problems.map((problem) => `shard ${this.shard.number}: ${problem}`)
  }

  private same(what: string, found: number, expected: number): void {
    if (found !== expected) this.problems.push(`${what}: ${found}, should be ${expected}`)
  }

  private entries(): Set<number> {
    const { cells, shard } = this
    const entries = new Set<number>()
    let payload = 0
    for (let bucket = 0; bucket < shard.entries.bucketCount; bucket++) {
      const version = shard.entries.versionCellOf(bucket)
      for (let ref = cells[version + 1]!; ref !== 0; ref = cells[ref * unitCells + entryCells.next]!) {
        const at = ref * unitCells
        if (entries.has(ref)) this.problems.push(`entry ${ref} is in a chain twice`)
        if (entries.has(ref)) break
        entries.add(ref)
        this.same(`kind of entry ${ref}`, cells[at]!, kind.entry)
        this.same(`bucket of entry ${ref}`, shard.entries.versionCell(cells[at + entryCells.urlHash]!), version)
        payload += cells[at + entryCells.headLength]! + (cells[at + entryCells.bodyLength]! >>> 0)
        this.use(ref)
        const body = cells[at + entryCells.body]!
        if (body === 0) continue
        this.same(`owner of body ${body}`, cells[body * unitCells + bodyCells.owner]!, ref)
        this.bodies.add(body)
      }
    }
    const { mainCount, smallCount } = shardCells
    this.same('entries', cells[shard.base + mainCount]! + cells[shard.base + smallCount]!, entries.size)
    this.same('payload', this.thread.memory.numbers[shard.base / 2 + shardNumbers.payload]!, payload)
    return entries
  }

  /** Takes the entries of a queue from those that are left. */
  private queue(entries: Set<number>, isMain: boolean): void {
    const { cells, shard } = this
    const of = isMain ? 1 : 0
    let count = 0
    let units = 0
    let prev = 0
    for (let ref = cells[shard.base + shardCells.smallHead + 2 * of]!; ref !== 0; ) {
      const at = ref * unitCells
      if (!entries.delete(ref))
        this.problems.push(`what stands in a queue at ${ref} is no entry, or stands there twice`)
      if (count > 1e7) break
      count++
      this.same(`queue of ${ref}`, (cells[at + entryCells.status]! & isMainBit) === 0 ? 0 : 1, of)
      this.same(`before ${ref}`, cells[at + entryCells.prevQueued]!, prev)
      units += classUnits[shard.slab.classAt(ref)]!
      if (cells[at + entryCells.body] !== 0) units += Math.ceil((cells[at + entryCells.bodyLength]! >>> 0) / unitBytes)
      prev = ref
      ref = cells[at + entryCells.nextQueued]!
    }
    this.same('last of a queue', cells[shard.base + shardCells.smallTail + 2 * of]!, prev)
    this.same('count of a queue', cells[shard.base + shardCells.smallCount + of]!, count)
    this.same('units of a queue', cells[shard.base + shardCells.smallUnits + of]!, units)
  }

  /** What flights and threads hold. */
  private held(): void {
    const { cells, shard } = this
    const pins = new Map<number, number>()
    const pin = (ref: number): void => {
      pins.set(ref, (pins.get(ref) ?? 0) + 1)
      this.bodies.add(ref)
    }
    const { ledgerStart, ledgerSlots, lanes } = this.thread.memory.geometry
    for (let cell = ledgerStart / 4; cell < ledgerStart / 4 + lanes * ledgerSlots; cell++)
      if (cells[cell] !== 0 && shard.holds(cells[cell]!)) pin(cells[cell]!)
    let filling = 0
    shard.flights.each((at) => {
      if (cells[at] === flightState.mark) return
      if (cells[at] !== flightState.ended) filling++
      if (cells[at + flightCells.body] !== 0) pin(cells[at + flightCells.body]!)
      if (cells[at + flightCells.head] !== 0) this.use(cells[at + flightCells.head]!)
    })
    this.same('filling', cells[shard.base + shardCells.filling]!, filling)
    for (const ref of this.bodies)
      this.same(`pins of body ${ref}`, cells[ref * unitCells + bodyCells.pins]!, pins.get(ref) ?? 0)
  }

  private body(ref: number): void {
    const { cells, shard } = this
    const at = ref * unitCells
    this.same(`kind of body ${ref}`, cells[at]!, kind.body)
    this.use(ref)
    let count = 0
    let last = 0
    for (let page = cells[at + bodyCells.firstPage]!; page !== 0 && count < 1e6; count++) {
      if (this.pages.has(page - 1)) this.problems.push(`page ${page - 1} is in two bodies`)
      this.pages.add(page - 1)
      this.same(`use of page ${page - 1}`, cells[shard.slab.description(page - 1) + pageCells.use]!, -1)
      last = page
      page = cells[shard.slab.description(page - 1) + pageCells.next]!
    }
    this.same(`pages of body ${ref}`, cells[at + bodyCells.pages]!, count)
    this.same(`last page of body ${ref}`, cells[at + bodyCells.lastPage]!, last)
  }

  private use(ref: number): void {
    if (this.chunks.has(ref)) this.problems.push(`chunk ${ref} is used twice`)
    this.chunks.add(ref)
  }

  /** Pages and chunks: used is what something leads to, and nothing else. */
  private memory(): void {
    const { cells, shard } = this
    const free = this.freePages()
    let units = 0
    for (let page = 0; page < cells[shard.base + shardCells.nextPage]!; page++) {
      const use = cells[shard.slab.description(page) + pageCells.use]!
      this.same(`free list has page ${page}`, free.has(page) ? 1 : 0, use === 0 ? 1 : 0)
      if (use === -1) units += pageUnits
      if (use === -1 && !this.pages.has(page)) this.problems.push(`page ${page} is lost`)
      if (use > 0) units += this.chunksOf(page, use - 1)
    }
    this.same('used units', cells[shard.base + shardCells.usedUnits]!, units)
  }

  private freePages(): Set<number> {
    const { cells, shard } = this
    const free = new Set<number>()
    for (let page = cells[shard.base + shardCells.freePage]!; page !== 0 && !free.has(page - 1); ) {
      free.add(page - 1)
      page = cells[shard.slab.description(page - 1) + pageCells.next]!
    }
    return free
  }

  private chunksOf(page: number, size: number): number {
    const { cells, shard } = this
    const at = shard.slab.description(page)
    let used = 0
    for (let i = 0; i < cells[at + pageCells.carved]!; i++) {
      const ref = shard.slab.placeOfPage(page) + i * classUnits[size]!
      const isFree = cells[ref * unitCells] === kind.free
      if (!isFree) used++
      if (!isFree && !this.chunks.has(ref)) this.problems.push(`chunk ${ref}, kind ${cells[ref * unitCells]}, is lost`)
      if (isFree && this.chunks.has(ref)) this.problems.push(`chunk ${ref} is free and in use`)
    }
    this.same(`chunks in use of page ${page}`, cells[at + pageCells.used]!, used)
    return used * classUnits[size]!
  }
}
