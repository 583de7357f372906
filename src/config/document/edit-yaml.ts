// YAML, edited in place: comments stay, and values that do not change keep the way they are written.
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type ToStringOptions,
} from 'yaml'
import type { EditPath, TextEditor } from './edit-text.ts'
import { isObject } from './places.ts'
import type { Json } from './types.ts'

/** Thrown where a value stands behind an alias: to change it there would change it elsewhere. */
export class BehindAlias extends Error {
  readonly path: EditPath

  constructor(path: EditPath) {
    super('stands behind an alias')
    this.path = path
  }
}

/** What stands beside a value is said of the place: of one that takes several lines it stands above them. */
function withComments(node: Node, there: Node | undefined): Node {
  const { commentBefore, comment } = there ?? {}
  if (isCollection(node) && node.flow !== true) {
    const lines = [commentBefore, comment].filter((one) => one != null)
    if (lines.length > 0) node.commentBefore = lines.join('\n')
  } else {
    if (commentBefore != null) node.commentBefore = commentBefore
    if (comment != null) node.comment = comment
  }
  return node
}

/** How the text is laid out, as far as it can be kept. */
function formatOf(source: string): ToStringOptions {
  const indents = Array.from(source.matchAll(/(?:^|\n)( +)[^\s#]/g), ([, spaces]) => spaces!.length)
  const isPadded = /[{[] +\S/.test(source) || !/(?<!\$)[{[][^\s\]}]/.test(source)
  return {
    indent: indents.length === 0 ? 2 : Math.min(8, ...indents),
    indentSeq: !/(?:^|\n)[^\s#][^\n]*:[ \t]*\r?\n-/.test(source),
    flowCollectionPadding: isPadded,
  }
}

export class YamlEditor implements TextEditor {
  /** It is parsed once. */
  readonly mostEdits = Number.POSITIVE_INFINITY
  readonly #document: Document
  readonly #source: string

  constructor(text: string) {
    this.#source = text
    this.#document = parseDocument(text, { version: '1.2', uniqueKeys: true })
  }

  text(): string {
    const text = this.#document.toString({ lineWidth: 0, ...formatOf(this.#source) })
    return this.#source.includes('\r\n') ? text.replace(/\r?\n/g, '\r\n') : text
  }

  set(path: EditPath, value: Json): void {
    const last = path.at(-1)
    if (last === undefined) {
      this.#document.contents = this.#document.createNode(value) as never
      return
    }
    const parent = this.#collection(path.slice(0, -1))
    const there = parent.get(last, true) as Node | undefined
    const isPlain = typeof value !== 'object' || value === null
    // The node stays where only its value changes: its comment is a part of it.
    if (isScalar(there) && isPlain) {
      there.value = value
      delete there.source
      delete there.format
    } else parent.set(last, withComments(this.#node(value, isCollection(there) && there.flow === true), there))
  }

  remove(path: EditPath): void {
    this.#collection(path.slice(0, -1)).delete(path.at(-1))
  }

  insert(list: EditPath, index: number, value: Json): void {
    const seq = this.#collection(list)
    if (!isSeq(seq)) throw new Error(`no list at ${list.join('.')}`)
    const neighbour = seq.items[0]
    seq.items.splice(index, 0, this.#node(value, isCollection(neighbour) && neighbour.flow === true))
  }

  /** Small objects are written as their neighbours are. */
  #node(value: Json, flow: boolean): Node {
    const node = this.#document.createNode(value)
    if (flow && isCollection(node) && isObject(value)) node.flow = true
    return node
  }

  #collection(path: EditPath) {
    let node: unknown = this.#document.contents
    for (let i = 0; i <= path.length; i++) {
      if (isAlias(node)) throw new BehindAlias(path.slice(0, i))
      if (!isMap(node) && !isSeq(node)) throw new Error(`nothing to edit at ${path.join('.')}`)
      if (i === path.length) return node
      node = node.get(path[i], true)
    }
    throw new Error('unreachable')
  }
}
