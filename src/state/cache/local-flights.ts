// The flights that this thread waits for. One waiter for each, whoever waits here: what it learns goes to all of them.
import { bodyCells, bodyState, noPage, pagesOfLanes } from './bodies.ts'
import type { CacheThread } from './cache-thread.ts'
import { FlightReading } from './flight-reading.ts'
import { flightCells, flightState } from './flight-table.ts'
import { unitCells } from './geometry.ts'
import { IncomingEntry } from './incoming-entry.ts'
import type { Pin } from './pins.ts'
import type { Shard } from './shard.ts'
import type { Follow, Incoming } from './types.ts'

type Outcome = Incoming | 'again' | 'retry' | 'alone'
type Call = (outcome: Outcome) => void
/** Looked at anyway after so long. */
const longestWaitMs = 5000
/** So long a reader may read nothing, and others who read the same answer that is too long to be kept wait for him. */
const longestStallMs = 30_000
const outcomes = ['again', 'retry', 'alone'] as const

export class LocalFlights {
  readonly thread: CacheThread
  private readonly known = new Map<number, LocalFlight>()

  constructor(thread: CacheThread) {
    this.thread = thread
  }

  /** The flight that begins at this cell, whose bit this lane has set. */
  at(shard: Shard, cell: number): LocalFlight {
    let flight = this.known.get(cell)
    if (flight === undefined) {
      flight = new LocalFlight(this, shard, cell)
      this.known.set(cell, flight)
    }
    return flight
  }

  /** This thread has changed something of a flight: who waits here learns it without a wait. */
  wake(cell: number): void {
    this.known.get(cell)?.wakeSoon()
  }

  /** What this thread fetches is over. */
  endLead(cell: number): void {
    this.known.get(cell)?.endLead()
  }

  /** Somebody of this thread waits for it, or reads it while it comes in. */
  isAwaitedHere(cell: number): boolean {
    return this.known.get(cell)?.isAwaited ?? false
  }

  forget(cell: number): void {
    this.known.delete(cell)
  }
}

export class LocalFlight {
  readonly shard: Shard
  readonly cell: number
  private readonly flights: LocalFlights
  private readonly cells: Int32Array
  private readonly followers = new Set<FollowTurn>()
  private readonly readers = new Set<FlightReading>()
  /** This thread fetches: everything that happens happens here, but for what readers elsewhere say of room. */
  isLed = false
  private room: { readonly call: () => void; readonly isThere: () => boolean } | null = null
  /** Woken anew since it looked at last. */
  private isWoken = false
  private isWaiting = false
  private isOver = false

  constructor(flights: LocalFlights, shard: Shard, cell: number) {
    this.flights = flights
    this.cells = flights.thread.memory.cells
    this.shard = shard
    this.cell = cell
  }

  get isAwaited(): boolean {
    return this.followers.size > 0 || this.readers.size > 0
  }

  follow(): FollowTurn {
    const follower = new FollowTurn(this)
    this.followers.add(follower)
    return follower
  }

  cancel(follower: FollowTurn): void {
    if (this.followers.delete(follower)) this.wakeSoon()
  }

  hasReader(reader: FlightReading): boolean {
    return this.readers.has(reader)
  }

  removeReader(reader: FlightReading): void {
    if (this.readers.delete(reader)) this.wakeSoon()
  }

  /** A reader of a body whose length is not known is at another page than `before`. */
  hasTurnedPage(reader: FlightReading, before: number): void {
    if (this.readers.has(reader) && this.pageCell() !== 0 && before === this.cells[this.pageCell()]) this.tellPage()
  }

  /** Says which page the slowest reader here is at. Who does not read at all holds the others up no longer than so. */
  private tellPage(): void {
    const cell = this.pageCell()
    if (cell === 0) return
    const { cells } = this
    const since = this.flights.thread.now() - longestStallMs
    const told = cells[cell]!
    let slowest = noPage
    let ofStuck = noPage
    for (const reader of this.readers) {
      if (reader.isStuckSince(since)) ofStuck = ofStuck === noPage ? reader.page : Math.max(ofStuck, reader.page)
      else if (reader.page < slowest) slowest = reader.page
      if (slowest === told) return
    }
    const page = slowest === noPage && ofStuck !== noPage ? ~ofStuck : slowest
    if (page === told) return
    Atomics.store(cells, cell, page)
    this.tellLead()
  }

  /** Where that is said; 0 = nobody has to know. */
  private pageCell(): number {
    const body = this.cells[this.cell + flightCells.body]!
    const isNeeded = !this.isOver && body !== 0 && this.cells[body * unitCells + bodyCells.length] === -1
    return isNeeded ? body * unitCells + pagesOfLanes + this.flights.thread.memory.lane : 0
  }

