// The lexical rules of RFC 9110 and 9112 that both head parsers share. Heads are latin1 strings: one character a byte.
export { fieldValue, isName, trimmed } from '../../util/field-block.ts'

/** `field-line CRLF` any number of times, exactly: token, colon, printable or obs-text or HTAB. RFC 9112 §5. */
export const FIELD_BLOCK = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/
/** RFC 9110 §5.6.2. */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** 1*DIGIT that a JavaScript number holds exactly; more leading zeros than any sender writes are refused. */
const DIGITS = /^[0-9]{1,19}$/
/** Something that no correct head contains, wherever it is cut off: bare LF, bare CR, NUL. */
export const BROKEN_LINE = /(?:^|[^\r])\n|\r[^\n]|\0/

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
