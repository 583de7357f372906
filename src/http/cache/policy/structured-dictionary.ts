// Dictionaries of Structured Fields (RFC 9651 §3.2, §4.2.2) as far as a targeted field needs them (RFC 9213 §2.1).

import { trimmed } from '../../../util/field-block.ts'

/** A value without its parameters, which are checked and ignored. */
export type Member =
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'other' }

const BLANKS = /[\t ]*/y
const SPACES = / */y
const KEY = /[a-z*][a-z0-9_\-.*]*/y
const NUMBER = /-?(?:[0-9]{1,12}\.[0-9]{1,3}|[0-9]{1,15})(?![0-9.])/y
const STRING = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y
const BYTES = /:[A-Za-z0-9+/=]*:/y
const BOOLEAN = /\?[01]/y
const DATE = /@-?[0-9]{1,15}(?![0-9.])/y
const DISPLAY = /%"(?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*"/y

const other: Member = { kind: 'other' }
const yes: Member = { kind: 'boolean', value: true }

/** All members; null = it is no dictionary. An empty one is an empty map. Of a key that comes twice the last counts. */
export function parseDictionary(text: string): ReadonlyMap<string, Member> | null {
  return new Parser(text).dictionary()
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = trimmed(text, 0, text.length)
  }

  dictionary(): Map<string, Member> | null {
    const members = new Map<string, Member>()
    while (this.#at < this.#text.length) {
      const key = this.#take(KEY)
      if (key === null) return null
      const member = this.#takeChar('=') ? this.#value() : yes
      if (member === null || !this.#parameters()) return null
      members.delete(key)
      members.set(key, member)
      this.#take(BLANKS)
      if (this.#at === this.#text.length) break
      if (!this.#takeChar(',')) return null
      this.#take(BLANKS)
      // A comma at the end.
      if (this.#at === this.#text.length) return null
    }
    return members
  }

  #value(): Member | null {
    return this.#text[this.#at] === '(' ? this.#innerList() : this.#bareItem()
  }

  #innerList(): Member | null {
    this.#at++
    for (;;) {
      this.#take(SPACES)
      if (this.#takeChar(')')) return other
      if (this.#bareItem() === null || !this.#parameters()) return null
      const next = this.#text[this.#at]
      if (next !== ' ' && next !== ')') return null
    }
  }

  #bareItem(): Member | null {
    const number = this.#take(NUMBER)
    if (number !== null) return number.includes('.') ? other : { kind: 'integer', value: Number(number) }
    const string = this.#take(STRING)
    if (string !== null) return { kind: 'string', value: string.slice(1, -1).replace(/\\(.)/g, '$1') }
    const boolean = this.#take(BOOLEAN)
    if (boolean !== null) return { kind: 'boolean', value: boolean === '?1' }
    for (const pattern of [TOKEN, BYTES, DATE, DISPLAY]) if (this.#take(pattern) !== null) return other
    return null
  }

  #parameters(): boolean {
    while (this.#takeChar(';')) {
      this.#take(SPACES)
      if (this.#take(KEY) === null) return false
      if (this.#takeChar('=') && this.#bareItem() === null) return false
    }
    return true
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) return null
    this.#at = pattern.lastIndex
    return match[0]
  }

  #takeChar(char: string): boolean {
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }
}
