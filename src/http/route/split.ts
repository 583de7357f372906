// A route that shares its requests among pools by weight.
import type { SplitSpec } from '../../core/route-spec.ts'
import type { WorkerState } from '../../state/worker-state.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { Destination } from './destination.ts'
import { SplitChoice } from './split-choice.ts'

export class Split {
  readonly destinations: readonly Destination[]
  readonly #choice: SplitChoice
  readonly #cursor: number
  readonly #state: WorkerState

  constructor(spec: SplitSpec, destinations: readonly Destination[], state: WorkerState) {
    this.destinations = destinations
    this.#choice = new SplitChoice(spec)
    this.#cursor = spec.cursor
    this.#state = state
  }

  /** By the counter that all workers share, or by what stays the same about a client. */
  choose(head: RequestHead, address: string): Destination {
    const key = this.#choice.keyOf(head, address)
    const place = key === '' ? this.#choice.ofTicket(this.#state.ticket(this.#cursor)) : this.#choice.ofKey(key)
    return this.destinations[place]!
  }
}
