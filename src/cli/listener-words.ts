// What a listener does with what comes to it, in a few words: for `check` and for the start-up message.
import type { Config, ListenerConfig, PoolConfig } from '../config/config.ts'
import { poolsNamed, poolsOfRoute } from '../config/pool-kind.ts'
import { plural } from './terminal.ts'

type Parts = Pick<Config, 'routes' | 'pools'>

/** Names of the pools that its traffic may go to. */
export function poolsOfListener(listener: ListenerConfig, config: Parts): string[] {
  return [...new Set([...poolsNamed(listener), ...routesOf(listener, config).flatMap(poolsOfRoute)])]
}

/** How a backend is found: `round-robin`, `server name → 2 pools`, `3 routes → 2 pools`. */
export function choiceWords(listener: ListenerConfig, config: Parts): string {
  const pools = poolsOfListener(listener, config)
  const several = plural(pools.length, 'pool')
  if (listener.protocol === 'tls-passthrough') return `server name → ${several}`
  const routes = routesOf(listener, config).length
  if (routes > 0) return `${plural(routes, 'route')}${pools.length > 1 ? ` → ${several}` : ''}`
  return listener.pool === '' ? 'no route' : strategyWords(config.pools[listener.pool]!)
}

function routesOf({ name, protocol }: ListenerConfig, { routes }: Parts): Config['routes'] {
  if (protocol !== 'http') return []
  return routes.filter(({ match }) => match.listeners.length === 0 || match.listeners.includes(name))
}

function strategyWords({ strategy, customStrategy }: PoolConfig): string {
  if (customStrategy === null) return strategy
  return customStrategy.name.startsWith('@') ? 'own strategy' : customStrategy.name
}
