// The backends of one picker, and which of them are available: one atomic load a pick while nothing changes.
import type { BackendSpec, Slot } from '../core/spec.ts'
import type { StateReader } from '../state/state-reader.ts'

export class Candidates {
  readonly backends: readonly BackendSpec[]
  /** Weight of each backend, a whole number; 0 = takes no traffic. */
  readonly weights: Float64Array
  /** Indices of the available backends in their order; only the first `count` cells count. */
  readonly available: Int32Array
  count = 0
  private readonly state: StateReader
  private readonly slots: Int32Array
  private readonly limits: Float64Array
  private epoch = Number.NaN

  constructor(backends: readonly BackendSpec[], state: StateReader) {
    this.backends = backends
    this.state = state
    this.weights = Float64Array.from(backends, ({ weight }) => (weight > 0 ? Math.max(1, Math.round(weight)) : 0))
    this.slots = Int32Array.from(backends, ({ slot }) => slot)
    this.limits = Float64Array.from(backends, ({ maxConnections }) => maxConnections || Number.POSITIVE_INFINITY)
    this.available = new Int32Array(backends.length)
  }

  /** Call it first in every pick. True if the set of available backends is another than before. */
  refresh(): boolean {
    // Read before the flags: a flip in between is seen at the next pick.
    const epoch = this.state.epoch()
    return epoch === this.epoch ? false : this.collect(epoch)
  }

  /** Available this instant, not full, not tried. */
  isUsable(index: number, tried: readonly Slot[]): boolean {
    const slot = this.slots[index]!
    return (
      this.state.isAvailable(slot) &&
      this.state.active(slot) < this.limits[index]! &&
      (tried.length === 0 || !tried.includes(slot))
    )
  }

  /** Room for one more with so many in flight, and not tried. */
  isOpen(index: number, active: number, tried: readonly Slot[]): boolean {
    return active < this.limits[index]! && (tried.length === 0 || !tried.includes(this.slots[index]!))
  }

  /** Exchanges in flight at a backend. */
  active(index: number): number {
    return this.state.active(this.slots[index]!)
  }

  /** The first usable one from the `from`-th available on, round once, leaving out `except`; -1 = none. */
  scan(from: number, tried: readonly Slot[], except = -1): number {
    const { count } = this
    for (let i = 0, at = count === 0 ? 0 : from % count; i < count; i++, at = at + 1 === count ? 0 : at + 1) {
      const index = this.available[at]!
      if (index !== except && this.isUsable(index, tried)) return index
    }
    return -1
  }

  /** True if all available backends have the same weight. */
  hasEqualWeights(): boolean {
    const first = this.weights[this.available[0]!]
    for (let i = 1; i < this.count; i++) if (this.weights[this.available[i]!] !== first) return false
    return true
  }

  /** A number for each available one; call `refresh` before. */
  scores(score: (index: number) => number): Map<Slot, number> {
    return new Map(this.availableIndexes().map((index) => [this.slots[index]!, score(index)]))
  }

  /** All that are usable now; call `refresh` before. */
  usable(tried: readonly Slot[]): number[] {
    return this.availableIndexes().filter((index) => this.isUsable(index, tried))
  }

  /** The backend of an index as a list; none for -1. */
  listed(index: number): BackendSpec[] {
    return index < 0 ? [] : [this.backends[index]!]
  }

  private availableIndexes(): number[] {
    return [...this.available.subarray(0, this.count)]
  }

  private collect(epoch: number): boolean {
    const first = Number.isNaN(this.epoch)
    this.epoch = epoch
    let changed = first
    let count = 0
    for (let index = 0; index < this.slots.length; index++) {
      if (this.weights[index] === 0 || !this.state.isAvailable(this.slots[index]!)) continue
      if (count >= this.count || this.available[count] !== index) changed = true
      this.available[count++] = index
    }
    if (count !== this.count) changed = true
    this.count = count
    return changed
  }
}
