// Routes that no request can reach, and such as cannot be told apart.
import { findConflicts, type RouteConflict } from '../../routing/conflicts.ts'
import { poolOf } from '../finish.ts'
import { implicitRoutes, takesEverything } from '../finish-routes.ts'
import type { Check } from './check.ts'
import { namesOf } from './route-places.ts'

export function checkConflicts(check: Check): void {
  const { config, report } = check
  if (config.routes.length === 0) return
  const http = config.listeners.filter(
    ({ protocol, redirectHttpsPort }) => protocol === 'http' && redirectHttpsPort === 0,
  )
  const names = namesOf(check)
  const written = config.routes.map(({ match }, i) => ({ name: names[i]!, match }))
  // What `rate_limit` and `cache` of the top level stand for comes last, as when routes are compiled.
  const pools = new Map(config.listeners.map((one) => [one.name, one.protocol === 'http' ? poolOf(config, one) : '']))
  const routes = [...written, ...implicitRoutes(config, pools, names)]
  const conflicts = findConflicts(
    routes,
    http.map(({ name }) => name),
  )
  for (const conflict of conflicts) {
    if (conflict.route < written.length) tell(check, conflict, routes[conflict.by]!.name)
    else {
      const message = `is for requests that no route takes, but route "${routes[conflict.by]!.name}" takes every one`
      report(['rate_limit'], message, 'put it into the route', { atKey: true })
      return
    }
  }
}

/** `other`: the name of the route that takes its requests. */
function tell(check: Check, { route, kind, reason }: RouteConflict, other: string): void {
  const { config, report, isWritten } = check
  const match = ['routes', route, 'match']
  const at = isWritten(match) ? match : match.slice(0, 2)
  if (kind === 'twin' && takesEverything(config.routes[route]!)) {
    report(at, `takes every request, as route "${other}" does already`, 'keep one of the two, or give one a condition')
    return
  }
  const hint = kind === 'twin' ? 'remove one, or give one a further condition' : 'remove it, or change one of them'
  report(at, reason, hint)
}
