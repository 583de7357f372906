import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { RefusalCounts } from './refusals.ts'
import { refusalsOf } from './refusals.ts'

const listeners = [{ row: 0 }, { row: 1 }] as unknown as Parameters<typeof refusalsOf>[1]['listeners']

/** Counts by row, of a state with room for eight listeners. */
const stateOf = (rows: Readonly<Record<number, RefusalCounts>>) =>
  ({
    sizes: { listeners: 8 },
    trafficTotals: (row: number) => ({ notStored: rows[row] ?? {} }),
  }) as unknown as Parameters<typeof refusalsOf>[2]

it('adds up what was counted at all listeners of a route', () => {
  const state = stateOf({ 20: { private: 2, 'no-store': 1 }, 21: { private: 3 }, 22: { private: 99 } })
  assert.deepEqual(refusalsOf({ rows: [20, 21] }, { listeners }, state), { 'no-store': 1, private: 5 })
  assert.deepEqual(refusalsOf({ rows: [] }, { listeners }, state), {})
})

it('says nothing of a route that shares its counters with others', () => {
  const state = stateOf({ 8: { private: 2 }, 9: { private: 2 }, 20: { private: 1 } })
  assert.deepEqual(refusalsOf({ rows: [8, 20] }, { listeners }, state), { private: 1 })
})
