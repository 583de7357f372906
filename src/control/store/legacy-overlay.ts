// What the first version of the state file said of backends, and what that is as changes of today.

import { differencesBetween } from '../../config/document/differences.ts'
import type { Json } from '../../config/document/types.ts'
import type { AdminState, AdminStates, SaidState } from './state-document.ts'

interface LegacySettings {
  readonly weight?: number
  readonly maxConnections?: number
  readonly backup?: boolean
  readonly state?: AdminState
}

interface LegacyPool {
  readonly added: Readonly<Record<string, LegacySettings>>
  readonly removed: readonly string[]
  readonly patched: Readonly<Record<string, LegacySettings>>
}

/** Backends that differ from the configuration file, by pool; keys are URLs in normal form. */
export type LegacyOverlay = Readonly<Record<string, LegacyPool>>

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

function isSettings(value: unknown): boolean {
  if (!isObject(value)) return false
  const { weight, maxConnections, backup, state } = value
  return (
    (weight === undefined || isCount(weight)) &&
    (maxConnections === undefined || isCount(maxConnections)) &&
    (backup === undefined || typeof backup === 'boolean') &&
    (state === undefined || state === 'up' || state === 'drain' || state === 'disabled')
  )
}

const isSettingsRecord = (value: unknown): boolean => isObject(value) && Object.values(value).every(isSettings)

function isPool(value: unknown): boolean {
  if (!isObject(value)) return false
  const { added, removed, patched } = value
  const urls = Array.isArray(removed) && removed.every((url) => typeof url === 'string')
  return urls && isSettingsRecord(added) && isSettingsRecord(patched)
}

export const isLegacyOverlay = (value: unknown): value is LegacyOverlay =>
  isObject(value) && Object.values(value).every(isPool)

/** What the file says with the changes in it; `backendsOf` gives the items of a pool's list, null = there is no such pool. */
export function documentOfLegacy(overlay: LegacyOverlay, backendsOf: (pool: string) => BackendItems | null) {
  const pools: Record<string, { before: Json[]; after: Json[] }> = {}
  const dropped: string[] = []
  for (const [name, { added, removed, patched }] of Object.entries(overlay)) {
    const items = backendsOf(name)
    if (items === null) {
      dropped.push(`pool ${name} is no longer configured: what was changed in it is forgotten`)
      continue
    }
    const before = [...items.values()]
    const kept = [...items].filter(([url]) => !removed.includes(url))
    const after = kept.map(([url, item]) => withSettings(item, patched[url] ?? added[url] ?? {}))
    for (const [url, settings] of Object.entries(added)) if (!items.has(url)) after.push(withSettings(url, settings))
    pools[name] = { before, after }
  }
  const side = (which: 'before' | 'after'): Json => ({
    pools: Object.fromEntries(Object.entries(pools).map(([name, pool]) => [name, { backends: pool[which] }])),
  })
  return { differences: differencesBetween(side('before'), side('after')), dropped }
}

/** Items of a pool's list in normal form, by URL in normal form. */
export type BackendItems = ReadonlyMap<string, Json>

function withSettings(item: Json, { weight, maxConnections, backup }: LegacySettings): Json {
  const said = {
    ...(weight !== undefined && { weight }),
    ...(maxConnections !== undefined && { max_connections: maxConnections }),
    ...(backup !== undefined && { backup }),
  }
  if (Object.keys(said).length === 0) return item
  return typeof item === 'string' ? { url: item, ...said } : { ...(item as Record<string, Json>), ...said }
}

/** What was said beside the configuration. */
export function statesOfLegacy(overlay: LegacyOverlay): AdminStates {
  const states: Record<string, Record<string, SaidState>> = {}
  for (const [pool, { added, patched }] of Object.entries(overlay)) {
    for (const [url, { state }] of [...Object.entries(added), ...Object.entries(patched)]) {
      if (state !== undefined && state !== 'up') states[pool] = { ...states[pool], [url]: { state } }
    }
  }
  return states
}
