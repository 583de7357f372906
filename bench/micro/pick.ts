// What a choice costs, by strategy and number of backends, and what the counters around it cost.
import { customStrategy } from '../../src/balancer/custom.ts'
import { Ring } from '../../src/balancer/ring.ts'
import type { CustomStrategy } from '../../src/core/plugin.ts'
import type { StrategyName } from '../../src/core/spec.ts'
import { bucketIndex } from '../../src/state/histogram.ts'
import { createBed, newSelection, pickerOf } from '../../test/support/balancing-bed.ts'
import type { Benchmark } from './measure.ts'

const sizes = { 3: createBed(3), 10000: createBed(Array.from({ length: 10_000 }, (_, i) => 1 + (i % 7))) } as const

function pickBenchmark(strategy: StrategyName, size: keyof typeof sizes, dead: number): Benchmark {
  const bed = sizes[size]
  const picker = pickerOf(bed, strategy)
  const selection = newSelection()
  return {
    name: `pick ${strategy}, ${size} backends${dead > 0 ? `, ${dead} down` : ''}`,
    run(times) {
      for (let i = 0; i < dead; i++) bed.owner.setFlag(i * 2, 1)
      for (let i = 0; i < times; i++) {
        selection.hash = Math.imul(i, 0x9e3779b1) >>> 0
        picker.pick(selection)
      }
      for (let i = 0; i < dead; i++) bed.owner.clearFlag(i * 2, 1)
    },
  }
}

/** The least that somebody's own can be: what is above its cost is ours. */
const ownStrategy: CustomStrategy = {
  build: ({ backends, state }) => {
    return (request) => {
      const first = backends[state.ticket() % backends.length]!
      return first.available && !request.tried(first) ? first : backends.find((backend) => backend.available)
    }
  },
}

function ownBenchmark(): Benchmark {
  const bed = sizes[3]
  const own = customStrategy({ strategy: ownStrategy, options: {}, onFault: () => {} })
  const picker = own.build({ backends: bed.backends, cursor: 0, state: bed.worker })
  const selection = newSelection()
  return {
    name: 'pick an own strategy, 3 backends',
    run(times) {
      for (let i = 0; i < times; i++) {
        selection.hash = Math.imul(i, 0x9e3779b1) >>> 0
        picker.pick(selection)
      }
    },
  }
}

const constantCost: StrategyName[] = ['round-robin', 'power-of-two', 'least-time', 'random', 'first', 'ip-hash', 'hash']
const everyStrategy: StrategyName[] = [...constantCost, 'least-conn']
const { worker, backends } = sizes[3]
const slot = backends[0]!.slot

const operations: Record<string, () => void> = {
  'enter, leave': () => {
    worker.enter(slot, 0)
    worker.leave(slot)
  },
  'enter with a limit, leave': () => {
    worker.enter(slot, 10)
    worker.leave(slot)
  },
  backendFinished: () => worker.backendFinished(slot, 200, 345),
  'requestStarted, requestFinished': () => {
    worker.requestStarted(0)
    worker.requestFinished(0, 0, 0, 200, 512)
  },
  'ipConnectionOpened, ipConnectionClosed': () => {
    worker.ipConnectionOpened(5, 6, 10)
    worker.ipConnectionClosed(5, 6)
  },
  bucketIndex: () => {
    bucketIndex(345)
  },
}

const stateBenchmarks: Benchmark[] = Object.entries(operations).map(([name, once]) => ({
  name: `state ${name}`,
  run(times) {
    for (let i = 0; i < times; i++) once()
  },
}))

export const benchmarks: readonly Benchmark[] = [
  ...everyStrategy.map((strategy) => pickBenchmark(strategy, 3, 0)),
  ownBenchmark(),
  ...everyStrategy.map((strategy) => pickBenchmark(strategy, 10000, 0)),
  ...constantCost.map((strategy) => pickBenchmark(strategy, 10000, 1000)),
  {
    name: 'build the ring of 10000 backends',
    run(times) {
      for (let i = 0; i < times; i++)
        Ring.build(sizes[10000].backends.map(({ url: name, weight }) => ({ name, weight })))
    },
    times: 3,
  },
  {
    name: 'build the cycle of 10000 backends, weights 1 to 7',
    run(times) {
      for (let i = 0; i < times; i++) pickerOf(sizes[10000], 'round-robin')
    },
    times: 3,
  },
  ...stateBenchmarks,
]
