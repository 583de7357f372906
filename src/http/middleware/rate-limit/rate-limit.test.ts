import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { type Fields, TestRequest, TestResponse } from '../../../../test/support/request-view.ts'
import type { Answer, RequestView } from '../../../core/plugin.ts'
import type { RateLimitSpec } from '../../../core/route-spec.ts'
import { createSharedState } from '../../../state/memory.ts'
import { OwnerState } from '../../../state/owner-state.ts'
import { WorkerState } from '../../../state/worker-state.ts'
import { isRefusal } from '../refusal.ts'
import { rateLimit } from './rate-limit.ts'

let owner: OwnerState
let nowUs: number
let deps: Parameters<typeof rateLimit>[1]

beforeEach(() => {
  const buffer = createSharedState({ workers: 1, slots: 1, pools: 1, listeners: 1, rateSets: 64 })
  owner = new OwnerState(buffer)
  nowUs = 1e9
  const worker = new WorkerState(buffer, 0)
  // The real table, and a clock that the test moves.
  const state = Object.assign(Object.create(worker) as WorkerState, { nowUs: () => nowUs })
  deps = { state, row: () => 0 }
})

/** One a second, two at once. */
const spec = (over: Partial<RateLimitSpec> = {}): RateLimitSpec => ({
  name: 'api',
  key: { by: 'ip' },
  count: 1,
  periodMs: 1000,
  burst: 2,
  id: 1,
  tell: true,
  ...over,
})
const from = (address: string, fields: Fields = []): TestRequest => new TestRequest({ fields, client: { address } })
type Step = ReturnType<typeof rateLimit>
const ask = (step: Step, request: RequestView): Answer | undefined => step.onRequest?.(request) as Answer | undefined
/** How many of so many requests pass. */
const passes = (step: Step, request: RequestView, times = 5): number =>
  Array.from({ length: times }, () => ask(step, request)).filter((answer) => answer === undefined).length

