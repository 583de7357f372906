// The status document: what GET /status and `frontdesk status` show. Names are part of the interface; see the guide.

import type { BackendSpec } from '../core/spec.ts'
import type { BackendState } from './health/backend-state.ts'

/** One data-plane thread as the supervisor knows it. */
export interface WorkerInfo {
  readonly id: number
  readonly state: 'starting' | 'running' | 'draining' | 'dead'
  readonly restarts: number
  /** Not a thread of its own: the main thread, serving what cannot be handed to one. */
  readonly main?: true
}

/** One backend as the admin API shows it. */
export interface BackendStatus {
  readonly url: string
  /** Takes new requests. One that was not checked yet (`unknown`) does. */
  readonly alive: boolean
  /** Requests in flight, over all workers; in a TCP pool open connections. */
  readonly current_connections: number
  readonly pool: string
  readonly protocol: BackendSpec['protocol']
  readonly weight: number
  /** 0 = no limit. */
  readonly max_connections: number
  readonly backup: boolean
  readonly state: BackendState
  /** Requests sent to it, broken ones included; 0 in a TCP pool. */
  readonly requests: number
  /** Connections made to it so far. */
  readonly connections: number
  /** Exchanges (in a TCP pool connections) that it broke, and connections to it that failed. */
  readonly errors: number
  /** From sending a request to the first byte of its answer, in a TCP pool until a connection stands; null without any. */
  readonly latency_ms: { readonly p50: number | null; readonly p99: number | null }
  readonly last_check: { readonly at: string; readonly ok: boolean; readonly reason: string } | null
  /** ISO 8601, of one that drains: then what is still bound to it is released, and what is open is closed. Absent = never. */
  readonly drain_ends_at?: string | undefined
}

export interface WorkerStatus extends WorkerInfo {
  readonly connections: number
  /** Share of time it was busy, 0 to 1. */
  readonly utilization: number
}

export interface StatusDocument {
  readonly total_backends: number
  /** How many of them are alive. */
  readonly active_backends: number
  readonly backends: BackendStatus[]
  readonly version: string
  readonly uptime_seconds: number
  readonly revision: number
  /** The process is stopping. */
  readonly draining: boolean
  readonly workers: WorkerStatus[]
}
