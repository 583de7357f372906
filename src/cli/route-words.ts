// Routes in the order in which they are tried, in plain words: for `check` and `check --expanded`.
import type { Config } from '../config/config.ts'
import type { MatchSpec } from '../core/route-spec.ts'
import { explainRank, rankOrder } from '../routing/rank.ts'
import { actionWords, conditionWords, placeWords } from '../routing/route-words.ts'
import { table } from './terminal.ts'

type Parts = Pick<Config, 'routes' | 'listeners'>

/** A row for each route, at most `limit` of them, and one for what no route takes. Empty without routes. */
export function routeRows(config: Parts, limit: number): string[][] {
  const { routes } = config
  if (routes.length === 0) return []
  const order = rankOrder(routes)
  const rows = order.slice(0, limit).map((index, place) => {
    const route = routes[index]!
    const { match, action, mirror } = route
    return [`  ${place + 1}`, route.name, placeWords(match), conditionWords(match), `→ ${actionWords(action, mirror)}`]
  })
  const more = order.length - rows.length
  const rest = more === 0 ? [] : [['', '…', `${more} more, with --expanded`]]
  const { listeners } = config
  const others = listeners.filter(({ protocol, redirectHttpsPort }) => protocol === 'http' && redirectHttpsPort === 0)
  return [...rows, ...rest, ...others.flatMap((listener) => implicitRow(listener, others.length, routes))]
}

function implicitRow({ name, pool }: Config['listeners'][number], of: number, routes: Parts['routes']): string[][] {
  const isTaken = routes.some(
    ({ match }) => takesAll(match) && (match.listeners.length === 0 || match.listeners.includes(name)),
  )
  if (isTaken) return []
  const where = of === 1 ? '' : `listener ${name}`
  return [['', '', 'everything else', where, pool === '' ? '→ 404' : `→ pool ${pool}`]]
}

const takesAll = ({ listeners, ...others }: MatchSpec): boolean =>
  Object.values(others).every((value) => value === null || (Array.isArray(value) && value.length === 0))

/** The same as comments of a file, each with the reason for its place. '' without routes. */
export function precedenceComment(config: Parts): string {
  const { routes } = config
  if (routes.length === 0) return ''
  const rows = rankOrder(routes).map((index, place) => {
    const route = routes[index]!
    return [`//   ${place + 1}`, route.name, placeWords(route.match), explainRank(route)]
  })
  return `// Routes in the order in which they are tried, and why:\n${table(rows)}`
}
