// Least time: of two random backends the one that can be expected to answer sooner.
import type { BackendSpec } from '../../core/spec.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { Picker, PickerInput, Selection, Standing, Strategy } from '../strategy.ts'
import { WeightedDraw } from '../weighted-draw.ts'

class LeastTime implements Picker {
  private readonly draw: WeightedDraw
  private readonly state: StateReader

  constructor(input: PickerInput) {
    this.draw = new WeightedDraw(input)
    this.state = input.state
  }

  pick(selection: Selection): BackendSpec | undefined {
    const { candidates } = this.draw
    const a = this.draw.draw(selection.tried)
    if (a < 0) return undefined
    const b = this.draw.drawOther(a, selection.tried)
    return candidates.backends[b >= 0 && this.isSooner(b, a) ? b : a]
  }

  explain({ tried }: Selection): Standing {
    const { candidates } = this.draw
    this.draw.refresh()
    const ms = (index: number): number => this.state.fadedLatency(candidates.backends[index]!.slot) / 1000
    return {
      meaning: 'ms of latency × (in flight + 1) / weight, 0 without data; of two drawn by weight the one with less',
      scores: candidates.scores((index) => (ms(index) * (candidates.active(index) + 1)) / candidates.weights[index]!),
      next: this.draw.winners(tried, (a, b) => this.isSooner(a, b)),
      draws: 0,
    }
  }

  /** Latency × (in flight + 1) / weight. Where one has no data yet, both count as equally fast. */
  private isSooner(b: number, a: number): boolean {
    const { candidates } = this.draw
    const loadA = (candidates.active(a) + 1) * candidates.weights[b]!
    const loadB = (candidates.active(b) + 1) * candidates.weights[a]!
    const latencyA = this.state.fadedLatency(candidates.backends[a]!.slot)
    const latencyB = this.state.fadedLatency(candidates.backends[b]!.slot)
    return latencyA === 0 || latencyB === 0 ? loadB < loadA : latencyB * loadB < latencyA * loadA
  }
}

/** The sooner of two drawn by weight, by measured latency and load. */
export const leastTime: Strategy = { name: 'least-time', needs: 'nothing', build: (input) => new LeastTime(input) }
