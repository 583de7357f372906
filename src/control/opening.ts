// What a control plane begins with: the configuration, the state file, and what was changed in earlier lives laid over it.

import { randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import type { LoadedConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import type { Log } from '../core/log.ts'
import { withEntry } from './history.ts'
import { following, type InForce, proposalOf } from './in-force.ts'
import { backendItems } from './overlay.ts'
import { digestOf } from './store/document-digest.ts'
import type { FileSystem } from './store/file-system.ts'
import { documentOfLegacy, statesOfLegacy } from './store/legacy-overlay.ts'
import type { LegacyStateDocument, StateDocument } from './store/state-document.ts'
import { StateStore } from './store/state-store.ts'

export interface Opening {
  /** null = changes live as long as the process. */
  readonly store: StateStore | null
  /** What the state file holds beside what changes. */
  readonly kept: Pick<StateDocument, 'stickySecret' | 'configuration'>
  /** The state file did not exist, or could not be used. */
  readonly isFresh: boolean
  /** It holds something else than what runs now, as the file was changed while nothing ran. */
  readonly isOutdated: boolean
  readonly now: InForce
}

export interface OpeningOptions {
  readonly loaded: LoadedConfig
  readonly log: Log
  readonly fileSystem?: FileSystem | undefined
}

/** @throws ConfigError when the state file is another configuration's, or what it holds does not go with the file any more. */
export async function openState({ loaded, log, fileSystem }: OpeningOptions): Promise<Opening> {
  const path = loaded.config.stateFile
  if (path === null) return opened(loaded, null, freshDocument(), log)
  const { store, document, legacy } = await StateStore.open({ path, log, ...(fileSystem && { fileSystem }) })
  const found = document ?? (legacy === null ? null : convert(legacy, loaded, log))
  refuseForeign(found, loaded, path)
  const opening = await opened(loaded, store, found ?? freshDocument(), log)
  return { ...opening, isFresh: found === null }
}

const freshDocument = (): StateDocument => ({
  revision: 1,
  stickySecret: randomBytes(32).toString('hex'),
  changes: [],
  states: {},
  history: [],
})

const ownerOf = ({ path }: LoadedConfig): { configuration?: string } =>
  path === null ? {} : { configuration: basename(path) }

/** Backends that were added to one configuration must not get the traffic of another that lies in the same folder. */
function refuseForeign(found: StateDocument | null, loaded: LoadedConfig, stateFile: string): void {
  const theirs = found?.configuration
  const ours = ownerOf(loaded).configuration
  if (theirs === undefined || ours === undefined || theirs === ours) return
  const message = `the state file ${stateFile} holds the changes made to ${theirs}, not to ${ours}`
  const hint = `give ${ours} a "state_file" of its own; if ${theirs} was renamed to ${ours}, rename or remove the state file, and its changes are forgotten`
  const place = { file: loaded.path ?? '', line: 0, column: 0, path: 'state_file' }
  throw new ConfigError([{ ...place, message, hint, value: stateFile }])
}

async function opened(
  loaded: LoadedConfig,
  store: StateStore | null,
  document: StateDocument,
  log: Log,
): Promise<Opening> {
  const { changes, states, stickySecret, configuration } = document
  const laid = changes.length === 0 ? loaded : await loaded.withChanges(changes)
  for (const { message } of laid.conflicts) log.event('warn', 'overlay_dropped', message)
  const proposal = proposalOf(laid)
  const { revision, history } = begun(document, loaded)
  const blank = { revision, desired: new Map(), plugins: [], files: [], file: null, whole: null, changes: [] }
  const before: InForce = { ...blank, ...proposal, loaded, config: laid.config, states, history }
  const now = following(before, { ...proposal, loaded })
  tellRestored(now, store?.path ?? '', log)
  const kept = { stickySecret, ...(configuration !== undefined && { configuration }), ...ownerOf(loaded) }
  const isOutdated = revision !== document.revision || laid.kept.length !== changes.length
  return { store, kept, isFresh: true, isOutdated, now }
}

/**
 * The first revision that can be gone back to is the one it began with. Where the file has changed since, what begins is
 * another revision: nobody who knows the last one knows it, and from it there is no way back to what ran on another file.
 */
function begun(
  { revision, history, fileDigest }: StateDocument,
  { documents }: LoadedConfig,
): Pick<StateDocument, 'revision' | 'history'> {
  const start = { at: new Date().toISOString(), by: 'start', cause: 'start' }
  if (fileDigest !== undefined && fileDigest !== digestOf(documents.file)) {
    const changes = ['started with another file or command line']
    const entry = { ...start, revision: revision + 1, changes, undo: null }
    return { revision: entry.revision, history: withEntry(history, entry) }
  }
  if (history.length > 0) return { revision, history }
  return { revision, history: [{ ...start, revision, changes: [], undo: { differences: [], states: [] } }] }
}

/** What an older version has kept. */
function convert(legacy: LegacyStateDocument, loaded: LoadedConfig, log: Log): StateDocument {
  const { overlay, revision, ...rest } = legacy
  const { differences, dropped } = documentOfLegacy(overlay, (pool) => backendItems(loaded.documents.file, pool))
  for (const message of dropped) log.event('warn', 'overlay_dropped', message)
  const stamp = { at: new Date().toISOString(), by: 'admin API', revision }
  const changes = differences.map((difference) => ({ ...difference, ...stamp }))
  return { ...rest, revision, changes, states: statesOfLegacy(overlay), history: [] }
}

/** An operator who looks at the file alone would not know why something else runs. */
function tellRestored({ changes, states, revision }: InForce, path: string, log: Log): void {
  const backends = changes.filter(({ path: [root, , list] }) => root === 'pools' && list === 'backends')
  const whole = backends.filter((change) => change.path.length === 4)
  const counts = [
    [whole.filter(({ value }) => value !== undefined).length, 'added'],
    [whole.filter(({ value }) => value === undefined).length, 'removed'],
    [new Set(backends.filter(({ path: at }) => at.length > 4).map(({ path: at }) => at[3])).size, 'changed'],
  ] as const
  const ofBackends = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`)
  const drained = Object.values(states).reduce((sum, pool) => sum + Object.keys(pool).length, 0)
  const others = changes.length - backends.length
  const parts = [
    ...(ofBackends.length === 0 ? [] : [`backends: ${ofBackends.join(', ')}`]),
    ...(drained === 0 ? [] : [`${drained} drained or disabled`]),
    ...(others === 0 ? [] : [`${others} other ${others === 1 ? 'change' : 'changes'}`]),
  ]
  if (parts.length === 0) return
  const message = `changes made over the admin API are in force again (${path}): ${parts.join('; ')}`
  log.event('info', 'state_restored', message, { path, revision })
}
