// The one request that fetches.
import { pagesOf } from './bodies.ts'
import { BodyWriting } from './body-writing.ts'
import type { CacheThread } from './cache-thread.ts'
import { entryBytes, writeEntry } from './entry-cells.ts'
import { flightCells, flightOutcome, longestMarkMs } from './flight-table.ts'
import type { Pin } from './pins.ts'
import type { Shard } from './shard.ts'
import type { Storing } from './storing.ts'
import type { BodyParts, EntryFacts, EntryTexts, Lead, StoredEntry, Writing } from './types.ts'

export class LeadTurn implements Lead {
  readonly kind = 'lead'
  private readonly thread: CacheThread
  private readonly storing: Storing
  private readonly shard: Shard
  private readonly urlHash: number
  private readonly flight: number
  private isOver = false

  constructor(thread: CacheThread, storing: Storing, o: { shard: Shard; urlHash: number; flight: number }) {
    this.thread = thread
    this.storing = storing
    this.shard = o.shard
    this.urlHash = o.urlHash
    this.flight = o.flight
  }

  get isAwaited(): boolean {
    return !this.isOver && this.shard.flights.isAwaited(this.flight)
  }

  put(facts: EntryFacts, texts: EntryTexts, body: BodyParts): StoredEntry | null {
    this.finish()
    const urlHash = this.thread.hashOf(texts.url)
    const { shard, flight } = this
    if (urlHash === this.urlHash) {
      const entry = this.storing.put(shard, urlHash, { facts, texts, body, flight })
      this.thread.flights.endLead(flight)
      return entry
    }
    // An answer for another URL than was asked for: stored there, and those who wait look again.
    const isDoomed = this.storing.isDoomed(flight)
    const other = this.thread.shardOf(urlHash)
    const entry = isDoomed ? null : this.storing.put(other, urlHash, { facts, texts, body, flight: 0 })
    this.storing.endFlight(shard, flight, entry === null ? flightOutcome.alone : flightOutcome.again)
    return entry
  }

  open(facts: EntryFacts, texts: EntryTexts, length: number): Writing | null {
    this.finish()
    const { shard, flight, urlHash } = this
    const pin = length <= this.thread.memory.geometry.maxObject ? this.begin(facts, texts, length) : null
    if (pin !== null)
      return new BodyWriting(this.thread, this.storing, { shard, flight, urlHash, facts, texts, length, pin })
    this.storing.endFlight(this.shard, this.flight, flightOutcome.alone)
    return null
  }

  end(outcome: 'again' | 'retry' | 'alone', markMs = 0): void {
    this.finish()
    const { shard, flight } = this
    const { cells } = this.thread.memory
    if (markMs > 0 && shard.lock.take()) {
      const isDoomed = this.storing.isDoomed(flight)
      const keyA = cells[flight + flightCells.keyA]!
      const keyB = cells[flight + flightCells.keyB]!
      shard.flights.end(flight, flightOutcome[outcome])
      if (!isDoomed) shard.flights.mark(this.urlHash, keyA, keyB, this.thread.now() + Math.min(markMs, longestMarkMs))
      shard.lock.release()
      this.thread.flights.endLead(flight)
    } else this.storing.endFlight(shard, flight, flightOutcome[outcome])
  }

  /** Memory for its head, and for its body as far as its length is known. This thread holds it; null = none could be had. */
  private begin(facts: EntryFacts, texts: EntryTexts, length: number): Pin | null {
    const { shard, flight, thread } = this
    const { cells, lane } = thread.memory
    if (!shard.lock.take()) return null
    const body = shard.beginBody(length)
    if (body !== 0) cells[flight + flightCells.body] = body
    const head = body === 0 ? 0 : shard.chunkFor(entryBytes(texts))
    if (head !== 0) {
      cells[flight + flightCells.head] = head
      writeEntry(thread.memory, head, facts, texts)
    }
    const pin = head === 0 ? null : thread.pins.take(shard, body)
    shard.lock.release()
    const pages = length < 0 ? 1 : pagesOf(length)
    if (pin === null || !this.storing.growWhole(shard, body, pages) || !shard.lock.take()) return this.giveUp(pin)
    shard.flights.join(flight, lane)
    shard.flights.open(flight)
    shard.lock.release()
    thread.flights.at(shard, flight).isLed = true
    thread.flights.wake(flight)
    return pin
  }

  /** What was begun is taken back: those who wait must not take it for an answer. */
  private giveUp(pin: Pin | null): null {
    if (pin !== null) this.thread.pins.release(pin)
    if (this.shard.lock.take()) {
      this.shard.flights.dropBody(this.flight)
      this.shard.lock.release()
    }
    return null
  }

  private finish(): void {
    if (this.isOver) throw new Error('this turn has ended already')
    this.isOver = true
  }
}
