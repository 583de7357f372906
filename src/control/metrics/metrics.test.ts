import assert from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { describe, it } from 'node:test'
import {
  backendSpec,
  cacheSpec,
  FakePort,
  listenerSpec,
  poolSpec,
  routeSpec,
  snapshotOf,
} from '../../../test/support/control-kit.ts'
import { errorNames } from '../../core/errors.ts'
import type { ListenerTlsSpec } from '../../core/spec.ts'
import { type MetricName, type MetricSpec, metrics as table } from '../../observe/metric-names.ts'
import type { CachePlane } from '../../pool/cache-plane.ts'
import { TrafficRows } from '../../state/traffic-rows.ts'
import { Metrics, type MetricsSources } from './metrics.ts'

const tls: ListenerTlsSpec = {
  identities: [],
  minVersion: 'TLSv1.2',
  ciphers: '',
  alpn: [],
  sessionTickets: true,
  ticketRotationMs: 0,
  clientAuth: null,
  hsts: '',
}

/** A memory and a disk of which only the totals matter. */
const caches = [
  {
    store: {
      totals: () => ({
        memory: 1_048_576,
        used: 70_000,
        entries: 3,
        payload: 60_000,
        stored: 9,
        evicted: 4,
        purged: 2,
        filling: 1,
      }),
    },
    disk: {
      totals: () => ({
        size: 5000,
        used: 800,
        entries: 7,
        state: 'degraded',
        problem: 'ENOSPC',
        dropped: 6,
        damaged: 5,
      }),
    },
  },
] as unknown as readonly CachePlane[]

function sources(port: FakePort, backends: number): MetricsSources {
  const pool = poolSpec(Array.from({ length: backends }, (_, i) => backendSpec(port.state.claimSlot(), i + 1)))
  const database = backendSpec(port.state.claimSlot(), 5432, { protocol: 'tcp', pool: 'db' })
  const checks = { last: null, passes: 3, fails: 1 }
  const snapshot = snapshotOf([pool, poolSpec([database], { name: 'db', kind: 'tcp', cursor: 1 })])
  const secure = listenerSpec({ name: 'pg', row: 1, protocol: 'tcp', pool: 'db', tls })
  const membership = {
    members: () =>
      [...pool.backends, database].map((backend) => ({ backend, state: 'up' as const, drainEndsAt: null })),
    departing: () => [],
    revision: 7,
    snapshot: { ...snapshot, listeners: [...snapshot.listeners, secure] },
  }
  const health = { checks: () => checks, transitions: () => new Map([['down' as const, 2]]) }
  const certificate = { name: '/etc/a "b".pem', expires_at: '2030-01-01T00:00:00.500Z' }
  return { port, membership, health, reloadSuccessful: () => true, certificates: () => [certificate, certificate] }
}

async function scrape(metrics: Metrics): Promise<string> {
  let text = ''
  for await (const piece of metrics.scrape()) text += piece
  return text
}

