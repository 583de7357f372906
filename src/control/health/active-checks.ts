// When each backend is checked and what the results mean: interval with jitter, rise and fall, faster checks once one
// has failed and while a backend is down. What a check does lies in probe.ts; what follows from a flip, in health.ts.

import type { BackendSpec, HealthCheckSpec, Slot } from '../../core/spec.ts'
import { Gate } from './gate.ts'
import type { ProbeResult } from './probe.ts'

export type Verdict = 'unknown' | 'up' | 'down'

export interface Flip {
  readonly backend: BackendSpec
  readonly from: Verdict
  readonly to: 'up' | 'down'
  readonly reason: string
  /** How long it was in the other state. */
  readonly afterMs: number
}

export interface LastCheck {
  readonly atMs: number
  readonly ok: boolean
  readonly reason: string
}

/** What the world may know of a backend's checks. */
export interface CheckSummary {
  readonly last: LastCheck | null
  readonly passes: number
  readonly fails: number
}

export interface ActiveChecksOptions {
  readonly probe: (backend: BackendSpec, check: HealthCheckSpec, signal: AbortSignal) => Promise<ProbeResult>
  readonly onFlip: (flip: Flip) => void
  /** Every result; `scheduled` is false when live traffic had asked for the check. */
  readonly onResult: (backend: BackendSpec, result: ProbeResult, scheduled: boolean) => void
  /** Checks under way at once; default 256. */
  readonly concurrency?: number
  readonly random?: () => number
}

interface Check {
  backend: BackendSpec
  spec: HealthCheckSpec
  verdict: Verdict
  sinceMs: number
  /** Results in a row that speak against the verdict. */
  run: number
  /** Failed checks since it went down, for the back-off. */
  downChecks: number
  timer: NodeJS.Timeout | null
  /** Waiting for its turn, or under way. */
  busy: boolean
  /** Live traffic asked for a check while one was under way. */
  again: boolean
  lastPassMs: number
  last: LastCheck | null
  passes: number
  fails: number
  readonly abort: AbortController
}

const jitter = 0.1
/** While down: from this, doubling, up to the interval or the cap, whichever is less. */
const downFirstMs = 250
const downCapMs = 5_000
/** Between the passes of a backend that is coming back. */
const risingMs = 1_000
/** Checks that live failures ask for, when checks keep passing. */
const triggeredGapMs = 100

export class ActiveChecks {
  readonly #checks = new Map<Slot, Check>()
  readonly #options: ActiveChecksOptions
  readonly #gate: Gate
  readonly #random: () => number

  constructor(options: ActiveChecksOptions) {
    this.#options = options
    this.#gate = new Gate(options.concurrency ?? 256)
    this.#random = options.random ?? Math.random
  }

  /** Begins to check a backend, at once. */
  add(backend: BackendSpec, spec: HealthCheckSpec): void {
    const check: Check = {
      backend,
      spec,
      verdict: 'unknown',
      sinceMs: performance.now(),
      run: 0,
      downChecks: 0,
      timer: null,
      busy: false,
      again: false,
      lastPassMs: Number.NEGATIVE_INFINITY,
      last: null,
      passes: 0,
      fails: 0,
      abort: new AbortController(),
    }
    this.#checks.set(backend.slot, check)
    this.#start(check, true)
  }

  /** The same backend with other settings: the verdict stays. With another kind of check it is checked at once. */
  update(backend: BackendSpec, spec: HealthCheckSpec): void {
    const check = this.#checks.get(backend.slot)
    if (check === undefined) return
    const before = check.spec
    check.backend = backend
    check.spec = spec
    if (JSON.stringify(before) === JSON.stringify(spec)) return
    if (check.busy) check.again = true
    else if (check.timer !== null) this.#start(check, true)
  }

  has(slot: Slot): boolean {
    return this.#checks.has(slot)
  }

