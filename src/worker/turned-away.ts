// Connections that were turned away, gathered: a flood of them is a line a second, not a flood of lines.
import type { FromWorker } from './protocol.ts'

const REPORT_MS = 1000
/** Of one report; there are fewer kinds than this. */
const MAX_KINDS = 256

interface Kind {
  readonly listener: string
  readonly reason: string
  count: number
  detail: string
  address: string
}

export class TurnedAway {
  readonly #post: (message: FromWorker) => void
  readonly #kinds = new Map<string, Kind>()
  #timer: NodeJS.Timeout | null = null
  #reportedAtMs = Number.NEGATIVE_INFINITY

  constructor(post: (message: FromWorker) => void) {
    this.#post = post
  }

  /** The first is reported at once, those that follow it within a second together. */
  add(listener: string, reason: string, detail: string, address: string): void {
    const key = `${listener} ${reason}`
    const kind = this.#kinds.get(key)
    if (kind !== undefined) {
      kind.count++
      kind.detail = detail
      kind.address = address
    } else if (this.#kinds.size < MAX_KINDS) this.#kinds.set(key, { listener, reason, count: 1, detail, address })
    if (this.#timer !== null) return
    const waitMs = Math.max(0, this.#reportedAtMs + REPORT_MS - performance.now())
    this.#timer = setTimeout(() => this.#report(), waitMs).unref()
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #report(): void {
    this.#timer = null
    this.#reportedAtMs = performance.now()
    for (const kind of this.#kinds.values()) this.#post({ type: 'turned-away', ...kind })
    this.#kinds.clear()
  }
}
