// From a snapshot to what the HTTP handler of one listener works with.
import type { RouteSpec } from '../core/route-spec.ts'
import type { ClientAuthSpec, ListenerSpec, Snapshot } from '../core/spec.ts'
import type { PlaneContext } from '../pool/plane-context.ts'
import { sameData } from '../util/same-data.ts'
import { invalidatorOf } from './cache/invalidator.ts'
import type { Site } from './context.ts'
import { foldedName, nothingReserved } from './hygiene/reserved-fields.ts'
import type { Destinations } from './route/destination.ts'
import { implicitRoute, type Route } from './route/route.ts'
import { RouteTable } from './route/route-table.ts'

/** What is made once per snapshot, for all of its listeners. */
export interface SiteParts {
  readonly snapshot: Snapshot
  readonly destinations: Destinations
  /** As `snapshot.routes`, one for one. */
  readonly routes: readonly Route[]
  /** The same function for the same networks. */
  readonly isTrusted: (address: string) => boolean
}

/** What runs, for what of it may be used again. */
export interface SitesBefore {
  readonly snapshot: Snapshot
  readonly sites: ReadonlyMap<string, Site>
  readonly routes: readonly Route[]
  /** What plug-ins bring is the same now. */
  readonly samePlugins: boolean
}

/**
 * What a snapshot says for its listeners that speak HTTP, by name. The site of one for which nothing has changed is the same:
 * connections keep what they have parsed by it. Throws where a part cannot be made.
 */
export function buildSites(
  parts: SiteParts,
  plane: PlaneContext,
  before: SitesBefore | null = null,
): Map<string, Site> {
  const reserved = reservedOf(parts.snapshot, before)
  const sites = new Map<string, Site>()
  for (const listener of parts.snapshot.listeners) {
    if (listener.protocol !== 'http') continue
    sites.set(listener.name, buildSite({ ...parts, reserved }, listener, plane, before))
  }
  return sites
}

/** The same set while neither listeners nor routes have changed. */
function reservedOf(snapshot: Snapshot, before: SitesBefore | null): ReadonlySet<string> {
  const [known] = before?.sites.values() ?? []
  const isSame = before?.snapshot.routes === snapshot.routes && before?.snapshot.listeners === snapshot.listeners
  return isSame && known !== undefined ? known.headLimits.reserved : reservedFields(snapshot)
}

function buildSite(
  parts: SiteParts & { readonly reserved: ReadonlySet<string> },
  listener: ListenerSpec,
  plane: PlaneContext,
  before: SitesBefore | null,
): Site {
  const { snapshot, destinations, isTrusted } = parts
  const { limits } = snapshot
  const known = before?.sites.get(listener.name) ?? null
  const hsts = hstsLine(listener)
  const redirects = listener.redirectHttpsPort !== 0
  const position = snapshot.listeners.indexOf(listener)
  const table = redirects || snapshot.routes.length === 0 ? null : tableOf(parts, listener, plane, before)
  const implicit = redirects ? null : implicitOf(implicitRoute(listener, snapshot, destinations), known)
  const invalidator = invalidatorOf(snapshot.routes, known?.invalidator ?? null)
  const reserved = known !== null && sameNames(known, parts.reserved) ? known.headLimits.reserved : parts.reserved
  if (
    known !== null &&
    known.listener === listener &&
    known.position === position &&
    known.table === table &&
    known.implicit === implicit &&
    known.limits === limits &&
    known.isTrusted === isTrusted &&
    known.invalidator === invalidator &&
    known.headLimits.reserved === reserved &&
    known.headLimits.instanceId === snapshot.instanceId
  ) {
    return known
  }
  return {
    listener,
    position,
    table,
    implicit,
    limits,
    headLimits: {
      instanceId: snapshot.instanceId,
      maxFields: limits.headerCount,
      targetSize: limits.targetSize,
      isTrusted,
      reserved,
      certificateNames: certificateNames(listener),
    },
    hsts,
    plainAnswer: { status: 0, edits: null, lines: '', changes: null, hsts, setCookie: '' },
    invalidator,
    isTrusted,
  }
}

/** Matching is the same as long as the same routes stand in the same order. */
function tableOf(
  { snapshot, routes }: SiteParts,
  listener: ListenerSpec,
  { plugins }: PlaneContext,
  before: SitesBefore | null,
): RouteTable {
  const known = before?.sites.get(listener.name)?.table ?? null
  if (known !== null && before!.routes === routes && before!.samePlugins) return known
  return new RouteTable(snapshot.routes, routes, { listener: listener.name, plugins })
}

function implicitOf(route: Route | null, known: Site | null): Route | null {
  const before = known?.implicit ?? null
  return route !== null && before !== null && sameImplicit(route, before) ? before : route
}

const sameImplicit = (a: Route, b: Route): boolean => a.destination === b.destination && a.bodySize === b.bodySize

const sameNames = ({ headLimits }: Site, names: ReadonlySet<string>): boolean =>
  headLimits.reserved === names || sameData([...headLimits.reserved], [...names])

/**
 * A backend may be reached by every listener and route: what one of them tells it no other may let a client say
 * (CVE-2026-30851).
 */
export function reservedFields(snapshot: Snapshot): ReadonlySet<string> {
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
