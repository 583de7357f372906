// One sample of everything that is counted, and what of it has changed since an earlier one, as JSON.
import type { BackendSpec, Slot } from '../../core/spec.ts'
import { Samples } from '../../state/samples.ts'
import { cacheFigures } from '../cache/figures.ts'
import type { Membership } from '../membership.ts'
import type { StatusSources } from '../status.ts'
import { BackendRow } from './backend-row.ts'
import { type CacheSums, TrafficSums } from './traffic-sums.ts'

/** Where the numbers come from. */
export interface StatsSources extends Omit<StatusSources, 'membership'> {
  readonly membership: Pick<Membership, 'departing' | 'revision' | 'snapshot'>
}

/** Samples that latencies are told of. */
const windowLength = 10
/** Samples for which it is remembered which backends have gone; a reader that is further behind is told everything. */
const memoryLength = 60

interface Entry {
  readonly row: BackendRow
  backend: BackendSpec
  /** The last sample that saw it. */
  seenAt: number
}

export class Sampler {
  /** Of the newest sample; from 1. */
  number = 0
  readonly #sources: StatsSources
  readonly #samples: Samples
  readonly #traffic: TrafficSums
  readonly #entries = new Map<Slot, Entry>()
  #gone: { readonly pool: string; readonly url: string; readonly at: number }[] = []
  #sampledAtMs = 0
  /** The JSON of everything but backends, without the closing brace. */
  #head = ''

  constructor(sources: StatsSources) {
    this.#sources = sources
    const { state } = sources.port
    this.#samples = new Samples(state.buffer)
    this.#traffic = new TrafficSums({ state, samples: this.#samples, windowLength })
  }

  sample(): void {
    const now = performance.now()
    const seconds = this.number === 0 ? 0 : (now - this.#sampledAtMs) / 1000
    this.#sampledAtMs = now
    this.number += 1
    const { port, membership } = this.#sources
    const view = {
      at: new Date().toISOString(),
      revision: membership.revision,
      uptime_seconds: Math.floor((Date.now() - port.startedAtMs) / 1000),
      draining: port.isDraining(),
      ...this.#traffic.sample(membership.snapshot.listeners, seconds),
      cache: this.#cacheView(),
      workers: port.workers().map((worker) => {
        const { openConnections, eluRatio } = port.state.workerRow(worker.id)
        return { ...worker, connections: openConnections, utilization: Math.round(eluRatio * 1000) / 1000 }
      }),
    }
    this.#head = JSON.stringify(view).slice(0, -1)
    this.#sampleBackends(seconds)
  }

  /** What has changed since the sample of that number; everything after 0, or after one too long ago. */
  frame(since: number): string {
    const full = since === 0 || since < this.number - memoryLength
    let rows = ''
    for (const { row } of this.#entries.values()) {
      if (full || row.changedAt > since) rows += rows === '' ? row.json : `,${row.json}`
    }
    const removed = full ? [] : this.#gone.filter(({ at }) => at > since).map(({ pool, url }) => ({ pool, url }))
    return `${this.#head},"full":${full},"backends":[${rows}],"removed":${JSON.stringify(removed)}}`
  }

  /** Null = no route caches. */
  #cacheView(): (CacheSums & { readonly bytes: number; readonly entries: number }) | null {
    const figures = cacheFigures(this.#sources.port)
    if (figures === null) return null
    const { used, entries } = figures.memory
    return { ...this.#traffic.cached, bytes: used, entries }
  }

  #sampleBackends(seconds: number): void {
    const { membership } = this.#sources
    for (const pool of membership.snapshot.pools) for (const backend of pool.backends) this.#one(backend, seconds)
    for (const { backend } of membership.departing()) this.#one(backend, seconds)
    for (const [slot, entry] of this.#entries) if (entry.seenAt !== this.number) this.#forget(slot, entry)
    if (this.#gone.length > 0) this.#gone = this.#gone.filter(({ at }) => at >= this.number - memoryLength)
  }

  #one(backend: BackendSpec, seconds: number): void {
    const { slot, pool, url } = backend
    const known = this.#entries.get(slot)
    const isOther = known !== undefined && (known.backend.url !== url || known.backend.pool !== pool)
    if (isOther) this.#forget(slot, known)
    const entry = isOther || known === undefined ? this.#add(backend) : known
    entry.backend = backend
    entry.seenAt = this.number
    const { state } = this.#sources.port
    const facts = {
      backend,
      flags: state.flags(slot),
      active: state.active(slot),
      last: this.#sources.health.checks(slot)?.last ?? null,
    }
    entry.row.sample(this.number, facts, seconds, (into) => this.#samples.readBackend(slot, into))
  }

  #add(backend: BackendSpec): Entry {
    const entry = { row: new BackendRow(backend, windowLength), backend, seenAt: this.number }
    this.#entries.set(backend.slot, entry)
    // Put back, it is not gone.
    this.#gone = this.#gone.filter(({ pool, url }) => pool !== backend.pool || url !== backend.url)
    return entry
  }

  #forget(slot: Slot, { backend: { pool, url } }: Entry): void {
    this.#entries.delete(slot)
    this.#gone.push({ pool, url, at: this.number })
  }
}
