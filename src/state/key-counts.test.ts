import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ways } from './layout.ts'
import { createSharedState, Memory } from './memory.ts'
import { WorkerState } from './worker-state.ts'

test('no entry is left behind when another thread brings the same key at the very same moments', (t) => {
  const buffer = createSharedState({ workers: 1, concurrencySets: 1 })
  const state = new WorkerState(buffer, 0)
  const memory = new Memory(buffer)
  const first = memory.base64('concurrency')
  const uppers = (): number[] => Array.from({ length: ways }, (_, way) => memory.i32[2 * (first + way) + 1]!)
  const { compareExchange } = Atomics
  let step = 0
  // The other thread: its key is pending in the next entry when ours is, and there for good when we would take it out.
  t.mock.method(Atomics, 'compareExchange', (cells: BigInt64Array, at: number, from: bigint, to: bigint) => {
    if (step === 1 && at === first + 1) {
      step = 2
      memory.i32[2 * at + 1]! &= 0x7fffffff
    }
    const old = compareExchange(cells, at, from, to)
    if (step === 0 && at === first) {
      step = 1
      memory.i64[first + 1] = memory.i64[first]!
    }
    return old
  })
  assert.ok(state.concurrencyEnter(7, 1 << 20, 1))
  assert.equal(step, 2)
  assert.deepEqual(
    uppers().map((upper) => Math.sign(upper)),
    [0, 1, 0, 0, 0, 0, 0, 0],
  )
  assert.equal(state.concurrencyEnter(7, 1 << 20, 1), false)
})
