import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBed, newSelection, pickerOf, sequence } from '../../../test/support/balancing-bed.ts'

test('the first in order, the next when it is down or full', () => {
  const bed = createBed([1, 9, 1], { maxConnections: 2 })
  const picker = pickerOf(bed, 'first')
  assert.equal(sequence(picker, bed, 3), 'a a a')
  const order = []
  for (let backend = picker.pick(newSelection()); backend; backend = picker.pick(newSelection())) {
    bed.worker.enter(backend.slot, 2)
    order.push(backend.slot)
  }
  assert.deepEqual(order, [0, 0, 1, 1, 2, 2])
  bed.worker.leave(0)
  assert.equal(sequence(picker, bed, 2), 'a a')
  bed.owner.setFlag(0, 1)
  bed.worker.leave(2)
  assert.equal(sequence(picker, bed, 2), 'c c')
})
