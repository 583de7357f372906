// A route as one worker uses it: what its requests go through and where they go. One that a change leaves as it is stays.
import type { RouteSpec } from '../../core/route-spec.ts'
import type { ListenerSpec, Snapshot } from '../../core/spec.ts'
import type { PlaneContext } from '../../pool/plane-context.ts'
import { sameData } from '../../util/same-data.ts'
import { RouteCache } from '../cache/route-cache.ts'
import { Compression } from '../compression/compression.ts'
import { ErrorPages } from '../error-pages/error-pages.ts'
import type { RequestHead } from '../http1/request-head.ts'
import { Mirror } from '../mirror/mirror.ts'
import type { OwnAnswer } from '../own-answer.ts'
import { buildSteps, type Steps } from '../steps/build-steps.ts'
import type { RequestRecord } from '../steps/request-record.ts'
import type { Destination, Destinations } from './destination.ts'
import { type HeaderEdits, headerEdits } from './header-edits.ts'
import { redirectAnswer, respondAnswer } from './own-action.ts'
import { Rewrite } from './rewrite.ts'
import { Split } from './split.ts'

/** Members that are null cost an exchange one comparison. */
export interface Route {
  readonly name: string
  /** Rows of its counters, by the position of a listener; null = those of the listener itself. */
  readonly rows: readonly number[] | null
  /** 0 = none. */
  readonly bodySize: number
  /** The answer of a route that asks no backend. */
  readonly own: ((record: RequestRecord) => OwnAnswer) | null
  /** Where its requests go, unless they are split. Null for one that answers by itself. */
  readonly destination: Destination | null
  readonly split: Split | null
  readonly steps: Steps | null
  readonly rewrite: Rewrite | null
  readonly requestEdits: HeaderEdits | null
  readonly responseEdits: HeaderEdits | null
  /** Its steps, templates or answers ask about the request. */
  readonly needsRecord: boolean
  readonly compression: Compression | null
  readonly cache: RouteCache | null
  readonly errorPages: ErrorPages | null
  readonly mirror: Mirror | null
  /** Its exchanges are in the access log. */
  readonly logged: boolean
}

/** Routes with what they were built from, one for one. */
export interface RoutesBefore {
  readonly specs: readonly RouteSpec[]
  readonly routes: readonly Route[]
  /** What plug-ins bring is the same now. */
  readonly samePlugins: boolean
  /** So is what keeps cached answers. */
  readonly sameCache: boolean
}

/**
 * The routes of a snapshot, shared by its listeners. What a route is may be used again, with all that its steps remember,
 * where neither the route nor the pools it names have changed. Throws what cannot be built, with its place.
 */
export function buildRoutes(
  snapshot: Snapshot,
  destinations: Destinations,
  plane: PlaneContext,
  before: RoutesBefore | null = null,
): readonly Route[] {
  const known = new KnownRoutes(before)
  const routes = snapshot.routes.map((spec, at) => {
    const kept = known.find(spec, at, snapshot, destinations)
    if (kept === null) return buildRoute(spec, snapshot, destinations, plane)
    for (const destination of destinationsOf(kept)) destinations.keep(destination)
    return kept
  })
  return before !== null && sameItems(before.routes, routes) ? before.routes : routes
}

const sameItems = (a: readonly Route[], b: readonly Route[]): boolean =>
  a.length === b.length && a.every((route, at) => route === b[at])

/** Where a route may lead. */
export function destinationsOf({ destination, split, mirror }: Route): readonly Destination[] {
  const own = split !== null ? split.destinations : destination === null ? [] : [destination]
  return mirror === null ? own : [...own, mirror.destination]
}

class KnownRoutes {
  readonly #before: RoutesBefore | null
  #byName: Map<string, number> | null = null

  constructor(before: RoutesBefore | null) {
    this.#before = before
  }

