import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Coding, chooseCoding } from './accept-encoding.ts'

const all: Coding[] = ['zstd', 'br', 'gzip']

const cases: [accepted: string, chosen: Coding | null][] = [
  ['', null],
  ['gzip', 'gzip'],
  ['GZip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['gzip, deflate, br, zstd', 'zstd'],
  ['gzip, deflate, br', 'br'],
  ['deflate', null],
  ['identity', null],
  ['br;q=0.5, gzip;q=0.8', 'gzip'],
  ['br;q=0.800, gzip;q=0.8', 'br'],
  ['br;q=0, gzip;q=0', null],
  ['br ; q=0.1 ,\tgzip;Q=0.01', 'br'],
  // A weight of identity counts only where it is written.
  ['identity;q=0.9, gzip;q=0.5', null],
  ['identity;q=0.5, gzip;q=0.5', 'gzip'],
  ['identity;q=0, gzip', 'gzip'],
  ['identity;q=0', null],
  ['*', 'gzip'],
  ['*;q=0', null],
  ['*;q=0, gzip;q=0.1', 'gzip'],
  ['gzip;q=0, *', 'zstd'],
  ['br;q=0.2, *;q=0.1', 'br'],
  ['br;q=0.1, *;q=0.2', 'gzip'],
  // What cannot be read is passed over.
  ['gzip;q=2, br;q=0.0001', null],
  ['gzip;q=abc, zstd;level=3, br', 'br'],
  [',, ,gzip,', 'gzip'],
  ['gzip;q=0, gzip', null],
  ['gzip-2, brotli', null],
]

test('the coding of the highest weight, of equal ones the first that is offered', () => {
  for (const [accepted, chosen] of cases) assert.equal(chooseCoding(accepted, all), chosen, accepted)
})

test('nothing is chosen that is not offered', () => {
  assert.equal(chooseCoding('br, zstd', ['gzip']), null)
  assert.equal(chooseCoding('*', ['br', 'zstd']), 'br')
  assert.equal(chooseCoding('gzip', []), null)
})

test('property: whatever is chosen was asked for, and nothing offered weighs more', () => {
  const coding = fc.constantFrom<Coding>('zstd', 'br', 'gzip')
  const weight = fc.integer({ min: 0, max: 1000 })
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(coding, weight), { selector: ([name]) => name }),
      fc.uniqueArray(coding),
      (wanted, offered) => {
        const accepted = wanted.map(([name, q]) => `${name};q=${(q / 1000).toFixed(3)}`).join(', ')
        const weights = new Map(wanted)
        const chosen = chooseCoding(accepted, offered)
        const best = Math.max(0, ...offered.map((name) => weights.get(name) ?? 0))
        if (best === 0) assert.equal(chosen, null)
        else {
          assert.ok(chosen !== null && offered.includes(chosen))
          assert.equal(weights.get(chosen), best)
        }
      },
    ),
  )
})

test('property: no text makes it throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 200 }), (accepted) => {
      chooseCoding(accepted, all)
    }),
  )
})
