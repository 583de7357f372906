import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyMatch, anyQuestion, oddPaths } from '../../test/support/route-arbitraries.ts'
import { routeSpec, routeSpecs } from '../../test/support/route-specs.ts'
import type { MatchSpec } from '../core/route-spec.ts'
import { explainRank, rankOrder } from './rank.ts'
import { Router } from './router.ts'

test('routes are listed in the order in which they are tried', () => {
  const routes = routeSpecs(
    {},
    { pathRegex: '/a.*' },
    { paths: ['/a/*'] },
    { paths: ['/a/b/*'] },
    { paths: ['/a/{x}/*'] },
    { paths: ['/a/{x}'] },
    { paths: ['/a/b'] },
    { paths: ['/a/b'], methods: ['GET'] },
    { hosts: ['*.com'] },
    { hosts: ['*.a.com'] },
    { hosts: ['a.com'] },
    { hosts: ['a.com'], paths: ['/*', '/x'] },
  )
  assert.deepEqual(rankOrder(routes), [11, 10, 9, 8, 7, 6, 5, 3, 4, 2, 1, 0])
})

test('of routes with one host and one path, the first of the order that takes a request is the one that takes it', () => {
  const simple = anyMatch.map((match) => ({
    ...match,
    hosts: match.hosts.slice(0, 1),
    paths: match.paths.slice(0, 1),
    listeners: [],
  }))
  fc.assert(
    fc.property(fc.array(simple, { maxLength: 10 }), anyQuestion, (matches, asked) => {
      const routes = routeSpecs(...matches)
      const takes = (index: number) => new Router([routes[index]!], 'default', oddPaths).match(asked) === 0
      assert.equal(new Router(routes, 'default', oddPaths).match(asked), rankOrder(routes).find(takes) ?? -1)
    }),
    { numRuns: 1000 },
  )
})

const words: [Partial<MatchSpec>, string][] = [
  [{}, 'any host, any path, no conditions'],
  [{ hosts: ['a'], paths: ['/a'], methods: ['GET'] }, 'exact host, exact path, 1 condition (method)'],
  [{ hosts: ['*.a'], paths: ['/a/{b}'] }, 'wildcard host, path with named parts, no conditions'],
  [{ paths: ['/a/b/*', '/c/*', '/d/*'] }, 'any host, prefix of 2 segments or prefix of 1 segment, no conditions'],
  [
    {
      pathRegex: '/a+',
      headers: [{ name: 'x-a', values: [] }],
      query: [{ name: 'q', values: [] }],
      clients: ['unix'],
      listeners: ['web'],
      serverNames: ['a'],
      custom: { name: 'm', options: null },
    },
    'any host, regular expression, 6 conditions (header x-a, query q, client, listener, server name, custom)',
  ],
]
for (const [match, expected] of words) test(expected, () => assert.equal(explainRank(routeSpec(match)), expected))
