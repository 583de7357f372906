// YAML 1.2 → source tree. Aliases are followed, within bounds; keys are strings.
import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml'
import { type Problem, problemAt } from '../problem.ts'
import type { Origin, Source, SourceNode } from '../source-tree.ts'

/** Aliases can multiply a small text into a large tree; no configuration comes near either bound. */
const maxNodes = 200_000
const maxDepth = 100

/** The tree, or the problems with the syntax. */
export function parseYaml(source: Source): SourceNode | Problem[] {
  const document = parseDocument(source.text, { version: '1.2', uniqueKeys: true, prettyErrors: false })
  const broken = document.errors.map((error) => rootProblem(source, error.pos[0], `broken YAML: ${textOf(error)}`))
  if (broken.length > 0) return broken
  if (document.contents === null) return [rootProblem(source, 0, 'the file is empty')]
  const converter = new Converter(source, document)
  const root = converter.convert(document.contents, [], null, 0)
  return converter.problems.length > 0 ? converter.problems : root
}

/** The parser's own words, except where they are advice for programmers. */
function textOf({ code, message }: { readonly code: string; readonly message: string }): string {
  return code === 'MULTIPLE_DOCS' ? 'there is more than one document; keep one and remove the "---"' : oneLine(message)
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').replace(/[.:]$/, '')
}

function rootProblem(source: Source, offset: number, message: string): Problem {
  return problemAt({ source, path: [], at: offset, keyAt: offset }, { message })
}

class Converter {
  readonly problems: Problem[] = []
  readonly #source: Source
  readonly #document: Document
  #nodes = 0
  /** Resolving an alias walks the whole document. */
  readonly #resolved = new Map<Alias, unknown>()

  constructor(source: Source, document: Document) {
    this.#source = source
    this.#document = document
  }

  convert(node: unknown, path: Origin['path'], keyAt: number | null, depth: number): SourceNode {
    const target = isAlias(node) ? this.#resolve(node) : node
    const at = offsetOf(node) ?? keyAt ?? 0
    const origin: Origin = { source: this.#source, path, at, keyAt: keyAt ?? at }
    if (this.problems.length > 0) return { kind: 'scalar', origin, value: null }
    if (++this.#nodes > maxNodes || depth > maxDepth)
      return this.#refuse(origin, 'the document is too large or too deep')
    if (isSeq(target)) {
      const items = target.items.map((item, i) => this.convert(item, [...path, i], null, depth + 1))
      return { kind: 'array', origin, items }
    }
    if (isMap(target)) return { kind: 'object', origin, entries: this.#entries(target.items, path, depth) }
    return this.#scalar(target, origin)
  }

  #resolve(alias: Alias): unknown {
    if (!this.#resolved.has(alias)) this.#resolved.set(alias, alias.resolve(this.#document))
    return this.#resolved.get(alias)
  }

  #scalar(target: unknown, origin: Origin): SourceNode {
    const value = isScalar(target) ? target.value : null
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return { kind: 'scalar', origin, value }
    }
    return this.#refuse(origin, 'is a value of a kind that has no place here')
  }

  #entries(pairs: readonly { key: unknown; value: unknown }[], path: Origin['path'], depth: number) {
    const entries = new Map<string, SourceNode>()
    for (const { key, value } of pairs) {
      const keyAt = offsetOf(key) ?? 0
      const name = isScalar(key) && key.value !== null ? String(key.value) : null
      if (name === null) this.#refuse({ source: this.#source, path, at: keyAt, keyAt }, 'a key must be a string')
      else entries.set(name, this.convert(value, [...path, name], keyAt, depth + 1))
    }
    return entries
  }

  #refuse(origin: Origin, message: string): SourceNode {
    if (this.problems.length === 0) this.problems.push(problemAt(origin, { message }))
    return { kind: 'scalar', origin, value: null }
  }
}

function offsetOf(node: unknown): number | null {
  return (node as Node | null)?.range?.[0] ?? null
}
