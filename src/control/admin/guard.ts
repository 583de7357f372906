// What every call of the admin API passes: no DNS rebinding (known Host), no cross-site request from a browser (Origin),
// who it is and what it may do, bodies of the right kind, size and depth.

import { isIP, type Socket } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import type { Context, MiddlewareHandler } from 'hono'
import type { Log } from '../../core/log.ts'
import type { Caller, Gate, Verdict } from './caller.ts'
import { problem } from './problem.ts'

/** What handlers find in their context. */
export interface AdminEnv {
  Bindings: HttpBindings
  Variables: { caller: Caller }
}

/** What the server knows of its connections. */
export interface Connections {
  /** Subject of the client's certificate, if our authorities have signed it. */
  certificateOf(socket: Socket): string | null
  /** Somebody who may be there: not the first to go when there is no room. */
  welcome(socket: Socket): void
}

export interface GuardDeps {
  readonly gate: Gate
  readonly connections: Connections
  readonly log: Log
}

/** For an app without a server. */
export const noConnections: Connections = { certificateOf: () => null, welcome() {} }

/** Largest request body, in bytes; a change of a backend is a few hundred. */
export const maxBodyBytes = 64 * 1024
/** A configuration of 10,000 routes has two million bytes. */
export const maxConfigBytes = 10 * 1024 * 1024
/** Objects and lists within each other; a configuration has ten. Deeper ones are made to end programs that recurse. */
export const maxDepth = 64

/** Answered to anybody under any name: load balancers and orchestrators have no token. */
const probes = new Set(['/healthz', '/readyz'])
/** Answered to anybody. */
const openPaths = new Set([...probes, '/whoami'])
/** Calls that change nothing but are no GET. */
const reading = new Set(['POST /explain'])
/** Calls that change nothing with `?dry_run=1`. All others would not look at it. */
export const rehearsals: ReadonlySet<string> = new Set([
  'PUT /config',
  'PATCH /config',
  'POST /reload',
  'POST /config/rollback',
])

/** Whether a call may change something, whatever it is. */
export function changes(c: Context): boolean {
  const { method, path } = c.req
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return false
  const call = `${method} ${path}`
  return !reading.has(call) && !(rehearsals.has(call) && isDryRun(c))
}

/** Said once and clearly: of two values a handler might take the other. */
function isDryRun(c: Context): boolean {
  const values = c.req.queries('dry_run') ?? []
  return values.length === 1 && (values[0] === '1' || values[0] === 'true')
}

/** Name or address of a Host field, lower case, without port and brackets. */
function hostOf(field: string): string {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(field.trim().toLowerCase())
  return match?.[1] ?? match?.[2]?.replace(/\.$/, '') ?? ''
}

/** A page from elsewhere can make its own name point here (DNS rebinding), but not an IP address or `localhost`. */
function isKnownHost(field: string, own: string): boolean {
  const host = hostOf(field)
  return (
    isIP(host) !== 0 ||
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    (host !== '' && host === own.toLowerCase())
  )
}

function isSameOrigin(origin: string, hostField: string): boolean {
  const url = URL.parse(origin)
  const own = url === null ? null : URL.parse(`${url.protocol}//${hostField}`)
  return url !== null && own !== null && url.host === own.host
}

/** Browsers say where a request comes from: pages of other origins are refused, with or without a token. */
export const refuseForeign: MiddlewareHandler = async (c, next) => {
  const origin = c.req.header('origin')
  const site = c.req.header('sec-fetch-site')
  const isForeign = origin !== undefined && !isSameOrigin(origin, c.req.header('host') ?? '')
  if (!isForeign && site !== 'cross-site' && site !== 'same-site') return next()
  return problem({ status: 403, detail: 'Requests from pages of another origin are refused' })
}

/** Puts the caller into the context, or answers. */
export function identify({ gate, connections, log }: GuardDeps): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const { path } = c.req
    const socket = c.env.incoming.socket
    const address = plainAddress(socket.remoteAddress)
    // A probe's token is nobody's business: it would be a way to try tokens.
    const authorization = probes.has(path) ? undefined : c.req.header('authorization')
    const verdict = await gate.judge({ address, authorization, certificate: connections.certificateOf(socket) })
    tellFailure(log, address, verdict)
    const { caller, retryAfterSeconds } = verdict
    if (caller === null || retryAfterSeconds > 0) return tooMany(retryAfterSeconds)
    const hostField = c.req.header('host') ?? ''
    const mayBeRebound = caller.role !== 'none' && !caller.isProven && !probes.has(path)
    if (mayBeRebound && !isKnownHost(hostField, gate.access.host)) {
      const detail = `Host "${hostField}" is not known here; call by IP address, localhost or the configured address`
      return problem({ status: 403, detail })
    }
    if (caller.role === 'none' && !openPaths.has(path)) return unauthorized(gate)
    // Whoever anybody may be is no guest: there may be any number of them.
    if (caller.isProven || caller.role === 'full') connections.welcome(socket)
    c.set('caller', caller)
    return next()
  }
}

