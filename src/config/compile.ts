// Checked configuration → snapshot: the plain data that every worker runs on.
import { createHash } from 'node:crypto'
import type {
  BackendSpec,
  BackendTlsSpec,
  Cursor,
  IdentitySpec,
  ListenerSpec,
  ListenerTlsSpec,
  PoolSpec,
  Slot,
  Snapshot,
  StickySpec,
} from '../core/spec.ts'
import { systemAuthorities } from '../util/authorities.ts'
import { parseBackendUrl } from './backend-url.ts'
import type {
  BackendConfig,
  Config,
  HstsConfig,
  KeyPairFiles,
  ListenerConfig,
  PoolConfig,
  StickyConfig,
} from './config.ts'

export type { KeyPairFiles } from './config.ts'

/** The slot of a backend, by pool and URL in normal form. */
export type SlotOf = (pool: string, url: string) => Slot

/** Files as they were loaded and checked; names are absolute, as the configuration has them. */
export interface TlsMaterial {
  identity(pair: KeyPairFiles): IdentitySpec
  /** The text of a PEM file: authorities, or a revocation list. */
  pem(path: string): string
}

export interface CompileOptions {
  readonly generation: number
  readonly instanceId: string
  readonly slotOf: SlotOf
  readonly cursorOf: (pool: string) => Cursor
  readonly listenerRowOf: (listener: string) => number
  /** Hex; for pools whose sticky cookie has no secret of its own. */
  readonly stickySecret: string
  readonly material: TlsMaterial
  /** Ports that listeners really got, where 0 was asked for. */
  readonly ports?: ReadonlyMap<string, number>
}

/** For configurations without TLS: asking it for anything is a programming error. */
export const noMaterial: TlsMaterial = {
  identity: ({ cert }) => {
    throw new Error(`no certificates were loaded, but the configuration names ${cert}`)
  },
  pem: (path) => {
    throw new Error(`no certificates were loaded, but the configuration names ${path}`)
  },
}

/** Compiles; the configuration must have come out of `loadConfig`. */
export function compileSnapshot(config: Config, options: CompileOptions): Snapshot {
  const tables = affinityTables(config)
  return {
    generation: options.generation,
    instanceId: options.instanceId,
    listeners: config.listeners.map((listener) => compileListener(listener, options)),
    pools: Object.entries(config.pools).map(([name, pool]) => compilePool(name, pool, tables.get(name) ?? -1, options)),
    routes: [],
    plugins: [],
    trustedProxies: config.trustedProxies,
    limits: config.limits,
    accessLog: config.logging.access,
    graceMs: config.shutdown.graceMs,
  }
}

function compileListener(listener: ListenerConfig, options: CompileOptions): ListenerSpec {
  return {
    ...listener,
    row: options.listenerRowOf(listener.name),
    port: options.ports?.get(listener.name) ?? listener.port,
    tls: listener.tls && compileListenerTls(listener.tls, options.material),
  }
}

function compileListenerTls(tls: NonNullable<ListenerConfig['tls']>, material: TlsMaterial): ListenerTlsSpec {
  const { certificates, clientAuth, hsts, ...rest } = tls
  return {
    ...rest,
    identities: certificates.map((pair) => material.identity(pair)),
    hsts: hsts === null ? '' : hstsField(hsts),
    clientAuth: clientAuth && {
      ...clientAuth,
      ca: material.pem(clientAuth.ca),
      crl: clientAuth.crl === null ? null : material.pem(clientAuth.crl),
    },
  }
}

/** Strict-Transport-Security (RFC 6797, section 6.1). */
function hstsField({ maxAgeMs, includeSubdomains, preload }: HstsConfig): string {
  const age = `max-age=${Math.floor(maxAgeMs / 1000)}`
  return `${age}${includeSubdomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`
}

function compilePool(name: string, pool: PoolConfig, table: number, options: CompileOptions): PoolSpec {
  const { backends, sticky, tls, ...rest } = pool
  return {
    ...rest,
    name,
    tls: compileBackendTls(tls, options.material),
    customStrategy: null,
    cursor: options.cursorOf(name),
    sticky: sticky === null ? null : compileSticky(sticky, table, options.stickySecret),
    backends: backends.map((backend) => compileBackend({ name, kind: pool.kind }, backend, options.slotOf)),
  }
}

function compileBackendTls(tls: PoolConfig['tls'], material: TlsMaterial): BackendTlsSpec {
  const { ca, identity, ...rest } = tls
  const own = ca.files.map((file) => material.pem(file))
  return {
    ...rest,
    ca: own.length === 0 ? null : [...(ca.system ? systemAuthorities() : []), ...own].join('\n'),
    identity: identity && keyPairOf(material.identity(identity)),
  }
}

const keyPairOf = ({ cert, key }: IdentitySpec): { cert: string; key: string } => ({ cert, key })

/** One backend of a pool as workers see it. */
function compileBackend(pool: Pick<PoolSpec, 'name' | 'kind'>, backend: BackendConfig, slotOf: SlotOf): BackendSpec {
  const { weight, maxConnections, backup } = backend
  const address = parseBackendUrl(backend.url)
  const protocol = address.socketPath !== null && pool.kind === 'tcp' ? 'tcp' : address.protocol
  return {
    slot: slotOf(pool.name, address.url),
    pool: pool.name,
    ...address,
    protocol,
    weight,
    maxConnections,
    backup,
  }
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
