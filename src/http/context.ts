// What a snapshot says to the HTTP handler of one listener.
import type { LimitsSpec, ListenerSpec } from '../core/spec.ts'
import type { Pool } from '../pool/pool.ts'
import type { HeadLimits } from './http1/request-head.ts'
import type { ResponseRules } from './http1/response-head.ts'

/** What a snapshot says for one listener, ready to use. Swapped whole. */
export interface Site {
  readonly listener: ListenerSpec
  readonly pool: Pool
  readonly limits: LimitsSpec
  readonly headLimits: HeadLimits
  readonly responseRules: ResponseRules
  /** `Strict-Transport-Security` as a whole line, '' where it is not said. */
  readonly hsts: string
  isTrusted(address: string): boolean
}
