// Consistent hash: the same key goes to the same backend, and only the keys of a backend that goes away move.
import type { BackendSpec, Slot } from '../../core/spec.ts'
import { Candidates } from '../candidates.ts'
import { Ring } from '../ring.ts'
import type { Picker, PickerInput, Selection, Standing, Strategy } from '../strategy.ts'

/** Points passed over before a scan decides. */
const maxSteps = 32

class HashPicker implements Picker {
  private readonly candidates: Candidates
  private readonly full: Ring
  /** The points of those available: the keys of the others spread over all that are left. */
  private ring: Ring

  constructor(input: PickerInput) {
    this.candidates = new Candidates(input.backends, input.state)
    this.full = Ring.build(input.backends.map(({ url }, i) => ({ name: url, weight: this.candidates.weights[i]! })))
    this.ring = this.full
  }

  pick(selection: Selection): BackendSpec | undefined {
    const { candidates } = this
    if (candidates.refresh()) this.layOut()
    if (candidates.count === 0) return undefined
    return candidates.backends[this.closest(selection.hash, selection.tried)]
  }

  explain({ hash, tried }: Selection): Standing {
    const { candidates } = this
    if (candidates.refresh()) this.layOut()
    const order = candidates.count === 0 ? new Map<number, number>() : this.orderFor(hash)
    return {
      meaning: 'its place for this key; the first that has room',
      scores: candidates.scores((index) => order.get(index) ?? candidates.count),
      next: candidates.count === 0 ? [] : candidates.listed(this.closest(hash, tried)),
      draws: 0,
    }
  }

  /** The first usable one from the key's point on; -1 = none. */
  private closest(hash: number, tried: readonly Slot[]): number {
    const from = this.ring.find(hash)
    for (let step = 0; step < maxSteps; step++) {
      const index = this.ring.owner(from + step)
      if (this.candidates.isUsable(index, tried)) return index
    }
    return this.candidates.scan(from, tried)
  }

  /** Backends by the place at which the ring comes by them. */
  private orderFor(hash: number): Map<number, number> {
    const from = this.ring.find(hash)
    const order = new Map<number, number>()
    for (let step = 0; step < this.ring.length && order.size < this.candidates.count; step++) {
      const index = this.ring.owner(from + step)
      if (!order.has(index)) order.set(index, order.size)
    }
    return order
  }

  private layOut(): void {
    const { available, count } = this.candidates
    const keep = new Uint8Array(this.candidates.backends.length)
    for (let i = 0; i < count; i++) keep[available[i]!] = 1
    this.ring = keep.includes(0) ? this.full.filter(keep) : this.full
  }
}

/** Builds the picker of `hash` and `ip-hash`: they differ only in what is hashed. */
export const buildHashPicker = (input: PickerInput): Picker => new HashPicker(input)

/** By a part of the request. */
export const hash: Strategy = { name: 'hash', needs: 'request', build: buildHashPicker }
