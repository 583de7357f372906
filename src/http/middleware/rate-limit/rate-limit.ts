// The `rate_limit` of a route: so many requests in a time for each client, header value or cookie, over all workers; more
// are answered with 429. What is left is told in the RateLimit fields of draft-ietf-httpapi-ratelimit-headers-11.
import { errors } from '../../../core/errors.ts'
import type { Answer, Middleware, RequestView, ResponseView } from '../../../core/plugin.ts'
import type { RateLimitSpec } from '../../../core/route-spec.ts'
import { refusal } from '../refusal.ts'
import { Limit, type RateState } from './limit.ts'

export interface RateLimitDeps {
  readonly state: RateState
  /** The row of traffic counters that a request belongs to. */
  row(request: RequestView): number
}

/** All limits of one route: a request has to pass each of them, and is charged to none if one refuses it. */
export function rateLimit(specs: readonly RateLimitSpec[], deps: RateLimitDeps): Middleware {
  return specs.some(({ tell }) => tell) ? new TellingRateLimit(specs, deps) : new RateLimit(specs, deps)
}

class RateLimit implements Middleware {
  readonly name = 'rate_limit'
  protected readonly deps: RateLimitDeps
  protected readonly told: readonly Limit[]
  protected readonly policies: string
  readonly #limits: readonly Limit[]

  constructor(specs: readonly RateLimitSpec[], deps: RateLimitDeps) {
    this.#limits = specs.map((spec) => new Limit(spec))
    this.told = this.#limits.filter(({ spec }) => spec.tell)
    this.policies = this.told.map(({ policy }) => policy).join(', ')
    this.deps = deps
  }

  onRequest(request: RequestView): Answer | undefined {
    const { state } = this.deps
    const nowUs = state.nowUs()
    for (let i = 0; i < this.#limits.length; i++) {
      const left = this.#limits[i]!.take(request, state, nowUs)
      if (left < 0) return this.#refuse(request, i, -left)
    }
    return undefined
  }

  #refuse(request: RequestView, at: number, waitUs: number): Answer {
    const { state } = this.deps
    for (let i = 0; i < at; i++) this.#limits[i]!.giveBack(request, state)
    state.rateLimited(this.deps.row(request))
    const limit = this.#limits[at]!
    const waitS = String(Math.max(1, Math.ceil(waitUs / 1e6)))
    if (!limit.spec.tell) return refusal(errors.rate_limited, { 'Retry-After': waitS })
    return refusal(
      errors.rate_limited,
      {
        'Retry-After': waitS,
        'RateLimit-Policy': this.policies,
        // Both are to name the same moment.
        RateLimit: `${limit.label};r=0;t=${waitS}`,
      },
      limit.spec.name,
    )
  }
}

class TellingRateLimit extends RateLimit {
  onResponse(response: ResponseView): void {
    // A refusal of ours has said it already.
    if (response.backend === '' && response.status === 429 && response.header('RateLimit-Policy') !== undefined) return
    const { state } = this.deps
    const nowUs = state.nowUs()
    let states = ''
    for (const limit of this.told) {
      const told = limit.state(limit.debt(response.request, state, nowUs))
      states = states === '' ? told : `${states}, ${told}`
    }
    response.addHeader('RateLimit-Policy', this.policies)
    response.addHeader('RateLimit', states)
  }
}
