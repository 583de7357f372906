import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { offsetsOf, rowAt, visibleRange } from './virtual-range.ts'

it('draws what is in sight and what is near', () => {
  const offsets = offsetsOf(Array.from({ length: 1_000 }, () => 46))
  assert.deepEqual(visibleRange(offsets, 0, 460, 0), { from: 0, to: 11 })
  assert.deepEqual(visibleRange(offsets, 4_600, 460, 92), { from: 98, to: 113 })
  assert.deepEqual(visibleRange(offsets, 45_900, 460, 0), { from: 997, to: 1_000 })
  assert.deepEqual(visibleRange(offsetsOf([]), 0, 460, 100), { from: 0, to: 0 })
})

it('covers the window, whatever the heights, and nothing far from it', () => {
  const heights = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(
      heights,
      fc.integer({ min: -500, max: 5_000 }),
      fc.integer({ min: 1, max: 900 }),
      (list, top, height) => {
        const offsets = offsetsOf(list)
        const { from, to } = visibleRange(offsets, top, height, 0)
        for (let row = 0; row < list.length; row++) {
          const isSeen = offsets[row]! < top + height && offsets[row + 1]! > top
          assert.ok(!isSeen || (row >= from && row < to), `row ${row} of ${from} to ${to}`)
        }
        assert.ok(to - from <= height + 2)
        assert.equal(rowAt(offsets, offsets[from]!), from)
      },
    ),
  )
})
