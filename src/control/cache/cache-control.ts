// What administrators see and do of the cache, in memory and on disk: figures, what is used most, and purging.
import type { Snapshot } from '../../core/spec.ts'
import type { DiskTotals } from '../../disk/types.ts'
import type { CachePlane } from '../../pool/cache-plane.ts'
import type { PurgeWhat } from '../../state/cache/types.ts'
import { ControlError } from '../control-error.ts'
import { purgedWords } from '../event-view.ts'
import type { EventSink } from '../events.ts'
import type { ControlPort } from '../port.ts'
import { TimeSlice } from '../time-slice.ts'
import type {
  Cache,
  CacheDiskStats,
  CacheQuery,
  CacheRouteStats,
  CacheStats,
  PurgeCache,
  PurgedCache,
} from './cache.ts'
import { cacheFigures } from './figures.ts'
import { purgeTargets } from './purge.ts'
import { purgeWords } from './purge-words.ts'
import { allRequests, hitRatio, requestsOf } from './requests.ts'
import { identityIn, routeNames } from './route-names.ts'
import { topEntries } from './top-entries.ts'

export interface CacheControlOptions {
  readonly port: Pick<ControlPort, 'caches' | 'cacheDiskProblem' | 'state' | 'log'>
  /** In force. */
  readonly snapshot: () => Snapshot
  readonly events: EventSink
}

const nothing = { memory: 0, used: 0, entries: 0, payload: 0, stored: 0, evicted: 0, purged: 0, filling: 0 }

export class CacheControl implements Cache {
  readonly #o: CacheControlOptions

  constructor(options: CacheControlOptions) {
    this.#o = options
  }

  /** As `GET /cache` tells it. */
  async stats({ prefix = '', limit = 20 }: CacheQuery = {}): Promise<CacheStats> {
    if (!Number.isInteger(limit) || limit < 0) {
      const message = `is a whole number, not ${limit}`
      throw new ControlError('invalid', `limit ${message}`, [{ path: 'limit', message }])
    }
    const { port, snapshot } = this.#o
    const [plane] = port.caches?.() ?? []
    const routes = routeNames(snapshot().routes)
    const routeOf = (partition: string): string => routes.get(identityIn(partition)) ?? ''
    const found = plane === undefined ? null : await topEntries(plane.store, { prefix, limit, routeOf })
    const { memory, disk } = cacheFigures(port) ?? { memory: nothing, disk: null }
    const requests = allRequests(snapshot(), port.state)
    return {
      enabled: plane !== undefined,
      memory: { size: memory.memory, used: memory.used, payload: memory.payload, entries: memory.entries },
      disk: this.#diskStats(disk),
      requests,
      hit_ratio: hitRatio(requests),
      stored: memory.stored,
      evicted: memory.evicted,
      purged: memory.purged,
      filling: memory.filling,
      oldest_age_seconds: found?.oldest_age_seconds ?? null,
      top: found?.top ?? [],
      routes: await this.#routes(),
    }
  }

  /**
   * As `Cache.purge`. `by`: `admin API (127.0.0.1)`.
   * @throws ControlError invalid; conflict where no route caches; failed where it could not be written down on disk.
   */
  async purge({ soft = false, ...asked }: PurgeCache, by = 'program'): Promise<PurgedCache> {
    const { port, snapshot, events } = this.#o
    const targets = purgeTargets(asked, snapshot())
    const planes = port.caches?.() ?? []
    if (planes.length === 0) {
      throw new ControlError('conflict', 'No route caches: there is nothing to purge. Nothing was changed')
    }
    const slice = new TimeSlice()
    let purged = 0
    for (const what of targets) {
      for (const plane of planes) purged += await purgeOne(plane, what, soft, slice)
    }
    const facts = { by, what: purgeWords(asked), purged, soft }
    port.log.event('info', 'cache_purged', purgedWords(facts), facts)
    events.emit({ type: 'cache_purged', ...facts })
    return { purged, soft }
  }

  /** Null where none is configured; one that could not be opened is told as degraded. */
  #diskStats(totals: DiskTotals | null): CacheDiskStats | null {
    const spec = this.#o.snapshot().cacheStore?.disk ?? null
    if (spec === null) return null
    if (totals === null) {
      const problem = this.#o.port.cacheDiskProblem?.() ?? 'it is not open'
      return { ...spec, used: 0, entries: 0, state: 'degraded', problem }
    }
    const { size, used, entries, state, problem } = totals
    return { path: spec.path, size, used, entries, state, problem }
  }

  async #routes(): Promise<CacheRouteStats[]> {
    const { port, snapshot } = this.#o
    const now = snapshot()
    const slice = new TimeSlice()
    const list: CacheRouteStats[] = []
    for (const route of now.routes) {
      const one = requestsOf(route, now, port.state)
      if (one !== null) list.push(one)
      if (slice.isOver) await slice.rest()
    }
    return list
  }
}

/**
 * On disk first, in the same turn: what is put into memory from there meanwhile is found out. An entry that is in both counts
 * once.
 */
async function purgeOne(
  { store, disk }: CachePlane,
  what: PurgeWhat,
  soft: boolean,
  slice: TimeSlice,
): Promise<number> {
  const onDisk = disk?.purge(what, soft) ?? Promise.resolve(0)
  // Told below, when memory is done.
  onDisk.catch(() => undefined)
  let inMemory = 0
  for (let at = 0; at !== -1; ) {
    const { purged, next } = store.purgePart(what, soft, at)
    inMemory += purged
    at = next
    if (slice.isOver) await slice.rest()
  }
  try {
    return Math.max(inMemory, await onDisk)
  } catch (error) {
    const { message } = error as Error
    throw new ControlError(
      'failed',
      `It is purged, but not on disk: after a restart it may be there again (${message})`,
    )
  }
}
