import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatPath, fromValue, lineAndColumn, nearest, nodeAt, replaced, toValue } from './source-tree.ts'

test('lines end with any of the three line endings', () => {
  const source = { name: 'x', text: 'a\r\nbc\rd\n\ne' }
  const places = [...source.text].map((_, offset) => lineAndColumn(source, offset))
  assert.deepEqual(places[3], { line: 2, column: 1 })
  assert.deepEqual(places[4], { line: 2, column: 2 })
  assert.deepEqual(places[6], { line: 3, column: 1 })
  assert.deepEqual(places.at(-1), { line: 5, column: 1 })
})

test('line and column lead back to the offset', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n'), minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(text, fc.nat({ max: 39 }), (value, at) => {
      const offset = Math.min(at, value.length - 1)
      const { line, column } = lineAndColumn({ name: 'x', text: value }, offset)
      const before = value.split('\n').slice(0, line - 1)
      assert.equal(before.reduce((sum, part) => sum + part.length + 1, 0) + column - 1, offset)
    }),
  )
})

test('paths are written as in JavaScript', () => {
  assert.equal(formatPath([]), '')
  assert.equal(formatPath(['pools', 'api', 'backends', 0, 'url']), 'pools.api.backends[0].url')
  assert.equal(formatPath(['pools', 'a b']), 'pools["a b"]')
})

test('a tree is changed in a copy', () => {
  const source = { name: 'x', text: '' }
  const tree = fromValue({ a: [1, { b: 2 }, 3], c: 4 }, source, [])
  assert.deepEqual(toValue(replaced(tree, ['a', 1], undefined)), { a: [1, 3], c: 4 })
  assert.deepEqual(toValue(replaced(tree, ['a', 1, 'b'], undefined)), { a: [1, {}, 3], c: 4 })
  assert.deepEqual(toValue(replaced(tree, ['c'], fromValue(5, source, []))), { a: [1, { b: 2 }, 3], c: 5 })
  assert.deepEqual(toValue(replaced(tree, ['none', 'x'], undefined)), toValue(tree))
  assert.deepEqual(nearest(tree, ['a', 1, 'x', 'y']), { node: nodeAt(tree, ['a', 1]), missing: ['x', 'y'] })
})
