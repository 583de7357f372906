// What differs between two documents in normal form, piece by piece; and the way there and back.
import { fromValue, type Source, toValue } from '../source-tree.ts'
import { layOver } from './lay-over.ts'
import { identityOf, isEmptyByDefault, isObject, isSame, isUnnamed, keyOfItems, shapeOf } from './places.ts'
import type { Difference, DocumentPath, Json } from './types.ts'

/**
 * From one document to the other. Listeners and routes are compared by name, backends by URL; a list is one difference
 * where its items cannot be told apart, stand in another order, or have no name and differ. In which order listeners stand
 * is no difference.
 */
export function differencesBetween(from: Json, to: Json): Difference[] {
  const found: Difference[] = []
  compare({ from, to }, [], found)
  return found
}

/** The document with the differences in it. What leads to a place that is not there is passed over. */
export function applyDifferences(document: Json, differences: readonly Difference[]): Json {
  if (differences.length === 0) return document
  const root = fromValue(document, plain, [])
  const laid = differences.map((difference) => ({
    difference,
    node: difference.value === undefined ? undefined : fromValue(difference.value, plain, []),
  }))
  return toValue(layOver(root, laid)) as Json
}

/** The way back: applied to what the differences lead to, it gives what they came from. */
export function invert(differences: readonly Difference[]): Difference[] {
  return differences.map(({ path, value, base, after }) => ({
    path,
    ...(base !== undefined && { value: base }),
    ...(value !== undefined && { base: value }),
    ...(after !== undefined && { after }),
  }))
}

const plain: Source = { name: 'document', text: '' }

interface Pair {
  readonly from: Json | undefined
  readonly to: Json | undefined
}

function compare(pair: Pair, path: DocumentPath, found: Difference[]): void {
  const { from, to } = pair
  if (from === to) return
  const shape = shapeOf(path)
  if (shape === 'object' && compareObjects(pair, path, found)) return
  if (shape === 'list' && compareLists(pair, path, found)) return
  if (!isSame(from, to)) found.push(differenceOf(pair, path))
}

const differenceOf = ({ from, to }: Pair, path: DocumentPath): Difference => ({
  path,
  ...(to !== undefined && { value: to }),
  ...(from !== undefined && { base: from }),
})

function compareObjects({ from, to }: Pair, path: DocumentPath, found: Difference[]): boolean {
  const a = from ?? (isEmptyByDefault(path) ? {} : undefined)
  const b = to ?? (isEmptyByDefault(path) ? {} : undefined)
  // Null is no object, and means something else.
  if (from === null || to === null || !isObject(a) || !isObject(b)) return false
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    compare({ from: own(a, key), to: own(b, key) }, [...path, key], found)
  }
  return true
}

const own = (object: Record<string, Json>, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined

function compareLists({ from, to }: Pair, path: DocumentPath, found: Difference[]): boolean {
  const none = isEmptyByDefault(path) ? [] : undefined
  const a = from ?? none
  const b = to ?? none
  if (from === null || to === null || !Array.isArray(a) || !Array.isArray(b)) return false
  const before = byIdentity(path, a)
  const after = byIdentity(path, b)
  if (before === null || after === null || !areComparable(path, before, after)) return false
  let last: string | null = null
  for (const [identity, item] of before) {
    if (!after.has(identity)) found.push({ path: [...path, identity], base: item, after: last })
    last = identity
  }
  last = null
  for (const [identity, item] of after) {
    const old = before.get(identity)
    if (old === undefined) found.push({ path: [...path, identity], value: item, after: last })
    else if (!isUnnamed(identity)) {
      const pair = { from: withoutKey(path, old), to: withoutKey(path, item) }
      if (!compareObjects(pair, [...path, identity], found)) return false
    }
    last = identity
  }
  return true
}

/** Null where two items cannot be told apart. */
function byIdentity(path: DocumentPath, items: readonly Json[]): ReadonlyMap<string, Json> | null {
  const map = new Map<string, Json>()
  for (const item of items) {
    const identity = identityOf(path, item)
    if (identity === null || map.has(identity)) return null
    map.set(identity, item)
  }
  return map
}

/** What both have stands in the same order, which for listeners means nothing; what has no name is the same in both. */
function areComparable(
  path: DocumentPath,
  before: ReadonlyMap<string, Json>,
  after: ReadonlyMap<string, Json>,
): boolean {
  const strayed = (one: ReadonlyMap<string, Json>, other: ReadonlyMap<string, Json>): boolean =>
    [...one.keys()].some((identity) => isUnnamed(identity) && !other.has(identity))
  if (strayed(before, after) || strayed(after, before)) return false
  if (path[0] === 'listeners') return true
  const common = [...before.keys()].filter((identity) => after.has(identity))
  const there = [...after.keys()].filter((identity) => before.has(identity))
  return common.every((identity, i) => identity === there[i])
}

/** What it is known by is not compared: a URL may be written in several ways. */
function withoutKey(path: DocumentPath, item: Json): Json {
  if (!isObject(item)) return {}
  const { [keyOfItems(path)]: _, ...rest } = item
  return rest
}
