import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countPicks, createBed, pickerOf, sequence } from '../../../test/support/balancing-bed.ts'
import { WorkerState } from '../../state/worker-state.ts'
import { strategies } from '../table.ts'

test("nginx's sequence for 5,1,1", () => {
  const bed = createBed([5, 1, 1])
  assert.equal(sequence(pickerOf(bed, 'round-robin'), bed, 9), 'a a b a c a a a a')
})

test('several workers take turns in one rotation', () => {
  const bed = createBed(3, { workers: 3 })
  const pickers = [0, 1, 2].map((id) =>
    strategies['round-robin'].build({
      backends: bed.backends,
      cursor: 0,
      state: new WorkerState(bed.owner.buffer, id),
    }),
  )
  const order = [0, 0, 1, 2, 2, 1, 0].map((id) => sequence(pickers[id]!, bed, 1))
  assert.equal(order.join(' '), 'a b c a b c a')
})

test('the share of a dead one is spread over all others in proportion, not over its neighbour', () => {
  const bed = createBed([2, 2, 4, 2])
  const picker = pickerOf(bed, 'round-robin')
  bed.owner.setFlag(0, 1)
  assert.deepEqual(countPicks(picker, bed, 4000), [0, 1000, 2000, 1000])
})

test('exact also when most are down, one beside the other', () => {
  const bed = createBed(200)
  const picker = pickerOf(bed, 'round-robin')
  for (let slot = 10; slot < 190; slot++) bed.owner.setFlag(slot, 1)
  assert.deepEqual(new Set(countPicks(picker, bed, 200)), new Set([10, 0]))
})

test('so is the share of a full one', () => {
  const bed = createBed(4, { maxConnections: 1 })
  const picker = pickerOf(bed, 'round-robin')
  bed.worker.enter(1, 1)
  assert.deepEqual(countPicks(picker, bed, 3000), [1000, 0, 1000, 1000])
})

test('goes on where the counter wraps', () => {
  const bed = createBed(4)
  const picker = pickerOf(bed, 'round-robin')
  const state = bed.worker
  state.ticket = () => 0xffffffff
  assert.equal(sequence(picker, bed, 1), 'd')
})
