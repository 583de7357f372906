// What the main thread does with shared memory: claims slots, sets flags, sums lanes, gives back what a dead worker held.
import type { Cursor, Slot } from '../core/spec.ts'
import { AffinityTable } from './affinity-table.ts'
import { Flag, type FlagBits } from './flags.ts'
import { bucketCount } from './histogram.ts'
import { KeyCounts } from './key-counts.ts'
import { type RegionName, regions, type Sizes } from './layout.ts'
import {
  type HandshakeError,
  handshakeErrors,
  type RejectReason,
  type RetryReason,
  rejectReasons,
  retryReasons,
  tlsVersions,
} from './names.ts'
import { RateTable } from './rate-table.ts'
import { poolRow32, StateReader, slotRow32 } from './state-reader.ts'
import { type HistogramTotals, histogramOf, type TrafficTotals, trafficSince, trafficTotals } from './traffic-totals.ts'

export { Flag, type FlagBits } from './flags.ts'
export type { HistogramTotals, RequestTotal, TrafficTotals } from './traffic-totals.ts'

const trafficRow32 = regions.traffic.rowBytes / 4

export interface BackendTotals {
  readonly flags: FlagBits
  readonly active: number
  readonly idle: number
  /** Moving average of send to first byte; 0 = no data. */
  readonly latencyUs: number
  /** Answers by class: [broken, 1xx, 2xx, 3xx, 4xx, 5xx]. */
  readonly requests: readonly number[]
  readonly connects: number
  readonly connectFailures: number
  /** Send to first byte. */
  readonly duration: HistogramTotals
  readonly connect: HistogramTotals
}

/** What is counted of a listener apart from its routes. */
export interface ConnectionTotals {
  /** Open now. */
  readonly active: number
  /** Requests in flight now. */
  readonly requestsActive: number
  readonly connections: number
  readonly rejected: Readonly<Record<RejectReason, number>>
  /** TLS handshakes that came to their end; a version and kind that did not occur has 0. */
  readonly handshakes: readonly { readonly version: string; readonly resumed: boolean; readonly count: number }[]
  readonly handshakeErrors: Readonly<Record<HandshakeError, number>>
  readonly bytesReceived: number
  readonly bytesSent: number
}

/** With the sums of all routes. */
export interface ListenerTotals extends ConnectionTotals, TrafficTotals {}

export interface PoolTotals {
  readonly retriesActive: number
  readonly retries: Readonly<Record<RetryReason, number>>
}

export interface WorkerRow {
  readonly heartbeatMs: number
  readonly eluRatio: number
  readonly openConnections: number
  readonly loopLagMs: number
}

export class OwnerState extends StateReader {
  private readonly affinity: AffinityTable
  private readonly headerAt = regions.header.at
  /** What stood in a row when its pair of today took it over. */
  private readonly trafficBefore = new Map<number, TrafficTotals>()

  constructor(buffer: SharedArrayBuffer) {
    super(buffer)
    this.affinity = new AffinityTable(buffer, 0)
  }

  /** How much there is room for. */
  get sizes(): Sizes {
    return this.memory.sizes
  }

  /** Number of worker lanes that were ever used. */
  get workers(): number {
    return this.memory.lanesUsed
  }

  /** From now on this lane has a worker, and counts. @throws RangeError if there is none of that number. */
  useLane(workerId: number): void {
    this.memory.checkWorker(workerId)
    const { lanesUsed } = this.headerAt
    if (workerId >= this.i32[lanesUsed]!) Atomics.store(this.i32, lanesUsed, workerId + 1)
  }

  /** A slot for a new backend, without flags, every count 0. @throws RangeError when all are taken. */
  claimSlot(): Slot {
    const high = this.i32[this.headerAt.slotHigh]!
    const { claimed } = regions.slot.at
    let slot = 0
    while (slot < high && this.i32[this.slotBase + slot * slotRow32 + claimed] === 1) slot++
    if (slot >= this.memory.sizes.slots) throw new RangeError(`all ${this.memory.sizes.slots} backend slots are taken`)
    if (slot === high) this.i32[this.headerAt.slotHigh] = high + 1
    this.i32[this.slotBase + slot * slotRow32 + claimed] = 1
    this.clearFlag(slot, -1)
    return slot
  }

  /**
   * Gives a slot up, with its totals. Only when no worker's snapshot names it any more and nothing is in flight.
   * @throws Error if something is.
   */
  freeSlot(slot: Slot): void {
    const row = this.slotBase + slot * slotRow32
    if (this.active(slot) !== 0) throw new Error(`slot ${slot} is in use by ${this.active(slot)} exchanges`)
    this.setFlag(slot, Flag.REMOVED)
    this.affinity.forget(slot)
    for (let worker = 0; worker < this.workers; worker++) {
      this.zero(this.memory.base32('slotShare', worker), 'slotShare', slot)
      this.zero(this.memory.base32('slotLane', worker), 'slotLane', slot)
    }
    this.zero(this.slotBase, 'slot', slot)
    Atomics.store(this.i32, row + regions.slot.at.flags, Flag.REMOVED)
  }

