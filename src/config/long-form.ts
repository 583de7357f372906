// Checked configuration → the long form of a file, every key written out: for `check --expanded`.
import type { HashKey, HealthCheckSpec, RetriesSpec } from '../core/spec.ts'
import { formatByteSize } from '../util/byte-size.ts'
import { formatDuration } from '../util/duration.ts'
import type { Config, PoolConfig, StickyConfig } from './config.ts'
import { formatListenAddress } from './listen-address.ts'
import { redact } from './redact.ts'

/** The long form as a plain document: a file with this content means the same. Secrets are `***`. */
export function longFormOf(config: Config): Record<string, unknown> {
  return redact(longFormWithSecrets(config))
}

/** As `longFormOf`, secrets included: not for printing. */
export function longFormWithSecrets(config: Config): Record<string, unknown> {
  const { limits, logging, admin } = config
  return {
    listeners: config.listeners.map((listener) => ({
      name: listener.name,
      listen: formatListenAddress(listener),
      protocol: listener.protocol,
      pool: listener.pool,
    })),
    pools: Object.fromEntries(Object.entries(config.pools).map(([name, pool]) => [name, poolForm(pool)])),
    admin: admin && { listen: formatListenAddress(admin), ...(admin.token !== null && { token: admin.token }) },
    workers: config.workers,
    trusted_proxies: config.trustedProxies,
    limits: {
      header_size: formatByteSize(limits.headerSize),
      header_count: limits.headerCount,
      target_size: formatByteSize(limits.targetSize),
      body_size: formatByteSize(limits.bodySize),
      header_timeout: formatDuration(limits.headerTimeoutMs),
      idle_timeout: formatDuration(limits.idleTimeoutMs),
      max_connections: limits.maxConnections,
      max_connections_per_ip: limits.maxConnectionsPerIp,
      handshake_timeout: formatDuration(limits.handshakeTimeoutMs),
      max_handshakes: limits.maxHandshakes,
      hello_size: formatByteSize(limits.helloSize),
    },
    logging: { level: logging.level, format: logging.format, access: logging.access },
    state_file: config.stateFile,
    shutdown: { grace: formatDuration(config.shutdown.graceMs) },
  }
}

function poolForm(pool: PoolConfig): Record<string, unknown> {
  return {
    strategy: pool.strategy,
    ...(pool.strategy === 'hash' && { hash_key: hashKeyForm(pool.hashKey) }),
    backends: pool.backends.map((backend) => ({
      url: backend.url,
      weight: backend.weight,
      max_connections: backend.maxConnections,
      backup: backend.backup,
    })),
    sticky: pool.sticky && stickyForm(pool.sticky),
    health_check: healthForm(pool.healthCheck),
    passive_health: {
      max_fails: pool.passiveHealth.maxFails,
      window: formatDuration(pool.passiveHealth.windowMs),
      eject: formatDuration(pool.passiveHealth.ejectMs),
    },
    timeouts: {
      connect: formatDuration(pool.timeouts.connectMs),
      first_byte: formatDuration(pool.timeouts.firstByteMs),
      idle: formatDuration(pool.timeouts.idleMs),
      total: formatDuration(pool.timeouts.totalMs),
      tunnel: formatDuration(pool.timeouts.tunnelMs),
    },
    retries: retriesForm(pool.retries),
    keepalive: { max_idle: pool.keepalive.maxIdle, idle_timeout: formatDuration(pool.keepalive.idleTimeoutMs) },
    host_header: pool.hostHeader,
    hide_headers: pool.hideHeaders,
  }
}

function hashKeyForm(key: HashKey): string {
  return key.by === 'header' || key.by === 'cookie' ? `${key.by}:${key.name}` : key.by
}

function stickyForm(sticky: StickyConfig): Record<string, unknown> {
  const { by, name } = sticky
  const ttl = formatDuration(sticky.ttlMs)
  if (by === 'ip') return { by, ttl }
  if (by === 'header') return { by, header: name, ttl }
  return { by, cookie: name, ttl, ...(sticky.secret !== null && { secret: sticky.secret }) }
}

function healthForm(check: HealthCheckSpec | null): Record<string, unknown> {
  if (check === null) return { method: 'none' }
  const { method, path, host, expectFrom, expectTo } = check
  const http = { path, ...(host !== null && { host }), expect: `${expectFrom}-${expectTo}` }
  return {
    method,
    ...(method === 'http' && http),
    interval: formatDuration(check.intervalMs),
    timeout: formatDuration(check.timeoutMs),
    rise: check.rise,
    fall: check.fall,
  }
}

function retriesForm(retries: RetriesSpec): Record<string, unknown> {
  return {
    attempts: retries.attempts,
    on: [
      ...(retries.onConnect ? ['connect'] : []),
      ...(retries.onReset ? ['reset'] : []),
      ...retries.onStatus.map(String),
    ],
    budget: `${Number((retries.budgetRatio * 100).toFixed(9))}%`,
  }
}
