// The shapes of the admin API as the dashboard reads them. docs/reference/openapi.json is the whole of it.

export type BackendState = 'unknown' | 'up' | 'down' | 'draining' | 'disabled' | 'ejected'

export interface Latency {
  readonly p50: number | null
  readonly p99: number | null
}

export interface LastCheck {
  readonly at: string
  readonly ok: boolean
  readonly reason: string
}

/** An entry of `GET /backends`. */
export interface BackendView {
  readonly url: string
  readonly pool: string
  readonly alive: boolean
  readonly state: BackendState
  readonly protocol: string
  readonly weight: number
  readonly max_connections: number
  readonly backup: boolean
  readonly current_connections: number
  readonly requests: number
  readonly connections: number
  readonly errors: number
  readonly latency_ms: Latency
  readonly last_check: LastCheck | null
  /** While it drains for a time: when that ends. */
  readonly drain_ends_at?: string | null
}

/** What the stream says of a backend once a second. */
export interface BackendStats {
  readonly pool: string
  readonly url: string
  readonly state: BackendState
  readonly alive: boolean
  readonly weight: number
  readonly current_connections: number
  readonly requests: number
  readonly rate: number
  readonly errors: number
  readonly error_rate: number
  readonly latency_ms: Latency
  readonly last_check: LastCheck | null
}

export interface WorkerView {
  readonly id: number
  readonly state: 'starting' | 'running' | 'draining' | 'dead'
  readonly restarts: number
  readonly main?: true
  readonly connections: number
  readonly utilization: number
}

export interface ListenerStats {
  readonly name: string
  readonly connections: number
  readonly rate: number
}

/** `event: stats` of `GET /events`. */
export interface Stats {
  readonly at: string
  readonly revision: number
  readonly uptime_seconds: number
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
  readonly workers: readonly WorkerView[]
  readonly backends: readonly BackendStats[]
  readonly listeners: readonly ListenerStats[]
  readonly tcp: { readonly active: number }
  /** null = no route caches. */
  readonly cache?: CacheStats | null
  readonly draining: boolean
  /** `backends` lists all of them. */
  readonly full: boolean
  readonly removed: readonly { readonly pool: string; readonly url: string }[]
}

/** What the stream says of the cache once a second. */
export interface CacheStats {
  readonly hits: number
  readonly requests: number
  /** Of the last second; null = nobody asked. */
  readonly ratio: number | null
  readonly bytes: number
  readonly entries: number
}

/** `event: hello` of `GET /events`. */
export interface Hello {
  readonly instance: string
  readonly revision: number
  readonly version: string
  readonly at: string
}

/** Any other event; what it has besides depends on its type. */
export interface EventData {
  readonly type: string
  readonly at: string
  /** The event in a sentence. */
  readonly message?: string
  readonly [field: string]: unknown
}

export interface PoolView {
  readonly name: string
  readonly kind: string
  readonly strategy: string
  readonly sticky: string | null
  readonly backends: number
  readonly alive: number
  readonly current_connections: number
  readonly requests: number
  readonly errors: number
  readonly retries: number
  readonly health_check: { readonly method: string; readonly path: string | null; readonly interval_ms: number } | null
}

export interface ListenerView {
  readonly name: string
  readonly protocol: string
  readonly address: string
  readonly tls: boolean
  readonly pool: string | null
  readonly connections: { readonly active: number; readonly total: number; readonly rejected: number }
  readonly requests: { readonly total: number; readonly active: number }
}

export interface RouteView {
  readonly name: string
  readonly match: string
  readonly action: string
  readonly pool: string | null
  readonly listeners: readonly string[]
  readonly implicit: boolean
  /** null = it is implicit. */
  readonly order: number | null
  /** null = there are so many routes that it is not counted apart. */
  readonly requests: number | null
  readonly errors: number | null
  readonly latency_ms: Latency
}

export interface ExplainInput {
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly client?: string
  readonly listener?: string
}

export interface Explanation {
  readonly listener: string
  readonly route: {
    readonly name: string
    readonly match: string
    readonly action: string
    readonly implicit: boolean
  } | null
  readonly considered: readonly { readonly route: string; readonly taken: boolean; readonly why: string }[]
  readonly steps: readonly string[]
  readonly action: string
  readonly pool: string | null
  readonly strategy: string | null
  readonly target: string | null
  readonly sticky: { readonly by: string; readonly bound_to: string | null } | null
  readonly backends: readonly {
    readonly url: string
    readonly state: BackendState
    readonly weight: number
    readonly active: number
    readonly score: number | null
    readonly score_means: string
    readonly would_take: boolean
    readonly why: string
  }[]
  readonly answer: { readonly status: number; readonly why: string } | null
  /** null = no backend would be asked anyway, or it is TCP. */
  readonly cache: ExplainedCache | null
}