describe('Metrics', () => {
  it('exports every metric of the table once, with its labels, in valid lines', async () => {
    const port = new FakePort()
    port.worker.requestStarted(0)
    port.worker.requestFinished(0, 0, 0, 200, 1500)
    port.worker.requestError(0, 0)
    port.worker.rateLimited(0)
    port.worker.mirrored(0, 'sent')
    port.worker.cacheRequest(0, 'hit')
    port.worker.notStored(0, 'set-cookie')
    port.worker.backendConnected(0, 900)
    port.worker.backendFinished(0, 200, 1200)
    port.worker.backendFinished(0, 0, 0)
    port.worker.retried(0, 0)
    port.worker.tlsHandshake(1, 1, true)
    port.worker.tlsHandshakeFailed(1, 'not_tls')
    port.worker.connectionRejected(1, 'no_backend')
    port.worker.backendConnected(2, 900)
    port.worker.backendFinished(2, 0, 0)
    const text = await scrape(new Metrics({ ...sources(port, 2), port: Object.assign(port, { caches: () => caches }) }))
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
    assert.deepEqual(
      types.map(([, name, type]) => [name, type]),
      Object.entries(table).map(([name, { type }]) => [name, type]),
    )
    for (const line of text.split('\n')) {
      if (line === '' || line.startsWith('#')) continue
      const match = /^([a-z_]+?)(_bucket|_sum|_count)?(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)$/.exec(line)
      assert.ok(match !== null && Number.isFinite(Number(match[4])), line)
      const name = (match[1]! in table ? match[1] : `${match[1]}${match[2]}`) as MetricName
      const labels = [...(match[3] ?? '').matchAll(/([a-z_]+)="/g)].map((found) => found[1]!)
      const spec: MetricSpec = table[name]
      assert.deepEqual(labels.filter((label) => label !== 'le').sort(), [...spec.labels].sort(), line)
    }
    for (const name of Object.keys(table)) assert.match(text, new RegExp(`^${name}`, 'm'))
    const has = (line: string): void => assert.ok(text.includes(`\n${line}\n`), line)
    has('frontdesk_config_revision 7')
    has('frontdesk_http_requests_total{listener="default",route="default",method="GET",code="200"} 1')
    has('frontdesk_http_request_duration_seconds_bucket{listener="default",route="default",le="0.0025"} 1')
    has('frontdesk_backend_requests_total{pool="default",backend="http://127.0.0.1:1",code="error"} 1')
    has('frontdesk_backend_state{pool="default",backend="http://127.0.0.1:1",state="up"} 1')
    has('frontdesk_backend_transitions_total{pool="default",backend="http://127.0.0.1:1",to="down"} 2')
    has('frontdesk_backend_health_checks_total{pool="default",backend="http://127.0.0.1:2",result="fail"} 1')
    has('frontdesk_retries_total{pool="default",reason="connect"} 1')
    has('frontdesk_tls_handshakes_total{listener="pg",version="TLSv1.3",resumed="true"} 1')
    has('frontdesk_tls_handshakes_total{listener="pg",version="TLSv1.2",resumed="false"} 0')
    has('frontdesk_tls_handshake_errors_total{listener="pg",reason="not_tls"} 1')
    has('frontdesk_connections_rejected_total{listener="pg",reason="no_backend"} 1')
    const expiry = 'frontdesk_certificate_expiry_timestamp_seconds{name="/etc/a \\"b\\".pem"} 1893456000.5'
    assert.equal(text.split(`\n${expiry}\n`).length, 2, 'once')
    has('frontdesk_cache_requests_total{route="default",result="hit"} 1')
    has('frontdesk_cache_not_stored_total{route="default",reason="set-cookie"} 1')
    const figures = [...text.matchAll(/^frontdesk_cache_(\w+) (\d+)$/gm)].map(([, name, value]) => [name, value])
    assert.deepEqual(Object.fromEntries(figures), {
      entries: '3',
      bytes: '70000',
      size_bytes: '1048576',
      stored_total: '9',
      evicted_total: '4',
      purged_total: '2',
      disk_entries: '7',
      disk_bytes: '800',
      disk_size_bytes: '5000',
      disk_up: '0',
      disk_dropped_total: '6',
      disk_damaged_total: '5',
    })
    assert.doesNotMatch(text, /^frontdesk_http_\w+\{[^}]*listener="pg"/m)
    assert.doesNotMatch(text, /^frontdesk_tls_\w+\{[^}]*listener="default"/m)
    const database = [...text.matchAll(/^frontdesk_backend_requests_total\{pool="db".*$/gm)].map(String)
    assert.deepEqual(database, [
      'frontdesk_backend_requests_total{pool="db",backend="tcp://127.0.0.1:5432",code="error"} 1',
    ])
    has('frontdesk_backend_connect_duration_seconds_count{pool="db",backend="tcp://127.0.0.1:5432"} 1')
  })

  it('tells routes apart, by listener, and what they share only once', async () => {
    const port = new FakePort()
    const { membership, ...rest } = sources(port, 1)
    const rows = new TrafficRows(port.state)
    const limit = { key: { by: 'all' }, count: 1, periodMs: 1000, burst: 1, id: 1, tell: true, name: 'one' } as const
    const mirror = { pool: 'default', share: 1, maxBody: 0, maxActive: 1 }
    const routes = [
      routeSpec(
        {},
        {
          name: 'api "v1"',
          rows: [rows.claim(0, 'api "v1"'), rows.other(1)],
          rateLimits: [limit],
          mirror,
          cache: cacheSpec(),
        },
      ),
      routeSpec({}, { name: 'default', rows: [rows.claim(0, 'default')] }),
      routeSpec({}, { name: 'tail', rows: [rows.other(0)] }),
    ]
    const snapshot = { ...membership.snapshot, routes }
    const count = (row: number, status: number): void => {
      port.worker.requestStarted(0)
      port.worker.requestFinished(0, row, 0, status, 900)
    }
    count(0, 200)
    count(rows.claim(0, 'api "v1"'), 599)
    count(rows.other(0), 404)
    port.worker.requestError(rows.other(0), errorNames.indexOf('no_backend'))
    port.worker.rateLimited(rows.other(0))
    port.worker.mirrored(rows.claim(0, 'api "v1"'), 'dropped')
    port.worker.cacheRequest(rows.claim(0, 'api "v1"'), 'stale')
    const text = await scrape(new Metrics({ ...rest, port, membership: { ...membership, snapshot } }))
    const samples = (name: string) => text.split('\n').filter((line) => line.startsWith(`frontdesk_${name}{`))
    assert.deepEqual(samples('http_requests_total'), [
      'frontdesk_http_requests_total{listener="default",route="default",method="GET",code="200"} 1',
      'frontdesk_http_requests_total{listener="default",route="api \\"v1\\"",method="GET",code="599"} 1',
      'frontdesk_http_requests_total{listener="default",route="(other)",method="GET",code="404"} 1',
    ])
    assert.equal(samples('http_request_duration_seconds_count').length, 3)
    assert.deepEqual(samples('http_request_errors_total'), [
      'frontdesk_http_request_errors_total{route="(other)",reason="no_backend"} 1',
    ])
    assert.deepEqual(samples('rate_limited_total'), [
      'frontdesk_rate_limited_total{route="api \\"v1\\""} 0',
      'frontdesk_rate_limited_total{route="(other)"} 1',
    ])
    assert.deepEqual(
      samples('mirrored_requests_total').map((line) => line.replace(/^.*result=/, '')),
      ['"sent"} 0', '"dropped"} 1', '"too_large"} 0', '"failed"} 0'],
    )
    const cached = samples('cache_requests_total').map((line) => line.replace('frontdesk_cache_requests_total', ''))
    assert.deepEqual(cached, [
      '{route="api \\"v1\\"",result="hit"} 0',
      '{route="api \\"v1\\"",result="stale"} 1',
      '{route="api \\"v1\\"",result="revalidated"} 0',
      '{route="api \\"v1\\"",result="miss"} 0',
      '{route="api \\"v1\\"",result="collapsed"} 0',
      '{route="api \\"v1\\"",result="bypass"} 0',
    ])
    assert.doesNotMatch(text, /^frontdesk_cache_(?!requests_total)/m, 'there is no store')
  })

  it('does not hold up the event loop with 1,000 backends', async () => {
    const port = new FakePort(1100)
    const metrics = new Metrics(sources(port, 1000))
    for (let slot = 0; slot < 1000; slot++) {
      port.worker.backendConnected(slot, 900)
      port.worker.backendFinished(slot, 200, 1200)
    }
    await scrape(metrics)
    // The best of some rounds: other programs of the machine are not what is measured.
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < 5; round++) {
      const delay = monitorEventLoopDelay({ resolution: 1 })
      delay.enable()
      await scrape(metrics)
      delay.disable()
      best = Math.min(best, delay.max / 1e6)
    }
    assert.ok(best < 20, `the loop was held up for ${best} ms`)
  })
})
