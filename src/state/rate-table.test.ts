import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { startThread } from '../../test/support/state-thread.ts'
import { regions, ways } from './layout.ts'
import { createSharedState, Memory } from './memory.ts'
import { OwnerState } from './owner-state.ts'
import { WorkerState } from './worker-state.ts'

const room = { slots: 1, pools: 1, listeners: 1, traffic: 1, affinityTables: 1, affinitySets: 1, addressSets: 1 }
const newBuffer = (rateSets: number, workers = 1): SharedArrayBuffer =>
  createSharedState({ ...room, concurrencySets: 1, rateSets, workers })
/** One request a second, three at once. */
const slow = { intervalUs: 1e6, toleranceUs: 2e6 }

let state: WorkerState
beforeEach(() => {
  state = new WorkerState(newBuffer(4), 0)
})

describe('a rate limit', () => {
  it('lets the burst through at once, then one at a time; what is refused costs nothing', () => {
    const take = (nowUs: number) => state.rateTake(1, 1, { ...slow, nowUs })
    assert.deepEqual([take(0), take(0), take(0)], [1e6, 2e6, 3e6])
    assert.deepEqual([take(0), take(400_000), take(999_999)], [-1e6, -600_000, -1])
    assert.equal(take(1e6), 3e6)
    assert.equal(take(1e6), -1e6)
    assert.deepEqual([take(100e6), take(100e6)], [1e6, 2e6])
  })

  it('keeps keys apart, whatever their bits', () => {
    const extremes = [0, 1, -1, 0x7fffffff, 0x80000000, 0xffffffff, 0x20000000]
    for (const hi of [0, 1, 0x1fffffff]) {
      for (const lo of extremes)
        assert.equal(state.rateTake(hi, lo | 0, { ...slow, nowUs: 9 }) > 0, true, `${hi} ${lo}`)
    }
    assert.equal(state.rateTake(1, 0xffffffff, { ...slow, nowUs: 9 }), 3e6, 'signed or not is the same key')
  })

  it('takes back what another limit refused', () => {
    for (let i = 0; i < 3; i++) state.rateTake(1, 1, { ...slow, nowUs: 5 })
    state.rateGiveBack(1, 1, slow.intervalUs)
    state.rateGiveBack(8, 8, slow.intervalUs)
    assert.equal(state.rateTake(1, 1, { ...slow, nowUs: 5 }), 3e6)
    assert.equal(state.rateTake(1, 1, { ...slow, nowUs: 5 }), -1e6)
  })

  it('is the sequential algorithm, for any keys and times, while its set has room', () => {
    const step = fc.record({ key: fc.nat(ways - 1), waitUs: fc.nat(3000), worker: fc.nat(1) })
    const limit = fc.record({
      intervalUs: fc.double({ min: 0.5, max: 2000, noNaN: true }),
      burst: fc.integer({ min: 1, max: 6 }),
    })
    fc.assert(
      fc.property(limit, fc.array(step, { maxLength: 200 }), ({ intervalUs, burst }, steps) => {
        const buffer = newBuffer(1, 2)
        const workers = [0, 1].map((id) => new WorkerState(buffer, id))
        const toleranceUs = (burst - 1) * intervalUs
        const times = new Map<number, number>()
        let nowUs = 1000
        for (const { key, waitUs, worker } of steps) {
          nowUs += waitUs
          const time = Math.max(nowUs, times.get(key) ?? 0)
          const allowed = time - nowUs <= toleranceUs
          if (allowed) times.set(key, time + intervalUs)
          const wanted = allowed ? time - nowUs + intervalUs : toleranceUs - (time - nowUs)
          assert.equal(workers[worker]!.rateTake(key, key * 5, { nowUs, intervalUs, toleranceUs }), wanted)
        }
      }),
    )
  })

  it('of a million keys remembers those who have used most, in the memory it has', () => {
    const buffer = newBuffer(1024)
    state = new WorkerState(buffer, 0)
    const before = process.memoryUsage()
    const greedy = (nowUs: number) => state.rateTake(77, 77, { ...slow, nowUs })
    for (let i = 0; i < 3; i++) greedy(10)
    for (let i = 0; i < 1_000_000; i++) {
      assert.ok(state.rateTake(i * 31, Math.imul(i, 0x9e3779b1), { ...slow, nowUs: 10 }) > 0)
    }
    assert.ok(greedy(10) < 0, 'who is over the limit stays over it')
    assert.ok(process.memoryUsage().rss - before.rss < 64 * 1024 * 1024)
  })

  it('gives up the entry that has its credit back soonest, a free one before it', () => {
    state = new WorkerState(newBuffer(1), 0)
    const take = (key: number, times = 1): number => {
      let left = 0
      for (let i = 0; i < times; i++) left = state.rateTake(key, key, { ...slow, nowUs: 10 })
      return left
    }
    for (let key = 1; key <= ways; key++) take(key, key === 4 ? 1 : 2)
    assert.equal(take(100, 3), 3e6, 'with full credit')
    for (let key = 1; key <= ways; key++) if (key !== 4) assert.equal(take(key), 3e6, `${key}`)
    assert.equal(take(100), -1e6)
    assert.equal(take(4), 1e6, 'forgotten')
  })
})