  /** The route as it was, with what is only a number put right; null = it has to be built. */
  find(spec: RouteSpec, at: number, { limits }: Snapshot, { pools }: Destinations): Route | null {
    const before = this.#before
    if (before === null) return null
    const place = before.specs[at] === spec ? at : this.#placeOf(before, spec.name)
    const old = before.specs[place]
    const route = before.routes[place]
    if (old === undefined || route === undefined || !(before.samePlugins || spec.use.length === 0)) return null
    if (!before.sameCache && spec.cache !== null) return null
    if (old !== spec && !sameData({ ...old, rows: [] }, { ...spec, rows: [] })) return null
    if (!destinationsOf(route).every(({ pool }) => pools.get(pool.spec.name) === pool)) return null
    const bodySize = spec.bodySize ?? limits.bodySize
    if (bodySize === route.bodySize && old === spec) return route
    return { ...route, rows: spec.rows, bodySize }
  }

  #placeOf(before: RoutesBefore, name: string): number {
    this.#byName ??= new Map(before.specs.map((spec, place) => [spec.name, place]))
    return this.#byName.get(name) ?? -1
  }
}

/** The route of whatever no written one takes; null = there is none. */
export function implicitRoute(listener: ListenerSpec, snapshot: Snapshot, destinations: Destinations): Route | null {
  if (listener.pool === '') return null
  return {
    name: 'default',
    rows: null,
    bodySize: snapshot.limits.bodySize,
    own: null,
    destination: destinations.of(listener.pool, null),
    split: null,
    steps: null,
    rewrite: null,
    requestEdits: null,
    responseEdits: null,
    needsRecord: false,
    compression: null,
    cache: null,
    errorPages: null,
    mirror: null,
    logged: true,
  }
}

function buildRoute(
  spec: RouteSpec,
  { limits, instanceId }: Snapshot,
  destinations: Destinations,
  plane: PlaneContext,
): Route {
  const to = (pool: string): Destination => destinations.of(pool, spec)
  const { action } = spec
  const steps = buildSteps(spec, instanceId, plane)
  const requestEdits = headerEdits(spec.requestHeaders)
  const responseEdits = headerEdits(spec.responseHeaders)
  const own = ownAction(spec)
  const compression = spec.compression === null ? null : new Compression(spec.compression)
  const errorPages = spec.errorPages.length === 0 ? null : new ErrorPages(spec.errorPages)
  const hasVariables = requestEdits?.variable != null || responseEdits?.variable != null
  return {
    name: spec.name,
    rows: spec.rows,
    bodySize: spec.bodySize ?? limits.bodySize,
    own,
    destination: action.kind === 'pool' ? to(action.pool) : null,
    split:
      action.kind === 'split'
        ? new Split(
            action,
            action.targets.map(({ pool }) => to(pool)),
            plane.state,
          )
        : null,
    steps,
    rewrite: spec.rewrite === null ? null : new Rewrite(spec.rewrite),
    requestEdits,
    responseEdits,
    needsRecord: own !== null || steps !== null || hasVariables || errorPages !== null,
    errorPages,
    mirror: mirrorOf(spec, destinations, plane),
    logged: spec.accessLog,
    compression,
    cache:
      spec.cache === null || plane.cache === null ? null : new RouteCache(spec, spec.cache, plane.cache, compression),
  }
}

/** To the other pool as that is, not with what the route changes of its own. */
function mirrorOf({ mirror }: RouteSpec, destinations: Destinations, plane: PlaneContext): Mirror | null {
  return mirror === null ? null : new Mirror(mirror, destinations.of(mirror.pool, null), plane)
}

function ownAction({ action }: RouteSpec): Route['own'] {
  if (action.kind === 'redirect') return (record) => redirectAnswer(action, record)
  if (action.kind === 'respond') return (record) => respondAnswer(action, record)
  return null
}

/** Where the requests of a route go; one that answers by itself has no such place. */
export function destinationFor(route: Route, head: RequestHead, address: string): Destination {
  return route.split === null ? route.destination! : route.split.choose(head, address)
}
