// Values within a line of a log: nothing that a client sends ends a string, a line, or speaks to a terminal.

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** A JSON string without control characters, C1 too: a terminal obeys them. Most values need no escaping. */
export function quoted(value: string): string {
  if (PLAIN.test(value)) return `"${value}"`
  return JSON.stringify(value).replace(/[\x7f-\x9f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
}

/** As `quoted`, for what a configuration names: the same few again and again. */
export function quotedName(name: string): string {
  const known = names.get(name)
  if (known !== undefined) return known
  const made = quoted(name)
  if (names.size >= MAX_NAMES) names.clear()
  names.set(name, made)
  return made
}

const MAX_NAMES = 4096
const names = new Map<string, string>()

/** Quotes, backslashes and everything not printable as \xHH, as nginx does: one request, one line. */
export function escaped(value: string): string {
  if (PLAIN.test(value)) return value
  return value.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, hexEscape)
}

/** Beyond latin1 too: names of a program that embeds the proxy. */
function hexEscape(character: string): string {
  const code = character.charCodeAt(0)
  return code > 0xff
    ? `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
    : `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`
}
