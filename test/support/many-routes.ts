// A large table of routes as a gateway for many tenants has it, requests for it, and the plain list it is compared with.
import type { RouteSpec } from '../../src/core/route-spec.ts'
import type { RouteQuestion } from '../../src/routing/router.ts'
import { question, routeSpecs } from './route-specs.ts'

const perHost = 20

/** Twenty routes for each host: exact paths, prefixes, named parts, two with a method, one for the rest. */
export function manyRoutes(count: number): RouteSpec[] {
  return routeSpecs(
    ...Array.from({ length: count }, (_, index) => {
      const hosts = [hostOf(Math.floor(index / perHost))]
      const nth = index % perHost
      if (nth < 8) return { hosts, paths: [`/pages/page-${nth}`] }
      if (nth < 12) return { hosts, paths: [`/api/v${nth - 8}/*`] }
      if (nth < 16) return { hosts, paths: [`/things-${nth - 12}/{id}`, `/things-${nth - 12}/{id}/parts/{part}`] }
      if (nth < 18) return { hosts, paths: ['/orders/{order}'], methods: [nth === 16 ? 'GET' : 'POST'] }
      return nth === 18 ? { hosts, paths: ['/assets/css/*'] } : { hosts }
    }),
  )
}

/** Requests spread over all hosts and kinds of routes. */
export function requestsFor(routes: number, count: number): RouteQuestion[] {
  const paths = [
    '/pages/page-3',
    '/api/v2/users/17/orders',
    '/things-1/4711',
    '/things-2/4711/parts/12',
    '/orders/0815',
    '/assets/css/site/main.css',
    '/nothing/of/all/this',
  ]
  const hosts = Math.ceil(routes / perHost)
  return Array.from({ length: count }, (_, index) =>
    question({
      host: hostOf((index * 7919) % hosts).replace('*', 'www'),
      path: paths[index % paths.length]!,
      method: index % 2 ? 'GET' : 'POST',
    }),
  )
}

const hostOf = (index: number): string =>
  index % 5 === 4 ? `*.tenant-${index}.example.com` : `tenant-${index}.example.com`

/** Every route by itself, in the order of the file; the first that takes the request. */
export class ListRouter {
  readonly #routes: readonly { host: string; pattern: RegExp; methods: readonly string[] }[]

  constructor(routes: readonly RouteSpec[]) {
    this.#routes = routes.map(({ match }) => ({
      host: match.hosts[0]!,
      pattern: new RegExp(`^(?:${match.paths.map(sourceOf).join('|') || '.*'})$`),
      methods: match.methods,
    }))
  }

  match({ host, path, method }: RouteQuestion): number {
    return this.#routes.findIndex(
      (route) =>
        (route.host.startsWith('*.') ? host.endsWith(route.host.slice(1)) : host === route.host) &&
        route.pattern.test(path) &&
        (route.methods.length === 0 || route.methods.includes(method)),
    )
  }
}

const sourceOf = (path: string): string => path.replace(/\{\w+\}/g, '[^/]+').replace(/\/\*$/, '(?:/.*)?')