describe('rate_limit', () => {
  it('lets the burst pass, then answers 429 with the time to wait, and counts it', () => {
    const step = rateLimit([spec({ name: 'a "b"\\c' })], deps)
    assert.equal(passes(step, from('192.0.2.1'), 2), 2)
    nowUs += 100_000
    const answer = ask(step, from('192.0.2.1'))!
    assert.ok(isRefusal(answer) && answer.error.name === 'rate_limited')
    assert.equal(answer.status, 429)
    assert.deepEqual(answer.headers, {
      'Retry-After': '1',
      'RateLimit-Policy': '"a \\"b\\"\\\\c";q=2;w=2',
      RateLimit: '"a \\"b\\"\\\\c";r=0;t=1',
    })
    assert.equal(owner.trafficTotals(0).rateLimited, 1)
    nowUs += 899_000
    assert.equal(passes(step, from('192.0.2.1')), 0)
    nowUs += 1000
    assert.equal(passes(step, from('192.0.2.1')), 1)
    assert.equal(passes(step, from('192.0.2.2')), 2)
  })

  it('says nothing of limits that are not to be told', () => {
    const step = rateLimit([spec({ tell: false, count: 1, periodMs: 90_000, burst: 1 })], deps)
    assert.equal(step.onResponse, undefined)
    ask(step, from('192.0.2.1'))
    assert.deepEqual(ask(step, from('192.0.2.1'))!.headers, { 'Retry-After': '90' })
  })

  it('tells with every answer what is left', () => {
    const minute = spec({ name: 'minute', id: 2, count: 60, periodMs: 60_000, burst: 10 })
    const fast = spec({ name: 'fast', id: 3, count: 100, burst: 20 })
    const step = rateLimit([minute, spec({ name: 'quiet', id: 4, burst: 9, tell: false }), fast], deps)
    const told = (request: RequestView): Fields => {
      const response = new TestResponse(request, [['ratelimit', '"backend";r=1']])
      step.onResponse!(response)
      return response.forClient.slice(1)
    }
    const policies = ['RateLimit-Policy', '"minute";q=10;w=10, "fast";q=100;w=1']
    const request = from('192.0.2.1')
    assert.deepEqual(told(request), [policies, ['RateLimit', '"minute";r=10;t=0, "fast";r=20;t=0']])
    assert.equal(passes(step, request, 3), 3)
    assert.deepEqual(told(request), [policies, ['RateLimit', '"minute";r=7;t=3, "fast";r=17;t=1']])
    nowUs += 500_000
    assert.deepEqual(told(request), [policies, ['RateLimit', '"minute";r=7;t=3, "fast";r=20;t=0']])
    assert.equal(passes(step, request, 6), 6)
    assert.deepEqual(ask(step, request)?.headers, { 'Retry-After': '1' }, 'refused by the quiet one')
  })

  it('does not tell twice: its own refusal has said it', () => {
    class OwnAnswer extends TestResponse {
      override readonly backend = ''
    }
    const step = rateLimit([spec({ burst: 1 })], deps)
    assert.equal(passes(step, from('192.0.2.1')), 1)
    const { status, headers } = ask(step, from('192.0.2.1'))!
    const refused = new OwnAnswer(from('192.0.2.1'), Object.entries(headers as Record<string, string>), status)
    step.onResponse!(refused)
    assert.equal(refused.headers('RateLimit').length, 1)
    const other = new OwnAnswer(from('192.0.2.1'), [], 503)
    step.onResponse!(other)
    assert.equal(other.header('RateLimit'), '"api";r=0;t=1')
  })

  it('charges a request to no limit if one refuses it', () => {
    const wide = spec({ id: 2, burst: 5, tell: false })
    const both = rateLimit([wide, spec({ id: 3 })], deps)
    assert.equal(passes(both, from('192.0.2.1'), 10), 2)
    assert.equal(passes(rateLimit([wide], deps), from('192.0.2.1'), 10), 3)
  })

  it('counts by address, IPv6 by the /64', () => {
    const step = rateLimit([spec()], deps)
    assert.equal(passes(step, from('2001:db8::1')), 2)
    assert.equal(passes(step, from('2001:db8::ffff:1')), 0)
    assert.equal(passes(step, from('2001:db8:0:1::1')), 2)
    assert.equal(passes(step, from('unix:'), 1), 1)
    assert.equal(passes(step, from('2001:db9::1'), 1), 1)
    assert.equal(passes(step, from('unix:')), 1, 'one account, whoever was asked for before')
  })

  it('counts by address who sends the header twice: nobody knows which of the two a backend takes', () => {
    const step = rateLimit([spec({ key: { by: 'header', name: 'x-key' } })], deps)
    const twice = (value: string) =>
      from('192.0.2.1', [
        ['X-Key', value],
        ['x-key', 'real'],
      ])
    assert.equal(passes(step, twice('a'), 1) + passes(step, twice('b'), 1) + passes(step, twice('c'), 1), 2)
  })

  it('counts by all, by header, by cookie; without one by address', () => {
    const all = rateLimit([spec({ key: { by: 'all' }, id: 5 })], deps)
    assert.equal(passes(all, from('192.0.2.1')) + passes(all, from('192.0.2.2')), 2)
    const header = rateLimit([spec({ key: { by: 'header', name: 'x-key' }, id: 6 })], deps)
    const cookie = rateLimit([spec({ key: { by: 'cookie', name: 'sid' }, id: 7 })], deps)
    for (const [step, field] of [
      [header, ['X-Key', '']],
      [cookie, ['Cookie', 'a=b; sid=']],
    ] as const) {
      const having = (value: string, address: string) => from(address, [[field[0], field[1] + value]])
      assert.equal(passes(step, having('a', '192.0.2.1')) + passes(step, having('a', '192.0.2.2')), 2)
      assert.equal(passes(step, having('b', '192.0.2.1')), 2)
      assert.equal(passes(step, from('192.0.2.1')), 2, 'a stranger has an account of its own')
      assert.equal(passes(step, having('', '192.0.2.1')), 0, 'also with an empty value')
      assert.equal(passes(step, from('192.0.2.9')), 2)
      assert.equal(passes(step, having('192.0.2.9', '192.0.2.8')), 2, 'a value is no address')
    }
  })

  it('shares the counts of limits with one id only', () => {
    const [one, same, other] = [spec(), spec(), spec({ id: 9 })].map((of) => rateLimit([of], deps))
    assert.equal(passes(one!, from('192.0.2.1'), 1) + passes(same!, from('192.0.2.1')), 2)
    assert.equal(passes(other!, from('192.0.2.1')), 2)
  })

  it('grants exactly the burst at once, whatever the numbers; Retry-After is long enough and r and t are true', () => {
    const limit = fc.record({
      count: fc.integer({ min: 1, max: 1_000_000 }),
      periodMs: fc.integer({ min: 1000, max: 86_400_000 }),
      burst: fc.integer({ min: 1, max: 2000 }),
    })
    let id = 100
    fc.assert(
      fc.property(limit, fc.integer({ min: 0, max: 1e12 }), (over, startUs) => {
        nowUs = startUs
        const step = rateLimit([spec({ ...over, id: id++ })], deps)
        const request = from('192.0.2.1')
        assert.equal(passes(step, request, over.burst), over.burst)
        const answer = ask(step, request)
        assert.ok(answer !== undefined)
        const waitS = Number((answer.headers as Record<string, string>)['Retry-After'])
        assert.ok(Number.isInteger(waitS) && waitS >= 1)
        nowUs += waitS * 1e6
        const response = new TestResponse(request)
        step.onResponse!(response)
        const [, left, resetS] = /;r=(\d+);t=(\d+)$/.exec(response.header('RateLimit')!)!.map(Number)
        assert.ok(left! >= 1 && left! <= over.burst, `${left} of ${over.burst}`)
        nowUs += resetS! * 1e6
        assert.equal(passes(step, request, over.burst), over.burst, 'all of it again after t')
      }),
      { numRuns: 60 },
    )
  })
})
