// The worker threads that a proxy in this process runs, so that a test can make one die.
import type { Worker } from 'node:worker_threads'
import { within } from './wait.ts'

/** Notes every thread started from its construction to `close`. */
export class Threads {
  /** In the order of their start; those that have ended too. */
  readonly started: Worker[] = []
  readonly #note = (worker: Worker): void => {
    this.started.push(worker)
  }

  constructor() {
    process.on('worker', this.#note)
  }

  /** Ends a thread from outside, in the middle of whatever it does; resolves when it is gone. */
  async kill(worker: Worker): Promise<void> {
    await within('the end of the thread', worker.terminate())
  }

  /** Lets a thread run into an error that nothing in it catches; resolves when it is gone. */
  async crash(worker: Worker): Promise<void> {
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    // No message of the supervisor looks like this: reading its type throws.
    worker.postMessage(null)
    await within('the end of the thread', gone)
  }

  close(): void {
    process.off('worker', this.#note)
  }
}
