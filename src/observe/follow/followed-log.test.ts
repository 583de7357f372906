import assert from 'node:assert/strict'
import { it } from 'node:test'
import { until } from '../../../test/support/wait.ts'
import { type AccessEntry, unreadEntry } from '../access-entry.ts'
import type { ExchangeObserver } from '../exchange-observer.ts'
import { followAll } from './follow-filter.ts'
import { type Followed, FollowedLog } from './followed-log.ts'

const entry = (over: Partial<AccessEntry> = {}): AccessEntry => ({ ...unreadEntry, status: 200, target: '/', ...over })

/** Wants every second one. */
class Inner implements ExchangeObserver {
  readonly targets: string[] = []
  asked = 0
  flushes = 0

  wants(): boolean {
    this.asked += 1
    return this.asked % 2 === 1
  }

  add({ target }: AccessEntry): void {
    this.targets.push(target)
  }

  addTcp(): void {}

  flush(): void {
    this.flushes += 1
  }
}

function bed() {
  const followed: Followed[] = []
  const log = new FollowedLog((one) => followed.push(one))
  const tell = (one: AccessEntry): void => {
    if (log.wants('', one.target, one.status, one.error, true)) log.add(one)
  }
  return { followed, log, tell }
}

it('stands in the way of nobody while nobody follows', () => {
  const { log } = bed()
  const inner = new Inner()
  assert.equal(log.over(null), null)
  assert.equal(log.over(inner), inner)
  log.follow({ id: 1, filter: followAll, perSecond: 10 })
  assert.equal(log.over(inner), log)
  log.unfollow(1)
  assert.equal(log.over(inner), inner)
  assert.equal(log.over(null), null)
})

it('leaves to the access log what that chooses, and tells followers of the rest too', () => {
  const { followed, log, tell } = bed()
  const inner = new Inner()
  log.follow({ id: 1, filter: followAll, perSecond: 10 })
  log.follow({ id: 2, filter: { ...followAll, path: '/b' }, perSecond: 10 })
  log.over(inner)
  for (const target of ['/a', '/b', '/c']) tell(entry({ target }))
  log.flush()
  assert.deepEqual([inner.targets, inner.flushes], [['/a', '/c'], 1])
  const told = followed.map(({ id, entries }) => [id, entries.map((line) => (JSON.parse(line) as AccessEntry).target)])
  assert.deepEqual(told, [
    [1, ['/a', '/b', '/c']],
    [2, ['/b']],
  ])
})

it('hands over by itself, and counts what is too much in a second', async () => {
  const { followed, log, tell } = bed()
  log.follow({ id: 1, filter: followAll, perSecond: 3 })
  log.over(null)
  for (let i = 0; i < 20; i++) tell(entry())
  await until('it was handed over', () => followed.length > 0)
  const [one] = followed
  assert.equal(one!.entries.length + one!.skipped, 20)
  // A second may have ended in between.
  assert.ok(one!.entries.length === 3 || one!.entries.length === 6)
})

it('hides what the access log hides, else what is hidden by default', () => {
  const { followed, log, tell } = bed()
  log.follow({ id: 1, filter: followAll, perSecond: 10 })
  log.over(null)
  const targets = (): string[] =>
    followed.splice(0).flatMap(({ entries }) => entries.map((line) => JSON.parse(line).target))
  tell(entry({ target: '/?token=a&mine=b' }))
  log.flush()
  assert.deepEqual(targets(), ['/?token=***&mine=b'])
  log.redact = { query: ['mine'], headers: [] }
  tell(entry({ target: '/?token=a&mine=b' }))
  log.flush()
  assert.deepEqual(targets(), ['/?token=a&mine=***'])
})

it('finds what the cache made of requests', () => {
  const { followed, log, tell } = bed()
  log.follow({ id: 1, filter: { ...followAll, cache: ['miss', 'bypass'] }, perSecond: 10 })
  log.over(null)
  for (const cache of ['hit', 'miss', '', 'bypass']) tell(entry({ cache }))
  log.flush()
  const told = followed.flatMap(({ entries }) => entries.map((line) => JSON.parse(line).cache))
  assert.deepEqual(told, ['miss', 'bypass'])
})

it('finds nothing by what it hides', () => {
  const { followed, log, tell } = bed()
  const asked = { 1: '/a?token=s', 2: '/a?token=***', 3: '/a?page=2', 4: '/a' }
  for (const [id, path] of Object.entries(asked)) {
    log.follow({ id: Number(id), filter: { ...followAll, path }, perSecond: 10 })
  }
  for (const target of ['/a?token=secret', '/a?page=2&token=secret']) tell(entry({ target }))
  log.flush()
  const found = followed.map(({ id, entries }) => [id, entries.length])
  assert.deepEqual(found.sort(), [
    [2, 1],
    [3, 1],
    [4, 2],
  ])
  assert.doesNotMatch(JSON.stringify(followed), /secret/)
  log.redact = { query: [], headers: [] }
  tell(entry({ target: '/a?token=secret' }))
  log.flush()
  assert.deepEqual(
    followed.slice(3).map(({ id }) => id),
    [1, 4],
  )
})
