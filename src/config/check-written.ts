// Judges a file as it was written, before flat keys move; what is wrong is cut out so that the rest can be judged too.
import { type Finding, findings } from './issues.ts'
import { knownKeys } from './known-keys.ts'
import { type Problem, problemAt } from './problem.ts'
import { fileForm, type LongForm } from './schema/file.ts'
import { namePattern } from './schema/scalars.ts'
import {
  formatPath,
  mapChildren,
  nodeAt,
  type ObjectNode,
  type Path,
  replaced,
  type ScalarNode,
  type SourceNode,
  toValue,
} from './source-tree.ts'

export interface CheckedTree {
  /** Without the parts that are wrong. */
  readonly tree: ObjectNode
  /** Routes need not be judged once more where the whole file is right: there may be thousands. Null = they must. */
  readonly routes: LongForm['routes'] | null
  /** Whether a problem at this path only follows from something that was cut out. */
  follows(problem: Problem): boolean
  /** Whether something at or below this path was cut out. */
  isCut(path: string): boolean
}

/** Adds every problem of single values, unknown keys and missing ones to `problems`. */
export function checkWritten(root: ObjectNode, problems: Problem[]): CheckedTree {
  const named = withoutPrototypes(root, problems) as ObjectNode
  const first = judge(named)
  const tree = retyped(named, first.found)
  const { found, routes } = tree === named ? first : judge(tree)
  // A variable that is not set has been reported; what its text fails to be is no news.
  const reported = new Set(problems.map((problem) => problem.path))
  problems.push(...found.map((finding) => finding.problem).filter((problem) => !reported.has(problem.path)))
  const unset = problems.filter((problem) => reported.has(problem.path)).map((problem) => problem.path)
  // Each once: an element of a list that has two problems must not take its neighbour along.
  const paths = [...new Map(found.map(({ cut: path }) => [formatPath(path), path])).values()]
  const cut = [...unset, ...paths.map(formatPath)]
  return {
    tree: paths.length === 0 ? tree : (wellFormed([...paths].sort(laterFirst).reduce(without, tree)) as ObjectNode),
    routes,
    follows: (problem) => cut.some((path) => within(problem.path, path) || within(path, problem.path)),
    isCut: (path) => cut.some((one) => within(one, path)),
  }
}

/** zod passes over a key `__proto__` in silence; here it is as unknown as any other. */
function withoutPrototypes(node: SourceNode, problems: Problem[]): SourceNode {
  if (node.kind === 'scalar') return node
  const rest = mapChildren(node, (child) => withoutPrototypes(child, problems))
  const proto = rest.kind === 'object' ? rest.entries.get('__proto__') : undefined
  if (rest.kind !== 'object' || proto === undefined) return rest
  problems.push(problemAt(proto.origin, { message: 'unknown key', hint: 'remove it', atKey: true }))
  return { ...rest, entries: new Map([...rest.entries].filter(([key]) => key !== '__proto__')) }
}

function judge(tree: SourceNode): { readonly found: readonly Finding[]; readonly routes: LongForm['routes'] | null } {
  const result = fileForm.safeParse(toValue(tree))
  if (result.success) return { found: [], routes: result.data.routes }
  return { found: findings(result.error.issues, tree, knownKeys), routes: null }
}

/** The text of a number, true or false that came from a variable becomes the value where the schema wants one. */
function retyped(tree: ObjectNode, found: readonly Finding[]): ObjectNode {
  return found.reduce((rest, { path }) => {
    const node = nodeAt(rest, path)
    if (node?.kind !== 'scalar' || node.interpolated !== true || typeof node.value !== 'string') return rest
    if (!/^(0|-?[1-9]\d{0,14}|true|false)$/.test(node.value)) return rest
    return replaced(rest, path, { ...node, value: JSON.parse(node.value) as ScalarNode['value'] }) as ObjectNode
  }, tree)
}

/** An object that lacks what it needs because that was cut out goes too. */
function wellFormed(tree: SourceNode): SourceNode {
  const [path] = judge(tree).found.map((finding) => finding.path.slice(0, -1))
  if (path === undefined || path.length === 0) return tree
  const rest = without(tree, path)
  return rest === tree ? tree : wellFormed(rest)
}

function without(tree: SourceNode, path: Path): SourceNode {
  const node = nodeAt(tree, path)
  if (node === undefined) return tree
  // A pool that is wrong still is one: listeners that name it are right.
  const isPool = path.length === 2 && path[0] === 'pools' && namePattern.test(String(path[1]))
  const rest = replaced(tree, path, isPool ? { kind: 'object', origin: node.origin, entries: new Map() } : undefined)
  const list = path.slice(0, -1)
  const emptied = nodeAt(rest, list)
  return list.at(-1) === 'backends' && emptied?.kind === 'array' && emptied.items.length === 0
    ? replaced(rest, list, undefined)
    : rest
}

/** Later elements of a list go first, so that the indexes of earlier ones stay true; inner parts before outer ones. */
function laterFirst(a: Path, b: Path): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [a[i]!, b[i]!]
    if (x === y) continue
    return typeof x === 'number' && typeof y === 'number' ? y - x : String(x) < String(y) ? -1 : 1
  }
  return b.length - a.length
}

function within(path: string, outer: string): boolean {
  return path === outer || (path.startsWith(outer) && /^[.[]/.test(path.slice(outer.length)))
}
