// From a snapshot to what the HTTP handler of one listener works with.
import type { ClientAuthSpec, ListenerSpec, Snapshot } from '../core/spec.ts'
import type { Pool } from '../pool/pool.ts'
import type { Site } from './context.ts'
import type { ResponseRules } from './http1/response-head.ts'
import { foldedName, nothingReserved } from './hygiene/reserved-fields.ts'

/** Listeners of one pool have one object: connections to backends keep the last head parsed by it. */
const rulesOfPool = new WeakMap<Pool, ResponseRules>()

/** What a snapshot says for one listener, ready to use. */
export function buildSite(
  snapshot: Snapshot,
  listener: ListenerSpec,
  pool: Pool,
  isTrusted: (address: string) => boolean,
): Site {
  const { limits } = snapshot
  let responseRules = rulesOfPool.get(pool)
  if (responseRules === undefined) {
    responseRules = { maxFields: Math.max(limits.headerCount, 256), hide: pool.spec.hideHeaders }
    rulesOfPool.set(pool, responseRules)
  }
  return {
    listener,
    pool,
    limits,
    headLimits: {
      instanceId: snapshot.instanceId,
      maxFields: limits.headerCount,
      targetSize: limits.targetSize,
      reserved: reservedFields(snapshot),
      certificateNames: certificateNames(listener),
    },
    responseRules,
    hsts: hstsLine(listener),
    isTrusted,
  }
}

/** A backend may be reached by every listener: what one of them tells it no other may let a client say. */
function reservedFields(snapshot: Snapshot): ReadonlySet<string> {
  const told = snapshot.listeners.map(certificateNames).filter((of) => of !== null)
  const names = told.flatMap(({ subject, san, fingerprint }) => [subject, san, fingerprint])
  const folded = names.filter((name) => name !== null).map(foldedName)
  const reserved = folded.filter((name) => !FRAMING.has(name))
  return reserved.length === 0 ? nothingReserved : new Set(reserved)
}

/** Whatever a configuration calls its fields: what frames and routes a message is read first, never taken out before. */
const FRAMING = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

function certificateNames(listener: ListenerSpec): ClientAuthSpec['headers'] | null {
  const headers = listener.tls?.clientAuth?.headers ?? null
  if (headers === null) return null
  return headers.subject === null && headers.san === null && headers.fingerprint === null ? null : headers
}

/** Without TLS it must not be said (RFC 6797 §7.2). */
function hstsLine(listener: ListenerSpec): string {
  const value = listener.tls?.hsts ?? ''
  return value === '' ? '' : `Strict-Transport-Security: ${value}\r\n`
}
