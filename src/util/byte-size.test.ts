import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { byteSizePattern, formatByteSize, parseByteSize } from './byte-size.ts'

const good: [string | number, number][] = [
  ['64KB', 65_536],
  ['10MB', 10_485_760],
  ['1.5k', 1536],
  ['1GiB', 1024 ** 3],
  ['2 TB', 2 * 1024 ** 4],
  ['100B', 100],
  ['100', 100],
  ['0', 0],
  [4096, 4096],
]
for (const [text, bytes] of good)
  test(`${JSON.stringify(text)} is ${bytes}`, () => assert.equal(parseByteSize(text), bytes))

for (const text of ['', 'KB', '-1KB', '1PB', '1KBB', '1.MB', '64 bytes', -1, 0.5, Number.POSITIVE_INFINITY]) {
  test(`${JSON.stringify(text)} is refused`, () => assert.throws(() => parseByteSize(text), /size/))
}

test('a size beyond exact numbers is refused', () => assert.throws(() => parseByteSize('99999999TB'), /too large/))

test('formatting and parsing are inverse', () => {
  const sizes = fc.oneof(
    fc.integer({ min: 0, max: 2 ** 40 }),
    fc.integer({ min: 0, max: 4096 }).map((n) => n * 1024 ** 2),
  )
  fc.assert(
    fc.property(sizes, (bytes) => {
      assert.match(formatByteSize(bytes), new RegExp(byteSizePattern))
      assert.equal(parseByteSize(formatByteSize(bytes)), bytes)
    }),
  )
})

test('any text is either a whole number of bytes or refused with a sentence', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.KMGTkmgiB ]{0,8}$/)), (text) => {
      try {
        assert.ok(Number.isSafeInteger(parseByteSize(text)))
      } catch (error) {
        assert.match((error as Error).message, /size/)
      }
    }),
  )
})
