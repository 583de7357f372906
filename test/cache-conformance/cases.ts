// All cases, in the order of the specification.
import type { Case, Rule, Section } from './case.ts'
import { age } from './cases/age.ts'
import { authorization, requestDirectives, responseDirectives } from './cases/directives.ts'
import { cacheStatus, cookies, settings, targeted } from './cases/extensions.ts'
import { freshness } from './cases/freshness.ts'
import { invalidation } from './cases/invalidation.ts'
import { incomplete, ranges } from './cases/parts.ts'
import { reuse } from './cases/reuse.ts'
import { staleness } from './cases/stale.ts'
import { storing } from './cases/storing.ts'
import { updating } from './cases/updating.ts'
import { conditional, validation } from './cases/validation.ts'
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
