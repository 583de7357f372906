// How many of each key are open over all workers (connections of an address, requests of a client): a bounded,
// set-associative table of counts, exact and without a lock. An entry is one 64-bit word, a key and its count together, so
// that counting and giving an entry to another key are one exchange each. As in rate-table.ts a new key is *pending*
// first, until it is certain that its set has it only once; whoever meets a pending key does what is left to do.
import { regions, ways } from './layout.ts'
import type { Memory } from './memory.ts'

// Tables of counts have rows of the same form.
const row64 = regions.address.rowBytes / 8
const shareRow = regions.addressShare.rowBytes / 4
const tables = {
  address: { share: 'addressShare', sets: 'addressSets' },
  concurrency: { share: 'concurrencyShare', sets: 'concurrencySets' },
} as const

/** Lower half of a word: the count, above it twelve bits of the key. */
const countMask = 0xfffff
/** Upper half: thirty bits of the key, and one so that no key is 0. */
const keyMask = 0x3fffffff
const present = 0x40000000
const pending = 0x80000000 | 0
/** So many times somebody else was quicker: then it is allowed and not counted. */
const maxTries = 256

export class KeyCounts {
  private readonly i32: Int32Array
  private readonly i64: BigInt64Array
  private readonly base: number
  private readonly shareBase: number
  private readonly sets: number
  /** One word, and its halves. */
  private readonly word = new BigInt64Array(1)
  private readonly halves = new Int32Array(this.word.buffer)

  constructor(memory: Memory, table: keyof typeof tables, workerId: number) {
    this.i32 = memory.i32
    this.i64 = memory.i64
    this.base = memory.base64(table)
    this.shareBase = memory.base32(tables[table].share, workerId)
    this.sets = memory.sizes[tables[table].sets]
  }

  /**
   * Counts one more of the key (a 64-bit hash); false = it has `max` already, nothing counted. Where all entries of its
   * set are in use by others, it is allowed and not counted.
   */
  opened(hi: number, lo: number, max: number): boolean {
    const set = lo & (this.sets - 1)
    const first = this.base + set * row64
    const keyHi = (hi & keyMask) | present
    const keyLo = lo & ~countMask
    for (let tries = 0; tries < maxTries; tries++) {
      const entry = this.find(first, keyHi, keyLo)
      if (entry < 0) {
        if (!this.insert(first, keyHi, keyLo)) return true
        continue
      }
      const old = this.read(entry)
      if (this.halves[1] !== keyHi || (this.halves[0]! & ~countMask) !== keyLo) continue
      if ((this.halves[0]! & countMask) >= Math.min(max, countMask)) return false
      this.halves[0]!++
      if (Atomics.compareExchange(this.i64, entry, old, this.word[0]!) !== old) continue
      this.i32[this.shareBase + set * shareRow + entry - first]!++
      return true
    }
    return true
  }

  /** Takes back one that `opened` allowed in this worker. */
  closed(hi: number, lo: number): void {
    const set = lo & (this.sets - 1)
    const first = this.base + set * row64
    const entry = this.find(first, (hi & keyMask) | present, lo & ~countMask)
    const share = this.shareBase + set * shareRow + entry - first
    // One that was not counted. While we have a share in it the entry cannot be given to another key.
    if (entry < 0 || this.i32[share]! === 0) return
    // In this order: a thread that is terminated stops at calls, and the share must not be gone before the count.
    Atomics.sub(this.i64, entry, 1n)
    this.i32[share]!--
  }

  /** How many are counted of the key. */
  count(hi: number, lo: number): number {
    const first = this.base + (lo & (this.sets - 1)) * row64
    const entry = this.find(first, (hi & keyMask) | present, lo & ~countMask)
    return entry < 0 ? 0 : this.i32[2 * entry]! & countMask
  }

  /** For the table of a dead worker: gives back its share, and frees the entries that it may have left pending. */
  reclaim(): void {
    for (let set = 0; set < this.sets; set++) {
      for (let way = 0; way < ways; way++) {
        const entry = this.base + set * row64 + way
        const share = this.shareBase + set * shareRow + way
        const held = this.i32[share]!
        if (held !== 0) {
          this.i32[share] = 0
          Atomics.sub(this.i64, entry, BigInt(held))
        }
        // A living worker that is at it begins again.
        if (this.i32[2 * entry + 1]! < 0) this.free(entry, this.read(entry))
      }
    }
  }

  /** The entry of a key in the set that begins there, else -1. */
  private find(first: number, keyHi: number, keyLo: number): number {
    for (let entry = first; entry < first + ways; entry++)
      if (this.i32[2 * entry + 1] === keyHi && (this.i32[2 * entry]! & ~countMask) === keyLo) return entry
    return -1
  }

  /** Brings a key one step nearer to being in its set; false = there is no room. */
  private insert(first: number, keyHi: number, keyLo: number): boolean {
    let entry = this.find(first, keyHi | pending, keyLo)
    if (entry < 0) {
      entry = this.unused(first)
      if (entry < 0) return false
      const old = this.read(entry)
      if ((this.halves[0]! & countMask) !== 0 || this.halves[1]! < 0) return true
      if (Atomics.compareExchange(this.i64, entry, old, this.wordOf(keyHi | pending, keyLo)) !== old) return true
    }
    this.settle(first, entry, keyHi, keyLo)
    return true
  }

  /** What is left to do once a key is pending. Wherever it stops, somebody goes on from there. */
  private settle(first: number, entry: number, keyHi: number, keyLo: number): void {
    const wanted = this.wordOf(keyHi | pending, keyLo)
    // Of two workers who bring the same key at once at least one sees the other here.
    for (let other = first; other < first + ways; other++) {
      if (other === entry) continue
      this.read(other)
      const foundHi = this.halves[1]!
      if ((foundHi & ~pending) !== keyHi || (this.halves[0]! & ~countMask) !== keyLo) continue
      const spare = foundHi < 0 ? Math.max(entry, other) : entry
      // If the other one has been brought in meanwhile, this one is too many after all.
      if (!this.free(spare, wanted) && spare === other) this.free(entry, wanted)
      return
    }
    Atomics.compareExchange(this.i64, entry, wanted, this.wordOf(keyHi, keyLo))
  }

  /** An entry that counts nothing: a free one, else one whose key has none open. */
  private unused(first: number): number {
    let found = -1
    for (let entry = first; entry < first + ways; entry++) {
      const upper = this.i32[2 * entry + 1]!
      if (upper === 0) return entry
      if (upper > 0 && (this.i32[2 * entry]! & countMask) === 0) found = entry
    }
    return found
  }

  private free(entry: number, from: bigint): boolean {
    return Atomics.compareExchange(this.i64, entry, from, 0n) === from
  }

  /** The word of an entry; `halves` are its halves. */
  private read(entry: number): bigint {
    const word = Atomics.load(this.i64, entry)
    this.word[0] = word
    return word
  }

  /** The word of a key that counts nothing. */
  private wordOf(upper: number, lower: number): bigint {
    this.halves[0] = lower
    this.halves[1] = upper
    return this.word[0]!
  }
}
