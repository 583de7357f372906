// Statistics for tests: of a second since 1970, with as many requests as that number.
import type { BackendStats, Stats } from '../api/types.ts'

export function statsAt(second: number, more: Partial<Stats> = {}): Stats {
  return {
    at: new Date(second * 1000).toISOString(),
    revision: 1,
    uptime_seconds: second,
    draining: false,
    requests: { total: 0, rate: second, active: 0, errors_total: 0, error_rate: 0 },
    latency_ms: { p50: 1, p99: 2 },
    connections: { active: 1, total: 1, rejected_total: 0 },
    bytes: { received_total: 0, sent_total: 0, received_rate: 0, sent_rate: 0 },
    workers: [],
    listeners: [],
    tcp: { active: 0 },
    full: false,
    backends: [],
    removed: [],
    ...more,
  }
}

export function backendStats(url: string, more: Partial<BackendStats> = {}): BackendStats {
  return {
    pool: 'default',
    url,
    state: 'up',
    alive: true,
    weight: 1,
    current_connections: 0,
    requests: 0,
    rate: 0,
    errors: 0,
    error_rate: 0,
    latency_ms: { p50: null, p99: null },
    last_check: null,
    ...more,
  }
}
