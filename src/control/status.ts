// Puts the status document together, from shared memory and what control knows.

import type { BackendSpec } from '../core/spec.ts'
import { quantile } from '../state/histogram.ts'
import { stateOfFlags } from './health/backend-state.ts'
import type { Health } from './health/health.ts'
import type { Membership } from './membership.ts'
import type { ControlPort } from './port.ts'
import type { BackendStatus, StatusDocument } from './status-document.ts'
import { TimeSlice } from './time-slice.ts'

export type { BackendStatus, StatusDocument, WorkerStatus } from './status-document.ts'

/** Where the numbers come from. */
export interface StatusSources {
  readonly port: Pick<ControlPort, 'version' | 'startedAtMs' | 'state' | 'workers' | 'isDraining' | 'caches'>
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
  drainEndsAt: string | null = null,
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
    ...(drainEndsAt !== null && { drain_ends_at: drainEndsAt }),
  }
}

/** All backends: those in their pools, then removed ones that are still finishing. */
function allBackends({ membership }: StatusSources): { backend: BackendSpec; drainEndsAt: string | null }[] {
  const leaving = membership.departing().map(({ backend, endsAt }) => ({ backend, drainEndsAt: endsAt.toISOString() }))
  return [...membership.members(), ...leaving]
}

/** All backends now, without holding up the event loop however many there are. */
export async function backendList(sources: StatusSources): Promise<BackendStatus[]> {
  const slice = new TimeSlice()
  const list: BackendStatus[] = []
  for (const { backend, drainEndsAt } of allBackends(sources)) {
    list.push(backendStatus(sources, backend, drainEndsAt))
    if (slice.isOver) await slice.rest()
  }
  return list
}

/** The document around a list of backends; without one, of all backends, in one go. */
export function statusDocument(
  sources: StatusSources,
  backends: BackendStatus[] = allBackends(sources).map(({ backend, drainEndsAt }) =>
    backendStatus(sources, backend, drainEndsAt),
  ),
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
