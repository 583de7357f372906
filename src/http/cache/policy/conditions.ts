// Whether a request is one of those that a route keeps out of the cache (`bypass`, `no_store`).
import type { RequestConditions } from '../../../core/cache-spec.ts'
import { fieldValues } from '../../hygiene/field-values.ts'
import { fits, loosely, pairsOf, percentDecoded } from './loose-names.ts'

/**
 * Any of them is enough. `lookup`: the field block that decisions are made by; `cookie`: all Cookie values; `query`: what
 * comes after `?`, '' for none. Names of cookies and parameters are read as the most forgiving backend reads them: a request
 * that is kept out without need costs less than one that should have been.
 */
export function conditionHolds(conditions: RequestConditions, lookup: string, cookie: string, query: string): boolean {
  return (
    conditions.headers.some(({ name, values }) => areMeant(fieldValues(lookup, name), values)) ||
    (cookie !== '' && conditions.cookies.length > 0 && anyPair(pairsOf(cookie, ';'), conditions.cookies)) ||
    (query !== '' && conditions.query.length > 0 && anyPair(pairsOf(query, '&'), conditions.query))
  )
}

/** No values asked for: it is enough that there is one. */
function areMeant(found: readonly string[], asked: readonly string[]): boolean {
  if (asked.length === 0) return found.length > 0
  return found.some((value) => asked.some((pattern) => fits(value, pattern)))
}

function anyPair(
  pairs: ReturnType<typeof pairsOf>,
  asked: readonly { readonly name: string; readonly values: readonly string[] }[],
): boolean {
  return asked.some(({ name, values }) => {
    const pattern = loosely(name)
    const found = pairs.filter((pair) => pair.name === name || fits(loosely(pair.name), pattern))
    return areMeant(
      found.flatMap(({ value }) => [value, percentDecoded(value)]),
      values,
    )
  })
}
