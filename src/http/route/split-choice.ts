// Which target of a split is meant: by what stays the same about a client, or by the number that a request has drawn.
import { weightedCycle } from '../../balancer/weighted-cycle.ts'
import type { SplitSpec } from '../../core/route-spec.ts'
import { cookieValue } from '../../pool/affinity.ts'
import { hash32 } from '../../util/hash32.ts'
import { fieldValue } from '../http1/grammar.ts'
import type { RequestHead } from '../http1/request-head.ts'

/** Places are those of the targets. */
export class SplitChoice {
  /** Places, each in proportion to its weight, smoothly mixed. */
  readonly #cycle: Int32Array
  /** Up to which share of 2³² a client's hash goes to each place: a changed weight moves few clients. */
  readonly #bounds: readonly number[]
  readonly #by: SplitSpec['by']

  constructor({ targets, by }: SplitSpec) {
    this.#cycle = weightedCycle(targets.map(({ weight }) => weight))
    this.#bounds = boundsOf(targets)
    this.#by = by
  }

  /** What is the same in all requests of a client; '' = nothing: then a ticket decides. */
  keyOf(head: RequestHead, address: string): string {
    const by = this.#by
    if (by === 'request') return ''
    if (by === 'client-ip') return address
    if (by.kind === 'cookie') return cookieValue(head.fields.cookie, by.name)
    return fieldValue(head.fields.lookup, by.name)
  }

  ofKey(key: string): number {
    const hash = hash32(key)
    let at = 0
    while (hash >= this.#bounds[at]!) at++
    return at
  }

  ofTicket(ticket: number): number {
    return this.#cycle[ticket % this.#cycle.length]!
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
