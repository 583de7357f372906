// A route that mirrors a share of its requests: which of them, and how many at once.
import type { MirrorSpec } from '../../core/route-spec.ts'
import type { PlaneContext } from '../../pool/plane-context.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { Destination } from '../route/destination.ts'
import { MirrorCopy } from './mirror-copy.ts'

export class Mirror {
  readonly #spec: MirrorSpec
  readonly destination: Destination
  readonly #plane: PlaneContext
  readonly #random: () => number

  /** `destination`: the pool with its own settings, not with the route's. `random`: as Math.random; for tests. */
  constructor(spec: MirrorSpec, destination: Destination, plane: PlaneContext, random: () => number = Math.random) {
    this.#spec = spec
    this.destination = destination
    this.#plane = plane
    this.#random = random
  }

  /**
   * A copy of this request to be filled and sent, or null: it is not of the share, its body is too large, it asks for
   * another protocol, or too many copies are under way. Drawn at random: of a client that asks for ten different things
   * in turn every tenth request would always be the same one. `row`: of the route's counters.
   */
  begin(head: RequestHead, row: number): MirrorCopy | null {
    const { share, maxBody, maxActive, pool } = this.#spec
    const { fields } = head
    if (fields.upgrade !== '' || (share < 1 && this.#random() >= share)) return null
    const { state, sideWork } = this.#plane
    if (fields.contentLength > maxBody) state.mirrored(row, 'too_large')
    else if (sideWork.count(`mirror ${pool}`) >= maxActive) state.mirrored(row, 'dropped')
    else return new MirrorCopy({ head, row, maxBody, destination: this.destination }, this.#plane)
    return null
  }
}
