// The decoded entries that a thread keeps, by URL: bounded in bytes, what was used since the hand came by stays once more.
import type { CacheMemory } from './cache-memory.ts'
import { header, laneCells, laneJoined, laneTableNumber } from './geometry.ts'
import type { DecodedEntry } from './stored-entry.ts'

const none: readonly DecodedEntry[] = []
/** Bytes of what is kept beside the texts: objects, their place in the table, what others derive from a head. */
const urlBytes = 256
const entryBytes = 400
/** Cells in which it is remembered what was asked for while there was no room. A power of two. */
const seenCells = 4096

/** The entries of one URL. */
export class DecodedUrl {
  readonly url: string
  /** The cell of the version of its bucket, and the version they were read at. */
  readonly versionCell: number
  version = 0
  entries: readonly DecodedEntry[]
  /** 0 = it is not kept yet. */
  bytes = 0
  isUsed = false
  isGone = false

  constructor(url: string, versionCell: number) {
    this.url = url
    this.versionCell = versionCell
    this.entries = none
  }
}

export class DecodedUrls {
  private readonly memory: CacheMemory
  private readonly lanes: number
  private readonly byUrl = new Map<string, DecodedUrl>()
  /** In the order of their coming; those that have gone too, for a while. */
  private order: DecodedUrl[] = []
  private hand = 0
  private gone = 0
  private bytes = 0
  /** Some have had to go: from now on only what is asked for a second time is kept. */
  private isFull = false
  private readonly seen = new Int32Array(seenCells)

  constructor(memory: CacheMemory) {
    this.memory = memory
    this.lanes = memory.geometry.lanesStart
  }

  /** This thread keeps nothing yet, whatever another one kept that had its lane. */
  begin(): void {
    this.memory.numbers[this.laneNumber(this.memory.lane)] = 0
  }

  get(url: string): DecodedUrl | undefined {
    return this.byUrl.get(url)
  }

  /**
   * Whether it is worth while to keep what has just been read of a URL: in a full table only for one that was asked for not
   * long ago. What is asked for once would drive out what is asked for often, and cost the collector most.
   */
  admits(urlHash: number): boolean {
    if (!this.isFull) return true
    const cell = (urlHash ^ (urlHash >>> 15)) & (seenCells - 1)
    if (this.seen[cell] === urlHash) return true
    this.seen[cell] = urlHash
    return false
  }

  /** Keeps these entries as those of a URL, if there is room for them. */
  keep(record: DecodedUrl, entries: readonly DecodedEntry[], version: number): void {
    let bytes = urlBytes + 2 * record.url.length
    for (const entry of entries)
      bytes += entryBytes + 2 * (entry.head.length + entry.url.length) + entry.selector.length + entry.tags.length
    for (const entry of record.entries) entry.kept = null
    if (record.bytes === 0) {
      this.byUrl.set(record.url, record)
      this.order.push(record)
    }
    record.entries = entries
    record.version = version
    for (const entry of entries) {
      entry.kept = record
      bytes += entry.textBytes
    }
    this.grow(record, bytes - record.bytes)
  }

  /** A kept one takes so many more bytes. */
  grow(record: DecodedUrl, bytes: number): void {
    if (record.isGone) return
    record.bytes += bytes
    this.bytes += bytes
    if (bytes > 0) this.shrink()
    this.memory.numbers[this.laneNumber(this.memory.lane)] = this.bytes
  }

  drop(record: DecodedUrl): void {
    if (record.isGone) return
    this.forget(record)
    if (++this.gone > 64 && this.gone * 2 > this.order.length - this.hand) this.tidy()
  }

  private forget(record: DecodedUrl): void {
    record.isGone = true
    for (const entry of record.entries) entry.kept = null
    record.entries = none
    this.byUrl.delete(record.url)
    this.bytes -= record.bytes
    this.memory.numbers[this.laneNumber(this.memory.lane)] = this.bytes
  }

  private shrink(): void {
    const limit = this.limit()
    while (this.bytes > limit && this.hand < this.order.length) {
      const record = this.order[this.hand++]!
      if (record.isGone) this.gone--
      else if (record.isUsed) {
        record.isUsed = false
        this.order.push(record)
      } else {
        this.isFull = true
        this.forget(record)
      }
      if (this.hand > 1024 && this.hand * 2 > this.order.length) this.tidy()
    }
  }

  private tidy(): void {
    this.order = this.order.slice(this.hand).filter((record) => !record.isGone)
    this.hand = 0
    this.gone = 0
  }

  /** What this thread may keep: an equal share, and no more than the others leave. */
  private limit(): number {
    const { cells, numbers, lane, geometry } = this.memory
    const own = (this.lanes + lane * laneCells * 4) / 4 + laneJoined
    if (cells[own] === 0 && Atomics.compareExchange(cells, own, 0, 1) === 0) Atomics.add(cells, header.joined, 1)
    const joined = Math.max(1, Atomics.load(cells, header.joined))
    let others = 0
    for (let i = 0; i < geometry.lanes; i++) if (i !== lane) others += numbers[this.laneNumber(i)]!
    // A little less: two threads may grow in the same moment.
    return Math.min(geometry.tableBytes / joined, geometry.tableBytes - others) * 0.95
  }

  private laneNumber(lane: number): number {
    return (this.lanes + lane * laneCells * 4) / 8 + laneTableNumber
  }
}
