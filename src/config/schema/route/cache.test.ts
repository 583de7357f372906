// Every setting of caching reaches the compiled form, from a route and from the top level alike.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CacheSpec, CacheStoreSpec } from '../../../core/cache-spec.ts'
import type { Snapshot } from '../../../core/spec.ts'
import { sameData } from '../../../util/same-data.ts'
import { compileSnapshot, noMaterial } from '../../compile.ts'
import { ConfigError, loadConfig } from '../../load.ts'
import { cacheDefaults } from './cache.ts'
import { formatStatusSpan, parseStatusSpan } from './cache-statuses.ts'

const base = { listeners: [{ name: 'web', listen: ':80' }], pools: { api: { backends: ['http://localhost:1'] } } }

function compile(file: object): Snapshot {
  const { config } = loadConfig({ text: JSON.stringify({ ...base, ...file }), path: '/etc/fd/c.json', env: {} })
  const numbers = { slotOf: () => 0, cursorOf: () => 0, listenerRowOf: () => 0 }
  const given = { generation: 1, instanceId: 'x', stickySecret: 'ab', material: noMaterial }
  return compileSnapshot(config, { ...given, ...numbers })
}

const route = (cache: unknown) => ({ name: 'r', match: { path: '/r/*' }, pool: 'api', cache })
const specOf = (cache: unknown, top?: unknown): CacheSpec | null =>
  compile({ routes: [route(cache)], ...(top !== undefined && { cache: top }) }).routes[0]!.cache

const conditions = { header: { 'X-A': true }, cookie: { s: ['1', '2*'] }, query: { q: 'x' } }
const compiledConditions = {
  headers: [{ name: 'x-a', values: [] }],
  cookies: [{ name: 's', values: ['1', '2*'] }],
  query: [{ name: 'q', values: ['x'] }],
}

/** By key of the file: what it says, the key of the compiled form, and what stands there. */
const settings: Readonly<Record<string, readonly [said: unknown, key: keyof CacheSpec, compiled: unknown]>> = {
  ttl: ['10m', 'ttl', 600_000],
  ttl_by_status: [
    { '4xx': '1s', '404': 2, '200-299': '3s' },
    'ttlByStatus',
    [
      { from: 404, to: 404, ttl: 2000 },
      { from: 200, to: 299, ttl: 3000 },
      { from: 400, to: 499, ttl: 1000 },
    ],
  ],
  default_ttl: ['10m', 'defaultTtl', 600_000],
  heuristic: [{ share: '20%', max: '1h' }, 'heuristic', { share: 0.2, max: 3_600_000 }],
  stale_while_revalidate: ['30s', 'staleWhileRevalidate', 30_000],
  stale_if_error: ['1d', 'staleIfError', 86_400_000],
  stale_when_down: ['0s', 'staleWhenDown', 0],
  key: [
    { query: { only: 'a*' }, sort_query: true, headers: ['X-B'], cookies: ['C'] },
    'key',
    { query: { kind: 'only', names: ['a*'] }, sortQuery: true, headers: ['x-b'], cookies: ['C'] },
  ],
  vary: [['X-D'], 'vary', ['x-d']],
  bypass: [conditions, 'bypass', compiledConditions],
  no_store: [conditions, 'noStore', compiledConditions],
  client_directives: ['ignore', 'clientDirectives', 'ignore'],
  set_cookie: ['store', 'setCookie', 'store'],
  target_fields: [['X-E'], 'targetFields', ['x-e']],
  tag_fields: [[], 'tagFields', []],
  status: ['key', 'status', 'key'],
  wait_for: ['250ms', 'waitFor', 250],
}

test('there is a test of every setting', () => {
  const keys = Object.values(settings).map(([, key]) => key)
  assert.deepEqual([...keys].sort(), Object.keys(cacheDefaults).sort())
  const { routes } = loadConfig({ text: JSON.stringify({ ...base, routes: [route(true)] }), env: {} }).config
  assert.deepEqual(routes[0]!.cache, cacheDefaults)
})

for (const [name, [said, key, compiled]] of Object.entries(settings)) {
  test(`${name} reaches ${key}, and nothing else`, () => {
    const wanted = { ...cacheDefaults, [key]: compiled }
    assert.notDeepEqual(wanted, cacheDefaults)
    assert.deepEqual(specOf({ [name]: said }), wanted)
    assert.deepEqual(specOf(true, { [name]: said }), wanted)
    assert.deepEqual(specOf(undefined, { [name]: said }), wanted)
    assert.ok(!sameData(specOf({ [name]: said }), specOf(true)), 'a change of it is seen')
  })
}

