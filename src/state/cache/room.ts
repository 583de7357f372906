// Memory for something new, at the cost of what is used least. Under the shard's lock; every step is bounded.
import { bodyCells } from './bodies.ts'
import type { CacheMemory } from './cache-memory.ts'
import type { Entries } from './entries.ts'
import { entryCells } from './entry-cells.ts'
import type { Fifo } from './fifo.ts'
import { pageUnits, unitBytes, unitCells } from './geometry.ts'
import { kind, pageCells, shardCells, shardNumbers } from './shard-cells.ts'
import { classCount, classUnits, type Slab } from './slab.ts'

/** Entries that are evicted in order before whole pages are cleared. */
const inOrder = 24
const mostTries = 160
/** Pages that are looked at for one to clear. */
const lookedAt = 16
/** With less than so much in use, and no page free, there are holes: what is in one page may go into those of others. */
const fullShare = 0.9
/** From so much in use on a page is not cleared for that. */
const joinedShare = 0.75

export class Room {
  private readonly cells: Int32Array
  private readonly slab: Slab
  private readonly fifo: Fifo
  private readonly entries: Entries
  private readonly hand: number
  private readonly used: number

  constructor(memory: CacheMemory, shard: number, o: { slab: Slab; fifo: Fifo; entries: Entries }) {
    this.cells = memory.cells
    this.slab = o.slab
    this.fifo = o.fifo
    this.entries = o.entries
    const base = (memory.geometry.shardStart + shard * memory.geometry.shardBytes) / 4
    this.hand = base + shardCells.pageHand
    this.used = base + shardCells.usedUnits
  }

  /** A chunk of a class; 0 = none could be had. */
  chunk(size: number): number {
    const ref = this.slab.take(size)
    return ref !== 0 ? ref : this.chunkOfOthers(size)
  }

  /** A page; -1 = none could be had. */
  page(): number {
    for (let tries = 0; tries < mostTries; tries++) {
      const page = this.slab.takePage()
      if (page >= 0) return page
      if (!this.makeRoom(tries)) return -1
    }
    return -1
  }

  private chunkOfOthers(size: number): number {
    for (let tries = 0; tries < mostTries; tries++) {
      if (!this.makeRoom(tries)) return 0
      let ref = this.slab.take(size)
      // One a little too long costs less than many evictions.
      for (let more = 1; ref === 0 && tries >= 2 && more <= 2 && size + more < classCount; more++)
        ref = this.slab.takeElsewhere(size + more, -1)
      if (ref !== 0) return ref
    }
    return 0
  }

  /** False = nothing is left that could go. */
  private makeRoom(tries: number): boolean {
    if (tries >= inOrder ? this.clearPage() : this.hasHoles() && this.joinPages()) return true
    const ref = this.fifo.victim()
    if (ref === 0) return tries < inOrder && this.clearPage()
    this.evict(ref)
    return true
  }

  private hasHoles(): boolean {
    return this.cells[this.used]! < fullShare * this.slab.pages * pageUnits
  }

  private evict(ref: number): void {
    this.entries.remove(ref)
    this.entries.add(shardNumbers.evicted, 1)
  }

  /** Frees the page of chunks, of some, with the least in it: what is used moves elsewhere, the rest is evicted. */
  private clearPage(): boolean {
    const page = this.pageWithLeast(Number.POSITIVE_INFINITY)
    if (page >= 0) this.clearAll(page, false)
    return page >= 0
  }

  /** Frees a page by moving what is in it into holes of others. False = it would not fit. */
  private joinPages(): boolean {
    const page = this.pageWithLeast(joinedShare * pageUnits)
    if (page < 0 || !this.slab.fitsElsewhere(page)) return false
    this.clearAll(page, true)
    return true
  }

  /** Of some pages of chunks the one with the least in it, if that is less than `bound`; -1 = none can go. */
  private pageWithLeast(bound: number): number {
    const { cells, slab } = this
    const high = cells[this.hand - shardCells.pageHand + shardCells.nextPage]!
    let best = -1
    let least = bound
    for (let i = 0; i < Math.min(high, lookedAt) || (best < 0 && i < high && bound > pageUnits); i++) {
      const page = cells[this.hand]! % high
      cells[this.hand] = page + 1
      const inPage = slab.unitsIn(page)
      const weight = inPage >= least ? inPage : this.weightOf(page)
      if (weight >= least) continue
      best = page
      least = weight
    }
    return best
  }

  /** `isKept`: also what is not used. */
  private clearAll(page: number, isKept: boolean): void {
    const { cells, slab } = this
    const size = cells[slab.description(page) + pageCells.use]! - 1
    const count = cells[slab.description(page) + pageCells.carved]!
    for (let i = 0; i < count; i++) {
      const ref = slab.placeOfPage(page) + i * classUnits[size]!
      // The last one that went gave the page back, and nothing of it is a chunk any more.
      if (cells[slab.description(page) + pageCells.use] !== size + 1) break
      this.clear(ref, { size, page, isKept })
    }
  }

  private clear(ref: number, o: { size: number; page: number; isKept: boolean }): void {
    const is = this.entries.kindAt(ref)
    if (is === kind.body) {
      const owner = this.cells[ref * unitCells + bodyCells.owner]!
      if (owner !== 0) this.evict(owner)
      return
    }
    if (is !== kind.entry) return
    const isKept = o.isKept || this.fifo.uses(ref) > 0 || this.entries.isHeld(ref)
    const to = isKept ? this.slab.takeElsewhere(o.size, o.page) : 0
    if (to === 0) this.evict(ref)
    else this.entries.move(ref, to)
  }

  /** Units that would be free if all of a page went, bodies of its entries too; infinite if somebody holds a chunk of it. */
  private weightOf(page: number): number {
    const { cells, slab } = this
    const at = slab.description(page)
    const units = classUnits[cells[at + pageCells.use]! - 1]!
    let weight = slab.unitsIn(page)
    let cell = slab.placeOfPage(page) * unitCells
    for (let i = cells[at + pageCells.carved]!; i > 0; i--, cell += units * unitCells) {
      const is = cells[cell]
      if (is === kind.head || (is === kind.body && cells[cell + bodyCells.pins] !== 0)) return Number.POSITIVE_INFINITY
      if (is === kind.body) weight += cells[cell + bodyCells.pages]! * pageUnits
      else if (is === kind.entry && cells[cell + entryCells.body] !== 0)
        weight += (cells[cell + entryCells.bodyLength]! >>> 0) / unitBytes
    }
    return weight
  }
}
