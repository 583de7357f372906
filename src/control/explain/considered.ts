// Which routes were looked at for a request, and why those that do not take it do not: the nearest ones.
import type { MatchSpec, RouteSpec } from '../../core/route-spec.ts'
import { type Miss, missesOf } from '../../routing/misses.ts'
import { explainRank, rankOrder } from '../../routing/rank.ts'
import type { RouteQuestion } from '../../routing/router.ts'
import { TimeSlice } from '../time-slice.ts'

export interface Considered {
  readonly route: string
  readonly taken: boolean
  readonly why: string
}

/** So many are told of; all others miss the request by more. */
const maxTold = 10
/** What lies between a request and a route: another host is farther away than another header. */
const distances: Readonly<Record<Miss['what'], number>> = { condition: 1, path: 4, host: 8, listener: 16 }

/** In order of precedence. `taken`: index of the route that takes the request; -1 = none. */
export async function consideredRoutes(
  routes: readonly RouteSpec[],
  o: { readonly question: RouteQuestion; readonly listener: string; readonly taken: number },
): Promise<Considered[]> {
  const slice = new TimeSlice()
  const rows: { readonly route: RouteSpec; readonly distance: number; readonly told: Considered }[] = []
  for (const [index, route] of routes.entries()) {
    const taken = index === o.taken
    const misses = taken ? [] : missesOf(route.match, o.question, o.listener)
    const distance = taken ? -1 : misses.reduce((sum, { what }) => sum + distances[what], 0)
    const why = taken ? `takes it: ${explainRank(route)}` : whyNot(route.match, misses)
    rows.push({ route, distance, told: { route: route.name, taken, why } })
    if (slice.isOver) await slice.rest()
  }
  const nearest = rows.sort((a, b) => a.distance - b.distance).slice(0, maxTold)
  // There may be thousands of routes; only these have to be put in order.
  return rankOrder(nearest.map(({ route }) => route)).map((index) => nearest[index]!.told)
}

function whyNot({ custom }: MatchSpec, misses: readonly Miss[]): string {
  if (misses.length > 0) return misses.map(({ words }) => words).join('; ')
  if (custom !== null) return `its matcher ${custom.name} is plug-in code, which is asked only when a request comes`
  return 'would take it too, but stands behind'
}
