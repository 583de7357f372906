// Failures of plug-ins' code, gathered: the first of a kind is told at once, a storm of them is a line a second.
import { describeThrown, messageOf } from '../plugins/describe-thrown.ts'
import type { FromWorker } from './protocol.ts'

const REPORT_MS = 1000
/** Of one report. A plug-in names itself in a bounded number of ways. */
const MAX_KINDS = 256
/** Of one plug-in in a report; what comes with yet other words is counted with the first of them. */
const MAX_MESSAGES = 4

interface Fault {
  readonly what: string
  count: number
  readonly error: string
}

export class PluginFailures {
  readonly #post: (message: FromWorker) => void
  /** By what failed, and by its message. */
  readonly #kinds = new Map<string, Map<string, Fault>>()
  #timer: NodeJS.Timeout | null = null
  #reportedAtMs = Number.NEGATIVE_INFINITY

  constructor(post: (message: FromWorker) => void) {
    this.#post = post
  }

  /** `what` failed with `error`, whatever was thrown. `requestId`: '' where it was no request. */
  add(what: string, error: unknown, requestId: string): void {
    const faults = this.#faultsOf(what)
    const message = messageOf(error)
    // The first of a storm tells as much as any other, and a stack is costly to write.
    const known = faults.get(message) ?? (faults.size < MAX_MESSAGES ? undefined : faults.values().next().value)
    if (known !== undefined) known.count++
    else faults.set(message, { what, count: 1, error: described(error, requestId) })
    if (this.#timer !== null) return
    const waitMs = Math.max(0, this.#reportedAtMs + REPORT_MS - performance.now())
    this.#timer = setTimeout(() => this.#report(), waitMs).unref()
  }

  #faultsOf(what: string): Map<string, Fault> {
    const known = this.#kinds.get(what)
    if (known !== undefined) return known
    const faults = new Map<string, Fault>()
    if (this.#kinds.size < MAX_KINDS) this.#kinds.set(what, faults)
    return faults
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
    for (const faults of this.#kinds.values()) {
      for (const fault of faults.values()) this.#post({ type: 'plugin-failure', ...fault })
    }
    this.#kinds.clear()
  }
}

function described(error: unknown, requestId: string): string {
  const text = describeThrown(error)
  return requestId === '' ? text : `${text}\n  request id ${requestId}`
}
