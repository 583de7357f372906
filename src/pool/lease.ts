// One place at one backend, held for one exchange. Given back exactly once, however the exchange ends.
import type { WorkerState } from '../state/worker-state.ts'
import type { LiveBackend } from './live-backend.ts'

export class Lease {
  readonly backend: LiveBackend
  readonly #state: WorkerState
  #held = true

  constructor(backend: LiveBackend, state: WorkerState) {
    this.backend = backend
    this.#state = state
    backend.sockets.busy++
  }

  /** Gives the place back. A second call does nothing. */
  release(): void {
    if (!this.#held) return
    this.#held = false
    this.backend.sockets.busy--
    this.#state.leave(this.backend.spec.slot)
  }
}
