// Traces as one worker continues and begins them, and its finished spans on their way to the main thread.
import type { RedactionSpec, TracingSpec } from '../../core/spec.ts'
import { hash32 } from '../../util/hash32.ts'
import { Redaction } from '../access/redaction.ts'
import type { AccessEntry } from '../access-entry.ts'
import { ExchangeTrace } from './exchange-trace.ts'
import { SpanIds } from './span-ids.ts'
import { exchangeSpans } from './span-json.ts'
import { listValue, parseTraceParent, SAMPLED } from './trace-context.ts'

/** Spans as members of a JSON array, without its brackets. */
export interface SpanBatch {
  readonly spans: string
  readonly count: number
}

/** What has become of spans in the main thread. */
export interface SpanCounts {
  readonly exported: number
  readonly dropped: number
  readonly waiting: number
}

const FLUSH_BYTES = 64 * 1024
const FLUSH_MS = 1000

export class Tracer {
  readonly #deliver: (batch: SpanBatch) => void
  readonly #ids = new SpanIds()
  readonly #newId = (): string => this.#ids.span()
  #spec: TracingSpec
  #redaction: Redaction
  /** Hashes below this are sampled. */
  #below: number
  #spans = ''
  #count = 0
  #timer: NodeJS.Timeout | null = null

  /** `deliver` gets a batch at a time. */
  constructor(spec: TracingSpec, redact: RedactionSpec, deliver: (batch: SpanBatch) => void) {
    this.#deliver = deliver
    this.#spec = spec
    this.#redaction = new Redaction(redact)
    this.#below = spec.sample * 2 ** 32
  }

  /** For traces that begin from now on, or are continued. */
  update(spec: TracingSpec, redact: RedactionSpec): void {
    this.#spec = spec
    this.#redaction = new Redaction(redact)
    this.#below = spec.sample * 2 ** 32
    if (spec.export === null) this.#drop()
  }

  /** The trace of a request with this header section; null = it belongs to none, and none is to begin. */
  begin(block: string): ExchangeTrace | null {
    // Two of them are a list, and none.
    const parent = parseTraceParent(listValue(block, 'traceparent'))
    if (parent !== null) {
      return this.#trace(parent.traceId, parent.parentId, parent.flags, listValue(block, 'tracestate'))
    }
    if (!this.#spec.create) return null
    // What came with a parent that cannot be read belongs to another trace (W3C Trace Context §3.3.1.3).
    const traceId = this.#ids.trace()
    return this.#trace(traceId, '', hash32(traceId) < this.#below ? SAMPLED : 0, '')
  }

  #trace(traceId: string, parentId: string, flags: number, state: string): ExchangeTrace {
    const isRecorded = (flags & SAMPLED) !== 0 && this.#spec.export !== null
    return new ExchangeTrace({ traceId, parentId, spanId: this.#newId(), flags, state, isRecorded, newId: this.#newId })
  }

  /** An exchange has ended whose trace is recorded. `startMs`, `endMs` as of `performance.now()`. */
  add(trace: ExchangeTrace, entry: AccessEntry, startMs: number, endMs: number): void {
    if (this.#spec.export === null) return
    // The clock may be set while we run: what has just ended ended now.
    const offsetMs = Date.now() - endMs
    const spans = exchangeSpans(trace, entry, { startMs, endMs, offsetMs, redaction: this.#redaction })
    this.#spans += this.#count === 0 ? spans : `,${spans}`
    this.#count += 1 + trace.attempts.length
    if (this.#spans.length >= FLUSH_BYTES) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref()
  }

  flush(): void {
    const batch = { spans: this.#spans, count: this.#count }
    this.#drop()
    if (batch.count > 0) this.#deliver(batch)
  }

  #drop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#spans = ''
    this.#count = 0
  }
}
