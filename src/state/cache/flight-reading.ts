// Reading a body while it comes in. One whose length is known lies in memory that stays; of one that may become too long
// everything is copied out, since its first pages may be used again.
import { BodyPlace, bodyCells, bodyState } from './bodies.ts'
import type { CacheThread } from './cache-thread.ts'
import { pageBytes, unitCells } from './geometry.ts'
import type { LocalFlight } from './local-flights.ts'
import type { Pin } from './pins.ts'
import type { BodyReading } from './types.ts'

/** A page is turned in less time than it takes to look as often as that. */
const mostTries = 200

export class FlightReading implements BodyReading {
  private readonly thread: CacheThread
  private readonly flight: LocalFlight
  private readonly pin: Pin
  private readonly at: number
  private readonly place: BodyPlace
  private readonly isOfKnownLength: boolean
  private position = 0
  /** The page that it is at. */
  page = 0
  /** When it has read last. */
  private readAt: number
  private isLost = false
  private isReleased = false
  private call: (() => void) | null = null

  constructor(thread: CacheThread, flight: LocalFlight, pin: Pin) {
    this.thread = thread
    this.flight = flight
    this.pin = pin
    this.at = pin.ref * unitCells
    this.place = new BodyPlace(thread.memory, pin.shard.slab, pin.ref)
    this.isOfKnownLength = thread.memory.cells[this.at + bodyCells.length] !== -1
    this.readAt = thread.now()
  }

  get length(): number {
    const { cells } = this.thread.memory
    if (this.isOfKnownLength) return cells[this.at + bodyCells.length]! >>> 0
    const isComplete = Atomics.load(cells, this.at + bodyCells.state) === bodyState.complete
    return isComplete ? this.position + this.ready() : -1
  }

  get state(): 'filling' | 'complete' | 'failed' | 'lost' {
    if (this.isLost) return 'lost'
    const state = Atomics.load(this.thread.memory.cells, this.at + bodyCells.state)
    if (state === bodyState.filling) return this.isBehind() ? 'lost' : 'filling'
    if (state === bodyState.failed) return 'failed'
    return this.isBehind() ? 'lost' : 'complete'
  }

  read(at: number): Buffer | null {
    if (this.isReleased) return null
    this.position = at
    const ready = this.ready()
    if (!this.isOfKnownLength) {
      this.readAt = this.thread.now()
      this.tellPage(Math.floor(at / pageBytes))
    }
    if (ready <= 0 || this.isLost) return null
    if (this.isOfKnownLength) {
      const from = this.place.at(at)
      return this.thread.memory.bytes.subarray(from, from + Math.min(ready, this.place.run(at), pageBytes))
    }
    return this.copyOut(at, Math.min(ready, this.place.run(at)))
  }

  /** A copy, made while no page was turned. */
  private copyOut(at: number, length: number): Buffer | null {
    const { bytes, cells } = this.thread.memory
    const copy = Buffer.allocUnsafeSlow(length)
    for (let tries = 0; tries < mostTries; tries++) {
      const turns = Atomics.load(cells, this.at + bodyCells.turns)
      const isTurning = (turns & 1) === 1
      const from = isTurning ? -1 : this.place.at(at)
      if (from >= 0) bytes.copy(copy, 0, from, from + length)
      // An addition of nothing: what was read before it was read before it, on every processor.
      if (!isTurning && Atomics.add(cells, this.at + bodyCells.turns, 0) === turns) {
        this.isLost = from < 0
        return this.isLost ? null : copy
      }
      this.place.reset()
    }
    return this.copyLocked(at, copy)
  }

  /** The same while nobody can turn a page. One that is half turned even then: whoever was at it is dead. */
  private copyLocked(at: number, copy: Buffer): Buffer | null {
    const { bytes, cells } = this.thread.memory
    const { lock } = this.pin.shard
    this.isLost = true
    if (!lock.take()) return null
    const isWhole = (cells[this.at + bodyCells.turns]! & 1) === 0
    const from = isWhole ? this.place.at(at) : -1
    if (from >= 0) bytes.copy(copy, 0, from, from + copy.length)
    lock.release()
    this.isLost = from < 0
    return this.isLost ? null : copy
  }

  whenMore(call: () => void): void {
    this.call = call
    if (this.flight.hasReader(this)) this.flight.wakeSoon()
    else queueMicrotask(() => this.look())
  }

  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    this.call = null
    this.flight.removeReader(this)
    this.thread.pins.release(this.pin)
    this.flight.tellLead()
  }

  /** Calls if there is something to call for. */
  look(): void {
    const isOver = this.state !== 'filling'
    if (this.call !== null && (isOver || this.ready() > 0)) {
      const { call } = this
      this.call = null
      call()
    }
    if (isOver) this.flight.removeReader(this)
  }

  /** Bytes that are there from its position on; positions are compared modulo 2^32. */
  private ready(): number {
    const written = Atomics.load(this.thread.memory.cells, this.at + bodyCells.written)
    return this.isOfKnownLength ? (written >>> 0) - this.position : (written - this.position) | 0
  }

  /** What it would read next has been given up. */
  private isBehind(): boolean {
    if (this.isOfKnownLength) return false
    const dropped = Atomics.load(this.thread.memory.cells, this.at + bodyCells.dropped)
    return Math.floor(this.position / pageBytes) < dropped
  }

  private tellPage(page: number): void {
    const before = this.page
    if (page === before) return
    this.page = page
    this.flight.hasTurnedPage(this, before)
  }

  /** There is something for it, which it has not read since then. */
  isStuckSince(time: number): boolean {
    return this.readAt < time && this.ready() > 0
  }
}
