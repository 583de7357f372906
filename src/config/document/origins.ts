// Where each value of a checked configuration comes from: the long form beside the tree that it was made of.
import type { Config } from '../config.ts'
import { longFormWithSecrets } from '../long-form.ts'
import { commandLine } from '../overrides.ts'
import { redact } from '../redact.ts'
import { child, lineAndColumn, type Origin, type SourceNode } from '../source-tree.ts'
import { cacheNode } from './cache-node.ts'
import { formatDocumentPath } from './format-path.ts'
import { changeOf } from './lay-changes.ts'
import { identityOf, isObject, shapeOf } from './places.ts'
import type { DocumentPath, Json, ValueOrigin } from './types.ts'

/**
 * Every value, defaults included, in the order of the long form; secrets are `***`. `tree`: expanded, changes in it.
 * `isFile`: what is written stands in one; else a command has put it together.
 */
export function originsOf(config: Config, tree: SourceNode, { isFile = true } = {}): ValueOrigin[] {
  const found: ValueOrigin[] = []
  // The long form writes `${` so that it stands for itself in a file.
  const document = JSON.parse(JSON.stringify(longFormWithSecrets(config)).replaceAll('$${', () => '${')) as Json
  visit({ value: document, node: tree, root: tree, path: [], steps: [] }, found)
  return isFile ? found : found.map(ofCommand)
}

const ofCommand = (one: ValueOrigin): ValueOrigin =>
  one.origin === 'file' ? { ...one, origin: 'command_line', place: null } : one

interface Place {
  readonly value: Json
  /** What was written; undefined = nothing: it is a default. */
  readonly node: SourceNode | undefined
  readonly root: SourceNode
  readonly path: DocumentPath
  /** The same with indexes, by which secrets are known. */
  readonly steps: readonly (string | number)[]
}

function visit(place: Place, found: ValueOrigin[]): void {
  const { value, node, root, path, steps } = place
  if (Array.isArray(value) && shapeOf(path) === 'list') {
    value.forEach((item, i) => {
      const step = identityOf(path, item) ?? String(i)
      visit({ value: item, node: node && child(node, i), root, path: [...path, step], steps: [...steps, i] }, found)
    })
    return
  }
  if (isObject(value) && Object.keys(value).length > 0) {
    for (const [key, inner] of Object.entries(value)) {
      const own = partOf(node, key, path)
      const part = key === 'cache' && path[0] === 'routes' ? cacheNode(own, root) : own
      visit({ value: inner, node: part, root, path: [...path, key], steps: [...steps, key] }, found)
    }
    return
  }
  found.push(originOf(place))
}

/** A short form stands for every part of the long one; but a backend that is written as its URL says nothing else. */
function partOf(node: SourceNode | undefined, key: string, path: DocumentPath): SourceNode | undefined {
  if (node?.kind === 'object') return node.entries.get(key)
  if (path.at(-2) === 'backends') return key === 'url' ? node : undefined
  return node
}

function originOf({ value, node, path, steps }: Place): ValueOrigin {
  const shown = { path: formatDocumentPath(path), value: redact(value, steps) }
  const nobody = { at: null, by: null, revision: null }
  if (node === undefined) return { ...shown, origin: 'default', place: null, ...nobody }
  const change = changeOf(node.origin.source)
  if (change !== null) {
    const { at, by, revision } = change
    return { ...shown, origin: 'api', place: null, at, by, revision }
  }
  if (node.origin.source === commandLine) {
    return { ...shown, origin: 'command_line', place: flagOf(node.origin), ...nobody }
  }
  return { ...shown, origin: hasVariable(node) ? 'environment' : 'file', place: placeOf(node.origin), ...nobody }
}

/** As the command line names it: there a backend is one of several. */
function flagOf({ path }: Origin): string {
  const key = String(path[0] ?? '')
  return `--${key === 'backends' ? 'backend' : key.replaceAll('_', '-')}`
}

function placeOf({ source, at }: Origin): string {
  if (at < 0) return source.name
  const { line, column } = lineAndColumn(source, at)
  return `${source.name}:${line}:${column}`
}

function hasVariable(node: SourceNode): boolean {
  if (node.kind === 'scalar') return node.interpolated === true
  return node.kind === 'array' && node.items.some(hasVariable)
}
