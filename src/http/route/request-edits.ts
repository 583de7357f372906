// What a route and its steps change of a request, put together for each attempt.
import type { CacheVisit } from '../cache/visit.ts'
import { noEdits, type RequestEdits } from '../compose-head.ts'
import { nothingReserved } from '../hygiene/reserved-fields.ts'
import type { BackendRequestRecord } from '../steps/backend-request-record.ts'
import type { RequestRecord } from '../steps/request-record.ts'
import type { Route } from './route.ts'

/** `record`, `attempt`: null where nobody asks for them. `visit`: to the cache; null = there is none. */
export function requestEditsOf(
  { requestEdits: edits }: Route,
  record: RequestRecord | null,
  attempt: BackendRequestRecord | null,
  visit: CacheVisit | null,
): RequestEdits {
  const changes = record === null ? null : record.changes
  const attemptChanges = attempt === null ? null : attempt.changes
  const conditions = visit === null ? null : visit.changes
  const isUntouched = edits === null && changes === null && attemptChanges === null && conditions === null
  if (isUntouched) return visit === null ? noEdits : visit.facts.edits
  const lines = edits === null || edits.variable === null ? '' : edits.render(record!, null)
  return { edits, lines, changes, attemptChanges, conditions, normal: visit === null ? null : visit.facts.changes }
}

/**
 * What answers may vary by, as backends get it: what the client said without what the route takes out of it (`lookup`), with what
 * steps and the route say in its place. Fields of the route that are the same for all of its requests are left out: they tell
 * no two requests apart.
 */
export function askedLookup({ requestEdits: edits }: Route, record: RequestRecord | null, lookup: string): string {
  const asked = edits === null || edits.variable === null ? lookup : lookup + edits.render(record!, null)
  return record === null || record.changes === null ? asked : record.changes.applyTo(asked)
}

/** What no client may say, and what the header section of this request must not say: a backend may read both as one. */
export function unwantedTrailers(
  reserved: ReadonlySet<string>,
  { requestEdits }: Route,
  record: RequestRecord | null,
): ReadonlySet<string> {
  const edited = requestEdits?.removed ?? nothingReserved
  const changed = record?.changes?.removed ?? nothingReserved
  return reserved.union(edited).union(changed)
}
