// The flights of one shard: who fetches what, over all threads. Under the shard's lock, but for waiting and what is said to
// be otherwise. A flight is known by its first cell.
//
// Flights of one URL hash stand in one chain, found by a keyed 64-bit hash of their key. A flight that has ended leaves the
// chain at once, and its cells when the last thread that waited has seen how. Markers are flights that nobody is on.
import type { Bodies } from './bodies.ts'
import type { CacheMemory } from './cache-memory.ts'
import { flightFixedCells } from './geometry.ts'
import { shardCells } from './shard-cells.ts'
import type { Slab } from './slab.ts'

/** Cells of a flight. */
export const flightCells = {
  state: 0,
  /** The next one of its chain, or of the free ones: its first cell, counted from the shard's. */
  next: 1,
  keyA: 2,
  keyB: 3,
  urlHash: 4,
  /** Lane + 1. */
  lead: 5,
  /** Moves on with everything that those who wait may want to know. */
  signal: 6,
  body: 7,
  /** Chunk with facts and texts. */
  head: 8,
  outcome: 9,
  isDoomed: 10,
  /** The lead waits for readers. */
  isHeldUp: 11,
} as const
/** Number (f64) of a marker: until when it counts. From its first cell. */
const untilCell = 12
/** Where the bits of the lanes that wait begin. */
const lanesCell = flightFixedCells

export const flightState = { free: 0, waiting: 1, open: 2, tooLong: 3, ended: 4, mark: 5 } as const
/** How a flight ended that has no body. */
export const flightOutcome = { again: 0, retry: 1, alone: 2 } as const

/** Markers count no longer than that, ms. */
export const longestMarkMs = 60_000
/** Flights of one chain; who comes then goes alone. */
const longestChain = 128

export class FlightTable {
  private readonly cells: Int32Array
  private readonly numbers: Float64Array
  private readonly slab: Slab
  private readonly bodies: Bodies
  private readonly base: number
  private readonly first: number
  private readonly size: number
  private readonly step: number
  private readonly heads: number
  private readonly headMask: number
  private readonly laneCells: number

  constructor(memory: CacheMemory, shard: number, o: { slab: Slab; bodies: Bodies }) {
    const g = memory.geometry
    const start = g.shardStart + shard * g.shardBytes
    this.cells = memory.cells
    this.numbers = memory.numbers
    this.slab = o.slab
    this.bodies = o.bodies
    this.base = start / 4
    this.first = (start + g.flightsAt) / 4
    this.size = g.flights
    this.step = g.flightCells
    this.heads = (start + g.flightHeadsAt) / 4
    this.headMask = g.flightHeads - 1
    this.laneCells = Math.ceil(g.lanes / 32)
  }

  /** The flight or marker of a key; 0 = none; -1 = there are too many. Markers whose time is over are taken away. */
  find(urlHash: number, keyA: number, keyB: number, clock: { now(): number }): number {
    const { cells } = this
    let link = this.headOf(urlHash)
    for (let steps = 0; steps < longestChain; steps++) {
      if (cells[link] === 0) return 0
      const at = this.base + cells[link]!
      if (cells[at] === flightState.mark && !this.counts(at, clock.now())) {
        cells[link] = cells[at + flightCells.next]!
        this.putFree(at)
        continue
      }
      if (cells[at + flightCells.keyA] === keyA && cells[at + flightCells.keyB] === keyB) return at
      link = at + flightCells.next
    }
    return -1
  }

  /** Whether a marker's time is not over. One that lasts longer than any was made before the clock was put back. */
  private counts(at: number, now: number): boolean {
    const left = this.numbers[(at + untilCell) / 2]! - now
    return left > 0 && left <= longestMarkMs
  }

  /** A new flight, led by this lane; 0 = no room for one. */
  begin(urlHash: number, keyA: number, keyB: number, lane: number): number {
    const { cells } = this
    const at = this.takeFree()
    if (at === 0) return 0
    cells[at + flightCells.keyA] = keyA
    cells[at + flightCells.keyB] = keyB
    cells[at + flightCells.urlHash] = urlHash
    cells[at + flightCells.lead] = lane + 1
    cells[at + flightCells.body] = 0
    cells[at + flightCells.head] = 0
    cells[at + flightCells.isDoomed] = 0
    cells[at + flightCells.isHeldUp] = 0
    for (let i = 0; i < this.laneCells; i++) cells[at + lanesCell + i] = 0
    cells[at] = flightState.waiting
    cells[this.base + shardCells.filling]!++
    this.link(at)
    return at
  }

  /** Its head has come, body and head have their places: those who wait can begin to read. */
  open(at: number): void {
    Atomics.store(this.cells, at, flightState.open)
    this.tell(at)
  }

  /** Takes back what `open` was to show. */
  dropBody(at: number): void {
    const { cells } = this
    const body = cells[at + flightCells.body]!
    const head = cells[at + flightCells.head]!
    cells[at + flightCells.body] = 0
    cells[at + flightCells.head] = 0
    if (head !== 0) this.slab.give(head)
    if (body !== 0) this.bodies.unpin(body)
  }

  /** Its body will not be kept: nobody else joins. */
  makeTooLong(at: number): void {
    Atomics.store(this.cells, at, flightState.tooLong)
  }

  /** What is stored of it would not be what is asked for now. */
  doom(at: number): void {
    const { cells } = this
    if (cells[at + flightCells.isDoomed] === 1) return
    cells[at + flightCells.isDoomed] = 1
    this.unlink(at)
  }

  /** It is over. Its cells go as soon as nobody waits. */
  end(at: number, outcome: number): void {
    const { cells } = this
    if (cells[at + flightCells.isDoomed] === 0) this.unlink(at)
    cells[at + flightCells.outcome] = outcome
    cells[this.base + shardCells.filling]!--
    Atomics.store(cells, at, flightState.ended)
    if (this.isAwaited(at)) this.tell(at)
    else this.free(at)
  }

