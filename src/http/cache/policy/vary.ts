// Which requests a stored answer is for (RFC 9111 §4.1): a text of everything that selects it, and whether a request fits.
import { hash } from 'node:crypto'
import { isName, trimmed } from '../../../util/field-block.ts'
import { selectingAcceptEncoding } from './accept-encoding.ts'

/** An answer that varies by more fields is not stored: each costs every request for its URL. */
export const MAX_VARY_NAMES = 16
/** Longer values are kept as their SHA-256. */
const MAX_VALUE = 256

/**
 * What `selectorText` puts together. Nothing in it can be forged: the parts before the lines say their length, and no value
 * of a field has a line feed or a control character (see FIELD_BLOCK in grammar.ts).
 */
export interface Selector {
  readonly partition: string
  /** Of a form that was compressed here: `zstd`, `br`, `gzip`; '' = as the backend sent it. */
  readonly coding: string
  /** Lower case, sorted. */
  readonly names: readonly string[]
  /** Of each: `:value`, `=digest`, or '' where the field was not there. */
  readonly values: readonly string[]
  /** Names with their values, a line feed before each. */
  readonly lines: string
}

/** Names of an answer's Vary and of the route's, each once, sorted. Both come in lower case. */
export function varyNames(ofAnswer: readonly string[], ofRoute: readonly string[]): readonly string[] {
  if (ofRoute.length === 0) return ofAnswer
  return [...new Set([...ofAnswer, ...ofRoute])].sort()
}

/**
 * `partition`: what tells apart beyond the URL and these fields, any text. `names`: as `judge` gives them. `lookup`: the
 * fields of the request as the backend sees them, every line with its CRLF.
 */
export function selectorText(partition: string, names: readonly string[], lookup: string, coding: string): string {
  return `${partition.length} ${coding} ${partition}${linesOf(names, lookup)}`
}

/** Throws SyntaxError for what `selectorText` did not make. */
export function parseSelector(text: string): Selector {
  const first = text.indexOf(' ')
  const second = text.indexOf(' ', first + 1)
  const length = Number(text.slice(0, first))
  const end = second + 1 + length
  const isWhole = first > 0 && second > 0 && length >= 0 && (end === text.length || text[end] === '\n')
  if (!isWhole) {
    throw new SyntaxError('not the selector of a cached answer')
  }
  const names: string[] = []
  const values: string[] = []
  const lines = text.slice(end)
  for (const line of lines.split('\n').slice(1)) {
    const name = /^[^:=]*/.exec(line)![0]
    names.push(name)
    values.push(line.slice(name.length))
  }
  return {
    partition: text.slice(second + 1, end),
    coding: text.slice(first + 1, second),
    names,
    values,
    lines,
  }
}

/** The selector of the same answer in another coding. */
export function codedSelector(text: string, coding: string): string {
  const { partition, lines } = parseSelector(text)
  return `${partition.length} ${coding} ${partition}${lines}`
}

/** Whether a request of that partition is one that the answer is for. Codings are for the caller to choose among. */
export function matches(selector: Selector, partition: string, lookup: string): boolean {
  if (selector.partition !== partition) return false
  const { names, values } = selector
  for (let index = 0; index < names.length; index++) {
    if (selectingValue(names[index]!, lookup) !== values[index]) return false
  }
  return true
}

/** A line feed before each. */
function linesOf(names: readonly string[], lookup: string): string {
  let lines = ''
  for (let index = 0; index < names.length; index++)
    lines += `\n${names[index]!}${selectingValue(names[index]!, lookup)}`
  return lines
}

/** `:` and the value, `=` and its digest where it is long or secret, '' where the field is not there: absent is not empty. */
export function selectingValue(name: string, lookup: string): string {
  if (name === 'accept-encoding') return selectingAcceptEncoding(lookup)
  const value = combined(name, lookup)
  if (value === null) return ''
  return SECRET.has(name) ? digestOf(value) : boundedValue(normalised(name, value))
}

/** `:` and the text, or `=` and its digest where it is long. */
function boundedValue(text: string): string {
  return text.length > MAX_VALUE ? digestOf(text) : `:${text}`
}

/** For what is nobody's business: selectors are shown to people, and are kept on disk. */
export function digestOf(text: string): string {
  return `=${hash('sha256', Buffer.from(text, 'latin1'), 'base64url')}`
}

/**
 * All lines of that name as one value; null = there is none. Names that only some backends take for the same (`x_a` for
 * `x-a`) are told apart by how they are written: whoever reads them in whichever way, two requests that mean something else
 * to him are not the same here.
 */
function combined(name: string, lookup: string): string | null {
  let value: string | null = null
  let alike = ''
  const separator = name === 'cookie' ? '; ' : ', '
  for (let position = 0; position < lookup.length; ) {
    const colon = lookup.indexOf(':', position)
    const end = lookup.indexOf('\r', colon)
    if (colon - position === name.length && isAlike(lookup, position, name)) {
      const text = trimmed(lookup, colon + 1, end)
      const written = lookup.slice(position, colon).toLowerCase()
      if (written === name) value = value === null ? text : value + separator + text
      else alike += `\u0001${written}\u0002${text}`
    }
    position = end + 2
  }
  return alike === '' ? value : `${value === null ? '' : `\u0002${value}`}${alike}`
}

/** As reserved-fields.ts folds names: what is no letter or digit is the same. */
function isAlike(block: string, start: number, name: string): boolean {
  if (isName(block, start, name)) return true
  for (let index = 0; index < name.length; index++) {
    const code = block.charCodeAt(start + index) | 0x20
    const wanted = name.charCodeAt(index)
    if (code !== wanted && (isLetterOrDigit(block.charCodeAt(start + index)) || isLetterOrDigit(wanted))) return false
  }
  return true
}

function isLetterOrDigit(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}

const SECRET: ReadonlySet<string> = new Set(['authorization', 'cookie'])

/** Lists of words whose case and blanks mean nothing, by their definitions (RFC 9110 §12.5.2, §12.5.4). Their order is kept. */
const WORD_LISTS: ReadonlySet<string> = new Set(['accept-language', 'accept-charset'])

/** §4.1: only what is known to mean the same. */
function normalised(name: string, value: string): string {
  if (WORD_LISTS.has(name)) return withoutBlanks(value.toLowerCase())
  // Media types may have quoted parameters, in which blanks count.
  if (name === 'accept' && !value.includes('"')) return withoutBlanks(value)
  return value
}

/** Blanks around `,` and `;`, and empty members. In time that grows with the length alone. */
function withoutBlanks(list: string): string {
  return list
    .split(',')
    .map((member) => partsOf(member).join(';'))
    .filter((member) => member !== '')
    .join(',')
}

function partsOf(member: string): string[] {
  return member.split(';').map((part) => trimmed(part, 0, part.length))
}
