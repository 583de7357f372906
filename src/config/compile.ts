// Checked configuration → snapshot: the plain data that every worker runs on.
import type { RouteSpec } from '../core/route-spec.ts'
import type {
  AccessLogSpec,
  BackendSpec,
  BackendTlsSpec,
  Cursor,
  IdentitySpec,
  ListenerSpec,
  ListenerTlsSpec,
  PoolSpec,
  Slot,
  Snapshot,
} from '../core/spec.ts'
import { parseTemplate } from '../routing/template.ts'
import { systemAuthorities } from '../util/authorities.ts'
import { parseBackendUrl } from './backend-url.ts'
import { compileRoutes, compileSticky, routeTable } from './compile-routes.ts'
import type {
  AccessConfig,
  BackendConfig,
  Config,
  HstsConfig,
  KeyPairFiles,
  ListenerConfig,
  PoolConfig,
  RouteConfig,
} from './config.ts'

import { redactionOf } from './schema/logging.ts'

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
  /** By name of a pool, or what `splitCursor` calls a split. */
  readonly cursorOf: (name: string) => Cursor
  readonly listenerRowOf: (listener: string) => number
  /** Rows of the counters of a route, by the position of a listener; without it those of the listeners. */
  readonly routeRowsOf?: (route: string) => readonly number[]
  /** Affinity table of a pool, or of what `routeTable` calls a route; without it they are numbered. */
  readonly tableOf?: (name: string) => number
  /** The routes as they were compiled for this configuration before: they do not depend on backends. */
  readonly routes?: readonly RouteSpec[] | undefined
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
  const tables = new Map(affinityOwners(config).map((name, i) => [name, i]))
  const tableOf = options.tableOf ?? ((name: string): number => tables.get(name)!)
  const listenerRows = config.listeners.map(({ name }) => options.listenerRowOf(name))
  const routeRowsOf = options.routeRowsOf ?? (() => listenerRows)
  const withTables = { ...options, tableOf }
  return {
    generation: options.generation,
    instanceId: options.instanceId,
    listeners: config.listeners.map((listener) => compileListener(listener, options)),
    pools: Object.entries(config.pools).map(([name, pool]) => compilePool(name, pool, withTables)),
    routes: options.routes ?? compileRoutes(config, { ...withTables, routeRowsOf }),
    plugins: config.plugins,
    trustedProxies: config.trustedProxies,
    limits: config.limits,
    cacheStore: cacheStoreOf(config),
    accessLog: config.logging.access && compileAccessLog(config.logging.access),
    tracing: config.tracing,
    errorDetails: config.errorDetails,
    workers: config.workers,
    graceMs: config.shutdown.graceMs,
  }
}

/** Nobody asks for memory that nothing is put into. */
function cacheStoreOf({ cacheStore, routes }: Config): Snapshot['cacheStore'] {
  return routes.some(({ cache }) => cache !== null) ? cacheStore : null
}

function compileAccessLog(access: AccessConfig): AccessLogSpec {
  const template = access.template === null ? [] : parseTemplate(access.template)
  return { ...access, template, redact: redactionOf(access) }
}

/** Who remembers clients in shared memory: pools, and routes by what `routeTable` calls them. */
export function affinityOwners({ pools, routes }: Pick<Config, 'pools' | 'routes'>): string[] {
  const inTable = (sticky: RouteConfig['sticky']): boolean =>
    sticky !== null && sticky !== 'none' && sticky.by !== 'cookie'
  const ofPools = Object.entries(pools).filter(([, { sticky }]) => inTable(sticky))
  const ofRoutes = routes.filter(({ sticky }) => inTable(sticky))
  return [...ofPools.map(([name]) => name), ...ofRoutes.map(({ name }) => routeTable(name))]
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

type WithTables = CompileOptions & Required<Pick<CompileOptions, 'tableOf'>>

function compilePool(name: string, pool: PoolConfig, options: WithTables): PoolSpec {
  const { backends, sticky, tls, ...rest } = pool
  return {
    ...rest,
    name,
    tls: compileBackendTls(tls, options.material),
    cursor: options.cursorOf(name),
    sticky: sticky === null ? null : compileSticky(sticky, name, options),
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
