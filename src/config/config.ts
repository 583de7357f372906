// The checked configuration: the long form, every default filled in. Durations are milliseconds, sizes bytes.
import type { LimitsSpec } from '../core/spec.ts'
import type { LongForm } from './schema/file.ts'
import type { AdminConfig } from './schema/listener.ts'
import type { PoolConfig } from './schema/pool.ts'

export type { BackendConfig } from './schema/backend.ts'
export type { StickyConfig } from './schema/sticky.ts'
export type { AdminConfig, PoolConfig }

export interface ListenerConfig {
  readonly name: string
  /** '' = all interfaces, IPv4 and IPv6. */
  readonly host: string
  /** 0 = any free port (command line and library only). */
  readonly port: number
  readonly protocol: 'http'
  /** The pool of the implicit route, always one that exists. */
  readonly pool: string
}

export interface Config {
  readonly listeners: readonly ListenerConfig[]
  readonly pools: Readonly<Record<string, PoolConfig>>
  /** null = no admin API. */
  readonly admin: AdminConfig | null
  readonly workers: 'auto' | number
  /** CIDR blocks in normal form. */
  readonly trustedProxies: readonly string[]
  readonly limits: LimitsSpec
  readonly logging: LongForm['logging']
  /** Absolute path; null = changes are not kept. */
  readonly stateFile: string | null
  readonly shutdown: { readonly graceMs: number }
}
