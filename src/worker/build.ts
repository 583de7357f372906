// What a snapshot asks for, made beside what runs: all that can fail is done here, and what has not changed is used again.
import type { ListenerSpec, Snapshot } from '../core/spec.ts'
import type { Site } from '../http/context.ts'
import { Destinations } from '../http/route/destination.ts'
import { buildRoutes, type Route } from '../http/route/route.ts'
import { buildSites } from '../http/site.ts'
import { keyOf, ServerTls } from '../net/tls/server-tls.ts'
import type { PluginRegistry } from '../plugins/registry.ts'
import type { LiveBackends, PoolContexts } from '../pool/live-backend.ts'
import type { PlaneContext } from '../pool/plane-context.ts'
import { Pool, type PoolParts } from '../pool/pool.ts'
import { compileCidrs } from '../util/cidr.ts'
import { sameData } from '../util/same-data.ts'
import type { OpenCache } from './open-cache.ts'

/** A snapshot, ready to be swapped in. */
export interface Built {
  readonly snapshot: Snapshot
  readonly plugins: PluginRegistry
  readonly cache: OpenCache | null
  /** By listener; null = it speaks no TLS. */
  readonly engines: ReadonlyMap<string, ServerTls | null>
  readonly pools: ReadonlyMap<string, Pool>
  /** What pools that are there already become. */
  readonly changed: ReadonlyMap<Pool, PoolParts>
  readonly contexts: PoolContexts
  readonly destinations: Destinations
  readonly routes: readonly Route[]
  readonly isTrusted: (address: string) => boolean
  readonly sites: ReadonlyMap<string, Site>
}

export interface BuildHost {
  /** Its `plugins` and its `cache` are those of the snapshot. */
  readonly plane: PlaneContext
  readonly live: LiveBackends
  readonly cache: OpenCache | null
  /** By listener: what session tickets are sealed with. */
  readonly ticketKeys: ReadonlyMap<string, Uint8Array>
}

/** `before`: what runs. Throws what cannot be made, with its place; nothing has changed then. */
export function build(snapshot: Snapshot, host: BuildHost, before: Built | null): Built {
  const { plane, live, cache } = host
  const { plugins, state } = plane
  const samePlugins = before !== null && sameData(before.snapshot.plugins, snapshot.plugins)
  const engines = new Map(snapshot.listeners.map((spec) => [spec.name, tlsOf(spec, host, before)]))
  const { pools, changed } = buildPools(snapshot, host, before?.pools ?? new Map(), samePlugins)
  const { limits } = snapshot
  const destinations = new Destinations({ pools, changed, limits, state }, before?.destinations ?? null)
  const parts = {
    snapshot,
    pools,
    changed,
    destinations,
    plugins,
    cache,
    engines,
    contexts: live.prepare(snapshot.pools),
  }
  const routes = routesOf(parts, plane, before, samePlugins)
  const isTrusted =
    before !== null && sameData(before.snapshot.trustedProxies, snapshot.trustedProxies)
      ? before.isTrusted
      : compileCidrs(snapshot.trustedProxies)
  const known = before === null ? null : { ...before, samePlugins }
  const sites = buildSites({ snapshot, routes, destinations, isTrusted }, plane, known)
  return { ...parts, routes, isTrusted, sites }
}

/** Contexts are kept while nothing that they depend on changes: sessions stay good, and nothing is computed. */
function tlsOf(spec: ListenerSpec, { ticketKeys }: BuildHost, before: Built | null): ServerTls | null {
  if (spec.tls === null) return null
  const known = before?.engines.get(spec.name)
  if (known != null && known.key === keyOf(spec.tls)) return known
  return new ServerTls(spec.name, spec.tls, ticketKeys.get(spec.name) ?? null)
}

interface Pools {
  readonly pools: ReadonlyMap<string, Pool>
  readonly changed: Map<Pool, PoolParts>
}

function buildPools(
  { pools: specs }: Snapshot,
  { plane, live }: BuildHost,
  before: ReadonlyMap<string, Pool>,
  samePlugins: boolean,
): Pools {
  const changed = new Map<Pool, PoolParts>()
  const pools = specs.map((spec): [string, Pool] => {
    const known = before.get(spec.name)
    // What is under way at a pool of another kind must not find its backends in its place.
    if (known === undefined || known.spec.kind !== spec.kind) {
      return [spec.name, new Pool(spec, plane.state, live, plane)]
    }
    // A strategy of a plug-in may be another function now, whatever its name.
    const isSame = known.spec === spec && (samePlugins || spec.customStrategy === null)
    if (!isSame) changed.set(known, known.prepare(spec))
    return [spec.name, known]
  })
  return { pools: new Map(pools), changed }
}

function routesOf(
  { snapshot, pools, destinations, cache }: Pick<Built, 'snapshot' | 'pools' | 'destinations' | 'cache'>,
  plane: PlaneContext,
  before: Built | null,
  samePlugins: boolean,
): readonly Route[] {
  if (before === null) return buildRoutes(snapshot, destinations, plane)
  const sameCache = before.cache === cache
  const isSame =
    samePlugins &&
    sameCache &&
    before.snapshot.routes === snapshot.routes &&
    before.snapshot.limits === snapshot.limits &&
    [...before.pools].every(([name, pool]) => pools.get(name) === pool)
  if (!isSame) {
    const known = { specs: before.snapshot.routes, routes: before.routes, samePlugins, sameCache }
    return buildRoutes(snapshot, destinations, plane, known)
  }
  destinations.keepAll(before.destinations)
  return before.routes
}
