// What a data-plane worker writes: counters shared with the others, and a lane of its own.
// Every method costs nanoseconds: cells are reached by adding up offsets, nothing is allocated.
//
// A shared count is changed first and the worker's share of it right after, with no call and no loop between the two:
// a thread that is terminated stops only at calls and loops, so the share that is given back is what it held.
import type { Cursor, Slot } from '../core/spec.ts'
import { bucketIndex } from './histogram.ts'
import { KeyCounts } from './key-counts.ts'
import { regions } from './layout.ts'
import {
  type CacheResult,
  type HandshakeError,
  handshakeErrors,
  type MirrorResult,
  type RejectReason,
  rejectReasons,
  type StoreRefusal,
} from './names.ts'
import { type RateQuestion, RateTable } from './rate-table.ts'
import { sharedClock } from './shared-clock.ts'
import { poolRow32, StateReader, slotRow32, slotRow64 } from './state-reader.ts'
import { TrafficLane } from './traffic-lane.ts'

export { methodIndex, methodNames, type RejectReason, rejectReasons, retryReasons } from './names.ts'

const slotActive = regions.slot.at.active
const slotLatency = regions.slot.at.latency
const slotLatencyAt = regions.slot.at.latencyAt
const slotShareRow = regions.slotShare.rowBytes / 4
const shareActive = regions.slotShare.at.active
const shareIdle = regions.slotShare.at.idle
const poolRetries = regions.pool.at.retries
const poolShareRow = regions.poolShare.rowBytes / 4
const poolShareRetries = regions.poolShare.at.retries
const listenerRow32 = regions.listener.rowBytes / 4
const listenerActive = regions.listener.at.active
const listenerShareRow = regions.listenerShare.rowBytes / 4
const listenerShareActive = regions.listenerShare.at.active
const listenerShareRequests = regions.listenerShare.at.requests
const slotLaneRow = regions.slotLane.rowBytes / 8
const slotLane = regions.slotLane.at
const poolLaneRow = regions.poolLane.rowBytes / 8
const poolLane = regions.poolLane.at
const listenerLaneRow = regions.listenerLane.rowBytes / 8
const listenerLane = regions.listenerLane.at
const worker = regions.worker.at
const clockAt = regions.header.at.clock

/** Weight of a new observation in the moving average of latency. */
const latencyGain = 0.1
/** After so much silence the old average counts for nothing. */
const latencyMemoryMs = 30_000

export class WorkerState extends StateReader {
  readonly workerId: number
  /** Microseconds on a clock that all workers share and nobody sets. */
  readonly nowUs: () => number
  private readonly listenerBase: number
  private readonly slotShareBase: number
  private readonly poolShareBase: number
  private readonly listenerShareBase: number
  private readonly slotLaneBase: number
  private readonly poolLaneBase: number
  private readonly listenerLaneBase: number
  private readonly workerBase64: number
  private readonly addresses: KeyCounts
  private readonly concurrency: KeyCounts
  private readonly rates: RateTable
  private readonly traffic: TrafficLane

  /** @throws RangeError if the buffer has no lane for this worker. */
  constructor(buffer: SharedArrayBuffer, workerId: number) {
    super(buffer)
    const { memory } = this
    memory.checkWorker(workerId)
    this.workerId = workerId
    this.listenerBase = memory.base32('listener')
    this.slotShareBase = memory.base32('slotShare', workerId)
    this.poolShareBase = memory.base32('poolShare', workerId)
    this.listenerShareBase = memory.base32('listenerShare', workerId)
    this.slotLaneBase = memory.base64('slotLane', workerId)
    this.poolLaneBase = memory.base64('poolLane', workerId)
    this.listenerLaneBase = memory.base64('listenerLane', workerId)
    this.workerBase64 = memory.base64('worker') + (workerId * regions.worker.rowBytes) / 8
    this.addresses = new KeyCounts(memory, 'address', workerId)
    this.concurrency = new KeyCounts(memory, 'concurrency', workerId)
    this.rates = new RateTable(memory)
    this.nowUs = sharedClock(this.f64[regions.header.at.startUs]!)
    this.traffic = new TrafficLane(memory, workerId)
  }

  // Backends

  /** Takes one place at a backend; false = it has `max` already (0 = no limit), nothing taken. Exact over all workers. */
  enter(slot: Slot, max: number): boolean {
    const cell = this.slotBase + slot * slotRow32 + slotActive
    const share = this.slotShareBase + slot * slotShareRow + shareActive
    if (max === 0) {
      Atomics.add(this.i32, cell, 1)
      this.i32[share]!++
      return true
    }
    for (;;) {
      const active = Atomics.load(this.i32, cell)
      if (active >= max) return false
      // Fails only because another worker's change went through.
      if (Atomics.compareExchange(this.i32, cell, active, active + 1) !== active) continue
      this.i32[share]!++
      return true
    }
  }

