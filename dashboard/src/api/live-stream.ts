// The one stream of the page: `GET /events`, read by fetch so that a token can be sent. Notices when nothing comes any more,
// connects again with the id of the last event, and waits longer each time it fails.
import { backOffMs } from './back-off.ts'
import { ApiError, problemOf } from './client.ts'
import { type SseFrame, SseParser } from './sse-parser.ts'
import { authorization } from './token.ts'

/** Statistics come once a second: silence for so long means that the other end is gone. */
const silenceMs = 5_000

export interface StreamListener {
  onOpen(): void
  onFrames(frames: readonly SseFrame[]): void
  /** Lost, or could not be opened. The next attempt is at `retryAt` (ms since 1970); null = none, it waits for `start`. */
  onLost(cause: ApiError, attempt: number, retryAt: number | null): void
}

export class LiveStream {
  readonly #listener: StreamListener
  readonly #path: string
  #lastId = ''
  #attempt = 0
  #abort: AbortController | null = null
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(path: string, listener: StreamListener) {
    this.#path = path
    this.#listener = listener
  }

  /** Connects now, whatever it was doing: at the start, with a new token, when somebody does not want to wait. */
  start(): void {
    clearTimeout(this.#timer)
    this.#abort?.abort()
    const abort = new AbortController()
    this.#abort = abort
    void this.#run(abort).catch((error: Error) => {
      if (this.#abort === abort) this.#lost(error)
    })
  }

  #lost(error: Error): void {
    const cause = error instanceof ApiError ? error : new ApiError(0, error.message)
    this.#abort = null
    const attempt = this.#attempt++
    // Somebody has to do something first: wait for `start`.
    if (cause.status === 401 || cause.status === 403) {
      this.#listener.onLost(cause, attempt, null)
      return
    }
    const waitMs = backOffMs(attempt)
    this.#timer = setTimeout(() => this.start(), waitMs)
    this.#listener.onLost(cause, attempt, Date.now() + waitMs)
  }

  async #run(abort: AbortController): Promise<void> {
    let watch: ReturnType<typeof setTimeout> | undefined
    let silent = false
    const alive = (): void => {
      clearTimeout(watch)
      watch = setTimeout(() => {
        silent = true
        abort.abort()
      }, silenceMs)
    }
    alive()
    try {
      await this.#read(abort, alive)
      throw new ApiError(0, 'Frontdesk has closed the stream')
    } catch (error) {
      if (silent) throw new ApiError(0, `nothing has come for ${silenceMs / 1000} s`)
      throw error
    } finally {
      clearTimeout(watch)
    }
  }

  async #read({ signal }: AbortController, alive: () => void): Promise<void> {
    const response = await fetch(this.#path, {
      headers: {
        accept: 'text/event-stream',
        ...authorization(),
        ...(this.#lastId !== '' && { 'last-event-id': this.#lastId }),
      },
      signal,
      cache: 'no-store',
      credentials: 'omit',
    }).catch((error: Error) => {
      if (error.name === 'AbortError') throw error
      throw new ApiError(0, 'Frontdesk does not answer')
    })
    if (!response.ok || response.body === null) throw await problemOf(response)
    const parser = new SseParser()
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    this.#listener.onOpen()
    for (;;) {
      const { value, done } = await reader.read().catch(() => {
        throw new ApiError(0, 'the connection to Frontdesk broke')
      })
      if (done) return
      alive()
      const frames = parser.feed(value)
      if (parser.lastId !== '') this.#lastId = parser.lastId
      if (frames.length === 0) continue
      this.#attempt = 0
      if (!signal.aborted) this.#listener.onFrames(frames)
    }
  }
}
