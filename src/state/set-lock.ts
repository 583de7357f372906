// Try-locks for the sets of a shared table. Taken for inserting only, never waited for: whoever fails goes on without.
// A worker notes the set before it takes the lock, so that the lock of a dead worker is found without a search.

const maxTries = 64

export class SetLock {
  private readonly i32: Int32Array
  private readonly base: number
  private readonly stride: number
  private readonly note: number
  private readonly owner: number

  /** `base` and `stride` place the lock cells, `note` is the cell of this worker's note. */
  constructor(o: { i32: Int32Array; base: number; stride: number; note: number; workerId: number }) {
    this.i32 = o.i32
    this.base = o.base
    this.stride = o.stride
    this.note = o.note
    this.owner = o.workerId + 1
  }

  /** True if the lock is ours; false after a bounded number of tries (well under a microsecond each). */
  tryAcquire(set: number): boolean {
    const cell = this.base + set * this.stride
    Atomics.store(this.i32, this.note, set + 1)
    for (let i = 0; i < maxTries; i++) if (Atomics.compareExchange(this.i32, cell, 0, this.owner) === 0) return true
    Atomics.store(this.i32, this.note, 0)
    return false
  }

  release(set: number): void {
    Atomics.store(this.i32, this.base + set * this.stride, 0)
    Atomics.store(this.i32, this.note, 0)
  }

  /** For a worker that is dead: gives back what it held; returns the set that it may have left half written, or -1. */
  reclaim(): number {
    const set = Atomics.load(this.i32, this.note) - 1
    Atomics.store(this.i32, this.note, 0)
    if (set < 0) return -1
    const cell = this.base + set * this.stride
    return Atomics.load(this.i32, cell) === this.owner ? set : -1
  }

  /** After `reclaim` returned a set and it was put in order. */
  unlock(set: number): void {
    Atomics.compareExchange(this.i32, this.base + set * this.stride, this.owner, 0)
  }
}
