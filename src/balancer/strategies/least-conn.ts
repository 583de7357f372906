// Least connections: fewest in flight for its weight, over all workers. Those that tie take turns.
import type { BackendSpec, Cursor, Slot } from '../../core/spec.ts'
import type { StateReader } from '../../state/state-reader.ts'
import { Candidates } from '../candidates.ts'
import type { Picker, PickerInput, Selection, Standing, Strategy } from '../strategy.ts'
import { gcd } from '../weighted-cycle.ts'

class LeastConn implements Picker {
  private readonly candidates: Candidates
  private readonly state: StateReader
  private readonly cursor: Cursor
  private readonly ties: Int32Array
  private hasEqualWeights = true
  private strideFor = 0
  private stride = 1

  constructor(input: PickerInput) {
    this.candidates = new Candidates(input.backends, input.state)
    this.state = input.state
    this.cursor = input.cursor
    this.ties = new Int32Array(input.backends.length)
  }

  pick(selection: Selection): BackendSpec | undefined {
    const { candidates } = this
    if (candidates.refresh()) this.hasEqualWeights = candidates.hasEqualWeights()
    const tied = this.collectTies(selection.tried)
    if (tied === 0) return undefined
    const index = tied === 1 ? this.ties[0]! : this.takeTurns(tied, this.state.ticket(this.cursor))
    // It may have gone down since the refresh.
    return candidates.backends[
      candidates.isUsable(index, selection.tried) ? index : candidates.scan(0, selection.tried)
    ]
  }

  explain({ tried }: Selection, ahead = 0): Standing {
    const { candidates, ties } = this
    if (candidates.refresh()) this.hasEqualWeights = candidates.hasEqualWeights()
    const scores = candidates.scores((index) => candidates.active(index) / candidates.weights[index]!)
    const tied = this.collectTies(tried)
    const ticket = (this.state.nextTicket(this.cursor) + ahead) >>> 0
    const index = tied === 0 ? -1 : tied === 1 ? ties[0]! : this.takeTurns(tied, ticket)
    return {
      meaning: 'in flight for its weight, the fewest first; those that tie take turns',
      scores,
      next: candidates.listed(index),
      draws: tied > 1 ? 1 : 0,
    }
  }

  /** Puts those with the least load into `ties`; how many. */
  private collectTies(tried: readonly Slot[]): number {
    const { candidates, ties } = this
    const { available, count, weights } = candidates
    let tied = 0
    let bestActive = 0
    let bestWeight = 1
    for (let i = 0; i < count; i++) {
      const index = available[i]!
      const active = candidates.active(index)
      const weight = weights[index]!
      const difference = active * bestWeight - bestActive * weight
      if ((tied > 0 && difference > 0) || !candidates.isOpen(index, active, tried)) continue
      if (tied === 0 || difference < 0) {
        tied = 0
        bestActive = active
        bestWeight = weight
      }
      ties[tied++] = index
    }
    return tied
  }

  private takeTurns(tied: number, ticket: number): number {
    return this.hasEqualWeights ? this.ties[ticket % tied]! : this.byWeight(tied, ticket)
  }

  /** Ties of different weights take turns in proportion, well mixed: steps of about 0.62 of the way round. */
  private byWeight(tied: number, ticket: number): number {
    const { ties } = this
    const { weights } = this.candidates
    let total = 0
    for (let i = 0; i < tied; i++) total += weights[ties[i]!]!
    if (total !== this.strideFor) {
      this.strideFor = total
      this.stride = Math.max(1, Math.round(total * 0.618034))
      while (gcd(this.stride, total) !== 1) this.stride++
    }
    let left = ((ticket % total) * this.stride) % total
    for (let i = 0; i < tied; i++) {
      left -= weights[ties[i]!]!
      if (left < 0) return ties[i]!
    }
    return ties[tied - 1]!
  }
}

/** The backend with the fewest exchanges in flight for its weight. */
export const leastConn: Strategy = { name: 'least-conn', needs: 'nothing', build: (input) => new LeastConn(input) }
