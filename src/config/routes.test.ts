// What a configuration with routes means as a whole: what listeners pass on by themselves, the flat rate_limit, names.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, loadConfig } from './load.ts'

const load = (file: object) => loadConfig({ text: JSON.stringify(file), env: {} })
const poolsOf = (file: object) => load(file).config.listeners.map(({ pool }) => pool)
const problemsOf = (file: object): string[] => {
  try {
    load(file)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`)
  }
  return []
}

const api = { backends: ['http://localhost:1'] }
const route = { name: 'api', match: { path: '/api/*' }, pool: 'api' }
const web = { name: 'web', listen: ':80' }

test('with routes a listener passes on by itself only to the pool that it names, or to `default`', () => {
  assert.deepEqual(poolsOf({ listeners: [web], pools: { api } }), ['api'])
  assert.deepEqual(poolsOf({ listeners: [web], pools: { api }, routes: [route] }), [''])
  assert.deepEqual(poolsOf({ listeners: [{ ...web, pool: 'api' }], pools: { api }, routes: [route] }), ['api'])
  assert.deepEqual(poolsOf({ listeners: [web], backends: api.backends, pools: { api }, routes: [route] }), ['default'])
  assert.deepEqual(poolsOf({ backends: api.backends, routes: [{ respond: 404 }] }), ['default'])
  const pg = { name: 'pg', listen: ':5432', protocol: 'tcp' }
  assert.deepEqual(
    poolsOf({
      listeners: [pg, web],
      pools: { db: { backends: ['tcp://localhost:5432'] } },
      routes: [{ respond: 204 }],
    }),
    ['db', ''],
  )
})

test('several pools, none of them default: with routes no listener has to name one', () => {
  const pools = { api, next: api }
  assert.deepEqual(problemsOf({ listeners: [web], pools }), [
    'listeners[0].pool: is needed: there are several pools and none is named "default"',
  ])
  assert.deepEqual(
    problemsOf({ listeners: [web], pools, routes: [route, { match: { path: '/n' }, pool: 'next' }] }),
    [],
  )
})

test('routes that answer by themselves need no pool', () => {
  assert.deepEqual(
    problemsOf({ port: 8000, admin_port: 8001, routes: [{ match: { path: '/x' }, redirect: '/y' }] }),
    [],
  )
  assert.deepEqual(problemsOf({ port: 8000 }), ['backends: is needed but missing'])
})

test('the flat rate_limit is of what listeners pass on by themselves', () => {
  const limits = (file: object) =>
    load(file)
      .config.routes.filter(({ rateLimits }) => rateLimits.length > 0)
      .map(({ name, match, action }) => [name, match.listeners, action])
  const flat = { backends: api.backends, rate_limit: '10/s' }
  const toDefault = { kind: 'pool', pool: 'default' }
  assert.deepEqual(limits(flat), [['default', [], toDefault]])
  const tls = { cert: 'a.pem', key: 'a.key' }
  assert.deepEqual(limits({ ...flat, tls }), [['default', [], toDefault]])
  const listeners = [web, { name: 'other', listen: ':81', pool: 'api' }]
  assert.deepEqual(limits({ ...flat, listeners, pools: { api }, routes: [{ ...route, name: 'default' }] }), [
    ['default-2', ['web'], toDefault],
    ['default-3', ['other'], { kind: 'pool', pool: 'api' }],
  ])
  assert.deepEqual(problemsOf({ listeners: [web], pools: { api }, routes: [route], rate_limit: '1/s' }), [
    'rate_limit: is for requests that no route takes, but they go to no pool',
  ])
  const own = { match: { listener: 'web' }, respond: 404 }
  assert.match(
    problemsOf({ listeners: [web], backends: api.backends, routes: [own], rate_limit: '1/s' })[0]!,
    /^rate_limit: .*"route-1" takes every one/,
  )
})

test('routes without a name are called by their place, whatever the others are called', () => {
  const names = (routes: object[]) => load({ backends: api.backends, routes }).config.routes.map(({ name }) => name)
  const path = (path: string) => ({ match: { path }, pool: 'default' })
  assert.deepEqual(names([path('/1'), { ...path('/2'), name: 'x' }, path('/3')]), ['route-1', 'x', 'route-3'])
  assert.deepEqual(names([path('/1'), { ...path('/2'), name: 'route-1' }]), ['route-1-2', 'route-1'])
})

test('a listener whose every request is answered with 404 is doubtful', () => {
  const listeners = [web, { name: 'lonely', listen: ':81' }]
  const [warning] = load({ listeners, pools: { api }, routes: [{ ...route, match: { listener: 'web' } }] }).warnings
  assert.match(warning!, /listeners\[1\].*404/)
})

test('ten thousand routes are loaded in time and room that grow with their number', () => {
  const routes = Array.from({ length: 10_000 }, (_, i) => ({
    name: `r${i}`,
    match: { host: `h${i % 100}.example.com`, path: `/service-${i}/*`, method: ['GET', 'POST'] },
    pool: `p${i % 10}`,
    headers: { request: { set: { 'X-Client': '{client.ip}' } } },
    rate_limit: '100/s',
  }))
  const pools = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`p${i}`, api]))
  const text = JSON.stringify({ listeners: [web], pools, routes })
  const before = process.cpuUsage()
  assert.equal(loadConfig({ text, env: {} }).config.routes.length, 10_000)
  const { user, system } = process.cpuUsage(before)
  // About 1.2 s of all cores where nothing else runs; comparing each with each other would take minutes.
  assert.ok(user + system < 10_000_000, `${user + system} µs`)
})
