// Counters summed into cells that the caller keeps: for who reads all of them again and again, and must not allocate.
import { errorNames } from '../core/errors.ts'
import { bucketCount } from './histogram.ts'
import { regions, trafficEntries } from './layout.ts'
import { Memory } from './memory.ts'
import { cacheResults } from './names.ts'

const lane = regions.slotLane
const traffic = regions.trafficLane

/** Cells of a backend's sample: those of its lane in shared memory, over all workers. */
export const backendSampleCells: number = lane.rowBytes / 8
/** Where in it what stands. */
export const backendSampleAt: typeof lane.at = lane.at

/** Cells of a sample of requests. */
export const trafficSampleCells: number = 2 + bucketCount + cacheResults.length
/**
 * Where in it what stands: requests ended, those of them that failed, a histogram of how long they took, and what the cache
 * made of them, by result.
 */
export const trafficSampleAt = { ended: 0, failed: 1, duration: 2, cached: 2 + bucketCount } as const

/** The status was sent already when the backend broke the answer: it does not show that the exchange failed. */
const brokenAnswers = (['reset_in_answer', 'body_timeout'] as const).map((name) => errorNames.indexOf(name))

export class Samples {
  readonly #memory: Memory

  constructor(buffer: SharedArrayBuffer) {
    this.#memory = new Memory(buffer)
  }

  /** Everything counted for a backend. */
  readBackend(slot: number, into: Float64Array): void {
    const { f64, lanesUsed } = this.#memory
    into.fill(0)
    for (let worker = 0; worker < lanesUsed; worker++) {
      const base = this.#memory.base64('slotLane', worker) + slot * backendSampleCells
      for (let cell = 0; cell < backendSampleCells; cell++) into[cell]! += f64[base + cell]!
    }
  }

  /** Rows of traffic counters, used or not. */
  get trafficRows(): number {
    return regions.traffic.rows(this.#memory.sizes)
  }

  /** Row of the listener that a row of traffic counters belongs to; -1 = nobody's yet. */
  listenerOf(row: number): number {
    const { listeners } = this.#memory.sizes
    if (row < 2 * listeners) return row % listeners
    return this.#memory.i32[this.#memory.base32('traffic') + (row * regions.traffic.rowBytes) / 4]! - 1
  }

  /** Adds the requests counted in a row: 5xx are failures, and so are answers that broke in the middle. */
  addTraffic(row: number, into: Float64Array): void {
    const { f64, lanesUsed } = this.#memory
    const { at } = traffic
    for (let worker = 0; worker < lanesUsed; worker++) {
      const base = this.#memory.base64('trafficLane', worker) + (row * traffic.rowBytes) / 8
      let ended = 0
      for (let bucket = 0; bucket < bucketCount; bucket++) {
        const count = f64[base + at.duration + bucket]!
        ended += count
        into[trafficSampleAt.duration + bucket]! += count
      }
      if (ended === 0) continue
      for (let result = 0; result < cacheResults.length; result++) {
        into[trafficSampleAt.cached + result]! += f64[base + at.cached + result]!
      }
      into[trafficSampleAt.ended]! += ended
      for (const error of brokenAnswers) into[trafficSampleAt.failed]! += f64[base + at.errors + error]!
      into[trafficSampleAt.failed]! += this.#serverErrors(worker, row, base + at.requests)
    }
  }

  #serverErrors(worker: number, row: number, requests: number): number {
    const { i32, f64 } = this.#memory
    const keys = this.#memory.base32('trafficLane', worker) + (row * traffic.rowBytes) / 4 + traffic.at.keys
    let count = 0
    for (let entry = 0; entry < trafficEntries; entry++) {
      const key = i32[keys + entry]!
      if (key !== 0 && ((key - 1) & 1023) >= 500) count += f64[requests + entry]!
    }
    return count
  }
}
