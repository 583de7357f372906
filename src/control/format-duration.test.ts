import assert from 'node:assert/strict'
import { it } from 'node:test'
import { formatDuration } from './format-duration.ts'

it('formats durations as people read them', () => {
  const cases: [number, string][] = [
    [0.4, '0ms'],
    [250, '250ms'],
    [2000, '2s'],
    [1540, '1.5s'],
    [60_000, '1m'],
    [192_000, '3m12s'],
    [7_500_000, '2h5m'],
    [4 * 86_400_000 + 3 * 3_600_000, '4d3h'],
  ]
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text)
})
