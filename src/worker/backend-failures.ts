// Failures of live traffic at backends, gathered: a storm of them is one event.
import type { Slot } from '../core/spec.ts'
import type { FromWorker } from './protocol.ts'

/** Those of one backend are reported at most this often. */
const REPORT_MS = 20

export class BackendFailures {
  readonly #post: (message: FromWorker) => void
  readonly #failures = new Map<Slot, { error: string; code: string; count: number }>()
  #timer: NodeJS.Timeout | null = null
  #reportedAtMs = Number.NEGATIVE_INFINITY

  constructor(post: (message: FromWorker) => void) {
    this.#post = post
  }

  /** The first is reported with the next turn of the loop. */
  add(slot: Slot, error: string, code: string): void {
    const known = this.#failures.get(slot)
    if (known === undefined) this.#failures.set(slot, { error, code, count: 1 })
    else known.count++
    if (this.#timer !== null) return
    const waitMs = Math.max(0, this.#reportedAtMs + REPORT_MS - performance.now())
    this.#timer = setTimeout(() => this.#report(), waitMs)
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #report(): void {
    this.#timer = null
    this.#reportedAtMs = performance.now()
    for (const [slot, failure] of this.#failures) this.#post({ type: 'backend-failure', slot, ...failure })
    this.#failures.clear()
  }
}
