// What was taken out while it ran: no value stands there any more that could say where it comes from.
import { formatDocumentPath } from './format-path.ts'
import type { DocumentChange, ValueOrigin } from './types.ts'

/** An entry for each place that a change has emptied, oldest first. */
export function removalsOf(changes: readonly DocumentChange[]): ValueOrigin[] {
  return changes
    .filter(({ value }) => value === undefined)
    .map(({ path, at, by, revision }) => ({
      path: formatDocumentPath(path),
      value: null,
      removed: true,
      origin: 'api',
      place: null,
      at,
      by,
      revision,
    }))
}
