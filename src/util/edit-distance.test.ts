import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { closest, editDistance } from './edit-distance.ts'

test('counts insertions, deletions, substitutions and swaps', () => {
  assert.equal(editDistance('weight', 'weight'), 0)
  assert.equal(editDistance('wieght', 'weight'), 1)
  assert.equal(editDistance('weigh', 'weight'), 1)
  assert.equal(editDistance('kitten', 'sitting'), 3)
  assert.equal(editDistance('', 'abc'), 3)
})

test('is symmetric and at most the longer length', () => {
  const word = fc.string({ maxLength: 12 })
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a))
      assert.ok(editDistance(a, b) <= Math.max(a.length, b.length))
      assert.equal(editDistance(a, b) === 0, a === b)
    }),
  )
})

test('finds what was probably meant, and nothing where nothing is near', () => {
  const keys = ['backend_timeout', 'backends', 'strategy', 'port']
  assert.equal(closest('backend_timout', keys), 'backend_timeout')
  assert.equal(closest('backendTimeout', keys), 'backend_timeout')
  assert.equal(closest('Strategie', keys), 'strategy')
  assert.equal(closest('tls', keys), null)
  assert.equal(closest('', keys), null)
})
