// What a change does to the backends, in words for people: one line per backend and setting.

import type { DesiredBackend, DesiredPools } from './overlay.ts'

/** What is different between two sets of backends, one line each, for people. */
export function differences(before: DesiredPools, after: DesiredPools): string[] {
  const changes: string[] = []
  for (const [pool, backends] of after) {
    const old = new Map((before.get(pool) ?? []).map((backend) => [backend.url, backend]))
    for (const backend of backends) {
      const known = old.get(backend.url)
      old.delete(backend.url)
      if (known === undefined) changes.push(`pool ${pool}: added ${backend.url}`)
      else changes.push(...settingChanges(pool, known, backend))
    }
    for (const url of old.keys()) changes.push(`pool ${pool}: removed ${url}`)
  }
  return changes
}

const words = { weight: 'weight', maxConnections: 'max_connections', backup: 'backup', state: 'state' } as const
const stateWords = { up: 'enabled', drain: 'drained', disabled: 'disabled' } as const

/** What one call of the admin API did to a backend: `drained`, `weight 1 → 3, max_connections 0 → 8`. */
export function changeOf(from: DesiredBackend, to: DesiredBackend): string {
  return (Object.keys(words) as (keyof typeof words)[])
    .filter((key) => from[key] !== to[key])
    .map((key) => (key === 'state' ? stateWords[to.state] : `${words[key]} ${from[key]} → ${to[key]}`))
    .join(', ')
}

function settingChanges(pool: string, from: DesiredBackend, to: DesiredBackend): string[] {
  return (Object.keys(words) as (keyof typeof words)[])
    .filter((key) => from[key] !== to[key])
    .map((key) => `pool ${pool}: ${to.url} ${words[key]} ${from[key]} → ${to[key]}`)
}