/** Of those who may only look, at once: each may have 10 MB read and checked, and changes wait for those before them. */
const maxRehearsals = 4

/** The read role looks only. What it tries out takes a token: whoever anybody may be keeps nobody's change waiting. */
export function requireRole(): MiddlewareHandler<AdminEnv> {
  let underWay = 0
  return async (c, next) => {
    const { role, isProven } = c.get('caller')
    if (role === 'full') return next()
    if (changes(c)) {
      return problem({ status: role === 'read' ? 403 : 401, detail: 'This token may look, but change nothing' })
    }
    if (!rehearsals.has(`${c.req.method} ${c.req.path}`)) return next()
    if (!isProven) return problem({ status: 401, detail: 'To try out a change takes a token' })
    if (underWay >= maxRehearsals) {
      const detail = `${maxRehearsals} changes are being tried out already; try again in a second`
      return problem({ status: 503, detail, headers: { 'retry-after': '1', connection: 'close' } })
    }
    underWay += 1
    try {
      return await next()
    } finally {
      underWay -= 1
    }
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

/** At most so many bytes and so deep, announced or not. (Hono's own needs the global Request of Node replaced.) */
export const limitBody: MiddlewareHandler = async (c, next) => {
  const { path } = c.req
  const maxBytes = path === '/config' || path.startsWith('/config/') ? maxConfigBytes : maxBodyBytes
  // What is left of the body is not waited for.
  const headers = { connection: 'close' }
  const tooLarge = () => problem({ status: 413, detail: `A request body has at most ${maxBytes} bytes here`, headers })
  if (Number(c.req.header('content-length') ?? 0) > maxBytes) return tooLarge()
  if (c.req.method === 'GET' || c.req.method === 'HEAD' || c.req.raw.body === null) return next()
  const pieces: Uint8Array[] = []
  let size = 0
  try {
    for await (const piece of c.req.raw.body) {
      if ((size += piece.length) > maxBytes) return tooLarge()
      pieces.push(piece)
    }
  } catch {
    // The client is gone, or was too slow: nobody reads the answer.
    return problem({ status: 400, detail: 'The body broke off', headers })
  }
  const bytes = Buffer.concat(pieces)
  if (isDeeperThan(bytes, maxDepth)) {
    const detail = `The body has objects and lists nested more than ${maxDepth} deep`
    return problem({ status: 400, detail, errors: [{ path: '', message: detail }] })
  }
  // The cache holds promises, whatever its type says.
  Object.assign(c.req.bodyCache, { arrayBuffer: Promise.resolve(new Uint8Array(bytes).buffer) })
  return next()
}

/** Of JSON text, well-formed or not: brackets within strings do not count. */
export function isDeeperThan(text: Uint8Array, depth: number): boolean {
  let open = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]!
    if (inString) {
      if (byte === 0x5c) i += 1
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x7b || byte === 0x5b) {
      if ((open += 1) > depth) return true
    } else if (byte === 0x7d || byte === 0x5d) open -= 1
  }
  return false
}

/** Without the prefix that IPv4 has on an IPv6 socket. */
const plainAddress = (address = 'gone'): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

function unauthorized(gate: Gate): Response {
  const { token, clientAuth } = gate.access
  const asked =
    token === null ? 'a client certificate is needed here' : 'send the admin token as "Authorization: Bearer …"'
  const detail = clientAuth === 'required' && token !== null ? `A client certificate is needed; ${asked}` : asked
  const headers = { 'www-authenticate': 'Bearer realm="frontdesk admin"', connection: 'close' }
  return problem({ status: 401, detail: detail.charAt(0).toUpperCase() + detail.slice(1), headers })
}

function tooMany(seconds: number): Response {
  const detail = `Too many wrong tokens came from this address; try again in ${seconds} seconds`
  return problem({ status: 429, detail, headers: { 'retry-after': String(seconds), connection: 'close' } })
}

/** A line for the first of an address, and for the one too many: a flood must not fill the log. */
function tellFailure(log: Log, address: string, { failure }: Verdict): void {
  if (failure === null || !failure.isNews) return
  const slowed = failure.retryAfterSeconds > 0
  const what = slowed ? 'too many wrong admin tokens came' : 'a wrong admin token came'
  const so = slowed ? ': more of them are looked at slowly' : ''
  log.event('warn', 'admin_token_wrong', `${what} from ${address}${so}`, { address, slowed })
}
