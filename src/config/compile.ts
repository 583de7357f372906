// Checked configuration → snapshot: the plain data that every worker runs on.
import { createHash } from 'node:crypto'
import type { BackendSpec, Cursor, ListenerSpec, PoolSpec, Slot, Snapshot, StickySpec } from '../core/spec.ts'
import { parseBackendUrl } from './backend-url.ts'
import type { BackendConfig, Config, PoolConfig, StickyConfig } from './config.ts'

/** The slot of a backend, by pool and URL in normal form. */
export type SlotOf = (pool: string, url: string) => Slot

export interface CompileOptions {
  readonly generation: number
  readonly instanceId: string
  readonly slotOf: SlotOf
  readonly cursorOf: (pool: string) => Cursor
  readonly listenerRowOf: (listener: string) => number
  /** Hex; for pools whose sticky cookie has no secret of its own. */
  readonly stickySecret: string
  /** Ports that listeners really got, where 0 was asked for. */
  readonly ports?: ReadonlyMap<string, number>
}

/** Compiles; the configuration must have come out of `loadConfig`. */
export function compileSnapshot(config: Config, options: CompileOptions): Snapshot {
  const tables = affinityTables(config)
  return {
    generation: options.generation,
    instanceId: options.instanceId,
    listeners: config.listeners.map(
      (listener): ListenerSpec => ({
        name: listener.name,
        row: options.listenerRowOf(listener.name),
        host: listener.host,
        port: options.ports?.get(listener.name) ?? listener.port,
        socketPath: null,
        socketMode: null,
        inherited: null,
        ipv6Only: false,
        protocol: listener.protocol,
        pool: listener.pool,
        sni: [],
        tls: null,
        acceptProxyProtocol: [],
        idleTimeoutMs: 3_600_000,
        redirectHttpsPort: 0,
      }),
    ),
    pools: Object.entries(config.pools).map(([name, pool]) => compilePool(name, pool, tables.get(name) ?? -1, options)),
    trustedProxies: config.trustedProxies,
    limits: config.limits,
    accessLog: config.logging.access,
    graceMs: config.shutdown.graceMs,
  }
}

function compilePool(name: string, pool: PoolConfig, table: number, options: CompileOptions): PoolSpec {
  const { backends, sticky, ...rest } = pool
  return {
    ...rest,
    name,
    kind: 'http',
    tls: { verify: true, ca: null, serverName: null, identity: null, minVersion: 'TLSv1.2', alpn: ['http/1.1'] },
    sendProxyProtocol: null,
    cursor: options.cursorOf(name),
    sticky: sticky === null ? null : compileSticky(sticky, table, options.stickySecret),
    backends: backends.map((backend) => compileBackend(name, backend, options.slotOf)),
  }
}

/** One backend of a pool as workers see it. */
export function compileBackend(pool: string, backend: BackendConfig, slotOf: SlotOf): BackendSpec {
  const { weight, maxConnections, backup } = backend
  const address = parseBackendUrl(backend.url)
  return { slot: slotOf(pool, address.url), pool, ...address, weight, maxConnections, backup }
}

/** Pools that remember clients in shared memory, numbered in the order of the file. */
function affinityTables(config: Config): Map<string, number> {
  const names = Object.entries(config.pools).filter(([, { sticky }]) => sticky !== null && sticky.by !== 'cookie')
  return new Map(names.map(([name], i) => [name, i]))
}

function compileSticky(sticky: StickyConfig, table: number, processSecret: string): StickySpec {
  const { by, name, ttlMs } = sticky
  const own = sticky.secret === null ? null : createHash('sha256').update(sticky.secret).digest('hex')
  return { by, name, ttlMs, table, secret: by === 'cookie' ? (own ?? processSecret) : '' }
}
