// The checked configuration: the long form, every default filled in. Durations are milliseconds, sizes bytes.
import type { CacheSpec, CacheStoreSpec } from '../core/cache-spec.ts'
import type { PluginModuleSpec } from '../core/route-spec.ts'
import type { LimitsSpec, Snapshot, TracingSpec } from '../core/spec.ts'
import type { AdminConfig } from './schema/admin.ts'
import type { WrittenBackendTls } from './schema/backend-tls.ts'
import type { LongForm } from './schema/file.ts'
import type { WrittenListener } from './schema/listener.ts'
import type { KeyPairFiles, ListenerTlsConfig } from './schema/listener-tls.ts'
import type { WrittenPool } from './schema/pool.ts'
import type { WrittenRoute } from './schema/route.ts'

export type { AdminConfig, AdminTlsConfig } from './schema/admin.ts'
export type { BackendConfig } from './schema/backend.ts'
export type { ClientAuthConfig, HstsConfig, KeyPairFiles } from './schema/listener-tls.ts'
export type { AccessConfig } from './schema/logging.ts'
export type { ActionConfig } from './schema/route.ts'
export type { StickyConfig } from './schema/sticky.ts'

/** As `WrittenListener`, with its pool and every default; names of files are absolute. */
export interface ListenerConfig extends Omit<WrittenListener, 'pool' | 'tls'> {
  /**
   * The pool that it passes requests to that no route takes; '' = there is none. '' for `tls-passthrough`, and for a
   * redirect where no HTTP pool is configured.
   */
  readonly pool: string
  readonly tls: (ListenerTlsConfig & { readonly alpn: readonly string[] }) | null
}

/** As `WrittenPool`, with its kind and the defaults that depend on it; names of files are absolute. */
export interface PoolConfig extends Omit<WrittenPool, 'tls'> {
  readonly kind: 'http' | 'tcp'
  readonly tls: Omit<WrittenBackendTls, 'cert' | 'key'> & {
    /** Our own certificate, for backends that ask for one. */
    readonly identity: KeyPairFiles | null
    readonly alpn: readonly string[]
  }
}

/** As `WrittenRoute`, with its name; names of files are absolute, and their contents are there. */
export interface RouteConfig extends Omit<WrittenRoute, 'name' | 'cache'> {
  readonly name: string
  /** With what the top level says; null = it does not cache. */
  readonly cache: CacheSpec | null
}

export interface Config {
  readonly listeners: readonly ListenerConfig[]
  /** At least one; it has no backends where no pool is configured, as every listener redirects. */
  readonly pools: Readonly<Record<string, PoolConfig>>
  /** In the order of the file, then those that `rate_limit` and `cache` of the top level stand for. */
  readonly routes: readonly RouteConfig[]
  /** Null where nobody writes one and no route caches; the path of its disk is absolute. */
  readonly cacheStore: CacheStoreSpec | null
  /** Modules of plug-ins, as the file names them; their URLs are '' until `loadWithPlugins` has imported them. */
  readonly plugins: readonly PluginModuleSpec[]
  /** null = no admin API. */
  readonly admin: AdminConfig | null
  readonly workers: 'auto' | number
  /** CIDR blocks in normal form. */
  readonly trustedProxies: readonly string[]
  readonly limits: LimitsSpec
  readonly logging: LongForm['logging']
  /** null = `traceparent` passes as any other field. */
  readonly tracing: TracingSpec | null
  readonly errorDetails: Snapshot['errorDetails']
  /** Absolute path; null = changes are not kept. */
  readonly stateFile: string | null
  readonly shutdown: { readonly graceMs: number }
}
