// A pool as a route uses it: with the route's own deadlines, retries, Host and affinity where it has any.
import type { RouteSpec } from '../../core/route-spec.ts'
import type { RetriesSpec, Snapshot, TimeoutsSpec } from '../../core/spec.ts'
import { type Affinity, buildAffinity } from '../../pool/affinity.ts'
import type { Pool } from '../../pool/pool.ts'
import type { WorkerState } from '../../state/worker-state.ts'
import type { ResponseRules } from '../http1/response-head.ts'

export interface Destination {
  readonly pool: Pool
  readonly timeouts: TimeoutsSpec
  readonly retries: RetriesSpec
  readonly affinity: Affinity | null
  /** Anything but the two words is sent as Host. */
  readonly hostHeader: string
  readonly responseRules: ResponseRules
}

/** Routes of one pool have one object: connections to backends keep the last head parsed by it. */
const rulesOfPool = new WeakMap<Pool, ResponseRules>()

/** `route`: null for the implicit one. */
export function destinationOf(
  pool: Pool,
  route: RouteSpec | null,
  limits: Snapshot['limits'],
  state: WorkerState,
): Destination {
  const { spec } = pool
  return {
    pool,
    timeouts: { ...spec.timeouts, ...route?.timeouts },
    retries: { ...spec.retries, ...route?.retries },
    affinity: affinityOf(pool, route?.sticky ?? null, state),
    hostHeader: route?.hostHeader ?? spec.hostHeader,
    responseRules: rulesOf(pool, limits),
  }
}

function affinityOf(pool: Pool, sticky: RouteSpec['sticky'], state: WorkerState): Affinity | null {
  if (sticky === null) return pool.affinity
  return sticky === 'none' ? null : buildAffinity({ ...pool.spec, sticky }, state)
}

function rulesOf(pool: Pool, limits: Snapshot['limits']): ResponseRules {
  let rules = rulesOfPool.get(pool)
  if (rules === undefined) {
    rules = { maxFields: Math.max(limits.headerCount, 256), hide: pool.spec.hideHeaders }
    rulesOfPool.set(pool, rules)
  }
  return rules
}
