// Routes that can never be reached, found when a configuration is loaded. Reports only what is certain.
import type { MatchSpec, RouteSpec } from '../core/route-spec.ts'
import { conditionCount } from './conditions.ts'
import { implies } from './implied.ts'
import { type LiteralPrefix, literalPrefix } from './literal-prefix.ts'
import { pathShape } from './path-pattern.ts'
import { type Place, placesOf } from './rank.ts'

export interface RouteConflict {
  /** `twin`: the other route has the same hosts, paths and conditions, so that nothing could ever tell them apart. */
  readonly kind: 'twin' | 'unreachable'
  /** Index of the route that is never taken. */
  readonly route: number
  /** Index of the (first) one that is taken in its place. */
  readonly by: number
  /** A sentence without its subject, which is the route: `can never be told apart from …`. */
  readonly reason: string
}

/** What a route has before it is compiled. */
type NamedMatch = Pick<RouteSpec, 'name' | 'match'>

/** What can be found under one key: the routes of one host and one shape of path. */
type Group = Map<string, Place[]>

/** `listeners`: the names of all that take routes. */
export function findConflicts(routes: readonly NamedMatch[], listeners: readonly string[]): RouteConflict[] {
  const index = new PlaceIndex(routes, listeners)
  return routes.flatMap((_, route) => index.conflictOf(route) ?? [])
}

class PlaceIndex {
  readonly #routes: readonly NamedMatch[]
  readonly #listeners: readonly string[]
  readonly #groups = new Map<string, Group>()
  /** By host: regular expressions that take all that begins with their text. */
  readonly #openRegexes = new Map<string, { prefix: string; place: Place }[]>()

  constructor(routes: readonly NamedMatch[], listeners: readonly string[]) {
    this.#routes = routes
    this.#listeners = listeners
    for (const [route, { match }] of routes.entries()) {
      for (const place of placesOf(match, route)) this.#add(place, match)
    }
  }

  conflictOf(route: number): RouteConflict | null {
    const { match } = this.#routes[route]!
    const covering: Place[] = []
    for (const place of placesOf(match, route)) {
      const cover = this.#coverOf(place, match)
      if (cover === null) return null
      covering.push(cover)
    }
    const by = covering[0]!.route
    const isTwin = covering.every((cover) => cover.route === by) && this.#isTwin(match, this.#routes[by]!.match)
    return { kind: isTwin ? 'twin' : 'unreachable', route, by, reason: this.#reason(match, covering, isTwin) }
  }

  #add(place: Place, match: MatchSpec): void {
    const group = valueAt(this.#groups, groupKey(place.host, shapeKey(place.path, match)), () => new Map())
    valueAt(group, discriminator(match), () => []).push(place)
    if (place.path !== null) return
    const { prefix, tail } = literalPrefix(match.pathRegex!)
    if (tail === 'anything') valueAt(this.#openRegexes, place.host ?? '', () => []).push({ prefix, place })
  }

  /** Another route that takes every request, and earlier, that this one could take at this place. */
  #coverOf(place: Place, match: MatchSpec): Place | null {
    const count = conditionCount(match)
    const goesFirst = ({ route }: Place): boolean => {
      const difference = conditionCount(this.#routes[route]!.match) - count
      return difference > 0 || (difference === 0 && route < place.route)
    }
    const same = this.#find(place.host, shapeKey(place.path, match), match, place.route, goesFirst)
    if (same !== null) return same
    if (place.path === null) return this.#coverOfRegex(place, match, goesFirst)
    return place.path === '/*' ? this.#openCover(place, '', match, () => true) : null
  }

  #coverOfRegex(place: Place, match: MatchSpec, goesFirst: (place: Place) => boolean): Place | null {
    const literal = literalPrefix(match.pathRegex!)
    for (const key of higherKeys(literal)) {
      const found = this.#find(place.host, key, match, place.route, () => true)
      if (found !== null) return found
    }
    return this.#openCover(place, literal.prefix, match, goesFirst)
  }

  #openCover(place: Place, prefix: string, match: MatchSpec, goesFirst: (place: Place) => boolean): Place | null {
    const open = this.#openRegexes.get(place.host ?? '') ?? []
    const found = open.find(
      (regex) =>
        prefix.startsWith(regex.prefix) &&
        regex.place.route !== place.route &&
        goesFirst(regex.place) &&
        this.#isImplied(match, regex.place),
    )
    return found?.place ?? null
  }

