// When each key of a rate limit may go on: a bounded, set-associative table of theoretical arrival times (GCRA), shared by
// all workers, exact, and without a lock: every step is one compare-and-exchange that anybody else can follow up.
//
// An entry is a key and a time. A key of 61 bits is kept as the bits of a positive number, 0 = no key; the negative of a
// key is *pending*: somebody wants it there, and it counts for nothing until it is certain that the set has it only once.
// Whoever meets a pending key does what is left to do, so it does not matter if its worker was stopped in between.
import { regions, ways } from './layout.ts'
import type { Memory } from './memory.ts'

const row64 = regions.rate.rowBytes / 8
const keysAt = regions.rate.at.keys
const timesAt = regions.rate.at.times
/** So many times somebody else was quicker: then the request goes on uncounted. */
const maxTries = 256
const none = 0n

export class RateTable {
  private readonly f64: Float64Array
  private readonly i64: BigInt64Array
  private readonly base: number
  private readonly sets: number
  /** One value, seen as a number, as its bits, and as their halves. */
  private readonly number = new Float64Array(1)
  private readonly bits = new BigInt64Array(this.number.buffer)
  private readonly halves = new Int32Array(this.number.buffer)

  constructor(memory: Memory) {
    this.f64 = memory.f64
    this.i64 = memory.i64
    this.base = memory.base64('rate')
    this.sets = memory.sizes.rateSets
  }

  /**
   * Lets one request of a key (a 64-bit hash) through, if it comes no more than `toleranceUs` before its time; each moves
   * that time on by `intervalUs`. Returns how long it takes until the key has its full credit again, which is at least
   * one interval; or, negative, how long it has to wait, and nothing was taken.
   */
  take(hi: number, lo: number, o: RateQuestion): number {
    const { nowUs, intervalUs, toleranceUs } = o
    const key = this.keyOf(hi, lo)
    const set = this.setOf(lo)
    for (let tries = 0; tries < maxTries; tries++) {
      const entry = this.find(set, key)
      if (entry < 0) {
        this.insert(set, key)
        continue
      }
      const time = entry + timesAt - keysAt
      const old = Atomics.load(this.i64, time)
      this.bits[0] = old
      const debtUs = Math.max(0, this.number[0]! - nowUs)
      if (debtUs > toleranceUs) {
        if (this.f64[entry] === key) return toleranceUs - debtUs
        continue
      }
      this.number[0] = Math.max(this.number[0]!, nowUs) + intervalUs
      const next = this.bits[0]!
      if (Atomics.compareExchange(this.i64, time, old, next) !== old) continue
      if (this.f64[entry] === key) return debtUs + intervalUs
      // It went to another key between the look and the change, whose time this is now.
      Atomics.compareExchange(this.i64, time, next, old)
    }
    return intervalUs
  }

  /** How long it takes from `nowUs` on until the key has its full credit. */
  debt(hi: number, lo: number, nowUs: number): number {
    const entry = this.find(this.setOf(lo), this.keyOf(hi, lo))
    return entry < 0 ? 0 : Math.max(0, this.f64[entry + timesAt - keysAt]! - nowUs)
  }

  /** Takes back one request that `take` let through. */
  giveBack(hi: number, lo: number, intervalUs: number): void {
    const key = this.keyOf(hi, lo)
    for (let tries = 0; tries < maxTries; tries++) {
      const entry = this.find(this.setOf(lo), key)
      if (entry < 0) return
      const time = entry + timesAt - keysAt
      const old = Atomics.load(this.i64, time)
      this.bits[0] = old
      this.number[0] = Math.max(0, this.number[0]! - intervalUs)
      if (Atomics.compareExchange(this.i64, time, old, this.bits[0]!) === old) return
    }
  }

  /** Frees the entries that a dead worker may have left pending; a living one that is at it begins again. */
  reclaim(): void {
    for (let set = 0; set < this.sets; set++) {
      const first = this.base + set * row64 + keysAt
      for (let entry = first; entry < first + ways; entry++)
        if (this.f64[entry]! < 0) this.swap(entry, this.f64[entry]!, 0)
    }
  }

  private keyOf(hi: number, lo: number): number {
    this.halves[0] = lo
    // Positive, not 0, and neither infinite nor NaN.
    this.halves[1] = (hi & 0x1fffffff) | 0x20000000
    return this.number[0]!
  }

  private setOf(lo: number): number {
    return this.base + (lo & (this.sets - 1)) * row64 + keysAt
  }

  /** The entry of a key in the set that begins there, else -1. */
  private find(first: number, key: number): number {
    for (let entry = first; entry < first + ways; entry++) if (this.f64[entry] === key) return entry
    return -1
  }

  /** Brings a key one step nearer to being in its set. */
  private insert(first: number, key: number): void {
    let entry = this.find(first, -key)
    if (entry < 0) {
      entry = this.victim(first)
      if (!this.swap(entry, this.f64[entry]!, -key)) return
    }
    this.settle(first, entry, key)
  }

  /** What is left to do once a key is pending. Wherever it stops, somebody goes on from there. */
  private settle(first: number, entry: number, key: number): void {
    // Full credit, unless another worker has come further than that.
    const time = entry + timesAt - keysAt
    for (;;) {
      const old = Atomics.load(this.i64, time)
      if (this.keyNow(entry) !== -key) return
      if (old === none || Atomics.compareExchange(this.i64, time, old, none) === old) break
    }
    // Of two workers who bring the same key at once at least one sees the other here.
    for (let other = first; other < first + ways; other++) {
      if (other === entry) continue
      const found = this.keyNow(other)
      if (found !== key && found !== -key) continue
      const spare = found === key ? entry : Math.max(entry, other)
      // If the other one has been brought in meanwhile, this one is too many after all.
      if (!this.swap(spare, -key, 0) && spare === other) this.swap(entry, -key, 0)
      return
    }
    this.swap(entry, -key, key)
  }

  /** A free entry, else the one that has its full credit soonest, or has it: least is forgotten with it. */
  private victim(first: number): number {
    let best = first
    let least = Number.POSITIVE_INFINITY
    for (let entry = first; entry < first + ways; entry++) {
      const key = this.f64[entry]!
      if (key === 0) return entry
      const time = this.f64[entry + timesAt - keysAt]!
      // One that is pending will be needed at once.
      if (key < 0 || time >= least) continue
      least = time
      best = entry
    }
    return best
  }

  /** In order with all other atomic operations, which a plain read is not. */
  private keyNow(entry: number): number {
    this.bits[0] = Atomics.load(this.i64, entry)
    return this.number[0]!
  }

  private swap(entry: number, from: number, to: number): boolean {
    this.number[0] = from
    const old = this.bits[0]!
    this.number[0] = to
    return Atomics.compareExchange(this.i64, entry, old, this.bits[0]!) === old
  }
}

export interface RateQuestion {
  /** Of the clock that all workers share. */
  readonly nowUs: number
  /** Time between two requests of the sustained rate. */
  readonly intervalUs: number
  /** How far ahead of its time a request may come: (burst − 1) intervals. */
  readonly toleranceUs: number
}
