// A route as one worker uses it: what its requests go through and where they go, compiled once per snapshot.
import type { RouteSpec } from '../../core/route-spec.ts'
import type { ListenerSpec, Snapshot } from '../../core/spec.ts'
import type { PlaneContext } from '../../pool/plane-context.ts'
import type { Pool } from '../../pool/pool.ts'
import { Compression } from '../compression/compression.ts'
import { ErrorPages } from '../error-pages/error-pages.ts'
import type { RequestHead } from '../http1/request-head.ts'
import { Mirror } from '../mirror/mirror.ts'
import type { OwnAnswer } from '../own-answer.ts'
import { buildSteps, type Steps } from '../steps/build-steps.ts'
import type { RequestRecord } from '../steps/request-record.ts'
import { type Destination, destinationOf } from './destination.ts'
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
  readonly errorPages: ErrorPages | null
  readonly mirror: Mirror | null
  /** Its exchanges are in the access log. */
  readonly logged: boolean
}

/** The routes of a snapshot, shared by its listeners. Throws what cannot be built, with its place. */
export function buildRoutes(snapshot: Snapshot, pools: ReadonlyMap<string, Pool>, plane: PlaneContext): Route[] {
  return snapshot.routes.map((spec) => buildRoute(spec, snapshot, pools, plane))
}

/** The route of whatever no written one takes; null = there is none. */
export function implicitRoute(
  listener: ListenerSpec,
  snapshot: Snapshot,
  pools: ReadonlyMap<string, Pool>,
  plane: PlaneContext,
): Route | null {
  if (listener.pool === '') return null
  return {
    name: 'default',
    rows: null,
    bodySize: snapshot.limits.bodySize,
    own: null,
    destination: destinationOf(poolNamed(pools, listener.pool), null, snapshot.limits, plane.state),
    split: null,
    steps: null,
    rewrite: null,
    requestEdits: null,
    responseEdits: null,
    needsRecord: false,
    compression: null,
    errorPages: null,
    mirror: null,
    logged: true,
  }
}

function buildRoute(
  spec: RouteSpec,
  { limits, instanceId }: Snapshot,
  pools: ReadonlyMap<string, Pool>,
  plane: PlaneContext,
): Route {
  const to = (pool: string): Destination => destinationOf(poolNamed(pools, pool), spec, limits, plane.state)
  const { action } = spec
  const steps = buildSteps(spec, instanceId, plane)
  const requestEdits = headerEdits(spec.requestHeaders)
  const responseEdits = headerEdits(spec.responseHeaders)
  const own = ownAction(spec)
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
    mirror: mirrorOf(spec, pools, limits, plane),
    logged: spec.accessLog,
    compression: spec.compression === null ? null : new Compression(spec.compression),
  }
}

/** To the other pool as that is, not with what the route changes of its own. */
function mirrorOf(
  { mirror }: RouteSpec,
  pools: ReadonlyMap<string, Pool>,
  limits: Snapshot['limits'],
  plane: PlaneContext,
): Mirror | null {
  if (mirror === null) return null
  return new Mirror(mirror, destinationOf(poolNamed(pools, mirror.pool), null, limits, plane.state), plane)
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

function poolNamed(pools: ReadonlyMap<string, Pool>, name: string): Pool {
  const pool = pools.get(name)
  if (pool === undefined) throw new Error(`there is no pool ${name}`)
  return pool
}
