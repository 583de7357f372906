// Which backend a client is bound to: a bounded, set-associative map from a 64-bit key to a slot, shared by all workers.
// Reading takes no lock. Moving and renewing a binding are one store each. Only a new key takes the lock of its set.
import type { Slot } from '../core/spec.ts'
import { affinityCells, regions, ways } from './layout.ts'
import { Memory } from './memory.ts'
import { SetLock } from './set-lock.ts'

const HI = 0
const LO = 1
const SLOT = 2
const EXPIRY = 3
const setCells = regions.affinity.rowBytes / 4
const lockStride = regions.affinityLock.rowBytes / 4
const insertsAt = regions.affinityLock.at.inserts

export class AffinityTable {
  private readonly i32: Int32Array
  private readonly base: number
  private readonly lockBase: number
  private readonly sets: number
  private readonly tables: number
  private readonly lock: SetLock

  constructor(buffer: SharedArrayBuffer, workerId: number) {
    const memory = new Memory(buffer)
    memory.checkWorker(workerId)
    this.i32 = memory.i32
    this.base = memory.base32('affinity')
    this.lockBase = memory.base32('affinityLock')
    this.sets = memory.sizes.affinitySets
    this.tables = memory.sizes.affinityTables
    const note = memory.base32('worker') + (workerId * regions.worker.rowBytes) / 4 + regions.worker.at.affinityLock
    this.lock = new SetLock({ i32: this.i32, base: this.lockBase, stride: lockStride, note, workerId })
  }

  /** The slot that the key is bound to, or -1. The caller checks that the slot is still one of its pool's. */
  lookup(table: number, hi: number, lo: number, nowS: number): Slot | -1 {
    const entry = this.find(this.setOf(table, lo), hi | 0, lo | 0)
    if (entry < 0) return -1
    const slot = Atomics.load(this.i32, entry + SLOT) - 1
    if (((Atomics.load(this.i32, entry + EXPIRY) - nowS) | 0) <= 0) return -1
    // The entry may have been given to another key meanwhile.
    return this.holds(entry, hi | 0, lo | 0) ? slot : -1
  }

  /**
   * Binds the key to a slot for `ttlS` seconds from `nowS`; moves or renews a binding that exists. In a full set the
   * binding that would end first makes room. False (nothing bound) only if another worker is just writing the set.
   */
  bind(table: number, hi: number, lo: number, slot: Slot, ttlS: number, nowS: number): boolean {
    const set = this.setOf(table, lo)
    const found = this.find(set, hi | 0, lo | 0)
    if (found >= 0) return this.renew(found, slot, nowS + ttlS)
    if (!this.lock.tryAcquire(set)) return false
    const again = this.find(set, hi | 0, lo | 0)
    if (again >= 0) this.renew(again, slot, nowS + ttlS)
    else this.write(this.victim(set, nowS), hi | 0, lo | 0, slot, nowS + ttlS)
    Atomics.add(this.i32, this.lockBase + set * lockStride + insertsAt, 1)
    this.lock.release(set)
    return true
  }

  /** Forgets all bindings to a slot that is about to be given to another backend. */
  forget(slot: Slot): void {
    for (let set = 0; set < this.sets * this.tables; set++) {
      if (Atomics.load(this.i32, this.lockBase + set * lockStride + insertsAt) === 0) continue
      const first = this.base + set * setCells
      for (let entry = first; entry < first + ways * affinityCells; entry += affinityCells)
        Atomics.compareExchange(this.i32, entry + SLOT, slot + 1, 0)
    }
  }

  /** For the table of a dead worker: gives its lock back. A half-written entry counts as empty. */
  reclaim(): void {
    const set = this.lock.reclaim()
    if (set >= 0) this.lock.unlock(set)
  }

  private setOf(table: number, lo: number): number {
    if (table < 0 || table >= this.tables) throw new RangeError(`no affinity table ${table}`)
    return table * this.sets + (lo & (this.sets - 1))
  }

  private holds(entry: number, hi: number, lo: number): boolean {
    return (
      Atomics.load(this.i32, entry + SLOT) !== 0 &&
      Atomics.load(this.i32, entry + HI) === hi &&
      Atomics.load(this.i32, entry + LO) === lo
    )
  }

  private find(set: number, hi: number, lo: number): number {
    const first = this.base + set * setCells
    for (let entry = first; entry < first + ways * affinityCells; entry += affinityCells)
      if (this.holds(entry, hi, lo)) return entry
    return -1
  }

  private renew(entry: number, slot: Slot, expiry: number): true {
    if (Atomics.load(this.i32, entry + SLOT) !== slot + 1) Atomics.store(this.i32, entry + SLOT, slot + 1)
    if (Atomics.load(this.i32, entry + EXPIRY) !== (expiry | 0)) Atomics.store(this.i32, entry + EXPIRY, expiry)
    return true
  }

  private victim(set: number, nowS: number): number {
    const first = this.base + set * setCells
    let best = first
    let least = Number.POSITIVE_INFINITY
    for (let entry = first; entry < first + ways * affinityCells; entry += affinityCells) {
      if (Atomics.load(this.i32, entry + SLOT) === 0) return entry
      const left = (Atomics.load(this.i32, entry + EXPIRY) - nowS) | 0
      if (left < least) {
        least = left
        best = entry
      }
    }
    return best
  }

  // Empty first, the slot last: a reader sees the old key, no key, or the new key with its own slot.
  private write(entry: number, hi: number, lo: number, slot: Slot, expiry: number): void {
    Atomics.store(this.i32, entry + SLOT, 0)
    Atomics.store(this.i32, entry + HI, hi)
    Atomics.store(this.i32, entry + LO, lo)
    Atomics.store(this.i32, entry + EXPIRY, expiry)
    Atomics.store(this.i32, entry + SLOT, slot + 1)
  }
}
