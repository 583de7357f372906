// Requests, connections and bytes of all listeners, from sample to sample.
import type { ListenerSpec } from '../../core/spec.ts'
import { cacheResults } from '../../state/names.ts'
import type { OwnerState } from '../../state/owner-state.ts'
import { trafficSampleAt as at, type Samples, trafficSampleCells } from '../../state/samples.ts'
import { hitRatio, lookups } from '../cache/requests.ts'
import { type Latency, LatencyWindow } from './latency-window.ts'
import { perSecond, share } from './rates.ts'

/** What is counted of one listener. */
interface Counts {
  readonly requests: Float64Array
  active: number
  requestsActive: number
  connections: number
  rejected: number
  received: number
  sent: number
}

/** The members of a statistics frame that sum over listeners. */
export interface TrafficView {
  readonly requests: {
    readonly total: number
    readonly rate: number
    readonly active: number
    readonly errors_total: number
    readonly error_rate: number
  }
  readonly latency_ms: Latency
  readonly connections: { readonly active: number; readonly total: number; readonly rejected_total: number }
  readonly bytes: {
    readonly received_total: number
    readonly sent_total: number
    readonly received_rate: number
    readonly sent_rate: number
  }
  readonly listeners: readonly { readonly name: string; readonly connections: number; readonly rate: number }[]
  readonly tcp: { readonly active: number }
}

export interface CacheSums {
  readonly hits: number
  readonly requests: number
  /** Of those since the sample before; null = there were none. */
  readonly ratio: number | null
}

const cachedIn = (cell: (at: number) => number): Readonly<Record<string, number>> =>
  Object.fromEntries(cacheResults.map((result, i) => [result, cell(at.cached + i)]))

const nothing = (): Counts => ({
  requests: new Float64Array(trafficSampleCells),
  active: 0,
  requestsActive: 0,
  connections: 0,
  rejected: 0,
  received: 0,
  sent: 0,
})

export class TrafficSums {
  readonly #state: Pick<OwnerState, 'connectionTotals'>
  readonly #samples: Samples
  readonly #latency: LatencyWindow
  /** What the cache made of requests, since the start and since the sample before. */
  cached: CacheSums = { hits: 0, requests: 0, ratio: null }
  /** By row of the listener. */
  #before: ReadonlyMap<number, Counts> | null = null

  constructor(o: {
    readonly state: Pick<OwnerState, 'connectionTotals'>
    readonly samples: Samples
    readonly windowLength: number
  }) {
    this.#state = o.state
    this.#samples = o.samples
    this.#latency = new LatencyWindow(o.windowLength)
  }

  sample(listeners: readonly ListenerSpec[], seconds: number): TrafficView {
    const now = this.#read(listeners)
    // A listener that is new has begun at 0; before the first sample nobody has looked.
    const before = this.#before ?? now
    const old = (row: number): Counts => before.get(row) ?? nothing()
    this.#before = now
    const sum = total(now.values())
    const was = total([...now.keys()].map(old))
    this.#latency.push(sum.requests, was.requests, at.duration)
    const gained = (cell: number): number => Math.max(0, sum.requests[cell]! - was.requests[cell]!)
    this.cached = {
      ...lookups(cachedIn((cell) => sum.requests[cell]!)),
      ratio: hitRatio(cachedIn(gained)),
    }
    return {
      requests: {
        total: sum.requests[at.ended]!,
        rate: perSecond(gained(at.ended), seconds),
        active: sum.requestsActive,
        errors_total: sum.requests[at.failed]!,
        error_rate: share(gained(at.failed), gained(at.ended)),
      },
      latency_ms: this.#latency.latency,
      connections: { active: sum.active, total: sum.connections, rejected_total: sum.rejected },
      bytes: {
        received_total: sum.received,
        sent_total: sum.sent,
        received_rate: perSecond(sum.received - was.received, seconds),
        sent_rate: perSecond(sum.sent - was.sent, seconds),
      },
      listeners: listeners.map(({ name, row, protocol }) => {
        const [counts, counted] = [now.get(row)!, old(row)]
        const done =
          protocol === 'http'
            ? counts.requests[at.ended]! - counted.requests[at.ended]!
            : counts.connections - counted.connections
        return { name, connections: counts.active, rate: perSecond(done, seconds) }
      }),
      tcp: {
        active: listeners
          .filter(({ protocol }) => protocol !== 'http')
          .reduce((count, { row }) => count + now.get(row)!.active, 0),
      },
    }
  }

  #read(listeners: readonly ListenerSpec[]): Map<number, Counts> {
    const counts = new Map<number, Counts>()
    for (const { row } of listeners) {
      const totals = this.#state.connectionTotals(row)
      counts.set(row, {
        ...nothing(),
        active: totals.active,
        requestsActive: totals.requestsActive,
        connections: totals.connections,
        rejected: Object.values(totals.rejected).reduce((sum, count) => sum + count, 0),
        received: totals.bytesReceived,
        sent: totals.bytesSent,
      })
    }
    for (let row = 0; row < this.#samples.trafficRows; row++) {
      const of = counts.get(this.#samples.listenerOf(row))
      if (of !== undefined) this.#samples.addTraffic(row, of.requests)
    }
    return counts
  }
}

function total(all: Iterable<Counts>): Counts {
  const sum = nothing()
  for (const one of all) {
    for (let cell = 0; cell < trafficSampleCells; cell++) sum.requests[cell]! += one.requests[cell]!
    sum.active += one.active
    sum.requestsActive += one.requestsActive
    sum.connections += one.connections
    sum.rejected += one.rejected
    sum.received += one.received
    sum.sent += one.sent
  }
  return sum
}
