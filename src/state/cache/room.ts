// Memory for something new, at the cost of what is used least. Under the shard's lock; every step is bounded.
import { bodyCells } from './bodies.ts'
import type { CacheMemory } from './cache-memory.ts'
import type { Entries } from './entries.ts'
import type { Fifo } from './fifo.ts'
import { unitCells } from './geometry.ts'
import { kind, pageCells, shardCells, shardNumbers } from './shard-cells.ts'
import { classCount, classUnits, type Slab } from './slab.ts'

/** Entries that are evicted in order before whole pages are cleared. */
const inOrder = 24
const mostTries = 160
/** Pages that are looked at for one to clear. */
const lookedAt = 16

export class Room {
  private readonly cells: Int32Array
  private readonly slab: Slab
  private readonly fifo: Fifo
  private readonly entries: Entries
  private readonly hand: number

  constructor(memory: CacheMemory, shard: number, o: { slab: Slab; fifo: Fifo; entries: Entries }) {
    this.cells = memory.cells
    this.slab = o.slab
    this.fifo = o.fifo
    this.entries = o.entries
    this.hand = (memory.geometry.shardStart + shard * memory.geometry.shardBytes) / 4 + shardCells.pageHand
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
    if (tries >= inOrder && this.clearPage()) return true
    const ref = this.fifo.victim()
    if (ref === 0) return tries < inOrder && this.clearPage()
    this.evict(ref)
    return true
  }

  private evict(ref: number): void {
    this.entries.remove(ref)
    this.entries.add(shardNumbers.evicted, 1)
  }

  /** Frees the emptiest of some pages of chunks: what is used moves elsewhere, the rest is evicted. */
  private clearPage(): boolean {
    const { cells, slab } = this
    const high = cells[this.hand - shardCells.pageHand + shardCells.nextPage]!
    if (high === 0) return false
    let best = -1
    let least = 1.5
    for (let i = 0; i < lookedAt || (best < 0 && i < high); i++) {
      const page = cells[this.hand]! % high
      cells[this.hand] = page + 1
      const fullness = slab.fullness(page)
      if (fullness >= least || this.isHeld(page)) continue
      best = page
      least = fullness
    }
    if (best < 0) return false
    const size = cells[slab.description(best) + pageCells.use]! - 1
    const count = cells[slab.description(best) + pageCells.carved]!
    for (let i = 0; i < count; i++) {
      const ref = slab.placeOfPage(best) + i * classUnits[size]!
      // The last one that went gave the page back, and nothing of it is a chunk any more.
      if (cells[slab.description(best) + pageCells.use] !== size + 1) break
      this.clear(ref, size, best)
    }
    return true
  }

  private clear(ref: number, size: number, page: number): void {
    const is = this.entries.kindAt(ref)
    if (is === kind.body) {
      const owner = this.cells[ref * unitCells + bodyCells.owner]!
      if (owner !== 0) this.evict(owner)
      return
    }
    if (is !== kind.entry) return
    const to = this.fifo.uses(ref) > 0 && !this.entries.isHeld(ref) ? this.slab.takeElsewhere(size, page) : 0
    if (to === 0) this.evict(ref)
    else this.entries.move(ref, to)
  }

  /** Whether somebody holds a chunk of this page. */
  private isHeld(page: number): boolean {
    const { cells, slab } = this
    const at = slab.description(page)
    const size = cells[at + pageCells.use]! - 1
    const step = classUnits[size]! * unitCells
    let cell = slab.placeOfPage(page) * unitCells
    for (let i = cells[at + pageCells.carved]!; i > 0; i--, cell += step) {
      const is = cells[cell]
      if (is === kind.head || (is === kind.body && cells[cell + bodyCells.pins] !== 0)) return true
    }
    return false
  }
}
