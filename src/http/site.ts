// From a snapshot to what the HTTP handler of one listener works with.
import type { RouteSpec } from '../core/route-spec.ts'
import type { ClientAuthSpec, ListenerSpec, Snapshot } from '../core/spec.ts'
import type { PlaneContext } from '../pool/plane-context.ts'
import type { Pool } from '../pool/pool.ts'
import type { Site } from './context.ts'
import { foldedName, nothingReserved } from './hygiene/reserved-fields.ts'
import { implicitRoute, type Route } from './route/route.ts'
import { RouteTable } from './route/route-table.ts'

/** What is made once per snapshot, for all of its listeners. */
export interface SiteParts {
  readonly snapshot: Snapshot
  readonly pools: ReadonlyMap<string, Pool>
  /** As `snapshot.routes`, one for one. */
  readonly routes: readonly Route[]
  isTrusted(address: string): boolean
}

/** What a snapshot says for one listener, ready to use. Throws where a part cannot be made. */
export function buildSite(parts: SiteParts, listener: ListenerSpec, plane: PlaneContext): Site {
  const { snapshot, routes, pools, isTrusted } = parts
  const { limits } = snapshot
  const { plugins } = plane
  const hsts = hstsLine(listener)
  const redirects = listener.redirectHttpsPort !== 0
  return {
    listener,
    position: snapshot.listeners.indexOf(listener),
    table:
      redirects || snapshot.routes.length === 0
        ? null
        : new RouteTable(snapshot.routes, routes, { listener: listener.name, plugins }),
    implicit: redirects ? null : implicitRoute(listener, snapshot, pools, plane),
    limits,
    headLimits: {
      instanceId: snapshot.instanceId,
      maxFields: limits.headerCount,
      targetSize: limits.targetSize,
      isTrusted,
      reserved: reservedFields(snapshot),
      certificateNames: certificateNames(listener),
    },
    hsts,
    plainAnswer: { status: 0, edits: null, lines: '', changes: null, hsts, setCookie: '' },
    isTrusted,
  }
}

/**
 * A backend may be reached by every listener and route: what one of them tells it no other may let a client say
 * (CVE-2026-30851).
 */
function reservedFields(snapshot: Snapshot): ReadonlySet<string> {
  const told = snapshot.listeners.map(certificateNames).filter((of) => of !== null)
  const names = [
    ...told.flatMap(({ subject, san, fingerprint }) => [subject, san, fingerprint]),
    ...snapshot.routes.flatMap(identityFields),
  ]
  const folded = names.filter((name) => name !== null).map(foldedName)
  const reserved = folded.filter((name) => !FRAMING.has(name))
  return reserved.length === 0 ? nothingReserved : new Set(reserved)
}

/** What tells a backend who was let in. Credentials themselves are the client's to send, on the other routes. */
function identityFields({ basicAuth, forwardAuth }: RouteSpec): string[] {
  const names = [...(forwardAuth?.copyHeaders ?? []), basicAuth?.userHeader ?? '']
  return names.filter((name) => name !== '' && !CREDENTIALS.has(name))
}

const CREDENTIALS = new Set(['authorization', 'cookie'])

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
