// When a revocation list expects its successor: the one field of it that Node does not tell.

const SEQUENCE = 0x30
const INTEGER = 0x02
const UTC_TIME = 0x17
const GENERALIZED_TIME = 0x18

interface Element {
  readonly tag: number
  readonly start: number
  readonly end: number
}

/**
 * `nextUpdate` of a CRL in PEM (RFC 5280 §5.1.2.5), in milliseconds since 1970; null without one. After that time
 * OpenSSL refuses every certificate of the authority.
 */
export function nextUpdateMs(pem: string): number | null {
  const der = Buffer.from(pem.replace(/-----[^\n]*-----/g, ''), 'base64')
  const list = elementAt(der, 0)
  const inner = elementAt(der, list.start)
  let at = inner.start
  const next = (): Element => {
    const element = elementAt(der, at)
    at = element.end
    return element
  }
  let element = next()
  if (element.tag === INTEGER) element = next()
  // After the signature's algorithm: the issuer, thisUpdate, and perhaps nextUpdate.
  for (const tags of [[SEQUENCE], [UTC_TIME, GENERALIZED_TIME]]) if (!tags.includes(next().tag)) return null
  if (at >= inner.end) return null
  element = next()
  const text = der.toString('latin1', element.start, element.end)
  if (element.tag === UTC_TIME) return timeOf(`${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`)
  return element.tag === GENERALIZED_TIME ? timeOf(text) : null
}

function elementAt(der: Buffer, at: number): Element {
  const first = der[at + 1] ?? 0
  if (first < 0x80) return { tag: der[at] ?? 0, start: at + 2, end: at + 2 + first }
  const bytes = first & 0x7f
  if (bytes < 1 || bytes > 4 || at + 2 + bytes > der.length) return { tag: 0, start: der.length, end: der.length }
  const start = at + 2 + bytes
  return { tag: der[at]!, start, end: start + der.readUIntBE(at + 2, bytes) }
}

/** YYYYMMDDHHMMSSZ */
function timeOf(text: string): number | null {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)?.slice(1).map(Number)
  if (parts === undefined) return null
  const [year, month, ...rest] = parts as [number, number, number, number, number, number]
  return Date.UTC(year, month - 1, ...rest)
}
