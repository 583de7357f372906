import assert from 'node:assert/strict'
import { it } from 'node:test'
import { followAll } from '../observe/follow/follow-filter.ts'
import { followedPerSecond, LiveReader } from './live-requests.ts'
import type { FollowedEntries } from './port.ts'

function opened() {
  let told!: (followed: FollowedEntries) => void
  let stops = 0
  const follow = (_: unknown, __: number, onEntries: typeof told) => {
    told = onEntries
    return { ready: Promise.resolve(), stop: () => void (stops += 1) }
  }
  const reader = new LiveReader({ follow }, followAll, () => undefined)
  return { reader, tell: (entries: string[], skipped = 0) => told({ entries, skipped }), stops: () => stops }
}

it('keeps little for one that does not read, however long the entries are, and tells how many it has lost', () => {
  const { reader, tell } = opened()
  const long = 'x'.repeat(100_000)
  for (let i = 0; i < 50; i++) tell([`${i}${long}`])
  const { entries, skipped } = reader.take()
  assert.equal(entries.length + skipped, 50)
  assert.ok(entries.join('').length <= 1024 * 1024 && entries.length === 10)
  assert.match(entries.at(-1)!, /^49/, 'the newest are kept')
  assert.deepEqual(reader.take(), { entries: [], skipped: 0 })
  tell(['again'])
  assert.deepEqual(reader.take(), { entries: ['again'], skipped: 0 })
})

it('tells so many a second, however many workers send', () => {
  const { reader, tell, stops } = opened()
  tell(Array.from({ length: followedPerSecond * 5 }, String), 7)
  const { entries, skipped } = reader.take()
  assert.equal(entries.length + skipped, followedPerSecond * 5 + 7)
  // Two seconds, if one ended in the middle.
  assert.ok(entries.length >= followedPerSecond && entries.length <= followedPerSecond * 2)
  reader.close()
  assert.equal(stops(), 1)
})
