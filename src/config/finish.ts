// The last step of loading: what depends on other parts is filled in, and files are found beside the configuration.
import type { AdminConfig, Config, ListenerConfig, PoolConfig } from './config.ts'
import { finishCacheStore } from './finish-cache-store.ts'
import { finishRoutes } from './finish-routes.ts'
import type { NamedFiles } from './named-files.ts'
import { decideKinds, defaultAlpn, implicitPoolOf, kindOfListener, type PoolKind } from './pool-kind.ts'
import { tokenIn } from './schema/admin.ts'
import type { LongForm } from './schema/file.ts'
import type { WrittenListener } from './schema/listener.ts'
import { pool as emptyPool, type WrittenPool } from './schema/pool.ts'

export interface FinishOptions {
  /** The configuration file; null without one. */
  readonly path: string | null
  readonly stateFileGiven: boolean
  readonly files: NamedFiles
}

/** A configuration that has passed the cross-check, completed. */
export function finish(long: LongForm, { path, stateFileGiven, files }: FinishOptions): Config {
  const at = (file: string): string => files.at(file)
  const { access } = long.logging
  const keepsState = long.state_file !== null && (path !== null || stateFileGiven)
  const kinds = decideKinds(long)
  const pools = Object.entries(long.pools).map(([name, pool]) => [name, finishPool(pool, kinds.get(name)!.kind, at)])
  // Where everything is redirected nobody is asked, but a listener has its place at a pool.
  if (pools.length === 0) pools.push(['default', finishPool(emptyPool.parse({}), 'http', at)])
  const poolOfListener = new Map(long.listeners.map((listener) => [listener.name, poolOf(long, listener)]))
  const routes = finishRoutes(long, poolOfListener, files)
  return {
    listeners: long.listeners.map((listener) => finishListener(listener, poolOfListener.get(listener.name)!, at)),
    pools: Object.fromEntries(pools) as Config['pools'],
    routes,
    cacheStore: finishCacheStore(long, routes, at),
    plugins: long.plugins.map((label) => ({ kind: 'plugin', url: '', label })),
    admin: long.admin && finishAdmin(long.admin, files),
    workers: long.workers,
    trustedProxies: long.trusted_proxies,
    limits: long.limits,
    logging: {
      ...long.logging,
      access: access === null ? null : { ...access, file: access.file === null ? null : at(access.file) },
    },
    tracing: long.tracing,
    errorDetails: long.error_details,
    stateFile: keepsState ? at(long.state_file!) : null,
    shutdown: long.shutdown,
  }
}

/**
 * The pool of a listener; of an http one that of the requests that no route takes, '' = there is none. A redirect asks
 * no backend, but has its place at an HTTP pool.
 */
export function poolOf(long: LongForm, listener: WrittenListener): string {
  if (listener.protocol === 'tls-passthrough') return ''
  const pool = listener.pool ?? implicitPoolOf(long, listener)
  if (listener.redirectHttpsPort > 0 && listener.pool === null) {
    const kinds = decideKinds(long)
    if (pool !== null && kinds.get(pool)?.kind === 'http') return pool
    return Object.keys(long.pools).find((name) => kinds.get(name)?.kind === 'http') ?? ''
  }
  if (pool === null && listener.protocol === 'http' && long.routes.length > 0) return ''
  if (pool === null) throw new Error('a listener without a pool passed the check')
  return pool
}

function finishAdmin(admin: AdminConfig, files: NamedFiles): AdminConfig {
  const { tokenFile, readTokenFile, tls } = admin
  const at = (file: string): string => files.at(file)
  return {
    ...admin,
    token: tokenFile === null ? admin.token : tokenIn(files.read(tokenFile)),
    tokenFile: tokenFile && at(tokenFile),
    readToken: readTokenFile === null ? admin.readToken : tokenIn(files.read(readTokenFile)),
    readTokenFile: readTokenFile && at(readTokenFile),
    tls: tls && {
      identity: { cert: at(tls.identity.cert), key: at(tls.identity.key) },
      clientAuth: tls.clientAuth && { ...tls.clientAuth, ca: at(tls.clientAuth.ca) },
    },
  }
}

function finishListener(listener: WrittenListener, pool: string, at: (file: string) => string): ListenerConfig {
  const { tls } = listener
  if (tls === null) return { ...listener, pool, tls }
  const { clientAuth } = tls
  return {
    ...listener,
    pool,
    tls: {
      ...tls,
      certificates: tls.certificates.map(({ cert, key }) => ({ cert: at(cert), key: at(key) })),
      alpn: tls.alpn ?? defaultAlpn[kindOfListener(listener)],
      clientAuth: clientAuth && {
        ...clientAuth,
        ca: at(clientAuth.ca),
        crl: clientAuth.crl === null ? null : at(clientAuth.crl),
      },
    },
  }
}

function finishPool(pool: WrittenPool, kind: PoolKind, at: (file: string) => string): PoolConfig {
  const { cert, key, ...tls } = pool.tls
  return {
    ...pool,
    kind,
    // Once a connection stands, bytes may have flowed: over TCP only its failure is retried.
    retries: kind === 'http' ? pool.retries : { ...pool.retries, onReset: false, onStatus: [] },
    tls: {
      ...tls,
      ca: { system: tls.ca.system, files: tls.ca.files.map(at) },
      identity: cert === null || key === null ? null : { cert: at(cert), key: at(key) },
      alpn: tls.alpn ?? defaultAlpn[kind],
    },
  }
}
