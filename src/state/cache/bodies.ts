// Bodies that are too long to stand in their entry's chunk: a chunk of their own, and whole pages. Under the shard's lock,
// but for what is said to be otherwise.
//
// A body lives as long as its entry, a flight or a thread that reads it holds it: `pins` counts flights and threads, the
// ledger of each thread says which those are.
import type { CacheMemory } from './cache-memory.ts'
import { pageBytes, unitBytes, unitCells } from './geometry.ts'
import { kind, pageCells } from './shard-cells.ts'
import type { Slab } from './slab.ts'

/** Cells of a body. */
export const bodyCells = {
  kind: 0,
  /** Threads and flights that hold it. */
  pins: 1,
  state: 2,
  /** No other body of this shard has it: its place may be another's by now. */
  serial: 3,
  /** Pages it has now. */
  pages: 4,
  /** + 1. */
  firstPage: 5,
  lastPage: 6,
  /** Place of its entry; 0 = it has none, not yet or not any more. */
  owner: 7,
  /** Bytes; -1 = not known. */
  length: 8,
  /** Bytes that are there, as are all before them; modulo 2^32. */
  written: 9,
  /** Pages that were given up from its beginning. */
  dropped: 10,
  /** Odd while its pages are turned; another number after each time. */
  turns: 12,
} as const

export const bodyState = { filling: 0, complete: 1, failed: 2 } as const
/** Bytes of a body's chunk before its tail. */
export const bodyHeaderBytes = 64
/**
 * Behind them in the chunk of a body whose length was not known, which has no tail: a cell for each lane with the page that its
 * slowest reader is at, or `~` the foremost where all of them are stuck.
 */
export const pagesOfLanes = bodyHeaderBytes / 4
/** Of a lane where nobody reads. */
export const noPage = 2 ** 31 - 1

/** Whole pages of a body of known length; the rest stands in its chunk. */
export function pagesOf(length: number): number {
  const whole = Math.floor(length / pageBytes)
  return length - whole * pageBytes > pageBytes - bodyHeaderBytes ? whole + 1 : whole
}

/** Bytes of the chunk of a body; `length` -1 = not known. */
export function chunkBytesOf(length: number, lanes: number): number {
  return bodyHeaderBytes + (length < 0 ? 4 * lanes : length - pagesOf(length) * pageBytes)
}

export class Bodies {
  private readonly cells: Int32Array
  private readonly slab: Slab
  private readonly lanes: number

  constructor(memory: CacheMemory, slab: Slab) {
    this.cells = memory.cells
    this.slab = slab
    this.lanes = memory.geometry.lanes
  }

  /** Makes an empty body of a chunk. */
  begin(ref: number, length: number, serial: number): void {
    const at = ref * unitCells
    this.cells.fill(0, at, at + pagesOfLanes + (length < 0 ? this.lanes : 0))
    this.cells[at + bodyCells.length] = length
    this.cells[at + bodyCells.serial] = serial
    this.cells[at] = kind.body
  }

  addPage(ref: number, page: number): void {
    const { cells, slab } = this
    const at = ref * unitCells
    cells[slab.description(page) + pageCells.next] = 0
    const last = cells[at + bodyCells.lastPage]! - 1
    if (last < 0) cells[at + bodyCells.firstPage] = page + 1
    else cells[slab.description(last) + pageCells.next] = page + 1
    cells[at + bodyCells.lastPage] = page + 1
    cells[at + bodyCells.pages]!++
  }

  /** Uses its first page again as its last: what stood there is gone. */
  turnPage(ref: number): void {
    const { cells, slab } = this
    const at = ref * unitCells
    const first = cells[at + bodyCells.firstPage]!
    const description = slab.description(first - 1)
    const last = slab.description(cells[at + bodyCells.lastPage]! - 1)
    Atomics.add(cells, at + bodyCells.turns, 1)
    Atomics.add(cells, at + bodyCells.dropped, 1)
    // In this order: a thread that dies in between leaves a chain that ends, at worst without this page.
    cells[at + bodyCells.firstPage] = cells[description + pageCells.next]!
    cells[description + pageCells.next] = 0
    cells[last + pageCells.next] = first
    cells[at + bodyCells.lastPage] = first
    Atomics.add(cells, at + bodyCells.turns, 1)
  }

  /** Its entry is gone. */
  orphan(ref: number): void {
    this.cells[ref * unitCells + bodyCells.owner] = 0
    this.freeIfUnused(ref)
  }

  pin(ref: number): void {
    this.cells[ref * unitCells + bodyCells.pins]!++
  }

  unpin(ref: number): void {
    this.cells[ref * unitCells + bodyCells.pins]!--
    this.freeIfUnused(ref)
  }

  private freeIfUnused(ref: number): void {
    const { cells, slab } = this
    const at = ref * unitCells
    if (cells[at + bodyCells.pins] !== 0 || cells[at + bodyCells.owner] !== 0) return
    for (let page = cells[at + bodyCells.firstPage]!; page !== 0; ) {
      const next = cells[slab.description(page - 1) + pageCells.next]!
      slab.givePage(page - 1)
      page = next
    }
    slab.give(ref)
  }
}

/** Where a byte of a body is: without a lock, as long as the body is held. Remembers the page it was at last. */
export class BodyPlace {
  private readonly cells: Int32Array
  private readonly slab: Slab
  private readonly ref: number
  private page = 0
  private number = -1

  constructor(memory: CacheMemory, slab: Slab, ref: number) {
    this.cells = memory.cells
    this.slab = slab
    this.ref = ref
  }

  /** The byte in the buffer where `position` stands; -1 = it has been given up. */
  at(position: number): number {
    const { cells, slab } = this
    const cell = this.ref * unitCells
    const number = Math.floor(position / pageBytes)
    const dropped = Atomics.load(cells, cell + bodyCells.dropped)
    if (number < dropped) return -1
    if (number - dropped >= cells[cell + bodyCells.pages]!)
      return this.ref * unitBytes + bodyHeaderBytes + (position - number * pageBytes)
    if (this.number < dropped || this.number > number) {
      this.number = dropped
      this.page = cells[cell + bodyCells.firstPage]!
    }
    while (this.number < number && this.page !== 0) {
      this.page = cells[slab.description(this.page - 1) + pageCells.next]!
      this.number++
    }
    return this.page === 0 ? -1 : slab.placeOfPage(this.page - 1) * unitBytes + (position - number * pageBytes)
  }

  /** Bytes from `position` on that may lie together there. */
  run(position: number): number {
    return pageBytes - (position % pageBytes)
  }

  /** Forgets what it remembers of pages: they may have been turned. */
  reset(): void {
    this.number = -1
  }
}