  /** For so long nobody waits for this key. */
  mark(urlHash: number, keyA: number, keyB: number, until: number): void {
    const { cells } = this
    const at = this.takeFree()
    if (at === 0) return
    cells[at + flightCells.keyA] = keyA
    cells[at + flightCells.keyB] = keyB
    cells[at + flightCells.urlHash] = urlHash
    cells[at + flightCells.lead] = 0
    cells[at + flightCells.body] = 0
    cells[at + flightCells.head] = 0
    this.numbers[(at + untilCell) / 2] = until
    cells[at] = flightState.mark
    this.link(at)
  }

  join(at: number, lane: number): void {
    this.cells[at + lanesCell + (lane >> 5)]! |= 1 << (lane & 31)
  }

  /** This lane has seen all that it wanted. */
  leave(at: number, lane: number): void {
    const { cells } = this
    cells[at + lanesCell + (lane >> 5)]! &= ~(1 << (lane & 31))
    if (cells[at] === flightState.ended && !this.isAwaited(at)) this.free(at)
    else if (cells[at + flightCells.isHeldUp] === 1) this.tell(at)
  }

  /** Without the lock. */
  isAwaited(at: number): boolean {
    for (let i = 0; i < this.laneCells; i++) if (this.cells[at + lanesCell + i] !== 0) return true
    return false
  }

  /** Without the lock. By threads other than that of this lane. */
  isAwaitedByOthers(at: number, lane: number): boolean {
    for (let i = 0; i < this.laneCells; i++) {
      const own = i === lane >> 5 ? 1 << (lane & 31) : 0
      if ((this.cells[at + lanesCell + i]! & ~own) !== 0) return true
    }
    return false
  }

  isAwaitedBy(at: number, lane: number): boolean {
    return (this.cells[at + lanesCell + (lane >> 5)]! & (1 << (lane & 31))) !== 0
  }

  /** Wakes all threads that wait. Without the lock. */
  tell(at: number): void {
    Atomics.add(this.cells, at + flightCells.signal, 1)
    Atomics.notify(this.cells, at + flightCells.signal)
  }

  /** Calls for the first cell of everything that is in use. */
  each(call: (at: number) => void): void {
    const { cells } = this
    const end = this.first + cells[this.base + shardCells.nextFlight]! * this.step
    for (let at = this.first; at < end; at += this.step) if (cells[at] !== flightState.free) call(at)
  }

  /** Calls for every flight and marker in the chain of a URL's hash. */
  eachOf(urlHash: number, call: (at: number) => void): void {
    const { cells, base } = this
    for (let next = cells[this.headOf(urlHash)]!; next !== 0; ) {
      const at = base + next
      next = cells[at + flightCells.next]!
      call(at)
    }
  }

  /** Builds chains and the list of the free anew from the flights themselves. */
  rebuild(): void {
    const { cells } = this
    cells.fill(0, this.heads, this.heads + this.headMask + 1)
    cells[this.base + shardCells.freeFlight] = 0
    let filling = 0
    const end = this.first + cells[this.base + shardCells.nextFlight]! * this.step
    for (let at = this.first; at < end; at += this.step) {
      const state = cells[at]
      const isLeft = state === flightState.ended && !this.isAwaited(at)
      if (isLeft) cells[at + flightCells.body] = cells[at + flightCells.head] = 0
      if (isLeft || state === flightState.free) this.putFree(at)
      else if (state !== flightState.ended && cells[at + flightCells.isDoomed] === 0) this.link(at)
      if (state === flightState.waiting || state === flightState.open || state === flightState.tooLong) filling++
    }
    cells[this.base + shardCells.filling] = filling
  }

  private headOf(urlHash: number): number {
    return this.heads + (urlHash & this.headMask)
  }

  private link(at: number): void {
    const head = this.headOf(this.cells[at + flightCells.urlHash]!)
    this.cells[at + flightCells.next] = this.cells[head]!
    this.cells[head] = at - this.base
  }

  private unlink(at: number): void {
    const { cells } = this
    let link = this.headOf(cells[at + flightCells.urlHash]!)
    while (cells[link] !== at - this.base) {
      if (cells[link] === 0) return
      link = this.base + cells[link]! + flightCells.next
    }
    cells[link] = cells[at + flightCells.next]!
  }

  private free(at: number): void {
    this.dropBody(at)
    this.putFree(at)
  }

  private putFree(at: number): void {
    this.cells[at] = flightState.free
    this.cells[at + flightCells.next] = this.cells[this.base + shardCells.freeFlight]!
    this.cells[this.base + shardCells.freeFlight] = at - this.base
  }

  private takeFree(): number {
    const { cells, base } = this
    if (cells[base + shardCells.freeFlight] !== 0) {
      const at = base + cells[base + shardCells.freeFlight]!
      cells[base + shardCells.freeFlight] = cells[at + flightCells.next]!
      return at
    }
    const next = cells[base + shardCells.nextFlight]!
    if (next < this.size) {
      cells[base + shardCells.nextFlight] = next + 1
      return this.first + next * this.step
    }
    return this.takeMarker()
  }

  /** One of the markers has to go. */
  private takeMarker(): number {
    const { cells, base } = this
    for (let i = 0; i < 64; i++) {
      const hand = cells[base + shardCells.flightHand]!
      cells[base + shardCells.flightHand] = (hand + 1) % this.size
      const at = this.first + hand * this.step
      if (cells[at] !== flightState.mark) continue
      this.unlink(at)
      return at
    }
    return 0
  }
}
