// Exactness under real threads.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startThread } from '../../test/support/state-thread.ts'
import { createSharedState } from './memory.ts'
import { OwnerState } from './owner-state.ts'
import { WorkerState } from './worker-state.ts'

const rooms = { slots: 2, pools: 1, listeners: 1, affinityTables: 1, affinitySets: 1, addressSets: 8 }
const small = { ...rooms, workers: 4, concurrencySets: 8 }

test('four threads at a limit of 10: never above it, nothing left, nothing lost', async () => {
  const buffer = createSharedState(small)
  const owner = new OwnerState(buffer)
  const times = 20_000
  const threads = await Promise.all(
    [0, 1, 2, 3].map((workerId) => startThread({ buffer, workerId, task: { kind: 'enter', times, max: 10 } })),
  )
  const reports = await Promise.all(threads.map((thread) => thread.go()))
  await Promise.all(threads.map(({ worker }) => worker.terminate()))
  const highest = Math.max(...reports.map((report) => report[0]!))
  assert.ok(highest <= 10, `${highest} were in at once`)
  assert.ok(highest > 1)
  const opened = reports.reduce((n, report) => n + report[2]!, 0)
  const backend = owner.backendTotals(0)
  const listener = owner.listenerTotals(0)
  assert.deepEqual([backend.active, listener.active], [0, 0])
  assert.equal(owner.poolTotals(0).retriesActive, 0)
  assert.equal(listener.connections, opened)
  assert.equal(backend.requests[2], times * 4)
  const state = new WorkerState(buffer, 0)
  assert.ok(state.ipConnectionOpened(7, 7, 1), 'an address is left in the table')
  assert.equal(state.ipConnectionOpened(7, 7, 1), false)
  assert.ok(state.concurrencyEnter(7, 7, 1), 'a key is left in the table')
  assert.equal(state.concurrencyEnter(7, 7, 1), false)
})

test('threads that are terminated in the middle of it: what they held is given back', async () => {
  const buffer = createSharedState(small)
  const owner = new OwnerState(buffer)
  for (let round = 0; round < 3; round++) {
    const threads = await Promise.all(
      [0, 1].map((workerId) => startThread({ buffer, workerId, task: { kind: 'enter-for-ever', max: 10 } })),
    )
    await Promise.all(threads.map((thread) => thread.go()))
    const before = owner.backendTotals(0).requests[2]!
    while (owner.backendTotals(0).requests[2]! < before + 1000) await new Promise(setImmediate)
    await Promise.all(threads.map(({ worker }) => worker.terminate()))
    owner.reclaimWorker(0)
    owner.reclaimWorker(1)
    const pool = owner.poolTotals(0)
    assert.deepEqual([owner.active(0), owner.listenerTotals(0).active, pool.retriesActive], [0, 0, 0], `round ${round}`)
    const state = new WorkerState(buffer, 3)
    assert.ok(state.ipConnectionOpened(7, 7, 1), 'an address is left in the table')
    state.ipConnectionClosed(7, 7)
    assert.ok(state.concurrencyEnter(7, 7, 1), 'a key is left in the table')
    state.concurrencyLeave(7, 7)
  }
})

test('the limit of a key holds also when all threads bring the same new keys at once', async () => {
  const threads = 2
  const buffer = createSharedState({ ...rooms, workers: threads, concurrencySets: 8192 })
  const meeting = new SharedArrayBuffer(4000)
  const task = { kind: 'count-keys', keys: 8000, times: 2, max: 2, threads, meeting } as const
  const all = await Promise.all(
    Array.from({ length: threads }, (_, workerId) => startThread({ buffer, workerId, task })),
  )
  const reports = await Promise.all(all.map((thread) => thread.go()))
  await Promise.all(all.map(({ worker }) => worker.terminate()))
  const sums = Array.from({ length: 8000 }, (_, key) => reports.reduce((sum, report) => sum + report[key]!, 0))
  assert.deepEqual(
    sums.filter((sum) => sum !== 2),
    [],
  )
  const owner = new OwnerState(buffer)
  for (let id = 0; id < threads; id++) owner.reclaimWorker(id)
  const state = new WorkerState(buffer, 0)
  for (let key = 0; key < 8000; key++) assert.ok(state.concurrencyEnter(key * 7, key * 13, 1), 'all were given back')
})
