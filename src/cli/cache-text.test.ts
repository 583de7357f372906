import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CacheRouteStats, CacheStats } from '../control/cache/cache.ts'
import { cacheText } from './cache-text.ts'

const requests = { hit: 0, stale: 0, revalidated: 0, miss: 9, collapsed: 0, bypass: 0 }
const route = (name: string, not_stored: CacheRouteStats['not_stored']): CacheRouteStats => ({
  name,
  requests,
  hit_ratio: 0,
  not_stored,
})

const stats = (routes: readonly CacheRouteStats[]): CacheStats => ({
  enabled: true,
  memory: { size: 1000, used: 0, payload: 0, entries: 0 },
  disk: null,
  requests,
  hit_ratio: 0,
  stored: 0,
  evicted: 0,
  purged: 0,
  filling: 0,
  oldest_age_seconds: null,
  top: [],
  routes,
})
const plain = (_: string, text: string): string => text

test('why answers of each route were not stored, the most frequent reasons first, in words', () => {
  const web = route('web', { private: 2, 'nothing-said': 1500, 'set-cookie': 40, useless: 1 })
  const shown = cacheText(stats([web, route('files', {}), route('api', { 'too-large': 1 })]), plain)
  const lines = shown.split('\n').map((line) => line.trim())
  const from = lines.findIndex((line) => line.startsWith('NOT STORED'))
  assert.deepEqual(
    lines.slice(from, from + 6).map((line) => line.split(/ {2,}/)),
    [
      ['NOT STORED', 'ANSWERS', 'BECAUSE'],
      ['web', '1500', 'nothing-said: the answer says neither how long it is fresh nor what it can be validated with'],
      ['40', 'set-cookie: the answer sets a cookie'],
      ['2', 'private: the backend says that it is for one client'],
      ['api', '1', 'too-large: the answer is longer than the store takes'],
      [''],
    ],
  )
})

test('nothing of it where all were stored, nor of reasons that a newer Frontdesk tells', () => {
  const unknown = { 'of-tomorrow': 7 } as CacheRouteStats['not_stored']
  for (const told of [{}, unknown]) assert.doesNotMatch(cacheText(stats([route('a', told)]), plain), /NOT STORED/)
})
