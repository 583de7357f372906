// One suite over every strategy: what each of them must do whatever its preference is.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type Bed,
  countPicks,
  createBed,
  newSelection,
  pickerOf,
  seededRandom,
} from '../../test/support/balancing-bed.ts'
import { startThread } from '../../test/support/state-thread.ts'
import type { CustomStrategy } from '../core/plugin.ts'
import type { BackendSpec, StrategyName } from '../core/spec.ts'
import { Flag } from '../state/owner-state.ts'
import { customStrategy } from './custom.ts'
import type { Picker } from './strategy.ts'
import { strategies } from './table.ts'
import { tiers } from './wrap/tiers.ts'

/** As somebody would write it. */
const ownRoundRobin: CustomStrategy = {
  build({ backends, state }) {
    return (request) => {
      const usable = backends.filter((backend) => backend.available && !request.tried(backend))
      return usable[state.ticket() % usable.length]
    }
  },
}

const onFault = (error: unknown): void => assert.fail(String(error))
const subjects: readonly [name: string, strategy: Parameters<typeof tiers>[0]][] = [
  ...Object.entries(strategies),
  ['an own strategy', customStrategy({ strategy: ownRoundRobin, options: undefined, onFault })],
]

for (const name of Object.keys(strategies) as StrategyName[]) {
  test(`${name} knows its name`, () => assert.equal(strategies[name].name, name))
}

for (const [name, strategy] of subjects) {
  /** With random numbers that are the same in every run. */
  const pickerOf = (bed: Bed, backends: readonly BackendSpec[] = bed.backends): Picker =>
    strategy.build({ backends, cursor: 0, state: bed.worker, random: seededRandom(1) })

  describe(name, () => {
    test('nothing to choose from: undefined at once', () => {
      const bed = createBed(3)
      assert.equal(pickerOf(bed, []).pick(newSelection()), undefined)
      const picker = pickerOf(bed)
      for (const { slot } of bed.backends) bed.owner.setFlag(slot, Flag.PROBE_DOWN)
      assert.equal(picker.pick(newSelection()), undefined)
      for (const { slot } of bed.backends) bed.owner.clearFlag(slot, Flag.PROBE_DOWN)
      assert.notEqual(picker.pick(newSelection()), undefined)
    })

    test('weight 0 takes no traffic', () => {
      const bed = createBed([0, 1, 0])
      assert.deepEqual(countPicks(pickerOf(bed), bed, 300), [0, 300, 0])
      assert.equal(pickerOf(createBed([0, 0])).pick(newSelection()), undefined)
    })

    test('never an unavailable one, from the pick on after it went down; back when it is back', () => {
      for (const flag of [Flag.PROBE_DOWN, Flag.EJECTED, Flag.DISABLED, Flag.DRAINING, Flag.REMOVED]) {
        const bed = createBed([3, 2, 1, 1])
        const picker = pickerOf(bed)
        countPicks(picker, bed, 10)
        bed.owner.setFlag(0, flag)
        bed.owner.setFlag(2, flag)
        const counts = countPicks(picker, bed, 1000)
        assert.equal(counts[0]! + counts[2]!, 0)
        assert.equal(counts[1]! + counts[3]!, 1000)
        bed.owner.clearFlag(0, flag)
        assert.ok(countPicks(picker, bed, 1000)[0]! > 0)
      }
    })

    test('one that is not checked yet is used', () => {
      const bed = createBed(1)
      bed.owner.setFlag(0, Flag.UNKNOWN)
      assert.equal(pickerOf(bed).pick(newSelection()), bed.backends[0])
    })

    test('never a tried one; all tried: undefined', () => {
      const bed = createBed([50, 1, 1])
      const picker = pickerOf(bed)
      for (let hash = 0; hash < 200; hash++) {
        const selection = newSelection(hash)
        const seen = new Set<BackendSpec>()
        for (let attempt = 0; attempt < 3; attempt++) {
          const backend = picker.pick(selection)
          assert.ok(backend !== undefined && !seen.has(backend))
          seen.add(backend)
          selection.tried.push(backend.slot)
        }
        assert.equal(picker.pick(selection), undefined)
      }
    })

    test('full ones are skipped; all full: undefined; room again: used again', () => {
      const bed = createBed([5, 1, 1], { maxConnections: 2 })
      const picker = pickerOf(bed)
      for (let i = 0; i < 6; i++) {
        const backend = picker.pick(newSelection(i))
        assert.ok(backend)
        assert.ok(bed.worker.enter(backend.slot, backend.maxConnections))
      }
      assert.equal(picker.pick(newSelection()), undefined)
      bed.worker.leave(1)
      assert.equal(picker.pick(newSelection(5)), bed.backends[1])
    })

    test('one left of 1000, the others full or down: found', () => {
      const bed = createBed(1000, { maxConnections: 1 })
      const picker = pickerOf(bed)
      for (let slot = 0; slot < 1000; slot++) {
        if (slot % 2 === 0) bed.owner.setFlag(slot, Flag.PROBE_DOWN)
        else if (slot !== 777) bed.worker.enter(slot, 1)
      }
      for (let hash = 0; hash < 20; hash++) assert.equal(picker.pick(newSelection(hash)), bed.backends[777])
    })

    test('backups serve only when no primary can', () => {
      const bed = createBed(4, { backups: 2, maxConnections: 1 })
      const picker = tiers(strategy, { backends: bed.backends, cursor: 0, state: bed.worker })
      const isPrimary = (backend: BackendSpec | undefined): boolean => backend !== undefined && !backend.backup
      for (let hash = 0; hash < 50; hash++) assert.ok(isPrimary(picker.pick(newSelection(hash))))
      bed.owner.setFlag(0, Flag.PROBE_DOWN)
      for (let hash = 0; hash < 50; hash++) assert.equal(picker.pick(newSelection(hash)), bed.backends[1])
      bed.worker.enter(1, 1)
      for (let hash = 0; hash < 50; hash++) assert.equal(picker.pick(newSelection(hash))?.backup, true)
      bed.worker.leave(1)
      assert.equal(picker.pick({ hash: 0, tried: [1] })?.backup, true)
      assert.equal(picker.pick({ hash: 0, tried: [1, 2, 3] }), undefined)
      assert.equal(picker.pick(newSelection()), bed.backends[1])
    })
  })
}

