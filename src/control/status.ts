// The status document: what GET /status and `frontdesk status` show. Names are part of the interface; see the guide.

import type { BackendSpec } from '../core/spec.ts'
import { quantile } from '../state/histogram.ts'
import { type BackendState, stateOfFlags } from './health/backend-state.ts'
import type { Health } from './health/health.ts'
import type { Membership } from './membership.ts'
import type { ControlPort, WorkerInfo } from './port.ts'
import { TimeSlice } from './time-slice.ts'

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

/** Where the numbers come from. */
export interface StatusSources {
  readonly port: Pick<ControlPort, 'version' | 'startedAtMs' | 'state' | 'workers' | 'isDraining'>
  readonly health: Pick<Health, 'checks'>
  readonly membership: Pick<Membership, 'members' | 'departing' | 'revision'>
}

const rounded = (us: number): number => Math.round(us) / 1000

/** Of a TCP pool: it has connections, and no requests. */
export const speaksTcp = ({ protocol }: Pick<BackendSpec, 'protocol'>): boolean =>
  protocol === 'tcp' || protocol === 'tls'

/** One backend now. */
export function backendStatus(
  { port, health }: Omit<StatusSources, 'membership'>,
  backend: BackendSpec,
): BackendStatus {
  const totals = port.state.backendTotals(backend.slot)
  const isTcp = speaksTcp(backend)
  const { counts, count } = isTcp ? totals.connect : totals.duration
  const last = health.checks(backend.slot)?.last ?? null
  return {
    url: backend.url,
    alive: port.state.isAvailable(backend.slot),
    current_connections: totals.active,
    pool: backend.pool,
    protocol: backend.protocol,
    weight: backend.weight,
    max_connections: backend.maxConnections,
    backup: backend.backup,
    state: stateOfFlags(totals.flags),
    requests: isTcp ? 0 : totals.requests.reduce((sum, n) => sum + n, 0),
    connections: totals.connects,
    errors: totals.requests[0]! + totals.connectFailures,
    latency_ms: {
      p50: count === 0 ? null : rounded(quantile(counts, 0.5)),
      p99: count === 0 ? null : rounded(quantile(counts, 0.99)),
    },
    last_check: last === null ? null : { at: new Date(last.atMs).toISOString(), ok: last.ok, reason: last.reason },
  }
}

/** All backends: those in their pools, then removed ones that are still finishing. */
function allBackends({ membership }: StatusSources): BackendSpec[] {
  const running = membership.members().map(({ backend }) => backend)
  const leaving = membership.departing().map(({ backend }) => backend)
  return [...running, ...leaving]
}

/** All backends now, without holding up the event loop however many there are. */
export async function backendList(sources: StatusSources): Promise<BackendStatus[]> {
  const slice = new TimeSlice()
  const list: BackendStatus[] = []
  for (const backend of allBackends(sources)) {
    list.push(backendStatus(sources, backend))
    if (slice.isOver) await slice.rest()
  }
  return list
}

/** The document around a list of backends; without one, of all backends, in one go. */
export function statusDocument(
  sources: StatusSources,
  backends: BackendStatus[] = allBackends(sources).map((backend) => backendStatus(sources, backend)),
): StatusDocument {
  const { port, membership } = sources
  return {
    total_backends: backends.length,
    active_backends: backends.filter(({ alive }) => alive).length,
    backends,
    version: port.version,
    uptime_seconds: Math.floor((Date.now() - port.startedAtMs) / 1000),
    revision: membership.revision,
    draining: port.isDraining(),
    workers: port.workers().map((worker) => {
      const row = port.state.workerRow(worker.id)
      return { ...worker, connections: row.openConnections, utilization: Math.round(row.eluRatio * 1000) / 1000 }
    }),
  }
}

/** Whether traffic may be sent here: not draining, and a worker serves; at start, once all of them do. */
export function readiness(port: Pick<ControlPort, 'workers' | 'isDraining'>): 'ready' | 'draining' | 'starting' {
  if (port.isDraining()) return 'draining'
  const workers = port.workers()
  const starting = workers.some(({ state, restarts }) => state === 'starting' && restarts === 0)
  return !starting && workers.some(({ state }) => state === 'running') ? 'ready' : 'starting'
}
