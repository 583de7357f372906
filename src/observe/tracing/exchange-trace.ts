// The trace that one exchange belongs to: our span in it, and one for each backend that is asked.
import type { BackendSpec } from '../../core/spec.ts'
import { formatTraceParent, SAMPLED } from './trace-context.ts'

/** One request to a backend. Times as of `performance.now()`. */
export interface AttemptSpan {
  readonly id: string
  readonly backend: BackendSpec
  /** Path and query that it was asked for, without its base path. */
  readonly target: string
  readonly startMs: number
  endMs: number
  /** 0 = no answer came. */
  status: number
  /** Name of what went wrong, or ''. */
  error: string
}

export interface TraceParts {
  readonly traceId: string
  /** Of whoever asked us; '' = the trace begins here. */
  readonly parentId: string
  readonly spanId: string
  readonly flags: number
  /** Passed on as it came; '' = none. */
  readonly state: string
  /** Its spans go somewhere. */
  readonly isRecorded: boolean
  readonly newId: () => string
}

export class ExchangeTrace {
  readonly traceId: string
  readonly parentId: string
  readonly spanId: string
  readonly flags: number
  readonly state: string
  readonly isRecorded: boolean
  /** In their order; the last may still be under way. */
  readonly attempts: AttemptSpan[] = []
  /** What whoever is asked next is told: whole lines. */
  lines: string
  readonly #newId: () => string

  constructor(parts: TraceParts) {
    this.traceId = parts.traceId
    this.parentId = parts.parentId
    this.spanId = parts.spanId
    this.flags = parts.flags
    this.state = parts.state
    this.isRecorded = parts.isRecorded
    this.#newId = parts.newId
    this.lines = this.#linesOf(parts.spanId)
  }

  get isSampled(): boolean {
    return (this.flags & SAMPLED) !== 0
  }

  /** A backend is asked. Where nobody records it, it is told of the one span that there is. */
  begin(backend: BackendSpec, target: string, nowMs: number): void {
    if (!this.isRecorded) return
    const id = this.#newId()
    this.attempts.push({ id, backend, target, startMs: nowMs, endMs: 0, status: 0, error: '' })
    this.lines = this.#linesOf(id)
  }

  /** The attempt under way is over: with an answer, complete or not, or with an error. More than once: the first counts. */
  end(status: number, error: string, nowMs: number): void {
    const last = this.attempts.at(-1)
    if (last === undefined || last.endMs !== 0) return
    last.endMs = nowMs
    last.status = status
    last.error = error
  }

  #linesOf(spanId: string): string {
    const parent = `traceparent: ${formatTraceParent(this.traceId, spanId, this.flags)}\r\n`
    return this.state === '' ? parent : `${parent}tracestate: ${this.state}\r\n`
  }
}
