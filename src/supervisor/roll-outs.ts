// Changes on their way to all workers: each is done when every worker that was told has answered.

interface RollOut {
  readonly waiting: Set<number>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly deadline: NodeJS.Timeout
}

/**
 * A worker that has not swapped after so long hangs: the change is refused and the worker named. Longer than the import of
 * a plug-in may take, which has a better message.
 */
const ROLL_OUT_MS = 15_000

export class RollOuts {
  readonly #open = new Map<number, RollOut>()
  #lastId = 0

  /**
   * `tell` sends the change under this number, and adds each worker that will answer to the set before it may.
   * Rejects when one could not apply it, or did not answer in time.
   */
  begin(tell: (id: number, waiting: Set<number>) => void): Promise<void> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const rollOut = { waiting: new Set<number>(), resolve, reject, deadline: this.#deadline(id) }
      this.#open.set(id, rollOut)
      tell(id, rollOut.waiting)
      this.#settle(id)
    })
  }

  /** `error` null = the worker has swapped. */
  answered(id: number, worker: number, error: string | null): void {
    const rollOut = this.#open.get(id)
    if (rollOut === undefined) return
    rollOut.waiting.delete(worker)
    if (error === null) this.#settle(id)
    else this.#take(id)?.reject(new Error(`worker ${worker}: ${error}`))
  }

  /** Who takes the dead worker's place starts with what was rolled out. */
  died(worker: number): void {
    for (const id of [...this.#open.keys()]) this.answered(id, worker, null)
  }

  #settle(id: number): void {
    if (this.#open.get(id)?.waiting.size === 0) this.#take(id)?.resolve()
  }

  #deadline(id: number): NodeJS.Timeout {
    return setTimeout(() => {
      const rollOut = this.#take(id)
      const names = [...(rollOut?.waiting ?? [])].map((worker) => `worker ${worker}`).join(', ')
      rollOut?.reject(new Error(`${names} did not apply the change within ${ROLL_OUT_MS / 1000} s`))
    }, ROLL_OUT_MS)
  }

  #take(id: number): RollOut | undefined {
    const rollOut = this.#open.get(id)
    this.#open.delete(id)
    clearTimeout(rollOut?.deadline)
    return rollOut
  }
}
