// What a snapshot says to the HTTP handler of one listener.
import type { LimitsSpec, ListenerSpec } from '../core/spec.ts'
import type { Invalidator } from './cache/invalidator.ts'
import type { AnswerEdits } from './compose-head.ts'
import type { HeadLimits } from './http1/request-head.ts'
import type { Route } from './route/route.ts'
import type { RouteTable } from './route/route-table.ts'

/** What a snapshot says for one listener, ready to use. Swapped whole. */
export interface Site {
  readonly listener: ListenerSpec
  /** Of the listener in the snapshot: which of a route's counters are meant. */
  readonly position: number
  /** Null where no routes are written: then every request takes the implicit one, its target untouched. */
  readonly table: RouteTable | null
  /** Takes what no written route takes; null = nothing does. */
  readonly implicit: Route | null
  readonly limits: LimitsSpec
  readonly headLimits: HeadLimits
  /** `Strict-Transport-Security` as a whole line, '' where it is not said. */
  readonly hsts: string
  /** What every answer here is edited with where its route and steps do nothing. */
  readonly plainAnswer: AnswerEdits
  /** Null = nothing is cached. */
  readonly invalidator: Invalidator | null
  isTrusted(address: string): boolean
}
