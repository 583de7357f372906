import assert from 'node:assert/strict'
import { it } from 'node:test'
import { storeRefusals } from '../../state/names.ts'
import { refusalWords, reuseAdvice, storingAdvice } from './cache-advice.ts'

const nothing = { saysNoStore: false, isExcepted: false, isAuthenticated: false, hasCookie: false, hasRange: false }

it('for each reason that is counted there are words and a way out', () => {
  const all = { saysNoStore: true, isExcepted: true, isAuthenticated: true, hasCookie: true, hasRange: true }
  for (const reason of storeRefusals) {
    assert.match(refusalWords(reason), /\w+ \w+/, reason)
    const told = storingAdvice(all, { [reason]: 2 }).filter((words) =>
      words.includes('(2 answers of this route so far)'),
    )
    assert.equal(told.length, 1, reason)
    assert.match(told[0]!, /: ["\w]/, reason)
  }
})

it('tells the most frequent reasons, and not more than can be read', () => {
  const counts = {
    private: 1,
    'no-store': 5,
    'set-cookie': 3,
    useless: 2,
    incomplete: 4,
    'too-large': 6,
    'vary-any': 7,
    'no-room': 8,
  }
  const told = storingAdvice(nothing, counts)
  assert.match(told.pop()!, /its own reason is in Cache-Status/)
  assert.deepEqual(
    told.map((words) => [/^[\w-]+/.exec(words)![0], Number(/\((\d+)/.exec(words)![1])]),
    [
      ['no-room', 8],
      ['vary-any', 7],
      ['too-large', 6],
      ['no-store', 5],
      ['incomplete', 4],
      ['set-cookie', 3],
    ],
  )
})

it('has nothing to say of an answer that only has to be asked about', () => {
  assert.deepEqual(reuseAdvice('purged'), [])
  assert.equal(reuseAdvice('stale').length, 1)
})
