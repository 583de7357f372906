import assert from 'node:assert/strict'
import { it } from 'node:test'
import { backOffMs } from './back-off.ts'

it('waits twice as long each time, at most 15 s', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 50].map((attempt) => backOffMs(attempt, 1)),
    [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000],
  )
})

it('is up to a fifth shorter by chance', () => {
  assert.deepEqual(
    [0, 0.5].map((chance) => backOffMs(1, chance)),
    [800, 900],
  )
})
