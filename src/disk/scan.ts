// Looks through the headers of records that the index may not know: all of them, or those that are younger than a checkpoint.
// In the background, from the oldest on; what is damaged is skipped.
import type { Bans } from '../state/cache-disk/bans.ts'
import type { DiskIndex } from '../state/cache-disk/disk-index.ts'
import type { LogHead } from '../state/cache-disk/log-head.ts'
import { codeOf } from './files.ts'
import { alignment, headerBytes, padded, type RecordCodec } from './record.ts'
import type { Segments } from './segments.ts'

export interface ScanParts {
  readonly head: LogHead
  readonly index: DiskIndex
  readonly bans: Bans
  readonly codec: RecordCodec
  readonly segments: Segments
}

const chunkBytes = 256 * 1024

export class Scan {
  /** Ends with the segments that were there. */
  readonly finished: Promise<void>
  readonly #o: ScanParts
  #position: number
  readonly #to: number
  #isStopped = false

  /** Records from `from` up to `to` are looked at. */
  constructor(parts: ScanParts, from: number, to: number) {
    this.#o = parts
    this.#position = from
    this.#to = to
    this.finished = this.#run()
  }

  get isFinished(): boolean {
    return this.#position >= this.#to
  }

  /** All before it is in the index. */
  get position(): number {
    return this.#position
  }

  /** After what it does just now. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.finished
  }

  async #run(): Promise<void> {
    const { head, segments } = this.#o
    const { segmentBytes } = head
    const to = this.#to
    const chunk = Buffer.allocUnsafeSlow(chunkBytes)
    while (this.#position < to && !this.#isStopped) {
      const segment = Math.floor(this.#position / segmentBytes)
      const offset = this.#position % segmentBytes
      const end = Math.min(segmentBytes, to - segment * segmentBytes)
      if (segment < head.oldest) {
        this.#position = head.oldest * segmentBytes
        continue
      }
      const wanted = chunk.subarray(0, Math.min(chunkBytes, end - offset))
      // What cannot be read is as if it were not there.
      const count = await segments.read(segment, wanted, offset).catch((error) => {
        if (codeOf(error) !== 'ENOENT') head.countDamaged()
        return 0
      })
      this.#position +=
        count < headerBytes ? end - offset : this.#take(wanted.subarray(0, count), count < wanted.length)
    }
  }

  /** Takes the records that begin in these bytes. Returns how far to go on from their start. */
  #take(bytes: Buffer, isEnd: boolean): number {
    const { head, index, bans, codec } = this.#o
    let at = 0
    while (at + headerBytes <= bytes.length) {
      const header = codec.header(bytes, at, this.#position + at)
      if (header === null) {
        const next = codec.search(bytes, at + alignment)
        const skipped = bytes.subarray(at, next < 0 ? bytes.length : next)
        // Zeros are bytes that were reserved and never written.
        if (skipped.some((byte) => byte !== 0)) head.countDamaged()
        at = next < 0 ? afterLast(bytes.length) : next
        continue
      }
      if (!bans.isHashBanned(header.mark, header.hi, header.lo)) index.insert(header)
      at += padded(header.length)
    }
    return isEnd ? Math.max(at, head.segmentBytes - (this.#position % head.segmentBytes)) : at
  }
}

/** The first place at which a header may begin that is not whole in so many bytes. */
function afterLast(length: number): number {
  return Math.max(alignment, Math.floor((length - headerBytes) / alignment) * alignment + alignment)
}
