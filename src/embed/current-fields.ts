// The header fields of a message of Node as they are now: as they came, with what the program has changed since.
import type { IncomingMessage } from 'node:http'

export interface Field {
  /** As written, of the first one. */
  readonly name: string
  readonly values: readonly string[]
}

/**
 * By lower-case name: the raw fields (case, order, duplicates), with what was changed, added or deleted in `headers`.
 * Pseudo-header fields of HTTP/2 among them.
 */
export function currentFields({
  rawHeaders,
  headers,
}: Pick<IncomingMessage, 'rawHeaders' | 'headers'>): Map<string, Field> {
  const fields = new Map<string, Field>()
  for (const [key, field] of rawFields(rawHeaders)) {
    // What the program has deleted is gone, and `__proto__` it has never seen.
    const now = Object.hasOwn(headers, key) ? headers[key] : undefined
    if (now !== undefined) fields.set(key, isWhole(key, field.values, now) ? field : { ...field, values: listOf(now) })
  }
  for (const [name, now] of Object.entries(headers)) {
    const key = name.toLowerCase()
    if (now !== undefined && !fields.has(key)) fields.set(key, { name, values: listOf(now) })
  }
  return fields
}

/** The fields of that name as they came, as one list, whatever the program has made of them; undefined = there are none. */
export function rawValue({ rawHeaders }: IncomingMessage, name: string): string | undefined {
  let value: string | undefined
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const candidate = rawHeaders[at]!
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue
    value = value === undefined ? rawHeaders[at + 1] : `${value}, ${rawHeaders[at + 1]}`
  }
  return value
}

interface RawField {
  readonly name: string
  readonly values: string[]
}

function rawFields(rawHeaders: readonly string[]): Map<string, RawField> {
  const fields = new Map<string, RawField>()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    const key = name.toLowerCase()
    const known = fields.get(key)
    if (known === undefined) fields.set(key, { name, values: [rawHeaders[at + 1]!] })
    else known.values.push(rawHeaders[at + 1]!)
  }
  return fields
}

const listOf = (value: string | string[]): string[] => (Array.isArray(value) ? value.map(String) : [String(value)])

/**
 * Whether `headers` shows all fields of that name, unchanged. Of some Node shows the program only the first: then others
 * get that one too. Two Hosts are for whoever reads the message to refuse.
 */
function isWhole(key: string, values: readonly string[], now: string | string[]): boolean {
  if (values.length === 1 || key === 'host') return now === values[0]
  const shown = typeof now === 'string' ? now : now.join(', ')
  return shown === values.join(', ') || shown === values.join('; ')
}
