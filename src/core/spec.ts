// The compiled, immutable form of a configuration: what the supervisor hands to each worker.
// Everything here is plain data and survives structured cloning. All durations are milliseconds, all sizes bytes.

/** Row number of a backend in shared memory. Claimed by the main thread, stable while the backend exists. */
export type Slot = number

/** Row number of a pool's cursor (the shared ticket counter) in shared memory. */
export type Cursor = number

/** One server of a pool. */
export interface BackendSpec {
  readonly slot: Slot
  readonly pool: string
  /** Normal form: lower-case host, explicit port only if not the scheme's default, no trailing slash. The public name. */
  readonly url: string
  readonly protocol: 'http' | 'https'
  /** Host name or IP literal without brackets; '' for a Unix socket. */
  readonly host: string
  readonly port: number
  /** File system path of a Unix socket, or null for TCP. */
  readonly socketPath: string | null
  /** Put before the request's path; '' or '/base' without a trailing slash. */
  readonly basePath: string
  /** Value of Host when `hostHeader` is 'backend'; port left out when it is the scheme's default. */
  readonly authority: string
  readonly weight: number
  /** 0 = no limit. */
  readonly maxConnections: number
  readonly backup: boolean
}

export type StrategyName =
  | 'round-robin'
  | 'least-conn'
  | 'power-of-two'
  | 'least-time'
  | 'random'
  | 'first'
  | 'ip-hash'
  | 'hash'

/** What `hash` (and only it) hashes. */
export type HashKey =
  | { readonly by: 'uri' | 'path' | 'host' | 'client-ip' }
  | { readonly by: 'header' | 'cookie'; readonly name: string }

export interface StickySpec {
  readonly by: 'cookie' | 'ip' | 'header'
  /** Cookie or header name; '' for ip. */
  readonly name: string
  readonly ttlMs: number
  /** HMAC key for the cookie, hex; '' otherwise. */
  readonly secret: string
  /** Which shared affinity table (by ip or header), else -1. */
  readonly table: number
}

export interface HealthCheckSpec {
  readonly method: 'tcp' | 'http'
  readonly path: string
  /** Host header of the check; null = the backend's authority. */
  readonly host: string | null
  readonly expectFrom: number
  readonly expectTo: number
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly rise: number
  readonly fall: number
}

export interface PassiveHealthSpec {
  /** 0 = off. */
  readonly maxFails: number
  readonly windowMs: number
  readonly ejectMs: number
}

/** 0 = none, for each. */
export interface TimeoutsSpec {
  readonly connectMs: number
  readonly firstByteMs: number
  readonly idleMs: number
  readonly totalMs: number
  /** Silence of both sides after an Upgrade (WebSocket). */
  readonly tunnelMs: number
}

export interface RetriesSpec {
  /** Further attempts after the first; 0 = never. */
  readonly attempts: number
  readonly onConnect: boolean
  readonly onReset: boolean
  /** Statuses that are retried (idempotent methods only); empty by default. */
  readonly onStatus: readonly number[]
  /** Retries in flight may be this share (0–1) of the requests in flight … */
  readonly budgetRatio: number
  /** … but this many are always allowed. */
  readonly budgetMin: number
}

export interface KeepaliveSpec {
  /** Idle connections kept per worker and backend; 0 = none. */
  readonly maxIdle: number
  readonly idleTimeoutMs: number
}

export interface PoolSpec {
  readonly name: string
  readonly cursor: Cursor
  readonly strategy: StrategyName
  readonly hashKey: HashKey
  readonly sticky: StickySpec | null
  readonly backends: readonly BackendSpec[]
  readonly healthCheck: HealthCheckSpec | null
  readonly passiveHealth: PassiveHealthSpec
  readonly timeouts: TimeoutsSpec
  readonly retries: RetriesSpec
  readonly keepalive: KeepaliveSpec
  readonly hostHeader: 'preserve' | 'backend'
  /** Response fields of backends that are not shown to clients, lower case (default server, x-powered-by). */
  readonly hideHeaders: readonly string[]
}

export interface ListenerSpec {
  readonly name: string
  /** Row of this listener in shared memory. */
  readonly row: number
  /** Address to bind; '' = all interfaces, IPv4 and IPv6. */
  readonly host: string
  readonly port: number
  readonly protocol: 'http'
  /** The pool of the one implicit route. */
  readonly pool: string
}

export interface LimitsSpec {
  readonly headerSize: number
  readonly headerCount: number
  readonly targetSize: number
  /** 0 = none. */
  readonly bodySize: number
  readonly headerTimeoutMs: number
  /** Keep-alive idle, and silence in the middle of a request body. */
  readonly idleTimeoutMs: number
  /** Over all workers; 0 = none. */
  readonly maxConnections: number
  readonly maxConnectionsPerIp: number
}

export interface AccessLogSpec {
  readonly format: 'json' | 'combined'
  /** null = stdout. */
  readonly file: string | null
}

export interface Snapshot {
  /** Grows by one with every applied change. */
  readonly generation: number
  /** Random, per process: tells a true loop from two Frontdesks in a row (in Via). */
  readonly instanceId: string
  readonly listeners: readonly ListenerSpec[]
  readonly pools: readonly PoolSpec[]
  readonly trustedProxies: readonly string[]
  readonly limits: LimitsSpec
  readonly accessLog: AccessLogSpec | null
  /** How long a drain waits for exchanges in flight. */
  readonly graceMs: number
}
