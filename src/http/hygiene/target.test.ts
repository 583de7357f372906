import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasDotSegments } from './target.ts'

test('dot segments in every spelling', () => {
  for (const target of [
    '/..',
    '/../x',
    '/a/../b',
    '/a/..',
    '/a/%2e%2e/b',
    '/a/.%2E',
    '/a%2f..%2fb',
    '/a\\..\\b',
    '/./a',
    '/a/.',
  ]) {
    assert.ok(hasDotSegments(target), target)
  }
  for (const target of ['/', '/a', '/a..b', '/..a', '/a/...', '/.well-known/x', '/a?x=/../y', '/a.b/c', '*']) {
    assert.equal(hasDotSegments(target), false, target)
  }
})
