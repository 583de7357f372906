// One rate limit as a worker uses it: its numbers for the shared table (GCRA), and its words for clients.
import type { RequestView } from '../../../core/plugin.ts'
import type { RateLimitSpec } from '../../../core/route-spec.ts'
import type { WorkerState } from '../../../state/worker-state.ts'
import { TrafficKey } from './traffic-key.ts'

/** What limits need of shared memory. */
export type RateState = Pick<WorkerState, 'rateTake' | 'rateGiveBack' | 'rateDebt' | 'rateLimited' | 'nowUs'>

const gridPerUs = 1024
/** A request may be early by so much, or by a sixteenth of an interval: what is left of rounding after months of uptime. */
const mostSlackUs = 8

export class Limit {
  readonly spec: RateLimitSpec
  /** The name as a String of RFC 9651 §3.3.3. */
  readonly label: string
  /** Its member of RateLimit-Policy. */
  readonly policy: string
  readonly #key: TrafficKey
  readonly #intervalUs: number
  readonly #slackUs: number
  /** Keys of requests by a header, which later steps may change before what is left is told; null = not needed. */
  readonly #keysTaken: WeakMap<RequestView, { readonly hi: number; readonly lo: number }> | null
  /** Reused: made once, its time set for each request. */
  readonly #question: { nowUs: number; readonly intervalUs: number; readonly toleranceUs: number }

  constructor(spec: RateLimitSpec) {
    this.spec = spec
    this.#key = new TrafficKey(spec.key, spec.id)
    this.#keysTaken = spec.tell && spec.key.by === 'header' ? new WeakMap() : null
    // On a grid, so that times are added up without rounding: a burst must not be one short after so many additions.
    this.#intervalUs = Math.max(1, Math.round((spec.periodMs * 1000 * gridPerUs) / spec.count)) / gridPerUs
    this.#slackUs = Math.min(mostSlackUs, this.#intervalUs / 16)
    const toleranceUs = (spec.burst - 1) * this.#intervalUs + this.#slackUs
    this.#question = { nowUs: 0, intervalUs: this.#intervalUs, toleranceUs }
    this.label = `"${spec.name.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`
    this.policy = `${this.label};${policyOf(spec)}`
  }

  /** As `WorkerState.rateTake`. */
  take(request: RequestView, state: RateState, nowUs: number): number {
    this.#key.read(request)
    this.#question.nowUs = nowUs
    const { hi, lo } = this.#key
    if (this.#keysTaken !== null) this.#keysTaken.set(request, { hi, lo })
    return state.rateTake(hi, lo, this.#question)
  }

  giveBack(request: RequestView, state: RateState): void {
    this.#key.read(request)
    state.rateGiveBack(this.#key.hi, this.#key.lo, this.#intervalUs)
  }

  /** Microseconds until the key has its full credit again. */
  debt(request: RequestView, state: RateState, nowUs: number): number {
    const taken = this.#keysTaken === null ? undefined : this.#keysTaken.get(request)
    if (taken === undefined) this.#key.read(request)
    const { hi, lo } = taken ?? this.#key
    return state.rateDebt(hi, lo, nowUs)
  }

  /** Its member of RateLimit: requests left, and seconds until there are as many as ever, or one again. */
  state(debtUs: number): string {
    const { burst } = this.spec
    const used = Math.ceil((debtUs - this.#slackUs) / this.#intervalUs)
    const left = Math.max(0, burst - used)
    const resetUs = left > 0 ? debtUs : debtUs - (burst - 1) * this.#intervalUs
    return `${this.label};r=${left};t=${Math.ceil(resetUs / 1e6)}`
  }
}

/**
 * The burst, and the time in which it comes back: what a client can rely on. Where that is less than a second, the
 * requests of a second, since a window has whole seconds.
 */
function policyOf({ count, periodMs, burst }: RateLimitSpec): string {
  const windowS = (burst * periodMs) / count / 1000
  return windowS >= 1 ? `q=${burst};w=${Math.round(windowS)}` : `q=${Math.floor((count * 1000) / periodMs)};w=1`
}
