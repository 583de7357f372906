// The compiled, immutable form of a configuration: what the supervisor hands to each worker.
// Everything here is plain data and survives structured cloning. All durations are milliseconds, all sizes bytes.
import type { CacheStoreSpec } from './cache-spec.ts'
import type { PluginModuleSpec, PluginRef, RouteSpec, TemplateSpec } from './route-spec.ts'

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
  /** `tcp` and `tls` in TCP pools, `http` and `https` in HTTP pools; a Unix socket has the plain one of its pool. */
  readonly protocol: 'http' | 'https' | 'tcp' | 'tls'
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
  /** TCP checks: latin1 bytes sent once the connection stands; '' = none. */
  readonly send: string
  /** TCP checks: latin1 bytes the answer must begin with; '' = the connection itself is the answer. */
  readonly receive: string
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

/** How backends are spoken to where their URL asks for TLS. All PEM, not paths. */
export interface BackendTlsSpec {
  readonly verify: boolean
  /** Authorities trusted, in PEM; null = the system's. */
  readonly ca: string | null
  /** Name that is sent (SNI) and verified; null = the host of the backend's URL. */
  readonly serverName: string | null
  /** Our own certificate for backends that ask for one; null = none. */
  readonly identity: { readonly cert: string; readonly key: string } | null
  readonly minVersion: TlsVersion
  /** Application protocols offered; empty = the extension is not sent. */
  readonly alpn: readonly string[]
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

export interface PoolSpec {
  readonly name: string
  /** What its backends speak: decided by their URLs and by the listeners that use the pool. */
  readonly kind: 'http' | 'tcp'
  readonly cursor: Cursor
  readonly strategy: StrategyName
  /** A strategy of a plug-in, which takes the place of `strategy`; null = none. */
  readonly customStrategy: PluginRef | null
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
  readonly tls: BackendTlsSpec
  /** A PROXY header begins each backend connection, which then serves one client connection only. */
  readonly sendProxyProtocol: 'v1' | 'v2' | null
}

/** A certificate chain with its private key, loaded and checked by the main thread. */
export interface IdentitySpec {
  /** Hash of both: the same id is the same pair. */
  readonly id: string
  /** DNS names it is good for, lower case; a wildcard as `*.example.com`. */
  readonly names: readonly string[]
  /** Two of different types may serve one name side by side. */
  readonly keyType: string
  /** PEM: the leaf first, then its chain. */
  readonly cert: string
  /** PEM. */
  readonly key: string
}

export interface ClientAuthSpec {
  readonly mode: 'optional' | 'required'
  /** PEM. */
  readonly ca: string
  /** PEM, or null. */
  readonly crl: string | null
  /** Request fields that tell backends of the certificate, lower case; null = not told. */
  readonly headers: {
    readonly subject: string | null
    readonly san: string | null
    readonly fingerprint: string | null
  }
}

/** TLS that a listener terminates. */
export interface ListenerTlsSpec {
  /** At least one; the first serves clients whose name nobody has. */
  readonly identities: readonly IdentitySpec[]
  readonly minVersion: TlsVersion
  /** OpenSSL cipher list; '' = ours. */
  readonly ciphers: string
  /** In our order of preference; empty = the extension is ignored. */
  readonly alpn: readonly string[]
  readonly sessionTickets: boolean
  readonly ticketRotationMs: number
  readonly clientAuth: ClientAuthSpec | null
  /** Value of Strict-Transport-Security, '' = not sent. HTTP only. */
  readonly hsts: string
}

/** Where connections of a `tls-passthrough` listener go. */
export interface SniRouteSpec {
  /** Lower case; `*.example.com` for one more label; `*` for every other name and for none. */
  readonly name: string
  readonly pool: string
  /** Pools by an application protocol that the client offers, in order; else `pool`. */
  readonly alpn: readonly { readonly protocol: string; readonly pool: string }[]
}

export interface ListenerSpec {
  readonly name: string
  /** Row of this listener in shared memory. */
  readonly row: number
  /** Address to bind; '' = all interfaces, IPv4 and IPv6. */
  readonly host: string
  /** 0 for a Unix socket, and where the socket is inherited. */
  readonly port: number
  /** Path of a Unix socket to listen on, or null. */
  readonly socketPath: string | null
  /** Permissions of that socket (0o660); null = what the umask gives. */
  readonly socketMode: number | null
  /** Name (LISTEN_FDNAMES) or number of a socket that systemd passes, or null. */
  readonly inherited: string | null
  /** Bound to `::`, IPv4 is not served. */
  readonly ipv6Only: boolean
  readonly protocol: 'http' | 'tcp' | 'tls-passthrough'
  /** TCP: its pool. HTTP: the pool of its implicit route, '' = it has none. `tls-passthrough` has `sni`. */
  readonly pool: string
  readonly sni: readonly SniRouteSpec[]
  readonly tls: ListenerTlsSpec | null
  /** Networks (CIDR, or `unix`) whose connections begin with a PROXY header; others are closed. Empty = no header. */
  readonly acceptProxyProtocol: readonly string[]
  /** TCP: silence of both sides that ends a connection; 0 = never. */
  readonly idleTimeoutMs: number
  /** HTTP: every request is answered with a redirect to https at this port; 0 = no. */
  readonly redirectHttpsPort: number
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
  /** From accept to the end of the TLS handshake, or to the end of a PROXY header or ClientHello. */
  readonly handshakeTimeoutMs: number
  /** Connections of a listener in that state at once, in each worker. */
  readonly maxHandshakes: number
  /** Largest ClientHello, with its record headers. */
  readonly helloSize: number
}

/** Names whose values no log shows; `-` and `_` are the same, and case does not matter. */
export interface RedactionSpec {
  /** Of query parameters. */
  readonly query: readonly string[]
  /** Of header fields. */
  readonly headers: readonly string[]
}

export interface AccessLogSpec {
  readonly format: 'json' | 'combined' | 'template'
  /** The line, where `format` is `template`; else empty. */
  readonly template: TemplateSpec
  /** Members of a JSON line besides `time`; null = all. */
  readonly fields: readonly string[] | null
  /** null = stdout. */
  readonly file: string | null
  /** 0–1 of the requests have their line. */
  readonly sample: number
  /** Whatever failed has its line, whether or not it is in the sample. */
  readonly keepErrors: boolean
  /** Paths without a line: `/exact`, or `/prefix/*`. */
  readonly skip: readonly string[]
  readonly redact: RedactionSpec
}

/** Spans of our own, W3C Trace Context. */
export interface TracingSpec {
  /** A request that belongs to no trace begins one. */
  readonly create: boolean
  /** 0–1 of the traces that begin here are recorded. */
  readonly sample: number
  /** Null = spans go nowhere. */
  readonly export: {
    /** `http://collector:4318/v1/traces` */
    readonly endpoint: string
    /** Sent with each batch; a secret may be among them. */
    readonly headers: readonly { readonly name: string; readonly value: string }[]
    readonly gzip: boolean
    readonly timeoutMs: number
    /** Spans that may wait in memory; more are dropped and counted. */
    readonly maxWaiting: number
  } | null
  /** Resource attributes besides those of our own, `service.name` among them. */
  readonly resource: readonly { readonly name: string; readonly value: string }[]
}

export interface Snapshot {
  /** Grows by one with every applied change. */
  readonly generation: number
  /** Random, per process: tells a true loop from two Frontdesks in a row (in Via). */
  readonly instanceId: string
  readonly listeners: readonly ListenerSpec[]
  readonly pools: readonly PoolSpec[]
  /** In the order of the file, then the implicit ones. */
  readonly routes: readonly RouteSpec[]
  /** Modules with middleware, strategies and matchers. */
  readonly plugins: readonly PluginModuleSpec[]
  readonly trustedProxies: readonly string[]
  readonly limits: LimitsSpec
  /** The store of answers that routes share; null where none of them caches. */
  readonly cacheStore: CacheStoreSpec | null
  readonly accessLog: AccessLogSpec | null
  /** Null = `traceparent` passes through as any other field. */
  readonly tracing: TracingSpec | null
  /** Who is told of the inside in error answers: clients on loopback and in `trustedProxies`, or nobody. */
  readonly errorDetails: 'trusted' | 'never'
  /** Threads that serve traffic; 0 = the main thread. Known to the supervisor alone. */
  readonly workers: number | 'auto'
  /** How long a drain waits for exchanges in flight. */
  readonly graceMs: number
}
