// All cases, in the order of the specification.
import type { Case, Rule, Section } from './case.ts'
import { age } from './cases/age.ts'
import { authorization } from './cases/authorization.ts'
import { cacheStatus } from './cases/cache-status.ts'
import { conditional } from './cases/conditional.ts'
import { freshness } from './cases/freshness.ts'
import { incomplete } from './cases/incomplete.ts'
import { invalidation } from './cases/invalidation.ts'
import { ranges } from './cases/ranges.ts'
import { requestDirectives } from './cases/request-directives.ts'
import { responseDirectives } from './cases/response-directives.ts'
import { reuse } from './cases/reuse.ts'
import { cookies, settings } from './cases/settings.ts'
import { staleness } from './cases/stale.ts'
import { storing } from './cases/storing.ts'
import { targeted } from './cases/targeted.ts'
import { updating } from './cases/updating.ts'
import { validation } from './cases/validation.ts'
import { vary } from './cases/vary.ts'

export const sections: readonly Section[] = [
  storing,
  authorization,
  incomplete,
  reuse,
  vary,
  freshness,
  age,
  staleness,
  validation,
  conditional,
  updating,
  invalidation,
  requestDirectives,
  responseDirectives,
  ranges,
  targeted,
  cacheStatus,
  cookies,
  settings,
]

/** A case with the sentence that it tests; its id has its section before it. */
export interface Placed extends Case {
  readonly rule: Rule
}

/** Every case. Throws where two have the same id. */
export function allCases(): Placed[] {
  const all = sections.flatMap(({ name, rules }) =>
    rules.flatMap((rule) => rule.cases.map((one) => ({ ...one, id: `${name}/${one.id}`, rule }))),
  )
  const ids = new Set<string>()
  for (const { id } of all) {
    if (ids.has(id)) throw new Error(`two cases are called ${id}`)
    ids.add(id)
  }
  return all
}
