// Spans on their way to a collector, by OTLP over HTTP in its JSON form. Runs in the main thread: no request ever waits for
// it. What a slow or dead collector does not take waits within bounds; beyond them spans are dropped, and counted.
import http from 'node:http'
import https from 'node:https'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Log } from '../core/log.ts'
import type { TracingSpec } from '../core/spec.ts'
import type { SpanBatch, SpanCounts } from '../observe/tracing/tracer.ts'

export interface SpanExporterOptions {
  readonly to: NonNullable<TracingSpec['export']>
  readonly resource: TracingSpec['resource']
  readonly version: string
  readonly instanceId: string
  readonly log: Log
  /** The first wait before a batch is sent again, in milliseconds; it doubles up to 30 times that. Default 1000. */
  readonly retryMs?: number
  /** After so long a batch is given up; default 60,000. */
  readonly giveUpMs?: number
  /** Of all that waits: whoever writes long addresses makes long spans. Default 32 MiB. */
  readonly maxWaitingBytes?: number
}

/** What became of a batch. `retry`: it may be sent again, not before so many milliseconds where the collector says so. */
type Outcome =
  | { readonly kind: 'taken'; readonly rejected: number; readonly words: string }
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs: number }
  | { readonly kind: 'refused'; readonly reason: string }

/** In one request: what comes from workers is small, and a collector has limits of its own. */
const MAX_BATCH_SPANS = 2048
const MAX_BATCH_BYTES = 4 * 1024 * 1024
const MAX_ANSWER_BYTES = 64 * 1024
const LONGEST_WAIT_MS = 60_000
/** OTLP says which answers may be tried again. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504])

const compress = promisify(gzip)

export class SpanExporter {
  readonly #o: Required<SpanExporterOptions>
  readonly #before: string
  readonly #after = ']}]}]}'
  readonly #agent: http.Agent
  readonly #abort = new AbortController()
  #queue: SpanBatch[] = []
  #exported = 0
  #dropped = 0
  #waiting = 0
  #waitingBytes = 0
  #sending: Promise<void> | null = null
  #wake: (() => void) | null = null
  #closing = false
  /** Spans dropped since it was said that they are; -1 = all is well. */
  #losing = -1

  constructor(options: SpanExporterOptions) {
    this.#o = { retryMs: 1000, giveUpMs: 60_000, maxWaitingBytes: 32 * 1024 * 1024, ...options }
    const { to, resource, version, instanceId } = options
    const attributes = [
      ...resource,
      { name: 'service.version', value: version },
      { name: 'service.instance.id', value: instanceId },
    ].map(({ name, value }) => ({ key: name, value: { stringValue: value } }))
    const scope = JSON.stringify({ name: 'frontdesk', version })
    this.#before = `{"resourceSpans":[{"resource":${JSON.stringify({ attributes })},"scopeSpans":[{"scope":${scope},"spans":[`
    const agentOptions = { keepAlive: true, maxSockets: 1 }
    this.#agent = to.endpoint.startsWith('https:') ? new https.Agent(agentOptions) : new http.Agent(agentOptions)
  }

  get counts(): SpanCounts {
    return { exported: this.#exported, dropped: this.#dropped, waiting: this.#waiting }
  }

  add(batch: SpanBatch): void {
    if (this.#waiting + batch.count > this.#o.to.maxWaiting) {
      this.#drop(batch.count, `more than ${this.#o.to.maxWaiting} wait for ${this.#place}`)
      return
    }
    if (this.#waitingBytes + batch.spans.length > this.#o.maxWaitingBytes) {
      this.#drop(batch.count, `more than ${this.#o.maxWaitingBytes} bytes wait for ${this.#place}`)
      return
    }
    this.#waitingBytes += batch.spans.length
    this.#waiting += batch.count
    this.#queue.push(batch)
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null
    })
  }

  /** What waits is sent, within that time; what is left then is dropped. */
  async close(withinMs = 3000): Promise<void> {
    this.#closing = true
    this.#wake?.()
    const deadline = setTimeout(() => this.#abort.abort(), withinMs)
    await this.#sending
    clearTimeout(deadline)
    this.#agent.destroy()
  }

  /** Without what may be a secret in it. */
  get #place(): string {
    const { origin, pathname } = new URL(this.#o.to.endpoint)
    return origin + pathname
  }

  async #send(): Promise<void> {
    while (this.#queue.length > 0) {
      const batches = this.#next()
      const count = batches.reduce((sum, batch) => sum + batch.count, 0)
      const bytes = bytesOf(batches)
      const body = this.#before + batches.map(({ spans }) => spans).join(',') + this.#after
      await this.#deliver(body, count)
      this.#waiting -= count
      this.#waitingBytes -= bytes
    }
  }

  #next(): SpanBatch[] {
    let count = 0
    let bytes = 0
    const end = this.#queue.findIndex((batch, i) => {
      count += batch.count
      bytes += batch.spans.length
      return i > 0 && (count > MAX_BATCH_SPANS || bytes > MAX_BATCH_BYTES)
    })
    return this.#queue.splice(0, end < 0 ? this.#queue.length : end)
  }

  /** Again and again, until it is taken, refused, or too old. */
  async #deliver(text: string, count: number): Promise<void> {
    const { retryMs, giveUpMs, to } = this.#o
    const body = to.gzip ? await compress(text) : Buffer.from(text)
    const startedAt = performance.now()
    for (let tries = 0; ; tries++) {
      const outcome = await this.#post(body)
      if (outcome.kind === 'taken') {
        this.#taken(count, outcome)
        return
      }
      const isLate = this.#closing || performance.now() - startedAt >= giveUpMs
      if (outcome.kind === 'refused' || isLate) {
        this.#drop(count, `${this.#place}: ${outcome.reason}`)
        return
      }
      this.#tellRetry(outcome.reason)
      // Neither all at once, nor again at the same time.
      const backOffMs = retryMs * Math.min(30, 2 ** tries) * (0.5 + Math.random() / 2)
      await this.#pause(Math.min(LONGEST_WAIT_MS, Math.max(backOffMs, outcome.afterMs)))
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#closing) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #post(body: Uint8Array): Promise<Outcome> {
    const { endpoint, headers, timeoutMs, gzip: isZipped } = this.#o.to
    const fields: Record<string, string | number> = {
      'Content-Type': 'application/json',
      'Content-Length': body.length,
      'User-Agent': `frontdesk/${this.#o.version}`,
      ...(isZipped && { 'Content-Encoding': 'gzip' }),
      ...Object.fromEntries(headers.map(({ name, value }) => [name, value])),
    }
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(timeoutMs)])
    const client = endpoint.startsWith('https:') ? https : http
    return new Promise((resolve) => {
      const fail = (error: NodeJS.ErrnoException): void => {
        const reason = error.name === 'TimeoutError' || error.code === 'ABORT_ERR' ? 'no answer in time' : error.message
        resolve({ kind: 'retry', reason, afterMs: 0 })
      }
      const request = client.request(endpoint, { method: 'POST', headers: fields, agent: this.#agent, signal })
      request.on('error', fail)
      request.on('response', (response) => {
        let answer = ''
        response.setEncoding('utf8')
        response.on('data', (text: string) => {
          if (answer.length < MAX_ANSWER_BYTES) answer += text
        })
        response.on('error', fail)
        response.on('end', () => resolve(outcomeOf(response, answer)))
      })
      request.end(body)
    })
  }

  #taken(count: number, { rejected, words }: { readonly rejected: number; readonly words: string }): void {
    const refused = Math.min(count, rejected)
    this.#exported += count - refused
    if (refused > 0) {
      this.#drop(refused, `${this.#place} rejected some: ${words}`)
      return
    }
    if (this.#losing < 0) return
    const lost = this.#losing === 0 ? 'none was lost' : `${this.#losing} were dropped`
    this.#losing = -1
    this.#o.log.event('info', 'spans_exported_again', `${this.#place} takes spans again; ${lost}`)
  }

  #tellRetry(reason: string): void {
    if (this.#losing >= 0) return
    this.#losing = 0
    this.#o.log.event(
      'warn',
      'spans_waiting',
      `${this.#place}: ${reason}; spans wait, and are dropped when they are too many`,
    )
  }

  /** Said once, until some are taken again; counted always. */
  #drop(count: number, reason: string): void {
    const isNews = this.#losing <= 0
    this.#dropped += count
    this.#losing = Math.max(0, this.#losing) + count
    if (isNews) this.#o.log.event('warn', 'spans_dropped', `spans are dropped: ${reason}`, { count })
  }
}

const bytesOf = (batches: readonly SpanBatch[]): number => batches.reduce((sum, { spans }) => sum + spans.length, 0)

function outcomeOf(response: http.IncomingMessage, answer: string): Outcome {
  const status = response.statusCode ?? 0
  if (status >= 200 && status < 300) return { kind: 'taken', ...partialSuccess(answer) }
  const reason = `it answered ${status}`
  if (!RETRYABLE.has(status)) return { kind: 'refused', reason }
  const seconds = Number(response.headers['retry-after'] ?? 0)
  return { kind: 'retry', reason, afterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0 }
}

/** `{"partialSuccess":{"rejectedSpans":"3","errorMessage":"…"}}`; numbers of 64 bits may be strings. */
function partialSuccess(answer: string): { rejected: number; words: string } {
  try {
    const { partialSuccess: partial } = JSON.parse(answer) as {
      partialSuccess?: { rejectedSpans?: string | number; errorMessage?: string }
    }
    const rejected = Number(partial?.rejectedSpans ?? 0)
    return { rejected: rejected > 0 ? rejected : 0, words: String(partial?.errorMessage ?? '').slice(0, 200) }
  } catch {
    return { rejected: 0, words: '' }
  }
}
