// What every text begins with that a whole regular expression (RE2 syntax) can match, read from its source.

export interface LiteralPrefix {
  readonly prefix: string
  /** What may follow: nothing, anything at all, or what the rest of the pattern says. */
  readonly tail: 'nothing' | 'anything' | 'pattern'
}

const unknown: LiteralPrefix = { prefix: '', tail: 'pattern' }

/** Reads no further than it understands: a shorter prefix is always true. */
export function literalPrefix(source: string): LiteralPrefix {
  if (source.includes('\\Q') || hasOpenAlternatives(source)) return unknown
  let position = source.startsWith('^') ? 1 : 0
  let prefix = ''
  for (;;) {
    const rest = source.slice(position)
    if (rest === '' || rest === '$') return { prefix, tail: 'nothing' }
    if (rest === '.*' || rest === '.*$') return { prefix, tail: 'anything' }
    const literal = /^(?:\\([!-/:-@[-`{-~])|([\w\-/,:;=@!#%&'"<>~ `]))(?![*?{])/.exec(rest)
    if (literal === null) return { prefix, tail: 'pattern' }
    prefix += literal[1] ?? literal[2]!
    position += literal[0].length
    if (source[position] === '+') return { prefix, tail: 'pattern' }
  }
}

/** Whether a `|` stands outside all groups and classes, so that the pattern has more than one beginning. */
function hasOpenAlternatives(source: string): boolean {
  let depth = 0
  for (let position = 0; position < source.length; position++) {
    const character = source[position]!
    if (character === '\\') position++
    else if (character === '[') position = classEnd(source, position)
    else if (character === '(') depth++
    else if (character === ')') depth--
    else if (character === '|' && depth === 0) return true
  }
  return false
}

/** Where the `]` of a class stands; a `]` at its beginning is one of its characters. */
function classEnd(source: string, start: number): number {
  let position = start + (source[start + 1] === '^' ? 2 : 1)
  if (source[position] === ']') position++
  for (; position < source.length && source[position] !== ']'; position++) {
    if (source[position] === '\\') position++
    else if (source.startsWith('[:', position)) {
      const end = source.indexOf(':]', position)
      if (end > 0) position = end + 1
    }
  }
  return position
}
