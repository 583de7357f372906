import assert from 'node:assert/strict'
import { test } from 'node:test'
import { invalidated, isUnsafe } from './invalidate.ts'

const url = 'http://example.com/a/b?c'
const of = (location: string, contentLocation = '', status = 201): readonly string[] =>
  invalidated('POST', status, url, location, contentLocation)

test('safe methods and errors make nothing wrong', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'])
    assert.deepEqual(invalidated(method, 200, url, '/x', ''), [])
  for (const status of [101, 400, 404, 500]) assert.deepEqual(of('/x', '', status), [])
})

test('unsafe methods, and those that nobody knows, do', () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'FROBNICATE', 'get']) {
    assert.ok(isUnsafe(method))
    for (const status of [200, 204, 302]) assert.deepEqual(invalidated(method, status, url, '', ''), [url])
  }
})

const locations: [string, string[]][] = [
  ['/x', ['http://example.com/x']],
  ['/x?y#z', ['http://example.com/x?y']],
  ['x', ['http://example.com/a/x']],
  ['../x', ['http://example.com/x']],
  ['/p/../x', ['http://example.com/x', 'http://example.com/p/../x']],
  ['?d', ['http://example.com/a/b?d']],
  ['HTTP://EXAMPLE.com:80/x', ['http://example.com/x']],
  ['//example.com/x', ['http://example.com/x']],
  ['http://example.com', ['http://example.com/']],
  ['http://user@example.com/x', ['http://example.com/x']],
  ['/a"b', ['http://example.com/a%22b', 'http://example.com/a"b']],
  [url, []],
  ['https://example.com/x', []],
  ['http://example.com:8080/x', []],
  ['http://other.example/x', []],
  ['//other.example/x', []],
  ['http://[', []],
]
for (const [location, more] of locations) {
  test(`Location: ${location}`, () => {
    assert.deepEqual(of(location), [url, ...more])
    assert.deepEqual(of('', location), [url, ...more])
  })
}

test('both fields, with queries read as those of requests are', () => {
  const spec = { query: { kind: 'none' }, sortQuery: false, headers: [], cookies: [] } as const
  assert.deepEqual(invalidated('PUT', 200, 'http://a/x', '/y?1', '/z?2', spec), [
    'http://a/x',
    'http://a/y',
    'http://a/z',
  ])
})
