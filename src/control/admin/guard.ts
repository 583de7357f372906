// Who may call the admin API: no DNS rebinding (known Host), no cross-site request from a browser (Origin), the bearer
// token where one is configured, bodies of the right kind and size.

import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import type { MiddlewareHandler } from 'hono'
import { problem } from './problem.ts'

export interface GuardOptions {
  /** Address the API is bound to; a name here is a known Host. */
  readonly host: string
  readonly token: string | null
}

/** Largest request body, in bytes; a change is a few hundred. */
export const maxBodyBytes = 64 * 1024
/** Answered to anybody: load balancers and orchestrators have no token. */
const openPaths = new Set(['/healthz', '/readyz'])

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Name or address of a Host field, lower case, without port and brackets. */
function hostOf(field: string): string {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(field.trim().toLowerCase())
  return match?.[1] ?? match?.[2]?.replace(/\.$/, '') ?? ''
}

/** A page from elsewhere can make its own name point here (DNS rebinding), but not an IP address or `localhost`. */
function isKnownHost(field: string, own: string): boolean {
  const host = hostOf(field)
  return isIP(host) !== 0 || host === 'localhost' || host.endsWith('.localhost') || host === own.toLowerCase()
}

function isSameOrigin(origin: string, hostField: string): boolean {
  const url = URL.parse(origin)
  const own = url === null ? null : URL.parse(`${url.protocol}//${hostField}`)
  return url !== null && own !== null && url.host === own.host
}

/** Host and Origin. With a token the Host may be any name: a page that was led here does not know the token. */
export function refuseForeign({ host, token }: GuardOptions): MiddlewareHandler {
  return async (c, next) => {
    const hostField = c.req.header('host') ?? ''
    if (token === null && !isKnownHost(hostField, host)) {
      const detail = `Host "${hostField}" is not known here; call by IP address, localhost or the configured address`
      return problem({ status: 403, detail })
    }
    const origin = c.req.header('origin')
    const site = c.req.header('sec-fetch-site')
    if ((origin !== undefined && !isSameOrigin(origin, hostField)) || site === 'cross-site' || site === 'same-site') {
      return problem({ status: 403, detail: 'Requests from pages of another origin are refused' })
    }
    return next()
  }
}

/** The bearer token (RFC 6750), compared in constant time. */
export function requireToken({ token }: GuardOptions): MiddlewareHandler {
  const expected = token === null ? null : digest(token)
  return async (c, next) => {
    if (expected === null || openPaths.has(c.req.path)) return next()
    const given = /^Bearer +(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return next()
    const headers = { 'www-authenticate': 'Bearer realm="frontdesk admin"' }
    return problem({ status: 401, detail: 'Send the admin token as "Authorization: Bearer …"', headers })
  }
}

/** A body must be JSON: a form can be posted by any page without asking. */
export const requireJson: MiddlewareHandler = async (c, next) => {
  const length = c.req.header('content-length')
  const hasBody = c.req.header('transfer-encoding') !== undefined || (length !== undefined && length !== '0')
  const media = (c.req.header('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
  if (!hasBody || media === 'application/json') return next()
  return problem({ status: 415, detail: 'Send JSON, with "Content-Type: application/json"' })
}

/** At most `maxBodyBytes`, announced or not. (Hono's own needs the global Request of Node replaced.) */
export const limitBody: MiddlewareHandler = async (c, next) => {
  const tooLarge = () => problem({ status: 413, detail: `A request body has at most ${maxBodyBytes} bytes` })
  if (Number(c.req.header('content-length') ?? 0) > maxBodyBytes) return tooLarge()
  if (c.req.header('transfer-encoding') === undefined || c.req.raw.body === null) return next()
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of c.req.raw.body) {
    if ((size += piece.length) > maxBodyBytes) return tooLarge()
    pieces.push(piece)
  }
  // The cache holds promises, whatever its type says.
  Object.assign(c.req.bodyCache, { arrayBuffer: Promise.resolve(new Uint8Array(Buffer.concat(pieces)).buffer) })
  return next()
}
