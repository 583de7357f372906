import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CacheKeySpec } from '../../../core/cache-spec.ts'
import { conditionHolds } from './conditions.ts'
import { keyedValues, originKey, targetKey, urlKey } from './key.ts'

const all: CacheKeySpec = { query: { kind: 'all' }, sortQuery: false, headers: [], cookies: [] }
const only = (...names: string[]): CacheKeySpec => ({ ...all, query: { kind: 'only', names } })
const except = (...names: string[]): CacheKeySpec => ({ ...all, query: { kind: 'except', names } })

const origins: [string, string, string][] = [
  ['http', 'Example.COM', 'http://example.com'],
  ['http', 'example.com:80', 'http://example.com'],
  ['http', 'example.com:', 'http://example.com'],
  ['http', 'example.com:080', 'http://example.com'],
  ['https', 'example.com:443', 'https://example.com'],
  ['https', 'example.com:80', 'https://example.com:80'],
  ['http', '[::1]', 'http://[::1]'],
  ['http', '[::1]:80', 'http://[::1]'],
  ['http', '[::1]:8080', 'http://[::1]:8080'],
  ['http', '', 'http://'],
]
for (const [scheme, host, expected] of origins) {
  test(`${scheme}, ${host}: ${expected}`, () => assert.equal(originKey(scheme, host), expected))
}

test('by default a target is what it is, byte for byte', () => {
  for (const target of ['/', '/a?', '/a?b&&c', '/a;x=1', '/a%2Fb', '/a%2fb', '/a//b', '*']) {
    assert.equal(urlKey('http', 'a', target, all), `http://a${target}`)
  }
})

const targets: [CacheKeySpec, string, string][] = [
  [{ ...all, query: { kind: 'none' } }, '/a?b=1', '/a'],
  [except('utm_*', 'ref'), '/a?utm_x=1&id=2&ref=3&refer=4', '/a?id=2&refer=4'],
  [except('utm_*'), '/a?utm_x=1', '/a'],
  [except('utm_*'), '/a?', '/a'],
  [except('utm_*'), '/a?utm%5Fx=1', '/a?utm%5Fx=1'],
  [except('utm_*'), '/a?utm_x=1;id=2', '/a?utm_x=1;id=2'],
  [except('a'), '/?b=1&b=2&&c', '/?b=1&b=2&c'],
  [only('id'), '/a?x=1&id=2&y=3', '/a?id=2'],
  [only('id'), '/a?x=1;id=2', '/a?x=1;id=2'],
  [
    only('id'),
    '/a?%69d=2&ID=3&id[]=4&id%5b%5d=5&+id=6&id%00=7&ide=8',
    '/a?%69d=2&ID=3&id[]=4&id%5b%5d=5&+id=6&id%00=7',
  ],
  [only('a_b'), '/a?a.b=1&a+b=2&ab=3', '/a?a.b=1&a+b=2'],
  [only('p*'), '/a?page=1&q=2', '/a?page=1'],
  [{ ...all, sortQuery: true }, '/a?b=2&a=1&b=1', '/a?a=1&b=2&b=1'],
  [{ ...only('a', 'b'), sortQuery: true }, '/a?b=2&c=3&a=1', '/a?a=1&b=2'],
]
for (const [spec, target, expected] of targets) {
  test(`${JSON.stringify(spec.query)} ${target}`, () => assert.equal(targetKey(target, spec), expected))
}

test('fields and cookies that are kept apart cannot be forged', () => {
  const spec = { headers: ['x-a', 'x-b'], cookies: ['a', 'b'] }
  const of = (lookup: string, cookie: string): string => keyedValues(lookup, cookie, spec)
  assert.equal(keyedValues('X-A: 1\r\n', 'a=1', all), '')
  assert.equal(of('X-A: 1\r\nX-C: 1\r\n', 'c=1; a=1; d=5'), of('x-a:1\r\nX-C: 2\r\n', 'a=1; d=4'))
  const differ = [
    of('', ''),
    of('X-A:\r\n', ''),
    of('X-B:\r\n', ''),
    of('', 'a='),
    of('', 'b='),
    of('', 'a=1'),
    of('', 'A=1'),
    of('', 'a =1'),
    of('', 'a= 1'),
    of('', '\u00a0a=1'),
    of('', '  a=1'),
    of('', '%61=1'),
    of('', 'a=1; a=2'),
    of('', 'a=2; a=1'),
    of('', 'a=1; b=2'),
    of('X-A: 1\r\nX-B: 2\r\n', ''),
    of('X-A: 2\r\nX-B: 1\r\n', ''),
    of('X-A: a=1\r\n', ''),
  ]
  assert.equal(new Set(differ).size, differ.length)
  assert.ok(!of('', 'a=secret').includes('secret'))
})

test('conditions: any of them is enough', () => {
  const none = { headers: [], cookies: [], query: [] }
  const header = (name: string, ...values: string[]) => ({ ...none, headers: [{ name, values }] })
  const cookie = (name: string, ...values: string[]) => ({ ...none, cookies: [{ name, values }] })
  const query = (name: string, ...values: string[]) => ({ ...none, query: [{ name, values }] })
  assert.ok(!conditionHolds(none, 'X: 1\r\n', 'a=1', 'a=1'))
  assert.ok(conditionHolds(header('x'), 'X:\r\n', '', ''))
  assert.ok(!conditionHolds(header('x'), 'Y: 1\r\n', '', ''))
  assert.ok(conditionHolds(header('x', 'b', 'a*'), 'X: 1\r\nX: abc\r\n', '', ''))
  assert.ok(!conditionHolds(header('x', '*b'), 'X: bc\r\n', '', ''))
  assert.ok(conditionHolds(header('x', '*b*'), 'X: abc\r\n', '', ''))
  assert.ok(conditionHolds(cookie('a'), '', 'b=1; a=2', ''))
  assert.ok(conditionHolds(cookie('a', '2'), '', 'a=1; a=2', ''))
  assert.ok(!conditionHolds(cookie('a', '2'), '', 'b=2', ''))
  assert.ok(conditionHolds(query('p', 'x y'), '', '', 'q=1&%70=x+y'))
  assert.ok(conditionHolds(query('p'), '', '', 'p'))
  assert.ok(!conditionHolds(query('p'), '', '', 'pp=1'))
})

test('two queries in which a parameter that counts has another value never have one key', () => {
  const name = fc.constantFrom('id', 'i%64', 'x', 'utm_a', 'id[]')
  const parameters = fc.array(fc.tuple(name, fc.constantFrom('1', '2', '1;id=2')), { maxLength: 4 })
  const queryOf = (list: readonly (readonly [string, string])[]): string =>
    `/a?${list.map((pair) => pair.join('=')).join('&')}`
  // As the most forgiving backend reads them.
  const ids = (list: readonly (readonly [string, string])[]): string =>
    JSON.stringify(list.flatMap(([n, v]) => `${n}=${v}`.split(';')).filter((part) => /^(?:id|i%64|id\[\])=/.test(part)))
  fc.assert(
    fc.property(parameters, parameters, (a, b) => {
      if (ids(a) === ids(b)) return
      for (const spec of [all, only('id'), except('utm_*', 'x')]) {
        assert.notEqual(targetKey(queryOf(a), spec), targetKey(queryOf(b), spec))
      }
    }),
    { numRuns: 1000 },
  )
})
