// How a document in normal form is taken apart: which objects and lists are changed piece by piece, what is one value, and
// what the items of lists are known by.
import { parseBackendUrl } from '../backend-url.ts'
import type { DocumentPath, Json } from './types.ts'

/** `value`: changed as a whole, whatever it is made of. */
export type Shape = 'object' | 'list' | 'value'

/**
 * Steps of paths whose parts are changed one by one; `*`: any. Everything else is one value: objects of several forms
 * (sticky, match, redirect …) make no sense when they are put together of two.
 */
const shapes: Readonly<Record<string, Shape>> = {
  '': 'object',
  listeners: 'list',
  'listeners/*': 'object',
  'listeners/*/tls': 'object',
  pools: 'object',
  'pools/*': 'object',
  'pools/*/backends': 'list',
  'pools/*/backends/*': 'object',
  'pools/*/health_check': 'object',
  'pools/*/passive_health': 'object',
  'pools/*/timeouts': 'object',
  'pools/*/retries': 'object',
  'pools/*/keepalive': 'object',
  routes: 'list',
  'routes/*': 'object',
  cache: 'object',
  cache_store: 'object',
  admin: 'object',
  limits: 'object',
  logging: 'object',
  'logging/access': 'object',
  shutdown: 'object',
}

/** Of those, the ones that mean the same empty as absent. */
const empties = new Set([
  'pools',
  'pools/*/backends',
  'pools/*/health_check',
  'pools/*/passive_health',
  'pools/*/timeouts',
  'pools/*/retries',
  'pools/*/keepalive',
  'routes',
  'limits',
  'logging',
  'shutdown',
])

/** Steps below these are names. */
const named = new Set(['listeners', 'pools', 'pools/*/backends', 'routes'])

function pattern(path: DocumentPath): string {
  let text = ''
  for (const step of path) {
    const next = named.has(text) ? '*' : step
    text = text === '' ? next : `${text}/${next}`
  }
  return text
}

export function shapeOf(path: DocumentPath): Shape {
  const key = pattern(path)
  return Object.hasOwn(shapes, key) ? shapes[key]! : 'value'
}

/** Whether nothing, and an empty object or list, mean the same here. */
export const isEmptyByDefault = (path: DocumentPath): boolean => empties.has(pattern(path))

/** The key that an item of this list is known by; items do not change it. */
export const keyOfItems = (list: DocumentPath): 'url' | 'name' => (list.at(-1) === 'backends' ? 'url' : 'name')

/** A name cannot begin like this: what follows is the whole item, which has none. */
const unnamed = '='

/** Whether an item is known by all of its content, as it has no name: such items are never changed one by one. */
export const isUnnamed = (identity: string): boolean => identity.startsWith(unnamed)

/** What an item of a list is known by; null = by nothing. */
export function identityOf(list: DocumentPath, item: unknown): string | null {
  if (keyOfItems(list) === 'url') return urlOf(item)
  const name = isObject(item) ? item.name : undefined
  if (typeof name === 'string') return name
  return name === undefined && list[0] === 'routes' ? `${unnamed}${canonical(item)}` : null
}

function urlOf(item: unknown): string | null {
  const url = isObject(item) ? item.url : item
  if (typeof url !== 'string') return null
  try {
    return parseBackendUrl(url).url
  } catch {
    return null
  }
}

export const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Objects whose keys are read in their order. */
const ordered = new Set(['alpn'])

/** A text that is the same for values that mean the same: the order of keys does not count, but for those where it does. */
export function canonical(value: unknown, key = ''): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item)).join()}]`
  if (!isObject(value)) return JSON.stringify(value) ?? 'null'
  const keys = Object.keys(value)
  if (!ordered.has(key)) keys.sort()
  return `{${keys.map((one) => `${JSON.stringify(one)}:${canonical(value[one], one)}`).join()}}`
}

/** Absent is undefined, which is not null. */
export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  if (typeof a !== 'object' || typeof b !== 'object') return false
  return canonical(a) === canonical(b)
}
