// The one overlay: everything that was changed while it ran, over what file and command line say. Pure; new values only.

import { applyDifferences, differencesBetween } from '../config/document/differences.ts'
import { canonical, identityOf } from '../config/document/places.ts'
import type { Difference, DocumentChange, Json } from '../config/document/types.ts'
import type { BackendItems } from './store/legacy-overlay.ts'

/** Who made a change, when, and as which revision. */
export type Stamp = Pick<DocumentChange, 'at' | 'by' | 'revision'>

type JsonObject = { readonly [key: string]: Json }

/**
 * The changes that make of what the file says what is wanted. Those that were there before and say the same keep who made
 * them and when.
 */
export function changesTowards(
  file: Json,
  wanted: Json,
  known: readonly DocumentChange[],
  stamp: Stamp,
): DocumentChange[] {
  return stamped(differencesBetween(file, wanted), known, stamp)
}

function stamped(differences: readonly Difference[], known: readonly DocumentChange[], stamp: Stamp): DocumentChange[] {
  const byPlace = new Map(known.map((change) => [placeOf(change), change]))
  return differences.map((difference) => {
    const before = byPlace.get(placeOf(difference))
    const isOld = before !== undefined && canonical(before.value ?? null) === canonical(difference.value ?? null)
    const { at, by, revision } = isOld ? before : stamp
    return { ...difference, at, by, revision }
  })
}

const placeOf = ({ path, value }: Difference): string => JSON.stringify([path, value === undefined])

/** A document and the changes that lead to it. */
export interface Laid {
  readonly whole: Json
  readonly changes: readonly DocumentChange[]
}

export interface PoolAmendment {
  readonly file: Json
  readonly whole: Json
  readonly changes: readonly DocumentChange[]
  readonly pool: string
  /** The items of the pool's list as they shall be. */
  readonly backends: readonly Json[]
  readonly stamp: Stamp
}

/** Other backends in one pool: only that pool is looked at, however large the rest is. */
export function amendPool({ file, whole, changes, pool, backends, stamp }: PoolAmendment): Laid {
  const next = { ...poolIn(whole, pool), backends }
  const only = (one: Json | undefined): Json => ({ pools: one === undefined ? {} : { [pool]: one } })
  const isOfPool = ({ path }: Difference): boolean => path[0] === 'pools' && path[1] === pool
  const known = changes.filter(isOfPool)
  const ofPool = stamped(differencesBetween(only(poolIn(file, pool)), only(next)), known, stamp)
  const first = changes.findIndex(isOfPool)
  const others = changes.filter((change) => !isOfPool(change))
  const at = first === -1 ? others.length : changes.slice(0, first).filter((change) => !isOfPool(change)).length
  return {
    whole: withPool(whole, pool, next),
    changes: [...others.slice(0, at), ...ofPool, ...others.slice(at)],
  }
}

const objectAt = (value: Json | undefined, key: string): JsonObject | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const inner = Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as JsonObject) : undefined
}

const poolIn = (document: Json, pool: string): JsonObject | undefined => objectAt(objectAt(document, 'pools'), pool)

function withPool(document: Json, pool: string, next: Json): Json {
  return { ...(document as JsonObject), pools: { ...objectAt(document, 'pools'), [pool]: next } }
}

/** The items of a pool's list in a document, by URL in normal form; null = there is no such pool. */
export function backendItems(document: Json, pool: string): BackendItems | null {
  const found = poolIn(document, pool)
  if (found === undefined) return null
  const list = Array.isArray(found.backends) ? (found.backends as readonly Json[]) : []
  const at = ['pools', pool, 'backends']
  return new Map(list.map((item) => [identityOf(at, item) ?? canonical(item), item]))
}

/** The items with one that is other, new, or not there any more (null). One that the file names comes to its place there. */
export function withItem(
  items: BackendItems,
  { url, item }: { readonly url: string; readonly item: Json | null },
  file: BackendItems | null,
): BackendItems {
  const next = new Map(items)
  if (item === null) next.delete(url)
  else next.set(url, item)
  if (item === null || items.has(url) || !file?.has(url)) return next
  const names = [...file.keys()]
  const before = names.slice(0, names.indexOf(url)).findLast((name) => items.has(name))
  const entries = [...items]
  entries.splice(entries.findIndex(([name]) => name === before) + 1, 0, [url, item])
  return new Map(entries)
}

/** What may be said of a backend, by the names of the file. */
export interface BackendSettings {
  readonly weight?: number | undefined
  readonly max_connections?: number | undefined
  readonly backup?: boolean | undefined
}

const defaults: Required<BackendSettings> = { weight: 1, max_connections: 0, backup: false }

/** An item with other settings; what is the default is only written where it stands in `file`, the file's own item. */
export function itemWith(url: string, item: Json | undefined, settings: BackendSettings, file: Json | undefined): Json {
  const now: Record<string, Json> = item === undefined || typeof item === 'string' ? {} : { ...(item as JsonObject) }
  const written = typeof item === 'string' ? item : (now.url ?? url)
  const inFile = typeof file === 'object' && file !== null ? (file as JsonObject) : {}
  for (const key of Object.keys(defaults) as (keyof BackendSettings)[]) {
    const value = settings[key]
    if (value === undefined) continue
    if (value === defaults[key] && !Object.hasOwn(inFile, key)) delete now[key]
    else now[key] = value
  }
  const { url: _, ...rest } = now
  return Object.keys(rest).length === 0 && (file === undefined || typeof file === 'string')
    ? written
    : { ...rest, url: written }
}

/** The document with the changes in it. */
export const withChanges = (file: Json, changes: readonly DocumentChange[]): Json => applyDifferences(file, changes)
