// Routes in the order in which they are tried, in plain words: for `check` and `check --expanded`.
import type { Config, RouteConfig } from '../config/config.ts'
import type { MatchSpec, ValueCondition } from '../core/route-spec.ts'
import { explainRank, rankOrder } from '../routing/rank.ts'
import { table } from './terminal.ts'

type Parts = Pick<Config, 'routes' | 'listeners'>

/** What is shown of a list in one cell of a table. */
const shownOfList = 3

/** A row for each route, at most `limit` of them, and one for what no route takes. Empty without routes. */
export function routeRows(config: Parts, limit: number): string[][] {
  const { routes } = config
  if (routes.length === 0) return []
  const order = rankOrder(routes)
  const rows = order.slice(0, limit).map((index, place) => {
    const route = routes[index]!
    return [`  ${place + 1}`, route.name, placeWords(route.match), conditionWords(route.match), actionWords(route)]
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

function placeWords({ hosts, paths, pathRegex }: MatchSpec): string {
  const path = pathRegex !== null ? `~ ${pathRegex}` : paths.length === 0 ? '/*' : short(paths)
  return hosts.length === 0 ? path : `${short(hosts)} ${path}`
}

function conditionWords(match: MatchSpec): string {
  const lists: readonly (readonly [what: string, values: readonly string[]])[] = [
    ['', match.methods],
    ['client ', match.clients],
    ['listener ', match.listeners],
    ['server name ', match.serverNames],
  ]
  return [
    ...lists.flatMap(([what, values]) => (values.length === 0 ? [] : [`${what}${short(values)}`])),
    ...match.headers.map((one) => valueWords('header', one)),
    ...match.query.map((one) => valueWords('query', one)),
    ...(match.custom === null ? [] : [`custom ${match.custom.name}`]),
  ].join(', ')
}

const valueWords = (what: string, { name, values }: ValueCondition): string =>
  values.length === 0 ? `${what} ${name}` : `${what} ${name}: ${short(values)}`

function actionWords({ action, mirror }: RouteConfig): string {
  const copies = mirror === null ? '' : `, copies to ${mirror.pool}`
  switch (action.kind) {
    case 'pool':
      return `→ pool ${action.pool}${copies}`
    case 'split':
      return `→ ${action.targets.map(({ pool, weight }) => `${pool} (${weight})`).join(', ')}${copies}`
    case 'redirect':
      return `→ ${action.status} ${action.to}`
    case 'respond':
      return `→ ${action.status}`
  }
}

function short(list: readonly string[]): string {
  const shown = list.slice(0, shownOfList).join(' ')
  return list.length > shownOfList ? `${shown} +${list.length - shownOfList}` : shown
}
