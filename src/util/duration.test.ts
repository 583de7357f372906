import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { durationPattern, formatDuration, parseDuration } from './duration.ts'

const good: [string | number, number][] = [
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['100ms', 100],
  ['0.5s', 500],
  ['.5s', 500],
  ['1d', 86_400_000],
  ['1m0.25s', 60_250],
  ['0', 0],
  ['0s', 0],
  ['1us', 1],
  ['1500µs', 2],
  [' 5s ', 5000],
  [10, 10_000],
  [0, 0],
]
for (const [text, ms] of good) test(`${JSON.stringify(text)} is ${ms} ms`, () => assert.equal(parseDuration(text), ms))

const bad = [
  '',
  ' ',
  '5',
  '-1s',
  '+1s',
  's',
  '1.s',
  '1 s',
  '1h 30m',
  '1e3s',
  '1S',
  '10 seconds',
  '1d.',
  -1,
  1.5,
  Number.NaN,
]
for (const text of bad)
  test(`${JSON.stringify(text)} is refused by name`, () => assert.throws(() => parseDuration(text), /"|\d|NaN/))

test('a value that is too long is refused, not rounded', () => {
  assert.throws(() => parseDuration('999999999999999999h'), /too long/)
})

test('formatting and parsing are inverse', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e13 }), (ms) => parseDuration(formatDuration(ms)) === ms))
})

test('sums of parts add up, and the pattern for editors accepts what the parser does', () => {
  const part = fc.tuple(fc.integer({ min: 0, max: 999 }), fc.constantFrom('ms', 's', 'm', 'h', 'd'))
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const text = parts.map(([n, unit]) => `${n}${unit}`).join('')
      assert.match(text, new RegExp(durationPattern))
      const sum = parts.reduce((ms, [n, unit]) => ms + parseDuration(`${n}${unit}`), 0)
      assert.equal(parseDuration(text), sum)
    }),
  )
})

test('any text is either parsed to whole milliseconds or refused with a sentence', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.smhdu ]{0,8}$/)), (text) => {
      try {
        assert.ok(Number.isSafeInteger(parseDuration(text)))
        assert.match(text.trim(), new RegExp(durationPattern))
      } catch (error) {
        assert.match((error as Error).message, /duration|unit/)
      }
    }),
  )
})
