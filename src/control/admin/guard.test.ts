import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { isDeeperThan } from './guard.ts'

const depthOf = (value: unknown): number =>
  typeof value !== 'object' || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf))

it('knows how deep JSON is without reading it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8, noUnicodeString: false }), fc.nat(9), (text, depth) => {
      assert.equal(isDeeperThan(Buffer.from(text), depth), depthOf(JSON.parse(text)) > depth)
    }),
  )
})

it('is not misled by brackets in strings, nor by escapes', () => {
  const deeper = (text: string) => isDeeperThan(Buffer.from(text), 1)
  assert.equal(deeper('{"[[[[":"]]{{"}'), false)
  assert.equal(deeper('["\\"[[[["]'), false)
  assert.equal(deeper('["\\\\",["x"]]'), true)
  assert.equal(deeper('[[[[[['), true)
})

it('ends at the first bracket that is too deep', () => {
  const bytes = Buffer.alloc(10 * 1024 * 1024, '[')
  const began = performance.now()
  assert.equal(isDeeperThan(bytes, 64), true)
  assert.ok(performance.now() - began < 50)
})
