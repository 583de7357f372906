// A configuration as it was written: values that remember where they stand. Adapters make it, everything else reads it.

export type Path = readonly (string | number)[]

/** Where a value stands in its text. */
export interface Origin {
  readonly source: Source
  /** Path in the text, which may differ from the place in an expanded tree. */
  readonly path: Path
  /** Offset of the value; -1 where there is no text (command line). */
  readonly at: number
  /** Offset of its key; the same as `at` for array elements and the root. */
  readonly keyAt: number
}

/** A text and its name in messages. */
export interface Source {
  readonly name: string
  readonly text: string
}

export interface ObjectNode {
  readonly kind: 'object'
  readonly origin: Origin
  readonly entries: ReadonlyMap<string, SourceNode>
}
export interface ArrayNode {
  readonly kind: 'array'
  readonly origin: Origin
  readonly items: readonly SourceNode[]
}
export interface ScalarNode {
  readonly kind: 'scalar'
  readonly origin: Origin
  readonly value: string | number | boolean | null
  /** A variable was put in: the text of a number may stand for the number. */
  readonly interpolated?: boolean
}
export type SourceNode = ObjectNode | ArrayNode | ScalarNode

/** The plain value. */
export function toValue(node: SourceNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'array') return node.items.map(toValue)
  const value: Record<string, unknown> = {}
  for (const [key, child] of node.entries) {
    // A plain assignment would set the prototype.
    if (key === '__proto__') Object.defineProperty(value, key, { value: toValue(child), enumerable: true })
    else value[key] = toValue(child)
  }
  return value
}

/** The tree with every child of a node replaced; the same object where nothing is. */
export function mapChildren(node: SourceNode, map: (child: SourceNode) => SourceNode): SourceNode {
  if (node.kind === 'array') {
    const items = node.items.map(map)
    return items.every((item, i) => item === node.items[i]) ? node : { ...node, items }
  }
  if (node.kind === 'scalar') return node
  let entries: Map<string, SourceNode> | undefined
  for (const [key, child] of node.entries) {
    const mapped = map(child)
    if (mapped !== child) entries = (entries ?? new Map(node.entries)).set(key, mapped)
  }
  return entries === undefined ? node : { ...node, entries }
}

/** A tree out of a plain value that stands in no text, such as the command line's. */
export function fromValue(value: unknown, source: Source, path: Path): SourceNode {
  const origin: Origin = { source, path, at: -1, keyAt: -1 }
  if (Array.isArray(value)) {
    return { kind: 'array', origin, items: value.map((item, i) => fromValue(item, source, [...path, i])) }
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, child]) => child !== undefined)
    return {
      kind: 'object',
      origin,
      entries: new Map(entries.map(([key, child]) => [key, fromValue(child, source, [...path, key])])),
    }
  }
  return { kind: 'scalar', origin, value: value as ScalarNode['value'] }
}

export function child(node: SourceNode, step: string | number): SourceNode | undefined {
  if (node.kind === 'object') return node.entries.get(String(step))
  return node.kind === 'array' ? node.items[Number(step)] : undefined
}

/** The node at `path`, or undefined. */
export function nodeAt(root: SourceNode, path: Path): SourceNode | undefined {
  let node: SourceNode | undefined = root
  for (const step of path) {
    node = child(node, step)
    if (node === undefined) return undefined
  }
  return node
}

/** The deepest node on the way to `path`, and the steps that lead nowhere. */
export function nearest(root: SourceNode, path: Path): { node: SourceNode; missing: Path } {
  let node = root
  for (let i = 0; i < path.length; i++) {
    const next = child(node, path[i]!)
    if (next === undefined) return { node, missing: path.slice(i) }
    node = next
  }
  return { node, missing: [] }
}

/** The tree with the node at `path` replaced, added (last step, objects only), or removed (`replacement` undefined). */
export function replaced(root: SourceNode, path: Path, replacement: SourceNode | undefined): SourceNode {
  const [step, ...rest] = path
  if (step === undefined) return replacement ?? root
  if (root.kind === 'array') {
    const items = root.items.flatMap((item, i) => {
      if (i !== Number(step)) return [item]
      return rest.length === 0 ? (replacement === undefined ? [] : [replacement]) : [replaced(item, rest, replacement)]
    })
    return { ...root, items }
  }
  if (root.kind === 'scalar') return root
  const entries = new Map(root.entries)
  const key = String(step)
  const existing = entries.get(key)
  if (rest.length > 0) {
    if (existing !== undefined) entries.set(key, replaced(existing, rest, replacement))
  } else if (replacement === undefined) {
    entries.delete(key)
  } else {
    entries.set(key, replacement)
  }
  return { ...root, entries }
}

/** `pools.api.backends[0]`, `pools["a b"]`; '' for the root. */
export function formatPath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[A-Za-z_$][\w$-]*$/.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(step)}]`
  }
  return text
}

const lineStarts = new WeakMap<Source, readonly number[]>()

function startsOf(source: Source): readonly number[] {
  const known = lineStarts.get(source)
  if (known !== undefined) return known
  const starts = [0, ...Array.from(source.text.matchAll(/\r\n|\r|\n/g), (match) => match.index + match[0].length)]
  lineStarts.set(source, starts)
  return starts
}

/** Line and column, both from 1, of an offset. */
export function lineAndColumn(source: Source, offset: number): { line: number; column: number } {
  const starts = startsOf(source)
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - starts[low]! + 1 }
}
