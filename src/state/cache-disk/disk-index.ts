// Where records lie on disk, by the hash of their URL: sets of eight slots, read and changed by all threads without a lock.
//
// A slot is a hint, not a truth: whoever reads a record compares what it says of itself. So it does no harm if two threads write
// to one slot at once and it ends as half of either: that record is not found.
import { type DiskMemory, setBytes, shared32, shared64, ways } from './disk-memory.ts'

/** Where a record lies. */
export interface Place {
  readonly position: number
  readonly length: number
  /** Hash of its selector. */
  readonly selector: number
}

/** A record that can be found. */
export interface Placed extends Place {
  /** Hash of its URL. */
  readonly hi: number
  readonly lo: number
  /** Seconds since the epoch after which nobody can use it. */
  readonly until: number
}

/** Of a slot that was overwritten: anybody may take it. */
const none = 0

export class DiskIndex {
  readonly #memory: DiskMemory
  readonly #i32: Int32Array
  readonly #f64: Float64Array
  readonly #mask: number
  readonly #base32: number

  constructor(memory: DiskMemory) {
    this.#memory = memory
    this.#i32 = memory.i32
    this.#f64 = memory.f64
    this.#mask = memory.sizes.sets - 1
    this.#base32 = memory.indexAt / 4
  }

  /** Whether a record of this URL may be there. */
  has(hi: number, lo: number): boolean {
    const set = this.#set(lo)
    const tag = tagOf(hi)
    for (let slot = set; slot < set + ways; slot++) if (this.#i32[slot] === tag && this.#isThere(set, slot)) return true
    return false
  }

  /** Records of a URL that may be of use at this time, the youngest first. */
  find(hi: number, lo: number, nowSeconds: number): Place[] {
    const set = this.#set(lo)
    const tag = tagOf(hi)
    const found: Place[] = []
    for (let slot = set; slot < set + ways; slot++) {
      if (Atomics.load(this.#i32, slot) !== tag || !this.#isThere(set, slot)) continue
      if (this.#i32[slot + untilAt]! >>> 0 < nowSeconds) continue
      found.push({
        position: this.#position(set, slot),
        length: this.#i32[slot + lengthAt]!,
        selector: this.#i32[slot + selectorAt]! >>> 0,
      })
    }
    return found.sort((a, b) => b.position - a.position)
  }

  /**
   * Makes a record findable, in place of an older one with the same URL and selector; else in a free slot, else in that of the
   * oldest record of its set. False: a younger one is there already.
   */
  insert(record: Placed): boolean {
    const set = this.#set(record.lo)
    const tag = tagOf(record.hi)
    const own = this.#find(set, tag, record.selector)
    if (own >= 0) {
      if (this.#position(set, own) > record.position) return false
      this.#write(set, own, record)
      return true
    }
    for (let tries = 0; tries < ways; tries++) {
      const slot = this.#victim(set)
      const old = this.#i32[slot]!
      // All others are younger: this one was found by looking through old records.
      if (old !== none && this.#position(set, slot) > record.position) return false
      if (Atomics.compareExchange(this.#i32, slot, old, tag) !== old) continue
      this.#write(set, slot, record)
      if (old === none) Atomics.add(this.#i32, shared32.entries, 1)
      return true
    }
    return false
  }

  /** Takes one record out, if it is still there. */
  remove(hi: number, lo: number, place: Place): void {
    const set = this.#set(lo)
    const slot = this.#find(set, tagOf(hi), place.selector)
    if (slot >= 0 && this.#position(set, slot) === place.position) this.#free(slot, tagOf(hi))
  }

  /** Takes out what there is of a URL, or of one selector of it. Returns how many. */
  removeAll(hi: number, lo: number, selector: number | null = null): number {
    const set = this.#set(lo)
    const tag = tagOf(hi)
    let removed = 0
    for (let slot = set; slot < set + ways; slot++) {
      if (selector !== null && this.#i32[slot + selectorAt]! >>> 0 !== selector) continue
      if (Atomics.load(this.#i32, slot) === tag && this.#free(slot, tag)) removed++
    }
    return removed
  }

  /** Whether a slot still says so: else what was read there may be something else by right. */
  isAt(hi: number, lo: number, place: Place): boolean {
    const set = this.#set(lo)
    const slot = this.#find(set, tagOf(hi), place.selector)
    return slot >= 0 && this.#position(set, slot) === place.position && this.#i32[slot + lengthAt] === place.length
  }

  /** Frees slots of records that are not there any more, or (`all`) every slot, in so many sets from `from` on. Returns where to go on; 0 = it is through. */
  sweep(from: number, sets: number, all = false): number {
    const end = Math.min(from + sets, this.#mask + 1)
    const oldest = this.#oldest()
    for (let i = from; i < end; i++) {
      const set = this.#set(i)
      for (let slot = set; slot < set + ways; slot++) {
        const tag = this.#i32[slot]!
        if (tag !== none && (all || !this.#isThere(set, slot, oldest))) this.#free(slot, tag)
      }
    }
    return end > this.#mask ? 0 : end
  }

  /** Counts anew what was loaded as bytes. */
  recount(): void {
    let entries = 0
    const oldest = this.#oldest()
    for (let i = 0; i <= this.#mask; i++) {
      const set = this.#set(i)
      for (let slot = set; slot < set + ways; slot++) {
        if (this.#i32[slot] === none) continue
        if (this.#isThere(set, slot, oldest)) entries++
        else this.#i32[slot] = none
      }
    }
    Atomics.store(this.#i32, shared32.entries, entries)
  }

  get entries(): number {
    return Math.max(0, Atomics.load(this.#i32, shared32.entries))
  }

  #set(lo: number): number {
    return this.#base32 + (lo & this.#mask) * (setBytes / 4)
  }

  #position(set: number, slot: number): number {
    return this.#f64[(set + ways) / 2 + (slot - set)]!
  }

  /** Where the oldest record may begin. */
  #oldest(): number {
    return this.#memory.load(shared64.oldest) * this.#memory.sizes.segmentBytes
  }

  #isThere(set: number, slot: number, oldest = this.#oldest()): boolean {
    return this.#position(set, slot) >= oldest
  }

  #find(set: number, tag: number, selector: number): number {
    for (let slot = set; slot < set + ways; slot++) {
      if (Atomics.load(this.#i32, slot) === tag && this.#i32[slot + selectorAt]! >>> 0 === selector) return slot
    }
    return -1
  }

  #victim(set: number): number {
    let best = set
    let least = Number.POSITIVE_INFINITY
    for (let slot = set; slot < set + ways; slot++) {
      if (this.#i32[slot] === none) return slot
      const position = this.#position(set, slot)
      if (position >= least) continue
      least = position
      best = slot
    }
    return best
  }

  #write(set: number, slot: number, { position, length, selector, until }: Placed): void {
    this.#f64[(set + ways) / 2 + (slot - set)] = position
    this.#i32[slot + lengthAt] = length
    this.#i32[slot + untilAt] = until
    Atomics.store(this.#i32, slot + selectorAt, selector | 0)
  }

  #free(slot: number, tag: number): boolean {
    if (Atomics.compareExchange(this.#i32, slot, tag, none) !== tag) return false
    Atomics.sub(this.#i32, shared32.entries, 1)
    return true
  }
}

/** From the tag of a slot to its other cells. */
const lengthAt = ways * 3
const selectorAt = ways * 4
const untilAt = ways * 5

/** 0 is that of a free slot. */
function tagOf(hi: number): number {
  return hi === 0 ? 1 : hi | 0
}
