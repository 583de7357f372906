// Pools and their backends: what another configuration adds, changes, drains and removes.

import type { PoolConfig } from '../../config/config.ts'
import { poolForm } from '../../config/long-form/pool.ts'
import type { DesiredBackend } from '../desired.ts'
import { formChanges, same } from './form-changes.ts'
import type { LiveCounts, PlannedChange, PlanStep } from './plan-types.ts'

/** Pools with their backends as they shall run. */
export interface PoolsPicture {
  readonly pools: Readonly<Record<string, PoolConfig>>
  readonly desired: ReadonlyMap<string, readonly DesiredBackend[]>
}

export function poolSteps(before: PoolsPicture, after: PoolsPicture, live: LiveCounts): PlanStep[] {
  const steps: PlanStep[] = []
  for (const [name, pool] of Object.entries(after.pools)) {
    // A pool may be called `constructor`.
    const old = Object.hasOwn(before.pools, name) ? before.pools[name] : undefined
    const backends = after.desired.get(name) ?? []
    const known = before.desired.get(name) ?? []
    if (old === undefined) {
      steps.push({ action: 'add', kind: 'pool', name, changes: [], connections: 0, note: counted(backends.length) })
    } else {
      steps.push(...settingsOf(name, old, pool), ...backendSteps(name, { known, backends, old, pool }, live))
    }
  }
  for (const name of Object.keys(before.pools)) {
    if (Object.hasOwn(after.pools, name)) continue
    const backends = before.desired.get(name) ?? []
    const connections = backends.reduce((sum, { url }) => sum + live.backend(name, url), 0)
    const note = backends.length === 0 ? '' : `${counted(backends.length)}, drained first`
    steps.push({ action: 'remove', kind: 'pool', name, changes: [], connections, ...(note !== '' && { note }) })
  }
  return steps
}

const counted = (count: number): string => (count === 1 ? '1 backend' : `${count} backends`)

function settingsOf(name: string, old: PoolConfig, pool: PoolConfig): PlanStep[] {
  // Most changes are of backends alone, which keep everything else as it is.
  if (old === pool || same(withoutBackends(old), withoutBackends(pool))) return []
  const changes = formChanges(poolForm(old), poolForm(pool), { at: ['pools', name], skip: ['backends'] })
  const note = old.kind === pool.kind ? {} : { note: `its backends speak ${pool.kind} instead of ${old.kind}` }
  if (changes.length === 0 && old.kind === pool.kind) return []
  return [{ action: 'change', kind: 'pool', name, changes, connections: 0, ...note }]
}

const withoutBackends = ({ backends: _, ...rest }: PoolConfig): object => rest

interface PoolBackends {
  readonly known: readonly DesiredBackend[]
  readonly backends: readonly DesiredBackend[]
  readonly old: PoolConfig
  readonly pool: PoolConfig
}

function backendSteps(pool: string, o: PoolBackends, live: LiveCounts): PlanStep[] {
  if (o.known === o.backends) return []
  const steps: PlanStep[] = []
  const old = new Map(o.known.map((backend) => [backend.url, backend]))
  for (const backend of o.backends) {
    const before = old.get(backend.url)
    old.delete(backend.url)
    if (before === undefined) steps.push({ ...at(pool, backend.url), action: 'add', changes: [] })
    else if (o.old.kind !== o.pool.kind) {
      const connections = live.backend(pool, backend.url)
      steps.push({ ...at(pool, backend.url), action: 'change', changes: [], connections, note: 'begins anew' })
    } else steps.push(...changed(pool, before, backend))
  }
  for (const { url } of old.values()) {
    steps.push({ ...at(pool, url), action: 'remove', changes: [], connections: live.backend(pool, url) })
  }
  return steps
}

const at = (pool: string, name: string): Pick<PlanStep, 'kind' | 'name' | 'pool' | 'connections'> => ({
  kind: 'backend',
  name,
  pool,
  connections: 0,
})

const words = { weight: 'weight', maxConnections: 'max_connections', backup: 'backup', state: 'state' } as const

/** What differs between two settings of one backend, by the names of the file and the API. */
export function backendChanges(from: DesiredBackend, to: DesiredBackend): PlannedChange[] {
  return (Object.keys(words) as (keyof typeof words)[])
    .filter((key) => from[key] !== to[key])
    .map((key) => ({ path: words[key], from: from[key], to: to[key] }))
}

function changed(pool: string, from: DesiredBackend, to: DesiredBackend): PlanStep[] {
  const changes = backendChanges(from, to)
  if (from.drainEndsAt !== to.drainEndsAt) {
    changes.push({
      path: 'drain_ends_at',
      ...(from.drainEndsAt !== null && { from: from.drainEndsAt }),
      ...(to.drainEndsAt !== null && { to: to.drainEndsAt }),
    })
  }
  if (changes.length === 0) return []
  const action = to.state === 'drain' && from.state !== 'drain' ? 'drain' : 'change'
  return [{ ...at(pool, to.url), action, changes }]
}
