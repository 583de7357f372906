// GET /pools: each pool as a whole.
import type { HealthCheckSpec, PoolSpec } from '../../core/spec.ts'
import { backendSampleAt as at, backendSampleCells, Samples } from '../../state/samples.ts'
import { TimeSlice } from '../time-slice.ts'
import type { ListSources } from './listener-list.ts'

export interface HealthCheckView {
  readonly method: HealthCheckSpec['method']
  /** Null for checks of a connection. */
  readonly path: string | null
  readonly interval_ms: number
  readonly timeout_ms: number
  readonly rise: number
  readonly fall: number
}

export interface PoolView {
  readonly name: string
  readonly kind: PoolSpec['kind']
  readonly strategy: string
  readonly sticky: 'cookie' | 'ip' | 'header' | null
  readonly backends: number
  readonly alive: number
  readonly current_connections: number
  /** 0 in a TCP pool. */
  readonly requests: number
  readonly errors: number
  readonly retries: number
  /** Null = its backends are not checked. */
  readonly health_check: HealthCheckView | null
}

export async function poolList(sources: ListSources): Promise<PoolView[]> {
  const samples = new Samples(sources.port.state.buffer)
  const slice = new TimeSlice()
  const list: PoolView[] = []
  for (const pool of sources.membership.snapshot.pools) {
    list.push(poolView(pool, sources, samples))
    if (slice.isOver) await slice.rest()
  }
  return list
}

function poolView(pool: PoolSpec, { port }: ListSources, samples: Samples): PoolView {
  const { state } = port
  const counted = new Float64Array(backendSampleCells)
  let [alive, open, requests, errors] = [0, 0, 0, 0]
  for (const { slot } of pool.backends) {
    samples.readBackend(slot, counted)
    if (state.isAvailable(slot)) alive += 1
    open += state.active(slot)
    for (let i = 0; i < 6; i++) requests += counted[at.requests + i]!
    errors += counted[at.requests]! + counted[at.connectFailures]!
  }
  return {
    name: pool.name,
    kind: pool.kind,
    strategy: strategyWords(pool),
    sticky: pool.sticky?.by ?? null,
    backends: pool.backends.length,
    alive,
    current_connections: open,
    requests: pool.kind === 'tcp' ? 0 : requests,
    errors,
    retries: Object.values(state.poolTotals(pool.cursor).retries).reduce((sum, count) => sum + count, 0),
    health_check: healthCheckView(pool.healthCheck),
  }
}

/** Its name; one that a program or a configuration brings as a function has none of its own. */
export function strategyWords({ strategy, customStrategy }: Pick<PoolSpec, 'strategy' | 'customStrategy'>): string {
  if (customStrategy === null) return strategy
  return customStrategy.name.startsWith('@') ? 'own strategy' : customStrategy.name
}

function healthCheckView(check: HealthCheckSpec | null): HealthCheckView | null {
  if (check === null) return null
  const { method, path, intervalMs, timeoutMs, rise, fall } = check
  return {
    method,
    path: method === 'http' ? path : null,
    interval_ms: intervalMs,
    timeout_ms: timeoutMs,
    rise,
    fall,
  }
}
