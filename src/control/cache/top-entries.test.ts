// The walk over all entries: the right ones in the right order, and never long at a time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyedValues } from '../../http/cache/policy/key.ts'
import { selectorText } from '../../http/cache/policy/vary.ts'
import type { CacheStoreApi, ListedEntry } from '../../state/cache/types.ts'
import { topEntries } from './top-entries.ts'

const now = 1_700_000_000_000
const selector = selectorText('abc default', [], '', '')

function entry(n: number, over: Partial<ListedEntry> = {}): ListedEntry {
  return {
    url: `http://example.com/${n}`,
    selector,
    tags: '',
    status: 200,
    flags: 0,
    responseTime: now - 10_000,
    initialAge: 5_000,
    lifetime: 60_000,
    staleWhileRevalidate: 0,
    staleIfError: 0,
    bodyLength: 131,
    hits: 0,
    isMarkedStale: false,
    ...over,
  }
}

/** Lists what `make` gives for 0 to `count` - 1. */
function storeOf(count: number, make: (n: number) => ListedEntry): CacheStoreApi {
  const list: CacheStoreApi['list'] = (each, from = 0) => {
    for (let at = from; at < count; at++) if (!each(make(at))) return at + 1 < count ? at + 1 : -1
    return -1
  }
  return { now: () => now, list } as CacheStoreApi
}

const question = { prefix: '', limit: 3, routeOf: (partition: string) => (partition === 'abc default' ? 'web' : '') }

test('the most used are found wherever they are, and the oldest of all', async () => {
  const hits = new Map([
    [7, 5],
    [400, 90],
    [1999, 40],
    [12, 2],
  ])
  const make = (n: number): ListedEntry =>
    entry(n, { hits: hits.get(n) ?? 1, ...(n === 1234 && { responseTime: now - 3_600_000, initialAge: 0 }) })
  const { top, oldest_age_seconds } = await topEntries(storeOf(2000, make), question)
  assert.deepEqual(
    top.map(({ url, hits: count }) => [url, count]),
    [
      ['http://example.com/400', 90],
      ['http://example.com/1999', 40],
      ['http://example.com/7', 5],
    ],
  )
  assert.equal(oldest_age_seconds, 3600)
  assert.deepEqual(top[0], {
    url: 'http://example.com/400',
    route: 'web',
    variant: '',
    status: 200,
    bytes: 131,
    hits: 90,
    age_seconds: 15,
    ttl_seconds: 45,
  })
})

test('a prefix chooses what is listed; none is no oldest', async () => {
  const make = (n: number): ListedEntry => entry(n, { hits: n })
  const { top } = await topEntries(storeOf(100, make), { ...question, prefix: 'http://example.com/1' })
  assert.deepEqual(
    top.map(({ hits }) => hits),
    [19, 18, 17],
  )
  assert.deepEqual(await topEntries(storeOf(0, make), question), { top: [], oldest_age_seconds: null })
  assert.deepEqual((await topEntries(storeOf(9, make), { ...question, limit: 0 })).top, [])
})

test('a variant is told in words; what is stale, or marked so, has time below 0', async () => {
  const spec = { headers: ['x-tenant', 'x-plan'], cookies: ['theme'] }
  const keyed = `x default\0host other.example\0${keyedValues('x-tenant: a\r\n', 'theme=dark', spec)}`
  const lookup = 'accept-language: de\r\nx-long: 1\r\n'
  const entries = [
    entry(0, { hits: 2, selector: selectorText(keyed, ['accept-language', 'x-none'], lookup, 'br'), lifetime: 9_000 }),
    entry(1, { hits: 1, isMarkedStale: true }),
  ]
  const { top } = await topEntries(
    storeOf(2, (n) => entries[n]!),
    question,
  )
  assert.equal(
    top[0]!.variant,
    'host other.example, x-tenant: a, no x-plan, cookie theme: …, accept-language: de, no x-none, br',
  )
  assert.equal(top[0]!.route, '')
  assert.equal(top[0]!.ttl_seconds, -6)
  assert.equal(top[1]!.ttl_seconds, -1)
})

test('a million entries hold nobody up', async () => {
  const one = entry(0)
  const began = performance.now()
  let turns = 0
  const count = (): void => {
    turns += 1
    turning = setImmediate(count)
  }
  let turning = setImmediate(count)
  await topEntries(
    storeOf(1_000_000, () => one),
    question,
  )
  clearImmediate(turning)
  // A machine that is busy with other things takes its time.
  const each = (performance.now() - began) / turns
  assert.ok(each < 50, `others had a turn every ${each} ms`)
})
