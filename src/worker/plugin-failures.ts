// Failures of plug-ins' code, gathered: the first of a kind is told at once, a storm of them is a line a second.
import { describeThrown } from '../plugins/describe-thrown.ts'
import type { FromWorker } from './protocol.ts'

const REPORT_MS = 1000
/** Of one report. A plug-in names itself in a bounded number of ways. */
const MAX_KINDS = 256

export class PluginFailures {
  readonly #post: (message: FromWorker) => void
  readonly #kinds = new Map<string, { what: string; count: number; error: string }>()
  #timer: NodeJS.Timeout | null = null
  #reportedAtMs = Number.NEGATIVE_INFINITY

  constructor(post: (message: FromWorker) => void) {
    this.#post = post
  }

  /** `what` failed with `error`, whatever was thrown. `requestId`: '' where it was no request. */
  add(what: string, error: unknown, requestId: string): void {
    const kind = this.#kinds.get(what)
    // The first of a storm tells as much as any other, and a stack is costly to write.
    if (kind !== undefined) kind.count++
    else if (this.#kinds.size < MAX_KINDS) this.#kinds.set(what, { what, count: 1, error: described(error, requestId) })
    if (this.#timer !== null) return
    const waitMs = Math.max(0, this.#reportedAtMs + REPORT_MS - performance.now())
    this.#timer = setTimeout(() => this.#report(), waitMs).unref()
  }

  /** What is still untold is told now. */
  stop(): void {
    if (this.#timer === null) return
    clearTimeout(this.#timer)
    this.#report()
  }

  #report(): void {
    this.#timer = null
    this.#reportedAtMs = performance.now()
    for (const kind of this.#kinds.values()) this.#post({ type: 'plugin-failure', ...kind })
    this.#kinds.clear()
  }
}

function described(error: unknown, requestId: string): string {
  const text = describeThrown(error)
  return requestId === '' ? text : `${text}\n  request id ${requestId}`
}
