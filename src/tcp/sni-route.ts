import type { SniRouteSpec } from '../core/spec.ts'
import type { ClientHello } from '../net/tls/client-hello.ts'
export function routeHello(hello: ClientHello, routes: readonly SniRouteSpec[]): string | null {
  return routes.find((r) => r.name === hello.serverName)?.pool ?? null
}