  /** Sets one or several flags; true if any was not set before. */
  setFlag(slot: Slot, flag: FlagBits): boolean {
    const before = Atomics.or(this.i32, this.slotBase + slot * slotRow32 + regions.slot.at.flags, flag)
    return this.flipped((before & flag) !== flag)
  }

  /** Clears one or several flags; true if any was set before. */
  clearFlag(slot: Slot, flag: FlagBits): boolean {
    const before = Atomics.and(this.i32, this.slotBase + slot * slotRow32 + regions.slot.at.flags, ~flag)
    return this.flipped((before & flag) !== 0)
  }

  /** Gives back all that a worker held when it died: places, connections, requests, retries, idle connections, locks. */
  reclaimWorker(workerId: number): void {
    this.memory.checkWorker(workerId)
    const { slot, pool, listener } = regions
    const give = (share: RegionName, shareAt: number, to: RegionName | null, toAt: number): void =>
      this.giveBack(workerId, { share, shareAt, to, toAt })
    give('slotShare', regions.slotShare.at.active, 'slot', slot.at.active)
    give('slotShare', regions.slotShare.at.idle, null, 0)
    give('poolShare', regions.poolShare.at.retries, 'pool', pool.at.retries)
    give('listenerShare', regions.listenerShare.at.active, 'listener', listener.at.active)
    give('listenerShare', regions.listenerShare.at.requests, null, 0)
    const { at, rowBytes } = regions.worker
    this.f64[this.memory.base64('worker') + (workerId * rowBytes) / 8 + at.openConnections] = 0
    new AffinityTable(this.buffer, workerId).reclaim()
    new KeyCounts(this.memory, 'address', workerId).reclaim()
    new KeyCounts(this.memory, 'concurrency', workerId).reclaim()
    new RateTable(this.memory).reclaim()
  }

  /** Everything counted for a backend, over all workers that ever ran. */
  backendTotals(slot: Slot): BackendTotals {
    const { at } = regions.slotLane
    const sum = (field: number): number => this.sum64('slotLane', slot, field)
    return {
      flags: this.flags(slot),
      active: this.active(slot),
      idle: this.sum32('slotShare', slot, regions.slotShare.at.idle),
      latencyUs: this.latency(slot),
      requests: Array.from({ length: 6 }, (_, i) => sum(at.requests + i)),
      connects: sum(at.connects),
      connectFailures: sum(at.connectFailures),
      duration: this.histogram('slotLane', slot, at.duration, at.durationSum),
      connect: this.histogram('slotLane', slot, at.connect, at.connectSum),
    }
  }

  /** Everything counted for a listener: its connections, and the requests of all its routes. */
  listenerTotals(row: number): ListenerTotals {
    const { listeners } = this.sizes
    const rows = [row, listeners + row]
    const first = this.memory.base32('traffic')
    for (let i = 2 * listeners; i < regions.traffic.rows(this.sizes); i++)
      if (this.i32[first + i * trafficRow32] === row + 1) rows.push(i)
    return { ...this.connectionTotals(row), ...trafficTotals(this.memory, rows) }
  }

  /** A connection or request is still counted there. */
  isListenerBusy(row: number): boolean {
    const { active, requestsActive } = this.connectionTotals(row)
    return active !== 0 || requestsActive !== 0
  }

  /**
   * Gives up the row of a listener that has gone, with all that was counted there. Only when nothing listens and nothing is
   * counted there any more. Returns the rows of traffic counters that were its routes': nobody's from now on.
   */
  freeListener(row: number): number[] {
    const { listeners } = this.sizes
    const first = this.memory.base32('traffic')
    const freed: number[] = []
    for (let i = 2 * listeners; i < regions.traffic.rows(this.sizes); i++) {
      if (this.i32[first + i * trafficRow32] === row + 1) freed.push(i)
    }
    for (let worker = 0; worker < this.workers; worker++) {
      this.zero(this.memory.base32('listenerLane', worker), 'listenerLane', row)
      const lane = this.memory.base32('trafficLane', worker)
      for (const traffic of [row, listeners + row, ...freed]) this.zero(lane, 'trafficLane', traffic)
    }
    for (const traffic of freed) {
      this.i32[first + traffic * trafficRow32] = 0
      this.trafficBefore.delete(traffic)
    }
    return freed
  }

