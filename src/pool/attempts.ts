// The attempts of one exchange at the backends of a pool: which were tried and what of, and whether another is allowed.
// The only place that decides on a retry.
import type { Selection } from '../balancer/strategy.ts'
import { type ErrorSpec, isUnreached } from '../core/errors.ts'
import type { BackendSpec, RetriesSpec } from '../core/spec.ts'
import type { FailedAttempt } from '../observe/access-entry.ts'
import { retryReasons } from '../state/worker-state.ts'
import { Lease } from './lease.ts'
import type { Pool } from './pool.ts'

/** What an attempt that failed leaves of the request. */
export interface RetryQuestion {
  /** Nothing has gone to the client, and all that went to the backend can be sent again. */
  readonly repeatable: boolean
  /** RFC 9110 §9.2.2. */
  readonly idempotent: boolean
}

export class Attempts {
  /** Backends asked so far. */
  count = 0
  /** The place held now, or null between attempts. */
  lease: Lease | null = null
  /** What to tell the client if no attempt succeeds, and what the system said of it. */
  failure: ErrorSpec | null = null
  failureCode = ''
  /** Every attempt that failed, in their order; null = none did. */
  failures: FailedAttempt[] | null = null
  readonly #pool: Pool
  readonly #retries: RetriesSpec
  readonly #selection: Selection
  #retrying = false

  /** `hash`: of the request, for the strategies that look at it. `retries`: where they are not the pool's own. */
  constructor(pool: Pool, hash: number, retries: RetriesSpec = pool.spec.retries) {
    this.#pool = pool
    this.#retries = retries
    this.#selection = { hash, tried: [] }
  }

  /** Takes a place at `bound`, if it may still be used, or at the strategy's choice among those not yet tried. */
  take(bound: BackendSpec | undefined): Lease | ErrorSpec {
    const lease = this.#pool.acquire(this.#selection, bound)
    if (lease instanceof Lease) this.#hold(lease)
    return lease
  }

  /**
   * This attempt failed. `stale`: on a kept connection that was dead already, so that the same backend may be asked
   * again.
   */
  failed(error: ErrorSpec, code: string, stale: boolean): void {
    this.#note(error.name, code)
    if (!stale) this.#selection.tried.push(this.lease!.backend.spec.slot)
    // A backend that accepted and then broke the exchange (502, 504) outweighs others that could not be reached (503).
    if (this.failure === null || isUnreached(this.failure)) {
      this.failure = error
      this.failureCode = code
    }
    this.release()
  }

  /** Whether another attempt may follow this failure: by its kind, the attempts left, and the budget. Counted if so. */
  mayRetry(error: ErrorSpec, stale: boolean, { repeatable, idempotent }: RetryQuestion): boolean {
    const retries = this.#retries
    if (error.retry === 'never' || !repeatable || this.count > retries.attempts) return false
    if (error.retry === 'safe' ? !retries.onConnect : !retries.onReset || !idempotent) return false
    // A kept connection that was dead is replaced once, by a fresh one: no budget is needed against a storm, and a
    // backend that restarts takes hundreds of them with it.
    this.#retrying = !stale && this.#pool.beginRetry()
    if (!stale && !this.#retrying) return false
    this.#pool.countRetry(retryReasons.indexOf(error.retry === 'safe' ? 'connect' : stale ? 'stale' : 'reset'))
    return true
  }

  /**
   * A configured status of an idempotent request goes to another backend, if there is one: takes a place there and
   * gives the old one back. Null = the answer is passed on as it is.
   */
  retryOnStatus(status: number, { repeatable, idempotent }: RetryQuestion): Lease | null {
    const retries = this.#retries
    if (!retries.onStatus.includes(status) || !idempotent || !repeatable || this.count > retries.attempts) return null
    this.#selection.tried.push(this.lease!.backend.spec.slot)
    const next = this.#pool.acquire(this.#selection, undefined)
    if (!(next instanceof Lease)) return null
    if (!this.#pool.beginRetry()) {
      next.release()
      return null
    }
    this.#note('status', String(status))
    this.release()
    this.#retrying = true
    this.#pool.countRetry(retryReasons.indexOf('status'))
    this.#hold(next)
    return next
  }

  /** Gives back what this attempt holds. May be called at any time. */
  release(): void {
    this.lease?.release()
    this.lease = null
    this.endRetry()
  }

  /** The place that is held goes on to another owner, who gives it back. */
  handOver(): Lease {
    const lease = this.lease!
    this.lease = null
    this.endRetry()
    return lease
  }

  /** The attempt has succeeded in what may be retried, and keeps its place: it uses up no budget any more. */
  endRetry(): void {
    if (!this.#retrying) return
    this.#retrying = false
    this.#pool.endRetry()
  }

  #note(error: string, code: string): void {
    this.failures ??= []
    this.failures.push({ backend: this.lease!.backend.spec.url, error, code })
  }

  #hold(lease: Lease): void {
    this.lease = lease
    this.count++
  }
}
