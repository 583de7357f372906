// Random routes and requests that meet often, for properties of routing.
import fc from 'fast-check'
import type { MatchSpec } from '../../src/core/route-spec.ts'
import { noPlugins, type PluginRegistry } from '../../src/plugins/registry.ts'
import type { RouteQuestion } from '../../src/routing/router.ts'
import { question } from './route-specs.ts'

const some = <T>(...values: T[]) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: 2 })
const seldom = <T>(values: fc.Arbitrary<T[]>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant([] as T[]) }, { weight: 1, arbitrary: values })

const pattern = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'ab', 'c', '', '{}'), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([segments, isPrefix]) => {
    const path = segments.map((segment, at) => `/${segment === '{}' ? `{p${at}}` : segment}`).join('')
    return isPrefix ? `${path}/*` : path
  })
const paths = fc.oneof(
  fc.record({ paths: fc.uniqueArray(pattern, { minLength: 1, maxLength: 3 }), pathRegex: fc.constant(null) }),
  fc.record({ paths: fc.uniqueArray(pattern, { minLength: 1, maxLength: 3 }), pathRegex: fc.constant(null) }),
  fc.record({ paths: fc.constantFrom([], ['/*']), pathRegex: fc.constant(null) }),
  fc.record({
    paths: fc.constant([]),
    pathRegex: fc.constantFrom('/a.*', '/[ab]/(?<x>[^/]*)', '(?:/(?<y>[ab]+))+', '.*c'),
  }),
)
const conditions = fc.record({
  methods: seldom(some('GET', 'POST')),
  headers: seldom(
    some(
      { name: 'x-a', values: [] as string[] },
      { name: 'x-a', values: ['1*', '2'] },
      { name: 'x-b', values: ['*z'] },
    ),
  ),
  query: seldom(
    some({ name: 'q', values: [] as string[] }, { name: 'q', values: ['*1*'] }, { name: 'r', values: ['2'] }),
  ),
  clients: seldom(some('10.0.0.0/8', 'fd00::/8')),
  listeners: seldom(some('default', 'other')),
  serverNames: seldom(some('a.com', '*.a.com')),
  custom: fc.oneof(
    { weight: 8, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.nat({ max: 1 }).map((options) => ({ name: 'odd', options })) },
  ),
})
const hosts = fc.oneof(fc.constant([]), some('a.com', 'b.a.com', '*.a.com', '*.b.a.com', '*.com', '[::1]'))
/** What a route may ask for, out of few values, so that many routes want the same requests. */
export const anyMatch: fc.Arbitrary<MatchSpec> = fc
  .tuple(hosts, paths, conditions)
  .map(([names, path, rest]) => ({ hosts: names, ...path, ...rest }))
/** A request of which about a half is wanted by one of ten such routes. */
export const anyQuestion: fc.Arbitrary<RouteQuestion> = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PUT'),
    host: fc.constantFrom('', 'com', 'a.com', 'b.a.com', 'c.b.a.com', 'd.c.b.a.com', 'xa.com', '[::1]', '.a.com'),
    path: fc.oneof(
      {
        weight: 9,
        arbitrary: fc
          .array(fc.constantFrom('a', 'b', 'ab', 'c', '', 'x'), { minLength: 1, maxLength: 5 })
          .map((s) => `/${s.join('/')}`),
      },
      { weight: 1, arbitrary: fc.constant('*') },
    ),
    query: fc.constantFrom('', '?', '?q', '?q=1&r=2', '?r=1&r=2', '?q=a1b'),
    fields: fc.constantFrom(
      '',
      'X-A: 1\r\n',
      'Other: 1\r\nx-a: 2\r\nX-B: z\r\n',
      'X-A: 3\r\nX-A: 12\r\n',
      'X-B: yz\r\n',
    ),
    address: fc.constantFrom('10.1.2.3', '192.0.2.1', 'unix:'),
    serverName: fc.constantFrom('', 'a.com', 'b.a.com'),
  })
  .map(question)

/** Brings a matcher of the paths whose length is odd (1) or even (0). */
export const oddPaths: PluginRegistry = {
  ...noPlugins,
  matcher: () => (options) => (view) => view.path.length % 2 === options,
}
