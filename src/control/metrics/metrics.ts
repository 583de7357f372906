// One scrape: the totals of shared memory and what the main thread counts itself, as text, in pieces small enough that
// the event loop is not held up however many backends there are.

import type { BackendSpec, ListenerSpec, PoolSpec } from '../../core/spec.ts'
import type { BackendTotals, ConnectionTotals, HistogramTotals } from '../../state/owner-state.ts'
import type { CertificateStatus } from '../certificates/certificate-status.ts'
import { backendStates, stateOfFlags } from '../health/backend-state.ts'
import type { Health } from '../health/health.ts'
import type { Membership } from '../membership.ts'
import type { ControlPort } from '../port.ts'
import { speaksTcp } from '../status.ts'
import { TimeSlice } from '../time-slice.ts'
import { writeCache } from './cache-metrics.ts'
import { histogramSample } from './histogram-sample.ts'
import { ProcessMetrics } from './process-metrics.ts'
import { labelText, TextWriter } from './text-writer.ts'
import { durationFamily, requestsFamily, type TrafficRow, trafficNames, trafficRow, writeRoutes } from './traffic.ts'

/** Where the numbers come from. */
export interface MetricsSources {
  readonly port: Pick<ControlPort, 'version' | 'state' | 'workers' | 'spanCounts' | 'caches' | 'cacheDiskProblem'>
  readonly health: Pick<Health, 'checks' | 'transitions'>
  readonly membership: Pick<Membership, 'members' | 'departing' | 'revision' | 'snapshot'>
  readonly reloadSuccessful: () => boolean
  readonly certificates: () => readonly Pick<CertificateStatus, 'name' | 'expires_at'>[]
}

interface BackendRow {
  readonly backend: BackendSpec
  readonly labels: string
  readonly totals: BackendTotals
  readonly up: boolean
}

interface ListenerRow {
  readonly listener: ListenerSpec
  readonly labels: string
  readonly totals: ConnectionTotals
}

/** Characters sent at once: small pieces cost more to send than to write. */
const pieceLength = 65_536
const classes = ['error', '1xx', '2xx', '3xx', '4xx', '5xx'] as const

export class Metrics {
  readonly #sources: MetricsSources
  readonly #process = new ProcessMetrics()

  constructor(sources: MetricsSources) {
    this.#sources = sources
  }

  /** The text of one scrape, piece by piece. */
  async *scrape(): AsyncGenerator<string> {
    const writer = new TextWriter()
    const slice = new TimeSlice()
    this.#writeInstance(writer)
    const listeners = this.#listeners()
    this.#writeListeners(writer, listeners)
    const traffic = await this.#traffic(slice)
    yield* writeEach(requestsFamily(writer), traffic, { writer, slice })
    writer.family('frontdesk_http_requests_active')
    for (const { listener, labels, totals } of listeners)
      if (listener.protocol === 'http') writer.sample(labels, totals.requestsActive)
    yield* writeEach(durationFamily(writer), traffic, { writer, slice })
    writeRoutes(writer, traffic)
    writeCache(writer, this.#sources.port)
    const rows = await this.#backends(slice)
    for (const write of backendFamilies(this.#sources)) yield* writeEach(write(writer), rows, { writer, slice })
    this.#writePools(writer)
    this.#writeWorkers(writer)
    this.#writeSpans(writer)
    await this.#process.write(writer)
    yield writer.take()
  }

  #writeInstance(writer: TextWriter): void {
    const { port, membership, reloadSuccessful } = this.#sources
    const build = labelText(['version', 'node'], [port.version, process.version])
    writer.family('frontdesk_build_info').sample(build, 1)
    writer.family('frontdesk_config_revision').sample('', membership.revision)
    writer.family('frontdesk_config_last_reload_successful').sample('', reloadSuccessful() ? 1 : 0)
  }

  #listeners(): ListenerRow[] {
    const { membership, port } = this.#sources
    return membership.snapshot.listeners.map((listener) => ({
      listener,
      labels: labelText(['listener'], [listener.name]),
      totals: port.state.connectionTotals(listener.row),
    }))
  }

  async #traffic(slice: TimeSlice): Promise<TrafficRow[]> {
    const { membership, port } = this.#sources
    const rows: TrafficRow[] = []
    for (const name of trafficNames(membership.snapshot, port.state.sizes)) {
      rows.push(trafficRow(name, port.state.trafficTotals(name.row)))
      if (slice.isOver) await slice.rest()
    }
    return rows
  }

