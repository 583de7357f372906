// Changes of a field block (every line with its CRLF): names taken out, lines put in. What cannot be a field is refused.
import { TOKEN } from '../http1/grammar.ts'
import { foldedName, withoutReserved } from './reserved-fields.ts'

/** Where a message ends and what becomes of its connection is ours to say; folded names. */
const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'max-forwards',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Whether a field of that name (any case) frames or routes a message, so that nobody but the proxy may set it. */
export function framesOrRoutes(name: string): boolean {
  return FRAMING.has(foldedName(name))
}

/** HTAB, visible ASCII and obs-text (RFC 9110 §5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const CONTROLS = /[\0-\x08\x0a-\x1f\x7f]/g

/** A line with its CRLF. Throws TypeError for what is no name or value, and for fields that frame a message. */
export function fieldLine(name: string, value: string): string {
  if (!TOKEN.test(name)) throw new TypeError(`${JSON.stringify(name)} is not the name of a header field`)
  if (framesOrRoutes(name)) throw new TypeError(`${name} frames or routes the message: only the proxy sets it`)
  if (typeof value !== 'string') throw new TypeError(`the value for ${name} is a ${typeof value}; make it a string`)
  const bytes = latin1Of(value)
  if (!VALUE.test(bytes)) throw new TypeError(`the value for ${name} has a line break or another control character`)
  return `${name}: ${bytes}\r\n`
}

/** A value that came from outside, for a field whose name was checked when the configuration was loaded. */
export function safeValue(value: string): string {
  const bytes = latin1Of(value)
  return VALUE.test(bytes) ? bytes : bytes.replace(CONTROLS, '')
}

/** Heads are latin1 strings, one character a byte: what is beyond goes out as UTF-8. */
export function latin1Of(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 0xff) return Buffer.from(text, 'utf8').latin1Slice()
  }
  return text
}

export class FieldChanges {
  /** Folded names; null = none. */
  removed: Set<string> | null = null
  lines = ''

  /** Takes out every field of that name, `_` and `-` taken for the same (CVE-2026-52845). */
  remove(name: string): void {
    if (framesOrRoutes(name)) throw new TypeError(`${name} frames or routes the message: only the proxy removes it`)
    this.removed ??= new Set()
    const folded = foldedName(name)
    this.removed.add(folded)
    if (this.lines !== '') this.lines = withoutReserved(this.lines, new Set([folded]))
  }

  set(name: string, value: string): void {
    const line = fieldLine(name, value)
    this.remove(name)
    this.lines += line
  }

  add(name: string, value: string): void {
    this.lines += fieldLine(name, value)
  }

  /** Nothing is left of the fields of that name (any case) but what was added here. */
  removes(name: string): boolean {
    return this.removed?.has(foldedName(name)) === true
  }

  applyTo(block: string): string {
    return (this.removed === null ? block : withoutReserved(block, this.removed)) + this.lines
  }
}
