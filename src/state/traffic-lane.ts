// What one worker counts of requests, by listener and route. One writer per cell: no atomic operation, no allocation.
import { bucketIndex } from './histogram.ts'
import { regions, trafficEntries } from './layout.ts'
import type { Memory } from './memory.ts'
import {
  type CacheResult,
  cacheResults,
  type MirrorResult,
  methodNames,
  mirrorResults,
  type StoreRefusal,
  storeRefusals,
} from './names.ts'

const { at } = regions.trafficLane
const row32 = regions.trafficLane.rowBytes / 4
const row64 = regions.trafficLane.rowBytes / 8
const lastMethod = methodNames.length - 1
const mask = trafficEntries - 1
const shift = 32 - Math.log2(trafficEntries)
/** Entries looked at for one combination: with fewer than half of them taken hardly one needs so many. */
const maxProbes = 16

export class TrafficLane {
  private readonly i32: Int32Array
  private readonly f64: Float64Array
  private readonly base32: number
  private readonly base64: number

  constructor(memory: Memory, workerId: number) {
    this.i32 = memory.i32
    this.f64 = memory.f64
    this.base32 = memory.base32('trafficLane', workerId)
    this.base64 = memory.base64('trafficLane', workerId)
  }

  finished(row: number, method: number, status: number, durationUs: number): void {
    const lane = this.base64 + row * row64
    this.f64[this.counterOf(row, method, status)]!++
    this.f64[lane + at.durationSum]! += durationUs
    this.f64[lane + at.duration + bucketIndex(durationUs)]!++
  }

  error(row: number, errorIndex: number): void {
    this.f64[this.base64 + row * row64 + at.errors + errorIndex]!++
  }

  rateLimited(row: number): void {
    this.f64[this.base64 + row * row64 + at.rateLimited]!++
  }

  mirrored(row: number, result: MirrorResult): void {
    this.f64[this.base64 + row * row64 + at.mirrored + mirrorResults.indexOf(result)]!++
  }

  cacheRequest(row: number, result: CacheResult): void {
    this.f64[this.base64 + row * row64 + at.cached + cacheResults.indexOf(result)]!++
  }

  notStored(row: number, refusal: StoreRefusal): void {
    this.f64[this.base64 + row * row64 + at.notStored + storeRefusals.indexOf(refusal)]!++
  }

  /** The cell of a method and status: the entry that has it, else the next free one. */
  private counterOf(row: number, method: number, status: number): number {
    const verb = method >= 0 && method < lastMethod ? method : lastMethod
    const key = ((verb << 10) | (status >= 100 && status <= 999 ? status : 0)) + 1
    const lane = this.base64 + row * row64
    const keys = this.base32 + row * row32 + at.keys
    let entry = Math.imul(key, 0x9e3779b1) >>> shift
    for (let probe = 0; probe < maxProbes; probe++) {
      const found = this.i32[keys + entry]
      if (found === key) return lane + at.requests + entry
      if (found === 0) {
        this.i32[keys + entry] = key
        return lane + at.requests + entry
      }
      entry = (entry + 1) & mask
    }
    return lane + at.unlisted + verb
  }
}
