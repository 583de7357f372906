// Random, in proportion to weight.
import type { BackendSpec } from '../../core/spec.ts'
import type { Picker, PickerInput, Selection, Strategy } from '../strategy.ts'
import { WeightedDraw } from '../weighted-draw.ts'

class Random implements Picker {
  private readonly draw: WeightedDraw

  constructor(input: PickerInput) {
    this.draw = new WeightedDraw(input)
  }

  pick(selection: Selection): BackendSpec | undefined {
    return this.draw.candidates.backends[this.draw.draw(selection.tried)]
  }
}

/** Any backend, by weight. */
export const random: Strategy = { name: 'random', needs: 'nothing', build: (input) => new Random(input) }
