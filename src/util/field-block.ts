// Finding fields in a header section as it was received: lines `Name: value CRLF` of latin1 text, checked before.

const TAB = 9
const SPACE = 32

/** The value between colon and line end without optional white space (SP, HTAB). */
export function trimmed(text: string, start: number, end: number): string {
  let from = start
  let to = end
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

/**
 * Whether `text[start..start+name.length)` is `name` (lower case), case folded and with '_' taken for '-':
 * a CGI-style backend cannot tell X_Forwarded_For from X-Forwarded-For, so neither do we (CVE-2026-52845).
 */
export function isName(text: string, start: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    let code = text.charCodeAt(start + index)
    if (code >= 65 && code <= 90) code += 32
    else if (code === 95) code = 45
    if (code !== name.charCodeAt(index)) return false
  }
  return true
}

/** Where the first line of that (lower-case) name begins, from the beginning of a line on; -1 = there is none. */
export function findField(block: string, name: string, from = 0): number {
  for (let position = from; position < block.length; ) {
    const colon = block.indexOf(':', position)
    if (colon - position === name.length && isName(block, position, name)) return position
    position = block.indexOf('\r\n', colon) + 2
  }
  return -1
}

/** The value of the first field with this (lower-case) name in a field block, or ''. For rare look-ups. */
export function fieldValue(block: string, name: string): string {
  const position = findField(block, name)
  if (position < 0) return ''
  const colon = position + name.length
  return trimmed(block, colon + 1, block.indexOf('\r\n', colon))
}
