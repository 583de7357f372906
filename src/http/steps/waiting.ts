// An exchange that waits for a hook: until it is settled, out of time, or not wanted any more.
import { Timed, type TimerWheel } from '../../util/timer-wheel.ts'
import { answerOf, HookFailure, type HookOutcome, type HookWait } from './hooks.ts'

type Settled = Exclude<HookOutcome, HookWait>

export class Waiting extends Timed {
  readonly #wheel: TimerWheel
  readonly #wait: HookWait
  #done: ((result: Settled) => void) | null

  /** `done` is called once, never from within, and not after `cancel`. */
  constructor(wheel: TimerWheel, wait: HookWait, done: (result: Settled) => void) {
    super()
    this.#wheel = wheel
    this.#wait = wait
    this.#done = done
    wheel.arm(this, wait.hook.timeoutMs)
    const { hook } = wait
    wait.promise.then(
      (result) => this.#settle(answerOf(hook, result)),
      (error: unknown) => this.#settle(new HookFailure(hook.label, error)),
    )
  }

  cancel(): void {
    this.#done = null
    this.#wheel.remove(this)
  }

  onDeadline(): void {
    const { label, timeoutMs } = this.#wait.hook
    this.#settle(new HookFailure(label, new Error(`it took longer than ${timeoutMs} ms`)))
  }

  #settle(result: Settled): void {
    const done = this.#done
    if (done === null) return
    this.cancel()
    done(result)
  }
}
