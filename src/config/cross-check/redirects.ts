// Redirects that lead in a circle: an example of a request that each takes is followed as a client would.
import { type Hop, RouteWalk, type WalkedRequest } from '../../routing/route-walk.ts'
import { parseTemplate } from '../../routing/template.ts'
import type { WrittenListener } from '../schema/listener.ts'
import type { Check } from './check.ts'
import { keyPath, namesOf } from './route-places.ts'

/** As many as browsers follow. */
const maxHops = 20

export function checkRedirects(check: Check): void {
  const { config, tree, report } = check
  if (!config.routes.some(({ action }) => action.kind === 'redirect')) return
  const names = namesOf(check)
  const circles = new Circles(config)
  const told = new Set<number>()
  config.routes.forEach(({ action }, i) => {
    if (action.kind !== 'redirect' || told.has(i)) return
    const circle = circles.from(i)
    if (circle === null || circle.every((route) => told.has(route))) return
    for (const route of [i, ...circle]) told.add(route)
    const way = (circle.includes(i) ? [...circle, i] : [i, ...circle, circle[0]!]).map((route) => `"${names[route]}"`)
    const message =
      circle.length === 1 && circle[0] === i ? 'leads back to itself' : `leads in a circle: ${way.join(' → ')}`
    const path = keyPath(tree, ['routes', i, 'redirect'], 'to')
    report(path, message, 'redirect to what no redirect takes', { value: action.to })
  })
}

class Circles {
  readonly #routes: Check['config']['routes']
  readonly #listeners: readonly WrittenListener[]
  readonly #walks = new Map<string, RouteWalk>()

  constructor({ routes, listeners }: Check['config']) {
    this.#routes = routes
    // The others take no requests of routes.
    this.#listeners = listeners.filter(
      ({ protocol, redirectHttpsPort }) => protocol === 'http' && redirectHttpsPort === 0,
    )
  }

  /** The routes of the circle that a redirect leads into, itself first if it is one of them; null = none, or who knows. */
  from(route: number): readonly number[] | null {
    const { match } = this.#routes[route]!
    for (const listener of this.#listeners) {
      if (match.listeners.length > 0 && !match.listeners.includes(listener.name)) continue
      for (const request of this.#walkOf(listener).examples(match)) {
        const way = this.#follow(route, request, listener)
        if (way === null) continue
        const circle = [...new Set(way.slice(maxHops / 2))]
        const at = circle.indexOf(route)
        return at === -1 ? circle : [...circle.slice(at), ...circle.slice(0, at)]
      }
    }
    return null
  }

  /** The redirects one after the other; null = they come to an end, or it cannot be known. */
  #follow(from: number, example: WalkedRequest, first: WrittenListener): number[] | null {
    const way: number[] = []
    let request = example
    let listener = first
    let namesScheme = false
    while (way.length < maxHops) {
      const hop = this.#walkOf(listener).hop(request)
      if (hop === null || (way.length === 0 && hop.route !== from)) return null
      const { action, match } = this.#routes[hop.route]!
      // Who ends TLS in front of us tells of it in a field, and says something else the next time.
      if (action.kind !== 'redirect' || (namesScheme && match.headers.length > 0)) return null
      way.push(hop.route)
      const target = targetOf(action, request, { hop, listener })
      if (target === null || !this.#isOurs(target, request)) return null
      namesScheme ||= target.namesScheme
      const next = this.#listenerOf(target.scheme, listener)
      // Another program ends TLS for us, or takes what is without.
      if (next === null) return null
      listener = next
      request = { ...target.request, serverName: target.scheme === 'https' ? target.request.host : '' }
    }
    return way
  }

  /** The same host comes back to us; another one if it is named here. */
  #isOurs({ request }: Target, { host }: WalkedRequest): boolean {
    return request.host === host || this.#routes.some(({ match }) => match.hosts.includes(request.host))
  }

  #listenerOf(scheme: string, current: WrittenListener): WrittenListener | null {
    if (schemeOf(current) === scheme) return current
    return this.#listeners.find((one) => schemeOf(one) === scheme) ?? null
  }

  #walkOf({ name }: WrittenListener): RouteWalk {
    let walk = this.#walks.get(name)
    if (walk === undefined) this.#walks.set(name, (walk = new RouteWalk(this.#routes, name)))
    return walk
  }
}

const schemeOf = ({ tls }: WrittenListener): string => (tls === null ? 'http' : 'https')

interface Target {
  readonly scheme: string
  /** The redirect says the scheme. */
  readonly namesScheme: boolean
  readonly request: WalkedRequest
}

type Redirect = Extract<Check['config']['routes'][number]['action'], { kind: 'redirect' }>

/** What a client asks for that follows a redirect; null = somebody else, or nothing that we know. */
function targetOf(
  { to, status, keepQuery }: Redirect,
  request: WalkedRequest,
  { hop, listener }: { readonly hop: Hop; readonly listener: WrittenListener },
): Target | null {
  const location = rendered(to, request, { hop, listener })
  const parts = /^(?:(https?):)?(?:\/\/([^/?#]*))?(\/[^?#]*)?(\?[^#]*)?/i.exec(location)
  const [, given, authority = request.host, path = '/', query] = parts ?? []
  if (authority.includes(':') || (authority === '' && location.startsWith('//'))) return null
  if (!/^(?:https?:\/\/|\/)/i.test(location)) return null
  const method = status === 307 || status === 308 ? request.method : request.method === 'HEAD' ? 'HEAD' : 'GET'
  const scheme = (given ?? schemeOf(listener)).toLowerCase()
  const kept = query ?? (keepQuery ? request.query : '')
  return {
    scheme,
    namesScheme: given !== undefined,
    request: { ...request, method, host: authority.toLowerCase(), path, query: kept },
  }
}

function rendered(
  to: string,
  { host, method, path, query }: WalkedRequest,
  { hop, listener }: { readonly hop: Hop; readonly listener: WrittenListener },
): string {
  const known: Readonly<Record<string, string>> = {
    'request.host': host,
    'request.method': method,
    'request.path': path,
    'request.query': query,
    'request.uri': path + query,
    'request.scheme': schemeOf(listener),
    path: hop.rest,
    listener: listener.name,
  }
  const template = safely(() => parseTemplate(to)) ?? []
  return template
    .map((part) => (typeof part === 'string' ? part : (known[part.name] ?? hop.params[part.name] ?? 'example')))
    .join('')
}

function safely<T>(make: () => T): T | null {
  try {
    return make()
  } catch {
    return null // A broken text has been reported where it stands.
  }
}
