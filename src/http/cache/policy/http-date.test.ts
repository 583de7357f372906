import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseHttpDate } from './http-date.ts'

const time = Date.UTC(1994, 10, 6, 8, 49, 37)
const now = Date.UTC(2026, 10, 21)

for (const text of [
  'Sun, 06 Nov 1994 08:49:37 GMT',
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'Sun Nov  6 08:49:37 1994',
  'sun, 06 nov 1994 08:49:37 gmt',
  'SUN NOV 06 08:49:37 1994',
]) {
  test(`${text} is a date`, () => assert.equal(parseHttpDate(text, now), time))
}

for (const text of [
  '',
  '0',
  '-1',
  '1994-11-06T08:49:37Z',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 1994 08:49:37 UTC',
  'Sun, 06 Nov 1994 08:49:37 EST',
  'Sun, 06 Nov 1994 08:49:37 +0000',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 8:49:37 GMT',
  'Sun, 06 Nov 1994 24:00:00 GMT',
  'Sun, 06 Nov 1994 08:60:37 GMT',
  'Sun, 31 Feb 1994 08:49:37 GMT',
  'Sun, 00 Nov 1994 08:49:37 GMT',
  'Son, 06 Nov 1994 08:49:37 GMT',
  'Sun, 06 Foo 1994 08:49:37 GMT',
  'Sun 06 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 0094 08:49:37 GMT',
  'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
]) {
  test(`"${text}" is none`, () => assert.ok(Number.isNaN(parseHttpDate(text, now))))
}

test('a leap second is the end of its minute', () => {
  assert.equal(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT'), Date.UTC(2016, 11, 31, 23, 59, 59))
})

test('two digits of a year: at most 50 years ahead', () => {
  const year = (digits: string): number =>
    new Date(parseHttpDate(`Sunday, 06-Nov-${digits} 08:49:37 GMT`, now)).getUTCFullYear()
  assert.deepEqual(['26', '76', '77', '99', '00'].map(year), [2026, 2076, 1977, 1999, 2000])
})

test('every second comes back from how Date writes it', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('2399-12-31'), noInvalidDate: true }), (date) => {
      date.setUTCMilliseconds(0)
      assert.equal(parseHttpDate(date.toUTCString()), date.getTime())
    }),
  )
})

test('nothing makes it throw', () => {
  fc.assert(fc.property(fc.string({ minLength: 24, maxLength: 33 }), (text) => void parseHttpDate(text)))
})
