// Putting answers into the store, at once or when their body has come.

import { BodyPlace, bodyCells, bodyState, pagesOf } from './bodies.ts'
import { lengthOf, writeRuns, writeWhole } from './body-bytes.ts'
import type { CacheThread } from './cache-thread.ts'
import { entryBytes, entryCells, writeEntry } from './entry-cells.ts'
import { flightCells, flightOutcome } from './flight-table.ts'
import { header, pageBytes, unitBytes, unitCells } from './geometry.ts'
import type { Pin } from './pins.ts'
import type { Shard } from './shard.ts'
import { kind, shardNumbers } from './shard-cells.ts'
import { DecodedEntry } from './stored-entry.ts'
import { type BodyParts, type EntryFacts, type EntryTexts, SMALL_BODY } from './types.ts'

/** Up to here a body stands in its entry's chunk, texts and all. */
const inlineBytes = Math.floor(pageBytes / 3)

/** Whether a body stands in its entry's chunk. */
export function isInline(texts: EntryTexts, length: number): boolean {
  return length <= SMALL_BODY && entryBytes(texts) + length <= inlineBytes
}

export class Storing {
  private readonly thread: CacheThread

  constructor(thread: CacheThread) {
    this.thread = thread
  }

  /** Stores an answer. `flight` (0 = none) is over then, whatever comes of it. */
  put(
    shard: Shard,
    urlHash: number,
    o: { facts: EntryFacts; texts: EntryTexts; body: BodyParts; flight: number; since?: number },
  ) {
    const length = lengthOf(o.body)
    if (length > this.thread.memory.geometry.maxObject) return this.give(shard, o.flight)
    if (!isInline(o.texts, length)) return this.putLong(shard, urlHash, o)
    if (!shard.lock.take()) return this.give(shard, o.flight)
    const { memory } = this.thread
    const ref = this.isTooLate(o) ? 0 : shard.chunkFor(entryBytes(o.texts) + length)
    let entry: DecodedEntry | null = null
    if (ref !== 0) {
      writeEntry(memory, ref, o.facts, o.texts)
      writeWhole(memory.bytes, ref * unitBytes + entryBytes(o.texts), o.body)
      entry = this.insert(shard, ref, { urlHash, body: 0, length, facts: o.facts, texts: o.texts })
    }
    if (o.flight !== 0) shard.flights.end(o.flight, entry === null ? flightOutcome.alone : flightOutcome.again)
    shard.lock.release()
    if (entry !== null && typeof o.body === 'string') entry.keepText(o.body)
    return entry
  }

  /** Makes a written chunk an entry, in place of the one with the same URL and selector. Under the lock. */
  insert(
    shard: Shard,
    ref: number,
    o: { urlHash: number; body: number; length: number; facts: EntryFacts; texts: EntryTexts },
  ): DecodedEntry {
    const { cells } = this.thread.memory
    const at = ref * unitCells
    const keyHash = this.thread.keyHashOf(o.urlHash, o.texts.selector)
    cells[at + entryCells.urlHash] = o.urlHash
    cells[at + entryCells.keyHash] = keyHash
    cells[at + entryCells.bodyLength] = o.length | 0
    cells[at + entryCells.body] = o.body
    if (o.body !== 0) cells[o.body * unitCells + bodyCells.owner] = ref
    cells[at] = kind.entry
    const old = shard.entries.find(o.urlHash, keyHash, o.texts.url, o.texts.selector)
    shard.entries.insert(ref, old)
    shard.entries.add(shardNumbers.stored, 1)
    const serial = cells[at + entryCells.serial]!
    const entry = new DecodedEntry(this.thread, shard, { ref, serial, urlHash: o.urlHash })
    entry.fill(o.facts, o.texts, o.length)
    return entry
  }