test('a route lays its keys over those of the top level, each as a whole', () => {
  const top = { ttl: '1m', key: { sort_query: true }, heuristic: false, stale_if_error: '1h' }
  const own = { key: { query: 'none' }, stale_if_error: 'origin', heuristic: {} }
  assert.deepEqual(specOf(own, top), {
    ...cacheDefaults,
    ttl: 60_000,
    key: { ...cacheDefaults.key, query: { kind: 'none' } },
  })
  assert.equal(specOf(false, top), null)
  assert.equal(specOf(undefined, false), null)
  assert.deepEqual(specOf({ ttl: '1m' }, false), { ...cacheDefaults, ttl: 60_000 })
})

test('the top level is for what listeners pass on by themselves too, where no route takes all of it', () => {
  const routes = (file: object) => compile(file).routes.map(({ name, cache }) => [name, cache !== null])
  const pools = { default: { backends: ['http://localhost:1'] } }
  assert.deepEqual(routes({ pools, cache: true }), [['default', true]])
  assert.deepEqual(routes({ pools, cache: false }), [])
  const own = { name: 'own', match: { path: '/own/*' }, pool: 'default', cache: false }
  assert.deepEqual(routes({ pools, cache: true, routes: [own] }), [
    ['own', false],
    ['default', true],
  ])
  const all = { ...own, match: '*' }
  assert.deepEqual(routes({ pools, cache: true, routes: [all] }), [['own', false]])
  const listeners = [...base.listeners, { name: 'other', listen: ':81', pool: 'api' }]
  const two = compile({ listeners, cache: true, routes: [{ ...own, pool: 'api', match: { listener: 'other' } }] })
  assert.deepEqual(
    two.routes.map(({ name }) => name),
    ['own'],
    'the other listener has no pool of its own',
  )
  const both = compile({ listeners, pools: { ...base.pools, ...pools }, cache: true, routes: [all] })
  assert.deepEqual(
    both.routes.map(({ name }) => name),
    ['own'],
  )
  const one = { ...all, match: { listener: 'web' } }
  const rest = compile({ listeners, pools: { ...base.pools, ...pools }, cache: true, routes: [one] })
  assert.deepEqual(
    rest.routes.map(({ name, match }) => [name, match.listeners]),
    [
      ['own', ['web']],
      ['default', ['other']],
    ],
  )
})

test('the store: its defaults, its folder beside the file, none where nothing is stored', () => {
  const storeOf = (file: object): CacheStoreSpec | null => compile(file).cacheStore
  const MB = 1024 ** 2
  assert.equal(storeOf({}), null)
  assert.equal(storeOf({ cache_store: { memory: '64MB' } }), null)
  const routes = [route(true)]
  assert.deepEqual(storeOf({ routes }), { memory: 256 * MB, maxObject: 8 * MB, disk: null })
  const disk = { path: 'kept' }
  assert.deepEqual(storeOf({ routes, cache_store: { memory: '16MB', disk } }), {
    memory: 16 * MB,
    maxObject: 4 * MB,
    disk: { path: '/etc/fd/kept', size: 10 * 1024 * MB },
  })
  assert.deepEqual(storeOf({ routes, cache_store: { max_object: '64MB', disk: { path: '/x', size: '1GB' } } }), {
    memory: 256 * MB,
    maxObject: 64 * MB,
    disk: { path: '/x', size: 1024 * MB },
  })
})

test('spans of statuses: what is written and read is the same, and of several the narrowest comes first', () => {
  const status = fc.integer({ min: 200, max: 599 })
  const span = fc.tuple(status, status).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }))
  fc.assert(fc.property(span, (one) => assert.deepEqual(parseStatusSpan(formatStatusSpan(one)), one)))
  assert.deepEqual(parseStatusSpan('5XX'), { from: 500, to: 599 })
  for (const wrong of ['', '1xx', '6xx', '99', '404-', '404-200', '20x', '200 - 299', '*'])
    assert.throws(() => parseStatusSpan(wrong), /is no status of an answer/, wrong)
  let accepted = 0
  fc.assert(
    fc.property(fc.uniqueArray(span, { minLength: 1, maxLength: 4, selector: formatStatusSpan }), (spans) => {
      const entries = spans.map((one, i) => [formatStatusSpan(one), i])
      let list: CacheSpec['ttlByStatus']
      try {
        list = specOf({ ttl_by_status: Object.fromEntries(entries) })!.ttlByStatus
      } catch (error) {
        assert.ok(error instanceof ConfigError)
        return
      }
      accepted++
      for (let code = 200; code < 600; code += 7) {
        const fits = spans.filter(({ from, to }) => code >= from && code <= to)
        const narrowest = fits.sort((a, b) => a.to - a.from - (b.to - b.from))[0]
        const first = list.find(({ from, to }) => code >= from && code <= to)
        assert.deepEqual(first && { from: first.from, to: first.to }, narrowest)
      }
    }),
  )
  assert.ok(accepted > 20, `${accepted} were right`)
})