  #writeListeners(writer: TextWriter, rows: readonly ListenerRow[]): void {
    const each = (name: Parameters<TextWriter['family']>[0], value: (totals: ConnectionTotals) => number): void => {
      writer.family(name)
      for (const { labels, totals } of rows) writer.sample(labels, value(totals))
    }
    each('frontdesk_connections_total', (totals) => totals.connections)
    each('frontdesk_connections_active', (totals) => totals.active)
    writer.family('frontdesk_connections_rejected_total')
    for (const { labels, totals } of rows) {
      for (const [reason, count] of Object.entries(totals.rejected))
        writer.sample(`${labels},reason="${reason}"`, count)
    }
    each('frontdesk_bytes_received_total', (totals) => totals.bytesReceived)
    each('frontdesk_bytes_sent_total', (totals) => totals.bytesSent)
    this.#writeTls(writer, rows)
  }

  #writeTls(writer: TextWriter, rows: readonly ListenerRow[]): void {
    const secure = rows.filter(({ listener }) => listener.tls !== null)
    writer.family('frontdesk_tls_handshakes_total')
    for (const { labels, totals } of secure) {
      for (const { version, resumed, count } of totals.handshakes)
        writer.sample(`${labels},version="${version}",resumed="${resumed}"`, count)
    }
    writer.family('frontdesk_tls_handshake_errors_total')
    for (const { labels, totals } of secure) {
      for (const [reason, count] of Object.entries(totals.handshakeErrors))
        writer.sample(`${labels},reason="${reason}"`, count)
    }
    writer.family('frontdesk_certificate_expiry_timestamp_seconds')
    // Two pairs may share a file, a series must not be told twice.
    const ends = new Map(this.#sources.certificates().map(({ name, expires_at }) => [name, Date.parse(expires_at)]))
    for (const [name, endMs] of ends) writer.sample(labelText(['name'], [name]), endMs / 1000)
  }

  #writePools(writer: TextWriter): void {
    writer.family('frontdesk_retries_total')
    for (const pool of this.#sources.membership.snapshot.pools) this.#writeRetries(writer, pool)
  }

  #writeRetries(writer: TextWriter, pool: PoolSpec): void {
    const labels = labelText(['pool'], [pool.name])
    for (const [reason, count] of Object.entries(this.#sources.port.state.poolTotals(pool.cursor).retries)) {
      writer.sample(`${labels},reason="${reason}"`, count)
    }
  }

  async #backends(slice: TimeSlice): Promise<BackendRow[]> {
    const { port, membership } = this.#sources
    const leaving = membership.departing().map(({ backend }) => backend)
    const backends = [...membership.members().map(({ backend }) => backend), ...leaving]
    const rows: BackendRow[] = []
    for (const backend of backends) {
      rows.push({
        backend,
        labels: labelText(['pool', 'backend'], [backend.pool, backend.url]),
        totals: port.state.backendTotals(backend.slot),
        up: port.state.isAvailable(backend.slot),
      })
      if (slice.isOver) await slice.rest()
    }
    return rows
  }

  #writeSpans(writer: TextWriter): void {
    const { exported, dropped } = this.#sources.port.spanCounts?.() ?? { exported: 0, dropped: 0 }
    writer.family('frontdesk_spans_exported_total').sample('', exported)
    writer.family('frontdesk_spans_dropped_total').sample('', dropped)
  }

  #writeWorkers(writer: TextWriter): void {
    const { port } = this.#sources
    const workers = port
      .workers()
      .map((worker) => ({ worker, labels: `worker="${worker.id}"`, row: port.state.workerRow(worker.id) }))
    writer.family('frontdesk_worker_event_loop_utilization_ratio')
    for (const { labels, row } of workers) writer.sample(labels, row.eluRatio)
    writer.family('frontdesk_worker_event_loop_lag_seconds')
    for (const { labels, row } of workers) writer.sample(labels, row.loopLagMs / 1000)
    writer.family('frontdesk_worker_connections')
    for (const { labels, row } of workers) writer.sample(labels, row.openConnections)
    writer.family('frontdesk_worker_up')
    for (const { labels, worker } of workers) writer.sample(labels, worker.state === 'running' ? 1 : 0)
    const restarts = workers.reduce((sum, { worker }) => sum + worker.restarts, 0)
    writer.family('frontdesk_worker_restarts_total').sample('', restarts)
  }
}

