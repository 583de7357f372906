import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countPicks, createBed, newSelection, pickerOf } from '../../../test/support/balancing-bed.ts'

test('the sooner of two: latency times load, by weight', () => {
  const bed = createBed(2)
  const picker = pickerOf(bed, 'least-time')
  bed.worker.backendFinished(0, 200, 1000)
  bed.worker.backendFinished(1, 200, 4500)
  assert.deepEqual(countPicks(picker, bed, 100), [100, 0])
  for (let i = 0; i < 3; i++) bed.worker.enter(0, 0)
  assert.deepEqual(countPicks(picker, bed, 100), [100, 0])
  for (let i = 0; i < 2; i++) bed.worker.enter(0, 0)
  assert.deepEqual(countPicks(picker, bed, 100), [0, 100])
})

test('held load settles where expected waits are equal', () => {
  const bed = createBed([1, 1, 2])
  for (const { slot } of bed.backends) bed.worker.backendFinished(slot, 200, slot === 0 ? 1000 : 2000)
  const picker = pickerOf(bed, 'least-time')
  for (let i = 0; i < 1000; i++) bed.worker.enter(picker.pick(newSelection())!.slot, 0)
  const loads = bed.backends.map(({ slot }) => bed.worker.active(slot))
  ;[400, 200, 400].forEach((expected, i) => {
    assert.ok(Math.abs(loads[i]! - expected) < 30, `${loads}`)
  })
})

test('backends without data get a fair chance: neither everything nor nothing', () => {
  const bed = createBed(3)
  bed.worker.backendFinished(0, 200, 500)
  bed.worker.backendFinished(1, 200, 500)
  const counts = countPicks(pickerOf(bed, 'least-time'), bed, 3000)
  for (const n of counts) assert.ok(n > 800 && n < 1200, `${counts}`)
})

test('a slow one that nobody asks any more is tried again after a while', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
  const bed = createBed(2)
  const picker = pickerOf(bed, 'least-time')
  bed.worker.heartbeat(0, 0, 0, 0)
  bed.worker.backendFinished(0, 200, 1000)
  bed.worker.backendFinished(1, 200, 10_000)
  assert.deepEqual(countPicks(picker, bed, 100), [100, 0])
  t.mock.timers.setTime(1_030_000)
  bed.worker.heartbeat(0, 0, 0, 0)
  bed.worker.backendFinished(0, 200, 1000)
  assert.equal(picker.pick(newSelection()), bed.backends[1])
})

test('a dead one is left out', () => {
  const bed = createBed(3)
  bed.worker.backendFinished(1, 200, 1)
  bed.owner.setFlag(1, 1)
  const counts = countPicks(pickerOf(bed, 'least-time'), bed, 1000)
  assert.ok(counts[1] === 0 && counts[0]! > 300 && counts[2]! > 300, `${counts}`)
})
