// What a new configuration changes beyond backends: what a running process can take, and the keys that need a restart,
// named as the file has them.

import type { Config, ListenerConfig } from '../config/config.ts'
import type { ConfiguredPools } from './overlay.ts'

/** The backends of a configuration, by pool. */
export function configuredPools(config: Config): ConfiguredPools {
  return new Map(Object.entries(config.pools).map(([name, pool]) => [name, pool.backends]))
}

/** As the file has it; the unit is not in the names there. */
const snake = (key: string): string => key.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Key order and functions do not occur: both sides come out of the same schema. */
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

function differingKeys(before: object, after: object, prefix: string, skip: readonly string[] = []): string[] {
  const a = before as Record<string, unknown>
  const b = after as Record<string, unknown>
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !skip.includes(key))
  return keys.filter((key) => !same(a[key], b[key])).map((key) => `${prefix}${snake(key)}`)
}

/**
 * Of a listener what is for a restart, by the keys of the file. The handshakes of new connections follow another `tls` at
 * once, and requests another `pool`; whether there is TLS at all does not change.
 */
function fixedOf(listener: ListenerConfig): object {
  const { host, port, socketPath, inherited, redirectHttpsPort: redirectHttps, tls, pool, ...rest } = listener
  return {
    ...rest,
    ...(rest.protocol === 'http' ? {} : { pool }),
    listen: [host, port, socketPath, inherited],
    redirectHttps,
    tls: tls !== null,
  }
}

function listenersThatDiffer(before: readonly ListenerConfig[], after: readonly ListenerConfig[]): string[] {
  const names = new Set([...before, ...after].map(({ name }) => name))
  const named = (list: readonly ListenerConfig[], name: string) => list.find((listener) => listener.name === name)
  const keys = [...names].flatMap((name) => {
    const [old, next] = [named(before, name), named(after, name)]
    if (old === undefined || next === undefined) return [`listeners.${name}`]
    return differingKeys(fixedOf(old), fixedOf(next), `listeners.${name}.`)
  })
  const inOrder = (list: readonly ListenerConfig[]): string => list.map(({ name }) => name).join('\n')
  return keys.length > 0 || inOrder(before) === inOrder(after) ? keys : ['listeners (their order)']
}

/** Keys whose change a running process cannot apply yet, such as `pools.api.strategy` or `listeners.web.listen`. */
export function keysThatNeedRestart(before: Config, after: Config): string[] {
  const keys = listenersThatDiffer(before.listeners, after.listeners)
  keys.push(...differingKeys(before, after, '', ['listeners', 'pools', 'limits', 'routes', 'plugins']))
  keys.push(...differingKeys(before.limits, after.limits, 'limits.'))
  for (const name of new Set([...Object.keys(before.pools), ...Object.keys(after.pools)])) {
    const old = before.pools[name]
    const next = after.pools[name]
    if (old === undefined || next === undefined) keys.push(`pools.${name}`)
    else keys.push(...differingKeys(old, next, `pools.${name}.`, ['backends']))
  }
  return keys
}

/** What else differs between two configurations of which nothing needs a restart, one line each, for people. */
export function listenerChanges(before: Config, after: Config): string[] {
  return after.listeners.flatMap(({ name, tls, pool }, index) => {
    const old = before.listeners[index]
    const keys = [
      ...differingKeys({ pool: old?.pool }, { pool }, ''),
      ...differingKeys(old?.tls ?? {}, tls ?? {}, 'tls.'),
    ]
    return keys.length === 0 ? [] : [`listener ${name}: ${keys.join(', ')} changed`]
  })
}
