import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackendSessions } from './backend-sessions.ts'

const sessions = (...names: string[]): Buffer[] => names.map((name) => Buffer.from(name))

test('each session is used once, the newest first; the last again where there is no other', () => {
  const kept = new BackendSessions()
  assert.equal(kept.take(), null)
  const [a, b, c] = sessions('a', 'b', 'c') as [Buffer, Buffer, Buffer]
  kept.put(a, true)
  kept.put(b, false)
  assert.deepEqual([kept.take(), kept.take(), kept.take()], [b, a, a])
  kept.put(c, false)
  assert.deepEqual([kept.take(), kept.take()], [c, c])
})

test('a whole handshake makes those of before worthless, and no more are kept than a burst needs', () => {
  const kept = new BackendSessions()
  for (const session of sessions('a', 'b')) kept.put(session, false)
  const [c] = sessions('c') as [Buffer]
  kept.put(c, true)
  assert.deepEqual([kept.take(), kept.take()], [c, c])
  const many = Array.from({ length: 40 }, (_, n) => Buffer.from([n]))
  for (const session of many) kept.put(session, false)
  const taken = new Set(Array.from({ length: 40 }, () => kept.take()))
  assert.deepEqual([...taken], many.slice(-16).reverse())
})
