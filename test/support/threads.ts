// The worker threads that a proxy in this process runs, so that a test can make one die.
import { on, once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { DEADLINE_MS, within } from './wait.ts'

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

  /** Resolves when the thread with this number (from 0) is started and accepts connections; costs nothing meanwhile. */
  async listening(index: number): Promise<void> {
    while (this.started.length <= index) await within(`thread ${index}`, once(process, 'worker'))
    const thread = this.started[index]!
    for await (const [message] of on(thread, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) })) {
      if ((message as { type?: unknown } | null)?.type === 'listening') return
    }
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
