// What is purged is named as the cache names it, by every key that routes have.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cacheSpec, routeSpec } from '../../../test/support/control-kit.ts'
import type { CacheKeySpec } from '../../core/cache-spec.ts'
import type { PurgeCache } from './cache.ts'
import { purgeTargets } from './purge.ts'
import { purgeWords } from './purge-words.ts'

const keyed = (key: Partial<CacheKeySpec>) => {
  const cache = cacheSpec()
  return routeSpec({}, { cache: { ...cache, key: { ...cache.key, ...key } } })
}
const routes = [
  keyed({}),
  keyed({ query: { kind: 'except', names: ['utm_*'] } }),
  keyed({ query: { kind: 'none' } }),
  keyed({ query: { kind: 'none' }, headers: ['x-tenant'] }),
  routeSpec(),
]
const targets = (asked: PurgeCache) => purgeTargets(asked, { routes })
const urls = (url: string): string[] => targets({ url }).map((what) => (what.kind === 'url' ? what.url : what.kind))

test('a URL is read as clients send it, and once for each way in which routes read it', () => {
  assert.deepEqual(urls('http://Example.com'), ['http://example.com/'])
  assert.deepEqual(urls('HTTPS://example.com:443/a/../%7eb#top'), ['https://example.com/~b'])
  assert.deepEqual(urls('http://example.com:0081/a'), ['http://example.com:81/a'])
  assert.deepEqual(urls('http://[::1]:80/'), ['http://[::1]/'])
  assert.deepEqual(urls('http://example.com/a?utm_source=x&id=1'), [
    'http://example.com/a?utm_source=x&id=1',
    'http://example.com/a?id=1',
    'http://example.com/a',
  ])
})

test('what people paste is what clients send: hosts and paths beyond ASCII, blanks', () => {
  assert.deepEqual(urls(' http://Bücher.example:80/käse brot?q=ü#ä\n'), [
    'http://xn--bcher-kva.example/k%C3%A4se%20brot?q=%C3%BC',
    'http://xn--bcher-kva.example/k%C3%A4se%20brot',
  ])
  assert.deepEqual(targets({ prefix: 'http://bücher.example/käse/' }), [
    { kind: 'prefix', prefix: 'http://xn--bcher-kva.example/k%C3%A4se/' },
  ])
})

test('a prefix is spelled as paths are stored, and never means more than it says', () => {
  const prefixes = (prefix: string) => targets({ prefix }).map((what) => (what.kind === 'prefix' ? what.prefix : ''))
  assert.deepEqual(prefixes('http://a/%7eme/caf%c3%a9/'), ['http://a/~me/caf%C3%A9/'])
  assert.deepEqual(prefixes('http://a/caf%c3%a'), ['http://a/caf%C3%A'])
  assert.deepEqual(prefixes('http://a/b%'), ['http://a/b%'])
  assert.deepEqual(prefixes('http://a/b/.'), ['http://a/b/.'])
  assert.deepEqual(prefixes('http://a/b?c=%7e'), ['http://a/b?c=%7e'])
  // It may go on as :8080; if it does not, the port is not stored.
  assert.deepEqual(prefixes('http://A:80'), ['http://a:80', 'http://a/'])
  assert.deepEqual(prefixes('https://A:80'), ['https://a:80'])
})

test('*:// stands for http and https, each without its own port', () => {
  assert.deepEqual(urls('*://example.com:443/a'), ['http://example.com:443/a', 'https://example.com/a'])
  assert.deepEqual(targets({ prefix: '*://Example.com/static/' }), [
    { kind: 'prefix', prefix: 'http://example.com/static/' },
    { kind: 'prefix', prefix: 'https://example.com/static/' },
  ])
})

test('a prefix may end anywhere; tags are each purged once', () => {
  assert.deepEqual(targets({ prefix: 'http://EXAM' }), [{ kind: 'prefix', prefix: 'http://exam' }])
  assert.deepEqual(targets({ prefix: 'https://' }), [{ kind: 'prefix', prefix: 'https://' }])
  assert.deepEqual(targets({ prefix: 'http://example.com:80/A?b' }), [
    { kind: 'prefix', prefix: 'http://example.com/A?b' },
  ])
  assert.deepEqual(targets({ tag: ['a', 'b', 'a'] }), [
    { kind: 'tag', tag: 'a' },
    { kind: 'tag', tag: 'b' },
  ])
  assert.deepEqual(targets({ all: true }), [{ kind: 'all' }])
})

test('what names nothing, or two things, is refused, with the field and the reason', () => {
  const refused: readonly (readonly [object, string, RegExp])[] = [
    [{}, '', /exactly one of "url", "prefix", "tag" and "all"/],
    [{ url: 'http://a/', all: true }, '', /exactly one/],
    [{ url: 'example.com/a' }, 'url', /does not begin as http:\/\/HOST/],
    [{ url: 'ftp://example.com/' }, 'url', /does not begin as/],
    [{ url: 'http:///a' }, 'url', /does not begin as/],
    [{ url: 'http://me@example.com/' }, 'url', /has a user in it/],
    [{ url: 'http://example.com/%0a' }, 'url', /no URL that a client could send/],
    [{ url: 'http://example.com/a%zz' }, 'url', /no URL that a client could send/],
    [{ url: 'http://exa mple.com/' }, 'url', /no host/],
    [{ url: 'http://\u{FFFD}.example/' }, 'url', /no host/],
    [{ url: 7 }, 'url', /is a text/],
    [{ prefix: '/static/' }, 'prefix', /does not begin as/],
    [{ prefix: 'http://example.com/a%zz/' }, 'prefix', /no URL that a client could send/],
    [{ prefix: 'http://büch' }, 'prefix', /write the host to its end/],
    [{ tag: 'a b' }, 'tag', /is no tag/],
    [{ tag: '' }, 'tag', /is no tag/],
    [{ tag: [] }, 'tag', /names no tag/],
  ]
  for (const [asked, path, message] of refused) {
    assert.throws(
      () => targets(asked as PurgeCache),
      { name: 'ControlError', kind: 'invalid', message },
      JSON.stringify(asked),
    )
    assert.throws(
      () => targets(asked as PurgeCache),
      ({ errors }: { errors: readonly { path: string }[] }) => errors[0]!.path === path,
    )
  }
})

test('it is told in words, a long list of tags not whole', () => {
  assert.equal(purgeWords({ url: '*://a/b' }), '*://a/b')
  assert.equal(purgeWords({ prefix: 'http://a/' }), 'everything whose URL begins with http://a/')
  assert.equal(purgeWords({ tag: 'x' }), 'everything with the tag x')
  assert.equal(
    purgeWords({ tag: ['1', '2', '3', '4', '5', '6', '7'] }),
    'everything with a tag of 1, 2, 3, 4, 5 and 2 more',
  )
  assert.equal(purgeWords({ all: true }), 'everything')
})
