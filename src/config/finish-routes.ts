// Routes completed: each has a name, what stands in files is read, what the top level says of caching is theirs, and what
// listeners pass on by themselves has become routes where the top level says something of it.
import type { RouteConfig } from './config.ts'
import type { NamedFiles } from './named-files.ts'
import type { LongForm } from './schema/file.ts'
import type { BodyConfig } from './schema/route/body.ts'
import { type CacheConfig, cacheOf } from './schema/route/cache.ts'
import { type WrittenRoute, writtenRoute } from './schema/route.ts'

/** The name of each route: as written, or by its place in the file. */
export function routeNames(routes: readonly WrittenRoute[], placeOf: (i: number) => number = (i) => i): string[] {
  const taken = new Set(routes.map(({ name }) => name))
  return routes.map(({ name }, i) => name ?? freeName(`route-${placeOf(i) + 1}`, taken))
}

function freeName(wanted: string, taken: Set<string | null>): string {
  let name = wanted
  for (let again = 2; taken.has(name); again++) name = `${wanted}-${again}`
  taken.add(name)
  return name
}

/** `poolOf`: the pool that each listener passes requests to by itself; '' = none. */
export function finishRoutes(long: LongForm, pools: ReadonlyMap<string, string>, files: NamedFiles): RouteConfig[] {
  const names = routeNames(long.routes)
  const written = long.routes.map((route, i) => finishRoute(route, names[i]!, { files, cache: long.cache }))
  return [...written, ...implicitRoutes(long, pools, names)]
}

interface Surroundings {
  readonly files: NamedFiles
  /** Of the top level. */
  readonly cache: CacheConfig
}

function finishRoute(route: WrittenRoute, name: string, { files, cache }: Surroundings): RouteConfig {
  const { action, basicAuth, errorPages } = route
  const read = (body: BodyConfig): BodyConfig =>
    body.file === null ? body : { file: files.at(body.file), text: files.read(body.file) }
  return {
    ...route,
    name,
    cache: asksBackends(route) ? cacheOf(cache, route.cache) : null,
    action: action.kind === 'respond' ? { ...action, body: read(action.body) } : action,
    basicAuth:
      basicAuth === null || basicAuth.usersFile === null
        ? basicAuth
        : {
            ...basicAuth,
            usersFile: files.at(basicAuth.usersFile),
            fileUsers: files.users(basicAuth.usersFile).map(({ name, hash }) => ({ name, hash })),
          },
    errorPages: errorPages.map((page) => ({ ...page, body: read(page.body) })),
  }
}

/** The others answer by themselves. */
export const asksBackends = ({ action }: WrittenRoute): boolean => action.kind === 'pool' || action.kind === 'split'

/**
 * What `rate_limit` and `cache` of the top level stand for: what listeners pass to their pools by themselves, as routes, one
 * for each pool. `names`: of the written ones.
 */
export function implicitRoutes(
  long: LongForm,
  poolOf: ReadonlyMap<string, string>,
  names: readonly string[],
): RouteConfig[] {
  const cache = cacheOf(long.cache, undefined)
  if (long.rate_limit === undefined && cache === null) return []
  // A limit that no request can reach is a mistake, which is told; caching is said of all routes at once.
  const isTaken = (listener: string): boolean =>
    long.rate_limit === undefined && long.routes.some((route) => takesAllOf(route, listener))
  const listeners = long.listeners.filter(
    ({ name, protocol }) => protocol === 'http' && poolOf.get(name) !== '' && !isTaken(name),
  )
  const pools = new Set(listeners.map(({ name }) => poolOf.get(name)!))
  const taken = new Set<string | null>(names)
  const httpCount = long.listeners.filter(({ protocol }) => protocol === 'http').length
  return [...pools].map((pool) => {
    const own = listeners.filter(({ name }) => poolOf.get(name) === pool).map(({ name }) => name)
    const match = own.length === httpCount ? '*' : { listener: own }
    const route = writtenRoute({ match, pool })
    return { ...route, name: freeName('default', taken), cache, rateLimits: long.rate_limit ?? [] }
  })
}

/** Every request of this listener is for this route. */
function takesAllOf({ match }: Pick<WrittenRoute, 'match'>, listener: string): boolean {
  return takesEverything({ match: { ...match, listeners: match.listeners.filter((name) => name !== listener) } })
}

/** Without a condition. */
export function takesEverything({ match }: Pick<WrittenRoute, 'match'>): boolean {
  const { hosts, paths, pathRegex, methods, headers, query, clients, listeners, serverNames, custom } = match
  const lists = [hosts, paths, methods, headers, query, clients, listeners, serverNames]
  return lists.every((list) => list.length === 0) && pathRegex === null && custom === null
}
