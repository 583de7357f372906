import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countPicks, createBed, newSelection, pickerOf } from '../../../test/support/balancing-bed.ts'

test('of two backends always the less loaded for its weight', () => {
  const bed = createBed([1, 100])
  const picker = pickerOf(bed, 'power-of-two')
  for (let i = 0; i < 101; i++) bed.worker.enter(1, 0)
  for (let i = 0; i < 50; i++) assert.equal(picker.pick(newSelection()), bed.backends[0])
  for (let i = 0; i < 2; i++) bed.worker.enter(0, 0)
  for (let i = 0; i < 50; i++) assert.equal(picker.pick(newSelection()), bed.backends[1])
})

test('held load stays nearly level, far closer than by chance; a dead one has none', () => {
  const bed = createBed(20)
  const picker = pickerOf(bed, 'power-of-two')
  bed.owner.setFlag(7, 1)
  for (let i = 0; i < 1900; i++) bed.worker.enter(picker.pick(newSelection())!.slot, 0)
  const loads = bed.backends.map(({ slot }) => bed.worker.active(slot)).filter((_, i) => i !== 7)
  assert.equal(bed.worker.active(7), 0)
  assert.ok(Math.max(...loads) - Math.min(...loads) <= 8, `${loads}`)
})

test('held load goes as the weights', () => {
  const bed = createBed([4, 2, 1, 1])
  const picker = pickerOf(bed, 'power-of-two')
  for (let i = 0; i < 800; i++) bed.worker.enter(picker.pick(newSelection())!.slot, 0)
  const loads = bed.backends.map(({ slot }) => bed.worker.active(slot))
  ;[400, 200, 100, 100].forEach((expected, i) => {
    assert.ok(Math.abs(loads[i]! - expected) < 20, `${loads}`)
  })
})

test('the most loaded of all is never chosen while another will do', () => {
  const bed = createBed(5)
  for (let i = 0; i < 3; i++) bed.worker.enter(2, 0)
  const counts = countPicks(pickerOf(bed, 'power-of-two'), bed, 5000)
  assert.equal(counts[2], 0)
  for (const i of [0, 1, 3, 4]) assert.ok(counts[i]! > 1000, `${counts}`)
})
