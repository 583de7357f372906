// Which entry goes when there is no room: S3-FIFO. New entries stand in a small queue; what is used again moves on to the
// main one, the rest leaves soon and is remembered for a while by its hash (a ghost): if it comes back it is not new.
import { bodyCells } from './bodies.ts'
import type { CacheMemory } from './cache-memory.ts'
import { entryCells, isMainBit } from './entry-cells.ts'
import { unitBytes, unitCells } from './geometry.ts'
import { shardCells } from './shard-cells.ts'
import { classUnits, type Slab } from './slab.ts'

/** The small queue has a tenth of what is queued. */
const smallShare = 0.1
/** Uses that carry an entry over, at most. */
const mostUses = 3
const mostSteps = 256
const units = Int32Array.from(classUnits)

export class Fifo {
  private readonly cells: Int32Array
  private readonly slab: Slab
  private readonly base: number
  private readonly ghosts: number
  private readonly ghostMask: number
  private readonly hits: number

  constructor(memory: CacheMemory, shard: number, slab: Slab) {
    const { shardStart, shardBytes, ghostsAt, ghosts, hitsAt } = memory.geometry
    const start = shardStart + shard * shardBytes
    this.cells = memory.cells
    this.slab = slab
    this.base = start / 4
    this.ghosts = (start + ghostsAt) / 4
    this.ghostMask = ghosts - 1
    this.hits = (start + hitsAt) / 4
  }

  /** The cell where uses of an entry are counted: beside its memory, so that a late count does no harm. */
  hitsCell(ref: number): number {
    return this.hits + ((ref - this.slab.pagesAt) >> 2)
  }

  /** Puts a new entry into the queue that is meant for it. */
  enter(ref: number): void {
    const { cells } = this
    const at = ref * unitCells
    cells[this.hitsCell(ref)] = 0
    cells[at + entryCells.hitsBefore] = 0
    const hash = cells[at + entryCells.keyHash]!
    const ghost = this.ghosts + 2 * (hash & this.ghostMask)
    const since = cells[this.base + shardCells.evictions]! - cells[ghost + 1]!
    const queued = cells[this.base + shardCells.smallCount]! + cells[this.base + shardCells.mainCount]!
    const wasHere = cells[ghost] === (hash | 1) && since <= queued
    if (wasHere) cells[ghost] = 0
    this.link(ref, wasHere)
  }

  /** Puts an entry beside another one, which is to leave, with what is known of its uses. */
  enterAs(old: number, ref: number): void {
    const { cells, base } = this
    const at = ref * unitCells
    const from = old * unitCells
    cells[this.hitsCell(ref)] = cells[this.hitsCell(old)]!
    cells[at + entryCells.hitsBefore] = cells[from + entryCells.hitsBefore]!
    const isMain = (cells[from + entryCells.status]! & isMainBit) !== 0
    const status = cells[at + entryCells.status]!
    cells[at + entryCells.status] = isMain ? status | isMainBit : status & ~isMainBit
    const next = cells[from + entryCells.nextQueued]!
    cells[at + entryCells.prevQueued] = old
    cells[at + entryCells.nextQueued] = next
    cells[from + entryCells.nextQueued] = ref
    if (next === 0) cells[base + (isMain ? shardCells.mainTail : shardCells.smallTail)] = ref
    else cells[next * unitCells + entryCells.prevQueued] = ref
    const of = isMain ? 1 : 0
    cells[base + shardCells.smallUnits + of]! += this.unitsOf(ref)
    cells[base + shardCells.smallCount + of]!++
  }

  leave(ref: number): void {
    const { cells, base } = this
    const at = ref * unitCells
    const isMain = (cells[at + entryCells.status]! & isMainBit) !== 0
    const prev = cells[at + entryCells.prevQueued]!
    const next = cells[at + entryCells.nextQueued]!
    const shift = isMain ? 2 : 0
    if (prev === 0) cells[base + shardCells.smallHead + shift] = next
    else cells[prev * unitCells + entryCells.nextQueued] = next
    if (next === 0) cells[base + shardCells.smallTail + shift] = prev
    else cells[next * unitCells + entryCells.prevQueued] = prev
    const of = isMain ? 1 : 0
    cells[base + shardCells.smallUnits + of]! -= this.unitsOf(ref)
    cells[base + shardCells.smallCount + of]!--
  }

  /** The entry that is to go next; 0 = there is none. The caller takes it out. */
  victim(): number {
    const { cells, base } = this
    for (let steps = 0; steps < mostSteps; steps++) {
      const small = cells[base + shardCells.smallUnits]!
      const main = cells[base + shardCells.mainUnits]!
      const isSmall = small > (small + main) * smallShare || main === 0
      const ref = cells[base + (isSmall ? shardCells.smallTail : shardCells.mainTail)]!
      if (ref === 0) return 0
      const uses = this.uses(ref)
      if (uses < (isSmall ? 2 : 1) && !this.isHeld(ref)) {
        if (isSmall) this.remember(ref)
        return ref
      }
      this.leave(ref)
      this.setUses(ref, isSmall ? 0 : Math.max(0, uses - 1))
      this.link(ref, true)
    }
    return cells[base + shardCells.mainTail]! || cells[base + shardCells.smallTail]!
  }

  /** Uses that count, 0–3. */
  uses(ref: number): number {
    const n = (this.cells[this.hitsCell(ref)]! - this.cells[ref * unitCells + entryCells.hitsBefore]!) | 0
    return n < 0 || n > mostUses ? mostUses : n
  }

  /** Somebody reads its body: its memory would not be free. */
  private isHeld(ref: number): boolean {
    const body = this.cells[ref * unitCells + entryCells.body]!
    return body !== 0 && this.cells[body * unitCells + bodyCells.pins] !== 0
  }

  private setUses(ref: number, uses: number): void {
    this.cells[ref * unitCells + entryCells.hitsBefore] = this.cells[this.hitsCell(ref)]! - uses
  }

  private remember(ref: number): void {
    const { cells, base } = this
    const hash = cells[ref * unitCells + entryCells.keyHash]!
    const ghost = this.ghosts + 2 * (hash & this.ghostMask)
    cells[ghost] = hash | 1
    cells[ghost + 1] = ++cells[base + shardCells.evictions]!
  }

  private link(ref: number, isMain: boolean): void {
    const { cells, base } = this
    const at = ref * unitCells
    const head = base + (isMain ? shardCells.mainHead : shardCells.smallHead)
    const first = cells[head]!
    const status = cells[at + entryCells.status]!
    cells[at + entryCells.status] = isMain ? status | isMainBit : status & ~isMainBit
    cells[at + entryCells.prevQueued] = 0
    cells[at + entryCells.nextQueued] = first
    if (first === 0) cells[head + 1] = ref
    else cells[first * unitCells + entryCells.prevQueued] = ref
    cells[head] = ref
    const of = isMain ? 1 : 0
    cells[base + shardCells.smallUnits + of]! += this.unitsOf(ref)
    cells[base + shardCells.smallCount + of]!++
  }

  /** Of its chunk and its body. */
  private unitsOf(ref: number): number {
    const chunk = units[this.slab.classAt(ref)]!
    if (this.cells[ref * unitCells + entryCells.body] === 0) return chunk
    return chunk + Math.ceil((this.cells[ref * unitCells + entryCells.bodyLength]! >>> 0) / unitBytes)
  }
}
