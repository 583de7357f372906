// Streams of Server-Sent Events to whoever reads the admin API: how many there may be, comments that keep them alive, and
// their common end. A stream takes text from its source as fast as its reader reads, and keeps none of its own.
import type { Role } from './caller.ts'
import { problem } from './problem.ts'

/** Where the frames of one stream come from. */
export interface FrameSource {
  /** All frames that are due now, the oldest first; '' = none. Called again after `wake`, and after each piece taken. */
  take(): string
  /** Nobody reads any more. */
  close(): void
}

/** Who asks for one. */
export interface StreamCaller {
  readonly method: string
  readonly role: Role
}

export interface StreamsOptions {
  /** Streams at once, a quarter of them for those who may change things; default 64. */
  readonly max?: number
  /** A comment is sent after so long; default 15 s: half of the silence that the admin server allows. */
  readonly heartbeatMs?: number
}

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // For a proxy that stands before the admin API.
  'x-accel-buffering': 'no',
  connection: 'close',
}

/** One frame. `data` is JSON: it has no line feed. */
export function frame(type: string, data: string, id = ''): string {
  return `${id === '' ? '' : `id: ${id}\n`}event: ${type}\ndata: ${data}\n\n`
}

export class Streams {
  readonly #max: number
  readonly #heartbeatMs: number
  readonly #open = new Set<Stream>()
  #heart: NodeJS.Timeout | null = null
  #isClosed = false

  constructor({ max = 64, heartbeatMs = 15_000 }: StreamsOptions = {}) {
    this.#max = max
    this.#heartbeatMs = heartbeatMs
  }

  get size(): number {
    return this.#open.size
  }

  /**
   * The answer to a request for a stream. `begin` is called only if there is room, with what makes the stream look for
   * frames again.
   */
  answer({ method, role }: StreamCaller, begin: (wake: () => void) => FrameSource): Response {
    if (this.#isClosed) return problem({ status: 503, detail: 'The process is stopping' })
    const max = role === 'full' ? this.#max : Math.ceil(this.#max * 0.75)
    if (this.#open.size >= max) {
      const detail = `${this.#open.size} streams are read already, and that is as many as there may be; close one and try again`
      return problem({ status: 503, detail, headers: { 'retry-after': '5' } })
    }
    // HEAD is answered as GET is, by the framework, which never reads the body.
    if (method === 'HEAD') return new Response(null, { headers })
    const stream: Stream = new Stream(begin, () => this.#left(stream))
    this.#open.add(stream)
    this.#heart ??= setInterval(() => this.#beat(), this.#heartbeatMs).unref()
    return new Response(stream.body, { headers })
  }

  /** Ends all streams, whose readers may come again: what let them in does not hold any more. */
  interrupt(): void {
    for (const stream of [...this.#open]) stream.end('')
  }

  /** Ends all streams with a last frame each; no more are begun. */
  close(last: string): void {
    this.#isClosed = true
    for (const stream of [...this.#open]) stream.end(last)
  }

  #left(stream: Stream): void {
    this.#open.delete(stream)
    if (this.#open.size > 0 || this.#heart === null) return
    clearInterval(this.#heart)
    this.#heart = null
  }

  #beat(): void {
    for (const stream of this.#open) stream.beat()
  }
}

const encoder = new TextEncoder()

class Stream {
  readonly body: ReadableStream<Uint8Array>
  readonly #source: FrameSource
  readonly #onEnd: () => void
  #controller!: ReadableStreamDefaultController<Uint8Array>
  /** The reader has taken all there was, and waits for more. */
  #wanted: (() => void) | null = null
  #hasEnded = false

  constructor(begin: (wake: () => void) => FrameSource, onEnd: () => void) {
    this.#onEnd = onEnd
    this.#source = begin(() => this.#fill())
    // Without a queue of its own: what is not yet written stays in the source, where it is bounded.
    this.body = new ReadableStream(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => new Promise<void>((resolve) => this.#want(resolve)),
        cancel: () => this.#leave(),
      },
      { highWaterMark: 0 },
    )
  }

  /** Says that it is still there, to a reader that waits. */
  beat(): void {
    this.#send(':\n\n')
  }

  end(last: string): void {
    if (this.#hasEnded) return
    // One that is behind gets it too, after what it was sent.
    const text = this.#source.take() + last
    if (text !== '') this.#controller.enqueue(encoder.encode(text))
    this.#controller.close()
    this.#wanted?.()
    this.#leave()
  }

  #want(resolve: () => void): void {
    this.#wanted = resolve
    this.#fill()
  }

  #fill(): void {
    if (this.#wanted !== null) this.#send(this.#source.take())
  }

  #send(text: string): void {
    if (text === '' || this.#wanted === null) return
    const wanted = this.#wanted
    this.#wanted = null
    this.#controller.enqueue(encoder.encode(text))
    wanted()
  }

  #leave(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#wanted = null
    this.#source.close()
    this.#onEnd()
  }
}
