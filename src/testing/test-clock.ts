// A clock that a test moves forward. Time goes on as ever besides: nothing hangs that the test forgets to move.
//
// It takes the place of the global timers, Date and performance.now, which everything of Frontdesk in this thread uses:
// an injected clock would have to be handed to every part, and would miss the user's own middleware.
import * as timers from 'node:timers'

/** What moves time in a test; give it back at the end. */
export interface TestClock extends Disposable {
  /**
   * As if the process had slept for so long: the clock stands that much further, and every timer that is due by then is
   * called, once, in the order of their times. Timers that these set count from the new time. Resolves when what they
   * began has had its turn; what needs the network takes real time still: wait for it with `eventually`.
   */
  advance(ms: number): Promise<void>
  /** Milliseconds by which it is ahead. */
  readonly aheadMs: number
  /** The real clock again; timers that were set meanwhile keep what is left of their time. */
  restore(): void
}

type Callback = (...args: unknown[]) => unknown

const RealDate = globalThis.Date
const realPerformanceNow = performance.now.bind(performance)
/** Turns of the event loop after a jump: promises and callbacks that follow from it have run. */
const TURNS = 10
/** As Node has it. */
const LONGEST_MS = 2 ** 31 - 1

let taken: MovedClock | null = null

/**
 * Takes over the clock of this thread: before the proxy is started, whose timers it then moves. One at a time:
 * `using clock = useClock()`.
 */
export function useClock(): TestClock {
  if (taken !== null) throw new Error('the clock is in use already: call restore() on the other first')
  taken = new MovedClock()
  return taken
}

class MovedClock implements TestClock {
  aheadMs = 0
  readonly #timers = new Set<MovedTimer>()
  readonly #replaced: readonly (() => void)[]

  constructor() {
    this.#replaced = [
      replace(globalThis, 'setTimeout', timeoutFunction(this)),
      replace(globalThis, 'setInterval', intervalFunction(this)),
      replace(globalThis, 'clearTimeout', clearFunction(this)),
      replace(globalThis, 'clearInterval', clearFunction(this)),
      replace(globalThis, 'Date', movedDate(this)),
      replace(performance, 'now', () => this.now()),
    ]
  }

  now(): number {
    return realPerformanceNow() + this.aheadMs
  }

  async advance(ms: number): Promise<void> {
    if (taken !== this) throw new Error('this clock has been given back')
    if (!(ms >= 0)) throw new RangeError('a clock moves forward: give milliseconds, 0 or more')
    this.aheadMs += ms
    const now = this.now()
    const due = [...this.#timers].filter(({ dueAt }) => dueAt <= now).sort((a, b) => a.dueAt - b.dueAt || a.id - b.id)
    const failures: unknown[] = []
    for (const timer of due) {
      // One that ran before may have cleared it.
      if (!this.#timers.has(timer)) continue
      try {
        timer.fire()
      } catch (error) {
        failures.push(error)
      }
      await turn()
    }
    for (const timer of this.#timers) timer.arm()
    for (let i = 0; i < TURNS; i++) await turn()
    if (failures.length > 0) throw failures[0]
  }

  restore(): void {
    if (taken !== this) return
    taken = null
    for (const undo of this.#replaced) undo()
  }

  [Symbol.dispose](): void {
    this.restore()
  }

  add(timer: MovedTimer): void {
    this.#timers.add(timer)
  }

  remove(timer: MovedTimer): void {
    this.#timers.delete(timer)
  }

  /** By the number that it turns into. */
  find(id: number): MovedTimer | undefined {
    return [...this.#timers].find((timer) => timer.id === id)
  }
}

let lastId = 0

/** As Node's Timeout, as far as programs use it. */
class MovedTimer {
  readonly id = ++lastId
  dueAt: number
  readonly #clock: MovedClock
  readonly #call: () => unknown
  readonly #delayMs: number
  readonly #repeats: boolean
  #real: NodeJS.Timeout | null = null
  #hasRef = true

  constructor(clock: MovedClock, call: () => unknown, delayMs: number, repeats: boolean) {
    this.#clock = clock
    this.#call = call
    this.#delayMs = delayMs >= 1 && delayMs <= LONGEST_MS ? delayMs : 1
    this.#repeats = repeats
    this.dueAt = clock.now() + this.#delayMs
    clock.add(this)
    this.arm()
  }

  /** Sets the real timer to what is left. */
  arm(): void {
    if (this.#real !== null) timers.clearTimeout(this.#real)
    this.#real = timers.setTimeout(() => this.fire(), Math.max(0, this.dueAt - this.#clock.now()))
    if (!this.#hasRef) this.#real.unref()
  }

  fire(): void {
    if (this.#repeats) {
      this.dueAt = this.#clock.now() + this.#delayMs
      this.arm()
    } else this.close()
    this.#call()
  }

  close(): this {
    if (this.#real !== null) timers.clearTimeout(this.#real)
    this.#real = null
    this.#clock.remove(this)
    return this
  }

  refresh(): this {
    this.dueAt = this.#clock.now() + this.#delayMs
    this.#clock.add(this)
    this.arm()
    return this
  }

  ref(): this {
    this.#hasRef = true
    this.#real?.ref()
    return this
  }

  unref(): this {
    this.#hasRef = false
    this.#real?.unref()
    return this
  }

  hasRef(): boolean {
    return this.#hasRef
  }

  [Symbol.toPrimitive](): number {
    return this.id
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

function timeoutFunction(clock: MovedClock): typeof setTimeout {
  const set = (call: Callback, ms = 1, ...args: unknown[]): NodeJS.Timeout =>
    new MovedTimer(clock, () => call(...args), Number(ms), false) as unknown as NodeJS.Timeout
  const promised = (ms?: number, value?: unknown): Promise<unknown> =>
    new Promise((resolve) => {
      set(resolve, ms, value)
    })
  return Object.assign(set, { [Symbol.for('nodejs.util.promisify.custom')]: promised }) as unknown as typeof setTimeout
}

function intervalFunction(clock: MovedClock): typeof setInterval {
  const set = (call: Callback, ms = 1, ...args: unknown[]): NodeJS.Timeout =>
    new MovedTimer(clock, () => call(...args), Number(ms), true) as unknown as NodeJS.Timeout
  return set as unknown as typeof setInterval
}

/** Those of before are Node's. */
function clearFunction(clock: MovedClock): typeof clearTimeout {
  return (timer: unknown) => {
    const moved = typeof timer === 'number' ? clock.find(timer) : timer
    if (moved instanceof MovedTimer) moved.close()
    else timers.clearTimeout(timer as NodeJS.Timeout)
  }
}

function movedDate(clock: MovedClock): DateConstructor {
  const now = (): number => RealDate.now() + clock.aheadMs
  return new Proxy(RealDate, {
    construct: (target, given, newTarget) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as Date,
    apply: () => new RealDate(now()).toString(),
    get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
  })
}

/** Puts another value there; gives back how to undo it. */
function replace<T extends object, K extends keyof T>(object: T, key: K, value: T[K]): () => void {
  const before = Object.getOwnPropertyDescriptor(object, key)
  Object.defineProperty(object, key, {
    value,
    configurable: true,
    writable: true,
    enumerable: before?.enumerable ?? false,
  })
  return () => {
    if (before === undefined) delete object[key]
    else Object.defineProperty(object, key, before)
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    timers.setImmediate(resolve)
  })
}
