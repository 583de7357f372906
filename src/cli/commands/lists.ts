// `frontdesk listeners`, `pools` and `routes`: what a running Frontdesk is made of, and what it has seen.
import type { Command } from 'commander'
import type { ListenerView } from '../../control/lists/listener-list.ts'
import type { PoolView } from '../../control/lists/pool-list.ts'
import type { RouteView } from '../../control/lists/route-list.ts'
import { callAdmin } from '../admin-client.ts'
import { type AdminOptions, addAdminOptions, resolveAdminTarget } from '../admin-target.ts'
import { act, type CliContext } from '../cli-context.ts'
import { ExitCode } from '../exit-code.ts'
import { compact, milliseconds } from '../figures.ts'
import { shared } from '../options.ts'
import { type Terminal, table } from '../terminal.ts'

interface ListOptions<T> {
  readonly description: string
  readonly head: readonly string[]
  /** Columns of numbers. */
  readonly right: readonly number[]
  row(item: T, paint: Terminal['paint']): string[]
  readonly none: string
  readonly next: string
}

export function defineListeners(program: Command, context: CliContext): void {
  define<ListenerView>(program, context, 'listeners', {
    description: 'show the listeners of a running Frontdesk',
    head: ['LISTENER', 'ADDRESS', 'GOES TO', 'OPEN', 'CONNECTIONS', 'REFUSED', 'REQUESTS'],
    right: [3, 4, 5, 6],
    row: ({ name, address, pool, connections, requests, protocol }) => [
      name,
      address,
      pool ?? (protocol === 'tls-passthrough' ? 'by server name' : 'routes only'),
      compact(connections.active),
      compact(connections.total),
      compact(connections.rejected),
      protocol === 'http' ? compact(requests.total) : '-',
    ],
    none: 'no listeners',
    next: 'where a request goes   frontdesk explain GET /',
  })
}

export function definePools(program: Command, context: CliContext): void {
  define<PoolView>(program, context, 'pools', {
    description: 'show the pools of a running Frontdesk',
    head: ['POOL', 'STRATEGY', 'STICKY', 'ALIVE', 'OPEN', 'REQUESTS', 'ERRORS', 'RETRIES', 'HEALTH CHECK'],
    right: [3, 4, 5, 6, 7],
    row: (pool, paint) => [
      pool.name,
      pool.strategy,
      pool.sticky === null ? '-' : `by ${pool.sticky}`,
      paint(
        pool.alive === pool.backends ? 'green' : pool.alive === 0 ? 'red' : 'yellow',
        `${pool.alive}/${pool.backends}`,
      ),
      compact(pool.current_connections),
      pool.kind === 'tcp' ? '-' : compact(pool.requests),
      compact(pool.errors),
      compact(pool.retries),
      checkWords(pool.health_check),
    ],
    none: 'no pools',
    next: 'their backends   frontdesk backends list',
  })
}

export function defineRoutes(program: Command, context: CliContext): void {
  define<RouteView>(program, context, 'routes', {
    description: 'show the routes of a running Frontdesk, in the order in which they are tried',
    head: ['ROUTE', 'TAKES', 'DOES', 'REQUESTS', 'ERRORS', 'P50', 'P99'],
    right: [3, 4, 5, 6],
    row: ({ name, match, action, implicit, listeners, requests, errors, latency_ms: latency }, paint) => [
      implicit ? paint('dim', name) : name,
      // Each listener has one of these.
      implicit ? `${match} on listener ${listeners.join(', ')}` : match,
      action,
      counted(requests),
      counted(errors),
      milliseconds(latency.p50),
      milliseconds(latency.p99),
    ],
    none: 'no routes, and no listener with a pool: nothing is served',
    next: 'why a request takes one   frontdesk explain GET /',
  })
}

const counted = (value: number | null): string => (value === null ? '-' : compact(value))

function checkWords(check: PoolView['health_check']): string {
  if (check === null) return 'none'
  return `${check.method}${check.path === null ? '' : ` ${check.path}`} every ${check.interval_ms / 1000} s`
}

function define<T>(program: Command, context: CliContext, name: string, o: ListOptions<T>): void {
  const command = addAdminOptions(program.command(name).description(o.description)).addOption(shared.json())
  act(context, command, async (options: AdminOptions & { json?: true }) => {
    const { terminal } = context
    const { body } = await callAdmin(await resolveAdminTarget(options), { path: `/${name}`, expects: 'a list' })
    const items = body as T[]
    if (options.json) terminal.out(`${JSON.stringify(items, null, 2)}\n`)
    else if (items.length === 0) terminal.out(`${o.none}\n`)
    else {
      const head = o.head.map((cell) => terminal.paint('dim', cell))
      const rows = [head, ...items.map((item) => o.row(item, terminal.paint))]
      terminal.out(
        table(
          rows.map(([first = '', ...rest]) => [`  ${first}`, ...rest]),
          o.right,
        ),
      )
      terminal.out(`\n  ${o.next}\n`)
    }
    return ExitCode.done
  })
}
