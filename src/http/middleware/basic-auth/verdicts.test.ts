import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Verdicts } from './verdicts.ts'

test('an answer is remembered for its time', () => {
  const verdicts = new Verdicts({ max: 10, ttlMs: 100 })
  verdicts.set('a', true, 1000)
  verdicts.set('b', false, 1050)
  assert.deepEqual(
    [verdicts.get('a', 1099), verdicts.get('b', 1099), verdicts.get('c', 1099)],
    [true, false, undefined],
  )
  assert.deepEqual([verdicts.get('a', 1100), verdicts.get('b', 1100)], [undefined, false])
  assert.equal(verdicts.size, 1, 'what has ended is let go')
})

test('the oldest makes room, and what is said anew is young again', () => {
  const verdicts = new Verdicts({ max: 2, ttlMs: 100 })
  verdicts.set('a', true, 0)
  verdicts.set('b', true, 10)
  verdicts.set('a', false, 20)
  verdicts.set('c', true, 30)
  assert.deepEqual([verdicts.get('a', 40), verdicts.get('b', 40), verdicts.get('c', 40)], [false, undefined, true])
  assert.equal(verdicts.get('a', 110), false)
})
