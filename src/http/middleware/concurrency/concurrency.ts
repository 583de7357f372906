// The `concurrency` of a route: so many requests at once for each client, header value or cookie, over all workers; more
// are answered with 429. A request counts until its exchange has ended; an upgraded connection until it is closed.
import { errors } from '../../../core/errors.ts'
import type { Answer, FinishView, Middleware, RequestView } from '../../../core/plugin.ts'
import type { ConcurrencySpec } from '../../../core/route-spec.ts'
import type { WorkerState } from '../../../state/worker-state.ts'
import { TrafficKey } from '../rate-limit/traffic-key.ts'
import { refusal } from '../refusal.ts'

export interface ConcurrencyDeps {
  readonly state: Pick<WorkerState, 'concurrencyEnter' | 'concurrencyLeave' | 'rateLimited'>
  /** The row of traffic counters that a request belongs to. */
  row(request: RequestView): number
}

export function concurrency(spec: ConcurrencySpec, deps: ConcurrencyDeps): Middleware {
  return new Concurrency(spec, deps)
}

interface Place {
  readonly hi: number
  readonly lo: number
}

class Concurrency implements Middleware {
  readonly name = 'concurrency'
  readonly #key: TrafficKey
  readonly #max: number
  readonly #deps: ConcurrencyDeps
  /** Of the requests that are under way. Not in their `state`, which other steps may clear. */
  readonly #places = new Map<RequestView, Place>()

  constructor({ key, max, id }: ConcurrencySpec, deps: ConcurrencyDeps) {
    this.#key = new TrafficKey(key, id)
    this.#max = max
    this.#deps = deps
  }

  onRequest(request: RequestView): Answer | undefined {
    this.#key.read(request)
    const { hi, lo } = this.#key
    if (this.#deps.state.concurrencyEnter(hi, lo, this.#max)) {
      this.#places.set(request, { hi, lo })
      return undefined
    }
    this.#deps.state.rateLimited(this.#deps.row(request))
    // Nobody knows when one of those in flight will end.
    return refusal(errors.concurrency_limited, { 'Retry-After': '1' })
  }

  onFinish({ request }: FinishView): void {
    const place = this.#places.get(request)
    if (place === undefined) return
    this.#places.delete(request)
    this.#deps.state.concurrencyLeave(place.hi, place.lo)
  }
}
