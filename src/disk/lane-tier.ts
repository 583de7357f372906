// The disk tier as one thread has it: worker or main thread.
import { join } from 'node:path'
import type { EntryFacts, EntryTexts, PurgeWhat, StoredEntry } from '../state/cache/types.ts'
import { SMALL_BODY } from '../state/cache/types.ts'
import { type Ban, Bans } from '../state/cache-disk/bans.ts'
import { DiskIndex, type Place } from '../state/cache-disk/disk-index.ts'
import { DiskMemory, shared64 } from '../state/cache-disk/disk-memory.ts'
import { LogHead } from '../state/cache-disk/log-head.ts'
import { BanLog } from './ban-log.ts'
import { banSumName } from './ban-sum.ts'
import { DiskError } from './disk-error.ts'
import { codeOf, type DiskFiles } from './files.ts'
import { problemText } from './problem.ts'
import { DiskReader, type Found } from './reader.ts'
import { padded, RecordCodec, recordLength } from './record.ts'
import { Segments } from './segments.ts'
import { maxRecordOf } from './sizes.ts'
import type { DiskTier, DiskTotals, Known, TakeEntry } from './types.ts'
import { DiskWriter } from './writer.ts'

export interface LaneOptions {
  readonly shared: SharedArrayBuffer
  readonly lane: number
  readonly now: () => number
  readonly files: DiskFiles
}

/** What may be read at once in a thread; for more nothing is found. */
const mostFetches = 1024
const mostFetchedBytes = 32 * 1024 * 1024
const fetchMs = 1000
/** Longer answers of which only the head is new are not written again. */
const cheapBytes = 64 * 1024
/** How often files that are not there any more are given back. */
const tidyMs = 1000

export class LaneTier implements DiskTier {
  readonly memory: DiskMemory
  readonly head: LogHead
  readonly index: DiskIndex
  readonly bans: Bans
  readonly banLog: BanLog
  readonly segments: Segments
  readonly codec: RecordCodec
  readonly #files: DiskFiles
  readonly #now: () => number
  readonly #maxRecord: number
  readonly #reader: DiskReader
  readonly #writer: DiskWriter
  readonly #tidying: NodeJS.Timeout
  #fetches = 0
  #fetchedBytes = 0
  #isClosed = false

