// May a stored answer be used for this request, and how (RFC 9111 §4, RFC 5861)?
import type { CacheSpec } from '../../../core/cache-spec.ts'
import type { EntryFacts } from '../../../state/cache/types.ts'
import { flags, hasValidator, neverStale } from './flags.ts'
import type { CacheRequest } from './request.ts'
import type { RuleId } from './rules.ts'

export type StoredFacts = EntryFacts & { readonly isMarkedStale: boolean }

export interface Reuse {
  /**
   * `serve`: as it is; `serve-and-revalidate`: as it is, and somebody asks the backend meanwhile; `validate`: ask the backend
   * whether it is still right; `miss`: it can neither be used nor validated.
   */
  readonly how: 'serve' | 'serve-and-revalidate' | 'validate' | 'miss'
  readonly stale: boolean
  readonly rule: RuleId
  /** Whole seconds, for Age. */
  readonly age: number
  /** Whole seconds; negative = stale. */
  readonly ttl: number
}

/** §4.2.3: current_age in ms. A clock that was put back makes nothing younger than it came. */
export function currentAge({ initialAge, responseTime }: EntryFacts, now: number): number {
  return initialAge + Math.max(0, now - responseTime)
}

/** What becomes of it now. `request`: as the route hears it (`heard`), and for which the entry was selected. */
export function reuse(
  entry: StoredFacts,
  request: CacheRequest,
  now: number,
  spec: Pick<CacheSpec, 'staleWhileRevalidate'>,
): Reuse {
  const age = currentAge(entry, now)
  const left = entry.lifetime - age
  const isStale = left <= 0 || entry.isMarkedStale
  const rule = isStale ? ruleOfStale(entry, request, age, spec) : ruleOfFresh(entry, request, age, left)
  const how = howBy(rule, entry.flags)
  const seconds = Math.floor(age / 1000)
  // With Age it makes up the whole lifetime.
  const ttl = Math.floor(entry.lifetime / 1000) - seconds
  // Exactly at its end it is stale already; and one that was purged has nothing left.
  return { how, stale: isStale, rule, age: seconds, ttl: isStale ? Math.min(ttl, -1) : ttl }
}

function howBy(rule: RuleId, bits: number): Reuse['how'] {
  if (rule === 'fresh' || rule === 'request-max-stale') return 'serve'
  if (rule === 'stale-while-revalidate') return 'serve-and-revalidate'
  return (bits & hasValidator) === 0 ? 'miss' : 'validate'
}

function ruleOfFresh(entry: StoredFacts, request: CacheRequest, age: number, left: number): RuleId {
  const bits = entry.flags
  if ((bits & flags.noCache) !== 0) return 'no-cache'
  if ((bits & flags.heuristic) !== 0 && (request.hasCookie || request.hasAuthorization)) return 'heuristic-client'
  if (request.isPlain) return 'fresh'
  if (request.noCache) return 'request-no-cache'
  if (isTooOld(request, age)) return 'request-max-age'
  if (request.minFresh >= 0 && left < request.minFresh * 1000) return 'request-min-fresh'
  return 'fresh'
}

/** §5.2.1.1. Whoever says 0 means a reload, also of what came within the same millisecond. */
function isTooOld({ maxAge }: CacheRequest, age: number): boolean {
  return maxAge === 0 || (maxAge > 0 && age > maxAge * 1000)
}

function ruleOfStale(
  entry: StoredFacts,
  request: CacheRequest,
  age: number,
  spec: Pick<CacheSpec, 'staleWhileRevalidate'>,
): RuleId {
  const bits = entry.flags
  if ((bits & flags.noCache) !== 0) return 'no-cache'
  if (request.noCache) return 'request-no-cache'
  if ((bits & neverStale) !== 0) return 'must-revalidate'
  if ((bits & flags.heuristic) !== 0 && (request.hasCookie || request.hasAuthorization)) return 'heuristic-client'
  const staleness = stalenessOf(entry, age)
  const wish = wishAgainst(request, age, staleness)
  if (wish !== null) return wish
  // It was purged because it is wrong: nobody takes it for long.
  if (request.maxStale >= 0 && !entry.isMarkedStale) return 'request-max-stale'
  if (staleness < whileRevalidateOf(entry, spec)) return 'stale-while-revalidate'
  return entry.isMarkedStale ? 'purged' : 'stale'
}

/** For how long it has been stale, in ms. When one was purged is not known: it counts from the end of its time. */
function stalenessOf(entry: EntryFacts, age: number): number {
  return Math.max(0, age - entry.lifetime)
}

/** §5.2.1: what the client says against a stale answer of this age; null = nothing. */
function wishAgainst(request: CacheRequest, age: number, staleness: number): RuleId | null {
  if (request.isPlain) return null
  if (request.minFresh >= 0) return 'request-min-fresh'
  if (isTooOld(request, age) || (request.maxAge >= 0 && request.maxStale < 0)) return 'request-max-age'
  if (request.maxStale >= 0 && staleness > request.maxStale * 1000) return 'stale'
  return null
}

function whileRevalidateOf(entry: EntryFacts, spec: Pick<CacheSpec, 'staleWhileRevalidate'>): number {
  if ((entry.flags & flags.saysWhileRevalidate) !== 0) return entry.staleWhileRevalidate
  return spec.staleWhileRevalidate ?? 0
}

/**
 * Whether it may be served though the backend could not say that it is still right. `error`: it could not be reached, or
 * answered 500, 502, 503 or 504 (`isStaleError`); `down`: there is no backend to ask. What the client says of freshness does
 * not matter then (RFC 5861 §4: "regardless of other freshness information"), but for no-cache, and how stale it takes it.
 */
export function mayServeStale(
  entry: StoredFacts,
  request: CacheRequest,
  now: number,
  spec: Pick<CacheSpec, 'staleIfError' | 'staleWhenDown'>,
  cause: 'error' | 'down',
): boolean {
  if ((entry.flags & neverStale) !== 0 || request.noCache) return false
  const staleness = stalenessOf(entry, currentAge(entry, now))
  if (request.maxStale >= 0 && staleness > request.maxStale * 1000) return false
  const ofAnswer = (entry.flags & flags.saysIfError) !== 0 ? entry.staleIfError : (spec.staleIfError ?? 0)
  const window = Math.max(ofAnswer, request.staleIfError * 1000, cause === 'down' ? spec.staleWhenDown : 0)
  return staleness < window
}

/** RFC 5861 §4: the answers that count as an error. */
export function isStaleError(status: number): boolean {
  return status === 500 || status === 502 || status === 503 || status === 504
}
