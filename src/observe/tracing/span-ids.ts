// Random ids of traces and spans, from a pool: asking the system for each would cost more than all the rest.
import { randomFillSync } from 'node:crypto'

const POOL_BYTES = 4096
const TRACE_BYTES = 16
const SPAN_BYTES = 8

export class SpanIds {
  readonly #pool = Buffer.alloc(POOL_BYTES)
  #at = POOL_BYTES

  /** 32 hex digits, not all zero. */
  trace(): string {
    return this.#next(TRACE_BYTES)
  }

  /** 16 hex digits, not all zero. */
  span(): string {
    return this.#next(SPAN_BYTES)
  }

  #next(bytes: number): string {
    if (this.#at + bytes > POOL_BYTES) {
      randomFillSync(this.#pool)
      this.#at = 0
    }
    const from = this.#at
    this.#at += bytes
    const id = this.#pool.toString('hex', from, this.#at)
    return /[^0]/.test(id) ? id : this.#next(bytes)
  }
}
