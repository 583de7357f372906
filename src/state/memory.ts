// Creates the shared buffer and attaches to it: version and sizes stand in its header, offsets follow from layout.ts.

import { laneBytes, type Placement, place, type Region, type RegionName, regions, type Sizes } from './layout.ts'
import { monotonicUs } from './shared-clock.ts'

export interface SharedStateOptions {
  /** Backends, default 16384. */
  slots?: number
  /** Pools, and routes that split between pools: each has a row with its ticket counter. Default 1024. */
  pools?: number
  /** Default 64. */
  listeners?: number
  /** Pairs of listener and route that are counted apart, default 1024; further routes are counted together. */
  traffic?: number
  /** Data-plane workers; at least one lane is made. */
  workers: number
  /** Lanes for workers that may come later: until then they cost addresses only. Default 0. */
  spareLanes?: number
  /** Pools that remember their clients, default 8. */
  affinityTables?: number
  /** Sets of each affinity table, eight clients each; rounded up to a power of two, default 16384. */
  affinitySets?: number
  /** Sets of the table of client addresses, eight addresses each; rounded up to a power of two, default 8192. */
  addressSets?: number
  /** Sets of the table of concurrency limits, eight keys each; rounded up to a power of two, default 8192. */
  concurrencySets?: number
  /** Sets of the table of rate limits, eight keys each; rounded up to a power of two, default 32768. */
  rateSets?: number
}

/** Changes whenever the meaning of a cell does; the offsets are covered by the sizes. */
const layoutVersion = 0x46440006

const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)))

/**
 * Allocates zeroed shared memory for a process. Pages that are never touched cost no memory.
 * @throws RangeError if a size is not a positive whole number, or the whole is larger than a buffer can be.
 */
export function createSharedState(options: SharedStateOptions): SharedArrayBuffer {
  const sizes: Sizes = {
    slots: options.slots ?? 16384,
    pools: options.pools ?? 1024,
    listeners: options.listeners ?? 64,
    traffic: options.traffic ?? 1024,
    workers: Math.max(1, options.workers) + (options.spareLanes ?? 0),
    affinityTables: options.affinityTables ?? 8,
    affinitySets: powerOfTwo(options.affinitySets ?? 16384),
    addressSets: powerOfTwo(options.addressSets ?? 8192),
    concurrencySets: powerOfTwo(options.concurrencySets ?? 8192),
    rateSets: powerOfTwo(options.rateSets ?? 32768),
  }
  for (const [name, value] of Object.entries(sizes))
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} must be a positive whole number: ${value}`)
  const buffer = new SharedArrayBuffer(place(sizes).totalBytes)
  const cells = new Int32Array(buffer)
  const { at } = regions.header
  for (const [name, value] of Object.entries(sizes)) cells[at[name as keyof Sizes]] = value
  cells[at.lanesUsed] = Math.max(1, options.workers)
  new Float64Array(buffer)[at.startUs] = monotonicUs()
  Atomics.store(cells, at.version, layoutVersion)
  return buffer
}

/** The typed views of a buffer, and where things are in it. */
export class Memory {
  readonly buffer: SharedArrayBuffer
  readonly i32: Int32Array
  readonly f64: Float64Array
  /** The same cells as `f64`, for atomic operations on their bits. */
  readonly i64: BigInt64Array
  readonly sizes: Sizes
  private readonly placement: Placement

  /** @throws Error if the buffer was not made by this version of createSharedState. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.i32 = new Int32Array(buffer)
    this.f64 = new Float64Array(buffer)
    this.i64 = new BigInt64Array(buffer)
    const { at } = regions.header
    const read = (field: keyof typeof at): number => this.i32[at[field]] ?? 0
    if (read('version') !== layoutVersion) throw new Error('shared memory was made by another version of Frontdesk')
    this.sizes = {
      slots: read('slots'),
      pools: read('pools'),
      listeners: read('listeners'),
      traffic: read('traffic'),
      workers: read('workers'),
      affinityTables: read('affinityTables'),
      affinitySets: read('affinitySets'),
      addressSets: read('addressSets'),
      concurrencySets: read('concurrencySets'),
      rateSets: read('rateSets'),
    }
    this.placement = place(this.sizes)
    if (this.placement.totalBytes !== buffer.byteLength) throw new Error('shared memory has the wrong length')
  }

  /** Index into `i32` of a region's first cell; of a worker's own part for a region that is per worker. */
  base32(name: RegionName, worker = 0): number {
    return this.startBytes(name, worker) / 4
  }

  /** Index into `f64` and `i64` of a region's first cell; of a worker's own part for a region that is per worker. */
  base64(name: RegionName, worker = 0): number {
    return this.startBytes(name, worker) / 8
  }

  /** What is summed over workers is summed over these lanes: pages of the others are never touched. */
  get lanesUsed(): number {
    return this.i32[regions.header.at.lanesUsed]!
  }

  /** Throws a RangeError if there is no lane for this worker. */
  checkWorker(worker: number): void {
    if (!Number.isInteger(worker) || worker < 0 || worker >= this.sizes.workers)
      throw new RangeError(`no lane for worker ${worker}`)
  }

  private startBytes(name: RegionName, worker: number): number {
    const r: Region = regions[name]
    return this.placement.start[name] + (r.perWorker ? worker * laneBytes(r, this.sizes) : 0)
  }
}
