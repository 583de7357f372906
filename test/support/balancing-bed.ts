// For the tests and benchmarks of balancing: a pool of backends in shared memory of its own.

import type { Picker, Selection } from '../../src/balancer/strategy.ts'
import { strategies } from '../../src/balancer/table.ts'
import type { BackendSpec, StrategyName } from '../../src/core/spec.ts'
import { createSharedState } from '../../src/state/memory.ts'
import { OwnerState } from '../../src/state/owner-state.ts'
import { WorkerState } from '../../src/state/worker-state.ts'

export interface Bed {
  readonly backends: readonly BackendSpec[]
  readonly owner: OwnerState
  readonly worker: WorkerState
}

/** Backends with these weights (or so many of weight 1), named a, b, c … by `nameOf`. */
export function createBed(
  weights: readonly number[] | number,
  o: { maxConnections?: number; backups?: number; workers?: number } = {},
): Bed {
  const all = typeof weights === 'number' ? Array.from({ length: weights }, () => 1) : weights
  const buffer = createSharedState({
    workers: o.workers ?? 1,
    slots: Math.max(16, all.length),
    pools: 2,
    listeners: 1,
    affinityTables: 1,
    affinitySets: 1,
    addressSets: 1,
  })
  const owner = new OwnerState(buffer)
  const backends = all.map((weight, i) =>
    backendOf(owner.claimSlot(), {
      weight,
      maxConnections: o.maxConnections ?? 0,
      backup: i >= all.length - (o.backups ?? 0),
    }),
  )
  return { backends, owner, worker: new WorkerState(buffer, 0) }
}

/** A backend as configuration would compile it. */
export function backendOf(slot: number, o: { weight: number; maxConnections: number; backup: boolean }): BackendSpec {
  const host = `10.${slot >> 16}.${(slot >> 8) & 255}.${slot & 255}`
  return {
    slot,
    pool: 'default',
    url: `http://${host}:8080`,
    protocol: 'http',
    host,
    port: 8080,
    socketPath: null,
    basePath: '',
    authority: `${host}:8080`,
    ...o,
  }
}

/** The picker of one strategy over the backends of a bed, with random numbers that are the same in every run. */
export function pickerOf(bed: Bed, strategy: StrategyName, backends: readonly BackendSpec[] = bed.backends): Picker {
  return strategies[strategy].build({ backends, cursor: 0, state: bed.worker, random: seededRandom(1) })
}

export const newSelection = (hash = 0): Selection => ({ hash, tried: [] })

/** A small generator (mulberry32) in [0, 1). */
export function seededRandom(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** How often each backend is chosen in so many picks, each with another hash. */
export function countPicks(picker: Picker, bed: Bed, times: number): number[] {
  const counts = bed.backends.map(() => 0)
  const selection = newSelection()
  for (let i = 0; i < times; i++) {
    selection.hash = Math.imul(i + 1, 0x9e3779b1) >>> 0
    const backend = picker.pick(selection)
    if (backend) counts[bed.backends.indexOf(backend)]!++
  }
  return counts
}

/** The first so many choices as letters. */
export function sequence(picker: Picker, bed: Bed, times: number): string {
  const letters = []
  for (let i = 0; i < times; i++) {
    const backend = picker.pick(newSelection(i))
    letters.push(backend ? String.fromCharCode(97 + bed.backends.indexOf(backend)) : '-')
  }
  return letters.join(' ')
}
