// What a backend is asked about on behalf of the cache: conditions of its own in the place of the client's (RFC 9111 §4.3.1).
import type { StoredEntry } from '../../state/cache/types.ts'
import { FieldChanges } from '../hygiene/field-changes.ts'
import type { CacheRequest } from './policy/request.ts'
import { conditionalFields } from './policy/validate.ts'
import { type Prepared, preparedOf } from './stored-answer.ts'

/** Of one URL, in one conditional request. */
const MAX_CANDIDATES = 16
const CONDITIONS = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'range', 'if-range']

type Candidates = readonly Prepared<StoredEntry>[]
const nothing: Candidates = []

export class ConditionsAsked {
  /** What the backend is asked about; empty = it is asked for the answer itself. */
  candidates: Candidates = nothing
  /** Takes the client's conditions out of the request, and ours in; null = it goes out as it came. */
  changes: FieldChanges | null = null

  /** The client's own conditions are ours to answer once the backend has. `leads`: others wait for what this request brings. */
  about(candidates: Candidates, request: CacheRequest, leads: boolean): void {
    const lines = candidates.length === 0 ? '' : conditionalFields(candidates)
    // What is known to be for one client alone is asked for as that one does.
    if (lines === '' && !leads) return
    const { ifNoneMatch, ifModifiedSince, range } = request
    if (lines === '' && ifNoneMatch === '' && ifModifiedSince === '' && range === '') return
    this.candidates = lines === '' ? nothing : candidates
    this.changes = withoutConditions()
    this.changes.lines = lines
  }

  /** Without any: of what was stored nothing is left that could be served. */
  none(): void {
    this.candidates = nothing
    this.changes = withoutConditions()
  }
}

function withoutConditions(): FieldChanges {
  const changes = new FieldChanges()
  for (const name of CONDITIONS) changes.remove(name)
  return changes
}

/** What a backend may say is still good: the entry for this request first, then its siblings. */
export function candidatesAmong(
  variants: readonly StoredEntry[],
  entry: StoredEntry | null,
  partition: string,
): Candidates {
  if (variants.length === 0) return nothing
  const found = entry === null ? [] : [preparedOf(entry)]
  for (const other of variants) {
    if (other === entry || found.length >= MAX_CANDIDATES) continue
    const prepared = preparedOf(other)
    const { selector, etag } = prepared
    if (selector.partition === partition && selector.coding === '' && etag !== '') found.push(prepared)
  }
  return found
}
