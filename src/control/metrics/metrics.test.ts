import assert from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { describe, it } from 'node:test'
import { backendSpec, FakePort, poolSpec, snapshotOf } from '../../../test/support/control-kit.ts'
import { type MetricName, type MetricSpec, metrics as table } from '../../observe/metric-names.ts'
import { Metrics, type MetricsSources } from './metrics.ts'

function sources(port: FakePort, backends: number): MetricsSources {
  const pool = poolSpec(Array.from({ length: backends }, (_, i) => backendSpec(port.state.claimSlot(), i + 1)))
  const checks = { last: null, passes: 3, fails: 1 }
  const membership = {
    members: () => pool.backends.map((backend) => ({ backend, state: 'up' as const })),
    departing: () => [],
    revision: 7,
    snapshot: snapshotOf([pool]),
  }
  const health = { checks: () => checks, transitions: () => new Map([['down' as const, 2]]) }
  return { port, membership, health, reloadSuccessful: () => true }
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
    port.worker.requestFinished(0, 0, 200, 1500)
    port.worker.requestError(0, 0)
    port.worker.backendConnected(0, 900)
    port.worker.backendFinished(0, 200, 1200)
    port.worker.backendFinished(0, 0, 0)
    port.worker.retried(0, 0)
    const text = await scrape(new Metrics(sources(port, 2)))
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
