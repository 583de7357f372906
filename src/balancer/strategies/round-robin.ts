// Round robin, smoothly weighted. The position is a ticket that all workers share: turns are exact over the process.
import type { BackendSpec, Cursor, Slot } from '../../core/spec.ts'
import type { StateReader } from '../../state/state-reader.ts'
import { Candidates } from '../candidates.ts'
import type { Picker, PickerInput, Selection, Standing, Strategy } from '../strategy.ts'
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

  explain({ tried }: Selection, ahead = 0): Standing {
    const { candidates } = this
    if (candidates.refresh()) this.layOut()
    const from = (this.state.nextTicket(this.cursor) + ahead) >>> 0
    const draws = candidates.count === 0 ? 0 : this.drawsFrom(from, tried)
    const turns = new Map<number, number>()
    for (let i = 0; i < this.cycle.length; i++) {
      const index = this.cycle[(from + i) % this.cycle.length]!
      if (!turns.has(index)) turns.set(index, i)
    }
    return {
      meaning: 'turns until it is its turn',
      scores: candidates.scores((index) => turns.get(index) ?? this.cycle.length),
      next: draws === 0 ? [] : candidates.listed(this.drawn(from, draws, tried)),
      draws,
    }
  }

  /** How many tickets a pick would take, if the first were this one. */
  private drawsFrom(from: number, tried: readonly Slot[]): number {
    let draws = 1
    while (draws < maxDraws && !this.candidates.isUsable(this.turnOf(from + draws - 1), tried)) draws++
    return draws
  }

  /** The index that it would come to with so many. */
  private drawn(from: number, draws: number, tried: readonly Slot[]): number {
    const ticket = (from + draws - 1) >>> 0
    const index = this.turnOf(ticket)
    if (this.candidates.isUsable(index, tried)) return index
    return this.candidates.scan(Math.imul(ticket, 0x9e3779b1) >>> 0, tried)
  }

  private turnOf(ticket: number): number {
    return this.cycle[(ticket >>> 0) % this.cycle.length]!
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
