import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boundsUs, bucketCount, bucketIndex, cumulative, exportBounds, quantile } from './histogram.ts'

test('six bounds a decade from 50 µs to 75 s', () => {
  assert.equal(boundsUs[0], 50)
  assert.equal(boundsUs.at(-1), 75_000_000)
  assert.deepEqual(boundsUs.slice(2, 8), [100, 150, 250, 350, 500, 750])
  for (const seconds of exportBounds) assert.ok(boundsUs.includes(Math.round(seconds * 1e6)), `${seconds}`)
})

test('a bound belongs to its bucket, a little more to the next', () => {
  boundsUs.forEach((bound, index) => {
    assert.equal(bucketIndex(bound), index)
    assert.equal(bucketIndex(bound + 0.5), index + 1)
    assert.equal(bucketIndex(bound + 1), index + 1)
  })
  for (const [us, index] of [
    [0, 0],
    [-5, 0],
    [0.2, 0],
    [1e12, bucketCount - 1],
    [Number.POSITIVE_INFINITY, bucketCount - 1],
  ] as const)
    assert.equal(bucketIndex(us), index)
})

test('quantiles are interpolated inside their bucket', () => {
  const counts = new Array<number>(bucketCount).fill(0)
  assert.equal(quantile(counts, 0.5), 0)
  counts[bucketIndex(1200)] = 100
  assert.equal(quantile(counts, 0.5), 1250)
  assert.equal(quantile(counts, 1), 1500)
  counts[bucketIndex(9e7)] = 300
  assert.equal(quantile(counts, 0.99), 75_000_000)
})

test('cumulative counts for export take in all finer buckets', () => {
  const counts = new Array<number>(bucketCount).fill(1)
  const out = cumulative(counts)
  assert.equal(out.length, exportBounds.length)
  assert.equal(out[0], boundsUs.filter((us) => us <= 500).length)
  assert.equal(out.at(-1), boundsUs.filter((us) => us <= 50e6).length)
})
