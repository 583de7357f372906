// The lock of a shard: taken for every change, held for about a microsecond, never waited for without bound.

const spins = 200
const naps = 24
const napMs = 1

/** Cells of a shard's header. */
export const lockCell = 0
const sequenceCell = 1
const sleepersCell = 2

export class ShardLock {
  private readonly cells: Int32Array
  private readonly cell: number
  private readonly owner: number
  /** The taking during which this thread waited in vain: as long as it lasts, nobody waits again. */
  private stuckAt = 0

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

  /** For what must not be left undone: waits for up to two seconds. */
  takePatiently(): void {
    this.stuckAt = 0
    if (Atomics.compareExchange(this.cells, this.cell, 0, this.owner) !== 0 && !this.wait(2000))
      throw new Error(`the cache is held by lane ${Atomics.load(this.cells, this.cell) - 1}, which does not let go`)
    this.cells[this.cell + sequenceCell]!++
  }

  release(): void {
    Atomics.store(this.cells, this.cell, 0)
    if (this.cells[this.cell + sleepersCell] !== 0) Atomics.notify(this.cells, this.cell, 1)
  }

  /** True if the lane, whose thread is dead, holds it: then it is this lane's now. */
  inherit(lane: number): boolean {
    return Atomics.compareExchange(this.cells, this.cell, lane + 1, this.owner) === lane + 1
  }

  private wait(times: number): boolean {
    const { cells, cell, owner } = this
    const stuck = this.stuckAt !== 0 && this.stuckAt === cells[cell + sequenceCell]
    for (let i = 0; i < spins; i++)
      if (Atomics.load(cells, cell) === 0 && Atomics.compareExchange(cells, cell, 0, owner) === 0) return true
    if (stuck) return false
    Atomics.add(cells, cell + sleepersCell, 1)
    let taken = false
    for (let i = 0; i < times && !taken; i++) {
      const holder = Atomics.load(cells, cell)
      if (holder !== 0) Atomics.wait(cells, cell, holder, napMs)
      taken = Atomics.compareExchange(cells, cell, 0, owner) === 0
    }
    Atomics.sub(cells, cell + sleepersCell, 1)
    if (!taken) this.stuckAt = cells[cell + sequenceCell]!
    return taken
  }
}
