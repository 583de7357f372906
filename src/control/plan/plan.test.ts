import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../config/load.ts'
import { desiredPools } from '../desired.ts'
import type { AdminStates } from '../store/state-document.ts'
import { type Picture, type Plan, planOf, planWords } from './plan.ts'

const a = 'http://localhost:1'
const b = 'http://localhost:2'
const load = (more: object, states: AdminStates = {}): Picture => {
  const file = {
    listeners: [{ name: 'web', listen: ':80', pool: 'api' }],
    pools: { api: { backends: [a] }, next: { backends: [b] } },
    ...more,
  }
  const { config } = loadConfig({ text: JSON.stringify(file), env: {} })
  return { config, desired: desiredPools(config, states) }
}
const live = { backend: (_: string, url: string) => (url === a ? 3 : 1), listener: () => 5 }
const plan = (before: Picture, after: Picture): Plan => planOf(before, after, { live })
const words = (before: Picture, after: Picture): string[] => planWords(plan(before, after).steps)

const api = { name: 'api', match: { path: '/api/*' }, pool: 'api' }
const old = { name: 'old', match: { path: '/old' }, redirect: '/new' }
const rest = { name: 'rest', match: '*', respond: 404 }
const before = load({ routes: [api, old] })

test('nothing is different between two readings of one file', () => {
  assert.deepEqual(plan(before, load({ routes: [api, old] })).steps, [])
})

test('routes: one line each, the order, very many in few lines', () => {
  const of = (routes: object[], more: object = {}): string[] => words(before, load({ routes, ...more }))
  assert.deepEqual(of([old, api]), ['routes: another order'])
  assert.deepEqual(of([api, rest]), ['route rest: added', 'route old: removed'])
  const edited = { ...api, pool: 'next', headers: { request: { set: { X: 'y' } } }, rate_limit: '1/s' }
  assert.deepEqual(of([edited, old]), ['route api: what it does, headers.request, rate_limit changed'])
  const many = Array.from({ length: 30 }, (_, i) => ({ name: `r${i}`, match: { path: `/${i}` }, pool: 'api' }))
  assert.deepEqual(of([api, old, ...many]).slice(-2), ['route r19: added', 'routes: 10 more changes'])
  assert.deepEqual(of([api, old], { plugins: ['./x.ts'] }), ['plugins: read again'])
})

test('what is removed has connections to lose, nothing else has', () => {
  const listeners = [
    { name: 'web', listen: ':80', pool: 'api' },
    { name: 'more', listen: ':81', pool: 'api' },
  ]
  const full = load({ listeners, pools: { api: { backends: [a, b] }, next: { backends: [b] } }, routes: [api] })
  const fewer = plan(full, load({ pools: { api: { backends: [b] } }, routes: [api] }))
  assert.deepEqual(
    fewer.steps.map(({ action, kind, name, connections }) => [action, kind, name, connections]),
    [
      ['remove', 'backend', a, 3],
      ['remove', 'pool', 'next', 1],
      ['remove', 'listener', 'more', 5],
    ],
  )
  assert.equal(fewer.touched_connections, 9)
  const tcp = load({
    listeners: [...listeners, { name: 'db', listen: ':5432', protocol: 'tcp', pool: 'db' }],
    pools: { api: { backends: [a, b] }, next: { backends: [b] }, db: { backends: ['tcp://localhost:3'] } },
    routes: [api],
  })
  assert.equal(plan(tcp, full).touched_connections, 5, 'one to the backend is one of the listener')
  const changed = load({
    listeners: [
      { name: 'web', listen: ':82', pool: 'api' },
      { ...listeners[1], pool: 'next' },
    ],
    pools: { api: { backends: [{ url: a, weight: 2 }, b], strategy: 'first' }, next: { backends: [b] } },
    routes: [api],
    workers: 2,
  })
  assert.equal(plan(full, changed).touched_connections, 0)
  assert.deepEqual(words(full, changed), [
    'pool api: strategy round-robin → first',
    `pool api: ${a} weight 1 → 2`,
    'listener web: moved :80 → :82',
    'listener more: pool changed',
    'workers auto → 2',
  ])
})

test('a pool that speaks something else begins anew', () => {
  const tcp = { name: 'db', listen: ':5', protocol: 'tcp', pool: 'db' }
  const pools = (url: string) => ({ api: { backends: [a] }, next: { backends: [b] }, db: { backends: [url] } })
  const http = load({ pools: pools('unix:/db'), routes: [{ ...api, pool: 'db' }] })
  const now = load({ listeners: [{ name: 'web', listen: ':80', pool: 'api' }, tcp], pools: pools('unix:/db') })
  const steps = plan(http, now).steps.filter(({ kind }) => kind === 'backend' || kind === 'pool')
  assert.deepEqual(
    steps.map(({ action, name, note }) => [action, name, note]),
    [
      ['change', 'db', 'its backends speak tcp instead of http'],
      ['change', 'unix:/db', 'begins anew'],
    ],
  )
})

test('a drain is told as such, and secrets are not told', () => {
  const drained = load(
    { routes: [api, old] },
    { api: { [a]: { state: 'drain', drainEndsAt: '2026-01-01T00:00:00.000Z' } } },
  )
  const [step] = plan(before, drained).steps
  assert.deepEqual(
    [step!.action, step!.changes],
    [
      'drain',
      [
        { path: 'state', from: 'up', to: 'drain' },
        { path: 'drain_ends_at', to: '2026-01-01T00:00:00.000Z' },
      ],
    ],
  )
  const sticky = (secret: string) =>
    load({ pools: { api: { backends: [a], sticky: { by: 'cookie', secret } }, next: { backends: [b] } } })
  const told = JSON.stringify(plan(sticky('a'.repeat(40)), sticky('b'.repeat(40))))
  assert.match(told, /sticky/)
  assert.ok(!told.includes('aaaa') && !told.includes('bbbb'), told)
})

test('another state file needs a restart', () => {
  const named = (file: string) => load({ state_file: file })
  assert.deepEqual(plan(named('/a.json'), named('/b.json')).needs_restart, ['state_file'])
  assert.deepEqual(plan(before, load({ workers: 3, limits: { header_count: 5 } })).needs_restart, [])
})

test('another memory for what is cached begins empty, and what routes say of caching is told as any other key', () => {
  const cached = (store: object | null, cache: unknown = true) =>
    load({ routes: [{ ...api, cache }], ...(store !== null && { cache_store: store }) })
  assert.deepEqual(words(before, cached({ memory: '64MB' })), [
    'cache_store changed',
    'route api: cache changed',
    'route old: removed',
  ])
  assert.deepEqual(words(cached({ memory: '64MB' }), cached({ memory: '128MB', max_object: '1MB' })), [
    'cache_store.memory 64MB → 128MB',
    'cache_store.memory: the memory begins empty',
    'cache_store.max_object 8MB → 1MB',
    'cache_store.max_object: the memory begins empty',
  ])
  assert.deepEqual(words(cached(null), cached({ disk: { path: '/var/cache/x' } })), ['cache_store.disk changed'])
  assert.deepEqual(words(cached(null), cached(null, { ttl: '1m' })), ['route api: cache changed'])
  const [step] = plan(cached(null), cached(null, { ttl: '1m' })).steps
  assert.deepEqual(step!.changes, [{ path: 'cache.ttl', from: 'origin', to: '1m' }])
})
