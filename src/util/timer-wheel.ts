// Deadlines for many connections with one timer: a hashed timing wheel with lazy re-arming.
// Moving a deadline later costs one field write; the entry is put right when its bucket comes round.

/** Something with a deadline. Extend it; the wheel calls `onDeadline` once, at or up to one tick after `deadline`. */
export abstract class Timed {
  /** Wheel time in ms at which `onDeadline` is due; 0 = disarmed. */
  deadline = 0
  /** Bucket time the entry is filed under; 0 = not in the wheel. */
  filedAt = 0
  next: Timed | null = null
  previous: Timed | null = null
  abstract onDeadline(): void
}

/** A deadline of its own, for what cannot extend Timed. */
export class Deadline extends Timed {
  readonly #call: () => void

  constructor(call: () => void) {
    super()
    this.#call = call
  }

  onDeadline(): void {
    this.#call()
  }
}

export interface TimerWheelOptions {
  /** Resolution in ms; default 50. */
  readonly tickMs?: number
  /** Number of buckets (a power of two); default 1024. */
  readonly buckets?: number
  /** An `onDeadline` threw; the others are called all the same. Default: thrown again, out of the way. */
  readonly onFault?: (error: unknown) => void
}

/** Head of a circular list. */
class Bucket extends Timed {
  constructor() {
    super()
    this.next = this
    this.previous = this
  }
  onDeadline(): void {}
}

export class TimerWheel {
  /** Milliseconds since the wheel was made, as of the last tick: a clock that costs nothing to read. */
  now = 1
  /** The number of that tick: to remember a moment by, as a small integer, where even `arm` would be too much. */
  tick = 0
  readonly #tickMs: number
  readonly #mask: number
  readonly #onFault: (error: unknown) => void
  readonly #buckets: Bucket[]
  readonly #started = performance.now()
  readonly #due = new Bucket()
  #timer: NodeJS.Timeout | null = null

  constructor(options: TimerWheelOptions = {}) {
    this.#tickMs = options.tickMs ?? 50
    this.#onFault = options.onFault ?? rethrow
    const count = options.buckets ?? 1024
    this.#mask = count - 1
    this.#buckets = Array.from({ length: count }, () => new Bucket())
  }

  /** Begins to tick. The timer does not keep the process alive. */
  start(): void {
    this.#timer ??= setInterval(() => this.advance(performance.now() - this.#started), this.#tickMs).unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** Sets the deadline to `delayMs` from now (at least one tick); 0 disarms. */
  arm(entry: Timed, delayMs: number): void {
    if (delayMs <= 0) {
      entry.deadline = 0
      return
    }
    const at = this.now + delayMs
    entry.deadline = at
    if (entry.filedAt === 0 || at < entry.filedAt - this.#tickMs) this.#file(entry, at)
  }

  /** Milliseconds since a tick, as of the last one. */
  since(tick: number): number {
    return this.now - tick * this.#tickMs
  }

  /** Takes the entry out for good. */
  remove(entry: Timed): void {
    entry.deadline = 0
    if (entry.filedAt !== 0) unlink(entry)
  }

  /** Moves the clock to `nowMs` and calls every due entry. Called by the timer; tests call it directly. */
  advance(nowMs: number): void {
    this.now = Math.max(this.now, nowMs)
    const target = Math.floor(this.now / this.#tickMs)
    // After a long stall one turn of the wheel visits every bucket.
    if (target - this.tick > this.#mask) this.tick = target - this.#mask - 1
    while (this.tick < target) {
      this.tick++
      this.#fire(this.#buckets[this.tick & this.#mask]!)
    }
  }

  #fire(bucket: Bucket): void {
    if (bucket.next === bucket) return
    // Moved to a list of their own first: what is filed into the same bucket meanwhile waits for the next turn,
    // and a callback may arm or remove any other entry.
    const due = this.#due
    due.next = bucket.next
    due.previous = bucket.previous
    due.next!.previous = due
    due.previous!.next = due
    bucket.next = bucket
    bucket.previous = bucket
    while (due.next !== due) {
      const entry = due.next!
      unlink(entry)
      if (entry.deadline === 0) continue
      if (entry.deadline > this.now) {
        this.#file(entry, entry.deadline)
        continue
      }
      entry.deadline = 0
      try {
        entry.onDeadline()
      } catch (error) {
        this.#onFault(error)
      }
    }
  }

  #file(entry: Timed, at: number): void {
    if (entry.filedAt !== 0) unlink(entry)
    const tick = Math.max(Math.ceil(at / this.#tickMs), this.tick + 1)
    entry.filedAt = tick * this.#tickMs
    const bucket = this.#buckets[tick & this.#mask]!
    const last = bucket.previous!
    last.next = entry
    entry.previous = last
    entry.next = bucket
    bucket.previous = entry
  }
}

function rethrow(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

function unlink(entry: Timed): void {
  entry.previous!.next = entry.next
  entry.next!.previous = entry.previous
  entry.next = null
  entry.previous = null
  entry.filedAt = 0
}
