// Memory of one shard: pages of 64 KiB, given whole to bodies, or to a class of chunks. A page whose chunks have all been
// given back belongs to no class any more. Under the shard's lock.
import type { CacheMemory } from './cache-memory.ts'
import { pageBytes, pageDescriptionCells, pageUnits, unitBytes, unitCells } from './geometry.ts'
import { kind, pageCells, shardCells } from './shard-cells.ts'

const leastUnits = 4
const mostPagesAsked = 64
/** Units of each class: at most an eighth apart where units allow it and several go into a page. */
export const classUnits: readonly number[] = (() => {
  const fitting = new Set<number>()
  for (let n = 1; n <= pageUnits / leastUnits; n++) fitting.add(Math.floor(pageUnits / n))
  const sizes: number[] = []
  for (const units of [...fitting].sort((a, b) => a - b)) {
    // Of those that are near each other the largest.
    const before = sizes.at(-2) ?? 0
    if (sizes.length > 1 && units <= before * 1.125) sizes[sizes.length - 1] = units
    else sizes.push(units)
  }
  return sizes
})()
export const classCount = classUnits.length
const unitsOfClass = Int32Array.from(classUnits)
const perPage = Int32Array.from(classUnits, (units) => Math.floor(pageUnits / units))
const classOfUnits = Uint8Array.from({ length: pageUnits + 1 }, (_, units) =>
  classUnits.findIndex((size) => size >= units),
)

/** The class for so many bytes; -1 = they are more than a page. */
export function classOf(bytes: number): number {
  return bytes > pageBytes ? -1 : classOfUnits[Math.ceil(bytes / unitBytes)]!
}

export class Slab {
  /** Place of the first page. */
  readonly pagesAt: number
  readonly pages: number
  private readonly cells: Int32Array
  private readonly base: number
  private readonly descriptions: number
  private readonly partial: number
  private readonly used: number

  constructor(memory: CacheMemory, shard: number) {
    const { shardStart, shardBytes, descriptionsAt, pagesAt, pages } = memory.geometry
    const start = shardStart + shard * shardBytes
    this.cells = memory.cells
    this.base = start / 4
    this.descriptions = (start + descriptionsAt) / 4
    this.pagesAt = (start + pagesAt) / unitBytes
    this.pages = pages
    this.partial = this.base + shardCells.partial
    this.used = this.base + shardCells.usedUnits
  }

  /** First cell of a page's description. */
  description(page: number): number {
    return this.descriptions + page * pageDescriptionCells
  }

  pageOf(ref: number): number {
    return ((ref - this.pagesAt) / pageUnits) | 0
  }

  placeOfPage(page: number): number {
    return this.pagesAt + page * pageUnits
  }

  /** Class of a chunk. */
  classAt(ref: number): number {
    return this.cells[this.description(this.pageOf(ref)) + pageCells.use]! - 1
  }

  /** A chunk of a class, if there is one without taking it from anybody; 0 = none. What is in it is anything. */
  take(size: number): number {
    const { cells } = this
    const list = this.partial + size
    let page = cells[list]! - 1
    if (page < 0) {
      page = this.takePage()
      if (page < 0) return 0
      const at = this.description(page)
      cells[at + pageCells.use] = size + 1
      cells[at + pageCells.used] = 0
      cells[at + pageCells.free] = 0
      cells[at + pageCells.carved] = 0
      this.cells[this.used]! -= pageUnits
      this.link(list, page)
    }
    return this.takeIn(page, size, list)
  }

  /** A chunk of a class in pages that have room, 0 = there is none. `but` = not in this page. */
  takeElsewhere(size: number, but: number): number {
    const list = this.partial + size
    let page = this.cells[list]! - 1
    if (page >= 0 && page === but) page = this.cells[this.description(page) + pageCells.next]! - 1
    return page < 0 ? 0 : this.takeIn(page, size, list)
  }

  give(ref: number): void {
    const { cells } = this
    const page = this.pageOf(ref)
    const at = this.description(page)
    const size = cells[at + pageCells.use]! - 1
    cells[ref * unitCells] = kind.free
    cells[this.used]! -= unitsOfClass[size]!
    const used = cells[at + pageCells.used]! - 1
    cells[at + pageCells.used] = used
    const wasFull = cells[at + pageCells.free] === 0 && cells[at + pageCells.carved] === perPage[size]
    if (used === 0) {
      if (!wasFull) this.unlink(this.partial + size, page)
      this.putPage(page)
      return
    }
    cells[ref * unitCells + 1] = cells[at + pageCells.free]!
    cells[at + pageCells.free] = ref
    if (wasFull) this.link(this.partial + size, page)
  }

