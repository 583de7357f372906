// A body on its way into the store, written by the thread that fetches it.

import { BodyPlace, bodyCells, bodyState, noPage, pagesOf, pagesOfLanes } from './bodies.ts'
import { checkRange, writeAt } from './body-bytes.ts'
import type { CacheThread } from './cache-thread.ts'
import { entryBytes, writeEntry } from './entry-cells.ts'
import { flightCells, flightOutcome } from './flight-table.ts'
import { pageBytes, unitBytes, unitCells } from './geometry.ts'
import type { Pin } from './pins.ts'
import type { Shard } from './shard.ts'
import { isInline, type Storing } from './storing.ts'
import type { BodyReading, EntryFacts, EntryTexts, StoredEntry, Writing } from './types.ts'

/** Pages of the window through which an answer goes that is too long to be kept, at least. */
const leastWindow = 4
/** Up to here a body whose length was not known is copied once more, to where it takes no more memory than it needs. */
const compactedBytes = 8 * pageBytes

export interface WritingOf {
  readonly shard: Shard
  readonly flight: number
  readonly urlHash: number
  readonly facts: EntryFacts
  readonly texts: EntryTexts
  /** -1 = not known. */
  readonly length: number
  /** This thread holds it: for the reader of whoever fetches. */
  readonly pin: Pin
}

export class BodyWriting implements Writing {
  readonly facts: EntryFacts
  readonly texts: EntryTexts
  private readonly thread: CacheThread
  private readonly storing: Storing
  private readonly of: WritingOf
  private readonly body: number
  private readonly at: number
  private readonly place: BodyPlace
  private readonly mostPages: number
  private written = 0
  private isTooLong = false
  /** The pin is this object's, until a reader has it. */
  private hasPin = true
  private isOver = false

  constructor(thread: CacheThread, storing: Storing, of: WritingOf) {
    this.thread = thread
    this.storing = storing
    this.of = of
    this.facts = of.facts
    this.texts = of.texts
    this.body = thread.memory.cells[of.flight + flightCells.body]!
    this.at = this.body * unitCells
    this.place = new BodyPlace(thread.memory, of.shard.slab, this.body)
    this.mostPages = Math.max(leastWindow, Math.ceil(thread.memory.geometry.maxObject / pageBytes))
  }

  reader(): BodyReading {
    const { shard, flight, pin } = this.of
    const local = this.thread.flights.at(shard, flight)
    if (!this.hasPin) pin.holders++
    this.hasPin = false
    return local.readHeld(pin)
  }

  write(bytes: Uint8Array, start: number, end: number): boolean {
    checkRange(bytes, start, end)
    if (this.isOver) return false
    if (!this.makeRoom(end - start)) {
      this.fail()
      return false
    }
    const { memory } = this.thread
    if (this.of.length >= 0) writeAt(memory.bytes, this.place, this.written, { from: bytes, start, end })
    else if (!this.writePages(bytes, start, end)) {
      this.fail()
      return false
    }
    this.written += end - start
    Atomics.store(memory.cells, this.at + bodyCells.written, this.written | 0)
    this.tell()
    return true
  }

  get hasRoom(): boolean {
    if (!this.isTooLong || this.isOver) return true
    const pages = Math.min(this.thread.memory.cells[this.at + bodyCells.pages]!, this.mostPages)
    // With room for what may be read before the one who fetches looks again.
    return Math.floor(this.written / pageBytes) - this.slowestPage() < pages - 2
  }

  whenRoom(call: () => void): void {
    const { shard, flight } = this.of
    const { cells } = this.thread.memory
    Atomics.store(cells, flight + flightCells.isHeldUp, 1)
    this.thread.flights.at(shard, flight).whenRoom(
      () => this.hasRoom || this.isUseless,
      () => {
        Atomics.store(cells, flight + flightCells.isHeldUp, 0)
        call()
      },
    )
  }

  get isUseless(): boolean {
    return (this.isTooLong || this.storing.isDoomed(this.of.flight)) && !this.isRead
  }

  get isRead(): boolean {
    const { shard, flight } = this.of
    // One is the flight's own.
    const own = this.hasPin ? 2 : 1
    if (Atomics.load(this.thread.memory.cells, this.at + bodyCells.pins) > own) return true
    return shard.flights.isAwaitedByOthers(flight, this.thread.memory.lane) || this.thread.flights.isAwaitedHere(flight)
  }

  end(): StoredEntry | null {
    if (this.isOver) return null
    const { length, shard, flight } = this.of
    if (length >= 0 && this.written !== length) {
      this.fail()
      return null
    }
    this.isOver = true
    const { cells } = this.thread.memory
    const isKept = !this.isTooLong && shard.lock.take()
    const entry = isKept && !this.storing.isDoomed(flight) ? this.keep() : null
    Atomics.store(cells, this.at + bodyCells.state, bodyState.complete)
    if (isKept) {
      shard.flights.end(flight, flightOutcome.again)
      shard.lock.release()
      this.thread.flights.endLead(flight)
    } else this.storing.endFlight(shard, flight, flightOutcome.again)
    this.letGo()
    return entry
  }

