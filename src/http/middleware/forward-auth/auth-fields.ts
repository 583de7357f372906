// What the authentication server is told of a request: our own word on what is asked for, and what the client sent besides.
import type { RequestView } from '../../../core/plugin.ts'
import { unixAddress } from '../../../net/arrival.ts'
import { foldedName } from '../../hygiene/reserved-fields.ts'

/** Name and value in turn, as Node takes them. */
export type FlatFields = string[]

/**
 * Of this hop, or of the client's body, which is not passed on; or conditions, on which the server would judge its own
 * answer (304, 206) instead of the request. Folded.
 */
const NOT_PASSED_ON = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'http2-settings',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'max-forwards',
  'proxy',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Some servers read the request in question from these. Where a client could send them, it would be judged by a request
 * of its own choice. Folded.
 */
const SAYS_WHAT_IS_ASKED = new Set([
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-method',
  'x-original-uri',
  'x-original-url',
  'x-request-id',
  'x-rewrite-url',
])

/** Ours, whoever the client is. Folded. */
const OURS = new Set([
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-method',
  'x-forwarded-proto',
  'x-forwarded-uri',
])

/** Where a client shows who it is: these have to get there even if the server's answer takes their place. Folded. */
const CREDENTIALS = new Set(['authorization', 'cookie'])

export interface AuthFieldRules {
  /** Lower case; empty = all end-to-end ones. */
  readonly requestHeaders: readonly string[]
  /** Folded names of fields that the answer sets. */
  readonly trusted: ReadonlySet<string>
}

/** Fields for the authentication server, without Host. */
export function authFields(request: RequestView, rules: AuthFieldRules): FlatFields {
  const all = rules.requestHeaders.length === 0
  const listed = connectionOptions(request)
  const fields = ownFields(request)
  for (const name of all ? request.headerNames() : rules.requestHeaders) {
    const folded = foldedName(name)
    if (NOT_PASSED_ON.has(folded) || OURS.has(folded) || SAYS_WHAT_IS_ASKED.has(folded) || listed.has(folded)) continue
    if (!request.client.trusted && isForwarding(folded)) continue
    // Somebody who says already what only the server may say of him is not even heard there, unless it was asked for.
    if (all && rules.trusted.has(folded) && !CREDENTIALS.has(folded)) continue
    for (const value of request.headers(name)) fields.push(name, value)
  }
  return fields
}

function isForwarding(folded: string): boolean {
  return folded.startsWith('x-forwarded-') || folded === 'forwarded' || folded === 'x-real-ip'
}

/** What the client calls hop-by-hop. It has no say in our own fields (CVE-2026-33805). */
function connectionOptions(request: RequestView): ReadonlySet<string> {
  const options = request.headers('connection').flatMap((value) => value.split(','))
  return new Set(options.map((option) => foldedName(option.trim())))
}

function ownFields(request: RequestView): FlatFields {
  const fields = ['X-Forwarded-Method', request.method, 'X-Forwarded-Proto', forwardedProto(request)]
  const host = forwardedHost(request)
  if (host !== '') fields.push('X-Forwarded-Host', host)
  fields.push('X-Forwarded-Uri', request.path + request.query)
  const chain = forwardedFor(request)
  if (chain !== '') fields.push('X-Forwarded-For', chain)
  fields.push('X-Request-Id', request.id)
  return fields
}

function fromTrusted(request: RequestView, name: string): string {
  return request.client.trusted ? (request.header(name) ?? '') : ''
}

function forwardedProto(request: RequestView): string {
  return fromTrusted(request, 'x-forwarded-proto') || request.scheme
}

/** The host that was matched, so that no other spelling of it is judged; with the port that the client used. */
function forwardedHost(request: RequestView): string {
  const trusted = fromTrusted(request, 'x-forwarded-host')
  if (trusted !== '' || request.host === '') return trusted
  const port = /:\d+$/.exec(request.header('host') ?? '')?.[0] ?? ''
  return request.host + port
}

function forwardedFor(request: RequestView): string {
  const { address, trusted } = request.client
  const before = trusted ? request.headers('x-forwarded-for').join(', ') : ''
  if (address === unixAddress) return before
  return before === '' ? address : `${before}, ${address}`
}
