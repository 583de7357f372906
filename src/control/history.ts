// The last revisions: who made each, when and how, and the way back. Pure; new values only.

import { applyDifferences } from '../config/document/differences.ts'
import type { Json } from '../config/document/types.ts'
import { ControlError } from './control-error.ts'
import type { AdminStates, FormerState, HistoryEntry, SaidState } from './store/state-document.ts'

export const maxEntries = 20
/** Lines of words that are kept of one change. */
const maxLines = 50
/** What the ways back may take in the state file, all together; older ones go first. */
const maxUndoBytes = 4 * 1024 * 1024

/** The history with one more entry, bounded. */
export function withEntry(history: readonly HistoryEntry[], entry: HistoryEntry): HistoryEntry[] {
  const bounded = { ...entry, changes: fewer(entry.changes) }
  return boundedUndo([...history, bounded].slice(-maxEntries))
}

function fewer(lines: readonly string[]): readonly string[] {
  if (lines.length <= maxLines) return lines
  return [...lines.slice(0, maxLines - 1), `${lines.length - maxLines + 1} more changes`]
}

/** Without a way back from one revision there is none from it to those before either. */
function boundedUndo(entries: readonly HistoryEntry[]): HistoryEntry[] {
  let room = maxUndoBytes
  const kept: HistoryEntry[] = []
  for (const entry of entries.toReversed()) {
    if (room > 0 && entry.undo !== null) room -= JSON.stringify(entry.undo).length
    kept.push(room > 0 ? entry : { ...entry, undo: null })
    if (entry.undo === null) room = 0
  }
  return kept.reverse()
}

/** What ran in an earlier revision. */
export interface Former {
  readonly revision: number
  readonly document: Json
  readonly states: AdminStates
}

/**
 * The document and states of an earlier revision; without a number, of the one before the last change.
 * @throws ControlError not-found
 */
export function formerOf(
  history: readonly HistoryEntry[],
  now: { readonly document: Json; readonly states: AdminStates },
  wanted: number | undefined,
): Former {
  const revision = wanted ?? history.at(-2)?.revision
  const at = history.findIndex((entry) => entry.revision === revision)
  const undone = history.slice(at + 1).reverse()
  const tooLarge = undone.find(({ undo }) => undo === null)
  if (revision === undefined || at === -1 || tooLarge !== undefined) throw unknownRevision(history, revision)
  let { document, states } = now
  for (const { undo } of undone) {
    document = applyDifferences(document, undo!.differences)
    states = withStates(states, undo!.states)
  }
  return { revision, document, states }
}

function unknownRevision(history: readonly HistoryEntry[], revision: number | undefined): ControlError {
  if (revision === undefined) return new ControlError('not-found', 'There is no revision before this one to go back to')
  const lastLost = history.findLastIndex(({ undo }) => undo === null)
  const known = history.slice(Math.max(0, lastLost)).map((entry) => entry.revision)
  const message = `is not one of ${known.join(', ')}`
  return new ControlError('not-found', `Revision ${revision} is not in the history, or there is no way back to it`, [
    { path: 'revision', message },
  ])
}

/** What was said of these backends is put back. */
export function withStates(states: AdminStates, former: readonly FormerState[]): AdminStates {
  let next = states
  for (const { pool, url, said } of former) next = withState(next, { pool, url }, said)
  return next
}

/** What is said of one backend; null = nothing. */
export function withState(
  states: AdminStates,
  { pool, url }: { readonly pool: string; readonly url: string },
  said: SaidState | null,
): AdminStates {
  const { [url]: _, ...others } = Object.hasOwn(states, pool) ? states[pool]! : {}
  const ofPool = said === null ? others : { ...others, [url]: said }
  const { [pool]: __, ...rest } = states
  return Object.keys(ofPool).length === 0 ? rest : { ...rest, [pool]: ofPool }
}

/** What has to be said to come from `after` to `before`. */
export function formerStates(before: AdminStates, after: AdminStates): FormerState[] {
  if (before === after) return []
  const former: FormerState[] = []
  for (const pool of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, next] = [before[pool] ?? {}, after[pool] ?? {}]
    for (const url of new Set([...Object.keys(old), ...Object.keys(next)])) {
      if (JSON.stringify(old[url]) !== JSON.stringify(next[url])) former.push({ pool, url, said: old[url] ?? null })
    }
  }
  return former
}

/** Without what is said of backends that are not there. */
export function knownStates(states: AdminStates, isThere: (pool: string, url: string) => boolean): AdminStates {
  let next = states
  for (const [pool, backends] of Object.entries(states)) {
    for (const url of Object.keys(backends)) if (!isThere(pool, url)) next = withState(next, { pool, url }, null)
  }
  return next
}
