// What a picker may see of shared memory: read, and draw a ticket. One load each, no allocation.
import type { Cursor, Slot } from '../core/spec.ts'
import { unavailableMask, unusableWhenBoundMask } from './flags.ts'
import { regions } from './layout.ts'
import { Memory } from './memory.ts'

/** Row lengths and places of cells, in cells. */
export const slotRow32: number = regions.slot.rowBytes / 4
export const slotRow64: number = regions.slot.rowBytes / 8
export const poolRow32: number = regions.pool.rowBytes / 4
const flagsAt = regions.slot.at.flags
const activeAt = regions.slot.at.active
const latencyAt = regions.slot.at.latency
const observedAt = regions.slot.at.latencyAt
const epochAt = regions.header.at.epoch
const clockAt = regions.header.at.clock

/** A backend without traffic loses 63 % of its remembered latency in this time, so that it is tried again. */
export const latencyDecayMs = 10_000

export class StateReader {
  readonly buffer: SharedArrayBuffer
  protected readonly memory: Memory
  protected readonly i32: Int32Array
  protected readonly f64: Float64Array
  protected readonly slotBase: number
  protected readonly slotBase64: number
  protected readonly poolBase: number

  /** @throws Error if the buffer is not shared memory of this version. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.memory = new Memory(buffer)
    this.i32 = this.memory.i32
    this.f64 = this.memory.f64
    this.slotBase = this.memory.base32('slot')
    this.slotBase64 = this.memory.base64('slot')
    this.poolBase = this.memory.base32('pool')
  }

  /** For a new client: not down, ejected, disabled, draining or removed. */
  isAvailable(slot: Slot): boolean {
    return (Atomics.load(this.i32, this.slotBase + slot * slotRow32 + flagsAt) & unavailableMask) === 0
  }

  /** For a client that is bound to it: draining is allowed. */
  isUsableWhenBound(slot: Slot): boolean {
    return (Atomics.load(this.i32, this.slotBase + slot * slotRow32 + flagsAt) & unusableWhenBoundMask) === 0
  }

  /** All flags of a backend, see flags.ts. */
  flags(slot: Slot): number {
    return Atomics.load(this.i32, this.slotBase + slot * slotRow32 + flagsAt)
  }

  /** Exchanges or connections in flight at a backend, over all workers. */
  active(slot: Slot): number {
    return Atomics.load(this.i32, this.slotBase + slot * slotRow32 + activeAt)
  }

  /** Moving average of send to first byte, in microseconds; 0 = no data. */
  latency(slot: Slot): number {
    return this.f64[this.slotBase64 + slot * slotRow64 + latencyAt]!
  }

  /** As `latency`, fading while nothing is observed: a backend once slow is tried again. */
  fadedLatency(slot: Slot): number {
    const row = this.slotBase64 + slot * slotRow64
    const silentMs = this.f64[clockAt]! - this.f64[row + observedAt]!
    const latency = this.f64[row + latencyAt]!
    return silentMs > 1000 ? latency * Math.exp(-silentMs / latencyDecayMs) : latency
  }

  /** The next number (u32) of a counter that all workers share. */
  ticket(cursor: Cursor): number {
    return Atomics.add(this.i32, this.poolBase + cursor * poolRow32, 1) >>> 0
  }

  /** The number that `ticket` would give, without drawing it. */
  nextTicket(cursor: Cursor): number {
    return Atomics.load(this.i32, this.poolBase + cursor * poolRow32) >>> 0
  }

  /** Changes whenever an availability flag of any backend flips. */
  epoch(): number {
    return Atomics.load(this.i32, epochAt)
  }
}
