import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { sameData } from './same-data.ts'

test('it agrees with Node about plain data', () => {
  const data = fc.jsonValue({ noUnicodeString: true })
  fc.assert(
    fc.property(data, data, (a, b) => {
      assert.equal(sameData(a, b), isDeepStrictEqual(a, b) || (a === 0 && b === 0))
      assert.ok(sameData(a, structuredClone(a)))
    }),
  )
})

test('a member that is undefined is as good as none; lists, bytes and objects are different things', () => {
  assert.ok(sameData({ a: 1, b: undefined }, { a: 1 }))
  assert.ok(sameData({ a: 1 }, { a: 1, b: undefined }))
  assert.ok(!sameData({ a: 1 }, { a: 1, b: null }))
  assert.ok(!sameData([], {}))
  assert.ok(sameData(new Uint8Array([1, 2]), new Uint8Array([1, 2])))
  assert.ok(!sameData(new Uint8Array([1, 2]), new Uint8Array([1, 3])))
  assert.ok(sameData(Number.NaN, Number.NaN))
  assert.ok(!sameData(null, {}))
})
