// Label values whose index is a cell in shared memory.

/** HTTP methods counted one by one; every other is counted as the last. */
export const methodNames: readonly string[] = Object.freeze([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'CONNECT',
  'other',
])

/** Index into `methodNames`; methods are case-sensitive (RFC 9110 section 9.1). */
export function methodIndex(method: string): number {
  switch (method) {
    case 'GET':
      return 0
    case 'HEAD':
      return 1
    case 'POST':
      return 2
    case 'PUT':
      return 3
    case 'DELETE':
      return 4
    case 'OPTIONS':
      return 5
    case 'PATCH':
      return 6
    case 'TRACE':
      return 7
    case 'CONNECT':
      return 8
    default:
      return 9
  }
}

/**
 * Why a client connection was turned away: a limit on connections, on those of one address, on descriptors, on
 * unfinished handshakes; a PROXY header missing, malformed or from a stranger; a ClientHello that cannot be read or
 * whose name nobody serves; no backend for a TCP connection.
 */
export const rejectReasons = [
  'limit',
  'per_ip',
  'fd',
  'handshakes',
  'proxy_protocol',
  'hello',
  'no_route',
  'no_backend',
] as const
export type RejectReason = (typeof rejectReasons)[number]

/** Why a request was sent again: no connection, broken before the answer, a kept connection found closed, its status. */
export const retryReasons = ['connect', 'reset', 'stale', 'status'] as const
export type RetryReason = (typeof retryReasons)[number]

/**
 * What became of the copies of a mirror: answered; not begun for want of a place or a backend, or for the size of their
 * body; begun and not answered.
 */
export const mirrorResults = ['sent', 'dropped', 'too_large', 'failed'] as const
export type MirrorResult = (typeof mirrorResults)[number]

/**
 * What the cache made of a request: answered from it, fresh (`hit`) or `stale`; the backend said that what is stored still
 * holds (`revalidated`); fetched (`miss`), or fetched by another request at the same time (`collapsed`); not looked up
 * though its route caches (`bypass`).
 */
export const cacheResults = ['hit', 'stale', 'revalidated', 'miss', 'collapsed', 'bypass'] as const
export type CacheResult = (typeof cacheResults)[number]

/**
 * Why an answer to a GET that a route which caches got from a backend was not stored: the rules of http/cache/policy/rules.ts
 * that refuse; then what the store itself refuses: an answer longer than it takes, one for which there was no room (or that
 * was purged on its way in), and one that broke off. Not counted: other methods, and requests that the route leaves out.
 */
export const storeRefusals = [
  ...(['partial', 'not-understood', 'status-not-cacheable', 'request-no-store', 'no-store', 'private'] as const),
  ...(['authorization', 'cookie', 'set-cookie', 'vary-any', 'vary-unknown', 'vary-too-much', 'nothing-said'] as const),
  ...(['useless', 'ttl-zero', 'no-store-condition', 'too-many-tags'] as const),
  ...(['too-large', 'no-room', 'incomplete'] as const),
] as const
export type StoreRefusal = (typeof storeRefusals)[number]

/** Name of the route that a listener with a pool of its own has by itself, and of the traffic that no route took. */
export const implicitRoute = 'default'
/** Name under which routes are counted that have no row of their own. */
export const otherRoutes = '(other)'

/** Versions of TLS that handshakes are counted by. */
export const tlsVersions = ['TLSv1.2', 'TLSv1.3'] as const

/** Why a TLS handshake with a client did not come to its end. */
export const handshakeErrors = [
  'not_tls',
  'bad_hello',
  'hello_too_large',
  'timeout',
  'closed',
  'protocol_version',
  'no_shared_cipher',
  'no_application_protocol',
  'client_certificate',
  'alert',
  'other',
] as const
export type HandshakeError = (typeof handshakeErrors)[number]
