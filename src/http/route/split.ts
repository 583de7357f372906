// A route that shares its requests among pools by weight.
import { weightedCycle } from '../../balancer/weighted-cycle.ts'
import type { SplitSpec } from '../../core/route-spec.ts'
import { cookieValue } from '../../pool/affinity.ts'
import type { WorkerState } from '../../state/worker-state.ts'
import { hash32 } from '../../util/hash32.ts'
import { fieldValue } from '../http1/grammar.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { Destination } from './destination.ts'

export class Split {
  readonly #destinations: readonly Destination[]
  /** Indices of destinations, each in proportion to its weight, smoothly mixed. */
  readonly #cycle: Int32Array
  /** Up to which share of 2³² a client's hash goes to each destination: a changed weight moves few clients. */
  readonly #bounds: readonly number[]
  readonly #by: SplitSpec['by']
  readonly #cursor: number
  readonly #state: WorkerState

  constructor(spec: SplitSpec, destinations: readonly Destination[], state: WorkerState) {
    this.#destinations = destinations
    this.#cycle = weightedCycle(spec.targets.map(({ weight }) => weight))
    this.#bounds = boundsOf(spec.targets)
    this.#by = spec.by
    this.#cursor = spec.cursor
    this.#state = state
  }

  /** By the counter that all workers share, or by what stays the same about a client. */
  choose(head: RequestHead, address: string): Destination {
    const key = this.#keyOf(head, address)
    if (key !== '') return this.#destinations[this.#placeOf(hash32(key))]!
    return this.#destinations[this.#cycle[this.#state.ticket(this.#cursor) % this.#cycle.length]!]!
  }

  #placeOf(hash: number): number {
    let at = 0
    while (hash >= this.#bounds[at]!) at++
    return at
  }

  #keyOf(head: RequestHead, address: string): string {
    const by = this.#by
    if (by === 'request') return ''
    if (by === 'client-ip') return address
    if (by.kind === 'cookie') return cookieValue(head.fields.cookie, by.name)
    return fieldValue(head.fields.lookup, by.name)
  }
}

function boundsOf(targets: SplitSpec['targets']): number[] {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0)
  let before = 0
  return targets.map(({ weight }) => {
    before += weight
    return (before / total) * 2 ** 32
  })
}
