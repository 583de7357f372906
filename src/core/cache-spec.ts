// The compiled, immutable form of what is said of caching. Plain data, as spec.ts. Times in milliseconds, sizes in bytes.

/** The one store of the process. */
export interface CacheStoreSpec {
  /** Everything in it, metadata included. */
  readonly memory: number
  /** Longer answers are passed through. */
  readonly maxObject: number
  /** null = memory only. */
  readonly disk: { readonly path: string; readonly size: number } | null
}

/** A request is meant if any of these holds. */
export interface RequestConditions {
  /** Lower-case field names with the values asked for; no values = the field is there. `*` at either end of a value. */
  readonly headers: readonly { readonly name: string; readonly values: readonly string[] }[]
  readonly cookies: readonly { readonly name: string; readonly values: readonly string[] }[]
  readonly query: readonly { readonly name: string; readonly values: readonly string[] }[]
}

/** What tells requests apart besides scheme, host, path, route and pool, which always do. */
export interface CacheKeySpec {
  /** Which parameters of the query count. A name may end in `*`. */
  readonly query:
    | { readonly kind: 'all' }
    | { readonly kind: 'none' }
    | { readonly kind: 'only' | 'except'; readonly names: readonly string[] }
  /** Parameters are put in order of their names first. */
  readonly sortQuery: boolean
  /** Lower case. */
  readonly headers: readonly string[]
  readonly cookies: readonly string[]
}

/** What a route says of caching. */
export interface CacheSpec {
  /** `origin`: as the answer says. A number: that long, whatever the answer says of time (and also no-store, private: see docs). */
  readonly ttl: 'origin' | number
  /** Per status, first fit; beats `ttl`, also for statuses that say nothing of time (negative caching). 0 = not stored. */
  readonly ttlByStatus: readonly { readonly from: number; readonly to: number; readonly ttl: number }[]
  /** Where the answer says nothing and `heuristic` has nothing to go by, for statuses that HTTP lets caches keep; 0 = nothing. */
  readonly defaultTtl: number
  /** Where the answer says nothing: share of the time since Last-Modified, and the most it may come to; null = never. */
  readonly heuristic: { readonly share: number; readonly max: number } | null
  /** null = as the answer says (RFC 5861); a number where the answer says nothing. */
  readonly staleWhileRevalidate: number | null
  readonly staleIfError: number | null
  /** So long after it became stale an answer is served when no backend can be reached (RFC 9111 §4.2.4: disconnected); 0 = never. */
  readonly staleWhenDown: number
  readonly key: CacheKeySpec
  /** Lower-case request fields that answers vary by, besides those they name. */
  readonly vary: readonly string[]
  /** These requests are neither answered from the cache nor stored. */
  readonly bypass: RequestConditions
  /** The answers to these are not stored. */
  readonly noStore: RequestConditions
  /** `ignore`: Cache-Control and Pragma of requests count for nothing. `no-reload`: all but no-cache, max-age and Pragma count. */
  readonly clientDirectives: 'honor' | 'no-reload' | 'ignore'
  /** Answers with Set-Cookie: not stored; stored without it; stored with it. */
  readonly setCookie: 'skip' | 'strip' | 'store'
  /** Target list of RFC 9213, lower case, first that is there counts, in place of Cache-Control. */
  readonly targetFields: readonly string[]
  /** Lower-case fields with tags for purging; removed before the client. */
  readonly tagFields: readonly string[]
  /** Cache-Status on answers; `key`: with the key. */
  readonly status: 'off' | 'on' | 'key'
  /** How long a request waits for the one that was first with the same key. */
  readonly waitFor: number
}