/** What the cache would do with a request. */
export interface ExplainedCache {
  readonly caches: boolean
  readonly key: string
  readonly would_hit: boolean
  readonly why: string
  readonly entry: {
    readonly age_seconds: number
    /** Below 0: stale for so long. */
    readonly ttl_seconds: number
    readonly status: number
    readonly variant: string
  } | null
  readonly to_make_it_cacheable: readonly string[]
}

/** An entry of `GET /certificates`; which fields it has depends on its kind. */
export interface MaterialView {
  readonly kind: 'certificate' | 'authorities' | 'revocation_list'
  readonly name: string
  readonly names?: readonly string[]
  readonly subject?: string
  readonly issuer?: string
  readonly expires_at?: string
  readonly next_update?: string | null
  readonly days_left: number | null
  readonly fingerprint?: string
  readonly key_type?: string
  readonly key_bits?: number | null
  readonly authorities?: readonly { readonly subject: string; readonly expires_at: string }[]
  readonly files: Readonly<Record<string, string>>
  readonly listeners: readonly string[]
  readonly pools: readonly string[]
  readonly last_error: { readonly at: string; readonly message: string } | null
}

/** A line of the access log, as `GET /requests` gives it. A TCP connection has no method, target and status. */
export interface RequestView {
  readonly time: string
  readonly listener: string
  readonly client: string
  readonly protocol: string
  readonly method?: string
  readonly host?: string
  readonly target?: string
  readonly status?: number
  readonly bytes_received: number
  readonly bytes_sent: number
  readonly duration_ms: number
  readonly queue_ms?: number | null
  readonly connect_ms: number | null
  readonly first_byte_ms?: number | null
  readonly route?: string
  readonly pool: string
  readonly backend: string
  readonly attempts: number
  /** What the cache did; '' = the route does not cache. */
  readonly cache?: CacheResult | ''
  readonly failures?: readonly { readonly backend: string; readonly error: string; readonly code: string }[]
  readonly error: string
  readonly request_id?: string
  readonly trace_id?: string
  readonly user_agent?: string
  readonly tls?: string
}

export const cacheResults = ['hit', 'stale', 'revalidated', 'collapsed', 'miss', 'bypass'] as const
export type CacheResult = (typeof cacheResults)[number]

/** An entry of the cache, as `GET /cache` lists those that are used most. */
export interface CacheEntryView {
  readonly url: string
  readonly route: string
  /** What tells it from others of the same URL; '' = nothing does. */
  readonly variant: string
  readonly status: number
  readonly bytes: number
  readonly hits: number
  readonly age_seconds: number
  /** Below 0: stale for so long. */
  readonly ttl_seconds: number
}

export interface CacheRouteView {
  readonly name: string
  readonly requests: Readonly<Record<CacheResult, number>>
  readonly hit_ratio: number | null
  /** Answers that were not kept, by the name of the rule. */
  readonly not_stored: Readonly<Record<string, number>>
}

/** `GET /cache`. */
export interface CacheView {
  readonly enabled: boolean
  readonly memory: {
    readonly size: number
    readonly used: number
    readonly payload: number
    readonly entries: number
  }
  readonly disk: {
    readonly path: string
    readonly size: number
    readonly used: number
    readonly entries: number
    readonly state: 'ok' | 'degraded'
    readonly problem: string | null
  } | null
  readonly requests: Readonly<Record<CacheResult, number>>
  readonly hit_ratio: number | null
  readonly stored: number
  readonly evicted: number
  readonly purged: number
  /** Answers that are coming in. */
  readonly filling: number
  readonly oldest_age_seconds: number | null
  readonly top: readonly CacheEntryView[]
  readonly routes: readonly CacheRouteView[]
}

export interface FieldProblem {
  readonly path: string
  readonly message: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
  readonly hint?: string | null
}

export interface PlanStep {
  readonly action: 'add' | 'change' | 'move' | 'remove' | 'drain'
  readonly kind: string
  readonly name: string
  readonly pool?: string
  readonly changes?: readonly { readonly path: string; readonly from?: unknown; readonly to?: unknown }[]
  readonly connections: number
  readonly note?: string
}

export interface Plan {
  readonly steps: readonly PlanStep[]
  readonly conflicts: readonly {
    readonly path: string
    readonly file: unknown
    readonly api: unknown
    readonly wins: 'file' | 'api'
    readonly message: string
  }[]
  readonly touched_connections: number
  readonly needs_restart: readonly string[]
}

/** What a change of the configuration came to, or would come to. */
export interface ConfigAnswer {
  readonly revision: number
  readonly dry_run?: boolean
  readonly changes: readonly string[]
  readonly plan?: Plan
  readonly refused?: readonly FieldProblem[]
  readonly warnings?: readonly (string | FieldProblem)[]
}

export interface HistoryEntry {
  readonly revision: number
  readonly at: string
  readonly by: string
  readonly cause: string
  readonly changes: readonly string[]
}

export interface Whoami {
  readonly who: string
  readonly role: 'full' | 'read' | 'none'
  readonly token_required: boolean
}
