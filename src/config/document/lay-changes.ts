// What was changed while it ran, laid over what file and command line say: which changes still mean something, and which
// have lost against a file that was changed later.
import { redact } from '../redact.ts'
import { fromValue, type ObjectNode, type Source, type SourceNode, toValue } from '../source-tree.ts'
import { formatDocumentPath } from './format-path.ts'
import { identityIn, type Laid, layOver } from './lay-over.ts'
import { isEmptyByDefault, isSame, shapeOf } from './places.ts'
import type { Conflict, DocumentChange, DocumentPath, Json } from './types.ts'

export interface LaidChanges {
  readonly tree: ObjectNode
  /** In the order in which they were made. */
  readonly kept: readonly DocumentChange[]
  readonly conflicts: readonly Conflict[]
}

/** Stands for the file in the places of changed values. */
export interface ChangeSource extends Source {
  readonly change: DocumentChange
}

const isChangeSource = (source: Source): source is ChangeSource => 'change' in source

/** The change that a value comes from, if it comes from one. */
export const changeOf = (source: Source): DocumentChange | null => (isChangeSource(source) ? source.change : null)

/** Whose doing it is, for messages: in the place of the name of a file. */
export const sourceName = ({ by, at, revision }: DocumentChange): string =>
  `changed by ${by} at ${at}, revision ${revision}`

/**
 * A change is dropped in silence where the file says the same by now, and as a conflict where the file says something
 * else than it did when the change was made, or its place is gone.
 */
export function layChanges(tree: ObjectNode, changes: readonly DocumentChange[]): LaidChanges {
  if (changes.length === 0) return { tree, kept: [], conflicts: [] }
  const verdicts = judged(tree, changes)
  const lost = new Set(verdicts.filter(({ outcome }) => outcome === 'lost').map(({ change }) => groupOf(change.path)))
  const kept = verdicts.flatMap(({ outcome, change }) =>
    outcome === 'kept' && !lost.has(groupOf(change.path)) ? [change] : [],
  )
  const conflicts = verdicts.flatMap(({ outcome, change, now, isGone }) =>
    outcome !== 'arrived' && lost.has(groupOf(change.path)) ? [conflictOf(change, now, isGone)] : [],
  )
  return { tree: layOver(tree, kept.map(laid)) as ObjectNode, kept, conflicts }
}

function laid(change: DocumentChange): Laid {
  const source: ChangeSource = { name: sourceName(change), text: '', change }
  return {
    difference: change,
    node: change.value === undefined ? undefined : fromValue(change.value, source, change.path),
  }
}

interface Verdict {
  readonly change: DocumentChange
  readonly outcome: 'kept' | 'arrived' | 'lost'
  /** What the file says. */
  readonly now: Json | undefined
  readonly isGone: boolean
}

function judged(tree: ObjectNode, changes: readonly DocumentChange[]): Verdict[] {
  const places = new Places(tree)
  const before = new Map<string, Verdict['outcome']>()
  const inEnd = wholeValues(tree, changes)
  return changes.map((change) => {
    const { node, isGone } = places.find(change.path)
    const now = node === undefined ? undefined : (toValue(node) as Json)
    const end = inEnd(change.path)
    const verdict = verdictOn(change, { now, isGone, end, above: aboveOf(change.path, before) })
    before.set(keyOf(change.path), verdict.outcome)
    return verdict
  })
}

/** What a change and later ones of parts of it come to together; undefined where no part was changed later. */
function wholeValues(tree: ObjectNode, changes: readonly DocumentChange[]): (path: DocumentPath) => Json | undefined {
  const parents = new Set(changes.flatMap(({ path }) => path.slice(1).map((_, i) => keyOf(path.slice(0, i + 1)))))
  let places: Places | undefined
  return (path) => {
    if (!parents.has(keyOf(path))) return undefined
    places ??= new Places(layOver(tree, changes.map(laid)))
    const { node } = places.find(path)
    return node === undefined ? undefined : (toValue(node) as Json)
  }
}

interface Found {
  readonly now: Json | undefined
  readonly end: Json | undefined
  readonly isGone: boolean
  /** What became of an earlier change of something that this is a part of. */
  readonly above: Verdict['outcome'] | undefined
}

