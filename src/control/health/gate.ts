// A gate that lets a bounded number of jobs run at once; the others wait in order.

export class Gate {
  readonly #limit: number
  #running = 0
  #waiting: (() => void)[] = []
  /** First of `#waiting` not yet started: shifting a long array for each job would be quadratic. */
  #head = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get running(): number {
    return this.#running
  }

  /** Runs the job when there is room; its result or error is passed on. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
    try {
      return await job()
    } finally {
      this.#leave()
    }
  }

  /** The place is handed on without being free in between, so that nobody overtakes. */
  #leave(): void {
    const next = this.#waiting[this.#head]
    if (next === undefined) {
      this.#running -= 1
      this.#waiting = []
      this.#head = 0
      return
    }
    this.#head += 1
    if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    next()
  }
}
