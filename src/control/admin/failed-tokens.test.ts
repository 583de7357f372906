import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FailedTokens } from './failed-tokens.ts'

/** A clock that waiting moves. */
function table(options: { burst?: number; maxWaiting?: number; maxAddresses?: number } = {}) {
  let nowMs = 0
  const waits: number[] = []
  const failed = new FailedTokens({
    ...{ burst: 3, forgetMs: 1_000, paceMs: 100, maxWaiting: 2, maxAddresses: 100 },
    ...options,
    now: () => nowMs,
    wait: (ms) => {
      waits.push(ms)
      return new Promise(() => undefined)
    },
  })
  const fail = (address: string, times: number): number[] =>
    Array.from({ length: times }, () => failed.failed(address).retryAfterSeconds)
  return { failed, waits, fail, pass: (ms: number) => (nowMs += ms) }
}

it('lets some wrong tokens pass, then asks to wait, and forgets', async () => {
  const { failed, fail, pass } = table()
  assert.deepEqual(fail('10.0.0.1', 4), [0, 0, 1, 2])
  assert.equal(await failed.admit('10.0.0.2'), 0)
  pass(2_000)
  assert.equal(await failed.admit('10.0.0.1'), 0)
  assert.deepEqual(fail('10.0.0.1', 1), [1])
})

it('keeps nobody out for longer than twice the burst takes to forget', () => {
  assert.equal(table().fail('10.0.0.1', 1_000).at(-1), 4)
})

it('looks at further tokens one after the other, and at none beyond the queue', async () => {
  const { failed, fail, waits } = table()
  fail('10.0.0.1', 3)
  void failed.admit('10.0.0.1')
  void failed.admit('10.0.0.1')
  assert.deepEqual(waits, [0, 100])
  assert.equal(await failed.admit('10.0.0.1'), 1)
  assert.equal(await failed.admit('10.0.0.9'), 0, 'another address does not wait')
})

it('tells of the first one of an address and of the one too many', () => {
  const { failed } = table()
  const news = Array.from({ length: 5 }, () => failed.failed('10.0.0.1').isNews)
  assert.deepEqual(news, [true, false, true, false, false])
})

it('counts an IPv6 network of a customer as one', () => {
  const { fail } = table()
  fail('2001:db8:1:2::1', 2)
  assert.deepEqual(fail('2001:db8:1:2:ffff::9', 1), [1])
  assert.deepEqual(fail('2001:db8:1:3::1', 1), [0])
})

it('remembers a bounded number of addresses, those that failed last', () => {
  const { failed, fail } = table()
  fail('10.0.0.1', 3)
  for (let i = 0; i < 99; i++) failed.failed(`10.1.0.${i}`)
  assert.equal(fail('10.0.0.1', 1)[0], 2, 'still known')
  for (let i = 0; i < 1_000; i++) failed.failed(`10.2.${i >> 8}.${i & 255}`)
  assert.equal(failed.size, 100)
  assert.equal(fail('10.0.0.1', 1)[0], 0, 'forgotten')
})