  /** Gives back the place that `enter` took. */
  leave(slot: Slot): void {
    Atomics.sub(this.i32, this.slotBase + slot * slotRow32 + slotActive, 1)
    this.i32[this.slotShareBase + slot * slotShareRow + shareActive]!--
  }

  /** A connection to a backend stands; `durationUs` since it was begun. */
  backendConnected(slot: Slot, durationUs: number): void {
    const row = this.slotLaneBase + slot * slotLaneRow
    this.f64[row + slotLane.connects]!++
    this.f64[row + slotLane.connectSum]! += durationUs
    this.f64[row + slotLane.connect + bucketIndex(durationUs)]!++
  }

  /** A connection to a backend could not be made. */
  backendConnectFailed(slot: Slot): void {
    this.f64[this.slotLaneBase + slot * slotLaneRow + slotLane.connectFailures]!++
  }

  /**
   * An exchange with a backend ended. `status` is that of its answer, 0 if it broke off; `durationUs` is from the
   * request sent to the first byte of the answer, and is not looked at when `status` is 0.
   */
  backendFinished(slot: Slot, status: number, durationUs: number): void {
    const row = this.slotLaneBase + slot * slotLaneRow
    if (status === 0) {
      this.f64[row + slotLane.requests]!++
      return
    }
    this.f64[
      row + slotLane.requests + (status < 200 ? 1 : status < 300 ? 2 : status < 400 ? 3 : status < 500 ? 4 : 5)
    ]!++
    this.f64[row + slotLane.durationSum]! += durationUs
    this.f64[row + slotLane.duration + bucketIndex(durationUs)]!++
    this.observeLatency(slot, durationUs)
  }

  /** Idle connections kept to a backend became more or fewer. */
  backendIdle(slot: Slot, delta: number): void {
    this.i32[this.slotShareBase + slot * slotShareRow + shareIdle]! += delta
  }

  // Listeners

  /** Counts a client connection; false = the listener has `max` already (0 = no limit), nothing counted. Exact. */
  connectionOpened(row: number, max: number): boolean {
    const cell = this.listenerBase + row * listenerRow32 + listenerActive
    for (;;) {
      const active = Atomics.load(this.i32, cell)
      if (max !== 0 && active >= max) return false
      if (Atomics.compareExchange(this.i32, cell, active, active + 1) !== active) continue
      this.i32[this.listenerShareBase + row * listenerShareRow + listenerShareActive]!++
      this.f64[this.listenerLaneBase + row * listenerLaneRow + listenerLane.connections]!++
      return true
    }
  }

  /** A connection that `connectionOpened` counted is gone. */
  connectionClosed(row: number): void {
    Atomics.sub(this.i32, this.listenerBase + row * listenerRow32 + listenerActive, 1)
    this.i32[this.listenerShareBase + row * listenerShareRow + listenerShareActive]!--
  }

  /** A connection was turned away. */
  connectionRejected(row: number, reason: RejectReason): void {
    this.f64[this.listenerLaneBase + row * listenerLaneRow + listenerLane.rejected + rejectReasons.indexOf(reason)]!++
  }

  /** A TLS handshake with a client came to its end. `version`: index into tlsVersions. */
  tlsHandshake(row: number, version: number, resumed: boolean): void {
    this.f64[
      this.listenerLaneBase + row * listenerLaneRow + listenerLane.handshakes + version * 2 + (resumed ? 1 : 0)
    ]!++
  }

  /** A TLS handshake with a client failed. */
  tlsHandshakeFailed(row: number, reason: HandshakeError): void {
    this.f64[
      this.listenerLaneBase + row * listenerLaneRow + listenerLane.handshakeErrors + handshakeErrors.indexOf(reason)
    ]!++
  }

  /**
   * Counts a connection of a client address (64-bit hash); false = it has `max` already, nothing counted.
   * Exact over all workers while the table has room for the address; without room it is allowed, uncounted.
   */
  ipConnectionOpened(hi: number, lo: number, max: number): boolean {
    return this.addresses.opened(hi, lo, max)
  }

  /** A connection that `ipConnectionOpened` allowed in this worker is gone. */
  ipConnectionClosed(hi: number, lo: number): void {
    this.addresses.closed(hi, lo)
  }

  bytesReceived(row: number, n: number): void {
    this.f64[this.listenerLaneBase + row * listenerLaneRow + listenerLane.bytesReceived]! += n
  }

  bytesSent(row: number, n: number): void {
    this.f64[this.listenerLaneBase + row * listenerLaneRow + listenerLane.bytesSent]! += n
  }

  // Requests. `trafficRow` is that of the route at the listener, see RouteSpec.rows.

  /** A request head has been read. */
  requestStarted(listenerRow: number): void {
    this.i32[this.listenerShareBase + listenerRow * listenerShareRow + listenerShareRequests]!++
  }