// Ten times what the slowest machine should need: it guards against a walk over all backends, not against noise.
test('with 10,000 backends a pick does not walk over them', () => {
  const bed = createBed(Array.from({ length: 10_000 }, (_, i) => 1 + (i % 7)))
  const selection = newSelection()
  for (const name of ['round-robin', 'power-of-two', 'least-time', 'random', 'hash', 'ip-hash'] as const) {
    const picker = pickerOf(bed, name)
    const times = 20_000
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < 3; round++) {
      const start = performance.now()
      for (let i = 0; i < times; i++) {
        selection.hash = Math.imul(i, 0x9e3779b1) >>> 0
        picker.pick(selection)
      }
      best = Math.min(best, ((performance.now() - start) * 1e6) / times)
    }
    assert.ok(best < 10_000, `${name}: ${best.toFixed(0)} ns`)
  }
})

test('exact over the process: 4 threads, 3 backends, 3000 picks', async () => {
  for (const { strategy, tolerance } of [
    { strategy: 'round-robin', tolerance: 0 },
    // May miss what another thread picks in the same instant.
    { strategy: 'least-conn', tolerance: 4 },
  ] as const) {
    const bed = createBed(3, { workers: 4 })
    const task = { kind: 'pick', times: 750, strategy, backends: [...bed.backends] } as const
    const threads = await Promise.all(
      [0, 1, 2, 3].map((workerId) => startThread({ buffer: bed.owner.buffer, workerId, task })),
    )
    const reports = await Promise.all(threads.map((thread) => thread.go()))
    await Promise.all(threads.map(({ worker }) => worker.terminate()))
    const sums = [0, 1, 2].map((backend) => reports.reduce((n, counts) => n + counts[backend]!, 0))
    assert.equal(sums[0]! + sums[1]! + sums[2]!, 3000)
    assert.ok(Math.max(...sums) - Math.min(...sums) <= tolerance, `${strategy}: ${sums}`)
    for (const { slot } of bed.backends) assert.equal(bed.owner.active(slot), sums[slot])
  }
})
