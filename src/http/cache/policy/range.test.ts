import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rangeOf } from './range.ts'
import { readCacheRequest } from './request.ts'

const lastModified = Date.UTC(2026, 0, 1)
const source = { etag: '"a"', lastModified, date: lastModified + 60_000, length: 1000, status: 200 }
const of = (range: string, more = '', over = {}) =>
  rangeOf(readCacheRequest(`Range: ${range}\r\n${more}`), { ...source, ...over })

const cases: [string, unknown][] = [
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=0-', { start: 0, end: 999 }],
  ['BYTES=10-19', { start: 10, end: 19 }],
  ['bytes=990-2000', { start: 990, end: 999 }],
  ['bytes=990-99999999999999999999', { start: 990, end: 999 }],
  ['bytes=-10', { start: 990, end: 999 }],
  ['bytes=-5000', { start: 0, end: 999 }],
  ['bytes=1000-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=1000-, -0', 'unsatisfiable'],
  ['bytes=1000-,5-6', { start: 5, end: 6 }],
  ['bytes=0-9, 5-19', { start: 0, end: 19 }],
  ['bytes=10-19, 0-9', { start: 0, end: 19 }],
  ['bytes=0-9, 10-19', { start: 0, end: 19 }],
  ['bytes=0-9, 11-19', 'whole'],
  ['bytes=0-9, 200-209', 'whole'],
  ['bytes=0-899, 200-209, 800-', { start: 0, end: 999 }],
  ['bytes=,0-9 ,', { start: 0, end: 9 }],
  [`bytes=${'0-1,'.repeat(17)}`, 'whole'],
  ['bytes=5-4', 'whole'],
  ['bytes=0-9, 5-4', 'whole'],
  ['bytes=a-b', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=', 'whole'],
  ['bytes=1 -2', 'whole'],
  ['bytes 0-9', 'whole'],
  ['lines=0-9', 'whole'],
  ['', 'whole'],
]
for (const [range, expected] of cases) test(`Range: ${range}`, () => assert.deepEqual(of(range), expected))

test('none asked for, another status, an empty body', () => {
  assert.equal(rangeOf(readCacheRequest(''), source), 'whole')
  assert.equal(of('bytes=0-1', '', { status: 404 }), 'whole')
  assert.equal(of('bytes=0-', '', { length: 0 }), 'unsatisfiable')
  assert.equal(of('bytes=-1', '', { length: 0 }), 'whole')
})

test('If-Range: a strong tag that is the same, or a date that is as good', () => {
  const date = new Date(lastModified).toUTCString()
  const isPart = (condition: string, over = {}): boolean =>
    of('bytes=0-1', `If-Range: ${condition}\r\n`, over) !== 'whole'
  assert.ok(isPart('"a"') && !isPart('"b"') && !isPart('W/"a"') && !isPart('W/"a"', { etag: 'W/"a"' }))
  assert.ok(isPart(date) && !isPart(new Date(lastModified + 1000).toUTCString()))
  assert.ok(!isPart(date, { date: lastModified }) && !isPart(date, { date: Number.NaN }))
  assert.ok(!isPart(date, { lastModified: Number.NaN }) && !isPart('x') && !isPart(''))
})

test('whatever is asked for, a part lies within', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789-, '), maxLength: 20 })
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 50 }), (set, length) => {
      const range = of(`bytes=${set}`, '', { length })
      if (typeof range !== 'string') assert.ok(0 <= range.start && range.start <= range.end && range.end < length)
    }),
    { numRuns: 1000 },
  )
})
