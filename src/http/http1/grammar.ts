// The lexical rules of RFC 9110 and 9112 that both head parsers share. Heads are latin1 strings: one character a byte.

/** `field-line CRLF` any number of times, exactly: token, colon, printable or obs-text or HTAB. RFC 9112 §5. */
export const FIELD_BLOCK = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/
/** RFC 9110 §5.6.2. */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** 1*DIGIT that a JavaScript number holds exactly; more leading zeros than any sender writes are refused. */
const DIGITS = /^[0-9]{1,19}$/
/** Something that no correct head contains, wherever it is cut off: bare LF, bare CR, NUL. */
export const BROKEN_LINE = /(?:^|[^\r])\n|\r[^\n]|\0/

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

/** A Content-Length value as a number, or -1 when it is anything but digits within 2^53-1. RFC 9110 §8.6. */
export function parseLength(value: string): number {
  if (!DIGITS.test(value)) return -1
  const length = Number(value)
  return length <= Number.MAX_SAFE_INTEGER ? length : -1
}

/** Members of a #token list, lower case; empty members are dropped. RFC 9110 §5.6.1. */
export function listMembers(value: string): string[] {
  return value
    .split(',')
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '')
}

const HOST =
  /^(?:\[[0-9A-Fa-f:.]+(?:%25[0-9A-Za-z._~-]+)?\]|(?:[0-9A-Za-z\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::([0-9]{0,5}))?$/

/** `uri-host [ ":" port ]` with a port that exists. RFC 9110 §7.2. */
export function isValidHost(value: string): boolean {
  const match = HOST.exec(value)
  return match !== null && (match[1] === undefined || match[1] === '' || Number(match[1]) <= 65535)
}

/** The value of the first field with this (lower-case) name in a field block, or ''. For rare look-ups. */
export function fieldValue(block: string, name: string): string {
  for (let position = 0; position < block.length; ) {
    const colon = block.indexOf(':', position)
    const end = block.indexOf('\r\n', colon)
    if (colon - position === name.length && isName(block, position, name)) return trimmed(block, colon + 1, end)
    position = end + 2
  }
  return ''
}
