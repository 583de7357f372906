// The one table from which every offset in shared memory is computed, and from which its documentation is generated.
import { errorNames } from '../core/errors.ts'
import { bucketCount } from './histogram.ts'
import {
  cacheResults,
  handshakeErrors,
  methodNames,
  mirrorResults,
  rejectReasons,
  retryReasons,
  storeRefusals,
  tlsVersions,
} from './names.ts'

/** Sizes fixed when the memory is created; they stand in its header. */
export interface Sizes {
  readonly slots: number
  readonly pools: number
  readonly listeners: number
  /** Rows of traffic counters for pairs of listener and route, besides two for each listener. */
  readonly traffic: number
  /** Lanes: more than there are workers, where more may come. */
  readonly workers: number
  readonly affinityTables: number
  /** Sets of each affinity table, a power of two. */
  readonly affinitySets: number
  /** Sets of the table of client addresses, a power of two. */
  readonly addressSets: number
  /** Sets of the table of concurrency limits, a power of two. */
  readonly concurrencySets: number
  /** Sets of the table of rate limits, a power of two. */
  readonly rateSets: number
}

export interface Field {
  readonly type: 'i32' | 'i64' | 'f64'
  readonly cells: number
  readonly doc: string
}

export interface Region<F extends string = string> {
  readonly doc: string
  readonly rows: (sizes: Sizes) => number
  /** Repeated for each worker, who alone writes it. */
  readonly perWorker: boolean
  readonly fields: Readonly<Record<F, Field>>
  /** First cell of each field within its row, counted in cells of the field's own type. */
  readonly at: Readonly<Record<F, number>>
  readonly rowBytes: number
}

interface RegionInput<F extends string> {
  doc: string
  rows: (sizes: Sizes) => number
  perWorker?: boolean
  /** Rows follow each other without padding to a cache line. */
  packed?: boolean
  fields: Record<F, Field>
}

const lineBytes = 64
const bytesOf = { i32: 4, i64: 8, f64: 8 } as const
const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to
const i32 = (doc: string, cells = 1): Field => ({ type: 'i32', cells, doc })
const i64 = (doc: string, cells = 1): Field => ({ type: 'i64', cells, doc })
const f64 = (doc: string, cells = 1): Field => ({ type: 'f64', cells, doc })
/** Fills the rest of the line, so that what follows is not slowed by writes to what precedes. */
const pad = (cells: number): Field => i32('padding', cells)

function region<F extends string>(input: RegionInput<F>): Region<F> {
  const at = {} as Record<F, number>
  let bytes = 0
  for (const name in input.fields) {
    const field = input.fields[name]
    const size = bytesOf[field.type]
    bytes = roundUp(bytes, size)
    at[name] = bytes / size
    bytes += size * field.cells
  }
  const rowBytes = roundUp(bytes, input.packed ? 8 : lineBytes)
  return { doc: input.doc, rows: input.rows, perWorker: input.perWorker ?? false, fields: input.fields, at, rowBytes }
}

/** Ways of a set: how many keys with the same place can be kept. */
export const ways = 8
/** Cells of an affinity entry: key hi, key lo, slot + 1 (0 = empty), expiry in seconds. */
export const affinityCells = 4
/** Combinations of method and status that are counted one by one in a row of traffic counters; a power of two. */
export const trafficEntries = 256

/** First the implicit route of each listener, then what has no row of its own there, then pairs as they are claimed. */
const trafficRows = (s: Sizes): number => 2 * s.listeners + s.traffic

const countTable = {
  fields: { entries: i64('from the top: 1 = not there yet, 1 = in use, 42 bits of the key, 20 of its count', ways) },
}
const countShare = { perWorker: true, packed: true, fields: { counts: i32('one per entry', ways) } }

