// Random draws in proportion to weight in constant time (Vose's alias method), among the available backends.
import type { BackendSpec, Slot } from '../core/spec.ts'
import { Candidates } from './candidates.ts'
import type { PickerInput } from './strategy.ts'

/** Draws before a scan decides: in a pool half of which is full, one pick in 256 needs the scan. */
const maxDraws = 8

export class WeightedDraw {
  readonly candidates: Candidates
  private readonly random: () => number
  private readonly keep: Float64Array
  private readonly alias: Int32Array
  private isUniform = true

  constructor(input: PickerInput) {
    this.candidates = new Candidates(input.backends, input.state)
    this.random = input.random ?? Math.random
    this.keep = new Float64Array(input.backends.length)
    this.alias = new Int32Array(input.backends.length)
  }

  /** Index of a usable backend, drawn by weight; -1 = none. */
  draw(tried: readonly Slot[]): number {
    this.refresh()
    return this.candidates.count === 0 ? -1 : this.drawExcept(-1, tried)
  }

  /** Sees which backends are available now. */
  refresh(): void {
    if (this.candidates.refresh()) this.layOut()
  }

  /** Those that may win a comparison of two that are drawn: all but one that everybody else is before. */
  winners(tried: readonly Slot[], isBefore: (a: number, b: number) => boolean): BackendSpec[] {
    const usable = this.candidates.usable(tried)
    const mayWin = (index: number): boolean => usable.some((other) => other !== index && !isBefore(other, index))
    const winners = usable.length < 2 ? usable : usable.filter(mayWin)
    return winners.map((index) => this.candidates.backends[index]!)
  }

  /** As `draw`, but not `first`; call it after `draw`. */
  drawOther(first: number, tried: readonly Slot[]): number {
    return this.candidates.count < 2 ? -1 : this.drawExcept(first, tried)
  }

  private drawExcept(except: number, tried: readonly Slot[]): number {
    const { candidates } = this
    for (let i = 0; i < maxDraws; i++) {
      const index = candidates.available[this.position()]!
      if (index !== except && candidates.isUsable(index, tried)) return index
    }
    return candidates.scan(Math.floor(this.random() * candidates.count), tried, except)
  }

  private position(): number {
    const x = this.random() * this.candidates.count
    const at = Math.floor(x)
    return this.isUniform || x - at < this.keep[at]! ? at : this.alias[at]!
  }

  private layOut(): void {
    const { count, available, weights } = this.candidates
    this.isUniform = this.candidates.hasEqualWeights()
    if (this.isUniform) return
    let total = 0
    for (let i = 0; i < count; i++) total += weights[available[i]!]!
    const small: number[] = []
    const large: number[] = []
    for (let i = 0; i < count; i++) {
      this.keep[i] = (weights[available[i]!]! * count) / total
      this.alias[i] = i
      ;(this.keep[i]! < 1 ? small : large).push(i)
    }
    while (small.length > 0 && large.length > 0) {
      const less = small.pop()!
      const more = large.pop()!
      this.alias[less] = more
      this.keep[more]! -= 1 - this.keep[less]!
      ;(this.keep[more]! < 1 ? small : large).push(more)
    }
    for (const i of small) this.keep[i] = 1
    for (const i of large) this.keep[i] = 1
  }
}
