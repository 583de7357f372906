// First: the first usable backend in the order of the configuration. The next serves when it is down or full.
import type { BackendSpec } from '../../core/spec.ts'
import { Candidates } from '../candidates.ts'
import type { Picker, PickerInput, Selection, Strategy } from '../strategy.ts'

class First implements Picker {
  private readonly candidates: Candidates

  constructor(input: PickerInput) {
    this.candidates = new Candidates(input.backends, input.state)
  }

  pick(selection: Selection): BackendSpec | undefined {
    this.candidates.refresh()
    return this.candidates.backends[this.candidates.scan(0, selection.tried)]
  }
}

/** Fills the backends one after another. */
export const first: Strategy = { name: 'first', needs: 'nothing', build: (input) => new First(input) }
