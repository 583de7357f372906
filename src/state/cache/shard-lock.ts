// The lock of a shard: taken for every change, held for about a microsecond, never waited for without bound.

const spins = 200
const naps = 24
const napMs = 1
const patienceMs = 2000
/** Beside its owner: somebody sleeps until it is free. Whoever takes it after a sleep leaves it set, for the others who may. */
const isWaitedFor = 1 << 30

/** Cells of a shard's header. */
export const lockCell = 0
const sequenceCell = 1

export class ShardLock {
  private readonly cells: Int32Array
  private readonly cell: number
  private readonly owner: number
  /** The taking during which this thread waited in vain: as long as it lasts, nobody waits again. */
  private stuckAt = 0
  private stuckSince = 0

  constructor(cells: Int32Array, base: number, lane: number) {
    this.cells = cells
    this.cell = base + lockCell
    this.owner = lane + 1
  }

  /** False after some 25 ms: its holder may be dead, then the main thread will see to it. */
  take(): boolean {
    if (Atomics.compareExchange(this.cells, this.cell, 0, this.owner) !== 0 && !this.wait(naps)) return false
    this.cells[this.cell + sequenceCell]!++
    return true
  }

  /**
   * As `take`, for the main thread and what has to be done in the end: false = later, after other things, since nobody else finds
   * out that the holder is dead.
   * @throws Error if the same holder has kept it for two seconds.
   */
  takeNowOrLater(): boolean {
    if (this.take()) return true
    if (performance.now() - this.stuckSince > patienceMs) this.refuse()
    return false
  }

  /** Waits for up to two seconds. @throws Error if that was not enough. */
  takePatiently(): void {
    this.stuckAt = 0
    if (Atomics.compareExchange(this.cells, this.cell, 0, this.owner) !== 0 && !this.wait(patienceMs / napMs))
      this.refuse()
    this.cells[this.cell + sequenceCell]!++
  }

  release(): void {
    if ((Atomics.exchange(this.cells, this.cell, 0) & isWaitedFor) !== 0) Atomics.notify(this.cells, this.cell, 1)
  }

  /** True if the lane, whose thread is dead, holds it: then it is this lane's now. */
  inherit(lane: number): boolean {
    const { cells, cell, owner } = this
    const dead = lane + 1
    return (
      Atomics.compareExchange(cells, cell, dead, owner) === dead ||
      Atomics.compareExchange(cells, cell, dead | isWaitedFor, owner | isWaitedFor) === (dead | isWaitedFor)
    )
  }

  private wait(times: number): boolean {
    const { cells, cell, owner } = this
    const sequence = cells[cell + sequenceCell]!
    const isStuck = this.stuckAt !== 0 && this.stuckAt === sequence
    for (let i = 0; i < spins; i++)
      if (Atomics.load(cells, cell) === 0 && Atomics.compareExchange(cells, cell, 0, owner) === 0) return true
    if (isStuck) return false
    for (let i = 0; i < times; i++) {
      const holder = Atomics.load(cells, cell)
      const marked = holder | isWaitedFor
      if (holder !== 0 && (holder === marked || Atomics.compareExchange(cells, cell, holder, marked) === holder))
        Atomics.wait(cells, cell, marked, napMs)
      if (Atomics.compareExchange(cells, cell, 0, owner | isWaitedFor) === 0) return true
    }
    this.stuckAt = cells[cell + sequenceCell]!
    this.stuckSince = performance.now()
    return false
  }

  private refuse(): never {
    const lane = (Atomics.load(this.cells, this.cell) & ~isWaitedFor) - 1
    throw new Error(`the cache is held by lane ${lane}, which does not let go`)
  }
}
