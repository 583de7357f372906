// Changes written into the file that they were laid over: comments and `${VAR}` stay where nothing changes.
import { isModule } from '../adapters/module.ts'
import { expand } from '../expand.ts'
import { type Environment, interpolate } from '../interpolate.ts'
import { ConfigError, type Problem } from '../problem.ts'
import { readSource } from '../read-source.ts'
import {
  fromValue,
  mapChildren,
  nodeAt,
  type ObjectNode,
  type ScalarNode,
  type SourceNode,
  toValue,
} from '../source-tree.ts'
import { differencesBetween } from './differences.ts'
import { JsonEditor } from './edit-json.ts'
import { edit, type TextEditor } from './edit-text.ts'
import { BehindAlias, YamlEditor } from './edit-yaml.ts'
import { formatDocumentPath } from './format-path.ts'
import { changePlaces } from './lay-changes.ts'
import { layOver } from './lay-over.ts'
import type { Difference, DocumentPath, Json } from './types.ts'
import { newSource, writtenForm } from './written-form.ts'

export interface SaveOptions {
  /** Its ending says what the text is. */
  readonly path: string
  readonly text: string
  readonly changes: readonly Difference[]
  /** For `${VAR}`; default: the environment of the process. */
  readonly env?: Environment | undefined
}

/**
 * The text with the changes in it. What was written flat stays flat. @throws ConfigError where the file is a program, is
 * broken, or has no place for a change.
 */
export function saveChanges({ path, text, changes, env = process.env }: SaveOptions): { text: string } {
  if (isModule(path)) {
    const hint = 'write them into it by hand; "frontdesk config diff" shows them'
    fail(path, [{ path: '', message: 'is a program, which changes cannot be written into', hint }])
  }
  if (changes.length === 0) return { text }
  const raw = readSource(path, text)
  const written = withVariables(raw, env)
  const before = expand(written, [])
  const after = laid(before, changes)
  refuseLost(path, after, changes)
  refuseEmpty(path, after)
  const target = writtenForm({ written, before, after })
  const bom = text.startsWith('\uFEFF') ? '\uFEFF' : ''
  const saved =
    bom + edited({ path, text: text.slice(bom.length), from: toValue(raw) as Json, to: asWritten(target, raw) })
  refuseWrong(path, expand(withVariables(readSource(path, saved), env), []), after)
  return { text: saved }
}

interface Words {
  readonly path: string
  readonly message: string
  readonly hint: string
}

function fail(file: string, words: readonly Words[]): never {
  throw new ConfigError(words.map((one): Problem => ({ file, line: 0, column: 0, value: undefined, ...one })))
}

/** What is not set is told when the file is loaded; here its text stands for it. */
const withVariables = (raw: ObjectNode, env: Environment): ObjectNode => interpolate(raw, env, []) as ObjectNode

function laid(before: ObjectNode, changes: readonly Difference[]): ObjectNode {
  const nodes = changes.map((difference) => ({
    difference,
    node: difference.value === undefined ? undefined : fromValue(difference.value, newSource, []),
  }))
  return layOver(before, nodes) as ObjectNode
}

/** What was said on the command line has no place in the file that a change of it could go to. */
function refuseLost(file: string, after: ObjectNode, changes: readonly Difference[]): void {
  const find = changePlaces(after)
  const lost = changes.filter(({ path, value }, i) => {
    if (value === undefined || isOverwritten(path, changes.slice(i + 1))) return false
    return find(path).node === undefined
  })
  if (lost.length === 0) return
  const hint = 'it may stand on the command line; write it into the file by hand'
  const message = 'cannot be saved: the file has no such place'
  fail(
    file,
    lost.map(({ path }) => ({ path: formatDocumentPath(path), message, hint })),
  )
}

/** A file that names a pool without backends is one that somebody has forgotten them in: it would not be read. */
function refuseEmpty(file: string, after: ObjectNode): void {
  const pools = after.entries.get('pools')
  const names = pools?.kind === 'object' ? [...pools.entries.keys()] : []
  const empty = names.filter((name) => {
    const list = nodeAt(after, ['pools', name, 'backends'])
    return list?.kind === 'array' && list.items.length === 0
  })
  if (empty.length === 0) return
  const message = 'cannot be saved: it has no backends any more, and a file needs one'
  const hint = 'add a backend, or remove the pool'
  fail(
    file,
    empty.map((name) => ({ path: formatDocumentPath(['pools', name]), message, hint })),
  )
}

const isOverwritten = (path: DocumentPath, later: readonly Difference[]): boolean =>
  later.some((other) => other.path.length <= path.length && other.path.every((step, i) => step === path[i]))

/** The plain value as the file has it: variables by their names, and literal ones escaped. */
function asWritten(node: SourceNode, raw: SourceNode): Json {
  return toValue(restored(node, raw)) as Json
}

function restored(node: SourceNode, raw: SourceNode): SourceNode {
  if (node.kind !== 'scalar') return mapChildren(node, (child) => restored(child, raw))
  if (node.origin.source === newSource) return escaped(node)
  if (node.interpolated !== true) return node
  return nodeAt(raw, node.origin.path) ?? escaped(node)
}

const escaped = (node: ScalarNode): ScalarNode =>
  typeof node.value === 'string' ? { ...node, value: node.value.replaceAll('${', () => '$${') } : node

function edited(o: { path: string; text: string; from: Json; to: Json }): string {
  const editor: TextEditor = /\.ya?ml$/i.test(o.path) ? new YamlEditor(o.text) : new JsonEditor(o.text)
  try {
    edit(editor, o.from, o.to)
  } catch (error) {
    if (!(error instanceof BehindAlias)) throw error
    const words = { message: 'stands behind an alias (*…), and would change elsewhere too', hint: 'write it out there' }
    fail(o.path, [{ path: error.path.join('.'), ...words }])
  }
  return editor.text()
}

/** What was written is read again: a file that says something else than was meant must not come about. */
function refuseWrong(file: string, saved: ObjectNode, wanted: ObjectNode): void {
  const wrong = differencesBetween(toValue(wanted) as Json, toValue(saved) as Json)
  if (wrong.length === 0) return
  const hint = 'write it into the file by hand'
  const message = 'cannot be saved in the form that this file is written in'
  fail(
    file,
    wrong.map(({ path }) => ({ path: formatDocumentPath(path), message, hint })),
  )
}
