// JSON with comments, edited in place: comments, trailing commas and the way it is written stay.
import { applyEdits, createScanner, type Edit, findNodeAtLocation, type Node, parseTree } from 'jsonc-parser'
import type { EditPath, TextEditor } from './edit-text.ts'
import { isObject } from './places.ts'
import type { Json } from './types.ts'

/** Characters that are parsed in a second, on a slow machine. */
const parsedInSecond = 20_000_000

export class JsonEditor implements TextEditor {
  readonly mostEdits: number
  #text: string
  /** Of the text as it is now; null = not parsed yet. */
  #tree: Node | undefined | null = null
  readonly #unit: string
  readonly #eol: string

  constructor(text: string) {
    this.#text = text
    // Each edit has the text parsed anew.
    this.mostEdits = Math.max(20, Math.floor(parsedInSecond / (text.length + 1)))
    // As the file has it: the first indented line tells.
    this.#unit = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  '
    this.#eol = text.includes('\r\n') ? '\r\n' : '\n'
  }

  text(): string {
    return this.#text
  }

  set(path: EditPath, value: Json): void {
    const there = this.#find(path)
    if (there !== undefined) {
      this.#replace(there, this.#written(value, there.offset))
      return
    }
    const parent = this.#parentOf(path)
    const key = `${JSON.stringify(path.at(-1))}: `
    this.#add(parent, parent.children?.length ?? 0, (at) => key + this.#written(value, at))
  }

  remove(path: EditPath): void {
    const value = this.#find(path)
    const item = value?.parent?.type === 'property' ? value.parent : value
    const siblings = item?.parent?.children ?? []
    if (item === undefined) throw new Error(`nothing to remove at ${path.join('.')}`)
    const last = siblings[siblings.indexOf(item) - 1]
    const { comma, end } = this.#behind(item.offset + item.length)
    const start = this.#startOf(item.offset)
    const before = last === undefined ? null : this.#behind(last.offset + last.length)
    if (comma !== null || before === null || before.comma === null) {
      this.#apply([{ offset: start, length: this.#endOf(end, start) - start, content: '' }])
      return
    }
    // Behind the item that is the last one now there is no comma, as there was none before.
    const from = start === item.offset ? before.end : Math.max(start, before.comma + 1)
    this.#apply([
      { offset: before.comma, length: 1, content: '' },
      { offset: from, length: end - from, content: '' },
    ])
  }

  insert(list: EditPath, index: number, value: Json): void {
    this.#add(this.#find(list)!, index, (at) => this.#written(value, at))
  }

  #find(path: EditPath): Node | undefined {
    if (this.#tree === null) this.#tree = parseTree(this.#text, [], { allowTrailingComma: true })
    const root = this.#tree
    return root === undefined || path.length === 0 ? root : findNodeAtLocation(root, [...path])
  }

  #parentOf(path: EditPath): Node {
    const parent = this.#find(path.slice(0, -1))
    if (parent === undefined) throw new Error(`nothing to edit at ${path.join('.')}`)
    return parent
  }

  #replace({ offset, length }: Pick<Node, 'offset' | 'length'>, content: string): void {
    this.#apply([{ offset, length, content }])
  }

  #apply(edits: readonly Edit[]): void {
    this.#text = applyEdits(this.#text, [...edits])
    this.#tree = null
  }

  /** Puts an item before the child of that index, or behind the last; `write` is told on whose line it comes to stand. */
  #add(parent: Node, index: number, write: (at: number) => string): void {
    const children = parent.children ?? []
    const before = children[index - 1]
    const isSpread = this.#text.slice(parent.offset, parent.offset + parent.length).includes('\n')
    if (children.length === 0) {
      this.#addFirst(parent, write)
      return
    }
    const place = before ?? children[0]!
    const item = write(isSpread ? place.offset : -1)
    const gap = isSpread ? this.#eol + this.#indentAt(place.offset) : ' '
    if (before === undefined) {
      this.#apply([{ offset: place.offset, length: 0, content: `${item},${gap}` }])
      return
    }
    const { comma, end } = this.#behind(before.offset + before.length)
    const isLast = index === children.length
    if (comma !== null) {
      // One that is there stays behind the last item, where that had one.
      this.#apply([{ offset: end, length: 0, content: `${gap}${item},` }])
      return
    }
    const offset = before.offset + before.length
    const content = isLast ? `${gap}${item}` : `${gap}${item},`
    if (end === offset) this.#apply([{ offset, length: 0, content: `,${content}` }])
    else
      this.#apply([
        { offset, length: 0, content: ',' },
        { offset: end, length: 0, content },
      ])
  }

  #addFirst({ offset, length }: Node, write: (at: number) => string): void {
    const outer = this.#indentAt(offset)
    const inside = this.#text.slice(offset + 1, offset + length - 1).trimEnd()
    const gap = this.#eol + outer + this.#unit
    const open = this.#text.slice(offset, offset + 1)
    const close = this.#text.slice(offset + length - 1, offset + length)
    this.#replace({ offset, length }, `${open}${inside}${gap}${write(offset)}${this.#eol}${outer}${close}`)
  }

  /** Where the comma behind an item is, and where both end, with the comments on that line. */
  #behind(offset: number): { comma: number | null; end: number } {
    const scanner = createScanner(this.#text, false)
    scanner.setPosition(offset)
    let comma: number | null = null
    let end = offset
    let isNextLine = false
    for (let kind = scanner.scan(); ; kind = scanner.scan()) {
      const next = scanner.getTokenOffset() + scanner.getTokenLength()
      if (kind === Token.lineBreak) {
        if (comma !== null) return { comma, end }
        isNextLine = true
      } else if (kind === Token.comma && comma === null) {
        comma = scanner.getTokenOffset()
        end = next
      } else if (kind === Token.lineComment || kind === Token.blockComment) {
        if (comma !== null || !isNextLine) end = next
      } else if (kind !== Token.space) return { comma, end }
    }
  }

  /** Where an item begins: at the end of the line before, if it stands first on its own. */
  #startOf(offset: number): number {
    const before = /\r?\n[ \t]*$/.exec(this.#text.slice(0, offset))
    return before === null ? offset : before.index
  }

  /** With the space behind, unless the item takes its line with it. */
  #endOf(end: number, start: number): number {
    if (/[\r\n]/.test(this.#text.charAt(start))) return end
    return end + /^[ \t]*/.exec(this.#text.slice(end, end + 200))![0].length
  }

  #indentAt(offset: number): string {
    const start = this.#text.lastIndexOf('\n', offset - 1) + 1
    return /^[ \t]*/.exec(this.#text.slice(start, offset))![0]
  }

  /** On one line where it is short, or stands on one with others (`at` -1); else as the rest of the file. */
  #written(value: Json, at: number): string {
    const line = inline(value)
    if (at < 0 || (line.length <= 60 && isShallow(value))) return line
    const spread = JSON.stringify(value, null, this.#unit)
    return spread.replaceAll('\n', this.#eol + this.#indentAt(at))
  }
}

/** Kinds of jsonc-parser's scanner, whose names are gone when types are. */
const Token = { comma: 5, lineComment: 12, blockComment: 13, lineBreak: 14, space: 15 } as const

const isShallow = (value: Json): boolean =>
  typeof value !== 'object' ||
  value === null ||
  Object.values(value).every((inner) => typeof inner !== 'object' || inner === null)

function inline(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${inline(inner)}`)
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}
