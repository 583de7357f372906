import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countPicks, createBed, pickerOf } from '../../../test/support/balancing-bed.ts'

/** Within five standard deviations of what is expected. */
function assertNear(counts: number[], expected: number[]): void {
  counts.forEach((n, i) => {
    assert.ok(Math.abs(n - expected[i]!) <= 5 * Math.sqrt(expected[i]!), `${counts}, expected about ${expected}`)
  })
}

test('in proportion to weight, also when one is down', () => {
  const bed = createBed([5, 3, 2, 1, 7])
  const picker = pickerOf(bed, 'random')
  assertNear(countPicks(picker, bed, 18_000), [5000, 3000, 2000, 1000, 7000])
  bed.owner.setFlag(4, 1)
  assertNear(countPicks(picker, bed, 11_000), [5000, 3000, 2000, 1000, 0])
})

test('evenly where weights are equal; the share of full ones is spread over all others', () => {
  const bed = createBed(5, { maxConnections: 1 })
  const picker = pickerOf(bed, 'random')
  assertNear(countPicks(picker, bed, 10_000), [2000, 2000, 2000, 2000, 2000])
  bed.worker.enter(0, 1)
  assertNear(countPicks(picker, bed, 8000), [0, 2000, 2000, 2000, 2000])
})
