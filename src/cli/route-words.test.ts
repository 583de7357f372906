import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../config/load.ts'
import { precedenceComment, routeRows } from './route-words.ts'

const load = (more: object) =>
  loadConfig({
    text: JSON.stringify({
      listeners: [{ name: 'web', listen: ':80' }],
      pools: { api: { backends: ['http://localhost:1'] }, next: { backends: ['http://localhost:2'] } },
      ...more,
    }),
    env: {},
  }).config

const routes = [
  { name: 'all', match: { listener: 'web' }, pool: 'next', mirror: 'api' },
  { name: 'regex', match: { path_regex: '/v[0-9]+/.*' }, respond: 410 },
  { name: 'api', match: { path: '/api/*', method: ['GET', 'POST'] }, pool: 'api' },
  {
    name: 'canary',
    match: { path: '/api/*', header: { 'X-Canary': true }, query: { v: '2' } },
    split: [{ pool: 'api', weight: 9 }, { pool: 'next' }],
  },
  {
    name: 'old',
    match: { host: ['old.example.com', 'a.example.com', 'b.example.com', 'c.example.com'], path: '/old' },
    redirect: '/new',
  },
]

test('routes are told in the order in which they are tried', () => {
  assert.deepEqual(routeRows(load({ routes }), 50), [
    ['  1', 'old', 'old.example.com a.example.com b.example.com +1 /old', '', '→ 302 /new'],
    ['  2', 'canary', '/api/*', 'header x-canary, query v: 2', '→ api (9), next (1)'],
    ['  3', 'api', '/api/*', 'GET POST', '→ pool api'],
    ['  4', 'regex', '~ /v[0-9]+/.*', '', '→ 410'],
    ['  5', 'all', '/*', 'listener web', '→ pool next, copies to api'],
  ])
  assert.deepEqual(routeRows(load({ routes: routes.slice(1, 3) }), 1), [
    ['  1', 'api', '/api/*', 'GET POST', '→ pool api'],
    ['', '…', '1 more, with --expanded'],
    ['', '', 'everything else', '', '→ 404'],
  ])
})

test('what no route takes is told for each listener', () => {
  const listeners = [
    { name: 'a', listen: ':80' },
    { name: 'b', listen: ':81', pool: 'next' },
    { name: 'c', listen: ':82', redirect_https: true },
  ]
  assert.deepEqual(routeRows(load({ listeners, routes: routes.slice(2, 3) }), 9).slice(1), [
    ['', '', 'everything else', 'listener a', '→ 404'],
    ['', '', 'everything else', 'listener b', '→ pool next'],
  ])
})

test('the comment says why each stands where it does', () => {
  assert.equal(precedenceComment(load({ pools: { default: { backends: ['http://localhost:1'] } } })), '')
  const lines = precedenceComment(load({ routes })).split('\n')
  assert.match(lines[3]!, /^\/\/ {3}3 +api +\/api\/\* +any host, prefix of 1 segment, 1 condition \(method\)$/)
  assert.equal(
    lines.filter((line) => line !== '').every((line) => line.startsWith('// ')),
    true,
  )
})
