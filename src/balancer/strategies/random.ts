// Random, in proportion to weight.
import type { BackendSpec } from '../../core/spec.ts'
import type { Picker, PickerInput, Selection, Standing, Strategy } from '../strategy.ts'
import { WeightedDraw } from '../weighted-draw.ts'

class Random implements Picker {
  private readonly draw: WeightedDraw

  constructor(input: PickerInput) {
    this.draw = new WeightedDraw(input)
  }

  pick(selection: Selection): BackendSpec | undefined {
    return this.draw.candidates.backends[this.draw.draw(selection.tried)]
  }

  explain({ tried }: Selection): Standing {
    const { candidates } = this.draw
    this.draw.refresh()
    return {
      meaning: 'its weight in the draw',
      scores: candidates.scores((index) => candidates.weights[index]!),
      next: candidates.usable(tried).map((index) => candidates.backends[index]!),
      draws: 0,
    }
  }
}

/** Any backend, by weight. */
export const random: Strategy = { name: 'random', needs: 'nothing', build: (input) => new Random(input) }
