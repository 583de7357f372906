// Where access log lines end up: one writer for all workers, so that lines never mix. A file that cannot be written
// costs lines, never memory and never traffic; it is tried again.
import fs from 'node:fs'

export interface AccessSinkOptions {
  /** null = stdout; undefined = nowhere: there is no access log. */
  readonly path: string | null | undefined
  /** Told once when lines begin to be lost, and once when they are kept again. */
  readonly onProblem: (message: string) => void
  /** How long to wait after a failure before the file is opened again, in milliseconds; default 1000. */
  readonly retryMs?: number
  /** What may wait for a slow disk, in bytes; default 16 MiB. */
  readonly maxWaitingBytes?: number
}

export class AccessSink {
  readonly #options: Required<Omit<AccessSinkOptions, 'path'>>
  #path: string | null | undefined
  #stream: fs.WriteStream | null = null
  /** Files that are being closed: what was written to them is still on its way. */
  readonly #ending = new Set<Promise<void>>()
  #retryAtMs = 0
  #isLosing = false

  constructor({ path, ...options }: AccessSinkOptions) {
    this.#options = { retryMs: 1000, maxWaitingBytes: 16 * 1024 * 1024, ...options }
    this.#path = path
    this.#open()
  }

  write(lines: string): void {
    if (this.#path === null) process.stdout.write(lines)
    if (this.#path == null) return
    if (this.#stream === null && performance.now() >= this.#retryAtMs) this.#open()
    const stream = this.#stream
    if (stream === null) return
    if (stream.writableLength > this.#options.maxWaitingBytes) this.#lose('the disk is too slow')
    else stream.write(lines, (error) => (error == null ? this.#keep() : undefined))
  }

  /** Lines go there from now on; what has been written so far is still in the place before. */
  update(path: string | null | undefined): void {
    if (path === this.#path) return
    this.#end()
    this.#path = path
    this.#retryAtMs = 0
    this.#isLosing = false
    this.#open()
  }

  /** After a rotation moved the file away: the next line goes to a new one. */
  reopen(): void {
    this.#end()
    this.#open()
  }

  /** Resolves when everything is in its file. */
  async close(): Promise<void> {
    this.#end()
    await Promise.all(this.#ending)
  }

  #end(): void {
    const stream = this.#stream
    if (stream === null) return
    this.#stream = null
    const ended = new Promise<void>((resolve) => {
      stream.once('close', resolve)
      stream.end()
    }).then(() => void this.#ending.delete(ended))
    this.#ending.add(ended)
  }

  #open(): void {
    const path = this.#path
    if (path == null) return
    const stream = fs.createWriteStream(path, { flags: 'a' })
    this.#stream = stream
    stream.on('error', (error) => {
      if (path === this.#path) this.#lose(error.message)
      // The stream is of no more use; one that replaced it meanwhile is.
      if (this.#stream !== stream) return
      this.#stream = null
      this.#retryAtMs = performance.now() + this.#options.retryMs
    })
  }

  #lose(reason: string): void {
    if (this.#isLosing) return
    this.#isLosing = true
    this.#options.onProblem(`access log ${this.#path}: ${reason}; lines are lost until it can be written again`)
  }

  #keep(): void {
    if (!this.#isLosing) return
    this.#isLosing = false
    this.#options.onProblem(`access log ${this.#path}: is written again; lines in between are lost`)
  }
}