  fail(): void {
    if (this.isOver) return
    this.isOver = true
    Atomics.store(this.thread.memory.cells, this.at + bodyCells.state, bodyState.failed)
    this.storing.endFlight(this.of.shard, this.of.flight, flightOutcome.retry)
    this.letGo()
  }

  /** Nobody here has read it. */
  private letGo(): void {
    if (this.hasPin) this.thread.pins.release(this.of.pin)
    this.hasPin = false
  }

  /** Makes an entry of it. Under the lock. */
  private keep(): StoredEntry | null {
    const { shard, facts, texts, urlHash } = this.of
    const { memory } = this.thread
    const length = this.written
    const inline = isInline(texts, length)
    const ref = shard.chunkFor(entryBytes(texts) + (inline ? length : 0))
    if (ref === 0) return null
    writeEntry(memory, ref, facts, texts)
    const body = inline ? 0 : this.compacted(length)
    if (inline) this.copyTo(ref * unitBytes + entryBytes(texts), 0, length)
    return this.storing.insert(shard, ref, { urlHash, body, length, facts, texts })
  }

  /** The body as it is to be kept: where its last page is mostly empty, another one. */
  private compacted(length: number): number {
    const { shard } = this.of
    const { cells } = this.thread.memory
    const waste = cells[this.at + bodyCells.pages]! * pageBytes - length
    if (this.of.length >= 0 || length > compactedBytes || waste < length / 8) return this.body
    const body = shard.beginBody(length)
    if (body === 0) return this.body
    const pages = pagesOf(length)
    if (!shard.growBody(body, pages)) {
      shard.bodies.unpin(body)
      return this.body
    }
    const place = new BodyPlace(this.thread.memory, shard.slab, body)
    for (let at = 0; at < length; at += pageBytes) this.copyTo(place.at(at), at, Math.min(length, at + pageBytes))
    const to = body * unitCells
    cells[to + bodyCells.written] = length | 0
    cells[to + bodyCells.state] = bodyState.complete
    cells[to + bodyCells.pins] = 0
    return body
  }

  private copyTo(to: number, from: number, end: number): void {
    const { bytes } = this.thread.memory
    let target = to
    for (let at = from; at < end; ) {
      const run = Math.min(this.place.run(at), end - at)
      const source = this.place.at(at)
      bytes.copyWithin(target, source, source + run)
      target += run
      at += run
    }
  }

  /** Whether so many more bytes can be taken: an answer that grows too long is not kept from then on. */
  private makeRoom(more: number): boolean {
    const { length, shard, flight } = this.of
    if (length >= 0) return this.written + more <= length
    if (this.isTooLong || this.written + more <= this.thread.memory.geometry.maxObject) return true
    this.isTooLong = true
    shard.flights.makeTooLong(flight)
    return true
  }

  private writePages(bytes: Uint8Array, start: number, end: number): boolean {
    const { memory } = this.thread
    let position = this.written
    for (let from = start; from < end; ) {
      if (!this.pageFor(position)) return false
      const run = Math.min(pageBytes - (position % pageBytes), end - from)
      writeAt(memory.bytes, this.place, position, { from: bytes, start: from, end: from + run })
      position += run
      from += run
    }
    return true
  }

  /** Sees that there is a page for the byte at `position`. */
  private pageFor(position: number): boolean {
    const { cells } = this.thread.memory
    const { shard, flight } = this.of
    const pages = cells[this.at + bodyCells.pages]!
    const needed = Math.floor(position / pageBytes) - cells[this.at + bodyCells.dropped]! + 1
    if (needed <= pages) return true
    const most = this.isFirstPageRead() ? this.mostPages : 2 * this.mostPages
    if (pages < most && this.storing.growWhole(shard, this.body, pages + 1)) return true
    if (pages < leastWindow) return false
    // No memory is left for all of it: it goes on through what it has.
    if (!shard.lock.take()) return false
    if (!this.isTooLong) shard.flights.makeTooLong(flight)
    this.isTooLong = true
    shard.bodies.turnPage(this.body)
    shard.lock.release()
    return true
  }

  /** Whether all readers that count have passed the page that would be used again, or nobody reads. */
  private isFirstPageRead(): boolean {
    return this.slowestPage() > this.thread.memory.cells[this.at + bodyCells.dropped]! || this.isUseless
  }

  /** The page that the slowest reader is at, in whatever thread; where all are stuck, the foremost. */
  private slowestPage(): number {
    const { cells, geometry } = this.thread.memory
    const { shard, flight } = this.of
    let slowest = noPage
    let ofStuck = noPage
    for (let lane = 0; lane < geometry.lanes; lane++) {
      if (!shard.flights.isAwaitedBy(flight, lane)) continue
      const page = Atomics.load(cells, this.at + pagesOfLanes + lane)
      if (page < 0) ofStuck = ofStuck === noPage ? ~page : Math.max(ofStuck, ~page)
      else slowest = Math.min(slowest, page)
    }
    return slowest === noPage ? ofStuck : slowest
  }

  private tell(): void {
    const { shard, flight } = this.of
    if (shard.flights.isAwaitedByOthers(flight, this.thread.memory.lane)) shard.flights.tell(flight)
    this.thread.flights.wake(flight)
  }
}
