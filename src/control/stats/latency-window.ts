// Latencies of the last so many samples: what a histogram that only grows has gained, sample by sample.
import { bucketCount, quantile } from '../../state/histogram.ts'

/** Rounded to microseconds; null = nothing was observed. */
export interface Latency {
  readonly p50: number | null
  readonly p99: number | null
}

export const noLatency: Latency = Object.freeze({ p50: null, p99: null })

export class LatencyWindow {
  readonly #gains: (Float64Array | null)[]
  readonly #sum = new Float64Array(bucketCount)
  #count = 0
  #at = 0

  /** @param length samples that it spans */
  constructor(length: number) {
    this.#gains = new Array<Float64Array | null>(length).fill(null)
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** The histogram stands in `now` from `offset` on, and stood in `before` at the last sample. */
  push(now: Float64Array, before: Float64Array, offset: number): void {
    const oldest = this.#gains[this.#at]!
    if (oldest !== null) this.#add(oldest, -1)
    const gain = oldest ?? new Float64Array(bucketCount)
    let count = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      // A row that somebody else has now begins at 0 again.
      gain[bucket] = Math.max(0, now[offset + bucket]! - before[offset + bucket]!)
      count += gain[bucket]!
    }
    if (count > 0) this.#add(gain, 1)
    this.#gains[this.#at] = count > 0 ? gain : null
    this.#at = (this.#at + 1) % this.#gains.length
  }

  get latency(): Latency {
    if (this.isEmpty) return noLatency
    return { p50: inMs(quantile(this.#sum, 0.5)), p99: inMs(quantile(this.#sum, 0.99)) }
  }

  #add(gain: Float64Array, sign: 1 | -1): void {
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      this.#sum[bucket]! += sign * gain[bucket]!
      this.#count += sign * gain[bucket]!
    }
  }
}

const inMs = (us: number): number => Math.round(us) / 1000
