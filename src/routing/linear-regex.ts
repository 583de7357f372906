// Regular expressions that cannot be made slow by a request: RE2 syntax, matched in time linear to the text.
import { RE2JS } from 're2js'
import { literalPrefix } from './literal-prefix.ts'

/** A compiled pattern. Nothing of the last match is kept. */
export interface LinearRegex {
  readonly source: string
  /** Names of named groups, in the order in which they open. */
  readonly names: readonly string[]
  readonly groupCount: number
  /** Whether the whole text matches. */
  matches(text: string): boolean
  /** Whether any part of the text matches. */
  test(text: string): boolean
  /** Named groups of a match of the whole text (a group that took no part is ''), or null. */
  captures(text: string): string[] | null
  /**
   * A function that puts `to` in place of the first match: `$1` and `${1}` stand for a group, `${name}` for a named one,
   * `$0` for the whole match, `$$` for a dollar sign. Text without a match is returned as it is. Throws an `Error`
   * whose message is a sentence where `to` names a group that does not exist.
   */
  replacer(to: string): (text: string) => string
}

/** Groups of this form can be variables of templates and keys of objects. */
const GROUP_NAME = /^[A-Za-z][A-Za-z0-9_]*$/

/** Compiles a pattern. Throws an `Error` whose message is a sentence that names it. */
export function linearRegex(source: string): LinearRegex {
  const compiled = compile(source)
  const names = Object.entries(compiled.namedGroups())
    .sort((a, b) => a[1] - b[1])
    .map(([name]) => name)
  const bad = names.find((name) => !GROUP_NAME.test(name))
  if (bad !== undefined)
    throw new Error(
      `the group name ${JSON.stringify(bad)} must begin with a letter and go on with letters, digits or "_"`,
    )
  return new CompiledRegex(source, compiled, names)
}

class CompiledRegex implements LinearRegex {
  readonly source: string
  readonly names: readonly string[]
  readonly groupCount: number
  readonly #compiled: RE2JS
  readonly #prefix: string

  constructor(source: string, compiled: RE2JS, names: readonly string[]) {
    this.source = source
    this.names = names
    this.groupCount = compiled.groupCount()
    this.#compiled = compiled
    this.#prefix = literalPrefix(source).prefix
  }

  matches(text: string): boolean {
    // Most patterns begin with text, most texts with another.
    return text.startsWith(this.#prefix) && this.#compiled.testExact(text)
  }

  test(text: string): boolean {
    return this.#compiled.test(text)
  }

  captures(text: string): string[] | null {
    const matcher = this.#compiled.matcher(text)
    return matcher.matches() ? this.names.map((name) => matcher.group(name) ?? '') : null
  }

  replacer(to: string): (text: string) => string {
    const pieces = this.#replacement(to)
    // Only the first match: to look for all of them can take quadratic time, with this engine as with any other.
    return (text) => {
      const found = this.#compiled.exec(text)
      if (found === null) return text
      const start = (found as unknown as RegExpExecArray).index
      let result = text.slice(0, start)
      for (const piece of pieces)
        result += typeof piece === 'string' ? piece : ((found[piece] as string | undefined) ?? '')
      return result + text.slice(start + (found[0] as string).length)
    }
  }

  /** Literal text and numbers of groups. */
  #replacement(to: string): (string | number)[] {
    const pieces: (string | number)[] = []
    let literalStart = 0
    for (const match of to.matchAll(/\$(?:\$|(\d+)|\{([^}]*)\}|)/g)) {
      pieces.push(to.slice(literalStart, match.index))
      literalStart = match.index + match[0].length
      pieces.push(match[0] === '$$' ? '$' : this.#group(match[1] ?? match[2] ?? null, match[0]))
    }
    pieces.push(to.slice(literalStart))
    return pieces.filter((piece) => piece !== '')
  }

  #group(name: string | null, written: string): number {
    if (name === null)
      throw new Error(`a "$" must be followed by a group, as in "$1" or "$\{name}"; write "$$" for a dollar sign`)
    const number = /^\d+$/.test(name) ? Number(name) : this.#compiled.namedGroups()[name]
    if (number === undefined || number > this.groupCount)
      throw new Error(`${JSON.stringify(written)} is no group of ${JSON.stringify(this.source)}: ${this.#groups()}`)
    return number
  }

  #groups(): string {
    if (this.groupCount === 0) return 'it has none'
    const named = this.names.length === 0 ? '' : `, named ${this.names.join(', ')}`
    return `it has ${this.groupCount}${named}`
  }
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source)
  } catch (cause) {
    throw new Error(`${JSON.stringify(source)} is no regular expression: ${reason(source, cause)}`, { cause })
  }
}

/** What people try most that a linear engine cannot do is named; for the rest, the words of the engine. */
function reason(source: string, cause: unknown): string {
  if (/\(\?<?[=!]/.test(source)) return 'look-ahead and look-behind do not exist here (RE2 syntax, see the guide)'
  if (/\\[1-9]/.test(source)) return 'back-references do not exist here (RE2 syntax, see the guide)'
  const words = cause instanceof Error ? cause.message : String(cause)
  return words.replace(/^error parsing regexp: /, '')
}
