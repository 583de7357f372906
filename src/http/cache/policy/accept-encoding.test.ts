import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chooseCoding } from '../../compression/accept-encoding.ts'
import { normalisedAcceptEncoding } from './accept-encoding.ts'

const normal = (value: string): string => normalisedAcceptEncoding(`Accept-Encoding: ${value}\r\n`)

const cases: [string, string][] = [
  ['gzip, deflate, br, zstd', 'zstd, br, gzip'],
  ['gzip, deflate, br', 'br, gzip'],
  ['br, gzip', 'br, gzip'],
  ['GZIP;q=1.0', 'gzip'],
  ['x-gzip', 'gzip'],
  ['gzip;q=0.5, br;q=0.9', 'br, gzip;q=0.8'],
  ['zstd;q=0.1, gzip;q=0.2, br;q=0.3', 'br, gzip;q=0.8, zstd;q=0.6'],
  ['gzip;q=0', 'identity'],
  ['', 'identity'],
  ['deflate', 'identity'],
  ['identity', 'identity'],
  ['identity, gzip;q=0.5', 'identity'],
  ['identity;q=0.5, gzip', 'gzip'],
  ['*', 'gzip'],
  ['*;q=0', 'identity;q=0'],
  ['br, *;q=0', 'br, identity;q=0'],
  ['gzip, identity;q=0', 'gzip, identity;q=0'],
  ['gzip;q=nonsense, br', 'br'],
  ['gzip;q=0, gzip', 'identity'],
]
for (const [value, expected] of cases) test(`Accept-Encoding: ${value}`, () => assert.equal(normal(value), expected))

test('absent is absent, and several lines are one list', () => {
  assert.equal(normalisedAcceptEncoding('Accept: a\r\n'), '')
  assert.equal(
    normalisedAcceptEncoding('Accept-Encoding: br\r\nX: 1\r\nAccept-Encoding: gzip\r\nAccept-Encoding: zstd\r\n'),
    'zstd, br, gzip',
  )
})

test('what comes out is as good to the client, comes out again, and is one of few', () => {
  const member = fc.tuple(
    fc.constantFrom('gzip', 'br', 'zstd', 'deflate', 'identity', '*', 'x-gzip'),
    fc.constantFrom('', ';q=0', ';q=0.3', '; q=0.7', ';q=1', ';q=x'),
  )
  const seen = new Set<string>()
  fc.assert(
    fc.property(fc.array(member, { maxLength: 5 }), (members) => {
      const value = members.map(([name, weight]) => name + weight).join(', ')
      const text = normal(value)
      seen.add(text)
      assert.equal(normal(text), text)
      assert.equal(
        chooseCoding(text, ['zstd', 'br', 'gzip']),
        value === '' ? null : chooseCoding(value, ['zstd', 'br', 'gzip']),
        value,
      )
    }),
    { numRuns: 2000 },
  )
  assert.ok(seen.size <= 52, `${seen.size}`)
})
