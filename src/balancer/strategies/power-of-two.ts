// Power of two choices: the less loaded of two random backends. Nearly as even as least-conn, at constant cost.
import type { BackendSpec } from '../../core/spec.ts'
import type { Picker, PickerInput, Selection, Standing, Strategy } from '../strategy.ts'
import { WeightedDraw } from '../weighted-draw.ts'

class PowerOfTwo implements Picker {
  private readonly draw: WeightedDraw

  constructor(input: PickerInput) {
    this.draw = new WeightedDraw(input)
  }

  pick(selection: Selection): BackendSpec | undefined {
    const { candidates } = this.draw
    const a = this.draw.draw(selection.tried)
    if (a < 0) return undefined
    const b = this.draw.drawOther(a, selection.tried)
    if (b < 0) return candidates.backends[a]
    return candidates.backends[this.isLess(b, a) ? b : a]
  }

  explain({ tried }: Selection): Standing {
    const { candidates } = this.draw
    this.draw.refresh()
    return {
      meaning: 'in flight for its weight; of two drawn by weight the one with fewer',
      scores: candidates.scores((index) => candidates.active(index) / candidates.weights[index]!),
      next: this.draw.winners(tried, (a, b) => this.isLess(a, b)),
      draws: 0,
    }
  }

  private isLess(a: number, b: number): boolean {
    const { candidates } = this.draw
    return candidates.active(a) * candidates.weights[b]! < candidates.active(b) * candidates.weights[a]!
  }
}

/** The less loaded, for its weight, of two drawn by weight. */
export const powerOfTwo: Strategy = { name: 'power-of-two', needs: 'nothing', build: (input) => new PowerOfTwo(input) }
