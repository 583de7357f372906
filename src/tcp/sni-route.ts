// Which pool a TLS connection goes to that is passed through as it is: by the name it asks for, and what it offers to speak.
import type { SniRouteSpec } from '../core/spec.ts'
import type { ClientHello } from '../net/tls/client-hello.ts'

const tables = new WeakMap<readonly SniRouteSpec[], ReadonlyMap<string, SniRouteSpec>>()

/**
 * The pool for a ClientHello: of the route of just that name, else of the wildcard that stands for its first label, else
 * of `*`; null = nobody serves it. Where a route has pools for protocols, its first whose protocol is offered is taken.
 */
export function routeHello({ serverName, alpn }: ClientHello, routes: readonly SniRouteSpec[]): string | null {
  const table = tableOf(routes)
  const dot = serverName.indexOf('.')
  const wildcard = dot < 0 ? undefined : table.get(`*${serverName.slice(dot)}`)
  const route = table.get(serverName) ?? wildcard ?? table.get('*')
  if (route === undefined) return null
  return route.alpn.find(({ protocol }) => alpn.includes(protocol))?.pool ?? route.pool
}

/** Of a snapshot: the array is the same for all its connections. */
function tableOf(routes: readonly SniRouteSpec[]): ReadonlyMap<string, SniRouteSpec> {
  let table = tables.get(routes)
  if (table === undefined) {
    table = new Map(routes.map((route) => [route.name, route]))
    tables.set(routes, table)
  }
  return table
}
