// What the HTTP data plane of one worker shares: everything an exchange may use that is not its own.
import type { LimitsSpec, ListenerSpec } from '../core/spec.ts'
import type { AccessLog } from '../observe/access-log.ts'
import type { Pool } from '../pool/pool.ts'
import type { WorkerState } from '../state/worker-state.ts'
import type { TimerWheel } from '../util/timer-wheel.ts'
import type { HeadLimits } from './http1/request-head.ts'
import type { ResponseRules } from './http1/response-head.ts'

/** One per worker; lives as long as the worker. */
export interface PlaneContext {
  readonly state: WorkerState
  readonly wheel: TimerWheel
  readonly clock: { readonly date: string }
  readonly ids: { next(): string }
  readonly accessLog: AccessLog | null
  /** No new exchange is kept alive after its answer. */
  readonly draining: boolean
  /** A connection to a backend failed: control checks it at once and counts it against the backend. */
  backendFailed(slot: number, error: string, code: string): void
  /** Something threw where nothing may: the exchange was ended, the bug is logged. */
  unexpected(error: unknown): void
}

/** What a snapshot says for one listener, ready to use. Swapped whole. */
export interface Site {
  readonly listener: ListenerSpec
  readonly pool: Pool
  readonly limits: LimitsSpec
  readonly headLimits: HeadLimits
  readonly responseRules: ResponseRules
  isTrusted(address: string): boolean
}
