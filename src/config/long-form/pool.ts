// A pool as the long form writes it: every key that its kind has.
import type { HashKey, HealthCheckSpec } from '../../core/spec.ts'
import { formatDuration } from '../../util/duration.ts'
import type { PoolConfig } from '../config.ts'
import { defaultAlpn } from '../pool-kind.ts'
import { formatWireText } from '../wire-text.ts'
import { refForm, retriesForm, timeoutsForm } from './route.ts'
import { stickyForm } from './sticky.ts'

type Form = Record<string, unknown>

export function poolForm(pool: PoolConfig): Form {
  return {
    strategy: pool.customStrategy === null ? pool.strategy : { custom: refForm(pool.customStrategy) },
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
    timeouts: timeoutsForm(pool.kind === 'http' ? pool.timeouts : { connectMs: pool.timeouts.connectMs }),
    retries: retriesForm(pool.retries),
    ...(pool.kind === 'http' && {
      keepalive: { max_idle: pool.keepalive.maxIdle, idle_timeout: formatDuration(pool.keepalive.idleTimeoutMs) },
      host_header: pool.hostHeader,
      hide_headers: pool.hideHeaders,
    }),
    ...(usesTls(pool) && { tls: tlsForm(pool.tls) }),
    send_proxy_protocol: pool.sendProxyProtocol,
  }
}

function hashKeyForm(key: HashKey): string {
  return key.by === 'header' || key.by === 'cookie' ? `${key.by}:${key.name}` : key.by
}

function healthForm(check: HealthCheckSpec | null): Form {
  if (check === null) return { method: 'none' }
  const { method, path, host, expectFrom, expectTo, send, receive } = check
  const http = { path, ...(host !== null && { host }), expect: `${expectFrom}-${expectTo}` }
  const tcp = {
    ...(send !== '' && { send: formatWireText(send) }),
    ...(receive !== '' && { receive: formatWireText(receive) }),
  }
  return {
    method,
    ...(method === 'http' ? http : tcp),
    interval: formatDuration(check.intervalMs),
    timeout: formatDuration(check.timeoutMs),
    rise: check.rise,
    fall: check.fall,
  }
}

/** Where no backend speaks TLS and nothing was said about it, the defaults mean nothing. */
function usesTls({ backends, kind, tls }: PoolConfig): boolean {
  if (backends.some(({ url }) => /^(https|tls):/.test(url))) return true
  const isDefault = tls.verify && tls.ca.files.length === 0 && tls.serverName === null && tls.identity === null
  return !isDefault || tls.minVersion !== 'TLSv1.2' || String(tls.alpn) !== String(defaultAlpn[kind])
}

function tlsForm(tls: PoolConfig['tls']): Form {
  const { ca, serverName, identity } = tls
  return {
    verify: tls.verify,
    ca: ca.files.length === 0 ? 'system' : [...(ca.system ? ['system'] : []), ...ca.files],
    ...(serverName !== null && { server_name: serverName }),
    ...identity,
    min_version: tls.minVersion.replace('TLSv', ''),
    alpn: tls.alpn,
  }
}
