// What one thread writes behind: records wait in a short queue, several go out in one write, and can be found from then on.
import type { Bans } from '../state/cache-disk/bans.ts'
import type { DiskIndex } from '../state/cache-disk/disk-index.ts'
import type { LogHead } from '../state/cache-disk/log-head.ts'
import { problemText } from './problem.ts'
import type { RecordCodec, RecordHeader } from './record.ts'
import type { Segments } from './segments.ts'

/** An encoded record that waits. */
export interface WaitingRecord {
  readonly bytes: Buffer
  readonly url: string
  readonly tags: string
  readonly mark: number
}

export interface WriterParts {
  readonly path: string
  readonly head: LogHead
  readonly index: DiskIndex
  readonly bans: Bans
  readonly codec: RecordCodec
  readonly segments: Segments
}

/** What may wait in a thread. */
const mostWaiting = 4096
const mostWaitingBytes = 32 * 1024 * 1024
/** More than this is not written at once, but for a record that is longer. */
const batchBytes = 512 * 1024
/** So long others may join. */
const lingerMs = 10

export class DiskWriter {
  readonly #o: WriterParts
  readonly #batchBytes: number
  #waiting: WaitingRecord[] = []
  #waitingBytes = 0
  #timer: NodeJS.Timeout | null = null
  #run: Promise<void> | null = null

  constructor(parts: WriterParts) {
    this.#o = parts
    this.#batchBytes = Math.min(batchBytes, parts.head.segmentBytes / 16)
  }

  /** Whether one more of this length may wait. */
  hasRoom(length: number): boolean {
    if (this.#o.head.isDegraded) return false
    return this.#waiting.length < mostWaiting && this.#waitingBytes + length <= mostWaitingBytes
  }

  add(record: WaitingRecord): void {
    this.#waiting.push(record)
    this.#waitingBytes += record.bytes.length
    if (this.#run === null) this.#timer ??= setTimeout(this.#start, lingerMs)
  }

  /** Resolves when nothing waits any more. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0 || this.#run !== null) await (this.#run ?? this.#start())
  }

  /** For the timer too. */
  readonly #start = (): Promise<void> => {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#run ??= this.#writeAll().finally(() => {
      this.#run = null
    })
    return this.#run
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#next()
      if (!this.#o.head.isDegraded && (await this.#write(batch))) continue
      for (const record of batch) this.#give(record)
    }
  }

  /** So many as go out in one write. */
  #next(): WaitingRecord[] {
    let bytes = 0
    let count = 0
    for (const record of this.#waiting) {
      if (count > 0 && bytes + record.bytes.length > this.#batchBytes) break
      bytes += record.bytes.length
      count++
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }

  async #write(batch: readonly WaitingRecord[]): Promise<boolean> {
    const { path, head, segments } = this.#o
    try {
      const position = await this.#reserve(batch.reduce((sum, { bytes }) => sum + bytes.length, 0))
      // Only now: a ban that is found by nobody here is written down after this position.
      const headers = this.#seal(batch, position)
      const segment = Math.floor(position / head.segmentBytes)
      const parts = batch.map(({ bytes }) => bytes)
      await segments.write(segment, parts, position % head.segmentBytes)
      for (const header of headers) this.#o.index.insert(header)
      return true
    } catch (error) {
      head.degrade(problemText(error, 'written to', path))
      return false
    } finally {
      head.written()
    }
  }

  async #reserve(bytes: number): Promise<number> {
    const { head, segments } = this.#o
    for (;;) {
      const segment = head.segment
      const position = head.reserve(bytes)
      if (position >= 0) return position
      await segments.advance(segment + 1)
    }
  }

  /** Those that were purged meanwhile are written all the same, with a mark that says so, and not found. */
  #seal(batch: readonly WaitingRecord[], from: number): RecordHeader[] {
    const { bans, codec } = this.#o
    const headers: RecordHeader[] = []
    const upTo = bans.mark()
    let position = from
    for (const { bytes, url, tags, mark } of batch) {
      const verdict = bans.verdict({ mark, url, hashes: codec.hashes.ofBanned(url, tags) })
      const header = codec.seal(bytes, position, verdict === 'good' ? Math.max(mark, upTo) : mark)
      if (verdict !== 'gone') headers.push(header)
      position += bytes.length
    }
    return headers
  }

  /** What was there before is older than what could not be written: it must not come back. */
  #give(record: WaitingRecord): void {
    const { codec, head, index } = this.#o
    head.countDropped()
    index.removeAll(codec.hashes.hi(record.url), codec.hashes.lo(record.url))
  }
}
