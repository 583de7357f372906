import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StrategyRequest } from '../core/plugin.ts'
import { extractPlugins, hasValues } from './extract.ts'

const limit = { onRequest: () => undefined }
const nearest = { build: () => () => undefined }
const isTenant = (): boolean => true

test('functions go, references stay in their places, everything else is as it was', () => {
  const config = {
    backends: ['http://a'],
    strategy: nearest,
    plugins: ['./a.ts', { middleware: { stamp: limit }, matchers: { tenant: () => isTenant } }],
    pools: { api: { strategy: nearest, backends: ['http://b'] }, web: { strategy: 'first' } },
    routes: [
      { match: '*', pool: 'api', use: limit },
      {
        match: { path: '/x', custom: isTenant },
        pool: 'web',
        use: ['stamp', limit, { other: { max: 1 } }, () => limit],
      },
    ],
  }
  const before = structuredClone({ ...config, strategy: 0, plugins: 0, pools: 0, routes: 0 })
  const { config: plain, values, problems } = extractPlugins(config)
  assert.deepEqual(problems, [])
  assert.deepEqual(plain, {
    backends: ['http://a'],
    strategy: '@strategy',
    plugins: ['./a.ts', '@plugins[1]'],
    pools: { api: { strategy: '@pools.api.strategy', backends: ['http://b'] }, web: { strategy: 'first' } },
    routes: [
      { match: '*', pool: 'api', use: '@routes[0].use' },
      {
        match: { path: '/x', custom: '@routes[1].match.custom' },
        pool: 'web',
        use: ['stamp', '@routes[1].use[1]', { other: { max: 1 } }, '@routes[1].use[3]'],
      },
    ],
  })
  structuredClone(plain)
  assert.deepEqual([...values.middleware.keys()], ['stamp', '@routes[0].use', '@routes[1].use[1]', '@routes[1].use[3]'])
  assert.equal(values.middleware.get('@routes[1].use[1]'), limit)
  assert.deepEqual([...values.strategies.keys()], ['@strategy', '@pools.api.strategy'])
  assert.equal(values.matchers.get('@routes[1].match.custom')?.({} as never), isTenant)
  assert.ok(values.matchers.has('tenant'))
  assert.deepEqual(structuredClone({ ...config, strategy: 0, plugins: 0, pools: 0, routes: 0 }), before)
})

test('an instance of a class is as good as an object', () => {
  class Counter {
    count = 0
    onFinish(): void {
      this.count++
    }
  }
  class Sticky {
    build() {
      return (_: StrategyRequest) => undefined
    }
  }
  const { config, values } = extractPlugins({
    routes: [{ use: [new Counter()] }],
    pools: { a: { strategy: new Sticky() } },
  })
  assert.deepEqual(config, {
    routes: [{ use: ['@routes[0].use[0]'] }],
    pools: { a: { strategy: '@pools.a.strategy' } },
  })
  assert.ok(hasValues(values))
})

test('what stands there and is none of it is told with its place', () => {
  const circle: Record<string, unknown> = { run: () => 0 }
  circle.self = circle
  const { problems } = extractPlugins({
    plugins: [{ middelware: { a: limit } }, { middleware: { b: { onRequst: () => 0 } } }],
    routes: [
      { use: [{ limit: { key: () => 'x' } }, { onrequest: () => 0 }] },
      { use: { onRequest: 1 } },
      { use: [{ onRequest() {}, onFinish: 'x' }] },
      { use: [circle], match: { custom: { tenant: { by: () => 0 } } } },
    ],
    pools: { api: { strategy: () => undefined } },
  })
  assert.deepEqual(
    problems.map(({ path, message, hint }) => `${path} ${message}; ${hint}`),
    [
      'plugins[0] has a part middelware, which plug-ins do not have; did you mean middleware?',
      'plugins[1] middleware.b has none of the hooks; did you mean onRequest?',
      'routes[0].use[0] has none of the hooks of middleware, and options cannot hold functions; call what makes the middleware yourself: use: [limit({ … })]',
      'routes[0].use[1] has none of the hooks; did you mean onRequest?',
      'routes[1].use has a number for onRequest, which must be a function; null',
      'routes[2].use[0] has a string for onFinish, which must be a function; null',
      'routes[3].use[0] has none of the hooks of middleware, and options cannot hold functions; call what makes the middleware yourself: use: [limit({ … })]',
      'routes[3].match.custom the options of a matcher cannot hold functions; write the function itself: (request) => …',
      'pools.api.strategy is no strategy; a strategy is { build({ backends }) { return (request) => backend } }',
    ],
  )
})

test('options that no file can say, and no thread be told, are refused', () => {
  const list = [new Date(0), new Map(), /x/, new (class Limit {})(), Buffer.from('x'), 10n, Symbol('x')]
  const { problems } = extractPlugins({
    routes: [{ use: list.map((since) => ({ limit: { at: [{ since }] } })) }, { match: { custom: { odd: [1n] } } }],
    strategy: { custom: { own: new Set() } },
  })
  assert.deepEqual(
    problems.map(
      ({ path, message }) => `${path} ${message.replace('options are plain data, and cannot hold', 'holds')}`,
    ),
    [
      ...['an object of Date', 'an object of Map', 'an object of RegExp', 'an object of Limit', 'an object of Buffer'],
      ...['a bigint', 'a symbol'],
    ]
      .map((what, i) => `routes[0].use[${i}] holds ${what}`)
      .concat('routes[1].match.custom holds a bigint', 'strategy holds an object of Set'),
  )
  const plain = {
    routes: [{ use: [{ limit: Object.assign(Object.create(null), { of: [undefined, null, { a: 1 }] }) }] }],
  }
  assert.deepEqual(extractPlugins(plain).problems, [])
})

test('whatever the configuration is, nothing is thrown, and what has no functions stays the same object', () => {
  for (const odd of [
    null,
    1,
    'x',
    [],
    { routes: 1 },
    { routes: [null, 'x', { match: 1, use: null }] },
    { pools: [] },
  ]) {
    assert.deepEqual(extractPlugins(odd).problems, [])
  }
  const plain = { routes: [{ match: { path: '/x' }, pool: 'a' }], pools: { a: { backends: [] } } }
  assert.deepEqual(extractPlugins(plain).config, plain)
  assert.ok(!hasValues(extractPlugins(plain).values))
})
