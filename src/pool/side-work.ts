// What a worker does at backends although no client waits for it: counted by kind, stopped at the end.
import { Deadline, type TimerWheel } from '../util/timer-wheel.ts'

/** One such piece of work. */
export interface SideJob {
  /** What it is counted with, e.g. the pool that it goes to. */
  readonly kind: string
  /** Clients of other workers wait for what it brings: a drain lets it end, as it lets clients of its own. */
  readonly isAwaited?: boolean
  /** Ends it at once; it must then have called `SideWork.remove`. */
  stop(): void
}

/** How long a drain waits for what nobody waits for, when all clients are gone. */
const DRAIN_MS = 1000

export class SideWork {
  readonly #jobs = new Set<SideJob>()
  readonly #counts = new Map<string, number>()
  #whenDone: (() => void) | null = null

  add(job: SideJob): void {
    this.#jobs.add(job)
    this.#counts.set(job.kind, this.count(job.kind) + 1)
  }

  /** A second call does nothing. */
  remove(job: SideJob): void {
    if (!this.#jobs.delete(job)) return
    const count = this.count(job.kind) - 1
    if (count === 0) this.#counts.delete(job.kind)
    else this.#counts.set(job.kind, count)
    if (this.#jobs.size === 0) this.#tellDone()
  }

  /** Pieces of this kind that are there now. */
  count(kind: string): number {
    return this.#counts.get(kind) ?? 0
  }

  /** True = nothing is left; else `done` is called once when that is so: after a second, or when nobody waits for any of it. */
  drain(wheel: TimerWheel, done: () => void): boolean {
    if (this.#jobs.size === 0) return true
    if (this.#whenDone === null) this.#stopSoon(wheel)
    this.#whenDone = done
    return false
  }

  #stopSoon(wheel: TimerWheel): void {
    const stop = new Deadline(() => {
      for (const job of [...this.#jobs]) if (job.isAwaited !== true) job.stop()
      if (this.#jobs.size > 0) wheel.arm(stop, DRAIN_MS)
    })
    wheel.arm(stop, DRAIN_MS)
  }

  stopAll(): void {
    for (const job of [...this.#jobs]) job.stop()
  }

  #tellDone(): void {
    const done = this.#whenDone
    this.#whenDone = null
    done?.()
  }
}
