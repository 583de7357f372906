// What backends are told of a client's certificate.
import type { ClientAuthSpec } from '../../core/spec.ts'
import type { ClientCertificate } from '../../net/arrival.ts'

/** Printable ASCII without '%', with no blank at either end. */
const PLAIN = /^(?:[\x21-\x24\x26-\x7e](?:[\x20-\x24\x26-\x7e]*[\x21-\x24\x26-\x7e])?)?$/

/** Field lines with CRLF each; '' where there is no certificate. What a certificate does not have is left out. */
export function certificateFields(names: ClientAuthSpec['headers'], certificate: ClientCertificate | null): string {
  if (certificate === null) return ''
  return (
    line(names.subject, certificate.subject) +
    line(names.san, certificate.san) +
    line(names.fingerprint, certificate.fingerprint)
  )
}

function line(name: string | null, value: string): string {
  return name === null || value === '' ? '' : `${name}: ${encodedValue(value)}\r\n`
}

/**
 * A value that no certificate can break out of: all but printable ASCII, and '%' itself, as percent-encoded UTF-8
 * (RFC 3986 §2.1), so that decoding gives exactly the original. Blanks at the ends too, which a reader would trim.
 */
export function encodedValue(value: string): string {
  if (PLAIN.test(value)) return value
  let encoded = ''
  const bytes = Buffer.from(value, 'utf8')
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    const blankAtEnd = byte === 0x20 && (at === 0 || at === bytes.length - 1)
    if (byte < 0x20 || byte > 0x7e || byte === 0x25 || blankAtEnd) {
      encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    } else encoded += String.fromCharCode(byte)
  }
  return encoded
}
