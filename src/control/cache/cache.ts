// What may be asked of the cache of a running Frontdesk, and what is answered. Types only.
import type { CacheResult, StoreRefusal } from '../../state/names.ts'

export type { CacheResult, StoreRefusal } from '../../state/names.ts'

/** Which entries are listed. */
export interface CacheQuery {
  /** What their URL begins with; default all. */
  readonly prefix?: string | undefined
  /** So many of those used most; default 20. */
  readonly limit?: number | undefined
}

/** By what the cache made of them. */
export type CacheRequests = Readonly<Record<CacheResult, number>>

/** Sizes in bytes, counts since the start; `stored`, `evicted` and `purged` since the memory was made: another size is another one. */
export interface CacheStats {
  /** False = no route caches: everything else is 0, null or empty. */
  readonly enabled: boolean
  readonly memory: {
    /** What it may come to. */
    readonly size: number
    /** Of it in use, with index and metadata. */
    readonly used: number
    /** Heads and bodies alone. */
    readonly payload: number
    readonly entries: number
  }
  /** Null = memory only. */
  readonly disk: CacheDiskStats | null
  readonly requests: CacheRequests
  /** Share of those that were looked up which were answered from the cache, 0 to 1; null = none was. */
  readonly hit_ratio: number | null
  readonly stored: number
  /** Thrown out for others. */
  readonly evicted: number
  readonly purged: number
  /** Answers on their way in. */
  readonly filling: number
  /** Null = it is empty. */
  readonly oldest_age_seconds: number | null
  /** Those used most. */
  readonly top: readonly CacheEntry[]
  /** Those that cache, as far as they are counted apart. */
  readonly routes: readonly CacheRouteStats[]
}

export interface CacheDiskStats {
  readonly path: string
  readonly size: number
  readonly used: number
  readonly entries: number
  /** `degraded`: nothing is written to it, and memory does alone. */
  readonly state: 'ok' | 'degraded'
  /** Why; null = it is not. */
  readonly problem: string | null
}

export interface CacheRouteStats {
  readonly name: string
  readonly requests: CacheRequests
  readonly hit_ratio: number | null
  /** Answers to GET that were not stored, by reason; only the reasons that occurred. */
  readonly not_stored: Readonly<Partial<Record<StoreRefusal, number>>>
}

/** A stored answer. All times in whole seconds. */
export interface CacheEntry {
  readonly url: string
  /** '' = one that is there no more, or asks backends for other things now. */
  readonly route: string
  /** What tells it from others of its URL; '' = nothing does. */
  readonly variant: string
  readonly status: number
  /** Of its body, as it is stored. */
  readonly bytes: number
  readonly hits: number
  readonly age_seconds: number
  /** Below 0: stale for so long. */
  readonly ttl_seconds: number
}

/** What is to be thrown out: exactly one of `url`, `prefix`, `tag` and `all`. */
export interface PurgeCache {
  /**
   * Absolute; `*://` stands for http and https. All that is stored for it. What routes do not count as part of their keys may
   * be there or not.
   */
  readonly url?: string | undefined
  /** What URLs begin with; `*://` as above. */
  readonly prefix?: string | undefined
  /** Any of these. */
  readonly tag?: string | readonly string[] | undefined
  readonly all?: true | undefined
  /** Marked stale instead: asked for again before it is used, and there still where the backends are down. */
  readonly soft?: boolean | undefined
}

export interface PurgedCache {
  /** Entries. */
  readonly purged: number
  readonly soft: boolean
}

/** The cache of a running Frontdesk. Rejects with FrontdeskError not-started, closed. */
export interface Cache {
  /** Now, as `GET /cache` of the admin API tells it. */
  stats(query?: CacheQuery): Promise<CacheStats>
  /**
   * In force for all workers, in memory and on disk, when it resolves; also for answers on their way in. Rejects with
   * ControlError invalid, and with conflict where no route caches.
   */
  purge(what: PurgeCache): Promise<PurgedCache>
}
