// What a frame of statistics costs the main thread, once a second while somebody reads.
import { Sampler } from '../../src/control/stats/sampler.ts'
import { backendSpec, FakePort, poolSpec, snapshotOf } from '../../test/support/control-kit.ts'
import type { Benchmark } from './measure.ts'

const count = 1000

function frames(name: string, busy: number): Benchmark {
  const port = new FakePort(2 * count)
  const backends = Array.from({ length: count }, (_, i) => backendSpec(port.state.claimSlot(), 3000 + i))
  const membership = { snapshot: snapshotOf([poolSpec(backends)]), revision: 1, departing: () => [] }
  const last = { atMs: Date.now(), ok: true, reason: 'connected in 2 ms' }
  const health = { checks: () => ({ last, passes: 1, fails: 0 }) }
  const sampler = new Sampler({ port, membership, health })
  return {
    name,
    run(times) {
      for (let i = 0; i < times; i++) {
        for (let slot = 0; slot < busy; slot++) port.worker.backendFinished(slot, 200, ((i + slot) * 97) % 20_000)
        sampler.sample()
        sampler.frame(sampler.number - 1)
      }
    },
  }
}

export const benchmarks: readonly Benchmark[] = [
  frames(`statistics of ${count} backends, all idle`, 0),
  frames(`statistics of ${count} backends, 100 busy`, 100),
  frames(`statistics of ${count} backends, all busy`, count),
]
