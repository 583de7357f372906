// One thread's way into the store of cached answers.
import { CacheThread } from './cache-thread.ts'
import { flightCells, flightState } from './flight-table.ts'
import { header, headerNumbers } from './geometry.ts'
import { LeadTurn } from './lead-turn.ts'
import { listEntries } from './listing.ts'
import { LookAgain } from './local-flights.ts'
import { purge, purgePart } from './purging.ts'
import { Reclaiming } from './reclaiming.ts'
import type { DecodedEntry } from './stored-entry.ts'
import { Storing } from './storing.ts'
import { totalsOf } from './totals.ts'
import type {
  Alone,
  BodyParts,
  CacheStoreApi,
  CacheTotals,
  EntryFacts,
  EntryTexts,
  ListedEntry,
  PurgedPart,
  PurgeWhat,
  StoredEntry,
  Turn,
} from './types.ts'
import { readVariants } from './variants.ts'

const alone: Alone = { kind: 'alone' }
/** Up to here every use of an entry is counted at once, then a few together: threads would fight for the cell. */
const countedSingly = 64
const countedTogether = 16

/** The store of cached answers, as one thread has it. */
export class CacheStore implements CacheStoreApi {
  readonly maxObject: number
  private readonly thread: CacheThread
  private readonly storing: Storing
  private readonly reclaiming: Reclaiming
  private readonly cells: Int32Array
  private readonly lane: number

  /**
   * @param buffer of createCacheMemory
   * @param lane this thread's own, from 0; its last user has been reclaimed
   */
  constructor(buffer: SharedArrayBuffer, lane: number) {
    this.thread = new CacheThread(buffer, lane)
    this.storing = new Storing(this.thread)
    this.reclaiming = new Reclaiming(this.thread)
    this.reclaiming.finishOwn()
    this.cells = this.thread.memory.cells
    this.lane = lane
    this.maxObject = this.thread.memory.geometry.maxObject
  }

  now(): number {
    return this.thread.now()
  }

  /** Moves the clock of the store on, for all threads. For tests. */
  moveClock(ms: number): void {
    this.thread.memory.numbers[headerNumbers.skew]! += ms
  }

  variants(url: string): readonly StoredEntry[] {
    const known = this.thread.decoded.get(url)
    if (known !== undefined && Atomics.load(this.cells, known.versionCell) === known.version) {
      known.isUsed = true
      this.thread.looked(known.versionCell, known.version)
      return known.entries
    }
    return readVariants(this.thread, url, known)
  }

  hit(entry: StoredEntry): void {
    const { hitsCell } = entry as DecodedEntry
    const hits = this.cells[hitsCell]! + 1
    if (hits >= 0 && hits <= countedSingly) this.cells[hitsCell] = hits
    else if (++(entry as DecodedEntry).unsaid >= countedTogether) {
      ;(entry as DecodedEntry).unsaid = 0
      this.cells[hitsCell] = hits + countedTogether - 1
    }
  }

  turn(url: string, key: string): Turn {
    const { thread } = this
    const { hash } = thread
    const urlHash = thread.hashOf(url)
    const keyA = hash.pair(key, urlHash)
    const keyB = hash.second
    const shard = thread.shardOf(urlHash)
    if (thread.pins.hasLate) thread.pins.giveBack()
    if (!shard.lock.take()) return alone
    if (thread.hasChanged(shard.entries.versionCell(urlHash))) {
      shard.lock.release()
      thread.looked(0, 0)
      return new LookAgain()
    }
    const { flights } = shard
    const found = flights.find(urlHash, keyA, keyB, thread)
    if (found === 0) {
      const flight = flights.begin(urlHash, keyA, keyB, this.lane)
      shard.lock.release()
      return flight === 0 ? alone : new LeadTurn(thread, this.storing, { shard, urlHash, flight })
    }
    const state = found < 0 ? flightState.mark : this.cells[found]!
    const canJoin = state === flightState.waiting || state === flightState.open
    if (canJoin) flights.join(found, this.lane)
    shard.lock.release()
    if (!canJoin) return alone
    const local = thread.flights.at(shard, found)
    if (this.cells[found + flightCells.lead] === this.lane + 1) local.isLed = true
    return local.follow()
  }

  get purges(): number {
    return Atomics.load(this.cells, header.purges)
  }

  put(facts: EntryFacts, texts: EntryTexts, body: BodyParts, since = this.purges): StoredEntry | null {
    const urlHash = this.thread.hashOf(texts.url)
    return this.storing.put(this.thread.shardOf(urlHash), urlHash, { facts, texts, body, flight: 0, since })
  }

  refresh(entry: StoredEntry, facts: EntryFacts, head: string): StoredEntry | null {
    return this.storing.refresh(entry as DecodedEntry, facts, head)
  }

  remove(entry: StoredEntry): void {
    const { shard, ref, serial, urlHash } = entry as DecodedEntry
    if (!shard.lock.take()) return
    if (shard.entries.has(ref, serial, urlHash)) shard.entries.remove(ref)
    shard.lock.release()
  }

  purge(what: PurgeWhat, soft: boolean): number {
    return purge(this.thread, what, soft)
  }

  purgePart(what: PurgeWhat, soft: boolean, from: number): PurgedPart {
    return purgePart(this.thread, what, soft, from)
  }

  totals(): CacheTotals {
    return totalsOf(this.thread)
  }

  list(each: (entry: ListedEntry) => boolean, from = 0, most = Number.POSITIVE_INFINITY): number {
    return listEntries(this.thread, each, { from, most })
  }

  reclaim(lane: number): void {
    this.reclaiming.reclaim(lane)
  }
}
