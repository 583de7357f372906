// Where access log lines end up: one writer for all workers, so that lines never mix.
import fs from 'node:fs'

export class AccessSink {
  readonly #path: string | null
  readonly #onProblem: (message: string) => void
  #stream: fs.WriteStream | null = null

  /** `path` null = stdout. */
  constructor(path: string | null, onProblem: (message: string) => void) {
    this.#path = path
    this.#onProblem = onProblem
    this.#open()
  }

  write(lines: string): void {
    if (this.#stream === null) process.stdout.write(lines)
    else this.#stream.write(lines)
  }

  /** After a rotation moved the file away: the next line goes to a new one. */
  reopen(): void {
    this.#stream?.end()
    this.#open()
  }

  close(): Promise<void> {
    const stream = this.#stream
    return stream === null ? Promise.resolve() : new Promise((resolve) => stream.end(() => resolve()))
  }

  #open(): void {
    if (this.#path === null) return
    this.#stream = fs.createWriteStream(this.#path, { flags: 'a' })
    this.#stream.on('error', (error) => this.#onProblem(`access log ${this.#path}: ${error.message}`))
  }
}