  /** Writes an entry anew with other facts and another head. Null = it is not there any more, or no memory could be had. */
  refresh(entry: DecodedEntry, facts: EntryFacts, head: string): DecodedEntry | null {
    const { shard, url, selector, tags, urlHash } = entry
    const { memory } = this.thread
    const { cells, bytes } = memory
    const texts = { url, selector, tags, head }
    const length = entry.bodyLength
    if (!shard.lock.take()) return null
    let fresh: DecodedEntry | null = null
    // Its memory may come from anywhere, also from this very entry: only then is it looked for.
    const inline = entry.body === 0 ? length : 0
    const ref = shard.chunkFor(entryBytes(texts) + inline)
    if (ref !== 0 && shard.entries.has(entry.ref, entry.serial, urlHash)) {
      writeEntry(memory, ref, facts, texts)
      const from = entry.ref * unitBytes + entryBytes(entry)
      bytes.copyWithin(ref * unitBytes + entryBytes(texts), from, from + inline)
      const at = ref * unitCells
      cells[at + entryCells.urlHash] = urlHash
      cells[at + entryCells.keyHash] = cells[entry.ref * unitCells + entryCells.keyHash]!
      cells[at + entryCells.bodyLength] = length | 0
      cells[at + entryCells.body] = entry.body
      if (entry.body !== 0) cells[entry.body * unitCells + bodyCells.owner] = ref
      cells[at] = kind.entry
      shard.entries.insert(ref, entry.ref)
      fresh = new DecodedEntry(this.thread, shard, { ref, serial: cells[at + entryCells.serial]!, urlHash })
      fresh.fill(facts, texts, length)
    } else if (ref !== 0) shard.slab.give(ref)
    shard.lock.release()
    return fresh
  }

  /** It was purged before it came. Under the lock: a purge that is counted later finds it. */
  private isTooLate({ flight, since }: { flight: number; since?: number }): boolean {
    if (flight !== 0) return this.isDoomed(flight)
    return since !== undefined && Atomics.load(this.thread.memory.cells, header.purges) !== since
  }

  isDoomed(flight: number): boolean {
    return flight !== 0 && this.thread.memory.cells[flight + flightCells.isDoomed] === 1
  }

  /** A body that this thread holds, with memory for all of it; null = none could be had. */
  makeBody(shard: Shard, length: number): Pin | null {
    if (!shard.lock.take()) return null
    const ref = shard.beginBody(length)
    const pin = ref === 0 ? null : this.thread.pins.take(shard, ref)
    if (ref !== 0) shard.bodies.unpin(ref)
    shard.lock.release()
    if (pin === null || this.growWhole(shard, ref, pagesOf(length))) return pin
    this.thread.pins.release(pin)
    return null
  }

  /** Gives a body its pages, a few at a time, so that nobody waits long for the lock. */
  growWhole(shard: Shard, ref: number, pages: number): boolean {
    const { cells } = this.thread.memory
    while (cells[ref * unitCells + bodyCells.pages]! < pages) {
      if (!shard.lock.take()) return false
      const isGrown = shard.growBody(ref, pages)
      shard.lock.release()
      if (!isGrown) return false
    }
    return true
  }

  private putLong(
    shard: Shard,
    urlHash: number,
    o: { facts: EntryFacts; texts: EntryTexts; body: BodyParts; flight: number; since?: number },
  ) {
    const length = lengthOf(o.body)
    const pin = this.makeBody(shard, length)
    if (pin === null) return this.give(shard, o.flight)
    const { cells, bytes } = this.thread.memory
    writeRuns(bytes, new BodyPlace(this.thread.memory, shard.slab, pin.ref), o.body)
    cells[pin.ref * unitCells + bodyCells.written] = length | 0
    Atomics.store(cells, pin.ref * unitCells + bodyCells.state, bodyState.complete)
    let entry: DecodedEntry | null = null
    if (shard.lock.take()) {
      const ref = this.isTooLate(o) ? 0 : shard.chunkFor(entryBytes(o.texts))
      if (ref !== 0) {
        writeEntry(this.thread.memory, ref, o.facts, o.texts)
        entry = this.insert(shard, ref, { urlHash, body: pin.ref, length, facts: o.facts, texts: o.texts })
      }
      if (o.flight !== 0) shard.flights.end(o.flight, entry === null ? flightOutcome.alone : flightOutcome.again)
      shard.lock.release()
    } else this.give(shard, o.flight)
    this.thread.pins.release(pin)
    return entry
  }

  /** Nothing is stored: those who wait ask for themselves. */
  private give(shard: Shard, flight: number): null {
    if (flight !== 0) this.endFlight(shard, flight, flightOutcome.alone)
    return null
  }

  /** Ends a flight, later if its shard cannot be had now. */
  endFlight(shard: Shard, flight: number, outcome: number): void {
    if (shard.lock.take()) {
      shard.flights.end(flight, outcome)
      shard.lock.release()
      this.thread.flights.endLead(flight)
    } else setTimeout(() => this.endFlight(shard, flight, outcome), 20)
  }
}
