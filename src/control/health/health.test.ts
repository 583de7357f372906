import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import {
  backendSpec,
  checkSpec,
  MemoryLog,
  plainBackendTls,
  poolSpec,
  SilentListener,
} from '../../../test/support/control-kit.ts'
import { refusingPort } from '../../../test/support/ports.ts'
import { until } from '../../../test/support/wait.ts'
import type { PoolSpec } from '../../core/spec.ts'
import { createSharedState } from '../../state/memory.ts'
import { Flag, OwnerState } from '../../state/owner-state.ts'
import { Health, type HealthOptions } from './health.ts'
import type { ProbeResult } from './probe.ts'

const pass: ProbeResult = { ok: true, reason: 'connected' }
const refused: ProbeResult = { ok: false, reason: 'ECONNREFUSED' }

describe('Health', () => {
  let state: OwnerState
  let log: MemoryLog
  let health: Health
  const sent: [number, readonly string[]][] = []
  const make = (over: Partial<HealthOptions> = {}): Health => {
    const setAddresses = (slot: number, addresses: readonly string[]) => sent.push([slot, addresses])
    health = new Health({ state, log, setAddresses, ...over })
    return health
  }
  /** A pool of n backends on invented ports, each slot claimed and unknown. */
  const poolOf = (ports: readonly number[], over: Partial<PoolSpec> = {}): PoolSpec =>
    poolSpec(
      ports.map((port) => {
        const slot = state.claimSlot()
        state.setFlag(slot, Flag.UNKNOWN)
        return backendSpec(slot, port)
      }),
      over,
    )
  beforeEach(() => {
    state = new OwnerState(createSharedState({ slots: 64, pools: 4, listeners: 1, workers: 1, affinityTables: 1 }))
    log = new MemoryLog()
    sent.length = 0
  })
  afterEach(() => health.close())

  it('knows at once which backends are up, over real sockets', async () => {
    const alive = await SilentListener.start()
    const pool = poolOf([alive.port, await refusingPort()])
    make().update([pool])
    assert.equal(state.isAvailable(1), true, 'unknown counts as alive')
    await log.waitFor('backend_down')
    await log.waitFor('backend_up')
    assert.deepEqual([state.flags(0), state.flags(1)], [0, Flag.PROBE_DOWN])
    const [down] = log.named('backend_down')
    assert.equal(down?.level, 'warn')
    assert.equal(
      down?.message,
      `backend ${pool.backends[1]?.url} DOWN: connection refused (ECONNREFUSED) (first check)`,
    )
    assert.equal(health.checks(1)?.last?.reason, 'connection refused (ECONNREFUSED)')
    assert.deepEqual([...health.transitions(1)], [['down', 1]])
    await alive.stop()
  })

  it('sees a backend come back, and logs each flip once with cause and duration', async () => {
    const first = await SilentListener.start()
    const { port } = first
    make().update([poolOf([port], { healthCheck: checkSpec({ intervalMs: 20 }) })])
    await log.waitFor('backend_up')
    await first.stop()
    await log.waitFor('backend_down')
    const again = await SilentListener.start(port)
    await log.waitFor('backend_up', 2)
    assert.equal(state.flags(0), 0)
    assert.match(log.named('backend_up')[1]!.message, /^backend \S+ UP: connected \(was down for \d+ms\)$/)
    assert.match(
      log.named('backend_down')[0]!.message,
      /DOWN: connection refused \(ECONNREFUSED\) \(was up for [\d.]+m?s\)$/,
    )
    assert.equal(log.named('backend_down').length, 1)
    await again.stop()
  })

  it('needs `fall` failures and `rise` passes in a row', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const script = [pass, refused, pass, refused, refused, refused, pass, refused, pass, pass, pass]
    const seen: string[] = []
    let asked = 0
    make({
      probe: async () => {
        seen.push(`${asked}:${state.flags(0)}`)
        return script[asked++] ?? pass
      },
    }).update([poolOf([1], { healthCheck: checkSpec({ rise: 3, fall: 3 }) })])
    for (let turn = 0; turn < 40 && asked < script.length; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      t.mock.timers.tick(33_000)
    }
    await until('the last verdict is there', () => state.flags(0) === 0)
    const { PROBE_DOWN, UNKNOWN } = Flag
    const flags = [UNKNOWN, 0, 0, 0, 0, 0, PROBE_DOWN, PROBE_DOWN, PROBE_DOWN, PROBE_DOWN, PROBE_DOWN]
    assert.deepEqual(
      seen.slice(0, 11),
      flags.map((flag, index) => `${index}:${flag}`),
    )
  })

  it('checks every interval with jitter, sooner after a failure and while down', async (t) => {
    const delays: number[] = []
    const real = globalThis.setTimeout
    t.mock.method(globalThis, 'setTimeout', (run: () => void, ms: number) => {
      delays.push(ms)
      return real(run, 0)
    })
    const script = [pass, pass, pass, refused, refused, refused, refused, refused, refused, refused, refused, pass]
    let asked = 0
    make({ probe: async () => script[asked++] ?? pass }).update([poolOf([1])])
    await until('all checks ran', () => asked > script.length)
    const [a, b, c, afterFailure, ...down] = delays as [number, number, number, number, ...number[]]
    for (const ms of [a, b, c]) assert.ok(ms >= 27_000 && ms <= 33_000, String(ms))
    assert.equal(afterFailure, 0)
    const nominal = [250, 500, 1000, 2000, 4000, 5000, 5000]
    for (const [index, ms] of nominal.entries()) {
      assert.ok(Math.abs(down[index]! - ms) <= ms / 10 + 1, `${index}: ${down[index]} is not about ${ms}`)
    }
  })

  it('is told of a refused live connection and knows DOWN without waiting for the interval', async () => {
    const alive = await SilentListener.start()
    make().update([poolOf([alive.port])])
    await log.waitFor('backend_up')
    await alive.stop()
    health.failed({ slot: 0, error: 'connect_refused', code: 'ECONNREFUSED', count: 1 })
    await log.waitFor('backend_down')
    assert.equal(state.isAvailable(0), false)
  })

  it('does not blame a backend for errors that are not about reaching it', async () => {
    let asked = 0
    make({
      probe: async () => {
        asked += 1
        return pass
      },
    }).update([poolOf([1, 2])])
    await log.waitFor('backend_up', 2)
    for (let i = 0; i < 10; i++) health.failed({ slot: 0, error: 'reset_in_answer', code: 'ECONNRESET', count: 5 })
    assert.equal(state.flags(0), 0)
    assert.equal(asked, 2)
  })

  it('says once for each pool that nobody verifies its backends, and nothing of a pool without TLS', () => {
    const over = { tls: { ...plainBackendTls, verify: false }, healthCheck: null }
    const secure = poolOf([1, 2], over)
    const pool = { ...secure, backends: secure.backends.map((b) => ({ ...b, protocol: 'https' as const })) }
    const plain = { ...poolOf([3], over), name: 'plain' }
    make().update([pool, plain])
    health.update([structuredClone(pool), plain])
    const said = log.named('tls_not_verified')
    assert.deepEqual(
      said.map(({ level, fields }) => [level, fields.pool]),
      [['warn', 'default']],
    )
    health.update([{ ...pool, tls: plainBackendTls }, plain])
    health.update([pool, plain])
    assert.equal(log.named('tls_not_verified').length, 2, 'it begins anew')
  })

  it('says why TLS with a backend fails, the same reason once', () => {
    const pool = poolOf([1, 2], { healthCheck: null })
    make().update([pool])
    const fail = (slot: number, code: string) => health.failed({ slot, error: 'tls_certificate', code, count: 1 })
    for (const code of ['certificate has expired', 'certificate has expired', 'self-signed certificate']) fail(0, code)
    fail(1, 'certificate has expired')
    assert.deepEqual(
      log.named('backend_tls_failed').map(({ fields }) => [fields.backend, fields.reason]),
      [
        [pool.backends[0]!.url, 'certificate has expired'],
        [pool.backends[0]!.url, 'self-signed certificate'],
        [pool.backends[1]!.url, 'certificate has expired'],
      ],
    )
  })

  it('ejects after enough failed connections and takes it back in time', async (t) => {
    const pool = poolOf([1, 2], { healthCheck: null })
    t.mock.timers.enable({ apis: ['setTimeout'] })
    make().update([pool])
    health.failed({ slot: 0, error: 'connect_timeout', code: 'ETIMEDOUT', count: 4 })
    assert.equal(state.isAvailable(0), true)
    health.failed({ slot: 0, error: 'connect_timeout', code: 'ETIMEDOUT', count: 1 })
    assert.equal(state.flags(0), Flag.EJECTED | Flag.UNKNOWN)
    t.mock.timers.tick(29_999)
    assert.equal(state.isAvailable(0), false)
    t.mock.timers.tick(1)
    assert.equal(state.isAvailable(0), true)
    assert.deepEqual(
      log.events.map((event) => event.name),
      ['backend_ejected', 'backend_returned'],
    )
    assert.match(log.events[0]!.message, /EJECTED for 30s: 5 failed connections within 10s$/)
  })

  it('never ejects the last available backend, and gives an ejected one back when it becomes the last', () => {
    make().update([poolOf([1, 2], { healthCheck: null })])
    const fail = (slot: number) => health.failed({ slot, error: 'connect_refused', code: 'ECONNREFUSED', count: 9 })
    fail(0)
    assert.equal(state.isAvailable(0), false)
    fail(1)
    assert.equal(state.isAvailable(1), true, 'the last one stays')
    state.setFlag(1, Flag.DISABLED)
    health.noticed(1)
    assert.equal(state.isAvailable(0), true)
    assert.equal(log.named('backend_returned')[0]?.fields.why, 'last')
  })

  it('un-ejects on a passing regular check', async () => {
    const pool = poolOf([1, 2], { healthCheck: checkSpec({ intervalMs: 10 }) })
    let answer = pass
    make({ probe: async () => answer }).update([pool])
    await log.waitFor('backend_up', 2)
    answer = { ok: true, reason: 'connected' }
    health.failed({ slot: 0, error: 'connect_refused', code: 'ECONNREFUSED', count: 5 })
    assert.equal(log.named('backend_ejected').length, 1)
    await log.waitFor('backend_returned')
    assert.equal(log.named('backend_returned')[0]?.fields.why, 'check')
  })

  it('does not open more connections at once than it may', async () => {
    const ports = Array.from({ length: 60 }, (_, i) => i + 1)
    let now = 0
    let most = 0
    let done = 0
    make({
      concurrency: 7,
      probe: async () => {
        most = Math.max(most, (now += 1))
        await new Promise<void>((resolve) => setImmediate(resolve))
        now -= 1
        done += 1
        return pass
      },
    }).update([poolOf(ports)])
    await until('all were checked', () => done === 60)
    assert.equal(most, 7)
  })

  it('resolves names, sends the addresses, and makes a failing resolver a reason', async () => {
    const slot = state.claimSlot()
    const alive = await SilentListener.start()
    const backend = backendSpec(slot, alive.port, { host: 'app.example' })
    let fail = false
    const lookup = async () => {
      if (fail) throw Object.assign(new Error('x'), { code: 'ENOTFOUND' })
      return ['127.0.0.1']
    }
    make({ lookup, ttlOf: async () => null }).update([poolSpec([backend])])
    await until('it was checked', () => health.checks(slot)?.last?.ok === true)
    assert.deepEqual(sent, [[slot, ['127.0.0.1']]])
    assert.deepEqual([...health.addresses()], [[slot, ['127.0.0.1']]])
    fail = true
    const other = backendSpec(state.claimSlot(), alive.port, { host: 'gone.example' })
    health.update([poolSpec([backend, other])])
    await log.waitFor('backend_down')
    assert.match(log.named('backend_down')[0]!.message, /DOWN: ENOTFOUND/)
    assert.equal(log.named('resolve_failed').length, 1)
    await alive.stop()
  })

  it('forgets a removed backend and checks it no more', async () => {
    const pool = poolOf([1, 2])
    const asked: number[] = []
    make({
      probe: async ({ backend }) => {
        asked.push(backend.slot)
        return pass
      },
    }).update([pool])
    await log.waitFor('backend_up', 2)
    health.update([poolSpec([pool.backends[1]!])])
    health.failed({ slot: 0, error: 'connect_refused', code: 'ECONNREFUSED', count: 9 })
    assert.deepEqual(asked, [0, 1])
    assert.equal(health.checks(0), null)
    assert.equal(state.flags(0), 0)
  })

  it('follows other settings without losing what it knows; a check of another kind begins at once', async () => {
    const asked: string[] = []
    const probe = async ({ check }: { check: { path: string } }): Promise<ProbeResult> => {
      asked.push(check.path)
      return check.path === '/bad' ? refused : pass
    }
    const http = { method: 'http' as const, intervalMs: 60_000, fall: 1 }
    const of = poolOf([1], { healthCheck: checkSpec({ ...http, path: '/a' }) })
    make({ probe }).update([of])
    await log.waitFor('backend_up')
    health.update([{ ...of, healthCheck: checkSpec({ ...http, path: '/bad' }) }])
    await log.waitFor('backend_down')
    assert.deepEqual([asked, health.checks(0)?.passes], [['/a', '/bad'], 1])
    health.update([{ ...of, healthCheck: null }])
    assert.deepEqual([state.flags(0), health.checks(0)], [Flag.UNKNOWN, null])
    health.update([of])
    await log.waitFor('backend_up', 2)
    assert.equal(state.flags(0), 0)
    const before = asked.length
    health.update([{ ...of, timeouts: { ...of.timeouts, connectMs: 1 } }])
    assert.equal(asked.length, before, 'the same check is not asked for')
  })

  it('takes a backend back that was ejected when ejecting is switched off', () => {
    const of = poolOf([1, 2], { healthCheck: null, passiveHealth: { maxFails: 1, windowMs: 1000, ejectMs: 60_000 } })
    make().update([of])
    health.failed({ slot: 0, error: 'connect_refused', code: 'ECONNREFUSED', count: 1 })
    assert.equal(state.isAvailable(0), false)
    health.update([{ ...of, passiveHealth: { ...of.passiveHealth, maxFails: 0 } }])
    assert.equal(state.isAvailable(0), true)
  })
})