  /** Gives a row of traffic counters to a pair of listener and route; it begins at 0 again. See TrafficRows. */
  claimTraffic(row: number, listener: number): void {
    const cell = this.memory.base32('traffic') + row * trafficRow32
    // Nothing is zeroed: that would be a second writer of what a worker may just be counting up.
    if (this.i32[cell] !== 0) this.trafficBefore.set(row, trafficTotals(this.memory, [row]))
    this.i32[cell] = listener + 1
  }

  /** Everything counted in a row of traffic counters since it was claimed. */
  trafficTotals(row: number): TrafficTotals {
    const totals = trafficTotals(this.memory, [row])
    const before = this.trafficBefore.get(row)
    return before === undefined ? totals : trafficSince(totals, before)
  }

  /** What is counted of a listener apart from its routes. */
  connectionTotals(row: number): ConnectionTotals {
    const { at } = regions.listenerLane
    const sum = (field: number): number => this.sum64('listenerLane', row, field)
    const cell = this.memory.base32('listener') + (row * regions.listener.rowBytes) / 4 + regions.listener.at.active
    return {
      active: Atomics.load(this.i32, cell),
      requestsActive: this.sum32('listenerShare', row, regions.listenerShare.at.requests),
      connections: sum(at.connections),
      rejected: record(rejectReasons, (i) => sum(at.rejected + i)),
      handshakes: tlsVersions.flatMap((version, i) => [
        { version, resumed: false, count: sum(at.handshakes + 2 * i) },
        { version, resumed: true, count: sum(at.handshakes + 2 * i + 1) },
      ]),
      handshakeErrors: record(handshakeErrors, (i) => sum(at.handshakeErrors + i)),
      bytesReceived: sum(at.bytesReceived),
      bytesSent: sum(at.bytesSent),
    }
  }

  /** Everything counted for a pool. */
  poolTotals(cursor: Cursor): PoolTotals {
    const row = this.poolBase + cursor * poolRow32
    return {
      retriesActive: Atomics.load(this.i32, row + regions.pool.at.retries),
      retries: record(retryReasons, (i) => this.sum64('poolLane', cursor, regions.poolLane.at.retries + i)),
    }
  }

  /** What a worker said last; all 0 before its first heartbeat. */
  workerRow(id: number): WorkerRow {
    this.memory.checkWorker(id)
    const { at, rowBytes } = regions.worker
    const row = this.memory.base64('worker') + (id * rowBytes) / 8
    return {
      heartbeatMs: this.f64[row + at.heartbeatMs]!,
      eluRatio: this.f64[row + at.eluRatio]!,
      openConnections: this.f64[row + at.openConnections]!,
      loopLagMs: this.f64[row + at.loopLagMs]!,
    }
  }

  private flipped(changed: boolean): boolean {
    if (changed) Atomics.add(this.i32, this.headerAt.epoch, 1)
    return changed
  }

  private zero(base32: number, name: RegionName, row: number): void {
    const cells = regions[name].rowBytes / 4
    this.i32.fill(0, base32 + row * cells, base32 + (row + 1) * cells)
  }

  private giveBack(
    worker: number,
    o: { share: RegionName; shareAt: number; to: RegionName | null; toAt: number },
  ): void {
    const { rows, rowBytes } = regions[o.share]
    const base = this.memory.base32(o.share, worker) + o.shareAt
    for (let row = 0; row < rows(this.memory.sizes); row++) {
      const held = Atomics.exchange(this.i32, base + (row * rowBytes) / 4, 0)
      if (held === 0 || o.to === null) continue
      Atomics.sub(this.i32, this.memory.base32(o.to) + (row * regions[o.to].rowBytes) / 4 + o.toAt, held)
    }
  }

  private sum32(name: RegionName, row: number, field: number): number {
    const cell = (row * regions[name].rowBytes) / 4 + field
    let sum = 0
    for (let worker = 0; worker < this.workers; worker++) sum += this.i32[this.memory.base32(name, worker) + cell]!
    return sum
  }

  private sum64(name: RegionName, row: number, field: number): number {
    const cell = (row * regions[name].rowBytes) / 8 + field
    let sum = 0
    for (let worker = 0; worker < this.workers; worker++) sum += this.f64[this.memory.base64(name, worker) + cell]!
    return sum
  }

  private histogram(name: RegionName, row: number, field: number, sumField: number): HistogramTotals {
    const counts = Array.from({ length: bucketCount }, (_, i) => this.sum64(name, row, field + i))
    return histogramOf(counts, this.sum64(name, row, sumField))
  }
}

function record<K extends string>(names: readonly K[], value: (index: number) => number): Record<K, number> {
  return Object.fromEntries(names.map((name, i) => [name, value(i)])) as Record<K, number>
}