/** Writes the samples of a family, a piece at a time. */
async function* writeEach<R>(
  write: (row: R) => void,
  rows: readonly R[],
  { writer, slice }: { readonly writer: TextWriter; readonly slice: TimeSlice },
): AsyncGenerator<string> {
  for (const row of rows) {
    write(row)
    if (writer.length > pieceLength) yield writer.take()
    if (slice.isOver) await slice.rest()
  }
}

/** For each family of backends: begins it, and gives what writes one backend's samples. */
type FamilyOfBackends = (writer: TextWriter) => (row: BackendRow) => void

function backendFamilies({ health }: MetricsSources): FamilyOfBackends[] {
  const gauge =
    (name: Parameters<TextWriter['family']>[0], value: (row: BackendRow) => number): FamilyOfBackends =>
    (writer) => {
      writer.family(name)
      return (row) => writer.sample(row.labels, value(row))
    }
  const histogram =
    (name: Parameters<TextWriter['family']>[0], totals: (row: BackendRow) => HistogramTotals): FamilyOfBackends =>
    (writer) => {
      writer.family(name)
      // One that has observed nothing has no samples: with thousands of backends they would be most of the text.
      return (row) => {
        const found = totals(row)
        if (found.count > 0) writer.histogram(row.labels, histogramSample(found))
      }
    }
  return [
    gauge('frontdesk_backend_up', ({ up }) => (up ? 1 : 0)),
    gauge('frontdesk_backend_weight', ({ backend }) => backend.weight),
    (writer) => {
      writer.family('frontdesk_backend_state')
      return ({ labels, totals }) => {
        const is = stateOfFlags(totals.flags)
        for (const state of backendStates) writer.sample(`${labels},state="${state}"`, state === is ? 1 : 0)
      }
    },
    (writer) => {
      writer.family('frontdesk_backend_transitions_total')
      return ({ backend, labels }) => {
        for (const [to, count] of health.transitions(backend.slot)) writer.sample(`${labels},to="${to}"`, count)
      }
    },
    gauge('frontdesk_backend_connections_active', ({ totals }) => totals.active),
    gauge('frontdesk_backend_connections_idle', ({ totals }) => totals.idle),
    (writer) => {
      writer.family('frontdesk_backend_requests_total')
      return ({ backend, labels, totals }) => {
        // A TCP connection has no answer; it can only be broken.
        for (const [index, code] of (speaksTcp(backend) ? classes.slice(0, 1) : classes).entries())
          writer.sample(`${labels},code="${code}"`, totals.requests[index]!)
      }
    },
    gauge('frontdesk_backend_connect_errors_total', ({ totals }) => totals.connectFailures),
    histogram('frontdesk_backend_connect_duration_seconds', ({ totals }) => totals.connect),
    histogram('frontdesk_backend_request_duration_seconds', ({ totals }) => totals.duration),
    (writer) => {
      writer.family('frontdesk_backend_health_checks_total')
      return ({ backend, labels }) => {
        const checks = health.checks(backend.slot)
        if (checks === null) return
        writer.sample(`${labels},result="pass"`, checks.passes).sample(`${labels},result="fail"`, checks.fails)
      }
    },
  ]
}
