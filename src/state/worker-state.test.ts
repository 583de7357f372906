import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { errorNames } from '../core/errors.ts'
import { regions, ways } from './layout.ts'
import { createSharedState, Memory } from './memory.ts'
import { handshakeErrors } from './names.ts'
import { Flag, OwnerState } from './owner-state.ts'
import { monotonicUs } from './shared-clock.ts'
import { methodIndex, methodNames, rejectReasons, retryReasons, WorkerState } from './worker-state.ts'

let owner: OwnerState
let a: WorkerState
let b: WorkerState

beforeEach(() => {
  const buffer = createSharedState({ workers: 2, slots: 4, pools: 2, listeners: 2, affinityTables: 1, affinitySets: 1 })
  owner = new OwnerState(buffer)
  a = new WorkerState(buffer, 0)
  b = new WorkerState(buffer, 1)
})

test('places at a backend are counted over all workers, up to the limit', () => {
  assert.ok(a.enter(1, 2))
  assert.ok(b.enter(1, 2))
  assert.equal(a.enter(1, 2), false)
  assert.equal(a.active(1), 2)
  assert.ok(a.enter(1, 0))
  for (const state of [a, a, b]) state.leave(1)
  assert.equal(a.active(1), 0)
  assert.equal(a.active(0), 0)
})

test('only available backends are available; a draining one stays usable for clients bound to it', () => {
  const slot = owner.claimSlot()
  for (const flag of [Flag.PROBE_DOWN, Flag.EJECTED, Flag.DISABLED, Flag.DRAINING, Flag.REMOVED]) {
    assert.equal(owner.setFlag(slot, flag), true)
    assert.equal(owner.setFlag(slot, flag), false)
    assert.equal(a.isAvailable(slot), false)
    assert.equal(a.isUsableWhenBound(slot), flag === Flag.DRAINING)
    assert.equal(owner.clearFlag(slot, flag), true)
    assert.equal(owner.clearFlag(slot, flag), false)
    assert.equal(a.isAvailable(slot), true)
  }
  owner.setFlag(slot, Flag.UNKNOWN)
  assert.ok(a.isAvailable(slot) && a.isUsableWhenBound(slot))
})

test('the epoch grows with every flip, and only then', () => {
  const slot = owner.claimSlot()
  const before = a.epoch()
  owner.setFlag(slot, Flag.EJECTED)
  assert.equal(a.epoch(), before + 1)
  owner.setFlag(slot, Flag.EJECTED)
  assert.equal(a.epoch(), before + 1)
  owner.clearFlag(slot, Flag.EJECTED)
  assert.equal(a.epoch(), before + 2)
})

test('tickets are drawn from one counter per pool', () => {
  assert.deepEqual([a.ticket(0), b.ticket(0), a.ticket(1), owner.ticket(0)], [0, 1, 0, 2])
})

/** Each of them 0 times. */
const none = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 0]))

test('a listener counts connections, bytes, requests and errors; totals are summed over workers', () => {
  assert.ok(a.connectionOpened(1, 2) && b.connectionOpened(1, 2))
  assert.equal(a.connectionOpened(1, 2), false)
  a.connectionRejected(1, 'limit')
  b.connectionRejected(1, 'no_route')
  a.tlsHandshake(1, 1, false)
  b.tlsHandshake(1, 1, true)
  b.tlsHandshake(1, 0, true)
  b.tlsHandshakeFailed(1, 'timeout')
  b.connectionClosed(1)
  a.bytesReceived(1, 100)
  b.bytesReceived(1, 5)
  a.bytesSent(1, 7)
  a.requestStarted(1)
  a.requestStarted(1)
  b.requestStarted(1)
  a.requestFinished(1, 1, methodIndex('GET'), 200, 1200)
  b.requestFinished(1, 1, methodIndex('BREW'), 0, 90_000_000)
  b.requestError(1, errorNames.indexOf('no_backend'))
  const totals = owner.listenerTotals(1)
  assert.deepEqual(
    { ...totals, duration: undefined },
    {
      active: 1,
      requestsActive: 1,
      connections: 2,
      rejected: { ...none(rejectReasons), limit: 1, no_route: 1 },
      handshakes: [
        { version: 'TLSv1.2', resumed: false, count: 0 },
        { version: 'TLSv1.2', resumed: true, count: 1 },
        { version: 'TLSv1.3', resumed: false, count: 1 },
        { version: 'TLSv1.3', resumed: true, count: 1 },
      ],
      handshakeErrors: { ...none(handshakeErrors), timeout: 1 },
      bytesReceived: 105,
      bytesSent: 7,
      requests: [
        { method: 'GET', status: 200, count: 1 },
        { method: 'other', status: 0, count: 1 },
      ],
      duration: undefined,
      errors: { no_backend: 1 },
      rateLimited: 0,
      mirrored: {},
      cached: {},
      notStored: {},
    },
  )
  assert.equal(totals.duration.count, 2)
  assert.equal(totals.duration.sumUs, 90_001_200)
  assert.equal(totals.duration.counts.at(-1), 1)
  assert.equal(owner.listenerTotals(0).connections, 0)
})

