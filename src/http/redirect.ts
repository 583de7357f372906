// The answer of a listener that sends everybody to https.
import { isIPv6 } from 'node:net'
import type { RequestHead } from './http1/request-head.ts'
import type { OwnAnswer } from './own-answer.ts'

/** Narrower than what Host may be: nothing percent-encoded and nothing that a browser could take for the end of a host. */
const HOST = /^(?:\[([0-9A-Fa-f:.]+)\]|[0-9A-Za-z_][0-9A-Za-z._-]*)(?::[0-9]*)?$/

const HTTPS_PORT = 443

/**
 * Where the same thing is by https: the host that was asked for, our port, the target byte for byte. Null = there is
 * no such place: no Host, an odd one, or one that an absolute target contradicts (RFC 9112 §3.2 wants them identical).
 */
export function httpsLocation(head: RequestHead, port: number): string | null {
  const match = HOST.exec(head.host)
  if (match === null || (match[1] !== undefined && !isIPv6(match[1]))) return null
  if (head.fields.host.toLowerCase() !== head.host.toLowerCase()) return null
  const { host } = head
  const colon = host.indexOf(':', host.lastIndexOf(']') + 1)
  const name = colon < 0 ? host : host.slice(0, colon)
  return `https://${name}${port === HTTPS_PORT ? '' : `:${port}`}${head.target}`
}

/** 308, unlike 301, keeps method and body (RFC 9110 §15.4.9). */
export function redirectTo(location: string): OwnAnswer {
  const fields = `Location: ${location}\r\nContent-Type: text/plain; charset=utf-8\r\n`
  return { status: 308, fields, body: '308 Permanent Redirect\n' }
}
