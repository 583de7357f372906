import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatKey, parseKey } from './key.ts'
import { formatRate, parseRate } from './limits.ts'

test('a rate is a count and a time', () => {
  assert.deepEqual(parseRate('100/s'), { count: 100, periodMs: 1000 })
  assert.deepEqual(parseRate('10 / m'), { count: 10, periodMs: 60_000 })
  assert.deepEqual(parseRate('1000/h'), { count: 1000, periodMs: 3_600_000 })
  assert.deepEqual(parseRate('5/10s'), { count: 5, periodMs: 10_000 })
  assert.deepEqual(parseRate('5/1.5m'), { count: 5, periodMs: 90_000 })
  for (const bad of ['', '100', '/s', '100/', '-1/s', '1.5/s', '0/s', '1/0s', '1/100ms', '1/2d', '1/s/s', '1/year'])
    assert.throws(() => parseRate(bad), Error, bad)
})

test('what is printed of a rate means the same', () => {
  const rate = fc.record({
    count: fc.integer({ min: 1, max: 1_000_000 }),
    periodMs: fc.integer({ min: 1000, max: 86_400_000 }),
  })
  fc.assert(fc.property(rate, (one) => assert.deepEqual(parseRate(formatRate(one)), { ...one })))
  assert.equal(formatRate({ count: 5, periodMs: 60_000 }), '5/m')
})

test('a key is by address, for all, or by a field or cookie', () => {
  assert.deepEqual(parseKey('header:X-API-Key'), { by: 'header', name: 'x-api-key' })
  assert.deepEqual(parseKey('cookie:Session'), { by: 'cookie', name: 'Session' })
  for (const text of ['ip', 'all', 'header:x-user', 'cookie:A']) assert.equal(formatKey(parseKey(text)), text)
  for (const bad of ['', 'IP', 'header:', 'header:a b', 'query:x']) assert.throws(() => parseKey(bad), Error, bad)
})