  /** Its exchange ended: `method` as from `methodIndex`, `status` as the client saw it (0 = none), whole duration. */
  requestFinished(listenerRow: number, trafficRow: number, method: number, status: number, durationUs: number): void {
    this.i32[this.listenerShareBase + listenerRow * listenerShareRow + listenerShareRequests]!--
    this.traffic.finished(trafficRow, method, status, durationUs)
  }

  /** An exchange failed; `errorIndex` into `errorNames` of core/errors.ts. */
  requestError(trafficRow: number, errorIndex: number): void {
    this.traffic.error(trafficRow, errorIndex)
  }

  /** A request was refused by a limit of its route. */
  rateLimited(trafficRow: number): void {
    this.traffic.rateLimited(trafficRow)
  }

  /** A copy for the mirror of a route came to its end. */
  mirrored(trafficRow: number, result: MirrorResult): void {
    this.traffic.mirrored(trafficRow, result)
  }

  /** What the cache made of a request of a route that caches: once for each of them. */
  cacheRequest(trafficRow: number, result: CacheResult): void {
    this.traffic.cacheRequest(trafficRow, result)
  }

  /** A backend's answer to a request of a route that caches was not stored: once for each of them. */
  notStored(trafficRow: number, refusal: StoreRefusal): void {
    this.traffic.notStored(trafficRow, refusal)
  }

  // Limits of routes, by a 64-bit hash of limit and key. Exact over all workers while the tables have room.

  /** As `RateTable.take`: how long until the key has its full credit again; negative: refused, how long it has to wait. */
  rateTake(hi: number, lo: number, question: RateQuestion): number {
    return this.rates.take(hi, lo, question)
  }

  /** How long it takes from `nowUs` on until the key has its full credit. */
  rateDebt(hi: number, lo: number, nowUs: number): number {
    return this.rates.debt(hi, lo, nowUs)
  }

  /** Takes back one request that `rateTake` let through. */
  rateGiveBack(hi: number, lo: number, intervalUs: number): void {
    this.rates.giveBack(hi, lo, intervalUs)
  }

  /** Counts a request of a key; false = `max` are in flight, nothing counted. Without room it is allowed, uncounted. */
  concurrencyEnter(hi: number, lo: number, max: number): boolean {
    return this.concurrency.opened(hi, lo, max)
  }

  /** A request that `concurrencyEnter` allowed in this worker has ended. */
  concurrencyLeave(hi: number, lo: number): void {
    this.concurrency.closed(hi, lo)
  }

  // Pools

  /** Counts a retry; `reason` as index into `retryReasons`. */
  retried(cursor: Cursor, reason: number): void {
    this.f64[this.poolLaneBase + cursor * poolLaneRow + poolLane.retries + reason]!++
  }

  /** True and counted if fewer than `allowed` retries of the pool are in flight. Exact over all workers. */
  retryBegin(cursor: Cursor, allowed: number): boolean {
    const cell = this.poolBase + cursor * poolRow32 + poolRetries
    for (;;) {
      const retries = Atomics.load(this.i32, cell)
      if (retries >= allowed) return false
      if (Atomics.compareExchange(this.i32, cell, retries, retries + 1) !== retries) continue
      this.i32[this.poolShareBase + cursor * poolShareRow + poolShareRetries]!++
      return true
    }
  }

  /** The retry that `retryBegin` allowed has ended. */
  retryEnd(cursor: Cursor): void {
    Atomics.sub(this.i32, this.poolBase + cursor * poolRow32 + poolRetries, 1)
    this.i32[this.poolShareBase + cursor * poolShareRow + poolShareRetries]!--
  }

  /** Says that the worker lives. `nowMs` and `loopLagMs` in milliseconds, `eluRatio` 0–1. Call it about once a second. */
  heartbeat(nowMs: number, eluRatio: number, openConnections: number, loopLagMs: number): void {
    this.f64[this.workerBase64 + worker.eluRatio] = eluRatio
    this.f64[this.workerBase64 + worker.openConnections] = openConnections
    this.f64[this.workerBase64 + worker.loopLagMs] = loopLagMs
    this.f64[this.workerBase64 + worker.heartbeatMs] = nowMs
    // Not `nowMs`: that may count from the start of a thread, and this clock is everybody's.
    this.f64[clockAt] = Date.now()
  }

  /**
   * How long a backend took, for the strategy that looks at time; `backendFinished` says so by itself. Two workers may
   * write at once and one observation be lost: an average can bear it.
   */
  observeLatency(slot: Slot, us: number): void {
    const row = this.slotBase64 + slot * slotRow64
    const clock = this.f64[clockAt]!
    const old = this.f64[row + slotLatency]!
    const silentMs = clock - this.f64[row + slotLatencyAt]!
    const gain = silentMs > 1000 ? Math.min(1, Math.max(latencyGain, silentMs / latencyMemoryMs)) : latencyGain
    this.f64[row + slotLatency] = old === 0 ? us : old + (us - old) * gain
    if (silentMs !== 0) this.f64[row + slotLatencyAt] = clock
  }
}