function verdictOn(change: DocumentChange, { now, isGone, end, above }: Found): Verdict {
  const parts = { now, isGone: isGone && above === undefined }
  // It was made to what that change has put there.
  if (above === 'lost') return { ...parts, change, outcome: 'lost' }
  if (above === 'kept') return { ...parts, change, outcome: 'kept' }
  if (!isGone && (isSame(now, change.value) || (end !== undefined && isSame(now, end))))
    return { ...parts, change, outcome: 'arrived' }
  if (above === 'arrived') {
    const { base: _, ...rest } = change
    return { ...parts, change: now === undefined ? rest : { ...rest, base: now }, outcome: 'kept' }
  }
  if (isGone && change.value === undefined) return { ...parts, change, outcome: 'arrived' }
  return { ...parts, change, outcome: !isGone && isSame(now, change.base) ? 'kept' : 'lost' }
}

const keyOf = (path: DocumentPath): string => JSON.stringify(path)

function aboveOf(path: DocumentPath, before: ReadonlyMap<string, Verdict['outcome']>): Verdict['outcome'] | undefined {
  for (let length = path.length - 1; length > 0; length--) {
    const outcome = before.get(keyOf(path.slice(0, length)))
    if (outcome !== undefined) return outcome
  }
  return undefined
}

/** Keys of which a route has exactly one: half of such a change would leave it with two, or with none. */
const actions = new Set(['pool', 'split', 'redirect', 'respond'])
/** Keys that belong to each other in the same way. */
const pairs = new Set(['method', 'path', 'host', 'expect', 'send', 'receive'])

/** Changes of one group are kept together, or lost together. */
function groupOf(path: DocumentPath): string {
  const [first, , third, fourth] = path
  if (first === 'routes' && path.length === 3 && actions.has(third!)) return keyOf([...path.slice(0, 2), 'action'])
  if (first === 'pools' && third === 'health_check' && pairs.has(fourth ?? '')) {
    return keyOf([...path.slice(0, 3), 'kind'])
  }
  return keyOf(path)
}

function conflictOf(change: DocumentChange, now: Json | undefined, isGone: boolean): Conflict {
  const { path, value, by, at } = change
  const place = formatDocumentPath(path)
  const shown = (of: Json | undefined): string => (of === undefined ? 'nothing' : short(redact(of, path)))
  const why = isGone ? 'that place is gone' : `the file was changed later and says ${shown(now)}`
  const what = value === undefined ? 'it was removed' : `it was set to ${shown(value)}`
  return {
    path,
    ...(now !== undefined && { file: redact(now, path) }),
    ...(value !== undefined && { api: redact(value, path) }),
    wins: 'file',
    message: `${place}: ${why}; that ${what} by ${by} at ${at} is forgotten`,
  }
}

function short(value: Json): string {
  const text = JSON.stringify(value)
  return text.length <= 80 ? text : Array.isArray(value) ? `a list of ${value.length}` : `${text.slice(0, 77)}…`
}

/** Finds what is at places of a tree. */
export function changePlaces(tree: SourceNode): (path: DocumentPath) => { node: SourceNode | undefined } {
  const places = new Places(tree)
  return (path) => places.find(path)
}

/** Finds many places in one tree: the items of a list are looked at once. */
class Places {
  readonly #root: SourceNode
  readonly #indexes = new Map<SourceNode, Map<string, SourceNode>>()

  constructor(root: SourceNode) {
    this.#root = root
  }

  /** `isGone`: there is nothing that it could be put into. */
  find(path: DocumentPath): { node: SourceNode | undefined; isGone: boolean } {
    let node: SourceNode | undefined = this.#root
    for (let i = 0; i < path.length; i++) {
      const at = path.slice(0, i)
      const shape = shapeOf(at)
      if (node === undefined) {
        if (!isEmptyByDefault(at)) return { node, isGone: true }
        continue
      }
      if (shape === 'list' && node.kind === 'array') node = this.#index(at, node).get(path[i]!)
      else if (shape === 'object' && node.kind === 'object') node = node.entries.get(path[i]!)
      else if (shape === 'object' && at.at(-2) === 'backends') node = undefined
      else return { node: undefined, isGone: true }
    }
    return { node, isGone: false }
  }

  #index(at: DocumentPath, node: SourceNode & { kind: 'array' }): Map<string, SourceNode> {
    const known = this.#indexes.get(node)
    if (known !== undefined) return known
    const index = new Map<string, SourceNode>()
    for (const item of node.items) {
      const identity = identityIn(at, item)
      if (identity !== null && !index.has(identity)) index.set(identity, item)
    }
    this.#indexes.set(node, index)
    return index
  }
}
