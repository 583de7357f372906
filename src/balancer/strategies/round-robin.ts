// Round robin, smoothly weighted. The position is a ticket that all workers share: turns are exact over the process.
import type { BackendSpec, Cursor } from '../../core/spec.ts'
import type { StateReader } from '../../state/state-reader.ts'
import { Candidates } from '../candidates.ts'
import type { Picker, PickerInput, Selection, Strategy } from '../strategy.ts'
import { weightedCycle } from '../weighted-cycle.ts'

/** Tickets drawn before a scan decides. */
const maxDraws = 8

class RoundRobin implements Picker {
  private readonly candidates: Candidates
  private readonly state: StateReader
  private readonly cursor: Cursor
  private readonly full: Int32Array
  /** The turns of those available: taking a backend out of the cycle spreads its share over all others. */
  private cycle: Int32Array

  constructor(input: PickerInput) {
    this.candidates = new Candidates(input.backends, input.state)
    this.state = input.state
    this.cursor = input.cursor
    this.full = weightedCycle(this.candidates.weights)
    this.cycle = this.full
  }

  pick(selection: Selection): BackendSpec | undefined {
    const { candidates } = this
    if (candidates.refresh()) this.layOut()
    if (candidates.count === 0) return undefined
    let ticket = 0
    // A full or tried one gives its turn away: the next ticket, not the neighbour, takes it.
    for (let i = 0; i < maxDraws; i++) {
      ticket = this.state.ticket(this.cursor)
      const index = this.cycle[ticket % this.cycle.length]!
      if (candidates.isUsable(index, selection.tried)) return candidates.backends[index]
    }
    return candidates.backends[candidates.scan(Math.imul(ticket, 0x9e3779b1) >>> 0, selection.tried)]
  }

  private layOut(): void {
    const { available, count } = this.candidates
    const isIn = new Uint8Array(this.candidates.backends.length)
    for (let i = 0; i < count; i++) isIn[available[i]!] = 1
    this.cycle = isIn.includes(0) ? this.full.filter((index) => isIn[index] === 1) : this.full
  }
}

/** Takes turns, in proportion to weight. */
export const roundRobin: Strategy = { name: 'round-robin', needs: 'nothing', build: (input) => new RoundRobin(input) }
