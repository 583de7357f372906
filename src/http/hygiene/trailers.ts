// Which trailer fields may be passed on: none that frame, route, authorise or describe the message (RFC 9110 §6.5.1).
import { withoutReserved } from './reserved-fields.ts'

const FORBIDDEN = new Set([
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'max-forwards',
  'pragma',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'www-authenticate',
  'x-real-ip',
  'x-request-id',
  'age',
  'date',
  'expires',
  'location',
  'retry-after',
  'vary',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'proxy',
])

/**
 * Drops the fields that must not be trailers, and those that are reserved; they are never merged into the header
 * section here, but a backend may do so.
 */
export function forwardableTrailers(trailers: string, reserved: ReadonlySet<string>): string {
  let kept = ''
  for (const line of trailers.split('\r\n')) {
    if (line === '') continue
    const name = line.slice(0, line.indexOf(':')).toLowerCase().replaceAll('_', '-')
    if (!FORBIDDEN.has(name) && !name.startsWith('x-forwarded-')) kept += `${line}\r\n`
  }
  return reserved.size === 0 ? kept : withoutReserved(kept, reserved)
}

/** Whether a trailer section tries to frame the message: then two readers may differ on its length. */
export function framesMessage(trailers: string): boolean {
  return trailers !== '' && /^(?:content-length|transfer-encoding):/im.test(trailers)
}
