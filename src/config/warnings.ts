// What is allowed, but probably not meant.
import { keyPath } from './cross-check/route-places.ts'
import { poolOf } from './finish.ts'
import { asksBackends } from './finish-routes.ts'
import { poolsNamed, poolsOfRoute } from './pool-kind.ts'
import { formatProblem, problemAt } from './problem.ts'
import type { LongForm } from './schema/file.ts'
import { cacheOf } from './schema/route/cache.ts'
import { nearest, nodeAt, type Path, type SourceNode } from './source-tree.ts'

/** Lines like those of problems, for a configuration that has none; `tree` is the expanded one. */
export function warningsOf(long: LongForm, tree: SourceNode): string[] {
  const warnings: string[] = []
  const warn = (path: Path, message: string, hint: string): void => {
    const { node, missing } = nearest(tree, path)
    warnings.push(formatProblem(problemAt(node.origin, { message, hint, missing, atKey: true })))
  }
  const used = new Set([
    ...long.listeners.flatMap((listener) => [poolOf(long, listener), ...poolsNamed(listener)]),
    ...long.routes.flatMap(poolsOfRoute),
  ])
  const passedThrough = new Set(long.listeners.flatMap(({ sni }) => poolsNamed({ ...noListener, sni })))
  long.listeners.forEach(({ tls }, i) => {
    if (tls?.hsts?.preload !== true) return
    const path: Path = ['listeners', i, 'tls', 'hsts', 'preload']
    const { maxAgeMs, includeSubdomains } = tls.hsts
    const lacking = [
      ...(maxAgeMs < yearMs ? ['"max_age" of at least "365d"'] : []),
      ...(includeSubdomains ? [] : ['"include_subdomains": true']),
    ]
    if (lacking.length > 0)
      warn(path, 'the lists of browsers do not take it like this', `they ask for ${lacking.join(' and ')}`)
  })
  warnOfRoutes(long, tree, warn)
  if (long.cache_store !== undefined && !caches(long)) {
    warn(['cache_store'], 'nothing is stored: no route caches', 'write "cache": true, for all routes or for one')
  }
  for (const [name, { backends, tls }] of Object.entries(long.pools)) {
    const path: Path = ['pools', name]
    if (!used.has(name)) {
      const isFlat = nearest(tree, path).node.origin.path.length === 0
      const at = isFlat ? [...path, 'backends'] : path
      warn(
        at,
        long.routes.length === 0 ? 'no listener uses this pool' : 'no route and no listener uses this pool',
        long.routes.length === 0 ? 'name it as the pool of a listener' : 'name it in a route',
      )
    }
    const secure = backends.some(({ url }) => /^(https|tls):/.test(url))
    if (nodeAt(tree, [...path, 'tls']) !== undefined && !secure) {
      warn([...path, 'tls'], 'no backend of this pool speaks TLS', 'write their URLs with https:// or tls://')
    }
    if (!tls.verify && nodeAt(tree, [...path, 'tls', 'ca']) !== undefined) {
      warn([...path, 'tls', 'ca'], 'nothing is verified with these authorities', 'remove "verify": false')
    }
    if (secure && passedThrough.has(name)) {
      const message = 'the TLS of clients is passed through to this pool, and put into TLS once more'
      warn([...path, 'backends'], message, 'write the URLs with tcp://')
    }
  }
  return warnings
}

/** Whether anything may be put into the store. */
function caches(long: LongForm): boolean {
  const { cache, listeners, routes } = long
  if (routes.some((route) => asksBackends(route) && cacheOf(cache, route.cache) !== null)) return true
  if (cacheOf(cache, undefined) === null) return false
  return listeners.some((listener) => listener.protocol === 'http' && poolOf(long, listener) !== '')
}

/**
 * Listeners that nothing takes requests of, clients that are to stay where they are not sent twice, open redirects, and
 * caching of what is never stored.
 */
function warnOfRoutes(
  long: LongForm,
  tree: SourceNode,
  warn: (path: Path, message: string, hint: string) => void,
): void {
  const { routes } = long
  long.listeners.forEach((listener, i) => {
    if (listener.protocol !== 'http' || listener.redirectHttpsPort > 0 || poolOf(long, listener) !== '') return
    if (routes.some(({ match }) => match.listeners.length === 0 || match.listeners.includes(listener.name))) return
    warn(['listeners', i], 'every request is answered with 404: no route is for this listener', 'name its "pool"')
  })
  routes.forEach(({ action }, i) => {
    if (action.kind !== 'redirect' || !leadsAnywhere(action.to)) return
    const message = 'leads wherever the link of a client says: its variable can stand for another host'
    const hint = 'write a host, or {request.host}, and "/" behind it, or begin with "/"'
    warn(keyPath(tree, ['routes', i, 'redirect'], 'to'), message, hint)
  })
  routes.forEach(({ cache, match: { methods } }, i) => {
    if (cache === undefined || cache === false || methods.length === 0 || methods.includes('GET')) return
    const message = 'has no effect: answers to GET are stored, and the route takes none'
    warn(['routes', i, 'cache'], message, 'add "GET" to its methods, or remove it')
  })
  routes.forEach(({ action, sticky }, i) => {
    if (action.kind !== 'split' || action.by !== 'request' || sticky === null || sticky === 'none') return
    if (action.targets.filter(({ weight }) => weight > 0).length < 2) return
    const message = 'has little effect: the split sends each request of a client to another pool'
    warn(['routes', i, 'sticky'], message, 'write "split": {"to": […], "by": "ip"}')
  })
}

/** Whether what a client may put into a variable can be another host: at the end of the host's name, or first of all. */
function leadsAnywhere(to: string): boolean {
  const rest = /^(?:https?|\{[^}]*\}):\/\/(.*)$/i.exec(to)?.[1]
  // A path begins with a slash, always.
  if (rest === undefined) return /^\{(?!request\.(?:path|uri)\})/.test(to)
  const authority = rest.split(/[/?#]|\{request\.(?:path|uri)\}/, 1)[0]!
  return /\{(?!request\.host\})[^}]*\}(?::\d*)?$/.test(authority)
}

/** hstspreload.org. */
const yearMs = 365 * 86_400_000

const noListener = { name: '', protocol: 'tls-passthrough', pool: null, redirectHttpsPort: 0 } as const