  /** A page for a body; -1 = none is free. */
  takePage(): number {
    const { cells, base } = this
    let page = cells[base + shardCells.freePage]! - 1
    if (page >= 0) cells[base + shardCells.freePage] = cells[this.description(page) + pageCells.next]!
    else {
      page = cells[base + shardCells.nextPage]!
      if (page >= this.pages) return -1
      cells[base + shardCells.nextPage] = page + 1
    }
    const at = this.description(page)
    cells[at + pageCells.use] = -1
    cells[at + pageCells.next] = 0
    cells[this.used]! += pageUnits
    return page
  }

  givePage(page: number): void {
    this.cells[this.used]! -= pageUnits
    this.putPage(page)
  }

  /** Units in use of a page of chunks; infinite = it is none. */
  unitsIn(page: number): number {
    const at = this.description(page)
    const use = this.cells[at + pageCells.use]!
    return use > 0 ? this.cells[at + pageCells.used]! * unitsOfClass[use - 1]! : Number.POSITIVE_INFINITY
  }

  /** Whether other pages of its class have room for all that is in use of a page. */
  fitsElsewhere(page: number): boolean {
    const { cells } = this
    const at = this.description(page)
    const size = cells[at + pageCells.use]! - 1
    let wanted = cells[at + pageCells.used]!
    let other = cells[this.partial + size]! - 1
    for (let steps = 0; other >= 0 && wanted > 0 && steps < mostPagesAsked; steps++) {
      const its = this.description(other)
      if (other !== page) wanted -= perPage[size]! - cells[its + pageCells.used]!
      other = cells[its + pageCells.next]! - 1
    }
    return wanted <= 0
  }

  /** All is free but these chunks, in pages as they are now, and these pages of bodies, whose chains stay. */
  rebuild(chunks: readonly number[], ofBodies: readonly number[]): void {
    const { cells, base } = this
    const kept = new Map<number, Set<number>>()
    for (const ref of chunks) {
      const page = this.pageOf(ref)
      kept.set(page, (kept.get(page) ?? new Set()).add(ref))
    }
    const held = new Set(ofBodies)
    cells.fill(0, this.partial, this.partial + classCount)
    cells[base + shardCells.freePage] = 0
    cells[this.used] = held.size * pageUnits
    for (let page = 0; page < cells[base + shardCells.nextPage]!; page++) {
      if (held.has(page)) continue
      const chunksHere = kept.get(page)
      if (chunksHere === undefined) this.putPage(page)
      else this.rebuildPage(page, chunksHere)
    }
  }

  private rebuildPage(page: number, kept: ReadonlySet<number>): void {
    const { cells } = this
    const at = this.description(page)
    const size = cells[at + pageCells.use]! - 1
    cells[at + pageCells.used] = kept.size
    cells[at + pageCells.carved] = perPage[size]!
    cells[at + pageCells.free] = 0
    cells[this.used]! += kept.size * unitsOfClass[size]!
    for (let i = 0; i < perPage[size]!; i++) {
      const ref = this.placeOfPage(page) + i * unitsOfClass[size]!
      if (kept.has(ref)) continue
      cells[ref * unitCells] = kind.free
      cells[ref * unitCells + 1] = cells[at + pageCells.free]!
      cells[at + pageCells.free] = ref
    }
    if (cells[at + pageCells.free] !== 0) this.link(this.partial + size, page)
  }

  private takeIn(page: number, size: number, list: number): number {
    const { cells } = this
    const at = this.description(page)
    let ref = cells[at + pageCells.free]!
    let carved = cells[at + pageCells.carved]!
    if (ref !== 0) cells[at + pageCells.free] = cells[ref * unitCells + 1]!
    else {
      ref = this.placeOfPage(page) + carved * unitsOfClass[size]!
      cells[at + pageCells.carved] = ++carved
    }
    cells[at + pageCells.used]!++
    cells[ref * unitCells] = kind.free
    cells[this.used]! += unitsOfClass[size]!
    if (cells[at + pageCells.free] === 0 && carved === perPage[size]) this.unlink(list, page)
    return ref
  }

  private putPage(page: number): void {
    const at = this.description(page)
    this.cells[at + pageCells.use] = 0
    this.cells[at + pageCells.next] = this.cells[this.base + shardCells.freePage]!
    this.cells[this.base + shardCells.freePage] = page + 1
  }

  private link(list: number, page: number): void {
    const { cells } = this
    const at = this.description(page)
    const first = cells[list]!
    cells[at + pageCells.next] = first
    cells[at + pageCells.prev] = 0
    if (first !== 0) cells[this.description(first - 1) + pageCells.prev] = page + 1
    cells[list] = page + 1
  }

  private unlink(list: number, page: number): void {
    const { cells } = this
    const at = this.description(page)
    const next = cells[at + pageCells.next]!
    const prev = cells[at + pageCells.prev]!
    if (next !== 0) cells[this.description(next - 1) + pageCells.prev] = prev
    if (prev === 0) cells[list] = next
    else cells[this.description(prev - 1) + pageCells.next] = next
  }
}
