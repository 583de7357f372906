// Creates the buffer of the store of cached answers, and attaches to it.
import { randomInt } from 'node:crypto'
import { type CacheSizes, type Geometry, geometry, header, headerNumbers } from './geometry.ts'

/** Changes whenever the meaning of a cell does. */
const magic = 0x46444301

/**
 * Allocates the memory of a store: zeroed, and pages that are never touched cost nothing. It is a tenth shorter than
 * `memory`, the rest is for what threads keep decoded.
 * @throws RangeError for sizes that make no store.
 */
export function createCacheMemory(sizes: CacheSizes): SharedArrayBuffer {
  const { totalBytes } = geometry(sizes)
  let buffer: SharedArrayBuffer
  try {
    buffer = new SharedArrayBuffer(totalBytes)
  } catch (error) {
    throw new RangeError(`no ${sizes.memory} bytes could be had for the cache: choose less`, { cause: error })
  }
  const cells = new Int32Array(buffer)
  const numbers = new Float64Array(buffer)
  cells[header.lanes] = sizes.lanes
  cells[header.seed] = randomInt(2 ** 32) | 0
  numbers[headerNumbers.memory] = sizes.memory
  numbers[headerNumbers.maxObject] = sizes.maxObject
  Atomics.store(cells, header.magic, magic)
  return buffer
}

/** The views of a buffer, and where things are in it. */
export class CacheMemory {
  readonly buffer: SharedArrayBuffer
  readonly cells: Int32Array
  readonly numbers: Float64Array
  readonly bytes: Buffer
  readonly geometry: Geometry
  readonly lane: number
  readonly seed: number

  /** @throws Error if it is no such buffer, RangeError if it has no such lane. */
  constructor(buffer: SharedArrayBuffer, lane: number) {
    this.buffer = buffer
    this.cells = new Int32Array(buffer)
    this.numbers = new Float64Array(buffer)
    this.bytes = Buffer.from(buffer)
    if (this.cells[header.magic] !== magic) throw new Error('the memory of the cache was made by another version')
    this.geometry = geometry({
      memory: this.numbers[headerNumbers.memory]!,
      maxObject: this.numbers[headerNumbers.maxObject]!,
      lanes: this.cells[header.lanes]!,
    })
    if (this.geometry.totalBytes !== buffer.byteLength) throw new Error('the memory of the cache has the wrong length')
    if (!Number.isInteger(lane) || lane < 0 || lane >= this.geometry.lanes)
      throw new RangeError(`the cache has no lane ${lane}, only ${this.geometry.lanes}`)
    this.lane = lane
    this.seed = this.cells[header.seed]!
  }
}
