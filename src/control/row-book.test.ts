import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RowBook } from './row-book.ts'

test('what keeps its name keeps its row, and what is new gets a free one', () => {
  const book = new RowBook(4)
  const rows = (...names: string[]): string => [...book.assign(names)].map((pair) => pair.join('')).join(' ')
  assert.equal(rows('a', 'b'), 'a0 b1')
  assert.equal(rows('c', 'b'), 'c2 b1')
  assert.equal(rows('a', 'd'), 'a0 d3', 'a has come back')
  book.keep(['a', 'd'])
  assert.equal(rows('d', 'e'), 'd3 e1', 'the room is needed: b is gone longest')
  book.keep(['d', 'e'])
  assert.equal(rows('d', 'e', 'f', 'g'), 'd3 e1 f2 g0')
  assert.throws(() => book.assign(['1', '2', '3', '4', '5']), RangeError)
})

test('what runs keeps its rows through changes that do not come to pass', () => {
  const book = new RowBook(3)
  book.assign(['a', 'b'])
  assert.throws(() => book.assign(['x', 'y']), RangeError, 'nothing is known to be gone yet')
  book.keep(['a', 'b'])
  assert.throws(() => book.assign(['x', 'y']), RangeError)
  assert.deepEqual([...book.assign(['a', 'b', 'c']).values()], [0, 1, 2])
  book.keep(['b'])
  assert.deepEqual([...book.assign(['b', 'x', 'y']).values()], [1, 0, 2])
})

test('a row where something is still counted is given to nobody; others are told of', () => {
  const busy = new Set([0])
  const reused: number[] = []
  const book = new RowBook(2, { mayReuse: (row) => !busy.has(row), onReuse: (row) => reused.push(row) })
  book.assign(['a', 'b'])
  book.keep([])
  assert.deepEqual([...book.assign(['c'])], [['c', 1]])
  assert.deepEqual(reused, [1])
  assert.throws(() => book.assign(['c', 'd']), RangeError)
  busy.clear()
  assert.deepEqual([...book.assign(['c', 'd']).values()], [1, 0])
  assert.deepEqual(reused, [1, 0])
})
