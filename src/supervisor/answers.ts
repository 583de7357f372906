// Answers that several workers owe: done when the last one is there, or its worker is gone.

export interface AnswersOptions {
  readonly limitMs: number
  /** Called once with the workers that have not answered by then. They are waited for until somebody calls `gone` or `failed`. */
  readonly onLate: (workers: readonly number[]) => void
}

export class Answers {
  /** Worker by what is expected. */
  readonly #owed = new Map<string, number>()
  readonly #outcome = Promise.withResolvers<void>()
  readonly #deadline: NodeJS.Timeout
  #sealed = false

  constructor({ limitMs, onLate }: AnswersOptions) {
    this.#deadline = setTimeout(() => {
      onLate([...new Set(this.#owed.values())])
    }, limitMs)
    // Whoever waits for it is told; that may be later.
    this.#outcome.promise.catch(() => {})
  }

  expect(what: string, worker: number): void {
    this.#owed.set(`${what} ${worker}`, worker)
  }

  owes(what: string, worker: number): boolean {
    return this.#owed.has(`${what} ${worker}`)
  }

  answered(what: string, worker: number): void {
    this.#owed.delete(`${what} ${worker}`)
    this.#settle()
  }

  /** The worker is gone, and with it all that it owed. */
  gone(worker: number): void {
    for (const [what, of] of [...this.#owed]) if (of === worker) this.#owed.delete(what)
    this.#settle()
  }

  failed(error: Error): void {
    clearTimeout(this.#deadline)
    this.#outcome.reject(error)
  }

  /** Resolves when all that is expected has come; rejects as `failed` says. */
  all(): Promise<void> {
    this.#sealed = true
    this.#settle()
    return this.#outcome.promise
  }

  #settle(): void {
    if (!this.#sealed || this.#owed.size > 0) return
    clearTimeout(this.#deadline)
    this.#outcome.resolve()
  }
}
