import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteSpec } from '../core/route-spec.ts'
import { compileSnapshot, noMaterial } from './compile.ts'
import { loadConfig } from './load.ts'

const base = {
  listeners: [{ name: 'web', listen: ':80' }],
  pools: { api: { backends: ['http://localhost:1'] }, next: { backends: ['http://localhost:2'] } },
}

function compile(file: object) {
  const { config } = loadConfig({ text: JSON.stringify({ ...base, ...file }), env: {} })
  const asked: string[] = []
  const snapshot = compileSnapshot(config, {
    generation: 1,
    instanceId: 'x',
    slotOf: () => 0,
    cursorOf: (name) => asked.push(name) - 1,
    listenerRowOf: (name) => config.listeners.findIndex((listener) => listener.name === name),
    stickySecret: 'ab',
    material: noMaterial,
  })
  return { ...snapshot, asked }
}

const routesOf = (...routes: object[]): readonly RouteSpec[] => compile({ routes }).routes

test('a route that says nothing more than its pool does nothing more', () => {
  const [route] = routesOf({ match: { path: '/api/*' }, pool: 'api' })
  const { name, rows, match, action, accessLog, ...rest } = route!
  assert.deepEqual([name, rows, match.paths, action], ['route-1', [0], ['/api/*'], { kind: 'pool', pool: 'api' }])
  assert.equal(accessLog, true)
  for (const [key, value] of Object.entries(rest)) assert.ok(value === null || String(value) === '', key)
})

test('texts are bytes, and variables are parsed', () => {
  const [hello, redirect] = routesOf(
    { match: { path: '/hello/{name}' }, respond: { body: 'für {name} 🦊 { x }', headers: { 'X-A': 'ä {route}' } } },
    { match: { path: '/old/*' }, redirect: '/neu/{path}' },
  )
  assert.equal(hello?.action.kind, 'respond')
  const { body, headers } = hello!.action as Extract<RouteSpec['action'], { kind: 'respond' }>
  const bytes = (text: string): string => Buffer.from(text).toString('latin1')
  assert.deepEqual(body, [bytes('für '), { name: 'name' }, bytes(' 🦊 { x }')])
  assert.deepEqual(headers, [
    { name: 'Content-Type', value: ['text/plain; charset=utf-8'] },
    { name: 'X-A', value: [bytes('ä '), { name: 'route' }] },
  ])
  assert.deepEqual(redirect!.action, {
    kind: 'redirect',
    to: ['/neu/', { name: 'path' }],
    status: 302,
    keepQuery: true,
  })
})

test('an answer without a body has no type, and one that says its own has no other', () => {
  const [empty, own] = routesOf(
    { match: { path: '/1' }, respond: 204 },
    { match: { path: '/2' }, respond: { body: '<p>', headers: { 'content-type': 'text/html' } } },
  )
  const headersOf = (route: RouteSpec | undefined) => (route?.action.kind === 'respond' ? route.action.headers : null)
  assert.deepEqual(headersOf(empty), [])
  assert.deepEqual(headersOf(own), [{ name: 'content-type', value: ['text/html'] }])
})

test('the fields for browsers give way to what the route says itself', () => {
  const [route] = routesOf({
    pool: 'api',
    security_headers: { content_security_policy: "default-src 'self' {x}" },
    headers: { response: { set: { 'x-frame-options': 'DENY' }, remove: ['Referrer-Policy'], add: { X: 'y' } } },
  })
  assert.deepEqual(route!.responseHeaders, {
    remove: ['referrer-policy'],
    set: [
      { name: 'X-Content-Type-Options', value: ['nosniff'] },
      { name: 'Cross-Origin-Opener-Policy', value: ['same-origin'] },
      { name: 'Content-Security-Policy', value: ["default-src 'self' {x}"] },
      { name: 'x-frame-options', value: ['DENY'] },
    ],
    add: [{ name: 'X', value: ['y'] }],
  })
})

test('a split has a counter of its own, and asks nobody whose weight is 0', () => {
  const { routes, asked } = compile({
    routes: [
      {
        name: 'canary',
        split: [
          { pool: 'api', weight: 3 },
          { pool: 'next', weight: 0 },
        ],
      },
    ],
  })
  assert.deepEqual(asked, ['api', 'next', 'split:canary'])
  assert.deepEqual(routes[0]!.action, {
    kind: 'split',
    targets: [{ pool: 'api', weight: 3 }],
    by: 'request',
    cursor: 2,
  })
})

test('limits have numbers that stay, their own unless they share a name', () => {
  const shared = { name: 'logins', rate: '5/m' }
  const one = { name: 'one', match: { path: '/1' }, pool: 'api', rate_limit: ['10/s', shared] }
  const two = { name: 'two', match: { path: '/2' }, pool: 'api', rate_limit: [shared], concurrency: 5 }
  const [a, b] = routesOf(one, two) as [RouteSpec, RouteSpec]
  assert.deepEqual(
    a.rateLimits.map(({ name }) => name),
    ['one-1', 'logins'],
  )
  assert.equal(a.rateLimits[1]!.id, b.rateLimits[0]!.id)
  assert.equal(new Set([...a.rateLimits, ...b.rateLimits, b.concurrency!].map(({ id }) => id)).size, 3)
  const [again] = routesOf(two) as [RouteSpec]
  assert.deepEqual(again.rateLimits, b.rateLimits)
})

test('sticky routes share the tables with pools', () => {
  const by = { by: 'ip' }
  const snapshot = compile({
    pools: { ...base.pools, third: { backends: ['http://localhost:3'], sticky: by } },
    routes: [
      { name: 'a', match: { path: '/a' }, pool: 'api', sticky: by },
      { name: 'b', match: { path: '/b' }, pool: 'api', sticky: { by: 'cookie' } },
      { name: 'c', match: { path: '/c' }, pool: 'third', sticky: false },
    ],
  })
  assert.deepEqual(
    snapshot.pools.map(({ sticky }) => sticky?.table),
    [undefined, undefined, 0],
  )
  const [a, b, c] = snapshot.routes.map(({ sticky }) => sticky)
  assert.deepEqual([a !== 'none' && a?.table, b !== 'none' && b?.table, c], [1, -1, 'none'])
  assert.equal(b !== 'none' && b?.secret, 'ab')
})
