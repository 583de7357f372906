import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyMatch, anyQuestion, oddPaths } from '../../test/support/route-arbitraries.ts'
import { routeSpecs } from '../../test/support/route-specs.ts'
import type { MatchSpec } from '../core/route-spec.ts'
import { findConflicts } from './conflicts.ts'
import { Router } from './router.ts'

type Match = Partial<MatchSpec>

const conflicts = (...matches: Match[]) =>
  findConflicts(routeSpecs(...matches), ['web', 'admin']).map(({ kind, route, by }) => `${route} ${kind} ${by}`)

const header = (...values: string[]) => ({ headers: [{ name: 'x', values }] })
const query = (...values: string[]) => ({ query: [{ name: 'q', values }] })

const found: [string, Match[], string[]][] = [
  ['two routes for everything', [{}, {}], ['1 twin 0']],
  ['the same path', [{ paths: ['/a'] }, { paths: ['/a'] }], ['1 twin 0']],
  ['parts with other names', [{ paths: ['/a/{x}'] }, { paths: ['/a/{y}'] }], ['1 twin 0']],
  ['lists in another order', [{ paths: ['/a', '/b'] }, { paths: ['/b', '/a'] }], ['1 twin 0']],
  ['the same conditions in another order', [{ methods: ['GET', 'PUT'] }, { methods: ['PUT', 'GET'] }], ['1 twin 0']],
  ['the same regular expression', [{ pathRegex: '/a+' }, { pathRegex: '/a+' }], ['1 twin 0']],
  [
    'the same matcher',
    [{ custom: { name: 'm', options: { a: 1 } } }, { custom: { name: 'm', options: { a: 1 } } }],
    ['1 twin 0'],
  ],
  ['three of them', [{}, {}, {}], ['1 twin 0', '2 twin 0']],
  ['a path that stands in an earlier list', [{ paths: ['/a', '/b'] }, { paths: ['/b'] }], ['1 unreachable 0']],
  ['paths that two others have', [{ paths: ['/a'] }, { paths: ['/b'] }, { paths: ['/a', '/b'] }], ['2 unreachable 0']],
  ['hosts that another has', [{ hosts: ['a', 'b'] }, { hosts: ['b'] }], ['1 unreachable 0']],
  ['fewer methods, later', [{ methods: ['GET', 'PUT'] }, { methods: ['PUT'] }], ['1 unreachable 0']],
  ['a value that any value includes', [header(), header('1')], ['1 unreachable 0']],
  ['a value that a pattern includes', [header('1*', '*2'), header('12', 'a2', '1b*')], ['1 unreachable 0']],
  ['a value of the query', [query('*b*'), query('abc*')], ['1 unreachable 0']],
  [
    'a block of addresses',
    [{ clients: ['10.0.0.0/8', 'unix'] }, { clients: ['10.1.0.0/16', 'unix'] }],
    ['1 unreachable 0'],
  ],
  ['a TLS name', [{ serverNames: ['*.a.com'] }, { serverNames: ['x.a.com', '*.b.a.com'] }], ['1 unreachable 0']],
  ['all listeners', [{}, { listeners: ['admin', 'web'] }], ['0 unreachable 1']],
  ['a regular expression behind a prefix', [{ pathRegex: '/api/.*' }, { paths: ['/api/*'] }], ['0 unreachable 1']],
  ['… whose end is open', [{ pathRegex: '^/api/v[0-9]/users' }, { paths: ['/{any}/*'] }], ['0 unreachable 1']],
  ['… that is just a path', [{ pathRegex: '/a\\.b/c' }, { paths: ['/a.b/{x}'] }], ['0 unreachable 1']],
  [
    'a regular expression behind a wider one',
    [{ pathRegex: '/a.*' }, { pathRegex: '/ab/[0-9]+' }],
    ['1 unreachable 0'],
  ],
  ['no path behind a regular expression that takes all', [{}, { pathRegex: '.*' }], ['0 unreachable 1']],
]
for (const [what, matches, expected] of found)
  test(`${what}: ${expected.join(', ')}`, () => assert.deepEqual(conflicts(...matches), expected))

