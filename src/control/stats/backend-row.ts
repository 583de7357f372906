// One backend in the statistics: its counters from sample to sample, and the JSON of what they say.
import type { BackendSpec } from '../../core/spec.ts'
import { type FlagBits, unavailableMask } from '../../state/flags.ts'
import { backendSampleAt as at, backendSampleCells } from '../../state/samples.ts'
import type { LastCheck } from '../health/active-checks.ts'
import { stateOfFlags } from '../health/backend-state.ts'
import { speaksTcp } from '../status.ts'
import { LatencyWindow } from './latency-window.ts'
import { perSecond, share } from './rates.ts'

/** What is known of it besides its counters. */
export interface BackendFacts {
  readonly backend: BackendSpec
  readonly flags: FlagBits
  readonly active: number
  readonly last: LastCheck | null
}

const classes = 6

export class BackendRow {
  /** JSON of its member of `backends`. */
  json = ''
  /** The sample that changed it last. */
  changedAt = 0
  readonly #isTcp: boolean
  readonly #latency: LatencyWindow
  #now: Float64Array = new Float64Array(backendSampleCells)
  #before: Float64Array | null = null
  #facts: BackendFacts | null = null
  #wasBusy = false

  constructor(backend: BackendSpec, windowLength: number) {
    this.#isTcp = speaksTcp(backend)
    this.#latency = new LatencyWindow(windowLength)
  }

  /** `read` fills in the counters as they are now; `seconds` since the last sample. */
  sample(number: number, facts: BackendFacts, seconds: number, read: (into: Float64Array) => void): void {
    const first = this.#before === null
    const before = this.#before ?? new Float64Array(backendSampleCells)
    this.#before = this.#now
    this.#now = before
    read(this.#now)
    if (first) this.#before.set(this.#now)
    const isBusy = this.#differs()
    const isSame = !isBusy && !this.#wasBusy && this.#latency.isEmpty && isAsBefore(this.#facts, facts)
    this.#wasBusy = isBusy
    this.#facts = facts
    if (isSame) return
    this.#latency.push(this.#now, this.#before, this.#isTcp ? at.connect : at.duration)
    const json = JSON.stringify(this.#view(facts, seconds))
    if (json === this.json) return
    this.json = json
    this.changedAt = number
  }

  #differs(): boolean {
    for (let cell = 0; cell < backendSampleCells; cell++) if (this.#now[cell] !== this.#before![cell]) return true
    return false
  }

  #view({ backend, flags, active, last }: BackendFacts, seconds: number): object {
    const now = this.#now
    const gained = (cell: number): number => Math.max(0, now[cell]! - this.#before![cell]!)
    let requests = 0
    let newRequests = 0
    for (let i = 0; i < classes; i++) {
      requests += now[at.requests + i]!
      newRequests += gained(at.requests + i)
    }
    const newFailures = gained(at.requests) + gained(at.connectFailures)
    const tried = (this.#isTcp ? gained(at.connects) : newRequests) + gained(at.connectFailures)
    const failed = newFailures + (this.#isTcp ? 0 : gained(at.requests + classes - 1))
    return {
      pool: backend.pool,
      url: backend.url,
      state: stateOfFlags(flags),
      alive: (flags & unavailableMask) === 0,
      weight: backend.weight,
      current_connections: active,
      requests: this.#isTcp ? 0 : requests,
      rate: perSecond(this.#isTcp ? gained(at.connects) : newRequests, seconds),
      errors: now[at.requests]! + now[at.connectFailures]!,
      error_rate: share(failed, tried),
      latency_ms: this.#latency.latency,
      last_check: last === null ? null : { at: new Date(last.atMs).toISOString(), ok: last.ok, reason: last.reason },
    }
  }
}

function isAsBefore(before: BackendFacts | null, now: BackendFacts): boolean {
  return (
    before !== null &&
    before.flags === now.flags &&
    before.active === now.active &&
    before.last === now.last &&
    before.backend.weight === now.backend.weight
  )
}
