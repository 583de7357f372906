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
  const counts = { private: 1, 'no-store': 5, 'set-cookie': 3, useless: 2, incomplete: 4, 'too-large': 6 }
  const told = storingAdvice(nothing, counts).map((words) => Number(/\((\d+)/.exec(words)![1]))
  assert.deepEqual(told, [6, 5, 4, 3])
})

it('has nothing to say of an answer that only has to be asked about', () => {
  assert.deepEqual(reuseAdvice('purged'), [])
  assert.equal(reuseAdvice('stale').length, 1)
})
