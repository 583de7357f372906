// Sums of the traffic counters, over workers and over as many rows as are asked for.
import { type ErrorName, errorNames } from '../core/errors.ts'
import { bucketCount } from './histogram.ts'
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

/** A latency histogram summed over all workers: one count per bucket of histogram.ts, and the sum in microseconds. */
export interface HistogramTotals {
  readonly counts: readonly number[]
  readonly count: number
  readonly sumUs: number
}

export interface RequestTotal {
  readonly method: string
  /** 0 = ended without one; -1 = one of too many to be counted apart. */
  readonly status: number
  readonly count: number
}

export interface TrafficTotals {
  /** Only the combinations that occurred. */
  readonly requests: readonly RequestTotal[]
  /** Whole exchanges. */
  readonly duration: HistogramTotals
  /** Only the errors that occurred. */
  readonly errors: Readonly<Partial<Record<ErrorName, number>>>
  /** Requests refused by a limit of the route. */
  readonly rateLimited: number
  /** Copies for the mirror of the route; only the results that occurred. */
  readonly mirrored: Readonly<Partial<Record<MirrorResult, number>>>
  /** What the cache made of requests; only the results that occurred. */
  readonly cached: Readonly<Partial<Record<CacheResult, number>>>
  /** Answers that the cache did not keep; only the reasons that occurred. */
  readonly notStored: Readonly<Partial<Record<StoreRefusal, number>>>
}

const { at, rowBytes } = regions.trafficLane

/** Everything counted in these rows. */
export function trafficTotals(memory: Memory, rows: readonly number[]): TrafficTotals {
  const requests = new Map<number, number>()
  const duration = new Array<number>(bucketCount).fill(0)
  const errors = new Array<number>(errorNames.length).fill(0)
  const mirrored = new Array<number>(mirrorResults.length).fill(0)
  const cached = new Array<number>(cacheResults.length).fill(0)
  const notStored = new Array<number>(storeRefusals.length).fill(0)
  let sumUs = 0
  let rateLimited = 0
  const { f64, lanesUsed } = memory
  for (let worker = 0; worker < lanesUsed; worker++) {
    for (const row of rows) {
      const lane = memory.base64('trafficLane', worker) + (row * rowBytes) / 8
      addRequests(memory, worker, row, requests)
      for (let i = 0; i < bucketCount; i++) duration[i]! += f64[lane + at.duration + i]!
      for (let i = 0; i < errors.length; i++) errors[i]! += f64[lane + at.errors + i]!
      for (let i = 0; i < mirrored.length; i++) mirrored[i]! += f64[lane + at.mirrored + i]!
      for (let i = 0; i < cached.length; i++) cached[i]! += f64[lane + at.cached + i]!
      for (let i = 0; i < notStored.length; i++) notStored[i]! += f64[lane + at.notStored + i]!
      sumUs += f64[lane + at.durationSum]!
      rateLimited += f64[lane + at.rateLimited]!
    }
  }
  return {
    requests: listed(requests),
    duration: histogramOf(duration, sumUs),
    errors: named(errorNames, errors),
    rateLimited,
    mirrored: named(mirrorResults, mirrored),
    cached: named(cacheResults, cached),
    notStored: named(storeRefusals, notStored),
  }
}

/** What was counted since `before`, which was read of the same row. */
export function trafficSince(now: TrafficTotals, before: TrafficTotals): TrafficTotals {
  const requests = now.requests.map((total) => {
    const old = before.requests.find(({ method, status }) => method === total.method && status === total.status)
    return { ...total, count: total.count - (old?.count ?? 0) }
  })
  const counts = now.duration.counts.map((count, i) => count - before.duration.counts[i]!)
  const errors = errorNames.map((name) => (now.errors[name] ?? 0) - (before.errors[name] ?? 0))
  const mirrored = mirrorResults.map((name) => (now.mirrored[name] ?? 0) - (before.mirrored[name] ?? 0))
  const cached = cacheResults.map((name) => (now.cached[name] ?? 0) - (before.cached[name] ?? 0))
  const notStored = storeRefusals.map((name) => (now.notStored[name] ?? 0) - (before.notStored[name] ?? 0))
  return {
    requests: requests.filter(({ count }) => count > 0),
    duration: histogramOf(counts, now.duration.sumUs - before.duration.sumUs),
    errors: named(errorNames, errors),
    rateLimited: now.rateLimited - before.rateLimited,
    mirrored: named(mirrorResults, mirrored),
    cached: named(cacheResults, cached),
    notStored: named(storeRefusals, notStored),
  }
}

/** A histogram with its number of observations. */
export function histogramOf(counts: readonly number[], sumUs: number): HistogramTotals {
  return { counts, count: counts.reduce((a, b) => a + b, 0), sumUs }
}

const unlisted = (verb: number): number => verb * 1024 + 1023

/** By method × 1024 + status, or `unlisted`. */
function addRequests(memory: Memory, worker: number, row: number, to: Map<number, number>): void {
  const keys = memory.base32('trafficLane', worker) + (row * rowBytes) / 4 + at.keys
  const lane = memory.base64('trafficLane', worker) + (row * rowBytes) / 8
  const add = (key: number, count: number): void => {
    if (count > 0) to.set(key, (to.get(key) ?? 0) + count)
  }
  for (let entry = 0; entry < trafficEntries; entry++) {
    const key = memory.i32[keys + entry]!
    if (key !== 0) add(key - 1, memory.f64[lane + at.requests + entry]!)
  }
  for (let verb = 0; verb < methodNames.length; verb++) add(unlisted(verb), memory.f64[lane + at.unlisted + verb]!)
}

function listed(requests: ReadonlyMap<number, number>): RequestTotal[] {
  const sorted = [...requests].sort(([a], [b]) => a - b)
  return sorted.map(([key, count]) => {
    const status = key & 1023
    return { method: methodNames[key >> 10]!, status: status === 1023 ? -1 : status, count }
  })
}

/** Only those that are more than 0. */
function named<Name extends string>(names: readonly Name[], counts: readonly number[]): Partial<Record<Name, number>> {
  const pairs = names.map((name, i): [Name, number] => [name, counts[i]!]).filter(([, count]) => count > 0)
  return Object.fromEntries(pairs) as Partial<Record<Name, number>>
}
