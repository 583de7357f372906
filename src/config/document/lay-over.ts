// Differences laid over a source tree in normal form. Everything that is not touched keeps its place in its text.
import { type ArrayNode, type ObjectNode, type SourceNode, toValue } from '../source-tree.ts'
import { identityOf, isEmptyByDefault, isUnnamed, keyOfItems, shapeOf } from './places.ts'
import type { Difference, DocumentPath } from './types.ts'

export interface Laid {
  readonly difference: Difference
  /** What shall stand there; undefined = nothing. */
  readonly node: SourceNode | undefined
}

/** The tree with the differences in it, later ones over earlier ones. What leads to a place that is not there is passed over. */
export function layOver(root: SourceNode, laid: readonly Laid[]): SourceNode {
  return laidAt(root, [], laid) ?? root
}

/** What becomes of the node at `path`. */
function laidAt(node: SourceNode | undefined, path: DocumentPath, laid: readonly Laid[]): SourceNode | undefined {
  const whole = laid.findLastIndex(({ difference }) => difference.path.length === path.length)
  const start = whole === -1 ? node : laid[whole]!.node
  const deeper = laid.slice(whole + 1)
  const first = deeper[0]
  if (first === undefined) return start
  const shape = shapeOf(path)
  if (shape === 'list') return laidInList(start, path, deeper)
  return shape === 'object' ? laidInObject(start, path, deeper) : start
}

function laidInObject(
  start: SourceNode | undefined,
  path: DocumentPath,
  laid: readonly Laid[],
): SourceNode | undefined {
  const object = objectOf(start, path, laid[0]!)
  if (object === null) return start
  const entries = new Map(object.entries)
  for (const [key, group] of grouped(laid, path.length)) {
    const node = laidAt(entries.get(key), [...path, key], group)
    if (node === undefined) entries.delete(key)
    else entries.set(key, node)
  }
  // What nothing has been put into stays what it was.
  return start === undefined && entries.size === 0 ? undefined : { ...object, entries }
}

/** Null where there is no object that anything could be put into. */
function objectOf(node: SourceNode | undefined, path: DocumentPath, { node: like }: Laid): ObjectNode | null {
  if (node?.kind === 'object') return node
  if (node === undefined) {
    if (!isEmptyByDefault(path) || like === undefined) return null
    return { kind: 'object', origin: { ...like.origin, path: [...path] }, entries: new Map() }
  }
  const isUrl = node.kind === 'scalar' && path.at(-2) === 'backends'
  return isUrl ? { kind: 'object', origin: node.origin, entries: new Map([['url', node]]) } : null
}

interface Entry {
  readonly identity: string | null
  node: SourceNode | undefined
}

function laidInList(start: SourceNode | undefined, path: DocumentPath, laid: readonly Laid[]): SourceNode | undefined {
  const list = listOf(start, path, laid[0]!)
  if (list === null) return start
  const needsAll = laid.some(({ difference: { after } }) => typeof after === 'string' && isUnnamed(after))
  const entries: Entry[] = list.items.map((node) => ({ identity: identityIn(path, node, needsAll), node }))
  const known = new Map(entries.map((entry) => [entry.identity, entry]))
  for (const [identity, group] of grouped(laid, path.length)) {
    const entry = known.get(identity)
    const node = laidAt(entry?.node, [...path, identity], group)
    if (entry !== undefined) {
      // It stays for a while as the place that others come after.
      entry.node = node
      continue
    }
    if (node === undefined) continue
    const added = { identity, node }
    entries.splice(placeFor(entries, group.at(-1)!.difference.after), 0, added)
    known.set(identity, added)
  }
  const items = entries.flatMap(({ node }) => (node === undefined ? [] : [node]))
  return start === undefined && items.length === 0 ? undefined : { ...list, items }
}

function listOf(node: SourceNode | undefined, path: DocumentPath, { node: like }: Laid): ArrayNode | null {
  if (node !== undefined) return node.kind === 'array' ? node : null
  if (!isEmptyByDefault(path) || like === undefined) return null
  return { kind: 'array', origin: { ...like.origin, path: [...path] }, items: [] }
}

/** At the end, unless it is known after what it comes. */
function placeFor(entries: readonly Entry[], after: string | null | undefined): number {
  if (after === null) return 0
  const index = after === undefined ? -1 : entries.findIndex(({ identity }) => identity === after)
  return index === -1 ? entries.length : index + 1
}

/** The value of a whole route is only made where items without names matter. */
export function identityIn(list: DocumentPath, node: SourceNode, needsAll = false): string | null {
  const key = node.kind === 'object' ? node.entries.get(keyOfItems(list)) : node
  if (key?.kind === 'scalar') return identityOf(list, { [keyOfItems(list)]: key.value })
  return needsAll ? identityOf(list, toValue(node)) : null
}

/** By their step at this depth, in the order in which each first comes. */
function grouped(laid: readonly Laid[], depth: number): Map<string, Laid[]> {
  const groups = new Map<string, Laid[]>()
  for (const one of laid) {
    const step = one.difference.path[depth]!
    const group = groups.get(step)
    if (group === undefined) groups.set(step, [one])
    else group.push(one)
  }
  return groups
}