  constructor({ shared, lane, now, files }: LaneOptions) {
    const memory = new DiskMemory(shared)
    const { path } = memory
    this.memory = memory
    this.head = new LogHead(memory, lane)
    this.index = new DiskIndex(memory)
    this.bans = new Bans(memory, lane)
    this.codec = new RecordCodec(memory.secret)
    this.banLog = new BanLog(files, path, this.head, (error) => void this.#distrust(error).catch(() => undefined))
    this.segments = new Segments(files, path, this.head)
    this.#files = files
    this.#now = now
    this.#maxRecord = maxRecordOf(memory.sizes.segmentBytes)
    const { head, index, bans, codec, segments } = this
    const parts = { path, head, index, bans, codec, segments }
    this.#reader = new DiskReader(parts)
    this.#writer = new DiskWriter(parts)
    this.#tidying = setInterval(() => this.segments.tidy(), tidyMs)
    this.#tidying.unref()
  }

  mayHave(url: string, known: Known = []): boolean {
    const hi = this.codec.hashes.hi(url)
    const lo = this.codec.hashes.lo(url)
    return this.index.has(hi, lo) && (known.length === 0 || this.#places(hi, lo, known).length > 0)
  }

  fetch(url: string, take: TakeEntry, done: () => void, remove: (entry: StoredEntry) => void, known: Known = []): void {
    const hi = this.codec.hashes.hi(url)
    const lo = this.codec.hashes.lo(url)
    const places = this.#isClosed ? [] : this.#places(hi, lo, known)
    const bytes = places.reduce((sum, { length }) => sum + length, 0)
    const isTooMuch =
      this.#fetches >= mostFetches || (this.#fetches > 0 && this.#fetchedBytes + bytes > mostFetchedBytes)
    if (places.length === 0 || isTooMuch) {
      queueMicrotask(done)
      return
    }
    let isDone = false
    const end = (): void => {
      if (isDone) return
      isDone = true
      this.#fetches--
      this.#fetchedBytes -= bytes
      clearTimeout(timer)
      done()
    }
    const timer = setTimeout(end, fetchMs)
    this.#fetches++
    this.#fetchedBytes += bytes
    const readOne = async (place: Place): Promise<void> => {
      const found = await this.#reader.read(url, hi, lo, place)
      if (found !== null && !isDone) this.#hand(found, place, take, remove)
    }
    void Promise.all(places.map(readOne)).then(end, end)
  }

  keep(entry: StoredEntry, isRefreshed = false): void {
    const length = recordLength(entry, entry.bodyLength)
    if (this.#isClosed || (isRefreshed && length > cheapBytes)) return
    if (length > this.#maxRecord || !this.#writer.hasRoom(padded(length))) {
      this.#drop(entry)
      return
    }
    // Before the entry is looked at: if it is in the memory still, all bans up to this one have passed it by.
    const mark = this.bans.mark()
    const bytes = this.codec.encode(entry, entry, entry.bodyLength)
    const { url, tags } = entry
    if (copyBody(entry, bytes, length - entry.bodyLength)) this.#writer.add({ bytes, url, tags, mark })
  }

  forget(url: string): void {
    this.banLog.add(this.#ban(this.#hashOf(url), false))
  }

  async purge(what: PurgeWhat, soft: boolean): Promise<number> {
    const count = soft ? 0 : this.#countOf(what)
    const ban = this.#ban(this.#banOf(what), soft)
    if (what.kind === 'all' && !soft) this.removeEverything()
    try {
      await this.banLog.addDurably(ban)
    } catch (error) {
      await this.#distrust(error)
    }
    return count
  }

  totals(): DiskTotals {
    const { head, index, memory } = this
    const { segmentBytes } = memory.sizes
    return {
      size: memory.load(shared64.size),
      used: head.position - head.removed * segmentBytes,
      entries: index.entries,
      state: head.isDegraded ? 'degraded' : 'ok',
      problem: head.isDegraded ? head.problem : null,
      dropped: head.total('dropped'),
      damaged: head.total('damaged'),
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#tidying)
    await this.#writer.flush()
    await this.banLog.close()
    await this.segments.close()
  }

  /** Gives a record over unless it was purged, be it in the moment in which it is taken. */
  #hand({ record, header, bytes }: Found, place: Place, take: TakeEntry, remove: (entry: StoredEntry) => void): void {
    const { facts, texts, body } = record
    const { url, tags } = texts
    const banned = { mark: header.mark, url, hashes: this.codec.hashes.ofBanned(url, tags) }
    const verdict = this.bans.verdict(banned)
    if (verdict === 'gone') {
      this.index.remove(header.hi, header.lo, place)
      return
    }
    const stored = take(verdict === 'stale' ? this.#staleNow(facts) : facts, texts, body)
    if (stored !== null && this.bans.verdict(banned) !== verdict) remove(stored)
    // It is wanted, and its segment will soon be removed: once more, as the youngest.
    if (this.#isNearEnd(header.position) && this.#writer.hasRoom(bytes.length)) {
      const again = Buffer.alloc(padded(bytes.length))
      bytes.copy(again)
      this.#writer.add({ bytes: again, url, tags, mark: header.mark })
    }
  }

  #places(hi: number, lo: number, known: Known): Place[] {
    const selectors = known.map(({ selector }) => this.codec.hashes.hi(selector))
    return this.#reader.places(hi, lo, this.#now(), selectors)
  }

  #staleNow(facts: EntryFacts): EntryFacts {
    const age = Math.max(0, this.#now() - facts.responseTime) + facts.initialAge
    return { ...facts, lifetime: Math.min(facts.lifetime, age) }
  }

  /** In the oldest quarter of a full disk. */
  #isNearEnd(position: number): boolean {
    const { head } = this
    const ahead = head.segment - Math.floor(position / head.segmentBytes)
    return ahead >= (head.segments * 3) / 4
  }

  /** What there is of it on disk is older than what is not kept. */
  #drop({ url, selector }: EntryTexts): void {
    this.head.countDropped()
    const { hashes } = this.codec
    this.index.removeAll(hashes.hi(url), hashes.lo(url), hashes.hi(selector))
  }

  #hashOf(url: string): Ban['what'] {
    return { kind: 'hash', hi: this.codec.hashes.hi(url), lo: this.codec.hashes.lo(url) }
  }

  #banOf(what: PurgeWhat): Ban['what'] {
    if (what.kind === 'url') return this.#hashOf(what.url)
    if (what.kind === 'all') return { kind: 'all' }
    if (what.kind === 'prefix') return { kind: 'prefix', prefix: what.prefix, segment: this.head.segment }
    const [hi, lo] = this.codec.hashes.ofTag(what.tag)
    return { kind: 'hash', hi, lo }
  }

  /** In force for all threads when it returns. */
  #ban(what: Ban['what'], soft: boolean): Ban {
    const ban = this.bans.begin(what, soft)
    if (what.kind === 'hash' && !soft) this.index.removeAll(what.hi, what.lo)
    return ban
  }

  /** Bans could not be written: a start must not trust what else is there. Without this file it begins empty. */
  async #distrust(error: unknown): Promise<void> {
    const { path } = this.memory
    const problem = problemText(error, 'written to', path)
    this.head.degrade(problem)
    await this.#files.remove(join(path, banSumName)).catch(() => {
      const until = 'what was purged is so until the process ends; remove the files in it before the next start'
      throw new DiskError(codeOf(error), `${problem}. ${until}`)
    })
  }

  #countOf(what: PurgeWhat): number {
    if (what.kind === 'all') return this.index.entries
    if (what.kind !== 'url') return 0
    return this.index.find(this.codec.hashes.hi(what.url), this.codec.hashes.lo(what.url), 0).length
  }

  /** Nothing is found any more. Files are taken away by the main thread in its own time. */
  removeEverything(): void {
    this.index.sweep(0, this.memory.sizes.sets, true)
    this.head.forgetBelow(this.head.segment)
  }
}

/** Of a body; false = the entry has gone meanwhile. */
function copyBody(entry: StoredEntry, into: Buffer, from: number): boolean {
  if (entry.bodyLength <= SMALL_BODY) {
    const text = entry.text()
    if (text === null || text.length !== entry.bodyLength) return false
    into.latin1Write(text, from)
    return true
  }
  const reading = entry.open()
  if (reading === null) return false
  try {
    let at = 0
    for (let bytes = reading.read(at); bytes !== null && at < entry.bodyLength; bytes = reading.read(at)) {
      bytes.copy(into, from + at)
      at += bytes.length
    }
    return at === entry.bodyLength
  } finally {
    reading.release()
  }
}