describe('a rate limit over threads', () => {
  it('is exact when all bring the same new keys at once', async () => {
    const threads = 2
    const buffer = newBuffer(512, threads)
    const meeting = new SharedArrayBuffer((4 * 1000) / 8)
    const keys = 1000
    const burst = 5
    const task = {
      kind: 'rate-keys',
      keys,
      times: burst,
      threads,
      meeting,
      intervalUs: 7,
      toleranceUs: 7 * (burst - 1),
    } as const
    const all = await Promise.all(
      Array.from({ length: threads }, (_, workerId) => startThread({ buffer, workerId, task })),
    )
    const reports = await Promise.all(all.map((thread) => thread.go()))
    await Promise.all(all.map(({ worker }) => worker.terminate()))
    const sums = Array.from({ length: keys }, (_, key) => reports.reduce((sum, report) => sum + report[key]!, 0))
    assert.deepEqual(
      sums.filter((sum) => sum !== burst),
      [],
    )
    assert.ok(reports.filter((report) => report.some((n) => n > 0)).length > 1, 'more than one thread got some')
  })

  it('lets through what burst and rate allow over all of them, no more and no less', async () => {
    const buffer = newBuffer(4, 4)
    const intervalUs = 40
    const burst = 25_000
    const limit = { intervalUs, toleranceUs: (burst - 1) * intervalUs }
    const task = { kind: 'rate-clock', forUs: 500_000, ...limit } as const
    const all = await Promise.all([0, 1, 2, 3].map((workerId) => startThread({ buffer, workerId, task })))
    // From here on the key is never at its full credit: nothing can be lost.
    const here = new WorkerState(buffer, 0)
    // A whole number: thousands of sums that end exactly at the limit must not be rounded.
    const firstUs = Math.floor(here.nowUs())
    for (let i = 0; i < burst; i++) assert.ok(here.rateTake(1, 2, { ...limit, nowUs: firstUs }) > 0)
    const reports = await Promise.all(all.map((thread) => thread.go()))
    await Promise.all(all.map(({ worker }) => worker.terminate()))
    const passed = reports.reduce((sum, report) => sum + report[0]!, burst)
    const allowed = burst + (Math.max(...reports.map((report) => report[2]!)) - firstUs) / intervalUs
    // Clocks of threads agree within some microseconds.
    assert.ok(passed <= allowed + 1, `${passed} of ${allowed}`)
    assert.ok(passed >= allowed - 2, `${passed} of ${allowed}`)
    assert.ok(reports.every((report) => report[1]! > 0))
  })

  it('leaves no entry behind when another thread brings the same key at the very same moments', (t) => {
    const buffer = newBuffer(1)
    state = new WorkerState(buffer, 0)
    const { f64 } = new Memory(buffer)
    const first = new Memory(buffer).base64('rate')
    const { compareExchange } = Atomics
    let step = 0
    // The other thread: its key is pending in the next entry when ours is, and there for good when we would take it out.
    t.mock.method(Atomics, 'compareExchange', (cells: BigInt64Array, at: number, from: bigint, to: bigint) => {
      if (step === 1 && at === first + 1) {
        step = 2
        f64[at] = -f64[at]!
      }
      const old = compareExchange(cells, at, from, to)
      if (step === 0 && at === first) {
        step = 1
        f64[first + 1] = f64[first]!
      }
      return old
    })
    assert.equal(state.rateTake(7, 8, { ...slow, nowUs: 10 }), 1e6)
    assert.equal(step, 2)
    assert.deepEqual(
      keysOf(buffer).map((key) => Math.sign(key)),
      [0, 1, 0, 0, 0, 0, 0, 0],
    )
  })

  it('survives threads that are terminated anywhere in it', async () => {
    const buffer = newBuffer(2, 3)
    const owner = new OwnerState(buffer)
    state = new WorkerState(buffer, 2)
    for (let round = 0; round < 4; round++) {
      const all = await Promise.all(
        [0, 1].map((workerId) => startThread({ buffer, workerId, task: { kind: 'rate-for-ever' } })),
      )
      await Promise.all(all.map((thread) => thread.go()))
      const before = owner.trafficTotals(0).duration.count
      while (owner.trafficTotals(0).duration.count < before + 50_000) await new Promise(setImmediate)
      await Promise.all(all.map(({ worker }) => worker.terminate()))
      const key = 4000 + round
      const take = () => state.rateTake(key, key, { ...slow, nowUs: 1e12 }) > 0
      assert.deepEqual(
        [take(), take(), take(), take()],
        [true, true, true, false],
        'at once, before anything is put right',
      )
      for (const id of [0, 1]) owner.reclaimWorker(id)
      assert.ok(
        keysOf(buffer).every((key) => key >= 0),
        'no entry is lost',
      )
    }
  })
})

function keysOf(buffer: SharedArrayBuffer): number[] {
  const memory = new Memory(buffer)
  const rows = Array.from({ length: memory.sizes.rateSets }, (_, set) => {
    const first = memory.base64('rate') + (set * regions.rate.rowBytes) / 8
    return [...memory.f64.subarray(first, first + ways)]
  })
  return rows.flat()
}
