// Hands each event to everybody who reads: every reader has a bounded buffer of its own, and slows nobody down.
import type { EventSink, FrontdeskEvent } from './events.ts'

export interface ReadOptions {
  /** Events kept for a reader that is slower than they come; then the oldest are dropped. Default 1000. */
  readonly maxBuffered?: number
  /** Ends the reading. */
  readonly signal?: AbortSignal
}

/** Events as they happen; `for await` reads them, and leaving it, a signal or disposing ends the reading. */
export interface EventReader extends AsyncIterableIterator<FrontdeskEvent>, AsyncDisposable {}

const defaultMaxBuffered = 1000

export class EventBus implements EventSink {
  readonly #readers = new Set<Reader>()
  #isClosed = false

  emit(event: Parameters<EventSink['emit']>[0]): void {
    const whole = { ...event, at: new Date() } as FrontdeskEvent
    for (const reader of this.#readers) reader.push(whole)
  }

  /** Events from now on, until the bus is closed: what a reader has buffered by then it still gets. */
  read({ maxBuffered = defaultMaxBuffered, signal }: ReadOptions = {}): EventReader {
    if (!(maxBuffered >= 1)) throw new RangeError('maxBuffered is at least 1')
    const reader = new Reader({ maxBuffered, signal, onEnd: () => this.#readers.delete(reader) })
    if (this.#isClosed || signal?.aborted) reader.end()
    else this.#readers.add(reader)
    return reader
  }

  /** Ends every reader. */
  close(): void {
    this.#isClosed = true
    for (const reader of [...this.#readers]) reader.end()
  }
}

interface ReaderOptions {
  readonly maxBuffered: number
  readonly signal: AbortSignal | undefined
  readonly onEnd: () => void
}

type Result = IteratorResult<FrontdeskEvent, undefined>

class Reader implements EventReader {
  readonly #options: ReaderOptions
  #buffer: FrontdeskEvent[] = []
  #droppedCount = 0
  #waiting: ((result: Result) => void)[] = []
  #hasEnded = false
  readonly #abort = (): void => void this.return()

  constructor(options: ReaderOptions) {
    this.#options = options
    options.signal?.addEventListener('abort', this.#abort, { once: true })
  }

  push(event: FrontdeskEvent): void {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) {
      waiting({ value: event, done: false })
      return
    }
    this.#buffer.push(event)
    if (this.#buffer.length <= this.#options.maxBuffered) return
    this.#buffer.shift()
    this.#droppedCount += 1
  }

  end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#options.onEnd()
    for (const waiting of this.#waiting.splice(0)) waiting({ value: undefined, done: true })
  }

  next(): Promise<Result> {
    if (this.#droppedCount > 0) {
      const count = this.#droppedCount
      this.#droppedCount = 0
      return Promise.resolve({ value: { type: 'dropped', at: new Date(), count }, done: false })
    }
    const event = this.#buffer.shift()
    if (event !== undefined) return Promise.resolve({ value: event, done: false })
    if (this.#hasEnded) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** What is buffered is given up too. */
  return(): Promise<Result> {
    this.#buffer = []
    this.#droppedCount = 0
    this.end()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}
