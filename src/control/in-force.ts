// What runs now: the configuration in its layers, and what was said beside it.

import type { Config } from '../config/config.ts'
import type { Conflict, DocumentChange, Json } from '../config/document/types.ts'
import type { LoadedConfig } from '../config/load.ts'
import { redact } from '../config/redact.ts'
import { type DesiredPools, desiredPools } from './desired.ts'
import { knownStates } from './history.ts'
import type { AdminStates, HistoryEntry } from './store/state-document.ts'

export interface InForce {
  /** Grows by one with every change. */
  readonly revision: number
  /** File and command line as they were read last. */
  readonly loaded: LoadedConfig
  /** What `config.plugins` have brought. */
  readonly plugins: LoadedConfig['plugins']
  /** Absolute names of the files that have been read for it. */
  readonly files: readonly string[]
  /** With all changes in it. */
  readonly config: Config
  /** What file and command line say, in normal form; secrets included. */
  readonly file: Json
  /** The same with all changes in it. */
  readonly whole: Json
  readonly changes: readonly DocumentChange[]
  readonly states: AdminStates
  readonly desired: DesiredPools
  /** Oldest first. */
  readonly history: readonly HistoryEntry[]
}

/** What shall run; what is left out stays as it is. */
export interface Proposal {
  readonly config: Config
  readonly loaded?: LoadedConfig
  readonly plugins?: LoadedConfig['plugins']
  readonly files?: readonly string[]
  readonly file?: Json
  readonly whole?: Json
  readonly changes?: readonly DocumentChange[]
  readonly states?: AdminStates
  /** Changes that the file has overtaken. */
  readonly conflicts?: readonly Conflict[]
  /** Nothing but backends and what is said of them is other than before. */
  readonly onlyBackends?: boolean
  /** Nothing is asked for: files of certificates may have changed. */
  readonly isRefresh?: boolean
  /** How long backends that are not in it any more may finish. */
  readonly drainMs?: number
}

/** A configuration that was loaded with changes over it, as a proposal. */
export function proposalOf(loaded: LoadedConfig): Proposal {
  const { config, documents, kept, conflicts, plugins, files } = loaded
  return { loaded, plugins, files, config, file: documents.file, whole: documents.whole, changes: kept, conflicts }
}

/** What runs once the proposal is in force; what was said of backends that are not there any more is forgotten. */
export function following(now: InForce, proposal: Proposal): InForce {
  const { loaded, plugins, files, config, file, whole, changes } = { ...now, ...proposal }
  const urls = new Map(
    Object.entries(config.pools).map(([name, { backends }]) => [name, new Set(backends.map(({ url }) => url))]),
  )
  const states = knownStates(proposal.states ?? now.states, (pool, url) => urls.get(pool)?.has(url) ?? false)
  const desired = desiredPools(config, states)
  return { ...now, loaded, plugins, files, config, file, whole, changes, states, desired }
}

/** Where file and API say different things: changes that the file has overtaken, and new ones that are put over it. */
export function conflictsOf(proposal: Proposal, { changes }: InForce, revision: number): Conflict[] {
  const overtaken = proposal.conflicts ?? []
  const over = changes.filter((change) => change.revision === revision && change.base !== undefined)
  return [...overtaken, ...over.map(({ path, base, value }) => overFile(path, base!, value))].map(withoutSecrets)
}

function overFile(path: Conflict['path'], file: Json, value: Json | undefined): Conflict {
  const message =
    'the file says otherwise: this change wins until that place in the file changes, or the change is saved into it'
  return { path, file, ...(value !== undefined && { api: value }), wins: 'api', message }
}

const withoutSecrets = (conflict: Conflict): Conflict => ({
  ...conflict,
  ...(conflict.file !== undefined && { file: redact(conflict.file, conflict.path) }),
  ...(conflict.api !== undefined && { api: redact(conflict.api, conflict.path) }),
})
