// Which pool a name and a list of protocols lead to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SniRouteSpec } from '../core/spec.ts'
import { routeHello } from './sni-route.ts'

const route = (name: string, pool: string, ...alpn: [string, string][]): SniRouteSpec => ({
  name,
  pool,
  alpn: alpn.map(([protocol, of]) => ({ protocol, pool: of })),
})

const routes = [
  route('*', 'rest'),
  route('*.example.com', 'wild'),
  route('db.example.com', 'db'),
  route('*.a.example.com', 'deep'),
  route('web.example.com', 'web1', ['h2', 'web2'], ['http/1.1', 'web11']),
]

const pool = (serverName: string, alpn: readonly string[] = [], of = routes) => routeHello({ serverName, alpn }, of)

test('the exact name, then the wildcard for its first label, then *', () => {
  assert.equal(pool('db.example.com'), 'db')
  assert.equal(pool('x.example.com'), 'wild')
  assert.equal(pool('x.a.example.com'), 'deep')
  assert.equal(pool('x.y.example.com'), 'rest')
  assert.equal(pool('example.com'), 'rest')
  assert.equal(pool('xexample.com'), 'rest')
  assert.equal(pool('a'), 'rest')
  assert.equal(pool(''), 'rest')
})

test('without * an unknown name, and none, have no pool', () => {
  const named = routes.slice(1)
  assert.equal(pool('other.test', [], named), null)
  assert.equal(pool('', ['h2'], named), null)
  assert.equal(pool('db.example.com', [], named), 'db')
  assert.equal(pool('db.example.com', [], []), null)
})

test('the first pool whose protocol is offered, in the order of the configuration', () => {
  assert.equal(pool('web.example.com', ['http/1.1', 'h2']), 'web2')
  assert.equal(pool('web.example.com', ['http/1.1']), 'web11')
  assert.equal(pool('web.example.com', ['h3']), 'web1')
  assert.equal(pool('web.example.com'), 'web1')
  assert.equal(pool('db.example.com', ['h2']), 'db')
})
