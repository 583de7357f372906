// Keyed hash of texts: who does not know the key cannot choose texts that collide. It only finds candidates; texts are
// compared whole wherever it matters.

const odd = (n: number): number => n | 1

/** One key, as two odd factors. */
export class TextHash {
  private readonly a: number
  private readonly b: number
  private readonly start: number
  /** Of the last pair. */
  second = 0

  constructor(seed: number) {
    this.start = Math.imul(seed ^ 0x5bd1e995, 0x85ebca6b) | 0
    this.a = odd(Math.imul(seed ^ 0x2c1b3c6d, 0xcc9e2d51) ^ (seed >>> 15))
    this.b = odd(Math.imul(seed ^ 0x297a2d39, 0xc2b2ae35) ^ (seed >>> 13))
  }

  /** 32 bits, signed. Goes on from another hash where one is given. */
  of(text: string, from = 0): number {
    const { a, b } = this
    const length = text.length
    const whole = length & ~3
    let h = this.start ^ from ^ length
    let i = 0
    for (; i < whole; i += 4) {
      h ^=
        text.charCodeAt(i) |
        (text.charCodeAt(i + 1) << 8) |
        (text.charCodeAt(i + 2) << 16) |
        (text.charCodeAt(i + 3) << 24)
      h = Math.imul(h, a)
      h = Math.imul(h ^ (h >>> 15), b)
      h ^= h >>> 13
    }
    for (; i < length; i++) {
      h = Math.imul(h ^ text.charCodeAt(i), a)
      h = Math.imul(h ^ (h >>> 15), b)
      h ^= h >>> 13
    }
    return h | 0
  }
  /** Two hashes in one go; the other one stands in `second` then. */
  pair(text: string, from: number): number {
    const { a, b } = this
    const length = text.length
    const whole = length & ~3
    let h = this.start ^ from ^ length
    let g = ~this.start + Math.imul(from, b)
    let i = 0
    for (; i < whole; i += 4) {
      const word =
        text.charCodeAt(i) |
        (text.charCodeAt(i + 1) << 8) |
        (text.charCodeAt(i + 2) << 16) |
        (text.charCodeAt(i + 3) << 24)
      h = Math.imul(h ^ word, a)
      h = Math.imul(h ^ (h >>> 15), b)
      h ^= h >>> 13
      g = Math.imul(g ^ word, b)
      g = Math.imul(g ^ (g >>> 16), a)
      g ^= g >>> 14
    }
    for (; i < length; i++) {
      const code = text.charCodeAt(i)
      h = Math.imul(h ^ code, a)
      h = Math.imul(h ^ (h >>> 15), b)
      h ^= h >>> 13
      g = Math.imul(g ^ code, b)
      g = Math.imul(g ^ (g >>> 16), a)
      g ^= g >>> 14
    }
    this.second = g | 0
    return h | 0
  }

  /** One of two hashes. */
  join(one: number, other: number): number {
    const h = Math.imul(one ^ ((other << 16) | (other >>> 16)), this.a)
    return Math.imul(h ^ (h >>> 15), this.b)
  }
}
