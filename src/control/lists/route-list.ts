// GET /routes: the routes in the order in which they are tried, and what each has seen.
import { errorNames } from '../../core/errors.ts'
import type { RouteSpec } from '../../core/route-spec.ts'
import type { ListenerSpec, Snapshot } from '../../core/spec.ts'
import { rankOrder } from '../../routing/rank.ts'
import { actionWords, matchWords } from '../../routing/route-words.ts'
import { quantile } from '../../state/histogram.ts'
import { implicitRoute } from '../../state/names.ts'
import { histogramOf, type TrafficTotals } from '../../state/traffic-totals.ts'
import { TimeSlice } from '../time-slice.ts'
import type { ListSources } from './listener-list.ts'

export interface RouteView {
  readonly name: string
  readonly match: string
  readonly action: string
  /** Null where it splits, or answers by itself. */
  readonly pool: string | null
  /** Names of those it takes requests of. */
  readonly listeners: readonly string[]
  /** What a listener with a pool does with requests that no written route takes. */
  readonly implicit: boolean
  /** Its place in the file, from 1; null = it is implicit. */
  readonly order: number | null
  /** Null = there are so many routes that it is not counted apart. */
  readonly requests: number | null
  /** Answers with 5xx, and those that broke in the middle. */
  readonly errors: number | null
  /** Of whole exchanges; null without any. */
  readonly latency_ms: { readonly p50: number | null; readonly p99: number | null }
}

export async function routeList(sources: ListSources): Promise<RouteView[]> {
  const { snapshot } = sources.membership
  const slice = new TimeSlice()
  const list: RouteView[] = []
  for (const index of orderOf(snapshot.routes)) {
    list.push(writtenRoute(snapshot, index, sources))
    if (slice.isOver) await slice.rest()
  }
  const left = snapshot.listeners.filter((one) => hasImplicit(one) && !isTakenWhole(one, snapshot))
  return [...list, ...left.map((listener) => implicitView(listener, sources))]
}

const orders = new WeakMap<readonly RouteSpec[], readonly number[]>()

/** Snapshots keep the list while their routes do not change, and putting thousands in order takes a while. */
function orderOf(routes: readonly RouteSpec[]): readonly number[] {
  const order = orders.get(routes) ?? rankOrder(routes)
  orders.set(routes, order)
  return order
}

/** One that only redirects to https takes no routes. */
export const takesRoutes = ({ protocol, redirectHttpsPort }: ListenerSpec): boolean =>
  protocol === 'http' && redirectHttpsPort === 0

const hasImplicit = (listener: ListenerSpec): boolean => takesRoutes(listener) && listener.pool !== ''

/** A route takes every request of it, as the one that `cache` or `rate_limit` at the top stands for: nothing else comes to its pool. */
function isTakenWhole({ name }: ListenerSpec, { routes }: Snapshot): boolean {
  return routes.some(({ match: { listeners, pathRegex, custom, ...lists } }) => {
    const isPlain = pathRegex === null && custom === null && Object.values(lists).every((list) => list.length === 0)
    return isPlain && (listeners.length === 0 || listeners.includes(name))
  })
}

/** Listeners whose requests a route may take. */
export function listenersOf({ match }: Pick<RouteSpec, 'match'>, { listeners }: Snapshot): ListenerSpec[] {
  return listeners.filter(
    (one) => takesRoutes(one) && (match.listeners.length === 0 || match.listeners.includes(one.name)),
  )
}

function writtenRoute(snapshot: Snapshot, index: number, { port }: ListSources): RouteView {
  const route = snapshot.routes[index]!
  const { name, match, action, mirror } = route
  const { sizes } = port.state
  const reached = listenersOf(route, snapshot)
  const rows = reached.flatMap((listener) => {
    const row = route.rows[snapshot.listeners.indexOf(listener)]
    return row === undefined || row === sizes.listeners + listener.row ? [] : [row]
  })
  const isCounted = rows.length === reached.length
  return {
    name,
    match: matchWords(match),
    action: actionWords(action, mirror),
    pool: action.kind === 'pool' ? action.pool : null,
    listeners: reached.map((listener) => listener.name),
    implicit: false,
    order: index + 1,
    ...(isCounted
      ? countsOf(rows.map((row) => port.state.trafficTotals(row)))
      : { requests: null, errors: null, latency_ms: { p50: null, p99: null } }),
  }
}

function implicitView({ name, row, pool }: ListenerSpec, { port }: ListSources): RouteView {
  return {
    name: implicitRoute,
    match: 'everything else',
    action: `pool ${pool}`,
    pool,
    listeners: [name],
    implicit: true,
    order: null,
    ...countsOf([port.state.trafficTotals(row)]),
  }
}

/** Their status was sent already when the backend broke them. */
const brokenAnswers = errorNames.filter((name) => name === 'reset_in_answer' || name === 'body_timeout')

function countsOf(totals: readonly TrafficTotals[]): Pick<RouteView, 'requests' | 'errors' | 'latency_ms'> {
  let errors = 0
  for (const { requests, errors: named } of totals) {
    for (const { status, count } of requests) if (status >= 500) errors += count
    for (const name of brokenAnswers) errors += named[name] ?? 0
  }
  const all = totals.map(({ duration }) => duration)
  const counts = (all[0]?.counts ?? []).map((_, i) => all.reduce((sum, one) => sum + one.counts[i]!, 0))
  const { count } = histogramOf(counts, 0)
  const at = (q: number): number | null => (count === 0 ? null : Math.round(quantile(counts, q)) / 1000)
  return { requests: count, errors, latency_ms: { p50: at(0.5), p99: at(0.99) } }
}