test('statuses at both ends have a cell of their own, whatever is beyond counts as none', () => {
  for (const status of [100, 599, 999, 99, 1000, -1]) {
    a.requestStarted(0)
    a.requestFinished(0, 0, 8, status, 1)
  }
  const statuses = owner.listenerTotals(0).requests.map(({ method, status, count }) => [method, status, count])
  assert.deepEqual(statuses, [
    ['CONNECT', 0, 3],
    ['CONNECT', 100, 1],
    ['CONNECT', 599, 1],
    ['CONNECT', 999, 1],
  ])
})

test('a backend counts answers by class, connections, latency', () => {
  const slot = owner.claimSlot()
  for (const status of [0, 101, 200, 204, 301, 404, 500, 503, 503]) a.backendFinished(slot, status, 1000)
  b.backendConnected(slot, 300)
  b.backendConnectFailed(slot)
  a.backendIdle(slot, 3)
  b.backendIdle(slot, -1)
  const totals = owner.backendTotals(slot)
  assert.deepEqual(totals.requests, [1, 1, 2, 1, 1, 3])
  assert.deepEqual([totals.connects, totals.connectFailures, totals.idle], [1, 1, 2])
  assert.deepEqual([totals.duration.count, totals.duration.sumUs], [8, 8000])
  assert.deepEqual([totals.connect.count, totals.connect.sumUs], [1, 300])
  assert.equal(totals.latencyUs, 1000)
})

test('latency is a moving average, and fades while nothing is observed', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
  const slot = owner.claimSlot()
  assert.equal(a.latency(slot), 0)
  a.heartbeat(1, 0, 0, 0)
  a.backendFinished(slot, 200, 1000)
  b.backendFinished(slot, 200, 2000)
  assert.equal(a.latency(slot), 1100)
  assert.equal(a.fadedLatency(slot), 1100)
  t.mock.timers.setTime(1_010_000)
  b.heartbeat(1, 0, 0, 0)
  assert.equal(a.latency(slot), 1100)
  assert.ok(Math.abs(a.fadedLatency(slot) - 1100 / Math.E) < 1)
  a.backendFinished(slot, 200, 500)
  assert.equal(a.latency(slot), 1100 - 600 / 3)
})

test('retries in flight stay within the budget', () => {
  assert.ok(a.retryBegin(0, 1))
  assert.equal(b.retryBegin(0, 1), false)
  assert.ok(b.retryBegin(0, 2))
  assert.equal(b.retryBegin(0, 2), false)
  a.retryEnd(0)
  assert.ok(b.retryBegin(0, 2))
  b.retried(0, retryReasons.indexOf('reset'))
  assert.deepEqual(owner.poolTotals(0), {
    retriesActive: 2,
    retries: { connect: 0, reset: 1, stale: 0, status: 0 },
  })
})

test('connections of one address are limited over all workers; a full set allows more addresses uncounted', () => {
  assert.ok(a.ipConnectionOpened(1, 8192, 2) && b.ipConnectionOpened(1, 8192, 2))
  assert.equal(a.ipConnectionOpened(1, 8192, 2), false)
  assert.ok(a.ipConnectionOpened(2, 8192, 2))
  b.ipConnectionClosed(1, 8192)
  assert.ok(a.ipConnectionOpened(1, 8192, 2))
  for (let i = 10; i < 10 + ways * 2; i++) assert.ok(a.ipConnectionOpened(i, 8192, 1))
  assert.equal(a.ipConnectionOpened(10, 8192, 1), false)
  assert.ok(a.ipConnectionOpened(25, 8192, 1))
  for (let i = 10; i < 10 + ways * 2; i++) a.ipConnectionClosed(i, 8192)
  assert.ok(a.ipConnectionOpened(50, 8192, 1))
  assert.equal(a.ipConnectionOpened(50, 8192, 1), false)
})

test('a closed connection of an address is not given back a second time', () => {
  assert.ok(a.ipConnectionOpened(1, 1, 2) && b.ipConnectionOpened(1, 1, 2))
  a.ipConnectionClosed(1, 1)
  a.ipConnectionClosed(1, 1)
  owner.reclaimWorker(0)
  assert.ok(b.ipConnectionOpened(1, 1, 2))
  assert.equal(b.ipConnectionOpened(1, 1, 2), false)
})

test('a new address that a worker died over is finished by the next; what it left of others is cleaned up', () => {
  const places = new Memory(createSharedState({ workers: 2, slots: 1, addressSets: 2 }))
  const state = new WorkerState(places.buffer, 0)
  const entry = places.base64('address') + regions.address.rowBytes / 8
  assert.ok(state.ipConnectionOpened(5, 1, 1))
  const [lower, upper] = places.i32.subarray(2 * entry, 2 * entry + 2)
  const leave = (way: number, hi: number): void => {
    places.i32[2 * (entry + way)] = lower! - 1
    places.i32[2 * (entry + way) + 1] = (upper! + hi) | 0x80000000
  }
  leave(1, 1)
  leave(2, 1)
  leave(3, 0)
  leave(4, 9)
  assert.deepEqual([state.ipConnectionOpened(6, 1, 1), state.ipConnectionOpened(6, 1, 1)], [true, false])
  assert.equal(state.ipConnectionOpened(5, 1, 1), false, 'who was there is not disturbed')
  new OwnerState(places.buffer).reclaimWorker(1)
  const uppers = Array.from({ length: ways }, (_, way) => places.i32[2 * (entry + way) + 1]!)
  assert.equal(uppers.filter((half) => half !== 0).length, 2)
  assert.ok(uppers.every((half) => half >= 0))
})

