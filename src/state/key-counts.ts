// How many of each key are open over all workers (connections of an address, requests of a client): a bounded,
// set-associative table of counts. Counting a known key takes no lock; only a new one takes the lock of its set.
import { countCells, regions, ways } from './layout.ts'
import type { Memory } from './memory.ts'
import { SetLock } from './set-lock.ts'

const HI = 0
const LO = 1
const COUNT = 2
// Tables of counts have rows of the same form.
const setCells = regions.address.rowBytes / 4
const lockStride = regions.addressLock.rowBytes / 4
const shareStride = regions.addressShare.rowBytes / 4
const workerStride = regions.worker.rowBytes / 4

const tables = {
  address: { lock: 'addressLock', share: 'addressShare', note: regions.worker.at.addressLock, sets: 'addressSets' },
  concurrency: {
    lock: 'concurrencyLock',
    share: 'concurrencyShare',
    note: regions.worker.at.concurrencyLock,
    sets: 'concurrencySets',
  },
} as const

export class KeyCounts {
  private readonly i32: Int32Array
  private readonly base: number
  private readonly shareBase: number
  private readonly sets: number
  private readonly lock: SetLock

  constructor(memory: Memory, table: keyof typeof tables, workerId: number) {
    const { lock, share, note, sets } = tables[table]
    this.i32 = memory.i32
    this.base = memory.base32(table)
    this.shareBase = memory.base32(share, workerId)
    this.sets = memory.sizes[sets]
    this.lock = new SetLock({
      i32: this.i32,
      base: memory.base32(lock),
      stride: lockStride,
      note: memory.base32('worker') + workerId * workerStride + note,
      workerId,
    })
  }

  /**
   * Counts one more of the key (a 64-bit hash); false = it has `max` already, nothing counted.
   * Where its set is full or just being written, it is allowed and not counted.
   */
  opened(hi: number, lo: number, max: number): boolean {
    const set = lo & (this.sets - 1)
    const known = this.add(set, hi | 0, lo | 0, max)
    if (known !== 0) return known > 0
    if (!this.lock.tryAcquire(set)) return true
    const now = this.add(set, hi | 0, lo | 0, max)
    const allowed = now === 0 ? this.insert(set, hi | 0, lo | 0) : now > 0
    this.lock.release(set)
    return allowed
  }

  /** Takes back one that `opened` allowed in this worker. */
  closed(hi: number, lo: number): void {
    const set = lo & (this.sets - 1)
    for (let way = 0; way < ways; way++) {
      const share = this.shareBase + set * shareStride + way
      const entry = this.base + set * setCells + way * countCells
      // While we have a share in it the entry cannot be given to another key.
      if (this.i32[share]! === 0 || !this.holds(entry, hi | 0, lo | 0)) continue
      // In this order: a thread that is terminated stops at calls, and the share must not be gone before the count.
      Atomics.sub(this.i32, entry + COUNT, 1)
      this.i32[share]!--
      return
    }
  }

  /** How many are counted of the key. */
  count(hi: number, lo: number): number {
    const set = lo & (this.sets - 1)
    for (let way = 0; way < ways; way++) {
      const entry = this.base + set * setCells + way * countCells
      if (this.holds(entry, hi | 0, lo | 0)) return Math.max(0, Atomics.load(this.i32, entry + COUNT))
    }
    return 0
  }

  /** For the table of a dead worker: gives back its share and its lock. */
  reclaim(): void {
    const set = this.lock.reclaim()
    if (set >= 0) {
      for (let way = 0; way < ways; way++)
        Atomics.compareExchange(this.i32, this.base + set * setCells + way * countCells + COUNT, -1, 0)
      this.lock.unlock(set)
    }
    for (let i = 0; i < this.sets * ways; i++) {
      const share = this.shareBase + Math.floor(i / ways) * shareStride + (i % ways)
      const held = this.i32[share]!
      if (held === 0) continue
      this.i32[share] = 0
      Atomics.sub(this.i32, this.base + Math.floor(i / ways) * setCells + (i % ways) * countCells + COUNT, held)
    }
  }

  private holds(entry: number, hi: number, lo: number): boolean {
    return Atomics.load(this.i32, entry + HI) === hi && Atomics.load(this.i32, entry + LO) === lo
  }

  /** 1 = counted, -1 = over the limit, 0 = not in the table. */
  private add(set: number, hi: number, lo: number, max: number): 1 | 0 | -1 {
    for (let way = 0; way < ways; way++) {
      const entry = this.base + set * setCells + way * countCells
      const share = this.shareBase + set * shareStride + way
      while (this.holds(entry, hi, lo)) {
        const count = Atomics.load(this.i32, entry + COUNT)
        if (count < 0) break
        if (count >= max) return -1
        if (Atomics.compareExchange(this.i32, entry + COUNT, count, count + 1) !== count) continue
        this.i32[share]!++
        if (this.holds(entry, hi, lo)) return 1
        // It went to another key between the look and the count.
        Atomics.sub(this.i32, entry + COUNT, 1)
        this.i32[share]!--
      }
    }
    return 0
  }

  private insert(set: number, hi: number, lo: number): true {
    for (let way = 0; way < ways; way++) {
      const entry = this.base + set * setCells + way * countCells
      if (Atomics.compareExchange(this.i32, entry + COUNT, 0, -1) !== 0) continue
      Atomics.store(this.i32, entry + HI, hi)
      Atomics.store(this.i32, entry + LO, lo)
      Atomics.store(this.i32, entry + COUNT, 1)
      this.i32[this.shareBase + set * shareStride + way]!++
      return true
    }
    return true
  }
}
