// What the streams of the admin API tell, as far as the command line reads it; docs/reference/openapi.json has the whole.
import type { BackendStatus, WorkerStatus } from '../control/status-document.ts'

interface Latency {
  readonly p50: number | null
  readonly p99: number | null
}

/** One backend in a `stats` event: rates of the last second, latencies of the last ten. */
export interface BackendFigures extends Pick<BackendStatus, 'pool' | 'url' | 'state' | 'alive' | 'weight'> {
  readonly current_connections: number
  readonly requests: number
  readonly rate: number
  readonly errors: number
  /** 0 to 1. */
  readonly error_rate: number
  readonly latency_ms: Latency
  readonly last_check: BackendStatus['last_check']
}

/** A `stats` event. */
export interface StatsDocument {
  readonly at: string
  readonly revision: number
  readonly uptime_seconds: number
  readonly requests: { readonly rate: number; readonly active: number; readonly error_rate: number }
  readonly latency_ms: Latency
  readonly connections: { readonly active: number }
  readonly bytes: { readonly received_rate: number; readonly sent_rate: number }
  /** Null = no route caches; older ones do not tell of it. `ratio`: of the last second, 0 to 1; null = nothing was looked up. */
  readonly cache?: { readonly ratio: number | null; readonly bytes: number } | null
  readonly workers: readonly Pick<WorkerStatus, 'id' | 'state' | 'utilization'>[]
  /** `backends` has all of them; else those that have changed since the event before. */
  readonly full: boolean
  readonly backends: readonly BackendFigures[]
  readonly removed: readonly Pick<BackendFigures, 'pool' | 'url'>[]
}

/** The `hello` event, with which a stream begins. */
export interface HelloDocument {
  readonly instance: string
  readonly version: string
  readonly revision: number
}
