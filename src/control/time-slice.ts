// Long work on the main thread in short pieces: health checks and other calls get their turn in between.

import { setImmediate as nextTurn } from 'node:timers/promises'

/** Longest piece, in milliseconds. */
const pieceMs = 4

export class TimeSlice {
  #beganMs = performance.now()

  /** True when the piece has been long enough: then await `rest()`. (Asking is cheap, a promise per step is not.) */
  get isOver(): boolean {
    return performance.now() - this.#beganMs > pieceMs
  }

  /** Lets everybody else run, then begins the next piece. */
  async rest(): Promise<void> {
    await nextTurn()
    this.#beganMs = performance.now()
  }
}
