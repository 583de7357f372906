import assert from 'node:assert/strict'
import { it } from 'node:test'
import { bodyOf, isWide, type Purge, purgedWords } from './purge.ts'

const purge = (kind: Purge['kind'], text = '', soft = false): Purge => ({ kind, text, soft })

it('says to the API exactly one thing that is meant', () => {
  assert.deepEqual(bodyOf(purge('url', ' http://a/x ')), { url: 'http://a/x' })
  assert.deepEqual(bodyOf(purge('prefix', 'http://a/', true)), { prefix: 'http://a/', soft: true })
  assert.deepEqual(bodyOf(purge('tag', 'news')), { tag: 'news' })
  assert.deepEqual(bodyOf(purge('tag', 'news, sport  weather')), { tag: ['news', 'sport', 'weather'] })
  assert.deepEqual(bodyOf(purge('all', 'left over')), { all: true })
})

it('asks again before much is thrown away', () => {
  assert.deepEqual([purge('url'), purge('tag'), purge('prefix'), purge('all')].map(isWide), [false, false, true, true])
})

it('tells what was done, and that nothing was', () => {
  assert.equal(purgedWords(purge('url', 'http://a/x'), 1), '1 entry purged: http://a/x.')
  assert.equal(purgedWords(purge('all', '', true), 1_234), '1,234 entries marked stale: everything in the cache.')
  assert.equal(purgedWords(purge('tag', 'a b'), 0), 'Nothing was in the cache for: everything with the tag a or b.')
})
