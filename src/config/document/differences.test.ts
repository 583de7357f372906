import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalDocument, documents } from '../../../test/support/config-documents.ts'
import { applyDifferences, differencesBetween, invert } from './differences.ts'
import type { Json } from './types.ts'

const same = (actual: Json, expected: Json): void =>
  assert.deepEqual(canonicalDocument(actual), canonicalDocument(expected))

test('applied, the differences of two documents make one of the other, and inverted they lead back', () => {
  fc.assert(
    fc.property(documents, documents, (a, b) => {
      const found = differencesBetween(a, b)
      same(applyDifferences(a, found), b)
      same(applyDifferences(b, invert(found)), a)
    }),
    { numRuns: 1000 },
  )
})

test('a document differs from itself in nothing, in whatever order its keys stand', () => {
  fc.assert(
    fc.property(documents, (document) => {
      assert.deepEqual(differencesBetween(document, document), [])
      const turned = Object.fromEntries(Object.entries(document as object).reverse()) as Json
      assert.deepEqual(differencesBetween(document, turned), [])
    }),
  )
})

const pool = (...backends: Json[]): Json => ({ pools: { api: { backends } } })

test('backends are compared by their URL in normal form, however they are written', () => {
  assert.deepEqual(differencesBetween(pool('http://A.example:80/'), pool({ url: 'http://a.example' })), [])
  const from = pool('http://a', { url: 'http://b', weight: 2 })
  const to = pool({ url: 'http://A/', weight: 5 }, { url: 'http://b' }, 'http://c')
  assert.deepEqual(differencesBetween(from, to), [
    { path: ['pools', 'api', 'backends', 'http://a', 'weight'], value: 5 },
    { path: ['pools', 'api', 'backends', 'http://b', 'weight'], base: 2 },
    { path: ['pools', 'api', 'backends', 'http://c'], value: 'http://c', after: 'http://b' },
  ])
})

test('what comes to a list and leaves it knows its place', () => {
  const from = pool('http://a', 'http://b', 'http://c')
  const to = pool('http://x', 'http://a', 'http://c')
  const found = differencesBetween(from, to)
  assert.deepEqual(found, [
    { path: ['pools', 'api', 'backends', 'http://b'], base: 'http://b', after: 'http://a' },
    { path: ['pools', 'api', 'backends', 'http://x'], value: 'http://x', after: null },
  ])
  assert.deepEqual(applyDifferences(from, found), to)
  assert.deepEqual(applyDifferences(to, invert(found)), from)
  const elsewhere = pool('http://n', 'http://a')
  assert.deepEqual(applyDifferences(elsewhere, found), pool('http://x', 'http://n', 'http://a'))
})

test('another order of the same items is one difference', () => {
  const found = differencesBetween(pool('http://a', 'http://b'), pool('http://b', 'http://a'))
  assert.deepEqual(found, [
    { path: ['pools', 'api', 'backends'], base: ['http://a', 'http://b'], value: ['http://b', 'http://a'] },
  ])
})

test('routes without a name stay out of the way of others, but are one value with the list where they differ', () => {
  const rest = { match: '*', pool: 'web' }
  const found = differencesBetween({ routes: [rest] }, { routes: [{ name: 'a', pool: 'api' }, rest] })
  assert.deepEqual(found, [{ path: ['routes', 'a'], value: { name: 'a', pool: 'api' }, after: null }])
  const changed = differencesBetween({ routes: [rest] }, { routes: [{ ...rest, pool: 'api' }] })
  assert.deepEqual(changed, [{ path: ['routes'], base: [rest], value: [{ ...rest, pool: 'api' }] }])
})

test('settings are compared one by one, objects of several forms as a whole', () => {
  const from = { pools: { api: { timeouts: { connect: '1s' }, sticky: { by: 'ip' } } } }
  const to = { pools: { api: { timeouts: { connect: '1s', idle: '9s' }, sticky: { by: 'header', header: 'X' } } } }
  assert.deepEqual(differencesBetween(from, to), [
    { path: ['pools', 'api', 'timeouts', 'idle'], value: '9s' },
    {
      path: ['pools', 'api', 'sticky'],
      base: { by: 'ip' },
      value: { by: 'header', header: 'X' },
    },
  ])
})

test('null, nothing and an empty object are told apart where they mean different things', () => {
  const access = (value: Json) => ({ logging: { access: value } })
  assert.deepEqual(differencesBetween(access(null), access({})), [
    { path: ['logging', 'access'], base: null, value: {} },
  ])
  assert.deepEqual(differencesBetween({ logging: {} }, access({})), [{ path: ['logging', 'access'], value: {} }])
  assert.deepEqual(differencesBetween({ limits: {} }, {}), [])
})

test('what leads to a place that is not there is passed over', () => {
  const lost = [
    { path: ['pools', 'gone', 'strategy'], value: 'random' },
    { path: ['pools', 'api', 'backends', 'http://gone', 'weight'], value: 2 },
  ]
  assert.deepEqual(applyDifferences(pool('http://a'), lost), pool('http://a'))
})
