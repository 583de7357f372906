// Waiting for the request that was first with the same key, not for ever.
import type { Follow, Incoming } from '../../state/cache/types.ts'
import { Deadline, type TimerWheel } from '../../util/timer-wheel.ts'

export type Outcome = Incoming | 'again' | 'retry' | 'alone'

export interface WaitOwner {
  /** What came of it; never after `cancel`. */
  onOutcome(outcome: Outcome): void
  onWaitedTooLong(): void
  /** Runs what comes straight from the loop. */
  guarded(call: () => void): void
}

export class Wait {
  readonly #turn: Follow
  readonly #wheel: TimerWheel
  readonly #deadline: Deadline
  #isOver = false

  constructor(turn: Follow, ms: number, wheel: TimerWheel, owner: WaitOwner) {
    this.#turn = turn
    this.#wheel = wheel
    this.#deadline = new Deadline(() =>
      owner.guarded(() => {
        this.cancel()
        owner.onWaitedTooLong()
      }),
    )
    wheel.arm(this.#deadline, Math.max(1, ms))
    turn.when((outcome) => {
      if (this.#isOver) return
      owner.guarded(() => {
        this.#end()
        owner.onOutcome(outcome)
      })
    })
  }

  /** Not interested any more. May be called at any time, and again. */
  cancel(): void {
    if (this.#isOver) return
    this.#end()
    this.#turn.cancel()
  }

  #end(): void {
    this.#isOver = true
    this.#wheel.remove(this.#deadline)
  }
}
