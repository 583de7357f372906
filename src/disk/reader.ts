// What one thread reads: all records of a URL, checked, then handed over. Bounded in time and number; what fails is not found.
import type { Bans } from '../state/cache-disk/bans.ts'
import type { DiskIndex, Place } from '../state/cache-disk/disk-index.ts'
import type { LogHead } from '../state/cache-disk/log-head.ts'
import { codeOf } from './files.ts'
import { mayPass, problemText } from './problem.ts'
import { type DecodedRecord, headerBytes, type RecordCodec, type RecordHeader } from './record.ts'
import type { Segments } from './segments.ts'

export interface ReaderParts {
  readonly path: string
  readonly head: LogHead
  readonly index: DiskIndex
  readonly bans: Bans
  readonly codec: RecordCodec
  readonly segments: Segments
}

/** A sound record, and where it was. */
export interface Found {
  readonly record: DecodedRecord
  readonly header: RecordHeader
  readonly bytes: Buffer
}

/** Records of a URL that are read at most, the youngest of them. */
const mostRecords = 8
const mostBytes = 32 * 1024 * 1024

export class DiskReader {
  readonly #o: ReaderParts

  constructor(parts: ReaderParts) {
    this.#o = parts
  }

  /** Those of a URL that are to be read: none with these selectors. */
  places(hi: number, lo: number, nowMs: number, known: Iterable<number>): Place[] {
    const selectors = new Set(known)
    const most = selectors.size + mostRecords
    let bytes = 0
    return this.#o.index.find(hi, lo, Math.floor(nowMs / 1000)).filter(({ selector, length }) => {
      // Of two with the same selector the older one is out of date.
      if (selectors.has(selector) || selectors.size >= most || bytes + length > mostBytes) return false
      selectors.add(selector)
      bytes += length
      return true
    })
  }

  /** Null = nothing that may be served. Never rejects. */
  async read(url: string, hi: number, lo: number, place: Place): Promise<Found | null> {
    const { path, head, index, segments } = this.#o
    const segment = Math.floor(place.position / head.segmentBytes)
    const offset = place.position % head.segmentBytes
    try {
      // A slot that two threads have written to at once may say anything.
      if (place.length >= headerBytes && offset + place.length <= head.segmentBytes) {
        const bytes = Buffer.allocUnsafeSlow(place.length)
        const count = await segments.read(segment, bytes, offset)
        const found = count === bytes.length ? this.#check(bytes, place) : null
        if (found !== null) return found.record.texts.url === url ? found : null
      }
    } catch (error) {
      // The file has been removed, by us as it was its turn, or by somebody else: what was in it is gone.
      if (codeOf(error) !== 'ENOENT') {
        if (mayPass(error)) head.degrade(problemText(error, 'read', path))
        return null
      }
    }
    // Removed meanwhile, or another thread has written to the slot: no damage.
    if (segment >= head.oldest && index.isAt(hi, lo, place)) head.countDamaged()
    index.remove(hi, lo, place)
    return null
  }

  #check(bytes: Buffer, place: Place): Found | null {
    const header = this.#o.codec.header(bytes, 0, place.position)
    if (header === null) return null
    const record = this.#o.codec.decode(bytes, header)
    return record === null ? null : { record, header, bytes }
  }
}
