// The plan of a change: the structural difference between what runs and what shall run.

import type { Config } from '../../config/config.ts'
import { formatDocumentPath } from '../../config/document/format-path.ts'
import type { Conflict } from '../../config/document/types.ts'
import type { DesiredPools } from '../desired.ts'
import { same } from './form-changes.ts'
import { listenerSteps } from './listener-steps.ts'
import type { LiveCounts, Plan, PlanStep } from './plan-types.ts'
import { poolSteps } from './pool-steps.ts'
import { routeSteps } from './route-steps.ts'
import { keysThatNeedRestart, settingSteps } from './setting-steps.ts'

export type { LiveCounts, Plan, PlanConflict, PlannedChange, PlanStep } from './plan-types.ts'
export { planWords } from './plan-words.ts'
export { keysThatNeedRestart } from './setting-steps.ts'

/** What runs, or shall run. */
export interface Picture {
  readonly config: Config
  /** The backends of its pools, with what an administrator said of them. */
  readonly desired: DesiredPools
}

export interface PlanOptions {
  readonly live: LiveCounts
  readonly conflicts?: readonly Conflict[]
  /** Files of certificates that hold something else than before. */
  readonly certificates?: readonly string[]
}

export function planOf(
  before: Picture,
  after: Picture,
  { live, conflicts = [], certificates = [] }: PlanOptions,
): Plan {
  const steps = [
    ...poolSteps(
      { pools: before.config.pools, desired: before.desired },
      { pools: after.config.pools, desired: after.desired },
      live,
    ),
    ...otherSteps(before.config, after.config, live),
    ...certificates.map(
      (name): PlanStep => ({ action: 'change', kind: 'certificate', name, changes: [], connections: 0 }),
    ),
  ]
  return {
    steps,
    conflicts: conflicts.map((conflict) => ({ ...conflict, path: formatDocumentPath(conflict.path) })),
    touched_connections: total(steps) - countedTwice(steps, before.config),
    needs_restart: keysThatNeedRestart(before.config, after.config),
  }
}

const total = (steps: readonly PlanStep[]): number => steps.reduce((sum, { connections }) => sum + connections, 0)

/** A TCP connection is one of its listener and of a backend: where both are removed it is touched once. */
function countedTwice(steps: readonly PlanStep[], { listeners }: Config): number {
  const gone = steps.filter(({ kind, action }) => kind === 'listener' && action === 'remove')
  const closed = new Map(gone.map(({ name, connections }) => [name, connections]))
  const ofPools = new Map<string, number>()
  for (const { name, pool, protocol } of listeners) {
    if (protocol === 'tcp') ofPools.set(pool, (ofPools.get(pool) ?? 0) + (closed.get(name) ?? 0))
  }
  const isOf = (pool: string, { kind, ...step }: PlanStep): boolean =>
    (kind === 'pool' && step.name === pool) || (kind === 'backend' && step.pool === pool)
  return [...ofPools].reduce((sum, [pool, count]) => {
    return sum + Math.min(count, total(steps.filter((step) => isOf(pool, step))))
  }, 0)
}

/** Where only backends change, everything else is the same object. */
function otherSteps(before: Config, after: Config, live: LiveCounts): PlanStep[] {
  const { pools: _, ...rest } = before
  const { pools: __, ...others } = after
  const isSame = Object.entries(rest).every(([key, value]) => value === others[key as keyof typeof others])
  if (isSame) return []
  return [
    ...(same(before.listeners, after.listeners) ? [] : listenerSteps(before.listeners, after.listeners, live)),
    ...routeSteps(before.routes, after.routes),
    ...settingSteps(before, after),
  ]
}
