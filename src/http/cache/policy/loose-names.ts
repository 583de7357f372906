// Names of query parameters and cookies as the most forgiving of backends reads them: where leaving one out, or not seeing
// one, would give somebody another's answer, whatever might be meant counts as meant.

/** Decoded, without case; `id[]`, `id%5Bx%5D` and `id%00x` are `id`; blank and dot are `_`. A `*` at the end stays. */
export function loosely(name: string): string {
  const isWild = name.endsWith('*')
  const folded = percentDecoded(isWild ? name.slice(0, -1) : name)
    .toLowerCase()
    .trimStart()
    .replace(/[[\0].*$/s, '')
    .replace(/[ .]/g, '_')
  return isWild ? `${folded}*` : folded
}

/** Form-decoded, byte by byte; what is no escape stays as it is. */
export function percentDecoded(text: string): string {
  if (!/[%+]/.test(text)) return text
  return text
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** `pattern`: the text itself, or with a `*` at either end or both. */
export function fits(text: string, pattern: string): boolean {
  if (pattern === '*') return true
  const isOpenAtStart = pattern.startsWith('*')
  const isOpenAtEnd = pattern.endsWith('*')
  const core = pattern.slice(isOpenAtStart ? 1 : 0, isOpenAtEnd ? -1 : undefined)
  if (isOpenAtStart && isOpenAtEnd) return text.includes(core)
  if (isOpenAtStart) return text.endsWith(core)
  return isOpenAtEnd ? text.startsWith(core) : text === core
}

/** A parameter or a cookie, as received. */
export interface Pair {
  readonly name: string
  readonly value: string
}

/** `name=value` parts of a query (`&`) or a Cookie value (`;`). */
export function pairsOf(text: string, separator: '&' | ';'): Pair[] {
  if (text === '') return []
  return text.split(separator).map((part) => {
    const trimmedPart = separator === ';' ? part.trim() : part
    const equals = trimmedPart.indexOf('=')
    if (equals < 0) return { name: trimmedPart, value: '' }
    const [name, value] = [trimmedPart.slice(0, equals), trimmedPart.slice(equals + 1)]
    return separator === ';' ? { name: name.trimEnd(), value: value.trimStart() } : { name, value }
  })
}
