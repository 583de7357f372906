import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CacheRequest, heard, plainRequest, plainRequestWithCookie, readCacheRequest } from './request.ts'

const HOST = 'Host: a\r\nAccept: */*\r\nUser-Agent: x\r\n'

test('what most requests are is one object, with a cookie another', () => {
  assert.equal(readCacheRequest(''), plainRequest)
  assert.equal(readCacheRequest(HOST), plainRequest)
  assert.equal(readCacheRequest(`${HOST}Cookie: a=1\r\nCookie: b=2\r\n`), plainRequestWithCookie)
  assert.ok(plainRequestWithCookie.isPlain && plainRequestWithCookie.hasCookie && !plainRequest.hasCookie)
})

const directives: [string, Partial<CacheRequest>][] = [
  ['no-store', { noStore: true }],
  ['No-Store', { noStore: true }],
  ['no-cache', { noCache: true }],
  ['no-cache="x"', { noCache: true }],
  ['no-transform, only-if-cached', { noTransform: true, onlyIfCached: true }],
  ['max-age=0', { maxAge: 0 }],
  ['max-age=60, min-fresh=5', { maxAge: 60, minFresh: 5 }],
  ['max-age="60"', { maxAge: 60 }],
  ['max-age=60, max-age=10', { maxAge: 10 }],
  ['max-age=10, max-age=60', { maxAge: 10 }],
  ['max-age=99999999999999999999', { maxAge: 2 ** 31 }],
  ['max-age', { maxAge: 0 }],
  ['max-age=', { noCache: true }],
  ['max-age=1.5', { maxAge: 0 }],
  ['max-age=-1', { maxAge: 0 }],
  ['max-age = 60', { noCache: true }],
  ['min-fresh=soon', { minFresh: 2 ** 31 }],
  ['min-fresh=5, min-fresh=9', { minFresh: 9 }],
  ['max-stale', { maxStale: Infinity }],
  ['max-stale=30', { maxStale: 30 }],
  ['max-stale, max-stale=30', { maxStale: 30 }],
  ['max-stale=much', { maxStale: 0 }],
  ['stale-if-error=60', { staleIfError: 60 }],
  ['no-store max-age=5', { noStore: true, noCache: true }],
  ['x="no-store, no-cache"', {}],
  ['x="a\\", no-store"', {}],
  ['x="unclosed, no-cache', { noCache: true }],
  [',,, ,', {}],
]
for (const [text, expected] of directives) {
  test(`Cache-Control: ${text}`, () => {
    const request = readCacheRequest(`${HOST}Cache-Control: ${text}\r\n`)
    assert.deepEqual({ ...request }, { ...plainRequest, isPlain: false, hasDirectives: true, ...expected })
  })
}

test('several lines are one list', () => {
  const { noStore, maxAge } = readCacheRequest('cache-control: no-store\r\nCACHE-CONTROL: max-age=5\r\n')
  assert.deepEqual([noStore, maxAge], [true, 5])
})

test('Pragma: no-cache counts only without Cache-Control', () => {
  assert.ok(readCacheRequest('Pragma: no-cache\r\n').noCache)
  assert.ok(readCacheRequest('Pragma: x, No-Cache\r\n').noCache)
  assert.ok(!readCacheRequest('Pragma: x\r\n').noCache)
  assert.ok(!readCacheRequest('Pragma: no-cache\r\nCache-Control: max-age=5\r\n').noCache)
  assert.ok(!readCacheRequest('Cache-Control: \r\nPragma: no-cache\r\n').noCache)
})

test('conditions, ranges and credentials as they come', () => {
  const request = readCacheRequest(
    'Authorization: Basic eA==\r\nRange: bytes=0-1\r\nIf-Range: "a"\r\nIf-Match: "b"\r\nIf-None-Match: "c"\r\n' +
      'If-None-Match: "d"\r\nIf-Modified-Since: x\r\nIf-Unmodified-Since: y\r\n',
  )
  assert.ok(request.hasAuthorization && !request.hasDirectives)
  assert.deepEqual(
    [request.range, request.ifRange, request.ifMatch, request.ifNoneMatch],
    ['bytes=0-1', '"a"', '"b"', '"c", "d"'],
  )
  assert.deepEqual([request.ifModifiedSince, request.ifUnmodifiedSince], ['x', 'y'])
  assert.equal(readCacheRequest('If-None-Match:\r\n').ifNoneMatch, ',')
})

test('a route that does not honour directives hears less', () => {
  const request = readCacheRequest(
    'Cache-Control: no-store, no-cache, max-age=0, max-stale=5, only-if-cached\r\nCookie: a\r\n',
  )
  assert.equal(heard(request, { clientDirectives: 'honor' }), request)
  const reloads = heard(request, { clientDirectives: 'no-reload' })
  assert.deepEqual({ ...reloads }, { ...request, noCache: false, maxAge: -1 })
  const nothing = heard(request, { clientDirectives: 'ignore' })
  assert.deepEqual({ ...nothing }, { ...plainRequest, isPlain: false, hasCookie: true })
  assert.equal(heard(plainRequest, { clientDirectives: 'ignore' }), plainRequest)
  assert.ok(!heard(readCacheRequest('Pragma: no-cache\r\n'), { clientDirectives: 'no-reload' }).noCache)
})

test('whatever Cache-Control says, reading it never throws, and no-store that stands by itself is heard', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab=,;" \\-01'), maxLength: 30 })
  fc.assert(
    fc.property(text, (value) => {
      readCacheRequest(`Cache-Control: ${value}\r\n`)
      assert.ok(
        readCacheRequest(`Cache-Control: ${value}\r\nCache-Control: no-store\r\n`).noStore || value.includes('"'),
      )
      assert.ok(readCacheRequest(`Cache-Control: no-store\r\nCache-Control: ${value}\r\n`).noStore)
    }),
  )
})
