// The members of Cache-Control (RFC 9111 §5.2), one after the other, and delta-seconds.

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** What "infinite" is (RFC 9111 §1.2.2). */
export const MAX_SECONDS = 2 ** 31

const TAB = 9
const SPACE = 32
const QUOTE = 34
const COMMA = 44
const EQUALS = 61
const BACKSLASH = 92

/** Reads `value`, all lines of the field as one list: `while (reader.next()) …`. Never throws. */
export class DirectiveReader {
  /** Lower case. */
  name = ''
  /** null = none; without the quotes where it was a quoted-string. */
  argument: string | null = null
  /** It is no directive by the grammar: then `member` is all that is known. */
  isMalformed = false
  /** As it was received. */
  member = ''
  readonly #value: string
  #at = 0

  constructor(value: string) {
    this.#value = value
  }

  /** False = there are no more. */
  next(): boolean {
    const value = this.#value
    let at = this.#at
    for (let code = value.charCodeAt(at); code === COMMA || code === SPACE || code === TAB; ) {
      code = value.charCodeAt(++at)
    }
    if (at >= value.length) return false
    const start = at
    let equals = -1
    let isQuoted = false
    for (; at < value.length; at++) {
      const code = value.charCodeAt(at)
      if (code === COMMA) break
      if (code === EQUALS && equals < 0) equals = at
      else if (code === QUOTE) {
        isQuoted = true
        at = endOfQuoted(value, at)
      }
    }
    this.#at = at
    this.member = value.slice(start, at).trim()
    this.#split(equals - start, isQuoted)
    return true
  }

  #split(equals: number, isQuoted: boolean): void {
    const { member } = this
    this.name = (equals < 0 ? member : member.slice(0, equals)).toLowerCase()
    this.argument = equals < 0 ? null : member.slice(equals + 1)
    this.isMalformed = !TOKEN.test(this.name)
    if (this.argument === null) return
    if (!isQuoted) {
      if (!TOKEN.test(this.argument)) this.isMalformed = true
      return
    }
    const inner = unquoted(this.argument)
    if (inner === null) this.isMalformed = true
    else this.argument = inner
  }

  /** Its argument as delta-seconds; -1 = it is none. */
  seconds(): number {
    return this.isMalformed || this.argument === null ? -1 : deltaSeconds(this.argument)
  }
}

/** Where the closing quote is, or the end of the text. */
function endOfQuoted(value: string, opening: number): number {
  for (let at = opening + 1; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code === QUOTE) return at
    if (code === BACKSLASH) at++
  }
  return value.length
}

/** The text of a quoted-string (RFC 9110 §5.6.4); null = it is none. */
function unquoted(text: string): string | null {
  if (!/^"(?:[^"\\]|\\.)*"$/s.test(text)) return null
  return text.slice(1, -1).replace(/\\(.)/gs, '$1')
}

/** RFC 9111 §1.2.2: digits alone; as many as one likes are 2^31. -1 = something else. */
export function deltaSeconds(text: string): number {
  if (text === '') return -1
  let seconds = 0
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return -1
    seconds = Math.min(seconds * 10 + digit, MAX_SECONDS)
  }
  return seconds
}
