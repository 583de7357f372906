// The order in which routes are tried, apart from any request. The router's tables are built so that they keep to it.
import type { MatchSpec, RouteSpec } from '../core/route-spec.ts'
import { conditionCount } from './conditions.ts'
import { pathShape } from './path-pattern.ts'

/** One host and one path that a route takes. */
export interface Place {
  /** Index of the route. */
  readonly route: number
  /** Null = every host. */
  readonly host: string | null
  /** A pattern; null = the route's regular expression. */
  readonly path: string | null
}

/** All combinations of hosts and paths of a route. */
export function placesOf({ hosts, paths, pathRegex }: MatchSpec, route: number): Place[] {
  const eachHost = hosts.length === 0 ? [null] : [...new Set(hosts)]
  const eachPath = pathRegex !== null ? [null] : paths.length === 0 ? ['/*'] : [...new Set(paths)]
  return eachHost.flatMap((host) => eachPath.map((path) => ({ route, host, path })))
}

/** Numbers to be compared one after the other, the lower one first; of places that can take the same request. */
function rankOf({ host, path }: Place): number[] {
  const hostRank = host === null ? [2, 0] : host.startsWith('*.') ? [1, -host.length] : [0, 0]
  if (path === null) return [...hostRank, 3]
  const { kind, segments } = pathShape(path)
  const mask = segments.map((segment) => (segment === null ? 1 : 0))
  if (kind === 'exact') return [...hostRank, 0]
  if (kind === 'parts') return [...hostRank, 1, ...mask]
  return kind === 'prefix' ? [...hostRank, 2, -segments.length, ...mask] : [...hostRank, 4]
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** Indexes of routes in the order in which they are tried; of a route with several hosts or paths the first one counts. */
export function rankOrder(routes: readonly Pick<RouteSpec, 'match'>[]): number[] {
  const ranked = routes.map(({ match }, index) => {
    const [best] = placesOf(match, index).map(rankOf).sort(compareRanks)
    return { index, best: best!, conditions: conditionCount(match) }
  })
  return ranked
    .sort((a, b) => compareRanks(a.best, b.best) || b.conditions - a.conditions || a.index - b.index)
    .map(({ index }) => index)
}

/** Why a route stands where it does: `exact host, prefix of 2 segments, 1 condition (method)`. */
export function explainRank({ match }: Pick<RouteSpec, 'match'>): string {
  const places = placesOf(match, 0)
  const conditions = conditionNames(match)
  const count = `${conditions.length} ${conditions.length === 1 ? 'condition' : 'conditions'}`
  const names = conditions.length === 0 ? 'no conditions' : `${count} (${conditions.join(', ')})`
  return [either(places.map(hostWords)), either(places.map(pathWords)), names].join(', ')
}

const either = (words: readonly string[]): string => [...new Set(words)].join(' or ')

function hostWords({ host }: Place): string {
  if (host === null) return 'any host'
  return host.startsWith('*.') ? 'wildcard host' : 'exact host'
}

function pathWords({ path }: Place): string {
  if (path === null) return 'regular expression'
  const { kind, segments } = pathShape(path)
  if (kind === 'prefix') return `prefix of ${segments.length} ${segments.length === 1 ? 'segment' : 'segments'}`
  return { any: 'any path', exact: 'exact path', parts: 'path with named parts' }[kind]
}

function conditionNames(match: MatchSpec): string[] {
  return [
    ...(match.methods.length > 0 ? ['method'] : []),
    ...match.headers.map(({ name }) => `header ${name}`),
    ...match.query.map(({ name }) => `query ${name}`),
    ...(match.clients.length > 0 ? ['client'] : []),
    ...(match.listeners.length > 0 ? ['listener'] : []),
    ...(match.serverNames.length > 0 ? ['server name'] : []),
    ...(match.custom === null ? [] : ['custom']),
  ]
}
