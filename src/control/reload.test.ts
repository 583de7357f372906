import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../config/load.ts'
import { keysThatNeedRestart, listenerChanges } from './reload.ts'
import { routeChanges } from './route-changes.ts'

const load = (more: object) =>
  loadConfig({
    text: JSON.stringify({
      listeners: [{ name: 'web', listen: ':80' }],
      pools: { api: { backends: ['http://localhost:1'] }, next: { backends: ['http://localhost:2'] } },
      ...more,
    }),
    env: {},
  }).config

const api = { name: 'api', match: { path: '/api/*' }, pool: 'api' }
const old = { name: 'old', match: { path: '/old' }, redirect: '/new' }
const rest = { name: 'rest', match: '*', respond: 404 }
const before = load({ routes: [api, old] })

test('routes can change without a restart; pools cannot come and go yet', () => {
  assert.deepEqual(keysThatNeedRestart(before, load({ routes: [rest, { ...api, pool: 'next' }] })), [])
  assert.deepEqual(
    keysThatNeedRestart(
      before,
      load({ routes: [api], rate_limit: '1/s', listeners: [{ name: 'web', listen: ':80', pool: 'api' }] }),
    ),
    [],
  )
  const pools = { api: { backends: ['http://localhost:1'] }, more: { backends: ['http://localhost:3'] } }
  assert.deepEqual(
    keysThatNeedRestart(before, load({ pools, routes: [api, { ...old, redirect: undefined, pool: 'more' }] })),
    ['pools.next', 'pools.more'],
  )
})

test('what changes in routes is told, one line each', () => {
  const changes = (routes: object[], more: object = {}): string[] => routeChanges(before, load({ routes, ...more }))
  assert.deepEqual(changes([api, old]), [])
  assert.deepEqual(changes([old, api]), ['routes: another order'])
  assert.deepEqual(changes([api, rest]), ['route rest: added', 'route old: removed'])
  const edited = { ...api, pool: 'next', headers: { request: { set: { X: 'y' } } }, rate_limit: '1/s' }
  assert.deepEqual(changes([edited, old]), ['route api: what it does, headers.request, rate_limit changed'])
  const many = Array.from({ length: 30 }, (_, i) => ({ name: `r${i}`, match: { path: `/${i}` }, pool: 'api' }))
  assert.deepEqual(changes([api, old, ...many]).slice(-2), ['route r19: added', 'routes: 10 more changes'])
  assert.deepEqual(changes([api, old], { plugins: ['./x.ts'] }), ['plugins: read again'])
})

test('where a listener passes on what no route takes can change, too', () => {
  const after = load({ routes: [api, old], listeners: [{ name: 'web', listen: ':80', pool: 'next' }] })
  assert.deepEqual(keysThatNeedRestart(before, after), [])
  assert.deepEqual(listenerChanges(before, after), ['listener web: pool changed'])
})
