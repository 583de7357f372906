// Calls the hooks of one exchange, one after another, and waits for those that take their time.
import type { TimerWheel } from '../../util/timer-wheel.ts'
import type { OwnAnswer } from '../own-answer.ts'
import { callHooks, type Hook, HookFailure, HookWait } from './hooks.ts'
import { Waiting } from './waiting.ts'

export interface StepOwner {
  /** A hook is waited for: until then nothing else may be. */
  stepWaits(): void
  /** A hook failed. `label` says which, for people. Nothing more is called. */
  stepFailed(label: string, error: unknown): void
  /** Runs what comes straight from the loop: a bug there costs this exchange. */
  guarded(call: () => void): void
}

export class StepCaller {
  readonly #owner: StepOwner
  readonly #wheel: TimerWheel
  #waiting: Waiting | null = null

  constructor(owner: StepOwner, wheel: TimerWheel) {
    this.#owner = owner
    this.#wheel = wheel
  }

  get isWaiting(): boolean {
    return this.#waiting !== null
  }

  /** Calls hooks in turn, from number `from`; `then` gets what they answered, at once where none of them waits. */
  call<V>(hooks: readonly Hook<V>[], view: V, then: (answer: OwnAnswer | undefined) => void, from = 0): void {
    const outcome = callHooks(hooks, view, from)
    if (outcome instanceof HookWait) {
      this.#owner.stepWaits()
      this.#waiting = new Waiting(this.#wheel, outcome, (result) =>
        this.#owner.guarded(() => {
          this.#waiting = null
          if (result instanceof HookFailure) this.#owner.stepFailed(result.label, result.error)
          else if (result !== undefined) then(result)
          else this.call(hooks, view, then, outcome.next)
        }),
      )
    } else if (outcome instanceof HookFailure) this.#owner.stepFailed(outcome.label, outcome.error)
    else then(outcome)
  }

  /** What is waited for is not wanted any more. */
  cancel(): void {
    this.#waiting?.cancel()
    this.#waiting = null
  }
}