const fine: [string, Match[]][] = [
  ['an exact path before a prefix', [{ paths: ['/a/*'] }, { paths: ['/a'] }]],
  ['a narrower host', [{}, { hosts: ['*.a'] }, { hosts: ['x.a'] }]],
  ['more conditions, later', [{}, { methods: ['GET'] }]],
  ['other conditions', [header('1'), query('1')]],
  ['other values', [header('1'), header('2')]],
  ['more values, later', [header('1'), header('1', '2')]],
  ['values that overlap', [header('1*'), header('*1')]],
  ['one path that is another’s', [{ paths: ['/a', '/b'] }, { paths: ['/b', '/c'] }]],
  ['other options of a matcher', [{ custom: { name: 'm', options: 1 } }, { custom: { name: 'm', options: 2 } }]],
  ['a regular expression beside a prefix', [{ pathRegex: '/apix?/.*' }, { paths: ['/api/*'] }]],
  ['a regular expression that also takes the path itself', [{ pathRegex: '/api.*' }, { paths: ['/api/*'] }]],
  ['a regular expression with alternatives', [{ pathRegex: '/api/a|/b' }, { paths: ['/api/*'] }]],
  [
    'a regular expression behind a prefix with conditions',
    [{ pathRegex: '/api/.*' }, { paths: ['/api/*'], methods: ['GET'] }],
  ],
  ['OPTIONS * is left over', [{}, { pathRegex: '/.*' }]],
  ['one of two listeners', [{}, { listeners: ['web'] }]],
]
for (const [what, matches] of fine) test(`no conflict: ${what}`, () => assert.deepEqual(conflicts(...matches), []))

test('reasons name the other routes', () => {
  const reasons = (...matches: Match[]) => findConflicts(routeSpecs(...matches), ['web']).map(({ reason }) => reason)
  assert.deepEqual(reasons({}, {}), [
    'can never be told apart from route "r0": same hosts, same paths, same conditions',
  ])
  assert.deepEqual(reasons({ paths: ['/a'] }, { paths: ['/b'] }, { paths: ['/a', '/b'] }), [
    'can never be reached: routes "r0", "r1" take every request that it could take',
  ])
  assert.deepEqual(reasons({ paths: ['/api/*'] }, { pathRegex: '/api/.*' }), [
    'can never be reached: route "r0" takes every request that it could take (by "/api/*", which is tried first)',
  ])
})

test('a route that is reported never takes a request', () => {
  let reported = 0
  fc.assert(
    fc.property(
      fc.array(anyMatch, { minLength: 2, maxLength: 14 }),
      fc.array(anyQuestion, { minLength: 20, maxLength: 40 }),
      (matches, requests) => {
        const routes = routeSpecs(...matches)
        const dead = new Map(findConflicts(routes, ['default', 'other']).map((conflict) => [conflict.route, conflict]))
        reported += dead.size
        for (const listener of ['default', 'other']) {
          const router = new Router(routes, listener, oddPaths)
          for (const asked of requests) assert.equal(dead.get(router.match(asked)), undefined)
        }
      },
    ),
    { numRuns: 1500 },
  )
  assert.ok(reported > 200, String(reported))
})

test('a copy of a route is always reported, and by which', () => {
  fc.assert(
    fc.property(anyMatch, fc.array(anyMatch, { maxLength: 5 }), (match, others) => {
      const copies = findConflicts(routeSpecs(match, ...others, match), ['default', 'other'])
      const last = others.length + 1
      assert.ok(copies.some(({ route }) => route === last))
      assert.deepEqual(
        findConflicts(routeSpecs(match, match), ['default', 'other']).map(({ kind }) => kind),
        ['twin'],
      )
    }),
    { numRuns: 1000 },
  )
})

test('ten thousand routes at one path that differ by a header are looked through in no time', () => {
  const routes = routeSpecs(...Array.from({ length: 10_000 }, (_, index) => header(String(index % 9_999))))
  assert.deepEqual(
    findConflicts(routes, ['web']).map(({ route, by }) => [route, by]),
    [[9_999, 0]],
  )
})
