// `frontdesk check --expanded`: a checked configuration written out as a file in the long form, every default filled in.

import type { Config, PoolConfig, StickyConfig } from '../config/config.ts'
import { formatListenAddress } from '../config/listen-address.ts'
import { redactedText } from '../config/redact.ts'
import type { HashKey, HealthCheckSpec } from '../core/spec.ts'
import { formatByteSize } from '../util/byte-size.ts'
import { formatDuration } from '../util/duration.ts'

/** What a file would say to get this configuration; secrets are hidden. */
export function expandedConfig(config: Config): Record<string, unknown> {
  const { limits, logging, admin } = config
  return {
    listeners: config.listeners.map(({ name, host, port, protocol, pool }) => ({
      name,
      listen: formatListenAddress({ host, port }),
      protocol,
      pool,
    })),
    pools: Object.fromEntries(Object.entries(config.pools).map(([name, pool]) => [name, expandedPool(pool)])),
    admin:
      admin === null
        ? null
        : { listen: formatListenAddress(admin), ...(admin.token === null ? {} : { token: redactedText }) },
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
    },
    logging: { level: logging.level, format: logging.format, access: logging.access },
    state_file: config.stateFile,
    shutdown: { grace: formatDuration(config.shutdown.graceMs) },
  }
}

function expandedPool(pool: PoolConfig): Record<string, unknown> {
  const { timeouts, retries, passiveHealth, keepalive } = pool
  return {
    strategy: pool.strategy,
    ...(pool.strategy === 'hash' ? { hash_key: hashKeyText(pool.hashKey) } : {}),
    backends: pool.backends.map(({ url, weight, maxConnections, backup }) => ({
      url,
      weight,
      max_connections: maxConnections,
      backup,
    })),
    sticky: pool.sticky === null ? null : expandedSticky(pool.sticky),
    health_check: expandedHealthCheck(pool.healthCheck),
    passive_health: {
      max_fails: passiveHealth.maxFails,
      window: formatDuration(passiveHealth.windowMs),
      eject: formatDuration(passiveHealth.ejectMs),
    },
    timeouts: {
      connect: formatDuration(timeouts.connectMs),
      first_byte: formatDuration(timeouts.firstByteMs),
      idle: formatDuration(timeouts.idleMs),
      total: formatDuration(timeouts.totalMs),
    },
    retries: {
      attempts: retries.attempts,
      on: [
        ...(retries.onConnect ? ['connect'] : []),
        ...(retries.onReset ? ['reset'] : []),
        ...retries.onStatus.map(String),
      ],
      budget: `${Number((retries.budgetRatio * 100).toFixed(6))}%`,
    },
    keepalive: { max_idle: keepalive.maxIdle, idle_timeout: formatDuration(keepalive.idleTimeoutMs) },
    host_header: pool.hostHeader,
    hide_headers: pool.hideHeaders,
  }
}

function expandedHealthCheck(check: HealthCheckSpec | null): Record<string, unknown> {
  if (check === null) return { method: 'none' }
  const http = {
    path: check.path,
    ...(check.host === null ? {} : { host: check.host }),
    expect: `${check.expectFrom}-${check.expectTo}`,
  }
  return {
    method: check.method,
    ...(check.method === 'http' ? http : {}),
    interval: formatDuration(check.intervalMs),
    timeout: formatDuration(check.timeoutMs),
    rise: check.rise,
    fall: check.fall,
  }
}

function expandedSticky(sticky: StickyConfig): Record<string, unknown> {
  return {
    by: sticky.by,
    ...(sticky.by === 'ip' ? {} : { [sticky.by]: sticky.name }),
    ttl: formatDuration(sticky.ttlMs),
    ...(sticky.secret === null ? {} : { secret: redactedText }),
  }
}

function hashKeyText(key: HashKey): string {
  return key.by === 'header' || key.by === 'cookie' ? `${key.by}:${key.name}` : key.by
}
