// The overlay's arithmetic: what the admin API changed, laid over what the configuration file says. Pure; new values only.

import { kindOfUrl, type PoolKind } from '../config/pool-kind.ts'
import {
  type AdminState,
  type BackendSettings,
  emptyPoolOverlay,
  type Overlay,
  type PoolOverlay,
} from './store/state-document.ts'

/** A backend as the configuration file has it, URL in normal form. */
export interface ConfiguredBackend {
  readonly url: string
  readonly weight: number
  readonly maxConnections: number
  readonly backup: boolean
}

/** A backend as it shall run. */
export interface DesiredBackend extends ConfiguredBackend {
  readonly state: AdminState
}

export type ConfiguredPools = ReadonlyMap<string, readonly ConfiguredBackend[]>
export type DesiredPools = ReadonlyMap<string, readonly DesiredBackend[]>

const defaults = { weight: 1, maxConnections: 0, backup: false, state: 'up' as const }

const poolOf = (overlay: Overlay, pool: string): PoolOverlay =>
  Object.hasOwn(overlay, pool) ? overlay[pool]! : emptyPoolOverlay

function withPool(overlay: Overlay, pool: string, next: PoolOverlay): Overlay {
  const { [pool]: _, ...others } = overlay
  const empty = next.removed.length + Object.keys(next.added).length + Object.keys(next.patched).length === 0
  return empty ? others : { ...others, [pool]: next }
}

const without = <T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> => {
  const { [key]: _, ...rest } = record
  return rest
}

/** The backends of every pool as they shall run: configured ones not removed, patched, then the added ones. */
export function mergeOverlay(configured: ConfiguredPools, overlay: Overlay): DesiredPools {
  const desired = new Map<string, readonly DesiredBackend[]>()
  for (const [pool, backends] of configured) {
    const { added, removed, patched } = poolOf(overlay, pool)
    const gone = new Set(removed)
    const kept = backends.filter((backend) => !gone.has(backend.url))
    desired.set(pool, [
      ...kept.map((backend) => ({ ...defaults, ...backend, ...patched[backend.url] })),
      ...Object.entries(added).map(([url, settings]) => ({ ...defaults, url, ...settings })),
    ])
  }
  return desired
}

/** Whether the configuration file names the backend. */
export const isConfigured = (configured: ConfiguredPools, pool: string, url: string): boolean =>
  configured.get(pool)?.some((backend) => backend.url === url) ?? false

/** A backend joins a pool: a new one, or a configured one that had been removed. `settings` holds what was asked for. */
export function withAdded(
  configured: ConfiguredPools,
  overlay: Overlay,
  at: { readonly pool: string; readonly url: string },
  settings: BackendSettings,
): Overlay {
  const pool = poolOf(overlay, at.pool)
  const removed = pool.removed.filter((url) => url !== at.url)
  if (!isConfigured(configured, at.pool, at.url)) {
    return withPool(overlay, at.pool, { ...pool, added: { ...pool.added, [at.url]: settings } })
  }
  const patched = without(pool.patched, at.url)
  if (Object.keys(settings).length > 0) patched[at.url] = settings
  return withPool(overlay, at.pool, { ...pool, removed, patched })
}

export function withRemoved(configured: ConfiguredPools, overlay: Overlay, poolName: string, url: string): Overlay {
  const pool = poolOf(overlay, poolName)
  const removed = isConfigured(configured, poolName, url) ? [...pool.removed, url] : pool.removed
  return withPool(overlay, poolName, {
    added: without(pool.added, url),
    removed,
    patched: without(pool.patched, url),
  })
}

/** Settings of a backend change; the ones not named stay. */
export function withPatched(
  overlay: Overlay,
  at: { readonly pool: string; readonly url: string },
  settings: BackendSettings,
): Overlay {
  const pool = poolOf(overlay, at.pool)
  const where = at.url in pool.added ? 'added' : 'patched'
  const { state, ...merged } = { ...pool[where][at.url], ...settings }
  // `up` is what a backend is anyway.
  const next = state === undefined || state === 'up' ? merged : { ...merged, state }
  const record = without(pool[where], at.url)
  if (where === 'added' || Object.keys(next).length > 0) record[at.url] = next
  return withPool(overlay, at.pool, { ...pool, [where]: record })
}

/** The overlay for another configuration: what no longer means anything is dropped and said. */
export function pruneOverlay(configured: ConfiguredPools, overlay: Overlay): { overlay: Overlay; dropped: string[] } {
  const dropped: string[] = []
  let result: Overlay = {}
  for (const [name, pool] of Object.entries(overlay)) {
    if (!configured.has(name)) {
      dropped.push(`pool ${name} is no longer configured: what was changed in it is forgotten`)
      continue
    }
    result = withPool(result, name, prunePool({ configured, dropped }, name, pool))
  }
  return { overlay: result, dropped }
}

/** The file may have turned an HTTP pool into a TCP pool since. */
function isOfOtherKind(url: string, kinds: ReadonlySet<PoolKind | null>): boolean {
  const kind = kindOfUrl(url)
  return kind !== null && !kinds.has(kind) && (kinds.has('http') || kinds.has('tcp'))
}

function prunePool(
  { configured, dropped }: { readonly configured: ConfiguredPools; readonly dropped: string[] },
  name: string,
  pool: PoolOverlay,
): PoolOverlay {
  const known = (url: string): boolean => isConfigured(configured, name, url)
  const removed = pool.removed.filter(known)
  const added: Record<string, BackendSettings> = {}
  const patched: Record<string, BackendSettings> = {}
  for (const [url, settings] of Object.entries(pool.patched)) if (known(url)) patched[url] = settings
  const kinds = new Set(configured.get(name)?.map(({ url }) => kindOfUrl(url)))
  // A backend that was added by hand and then written into the file keeps what was said about it.
  for (const [url, settings] of Object.entries(pool.added)) {
    if (isOfOtherKind(url, kinds))
      dropped.push(`backend ${url} was added to pool ${name}, whose backends speak something else now: it is forgotten`)
    else if (!known(url)) added[url] = settings
    else if (Object.keys(settings).length > 0) patched[url] = settings
  }
  return { added, removed, patched }
}
