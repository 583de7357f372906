// Checked configuration → the long form of a file, every key written out: for `check --expanded`.
import { formatByteSize } from '../util/byte-size.ts'
import { formatDuration } from '../util/duration.ts'
import type { Config } from './config.ts'
import { adminForm } from './long-form/admin.ts'
import { cacheStoreForm } from './long-form/cache.ts'
import { listenerForm } from './long-form/listener.ts'
import { accessLogForm, tracingForm } from './long-form/observability.ts'
import { poolForm } from './long-form/pool.ts'
import { routeForm } from './long-form/route.ts'
import { redact } from './redact.ts'

/** The long form as a plain document: a file with this content means the same. Secrets are `***`. */
export function longFormOf(config: Config): Record<string, unknown> {
  return redact(longFormWithSecrets(config))
}

/** As `longFormOf`, secrets included: not for printing. */
export function longFormWithSecrets(config: Config): Record<string, unknown> {
  return literal(formOf(config)) as Record<string, unknown>
}

/** Functions of a configuration in TypeScript have no text. */
function pluginsForm(plugins: Config['plugins']): { readonly plugins?: readonly string[] } {
  const labels = plugins.filter(({ kind }) => kind === 'plugin').map(({ label }) => label)
  return labels.length === 0 ? {} : { plugins: labels }
}

/** What stands in the texts of a checked configuration is no variable of the environment any more. */
function literal(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${')
  if (Array.isArray(value)) return value.map(literal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, literal(inner)]))
}

function formOf(config: Config): Record<string, unknown> {
  const { limits, logging, admin } = config
  return {
    listeners: config.listeners.map(listenerForm),
    pools: Object.fromEntries(
      Object.entries(config.pools)
        .filter(([, { backends }]) => backends.length > 0)
        .map(([name, pool]) => [name, poolForm(pool)]),
    ),
    ...(config.routes.length > 0 && { routes: config.routes.map(routeForm) }),
    ...(config.cacheStore !== null && { cache_store: cacheStoreForm(config.cacheStore) }),
    ...pluginsForm(config.plugins),
    admin: admin && adminForm(admin),
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
    logging: { level: logging.level, format: logging.format, access: logging.access && accessLogForm(logging.access) },
    tracing: config.tracing && tracingForm(config.tracing),
    error_details: config.errorDetails,
    state_file: config.stateFile,
    shutdown: { grace: formatDuration(config.shutdown.graceMs) },
  }
}
