// What the cache made of requests: by route, and over all listeners.
import type { RouteSpec } from '../../core/route-spec.ts'
import type { Snapshot } from '../../core/spec.ts'
import { type CacheResult, cacheResults } from '../../state/names.ts'
import type { OwnerState } from '../../state/owner-state.ts'
import type { CacheRequests, CacheRouteStats } from './cache.ts'
import { ownRows, summedRefusals } from './refusals.ts'

type Counts = Readonly<Partial<Record<CacheResult, number>>>

/** Answered without a whole answer of a backend for that request. */
const served: ReadonlySet<CacheResult> = new Set(['hit', 'stale', 'revalidated', 'collapsed'])

/** Of those that were looked up: answered from the cache, and all. */
export function lookups(requests: Counts): { readonly hits: number; readonly requests: number } {
  let hits = 0
  let all = 0
  for (const result of cacheResults) {
    if (result === 'bypass') continue
    const count = requests[result] ?? 0
    all += count
    if (served.has(result)) hits += count
  }
  return { hits, requests: all }
}

/** 0 to 1, with four decimals; null = nothing was looked up. */
export function hitRatio(counts: Counts): number | null {
  const { hits, requests } = lookups(counts)
  return requests === 0 ? null : Math.round((hits / requests) * 10_000) / 10_000
}

/** Since the start, of all routes, also of those that are gone. */
export function allRequests({ listeners }: Snapshot, state: Pick<OwnerState, 'listenerTotals'>): CacheRequests {
  const http = listeners.filter(({ protocol }) => protocol === 'http')
  return summed(http.map(({ row }) => state.listenerTotals(row).cached))
}

/** Null = there are so many routes that it is not counted apart, or it does not cache. */
export function requestsOf(
  route: RouteSpec,
  { listeners }: Snapshot,
  state: Pick<OwnerState, 'trafficTotals' | 'sizes'>,
): CacheRouteStats | null {
  if (route.cache === null) return null
  const rows = ownRows(route, { listeners }, state)
  if (rows.length === 0) return null
  const totals = rows.map((row) => state.trafficTotals(row))
  const requests = summed(totals.map(({ cached }) => cached))
  const not_stored = summedRefusals(totals.map(({ notStored }) => notStored))
  return { name: route.name, requests, hit_ratio: hitRatio(requests), not_stored }
}

function summed(counts: readonly Counts[]): CacheRequests {
  const sum = (result: CacheResult): number => counts.reduce((total, one) => total + (one[result] ?? 0), 0)
  return Object.fromEntries(cacheResults.map((result) => [result, sum(result)])) as CacheRequests
}
