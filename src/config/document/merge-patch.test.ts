import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { documents } from '../../../test/support/config-documents.ts'
import { ConfigError } from '../problem.ts'
import { mergePatch } from './merge-patch.ts'
import type { Json } from './types.ts'

test('the examples of RFC 7396, appendix A, but for flat keys', () => {
  const examples: readonly [target: Json, patch: Json, result: Json][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]
  for (const [target, patch, result] of examples) assert.deepEqual(mergePatch(target, patch), result)
})

test('an empty patch changes nothing, and no patch changes what it is given', () => {
  fc.assert(
    fc.property(documents, documents, (document, patch) => {
      assert.deepEqual(mergePatch(document, {}), document)
      const before = JSON.stringify(document)
      mergePatch(document, patch)
      assert.equal(JSON.stringify(document), before)
    }),
  )
})

const normal: Json = {
  listeners: [{ name: 'default', listen: '127.0.0.1:80' }],
  pools: { default: { strategy: 'random', backends: ['http://a'], health_check: { interval: '9s' } } },
  admin: { listen: '[::1]:81', token: 'x' },
}

test('flat keys go to their places', () => {
  const patch = { strategy: 'first', health_check_path: '/up', backend_timeout: '3s', port: 90, admin_port: 91 }
  assert.deepEqual(mergePatch(normal, patch), {
    listeners: [{ name: 'default', listen: '127.0.0.1:90' }],
    pools: {
      default: {
        strategy: 'first',
        backends: ['http://a'],
        health_check: { interval: '9s', path: '/up' },
        timeouts: { first_byte: '3s' },
      },
    },
    admin: { listen: '[::1]:91', token: 'x' },
  })
  assert.deepEqual(mergePatch(normal, { strategy: null, port: null }), {
    ...(normal as object),
    listeners: [{ name: 'default', listen: '127.0.0.1:8080' }],
    pools: { default: { backends: ['http://a'], health_check: { interval: '9s' } } },
  })
})

test('flat keys mean the only pool where none is named default', () => {
  const only = { pools: { api: { backends: ['http://a'] } } }
  assert.deepEqual(mergePatch(only, { strategy: 'first' }), {
    pools: { api: { backends: ['http://a'], strategy: 'first' } },
  })
})

test('the flat key tls is the listener default-tls', () => {
  const pair = { cert: 'a.pem', key: 'a.key' }
  const on = mergePatch(normal, { tls: { ...pair, redirect_http: true } })
  const secure = { name: 'default-tls', listen: ':8443', tls: { certificates: [pair] } }
  const redirecting = { name: 'default', listen: '127.0.0.1:80', redirect_https: 8443 }
  assert.deepEqual((on as { listeners: Json }).listeners, [redirecting, secure])
  const moved = mergePatch(on, { tls: { port: 9443, key: 'b.key' } }) as { listeners: Json }
  assert.deepEqual(moved.listeners, [
    { ...redirecting, redirect_https: 9443 },
    { ...secure, listen: ':9443', tls: { certificates: [{ cert: 'a.pem', key: 'b.key' }] } },
  ])
  assert.deepEqual(mergePatch(on, { tls: null }), normal)
})

test('a key __proto__ is a key like any other', () => {
  const merged = mergePatch({}, JSON.parse('{"__proto__": {"a": 1}}'))
  assert.deepEqual(Object.keys(merged as object), ['__proto__'])
})

test('what contradicts itself or has no place is refused', () => {
  const refused = (document: Json, patch: Json, words: RegExp): void => {
    assert.throws(
      () => mergePatch(document, patch),
      (error) => error instanceof ConfigError && words.test(error.message),
    )
  }
  refused(normal, { strategy: 'first', pools: { default: { strategy: 'random' } } }, /patch: strategy: contradicts/)
  refused(normal, { port: 'x' }, /port: "x" is not a port/)
  refused({ listeners: [{ name: 'a' }, { name: 'b' }] }, { port: 1 }, /there are several listeners/)
})
