import assert from 'node:assert/strict'
import { it } from 'node:test'
import { emptySeries, greatest, seriesLength, withPoint } from './series.ts'
import { statsAt } from './stats-fixture.ts'

const secondsFrom = (from: number, count: number) => Array.from({ length: count }, (_, i) => statsAt(from + i))

it('keeps five minutes, one point for each second', () => {
  const series = secondsFrom(1_000, 400).reduce(withPoint, emptySeries)
  assert.equal(series.at.length, seriesLength)
  assert.deepEqual([series.at[0], series.at.at(-1)], [1_100, 1_399])
  assert.equal(series.columns.rate.length, seriesLength)
  assert.equal(greatest(series.columns.rate), 1_399)
})

it('leaves a gap where the stream was away, and takes no second twice', () => {
  const series = [statsAt(1), statsAt(2), statsAt(2), statsAt(60)].reduce(withPoint, emptySeries)
  assert.deepEqual(series.at, [1, 2, 59, 60])
  assert.deepEqual(series.columns.rate, [1, 2, null, 60])
})

it('knows no error rate where there was no request', () => {
  const { columns } = withPoint(emptySeries, statsAt(0))
  assert.deepEqual([columns.errorRate, columns.rate], [[null], [0]])
})

it('knows no hit ratio where nothing caches or nobody asked', () => {
  const cache = { hits: 3, requests: 4, ratio: 0.75, bytes: 1_000, entries: 2 }
  const seconds = [statsAt(1), statsAt(2, { cache: null }), statsAt(3, { cache: { ...cache, ratio: null } })]
  const { columns } = [...seconds, statsAt(4, { cache })].reduce(withPoint, emptySeries)
  assert.deepEqual(columns.hitRatio, [null, null, null, 75])
  assert.deepEqual(columns.cacheBytes, [null, null, 1_000, 1_000])
})