  remove(slot: Slot): void {
    const check = this.#checks.get(slot)
    if (check === undefined) return
    this.#checks.delete(slot)
    if (check.timer !== null) clearTimeout(check.timer)
    check.abort.abort()
  }

  /** A live connection failed: check at once (but no more than ten times a second while the checks pass). */
  trigger(slot: Slot): void {
    const check = this.#checks.get(slot)
    if (check === undefined || check.verdict === 'down') return
    if (check.busy) {
      check.again = true
      return
    }
    const sincePassMs = performance.now() - check.lastPassMs
    if (sincePassMs >= triggeredGapMs) this.#start(check, false)
    else this.#schedule(check, triggeredGapMs - sincePassMs, false)
  }

  /** How long checks have said that it is down; null = they do not. */
  downForMs(slot: Slot): number | null {
    const check = this.#checks.get(slot)
    return check?.verdict === 'down' ? performance.now() - check.sinceMs : null
  }

  summary(slot: Slot): CheckSummary | null {
    return this.#checks.get(slot) ?? null
  }

  close(): void {
    for (const slot of [...this.#checks.keys()]) this.remove(slot)
  }

  #schedule(check: Check, delayMs: number, scheduled: boolean): void {
    if (check.timer !== null) clearTimeout(check.timer)
    check.timer = setTimeout(() => this.#start(check, scheduled), delayMs).unref()
  }

  #start(check: Check, scheduled: boolean): void {
    if (check.timer !== null) clearTimeout(check.timer)
    check.timer = null
    check.busy = true
    check.again = false
    void this.#gate.run(() => this.#check(check, scheduled))
  }

  async #check(check: Check, scheduled: boolean): Promise<void> {
    if (check.abort.signal.aborted) return
    const { backend, spec, abort } = check
    const result = await this.#options.probe(backend, spec, abort.signal).catch((error: unknown) => ({
      ok: false,
      reason: error instanceof Error ? error.message : String(error),
    }))
    check.busy = false
    if (abort.signal.aborted) return
    this.#count(check, result)
    this.#judge(check, result)
    this.#options.onResult(check.backend, result, scheduled)
    // A listener may have removed the backend.
    if (abort.signal.aborted) return
    if (check.again && check.verdict !== 'down') this.#schedule(check, result.ok ? triggeredGapMs : 0, false)
    else this.#schedule(check, this.#nextMs(check), true)
  }

  #count(check: Check, result: ProbeResult): void {
    check.last = { atMs: Date.now(), ok: result.ok, reason: result.reason }
    if (result.ok) {
      check.passes += 1
      check.lastPassMs = performance.now()
    } else {
      check.fails += 1
      if (check.verdict === 'down') check.downChecks += 1
    }
  }

  #judge(check: Check, result: ProbeResult): void {
    const to = result.ok ? 'up' : 'down'
    if (to === check.verdict) {
      check.run = 0
      return
    }
    check.run += 1
    // The first pass of a backend that is not known yet is believed at once: it counts as alive already.
    const needed = to === 'down' ? check.spec.fall : check.verdict === 'unknown' ? 1 : check.spec.rise
    if (check.run < needed) return
    const now = performance.now()
    const flip: Flip = {
      backend: check.backend,
      from: check.verdict,
      to,
      reason: result.reason,
      afterMs: now - check.sinceMs,
    }
    check.verdict = to
    check.sinceMs = now
    check.run = 0
    check.downChecks = 0
    this.#options.onFlip(flip)
  }

  #nextMs(check: Check): number {
    const { intervalMs } = check.spec
    const withJitter = (ms: number): number => ms * (1 - jitter + 2 * jitter * this.#random())
    if (check.verdict === 'down') {
      if (check.run > 0) return withJitter(Math.min(intervalMs, risingMs))
      return withJitter(Math.min(intervalMs, downCapMs, downFirstMs * 2 ** Math.min(check.downChecks, 10)))
    }
    // One failed: the next says whether it is down, and must not wait for an interval.
    return check.run > 0 ? 0 : withJitter(intervalMs)
  }
}
