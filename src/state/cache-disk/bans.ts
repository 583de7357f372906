// What was purged: in force for all threads at once, and for whatever comes from the files later.
//
// Bans are numbered, and every record on disk has a mark: the number up to which it is known that no ban means it. A ban of a
// URL or tag raises a few cells, chosen by its hash, to its number; a record is meant if all cells of its hash are above its
// mark. So nothing is ever forgotten, however many bans there are: too few cells only mean that a record more is not served.
import { type DiskMemory, lane64, shared64 } from './disk-memory.ts'
import { type PrefixBan, PrefixBans } from './prefix-bans.ts'

/** What the bans say of a record. */
export type Verdict = 'good' | 'stale' | 'gone'

/** A ban, as it is written down. */
export interface Ban {
  readonly number: number
  readonly soft: boolean
  readonly what:
    | { readonly kind: 'hash'; readonly hi: number; readonly lo: number }
    | { readonly kind: 'prefix'; readonly prefix: string; readonly segment: number }
    | { readonly kind: 'all' }
}

/** Of a record: what bans go by. */
export interface Banned {
  readonly mark: number
  readonly url: string
  /** Of its URL and of each of its tags, hi and lo in turn. */
  readonly hashes: readonly number[]
}

/** Cells that a hash has. */
const cellsOfHash = 3

export class Bans {
  readonly #memory: DiskMemory
  readonly #lane: number
  readonly #prefixes: PrefixBans
  readonly #masks: readonly [hard: number, soft: number]
  #isEnding = false

  constructor(memory: DiskMemory, lane: number) {
    this.#memory = memory
    this.#lane = memory.lane64(lane) + lane64.ban
    this.#prefixes = new PrefixBans(memory)
    this.#masks = [memory.sizes.banCells - 1, memory.sizes.softCells - 1]
  }

  /**
   * A mark for what is in the memory of the cache now: every ban up to it was in force there before. A ban that was begun and
   * not ended, anywhere, is above it.
   */
  mark(): number {
    const { i64 } = this.#memory
    let mark = this.#memory.load(shared64.bans)
    for (let lane = 0; lane <= this.#memory.sizes.lanes; lane++) {
      const begun = Number(Atomics.load(i64, this.#memory.lane64(lane) + lane64.ban))
      if (begun > 0 && begun <= mark) mark = begun - 1
    }
    return mark
  }

  /** Bans what is meant. Until the end of this turn of the loop the caller purges the memory of the cache of the same. */
  begin(what: Ban['what'], soft: boolean): Ban {
    const { i64 } = this.#memory
    // Noted before the number is drawn: nobody takes a mark in between that is as high.
    if (Atomics.load(i64, this.#lane) === 0n) Atomics.store(i64, this.#lane, Atomics.load(i64, shared64.bans) + 1n)
    const number = Number(Atomics.add(i64, shared64.bans, 1n)) + 1
    const ban = { number, soft, what }
    this.apply(ban)
    if (!this.#isEnding) queueMicrotask(this.#end)
    this.#isEnding = true
    return ban
  }

  /** Puts a ban in force that has its number already: from a file. */
  apply({ number, soft, what }: Ban): void {
    const memory = this.#memory
    memory.raise(shared64.bans, number)
    if (what.kind === 'all') memory.raise(soft ? shared64.allSoft : shared64.all, number)
    else if (what.kind === 'hash') {
      for (let i = 0; i < cellsOfHash; i++) memory.raise(this.#cell(what.hi, what.lo, i, soft), number)
    } else {
      const overflow = this.#prefixes.add({ number, soft, prefix: what.prefix, segment: what.segment })
      // No room for all of them: those that had to go mean everything.
      for (const old of overflow) memory.raise(old.soft ? shared64.allSoft : shared64.all, old.number)
    }
  }

  /** Of a record of which only the hash of its URL is known: whether that is enough to say that it was purged. */
  isHashBanned(mark: number, hi: number, lo: number): boolean {
    return mark < this.#memory.load(shared64.all) || mark < this.#latest(hi, lo, false)
  }

  verdict(record: Banned): Verdict {
    const { mark } = record
    const memory = this.#memory
    if (mark >= memory.load(shared64.bans)) return 'good'
    const prefixes = this.#prefixes.read()
    // It is being written at this moment: whatever it is, it is not worth waiting for.
    if (prefixes === null) return 'gone'
    if (mark < memory.load(shared64.all) || this.#means(record, false, prefixes)) return 'gone'
    return mark < memory.load(shared64.allSoft) || this.#means(record, true, prefixes) ? 'stale' : 'good'
  }

  /** Of a lane whose thread has died. */
  reclaim(lane: number): void {
    Atomics.store(this.#memory.i64, this.#memory.lane64(lane) + lane64.ban, 0n)
  }

  /** Cells that are not 0, as index and number in turn; for the file that is made of them now and then. */
  *cells(soft: boolean): Generator<readonly [index: number, number: number]> {
    const base = this.#memory.ban64(soft)
    for (let i = 0; i <= this.#masks[soft ? 1 : 0]!; i++) {
      const number = this.#memory.f64[base + i] === 0 ? 0 : this.#memory.load(base + i)
      if (number > 0) yield [i, number]
    }
  }

  /** Takes over a cell of so many, from such a file. Where the number of cells has changed a record more may be meant, never one less. */
  raiseCell(soft: boolean, index: number, of: number, number: number): void {
    const base = this.#memory.ban64(soft)
    const mask = this.#masks[soft ? 1 : 0]!
    for (let i = index; i <= mask || i === index; i += of) this.#memory.raise(base + (i & mask), number)
  }

  get prefixes(): readonly PrefixBan[] {
    return this.#prefixes.read() ?? []
  }

  #means({ mark, url, hashes }: Banned, soft: boolean, prefixes: readonly PrefixBan[]): boolean {
    for (let i = 0; i < hashes.length; i += 2) if (mark < this.#latest(hashes[i]!, hashes[i + 1]!, soft)) return true
    return prefixes.some((ban) => ban.soft === soft && mark < ban.number && url.startsWith(ban.prefix))
  }

  /** No ban of this hash is younger. */
  #latest(hi: number, lo: number, soft: boolean): number {
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < cellsOfHash && least > 0; i++)
      least = Math.min(least, this.#memory.load(this.#cell(hi, lo, i, soft)))
    return least
  }

  #cell(hi: number, lo: number, i: number, soft: boolean): number {
    const spread = (lo + Math.imul(hi | 1, i + 1)) >>> 0
    return this.#memory.ban64(soft) + ((spread ^ (spread >>> 15)) & this.#masks[soft ? 1 : 0]!)
  }

  readonly #end = (): void => {
    this.#isEnding = false
    Atomics.store(this.#memory.i64, this.#lane, 0n)
  }
}
