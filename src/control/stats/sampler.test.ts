import assert from 'node:assert/strict'
import { it } from 'node:test'
import { backendSpec, FakePort, poolSpec, snapshotOf } from '../../../test/support/control-kit.ts'
import type { BackendSpec } from '../../core/spec.ts'
import { Flag } from '../../state/flags.ts'
import { Sampler } from './sampler.ts'

interface Frame {
  readonly full: boolean
  readonly requests: { readonly total: number; readonly errors_total: number }
  readonly backends: readonly Record<string, unknown>[]
  readonly removed: readonly object[]
}

function bed(count: number) {
  const port = new FakePort()
  const backends = Array.from({ length: count }, (_, i) => backendSpec(port.state.claimSlot(), 3000 + i))
  const membership = { snapshot: snapshotOf([poolSpec(backends)]), revision: 1, departing: () => [] }
  const sampler = new Sampler({ port, membership, health: { checks: () => null } })
  const next = (since = sampler.number): Frame => {
    sampler.sample()
    return JSON.parse(sampler.frame(since)) as Frame
  }
  const configure = (list: readonly BackendSpec[]) => {
    membership.snapshot = snapshotOf([poolSpec(list)])
  }
  return { port, backends, next, configure, sampler }
}

const ports = ({ backends }: Frame): string[] => backends.map(({ url }) => String(url).slice(-4))

it('tells everything first, then what has changed since the sample that a reader has', () => {
  const { port, next, sampler } = bed(3)
  assert.deepEqual(ports(next(0)), ['3000', '3001', '3002'])
  assert.deepEqual(ports(next()), [])
  port.state.setFlag(1, Flag.PROBE_DOWN)
  const flipped = next()
  assert.deepEqual([ports(flipped), flipped.backends[0]!.state, flipped.backends[0]!.alive], [['3001'], 'down', false])
  port.worker.enter(2, 0)
  assert.deepEqual(ports(next()), ['3002'])
  assert.deepEqual(ports(JSON.parse(sampler.frame(1)) as Frame), ['3001', '3002'])
  assert.equal((JSON.parse(sampler.frame(0)) as Frame).full, true)
  port.worker.leave(2)
})

it('has rates of the last second, and latencies until ten samples later', () => {
  const { port, next } = bed(1)
  next(0)
  for (let i = 0; i < 4; i++) port.worker.backendFinished(0, i === 0 ? 502 : 200, 20_000)
  const [row] = next().backends
  assert.equal(row!.requests, 4)
  assert.ok(Number(row!.rate) > 0)
  assert.equal(row!.error_rate, 0.25)
  const { p50 } = row!.latency_ms as { p50: number }
  assert.ok(p50 > 15 && p50 <= 25, String(p50))
  const rates = Array.from({ length: 9 }, () => next().backends[0])
  assert.equal(rates[0]!.rate, 0)
  assert.deepEqual(rates.slice(1), new Array(8).fill(undefined))
  assert.deepEqual(next().backends[0]!.latency_ms, { p50: null, p99: null })
  assert.deepEqual(next().backends, [])
})

it('tells which backends are gone, and takes what has their row for another', () => {
  const { port, backends, next, configure, sampler } = bed(3)
  next(0)
  configure(backends.slice(1))
  const gone = { pool: 'default', url: backends[0]!.url }
  assert.deepEqual(next().removed, [gone])
  assert.deepEqual(next().removed, [])
  assert.deepEqual((JSON.parse(sampler.frame(1)) as Frame).removed, [gone])
  // Another one in the row of the second, and the first is back.
  port.worker.backendFinished(1, 200, 10)
  configure([backends[0]!, { ...backends[1]!, url: 'http://other' }, backends[2]!])
  const frame = next()
  assert.deepEqual(frame.removed, [{ pool: 'default', url: backends[1]!.url }])
  assert.deepEqual(frame.backends.map(({ url }) => url).sort(), [backends[0]!.url, 'http://other'].sort())
  assert.deepEqual((JSON.parse(sampler.frame(1)) as Frame).removed, frame.removed)
})

it('counts answers with 5xx and broken ones as failures, over all routes of a listener', () => {
  const { port, next } = bed(1)
  port.state.claimTraffic(100, 0)
  next(0)
  port.worker.requestStarted(0)
  port.worker.requestFinished(0, 0, 0, 200, 1000)
  port.worker.requestStarted(0)
  port.worker.requestFinished(0, 100, 0, 503, 1000)
  const { requests } = next()
  assert.deepEqual([requests.total, requests.errors_total], [2, 1])
})
