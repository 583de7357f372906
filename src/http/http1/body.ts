// The body of one message as it is read: how long it is, what of the bytes at hand belongs to it.
import { ChunkedDecoder, type Ranges } from './chunked.ts'

export type BodyKind = 'none' | 'length' | 'chunked' | 'close'

/** Reads a message body in any framing; afterwards `ranges` says which bytes are data. RFC 9112 §6. */
export class BodyReader {
  readonly kind: BodyKind
  done: boolean
  /** Data bytes so far. */
  received = 0
  #remaining: number
  readonly #decoder: ChunkedDecoder | null
  readonly #ranges: Ranges = []

  /** `length` counts only for kind 'length'. */
  constructor(kind: BodyKind, length: number) {
    this.kind = kind
    this.#remaining = length
    this.#decoder = kind === 'chunked' ? new ChunkedDecoder() : null
    this.done = kind === 'none' || (kind === 'length' && length === 0)
  }

  /** As ChunkedDecoder.feed: the position after the last byte used, or -1 for a broken body. */
  feed(bytes: Buffer, start: number, end: number): number {
    if (this.#decoder !== null) {
      const position = this.#decoder.feed(bytes, start, end)
      this.received += this.#decoder.total
      this.done = this.#decoder.done
      return position
    }
    if (this.done) {
      this.#ranges.length = 0
      return start
    }
    const to = this.kind === 'length' ? Math.min(end, start + this.#remaining) : end
    this.#ranges[0] = start
    this.#ranges[1] = to
    this.received += to - start
    if (this.kind === 'length') {
      this.#remaining -= to - start
      this.done = this.#remaining === 0
    }
    return to
  }

  /** Start and end of each run of data in the bytes last fed. */
  get ranges(): Ranges {
    return this.#decoder === null ? this.#ranges : this.#decoder.ranges
  }

  /** Data bytes in `ranges`. */
  get total(): number {
    return this.#decoder === null
      ? this.#ranges.length === 0
        ? 0
        : this.#ranges[1]! - this.#ranges[0]!
      : this.#decoder.total
  }

  get trailers(): string {
    return this.#decoder === null ? '' : this.#decoder.trailers
  }

  /** Bytes still to come of a body with a length; 0 for other kinds. */
  get remaining(): number {
    return this.kind === 'length' ? this.#remaining : 0
  }
}
