// Random sizes and bytes that a failed test can be repeated with: everything comes from one seed.

/** Numbers from a seed (mulberry32). */
export class Random {
  readonly seed: number
  #state: number

  /** Without a seed, one of the clock; say it in messages. */
  constructor(seed: number = Date.now() >>> 0) {
    this.seed = seed
    this.#state = seed
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return from + (((t ^ (t >>> 14)) >>> 0) % (to - from + 1))
  }

  /** A whole number from 0 up to `limit`, not included. */
  below(limit: number): number {
    return this.between(0, limit - 1)
  }

  /** True in that share of cases. */
  chance(share: number): boolean {
    return this.between(0, 999_999) < share * 1e6
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length)
    for (let at = 0; at < length; at++) bytes[at] = this.between(0, 255)
    return bytes
  }

  /** The bytes in pieces of random sizes, small and large ones. */
  pieces(bytes: Buffer): Buffer[] {
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const size = this.between(1, this.between(0, 3) === 0 ? 100 : 80_000)
      pieces.push(bytes.subarray(at, at + size))
      at += size
    }
    return pieces
  }
}
