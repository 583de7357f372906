// When small messages are gathered, and that their copies are nobody else's.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { sharedBuffer } from './read-buffers.ts'
import { copySmall, gather, giveSmall, mayGather } from './small-writes.ts'

/** So many messages in one turn of the loop; those that were to be gathered. */
function messages(count: number, written: number[] = []): number {
  let gathered = 0
  for (let n = 0; n < count; n++) {
    if (!mayGather()) continue
    gathered++
    gather({ writeGathered: () => void written.push(n) })
  }
  return gathered
}

test('many in a turn are gathered from the next turns on, in their order, until there are few', async () => {
  assert.equal(messages(1000), 0, 'nobody has looked yet')
  await turn()
  const written: number[] = []
  assert.equal(messages(100, written), 100)
  assert.deepEqual(written, [], 'not before the end of the turn')
  await turn()
  assert.deepEqual(
    written,
    Array.from({ length: 100 }, (_, n) => n),
  )
  assert.equal(messages(1), 1)
  await turn()
  assert.equal(messages(1), 0, 'a turn with one was enough')
})

test('few in each turn are never gathered', async () => {
  for (let n = 0; n < 2000; n++) {
    assert.equal(messages(2), 0)
    await turn()
  }
})

test('a copy stays what it is until it is given back', () => {
  sharedBuffer.fill('a', 0, 10)
  const first = copySmall(5)
  sharedBuffer.fill('b', 0, 10)
  const second = copySmall(5)
  assert.equal(Buffer.from(first).toString(), 'aaaaa')
  assert.equal(Buffer.from(second).toString(), 'bbbbb')
  giveSmall(first)
  sharedBuffer.fill('c', 0, 10)
  const third = copySmall(5)
  assert.equal(third, first, 'it serves again')
  assert.equal(Buffer.from(third).toString(), 'ccccc')
  assert.equal(Buffer.from(second).toString(), 'bbbbb')
})