export const regions = {
  header: region({
    doc: 'what this memory is',
    rows: () => 1,
    fields: {
      version: i32('layout version, checked on attach'),
      slots: i32('size'),
      pools: i32('size'),
      listeners: i32('size'),
      traffic: i32('size'),
      workers: i32('size'),
      affinityTables: i32('size'),
      affinitySets: i32('size'),
      addressSets: i32('size'),
      concurrencySets: i32('size'),
      rateSets: i32('size'),
      slotHigh: i32('slots at and above this were never claimed'),
      lanesUsed: i32('lanes at and above this never had a worker'),
      pad0: pad(3),
      epoch: i32('grows whenever an availability flag of any backend flips'),
      pad1: pad(15),
      clock: f64('coarse wall clock in ms, stored by every heartbeat'),
      startUs: f64('monotonic clock of the system when this memory was made'),
    },
  }),
  slot: region({
    doc: 'a backend, its hot row, written by all workers',
    rows: (s) => s.slots,
    fields: {
      flags: i32('availability bits, see flags.ts'),
      active: i32('exchanges or connections in flight, all workers'),
      claimed: i32('1 while a backend owns the slot'),
      pad0: pad(1),
      latency: f64('moving average of send to first byte, in µs; 0 = no data'),
      latencyAt: f64('clock of the last observation'),
    },
  }),
  pool: region({
    doc: 'a pool',
    rows: (s) => s.pools,
    fields: {
      ticket: i32('u32 counter that all workers draw from'),
      pad0: pad(15),
      retries: i32('retries in flight, all workers'),
    },
  }),
  listener: region({
    doc: 'a listener',
    rows: (s) => s.listeners,
    fields: { active: i32('open client connections, all workers') },
  }),
  worker: region({
    doc: 'a worker: written by itself alone',
    rows: (s) => s.workers,
    fields: {
      affinityLock: i32('set of the affinity tables it may hold the lock of, + 1'),
      heartbeatMs: f64('time of the last heartbeat'),
      eluRatio: f64('event loop utilisation, 0–1'),
      openConnections: f64('open client connections'),
      loopLagMs: f64('delay of the event loop'),
    },
  }),
  slotShare: region({
    doc: "a worker's share of a backend's gauges",
    rows: (s) => s.slots,
    perWorker: true,
    packed: true,
    fields: { active: i32('its part of slot.active'), idle: i32('idle connections it keeps') },
  }),
  poolShare: region({
    doc: "a worker's share of a pool's gauges",
    rows: (s) => s.pools,
    perWorker: true,
    packed: true,
    fields: { retries: i32('its part of pool.retries') },
  }),
  listenerShare: region({
    doc: "a worker's share of a listener's gauges",
    rows: (s) => s.listeners,
    perWorker: true,
    packed: true,
    fields: { active: i32('its part of listener.active'), requests: i32('requests in flight') },
  }),
  slotLane: region({
    doc: "a worker's totals for a backend",
    rows: (s) => s.slots,
    perWorker: true,
    fields: {
      requests: f64('answers by class: broken, 1xx … 5xx', 6),
      connects: f64('connections established'),
      connectFailures: f64('connections that failed'),
      durationSum: f64('µs, send to first byte'),
      duration: f64('histogram of the same', bucketCount),
      connectSum: f64('µs, connecting'),
      connect: f64('histogram of the same', bucketCount),
    },
  }),
  poolLane: region({
    doc: "a worker's totals for a pool",
    rows: (s) => s.pools,
    perWorker: true,
    fields: { retries: f64('by reason', retryReasons.length) },
  }),
  listenerLane: region({
    doc: "a worker's totals for a listener",
    rows: (s) => s.listeners,
    perWorker: true,
    fields: {
      connections: f64('accepted'),
      bytesReceived: f64('from clients'),
      bytesSent: f64('to clients'),
      rejected: f64('by reason', rejectReasons.length),
      handshakes: f64('TLS, by version: full, resumed', tlsVersions.length * 2),
      handshakeErrors: f64('by reason', handshakeErrors.length),
    },
  }),
  traffic: region({
    doc: 'a pair of listener and route',
    rows: trafficRows,
    packed: true,
    fields: { listener: i32('row of its listener + 1; 0 = never claimed') },
  }),
  trafficLane: region({
    doc: "a worker's totals for a pair of listener and route",
    rows: trafficRows,
    perWorker: true,
    fields: {
      keys: i32('methods and statuses that occurred: method × 1024 + status + 1, 0 = free; hashed', trafficEntries),
      requests: f64('by the same', trafficEntries),
      unlisted: f64('by method: requests that found no entry', methodNames.length),
      durationSum: f64('µs, whole exchange'),
      duration: f64('histogram of the same', bucketCount),
      rateLimited: f64('refused by a limit of the route'),
      mirrored: f64('copies for its mirror, by result', mirrorResults.length),
      cached: f64('what the cache made of requests, by result', cacheResults.length),
      notStored: f64('answers that the cache did not keep, by reason', storeRefusals.length),
      errors: f64('by name, see core/errors.ts', errorNames.length),
    },
  }),
  affinityLock: region({
    doc: 'locks of the affinity tables, one per set',
    rows: (s) => s.affinityTables * s.affinitySets,
    packed: true,
    fields: { holder: i32('worker + 1; 0 = free'), inserts: i32('bindings ever made here') },
  }),
  affinity: region({
    doc: 'affinity tables: key → slot',
    rows: (s) => s.affinityTables * s.affinitySets,
    fields: { entries: i32('hi, lo, slot + 1, expiry in s', ways * affinityCells) },
  }),
  address: region({ ...countTable, doc: 'connections of each client address', rows: (s) => s.addressSets }),
  addressShare: region({ ...countShare, doc: "a worker's share of the address counts", rows: (s) => s.addressSets }),
  concurrency: region({
    ...countTable,
    doc: 'requests in flight of each key of a concurrency limit',
    rows: (s) => s.concurrencySets,
  }),
  concurrencyShare: region({
    ...countShare,
    doc: "a worker's share of the concurrency counts",
    rows: (s) => s.concurrencySets,
  }),
  rate: region({
    doc: 'when each key of a rate limit has its full credit again',
    rows: (s) => s.rateSets,
    fields: {
      keys: i64('bits of a positive number: a key; negative: not there yet; 0 = free', ways),
      times: i64('bits of a number: µs since startUs', ways),
    },
  }),
} as const

export type RegionName = keyof typeof regions

/** Where each region starts, in bytes, and how long all of it is. */
export interface Placement {
  readonly start: Readonly<Record<RegionName, number>>
  readonly totalBytes: number
}

/** Places the regions one after another, each on a cache line of its own. */
export function place(sizes: Sizes): Placement {
  const start = {} as Record<RegionName, number>
  let bytes = 0
  for (const name of Object.keys(regions) as RegionName[]) {
    const r: Region = regions[name]
    start[name] = bytes
    bytes = roundUp(bytes + laneBytes(r, sizes) * (r.perWorker ? sizes.workers : 1), lineBytes)
  }
  return { start, totalBytes: bytes }
}

/** Bytes of one worker's part of a region (of the whole region if it is not per worker), whole cache lines. */
export function laneBytes(r: Region, sizes: Sizes): number {
  return roundUp(r.rowBytes * r.rows(sizes), lineBytes)
}