  /** A lead that waits for readers has to look how they stand. */
  tellLead(): void {
    if (Atomics.load(this.cells, this.cell + flightCells.isHeldUp) === 1) this.shard.flights.tell(this.cell)
  }

  wakeSoon(): void {
    if (this.isWoken || this.isOver) return
    this.isWoken = true
    queueMicrotask(() => {
      this.isWoken = false
      this.look()
    })
  }

  /** Sees what there is, passes it on, and waits for more if somebody here still wants it. */
  private look(): void {
    if (this.isOver) return
    const { cells } = this.flights.thread.memory
    const seen = Atomics.load(cells, this.cell + flightCells.signal)
    const state = Atomics.load(cells, this.cell)
    if (state !== flightState.waiting && this.followers.size > 0) this.serve()
    for (const reader of this.readers) reader.look()
    this.tellPage()
    if (this.room?.isThere()) {
      const { call } = this.room
      this.room = null
      call()
    }
    if (this.followers.size === 0 && this.readers.size === 0 && this.room === null) this.leave()
    else if (!this.isWoken && (!this.isLed || this.room !== null)) this.wait(seen)
  }

  /** Calls once, later, when there is room. */
  whenRoom(isThere: () => boolean, call: () => void): void {
    this.room = { call, isThere }
    this.wakeSoon()
  }

  /** The fetching is over: nobody waits for room any more. */
  endLead(): void {
    this.isLed = false
    this.room = null
    this.wakeSoon()
  }

  /** Those who have said where to call get what they wait for. */
  private serve(): void {
    const { cells } = this.flights.thread.memory
    for (const follower of this.followers) {
      if (follower.call === null) continue
      this.followers.delete(follower)
      const { call } = follower
      follower.call = null
      call(this.outcome(cells))
    }
  }

  private outcome(cells: Int32Array): Outcome {
    const body = cells[this.cell + flightCells.body]!
    if (body === 0) return outcomes[cells[this.cell + flightCells.outcome]!] ?? 'alone'
    // A failed body is not worth reading from its beginning.
    if (Atomics.load(cells, body * unitCells + bodyCells.state) === bodyState.failed) return 'retry'
    if (cells[body * unitCells + bodyCells.dropped] !== 0) return 'alone'
    const reading = this.read(body)
    return reading === null
      ? 'alone'
      : new IncomingEntry(this.flights.thread, cells[this.cell + flightCells.head]!, reading)
  }

  /** A reader of its body; null = it cannot be held. */
  read(body: number): FlightReading | null {
    const { pins } = this.flights.thread
    let pin = pins.again(body, this.cells[body * unitCells + bodyCells.serial]!)
    if (pin === null) {
      if (!this.shard.lock.take()) return null
      pin = pins.take(this.shard, body)
      this.shard.lock.release()
    }
    return pin === null ? null : this.readHeld(pin)
  }

  /** A reader of its body, which has one of the pin's holders. */
  readHeld(pin: Pin): FlightReading {
    const reading = new FlightReading(this.flights.thread, this, pin)
    this.readers.add(reading)
    return reading
  }

  private leave(): void {
    const { thread } = this.flights
    if (!this.shard.lock.take()) {
      setTimeout(() => this.look(), 20).unref()
      return
    }
    this.shard.flights.leave(this.cell, thread.memory.lane)
    this.shard.lock.release()
    this.isOver = true
    this.flights.forget(this.cell)
  }

  private wait(seen: number): void {
    if (this.isWaiting) return
    const { cells } = this.flights.thread.memory
    const result = Atomics.waitAsync(cells, this.cell + flightCells.signal, seen, longestWaitMs)
    if (!result.async) {
      if (result.value !== 'timed-out') this.wakeSoon()
      return
    }
    this.isWaiting = true
    result.value.then(() => {
      this.isWaiting = false
      this.look()
    })
  }
}

/** Somebody here who waits. */
export class FollowTurn implements Follow {
  readonly kind = 'follow'
  call: Call | null = null
  private readonly flight: LocalFlight

  constructor(flight: LocalFlight) {
    this.flight = flight
  }

  when(call: Call): void {
    this.call = call
    this.flight.wakeSoon()
  }

  cancel(): void {
    this.call = null
    this.flight.cancel(this)
  }
}

/** A turn that came too late: what was asked for has been stored just now. */
export class LookAgain implements Follow {
  readonly kind = 'follow'
  private isCancelled = false

  when(call: Call): void {
    queueMicrotask(() => {
      if (!this.isCancelled) call('again')
    })
  }

  cancel(): void {
    this.isCancelled = true
  }
}