test('requests of a key are counted over all workers, apart from connections of an address', () => {
  assert.ok(a.concurrencyEnter(3, 3, 2) && b.concurrencyEnter(3, 3, 2))
  assert.equal(a.concurrencyEnter(3, 3, 2), false)
  assert.ok(a.ipConnectionOpened(3, 3, 1) && a.concurrencyEnter(4, 3, 1))
  b.concurrencyLeave(3, 3)
  assert.ok(a.concurrencyEnter(3, 3, 2))
  owner.reclaimWorker(0)
  assert.ok(b.concurrencyEnter(3, 3, 1) && b.concurrencyEnter(4, 3, 1), 'those of a dead worker are given back')
  assert.equal(b.concurrencyEnter(3, 3, 1), false)
})

test('the clock of a worker is that of the memory, in microseconds', () => {
  const before = monotonicUs()
  const passedUs = b.nowUs() - a.nowUs()
  const rangeUs = monotonicUs() - before
  assert.ok(passedUs > -100 && passedUs < rangeUs + 100, `${passedUs} of ${rangeUs}`)
  assert.ok(a.nowUs() > 0 && a.nowUs() < 60e6)
})

test('what a dead worker held is given back, what it had counted stays', () => {
  const slot = owner.claimSlot()
  for (const state of [a, a, b]) {
    assert.ok(state.enter(slot, 0) && state.connectionOpened(0, 0) && state.ipConnectionOpened(3, 3, 9))
    state.requestStarted(0)
    state.backendIdle(slot, 1)
    assert.ok(state.retryBegin(1, 9))
    state.backendFinished(slot, 200, 10)
  }
  owner.reclaimWorker(0)
  const seen = (): number[] => {
    const { active, idle } = owner.backendTotals(slot)
    const listener = owner.listenerTotals(0)
    const pool = owner.poolTotals(1)
    return [active, idle, listener.active, listener.requestsActive, pool.retriesActive]
  }
  assert.deepEqual(seen(), [1, 1, 1, 1, 1])
  assert.equal(b.ipConnectionOpened(3, 3, 2), true)
  assert.equal(b.ipConnectionOpened(3, 3, 2), false)
  assert.equal(owner.backendTotals(slot).requests[2], 3)
  assert.equal(owner.listenerTotals(0).connections, 3)
  owner.reclaimWorker(0)
  assert.deepEqual(seen(), [1, 1, 1, 1, 1])
  // Its successor goes on in the same lane.
  const successor = new WorkerState(owner.buffer, 0)
  successor.enter(slot, 0)
  owner.reclaimWorker(1)
  assert.equal(owner.active(slot), 1)
  successor.leave(slot)
  assert.equal(owner.active(slot), 0)
})

test('slots are claimed, freed with their counts, claimed again; too many are refused', () => {
  const slots = [0, 1, 2, 3].map(() => owner.claimSlot())
  assert.deepEqual(slots, [0, 1, 2, 3])
  assert.throws(() => owner.claimSlot(), RangeError)
  a.enter(2, 0)
  assert.throws(() => owner.freeSlot(2), /in use/)
  a.leave(2)
  a.backendFinished(2, 200, 10)
  owner.setFlag(2, Flag.DISABLED)
  owner.freeSlot(2)
  assert.equal(a.isAvailable(2), false)
  assert.equal(new OwnerState(owner.buffer).claimSlot(), 2)
  assert.equal(owner.flags(2), 0)
  assert.deepEqual(owner.backendTotals(2).requests, [0, 0, 0, 0, 0, 0])
  assert.equal(owner.latency(2), 0)
})

test('a heartbeat is seen by the owner', () => {
  a.heartbeat(1234, 0.5, 7, 2.5)
  assert.deepEqual(owner.workerRow(0), { heartbeatMs: 1234, eluRatio: 0.5, openConnections: 7, loopLagMs: 2.5 })
  assert.equal(owner.workerRow(1).heartbeatMs, 0)
})

test('names have their own index', () => {
  for (const [i, name] of methodNames.entries()) assert.equal(methodIndex(name), i)
  assert.equal(methodIndex('get'), methodNames.length - 1)
  assert.equal(new Set(rejectReasons).size, rejectReasons.length)
})

test('foreign memory and lanes that do not exist are refused', () => {
  assert.throws(() => new OwnerState(new SharedArrayBuffer(4096)), /another version/)
  assert.throws(() => new WorkerState(owner.buffer, 2), RangeError)
  assert.throws(() => createSharedState({ workers: 1.5 }), RangeError)
  assert.doesNotThrow(() => new WorkerState(createSharedState({ workers: 0, slots: 1 }), 0))
})
