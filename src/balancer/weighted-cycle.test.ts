import assert from 'node:assert/strict'
import { test } from 'node:test'
import { weightedCycle } from './weighted-cycle.ts'

const letters = (weights: number[]): string =>
  Array.from(weightedCycle(weights), (i) => String.fromCharCode(97 + i)).join(' ')

const turnsOf = (cycle: Int32Array, backends: number): number[] => {
  const turns = new Array<number>(backends).fill(0)
  for (const index of cycle) turns[index]!++
  return turns
}

test("gives nginx's order", () => {
  assert.equal(letters([5, 1, 1]), 'a a b a c a a')
  assert.equal(letters([1, 1, 1]), 'a b c')
  assert.equal(letters([3, 2]), 'a b a b a')
  assert.equal(letters([1, 2, 3]), 'c b a c b c')
})

test('weights are divided by their gcd; 0 has no turn', () => {
  assert.equal(letters([500, 100, 100]), 'a a b a c a a')
  assert.equal(letters([0, 7, 7]), 'b c')
  assert.equal(letters([0, 4, 2]), 'b c b')
  assert.equal(letters([0, 0]), '')
  assert.equal(letters([]), '')
})

test('large weights: as many turns as weight, evenly spaced', () => {
  const weights = Array.from({ length: 200 }, (_, i) => 100 + i)
  const cycle = weightedCycle(weights)
  assert.deepEqual(turnsOf(cycle, 200), weights)
  const places = Array.from(cycle.keys()).filter((at) => cycle[at] === 50)
  const gaps = places.slice(1).map((at, i) => at - places[i]!)
  const mean = cycle.length / 150
  assert.ok(
    Math.max(...gaps) < mean * 1.2 && Math.min(...gaps) > mean * 0.8,
    `${Math.min(...gaps)}–${Math.max(...gaps)}`,
  )
})

test('length is bounded: beyond, shares are right within rounding and everybody has a turn', () => {
  const weights = [1, 999_983, 1_000_003]
  const cycle = weightedCycle(weights)
  assert.ok(cycle.length <= 66_000, `${cycle.length}`)
  const turns = turnsOf(cycle, 3)
  assert.equal(turns[0], 1)
  assert.ok(Math.abs(turns[1]! - turns[2]!) <= 2)
})

test('10,000 backends of many weights are laid out in a moment', () => {
  const start = performance.now()
  const cycle = weightedCycle(Array.from({ length: 10_000 }, (_, i) => 1 + (i % 100)))
  assert.ok(performance.now() - start < 2000)
  assert.ok(cycle.length <= 170_000)
  assert.ok(turnsOf(cycle, 10_000).every((turns) => turns > 0))
})
