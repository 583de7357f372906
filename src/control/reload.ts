// What a new configuration changes beyond backends: those keys need a restart, and are named as the file has them.

import type { Config } from '../config/config.ts'
import type { ConfiguredPools } from './overlay.ts'

/** The backends of a configuration, by pool. */
export function configuredPools(config: Config): ConfiguredPools {
  return new Map(Object.entries(config.pools).map(([name, pool]) => [name, pool.backends]))
}

const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Key order and functions do not occur: both sides come out of the same schema. */
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

function differingKeys(before: object, after: object, prefix: string, skip: readonly string[] = []): string[] {
  const a = before as Record<string, unknown>
  const b = after as Record<string, unknown>
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !skip.includes(key))
  return keys.filter((key) => !same(a[key], b[key])).map((key) => `${prefix}${snake(key)}`)
}

/** Keys whose change a running process cannot apply yet, such as `pools.api.strategy`; empty = only backends differ. */
export function keysThatNeedRestart(before: Config, after: Config): string[] {
  const keys = differingKeys(before, after, '', ['pools', 'limits'])
  keys.push(...differingKeys(before.limits, after.limits, 'limits.'))
  for (const name of new Set([...Object.keys(before.pools), ...Object.keys(after.pools)])) {
    const old = before.pools[name]
    const next = after.pools[name]
    if (old === undefined || next === undefined) keys.push(`pools.${name}`)
    else keys.push(...differingKeys(old, next, `pools.${name}.`, ['backends']))
  }
  return keys
}
