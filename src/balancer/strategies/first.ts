// First: the first usable backend in the order of the configuration. The next serves when it is down or full.
import type { BackendSpec } from '../../core/spec.ts'
import { Candidates } from '../candidates.ts'
import type { Picker, PickerInput, Selection, Standing, Strategy } from '../strategy.ts'

class First implements Picker {
  private readonly candidates: Candidates

  constructor(input: PickerInput) {
    this.candidates = new Candidates(input.backends, input.state)
  }

  pick(selection: Selection): BackendSpec | undefined {
    this.candidates.refresh()
    return this.candidates.backends[this.candidates.scan(0, selection.tried)]
  }

  explain({ tried }: Selection): Standing {
    this.candidates.refresh()
    return {
      meaning: 'its place in the pool; the first that has room',
      scores: this.candidates.scores((index) => index),
      next: this.candidates.listed(this.candidates.scan(0, tried)),
      draws: 0,
    }
  }
}

/** Fills the backends one after another. */
export const first: Strategy = { name: 'first', needs: 'nothing', build: (input) => new First(input) }