  #find(
    host: string | null,
    shape: string,
    match: MatchSpec,
    route: number,
    goesFirst: (place: Place) => boolean,
  ): Place | null {
    const group = this.#groups.get(groupKey(host, shape))
    if (group === undefined) return null
    for (const key of ['', ...discriminators(match)]) {
      const found = group
        .get(key)
        ?.find((place) => place.route !== route && goesFirst(place) && this.#isImplied(match, place))
      if (found !== undefined) return found
    }
    return null
  }

  #isImplied(narrow: MatchSpec, { route }: Place): boolean {
    return implies(narrow, this.#routes[route]!.match, this.#listeners)
  }

  #isTwin(a: MatchSpec, b: MatchSpec): boolean {
    const keys = (match: MatchSpec) => placesOf(match, 0).map(({ host, path }) => groupKey(host, shapeKey(path, match)))
    return (
      conditionCount(a) === conditionCount(b) &&
      new Set(keys(a)).symmetricDifference(new Set(keys(b))).size === 0 &&
      implies(b, a, this.#listeners)
    )
  }

  #reason(match: MatchSpec, covering: readonly Place[], isTwin: boolean): string {
    const names = [...new Set(covering.map(({ route }) => JSON.stringify(this.#routes[route]!.name)))]
    const others = `${names.length === 1 ? 'route' : 'routes'} ${names.slice(0, 3).join(', ')}${names.length > 3 ? ' …' : ''}`
    if (isTwin) return `can never be told apart from ${others}: same hosts, same paths, same conditions`
    const [first] = covering
    const place = first!.path ?? this.#routes[first!.route]!.match.pathRegex!
    const isOtherClass = shapeKey(first!.path, this.#routes[first!.route]!.match) !== shapeKey(onlyPath(match), match)
    const why = isOtherClass && covering.length === 1 ? ` (by ${JSON.stringify(place)}, which is tried first)` : ''
    return `can never be reached: ${others} ${names.length === 1 ? 'takes' : 'take'} every request that it could take${why}`
  }
}

const onlyPath = ({ pathRegex, paths }: MatchSpec): string | null => (pathRegex === null ? (paths[0] ?? '/*') : null)

const groupKey = (host: string | null, shape: string): string => `${host ?? ''} ${shape}`

/** Patterns that take the same paths have the same; names of parts are of no account. */
function shapeKey(path: string | null, { pathRegex }: MatchSpec): string {
  if (path === null) return `~${pathRegex}`
  const { kind, segments } = pathShape(path)
  return segmentsKey(segments, kind === 'prefix' || kind === 'any')
}

function segmentsKey(segments: readonly (string | null)[], isPrefix: boolean): string {
  return `${segments.map((segment) => `/${segment ?? '{}'}`).join('')}${isPrefix ? '/*' : ''}`
}

/**
 * Keys of the patterns that take all that a regular expression can match: the prefixes whose segments it begins with,
 * and where it matches only one text, the patterns that take that.
 */
function higherKeys({ prefix, tail }: LiteralPrefix): string[] {
  if (!prefix.startsWith('/')) return []
  const segments = prefix.slice(1).split('/')
  // Of an open end nobody knows how the last segment goes on.
  const known = tail === 'nothing' ? segments.length : segments.length - 1
  const keys: string[] = []
  let shapes: (string | null)[][] = [[]]
  for (const [at, segment] of segments.slice(0, known).entries()) {
    const withParts = segment === '' || shapes.length > 64 ? [] : shapes.map((shape) => [...shape, null])
    shapes = [...shapes.map((shape) => [...shape, segment]), ...withParts]
    if (tail === 'nothing' && at === known - 1) keys.push(...shapes.map((shape) => segmentsKey(shape, false)))
    keys.push(...shapes.map((shape) => segmentsKey(shape, true)))
  }
  return keys
}

/**
 * A condition that a request can meet only in one way, so that thousands of routes at one path which differ by it need
 * not be compared with each other; '' = there is none.
 */
function discriminator(match: MatchSpec): string {
  return discriminators(match)[0] ?? ''
}

function discriminators({ headers, query, methods }: MatchSpec): string[] {
  const isPlain = (value: string) => !value.startsWith('*') && !value.endsWith('*')
  const keys = [
    ...headers.map((one) => ({ ...one, kind: 'header' })),
    ...query.map((one) => ({ ...one, kind: 'query' })),
  ]
    .filter(({ values }) => values.length === 1 && isPlain(values[0]!))
    .map(({ kind, name, values }) => `${kind} ${name} ${values[0]}`)
  return methods.length === 1 ? [...keys, `method ${methods[0]}`] : keys
}

function valueAt<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}
