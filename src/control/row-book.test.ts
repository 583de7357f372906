import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RowBook } from './row-book.ts'

test('what keeps its name keeps its row, and what is new gets a free one', () => {
  const book = new RowBook(4)
  assert.deepEqual(
    [...book.assign(['a', 'b'])],
    [
      ['a', 0],
      ['b', 1],
    ],
  )
  assert.deepEqual(
    [...book.assign(['c', 'b'])],
    [
      ['c', 2],
      ['b', 1],
    ],
  )
  assert.deepEqual(
    [...book.assign(['a', 'd'])],
    [
      ['a', 0],
      ['d', 3],
    ],
    'a has come back',
  )
  assert.deepEqual(
    [...book.assign(['d', 'e', 'f'])],
    [
      ['d', 3],
      ['e', 0],
      ['f', 1],
    ],
    'the room is needed',
  )
  assert.throws(() => book.assign(['1', '2', '3', '4', '5']), RangeError)
})
