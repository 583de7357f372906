// Where access log lines end up: one writer for all workers, so that lines never mix. A file that cannot be written
// costs lines, never memory and never traffic; it is tried again.
import fs from 'node:fs'

export interface AccessSinkOptions {
  /** null = stdout. */
  readonly path: string | null
  /** Told once when lines begin to be lost, and once when they are kept again. */
  readonly onProblem: (message: string) => void
  /** How long to wait after a failure before the file is opened again, in milliseconds; default 1000. */
  readonly retryMs?: number
  /** What may wait for a slow disk, in bytes; default 16 MiB. */
  readonly maxWaitingBytes?: number
}

export class AccessSink {
  readonly #options: Required<AccessSinkOptions>
  #stream: fs.WriteStream | null = null
  #retryAtMs = 0
  #isLosing = false

  constructor(options: AccessSinkOptions) {
    this.#options = { retryMs: 1000, maxWaitingBytes: 16 * 1024 * 1024, ...options }
    this.#open()
  }

  write(lines: string): void {
    const { path, maxWaitingBytes } = this.#options
    if (path === null) {
      process.stdout.write(lines)
      return
    }
    if (this.#stream === null && performance.now() >= this.#retryAtMs) this.#open()
    const stream = this.#stream
    if (stream === null) return
    if (stream.writableLength > maxWaitingBytes) this.#lose('the disk is too slow')
    else stream.write(lines, (error) => (error == null ? this.#keep() : undefined))
  }

  /** After a rotation moved the file away: the next line goes to a new one. */
  reopen(): void {
    this.#stream?.end()
    this.#open()
  }

  close(): Promise<void> {
    const stream = this.#stream
    this.#stream = null
    return stream === null ? Promise.resolve() : new Promise((resolve) => stream.end(() => resolve()))
  }

  #open(): void {
    const { path, retryMs } = this.#options
    if (path === null) return
    const stream = fs.createWriteStream(path, { flags: 'a' })
    this.#stream = stream
    stream.on('error', (error) => {
      this.#lose(error.message)
      // The stream is of no more use; one that replaced it meanwhile is.
      if (this.#stream !== stream) return
      this.#stream = null
      this.#retryAtMs = performance.now() + retryMs
    })
  }

  #lose(reason: string): void {
    if (this.#isLosing) return
    this.#isLosing = true
    this.#options.onProblem(`access log ${this.#options.path}: ${reason}; lines are lost until it can be written again`)
  }

  #keep(): void {
    if (!this.#isLosing) return
    this.#isLosing = false
    this.#options.onProblem(`access log ${this.#options.path}: is written again; lines in between are lost`)
  }
}
