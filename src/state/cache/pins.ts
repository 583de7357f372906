// What this thread holds of bodies. A body is pinned once for a thread, however many readers there are here; the thread's
// ledger in shared memory says which, so that they can be given back when it is dead.
import { bodyCells } from './bodies.ts'
import type { CacheMemory } from './cache-memory.ts'
import { unitCells } from './geometry.ts'
import type { Shard } from './shard.ts'

/** A body that this thread holds. */
export class Pin {
  readonly ref: number
  readonly shard: Shard
  readonly cell: number
  holders = 1

  constructor(shard: Shard, ref: number, cell: number) {
    this.shard = shard
    this.ref = ref
    this.cell = cell
  }
}

export class Pins {
  private readonly cells: Int32Array
  private readonly held = new Map<number, Pin>()
  private readonly start: number
  private readonly slots: number
  private readonly free: number[] = []
  private next = 0
  /** Could not be given back yet: the lock was not to be had. */
  private readonly late: Pin[] = []

  constructor(memory: CacheMemory) {
    const { ledgerStart, ledgerSlots } = memory.geometry
    this.cells = memory.cells
    this.start = ledgerStart / 4 + memory.lane * ledgerSlots
    this.slots = ledgerSlots
  }

  /** Holds a body once more that this thread holds already: without a lock. Null = it holds none, or another one there. */
  again(ref: number, serial: number): Pin | null {
    const pin = this.held.get(ref)
    if (pin === undefined || this.cells[ref * unitCells + bodyCells.serial] !== serial) return null
    pin.holders++
    return pin
  }

  /** Under the shard's lock, for a body that is not held here yet. Null = this thread holds too many. */
  take(shard: Shard, ref: number): Pin | null {
    if (this.free.length === 0 && this.next === this.slots) return null
    const cell = this.free.pop() ?? this.start + this.next++
    this.cells[cell] = ref
    shard.bodies.pin(ref)
    const pin = new Pin(shard, ref, cell)
    this.held.set(ref, pin)
    return pin
  }

  release(pin: Pin): void {
    if (--pin.holders > 0) return
    this.held.delete(pin.ref)
    this.late.push(pin)
    this.giveBack()
  }

  /** Gives back what could not be given back before. */
  giveBack(): void {
    for (let i = this.late.length - 1; i >= 0; i--) {
      const pin = this.late[i]!
      if (!pin.shard.lock.take()) return
      this.late.length = i
      this.cells[pin.cell] = 0
      pin.shard.bodies.unpin(pin.ref)
      pin.shard.lock.release()
      this.free.push(pin.cell)
    }
  }

  get hasLate(): boolean {
    return this.late.length > 0
  }
}
