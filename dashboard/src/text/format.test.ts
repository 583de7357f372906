import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatMs,
  formatShare,
  formatSpan,
  plural,
} from './format.ts'

const all = <T>(format: (value: T) => string, values: readonly T[]): string[] => values.map((value) => format(value))

it('counts are short and never lose their size', () => {
  assert.deepEqual(
    all(formatCount, [0, 3.44, 3, 99.4, 99.6, 1_240, 9_999, 12_449, 999_499, 999_500, 1_250_000, null]),
    ['0', '3.4', '3', '99.4', '100', '1,240', '9,999', '12.4k', '999k', '1M', '1.3M', '–'],
  )
})

it('shares say when they are not quite nothing', () => {
  assert.deepEqual(all(formatShare, [0, 0.000_01, 0.0002, 0.041, 1, null, Number.NaN]), [
    '0 %',
    '< 0.01 %',
    '0.02 %',
    '4.1 %',
    '100 %',
    '–',
    '–',
  ])
})

it('times and sizes have the unit that fits', () => {
  assert.deepEqual(all(formatMs, [0, 0.43, 9.96, 120, 1_240, 12_000, 120_000, undefined]), [
    '0 ms',
    '0.4 ms',
    '10 ms',
    '120 ms',
    '1.24 s',
    '12 s',
    '2 min',
    '–',
  ])
  assert.deepEqual(all(formatBytes, [0, 820, 14_000, 2_340_000]), ['0 B', '820 B', '14 KB', '2.3 MB'])
  assert.deepEqual(all(formatDuration, [45, 200, 7_500, 7_200, 100_000]), [
    '45 s',
    '3 min',
    '2 h 5 min',
    '2 h',
    '1 d 3 h',
  ])
})

it('what has just happened is now', () => {
  const at = Date.parse('2026-11-21T15:00:00Z')
  assert.deepEqual(
    [0, 8_000, 200_000].map((later) => formatAgo('2026-11-21T15:00:00Z', at + later)),
    ['now', '8 s ago', '3 min ago'],
  )
  assert.equal(formatAgo('nonsense', at), '–')
  assert.deepEqual(
    [1, 0, 1_200].map((count) => plural(count, 'backend')),
    ['1 backend', '0 backends', '1,200 backends'],
  )
})

it('a span has one unit', () => {
  assert.deepEqual(all(formatSpan, [4, 90, 7_500, 7_200, 400_000]), ['4 s', '1 min', '2 h', '2 h', '4 d'])
})

it('a size from the configuration looks as it does there', () => {
  const sizes = [2 ** 20, 256 * 2 ** 20, 1.5 * 2 ** 30, 1000].map((size) => formatBytes(size, 1024))
  assert.deepEqual(sizes, ['1 MB', '256 MB', '1.5 GB', '1 KB'])
})
