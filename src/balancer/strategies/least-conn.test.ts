import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countPicks, createBed, newSelection, pickerOf, sequence } from '../../../test/support/balancing-bed.ts'

test('the one with the fewest in flight', () => {
  const bed = createBed(3)
  const picker = pickerOf(bed, 'least-conn')
  bed.worker.enter(0, 0)
  bed.worker.enter(1, 0)
  for (let i = 0; i < 5; i++) assert.equal(picker.pick(newSelection()), bed.backends[2])
})

test('ties take turns among themselves, not with the neighbour of a busy one', () => {
  const bed = createBed(4)
  const picker = pickerOf(bed, 'least-conn')
  assert.equal(sequence(picker, bed, 5), 'a b c d a')
  bed.worker.enter(1, 0)
  assert.deepEqual(countPicks(picker, bed, 3000), [1000, 0, 1000, 1000])
})

test('load is weighed: with everything held, counts go as the weights', () => {
  const bed = createBed([5, 3, 2])
  const picker = pickerOf(bed, 'least-conn')
  for (let i = 0; i < 1000; i++) bed.worker.enter(picker.pick(newSelection())!.slot, 0)
  assert.deepEqual(
    [0, 1, 2].map((slot) => bed.worker.active(slot)),
    [500, 300, 200],
  )
})

test('idle backends of different weights take turns in proportion, mixed', () => {
  const bed = createBed([5, 1, 1])
  const picker = pickerOf(bed, 'least-conn')
  assert.deepEqual(countPicks(picker, bed, 7000), [5000, 1000, 1000])
  assert.ok(!sequence(picker, bed, 14).includes('a a a a a'))
  bed.owner.setFlag(0, 1)
  assert.deepEqual(countPicks(picker, bed, 200), [0, 100, 100])
})

test('a dead one is left out, the others stay level', () => {
  const bed = createBed(4)
  const picker = pickerOf(bed, 'least-conn')
  bed.owner.setFlag(2, 1)
  for (let i = 0; i < 300; i++) bed.worker.enter(picker.pick(newSelection())!.slot, 0)
  assert.deepEqual(
    [0, 1, 2, 3].map((slot) => bed.worker.active(slot)),
    [100, 100, 0, 100],
  )
})
