// How long an answer is fresh, and how old it was when it came (RFC 9111 §4.2).
import type { CacheSpec } from '../../../core/cache-spec.ts'
import type { AnswerDirectives } from './answer.ts'
import type { RuleId } from './rules.ts'

/** A lifetime in ms and where it comes from; null = nothing is said and nothing can be guessed. */
export interface Lifetime {
  readonly ms: number
  readonly rule: RuleId
}

/** §4.2.3: corrected_initial_age in ms. `requestTime` and `responseTime` are by our clock. */
export function initialAge(answer: AnswerDirectives, requestTime: number, responseTime: number): number {
  const delay = Math.max(0, responseTime - requestTime)
  // Date has no parts of a second: what is less than one is none.
  const apparent = Number.isNaN(answer.date) ? 0 : Math.floor((responseTime - answer.date) / 1000) * 1000
  return Math.max(0, apparent, answer.age * 1000 + delay)
}

/** §4.2.1, for a shared cache: s-maxage, max-age, Expires, in this order. */
export function explicitLifetime(answer: AnswerDirectives, responseTime: number): Lifetime | null {
  const { directives, targetedBy } = answer
  const isTargeted = targetedBy !== ''
  if (directives.sMaxAge >= 0) return { ms: directives.sMaxAge * 1000, rule: isTargeted ? 'targeted' : 's-maxage' }
  if (directives.maxAge >= 0) return { ms: directives.maxAge * 1000, rule: isTargeted ? 'targeted' : 'max-age' }
  if (Number.isNaN(answer.expires)) return null
  const date = Number.isNaN(answer.date) ? responseTime : answer.date
  return { ms: Math.max(0, answer.expires - date), rule: 'expires' }
}

/** §4.2.2; null where it is switched off or there is nothing to go by. */
export function heuristicLifetime(
  answer: AnswerDirectives,
  responseTime: number,
  spec: CacheSpec['heuristic'],
): Lifetime | null {
  if (spec === null || !(answer.isCacheableByDefault || answer.directives.isPublic)) return null
  const date = Number.isNaN(answer.date) ? responseTime : answer.date
  const unchanged = date - answer.lastModified
  // Not a number, too, where there is no Last-Modified.
  if (!(unchanged > 0)) return null
  return { ms: Math.min(Math.floor(unchanged * spec.share), spec.max), rule: 'heuristic' }
}

/** What the route says for answers that say nothing at all of caching; null = it does not say it, or the answer does. */
export function defaultLifetime({ directives, isCacheableByDefault }: AnswerDirectives, ms: number): Lifetime | null {
  // Beside must-understand a no-store has not kept it out.
  if (ms === 0 || !isCacheableByDefault || directives.noCache || directives.noStore) return null
  return { ms, rule: 'default-ttl' }
}

/** What the route says, whatever the answer says; null = as the answer says. */
export function manualLifetime(answer: AnswerDirectives, status: number, spec: CacheSpec): Lifetime | null {
  for (const range of spec.ttlByStatus) {
    if (status >= range.from && status <= range.to) return { ms: range.ttl, rule: 'ttl-by-status' }
  }
  if (spec.ttl === 'origin') return null
  // An error or a redirection elsewhere is not kept for as long as a page, unless it is named or says so itself.
  const { maxAge, sMaxAge } = answer.directives
  const speaks = answer.isCacheableByDefault || maxAge >= 0 || sMaxAge >= 0 || !Number.isNaN(answer.expires)
  return speaks ? { ms: spec.ttl, rule: 'ttl' } : null
}
