import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { errorNames } from '../core/errors.ts'
import { regions, trafficEntries } from './layout.ts'
import { createSharedState } from './memory.ts'
import { methodNames } from './names.ts'
import { OwnerState } from './owner-state.ts'
import { TrafficRows } from './traffic-rows.ts'
import { WorkerState } from './worker-state.ts'

const room = { workers: 2, slots: 1, pools: 1, affinityTables: 1, affinitySets: 1, addressSets: 1 }
let owner: OwnerState
let workers: WorkerState[]
let rows: TrafficRows

beforeEach(() => {
  const buffer = createSharedState({ ...room, listeners: 2, traffic: 3 })
  owner = new OwnerState(buffer)
  workers = [0, 1].map((id) => new WorkerState(buffer, id))
  rows = new TrafficRows(owner)
})

const finish = (worker: number, row: number, status: number, method = 0): void => {
  workers[worker]!.requestStarted(0)
  workers[worker]!.requestFinished(0, row, method, status, 700)
}
const counts = (row: number): string[] =>
  owner.trafficTotals(row).requests.map(({ method, status, count }) => `${method} ${status} ${count}`)
const routes = (...of: number[][]) => ({ routes: of.map((row) => ({ rows: row })) as never })

describe('the rows of routes', () => {
  it('a pair has one row, another pair another; the implicit route has that of its listener', () => {
    const [a, b, c] = [rows.claim(0, 'a'), rows.claim(0, 'b'), rows.claim(1, 'a')]
    assert.equal(new Set([0, 1, rows.other(0), rows.other(1), a, b, c]).size, 7)
    assert.deepEqual([rows.claim(0, 'a'), rows.claim(0, 'b'), rows.claim(1, 'a')], [a, b, c])
    assert.deepEqual([rows.claim(1, 'default'), rows.claim(1, '(other)')], [1, rows.other(1)])
    assert.equal(rows.claim(0, 'too many'), rows.other(0))
    assert.equal(rows.claim(0, 'a'), a)
  })

  it('a route that comes back goes on counting; only for a new one its row is given away, and begins at 0', () => {
    const [a, b, c] = [rows.claim(0, 'a'), rows.claim(0, 'b'), rows.claim(1, 'c')]
    finish(0, a, 200)
    workers[1]!.requestError(a, 0)
    workers[1]!.rateLimited(a)
    workers[0]!.mirrored(a, 'sent')
    workers[1]!.mirrored(a, 'sent')
    workers[1]!.mirrored(a, 'too_large')
    workers[0]!.cacheRequest(a, 'hit')
    workers[1]!.cacheRequest(a, 'hit')
    workers[1]!.cacheRequest(a, 'bypass')
    workers[0]!.notStored(a, 'private')
    workers[1]!.notStored(a, 'private')
    workers[1]!.notStored(a, 'incomplete')
    rows.keepOnly(routes([], [b], [c]))
    assert.equal(rows.claim(0, 'a'), a)
    assert.deepEqual(counts(a), ['GET 200 1'])
    assert.deepEqual(owner.trafficTotals(a).mirrored, { sent: 2, too_large: 1 })
    assert.deepEqual(owner.trafficTotals(a).cached, { hit: 2, bypass: 1 })
    assert.deepEqual(owner.trafficTotals(a).notStored, { private: 2, incomplete: 1 })
    rows.keepOnly(routes([b], [c]))
    assert.equal(rows.claim(1, 'd'), rows.other(1), 'not that of another listener')
    assert.equal(rows.claim(0, 'd'), a)
    assert.deepEqual(owner.trafficTotals(a), {
      ...owner.trafficTotals(a),
      requests: [],
      errors: {},
      rateLimited: 0,
      mirrored: {},
      cached: {},
      notStored: {},
    })
    assert.equal(owner.trafficTotals(a).duration.count, 0)
    finish(1, a, 200)
    finish(1, a, 404)
    workers[0]!.requestError(a, 0)
    assert.deepEqual(counts(a), ['GET 200 1', 'GET 404 1'])
    assert.deepEqual(owner.trafficTotals(a).errors, { [errorNames[0]!]: 1 })
    assert.equal(owner.trafficTotals(a).duration.sumUs, 1400)
    assert.equal(rows.claim(0, 'a'), rows.other(0), 'who was there before has lost it')
    assert.equal(owner.listenerTotals(0).duration.count, 3, 'the sums of the listener do not go down')
  })

  it('the route that is gone longest makes room first', () => {
    const [a, b] = [rows.claim(0, 'a'), rows.claim(0, 'b'), rows.claim(0, 'c')]
    rows.keepOnly(routes([a]))
    assert.equal(rows.claim(0, 'new'), b)
    rows.keepOnly(routes([b]))
    assert.notEqual(rows.claim(0, 'newer'), a)
    assert.equal(rows.claim(0, 'newest'), a)
  })
})

describe('the counters of a route', () => {
  it('are summed over workers, and all of a listener in its totals', () => {
    const row = rows.claim(0, 'a')
    for (const worker of [0, 1]) for (const to of [0, row, rows.other(0), 1]) finish(worker, to, 200)
    assert.deepEqual(counts(row), ['GET 200 2'])
    assert.deepEqual(owner.listenerTotals(0).requests, [{ method: 'GET', status: 200, count: 6 }])
    assert.deepEqual(owner.listenerTotals(0).duration.sumUs, 4200)
    assert.equal(owner.listenerTotals(1).duration.count, 2)
  })

  it('are exact for whatever methods and statuses occur', () => {
    const exchange = fc.record({
      worker: fc.nat(1),
      method: fc.integer({ min: -1, max: 11 }),
      status: fc.oneof(fc.constantFrom(0, 99, 100, 200, 204, 404, 499, 599, 999, 1000), fc.integer({ max: 620 })),
    })
    fc.assert(
      fc.property(fc.array(exchange, { maxLength: 60 }), (exchanges) => {
        const buffer = createSharedState({ ...room, listeners: 1, traffic: 1 })
        owner = new OwnerState(buffer)
        workers = [0, 1].map((id) => new WorkerState(buffer, id))
        const model = new Map<string, number>()
        for (const { worker, method, status } of exchanges) {
          finish(worker, 2, status, method)
          const key = `${methodNames[method] ?? 'other'} ${status >= 100 && status <= 999 ? status : 0}`
          model.set(key, (model.get(key) ?? 0) + 1)
        }
        assert.deepEqual(counts(2).sort(), [...model].map(([key, count]) => `${key} ${count}`).sort())
      }),
    )
  })

  it('have an entry for each status of a busy row; what is too much is counted together, none is lost', () => {
    const statuses = Array.from({ length: 900 }, (_, i) => 100 + i)
    for (const status of statuses.slice(0, trafficEntries / 2)) finish(0, 0, status)
    assert.ok(counts(0).every((line) => !line.includes('-1')))
    for (const status of statuses) finish(0, 0, status)
    const { requests, duration } = owner.trafficTotals(0)
    assert.equal(
      requests.reduce((sum, { count }) => sum + count, 0),
      duration.count,
    )
    assert.ok(requests.find(({ status }) => status === -1)!.count > 500)
    assert.equal(requests.find(({ status }) => status === 100)!.count, 2, 'who has an entry keeps it')
  })

  it('take less than a page, and none where no route is', () => {
    assert.ok(regions.trafficLane.rowBytes <= 4096, `${regions.trafficLane.rowBytes} bytes`)
  })
})
