import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyMatch, anyQuestion, oddPaths } from '../../test/support/route-arbitraries.ts'
import { question, routeSpecs } from '../../test/support/route-specs.ts'
import type { MatchSpec, RouteSpec } from '../core/route-spec.ts'
import { noPlugins, type PluginRegistry } from '../plugins/registry.ts'
import { canonicalTarget } from './canonical-target.ts'
import { normalHost } from './host-name.ts'
import { pathPattern } from './path-pattern.ts'
import { type RouteQuestion, Router } from './router.ts'

/** The name of the route that takes a GET of host and path. */
function taker(matches: Partial<MatchSpec>[], asked: Partial<RouteQuestion>): number {
  return new Router(routeSpecs(...matches), 'default').match(question(asked))
}

test('an exact host goes before a longer wildcard before a shorter one before none, whatever the paths', () => {
  const routes = [{}, { hosts: ['*.com'], paths: ['/x'] }, { hosts: ['*.a.com'] }, { hosts: ['w.a.com'] }]
  assert.equal(taker(routes, { host: 'w.a.com', path: '/x' }), 3)
  assert.equal(taker(routes, { host: 'v.w.a.com', path: '/x' }), 2)
  assert.equal(taker(routes, { host: 'a.com', path: '/x' }), 1)
  assert.equal(taker(routes, { host: 'com', path: '/x' }), 0)
  assert.equal(taker(routes, { host: '', path: '/x' }), 0)
})

test('exact path, named parts, longer prefix, shorter prefix, regular expression, no path', () => {
  const routes = [
    {},
    { pathRegex: '/users/.*' },
    { paths: ['/*'] },
    { paths: ['/users/*'] },
    { paths: ['/users/{id}/*'] },
    { paths: ['/users/me/*'] },
    { paths: ['/users/{id}'] },
    { paths: ['/users/me'] },
    { pathRegex: '/u.*' },
  ]
  const order = (path: string) => {
    const rest = [...routes.entries()]
    const taken: number[] = []
    while (rest.length > 0) {
      const index = taker(
        rest.map(([, match]) => match),
        { path },
      )
      if (index < 0) break
      taken.push(rest[index]![0])
      rest.splice(index, 1)
    }
    return taken
  }
  assert.deepEqual(order('/users/me'), [7, 6, 5, 4, 3, 1, 8, 0, 2])
  assert.deepEqual(order('/users/me/x'), [5, 4, 3, 1, 8, 0, 2])
  assert.deepEqual(order('/users'), [3, 8, 0, 2])
})

test('at equal shape literal segments go before parts, from the left', () => {
  const routes = [
    { paths: ['/{a}/{b}/c'] },
    { paths: ['/{a}/b/{c}'] },
    { paths: ['/a/{b}/{c}'] },
    { paths: ['/a/{b}/c'] },
  ]
  assert.equal(taker(routes, { path: '/a/b/c' }), 3)
  assert.equal(taker(routes, { path: '/a/b/x' }), 2)
  assert.equal(taker(routes, { path: '/x/b/c' }), 1)
  assert.equal(taker(routes, { path: '/x/y/c' }), 0)
})

test('more conditions go before fewer, then the order in the file decides', () => {
  const routes = [
    {},
    { methods: ['GET'] },
    { headers: [{ name: 'x', values: [] }] },
    { methods: ['GET'], listeners: ['default'] },
  ]
  assert.equal(taker(routes, {}), 3)
  assert.equal(taker(routes.slice(0, 3), { fields: 'X: 1\r\n' }), 1)
  assert.equal(taker([{}, {}], {}), 0)
})

test('a class in which the other conditions of no route hold is passed over', () => {
  const routes = [
    { hosts: ['a.com'], paths: ['/x'], methods: ['PUT'] },
    { hosts: ['a.com'], paths: ['/x/*'], methods: ['POST'] },
    { hosts: ['*.com'], paths: ['/{p}'], methods: ['DELETE'] },
    { paths: ['/x'], methods: ['GET'] },
  ]
  for (const [index, method] of ['PUT', 'POST', 'DELETE', 'GET', 'PATCH'].entries())
    assert.equal(taker(routes, { host: 'a.com', path: '/x', method }), method === 'PATCH' ? -1 : index)
})

test('a prefix ends at a segment; paths are case-sensitive; an empty segment has no name', () => {
  const routes = [{ paths: ['/api/*'] }, { paths: ['/users/{id}'] }]
  for (const path of ['/api', '/api/', '/api/x', '/api//x']) assert.equal(taker(routes, { path }), 0, path)
  for (const path of ['/apix', '/API', '/', '//api', '/users/', '/users', '/users/1/', '*'])
    assert.equal(taker(routes, { path }), -1, path)
})

test('a route for other listeners is left out', () => {
  const routes = routeSpecs({ listeners: ['admin', 'web'] }, {})
  assert.equal(new Router(routes, 'web').match(question({})), 0)
  assert.equal(new Router(routes, 'default').match(question({})), 1)
})

const fields = 'Host: a\r\nX-Canary: 1 \r\nx_canary:\tbeta-2\r\nEmpty:\r\nName: J\u00c3\u00bcrgen\r\n'
const headers: [string, string[], boolean][] = [
  ['x-canary', [], true],
  ['x-canary', ['1'], true],
  ['x-canary', ['beta-2'], true],
  ['x-canary', ['2', 'beta*'], true],
  ['x-canary', ['*-2'], true],
  ['x-canary', ['*eta*'], true],
  ['x-canary', ['beta', 'BETA-2'], false],
  ['x_canary', ['1'], true],
  ['x-canar', [], false],
  ['empty', [], true],
  ['empty', [''], true],
  ['empty', ['*'], true],
  ['empty', ['x'], false],
  ['none', ['*'], false],
  ['name', ['Jür*'], true],
]
for (const [name, values, expected] of headers)
  test(`header ${name}: ${JSON.stringify(values)} ${expected ? 'holds' : 'does not hold'}`, () => {
    assert.equal(taker([{ headers: [{ name, values }] }], { fields }), expected ? 0 : -1)
  })

const query = '?a=1&b=x%20y+z&a=2&flag&=v&c%5B%5D=%C3%BC&bad=%zz'
const parameters: [string, string[], boolean][] = [
  ['a', ['2'], true],
  ['a', ['3'], false],
  ['b', ['x y z'], true],
  ['b', ['x*z'], false],
  ['flag', [], true],
  ['flag', [''], true],
  ['', ['v'], true],
  ['c[]', ['ü'], true],
  ['bad', ['%zz'], true],
  ['A', [], false],
]
for (const [name, values, expected] of parameters)
  test(`query ${name}: ${JSON.stringify(values)} ${expected ? 'holds' : 'does not hold'}`, () => {
    assert.equal(taker([{ query: [{ name, values }] }], { query }), expected ? 0 : -1)
  })

test('client networks, TLS names and matchers of plug-ins', () => {
  const plugins: PluginRegistry = {
    ...noPlugins,
    matcher: (name) =>
      name === 'starts'
        ? (options) =>
            ({ path }) =>
              path.startsWith(String(options))
        : undefined,
  }
  const routes = routeSpecs(
    { custom: { name: 'starts', options: '/x' } },
    { serverNames: ['a.com', '*.b.com'] },
    { clients: ['10.0.0.0/8', 'unix'] },
  )
  const router = new Router(routes, 'default', plugins)
  assert.equal(router.match(question({ path: '/xy' })), 0)
  assert.equal(router.match(question({ serverName: 'a.com' })), 1)
  assert.equal(router.match(question({ serverName: 'c.d.b.com' })), 1)
  assert.equal(router.match(question({ serverName: 'b.com' })), -1)
  assert.equal(router.match(question({ address: '10.1.1.1' })), 2)
  assert.equal(router.match(question({ address: 'unix:' })), 2)
  assert.throws(() => new Router(routeSpecs({ custom: { name: 'other', options: null } }), 'default', plugins), {
    message: 'no plug-in brings a matcher "other"',
  })
})

test('what a matcher throws is thrown on', () => {
  const failing = () => () => {
    throw new Error('mine')
  }
  const plugins: PluginRegistry = { ...noPlugins, matcher: () => failing }
  const router = new Router(routeSpecs({ custom: { name: 'x', options: null } }), 'default', plugins)
  assert.throws(() => router.match(question({})), {
    name: 'Error',
    message: 'the matcher x failed',
    cause: new Error('mine'),
  })
})

test('a question is asked only what some route wants to know', () => {
  const asked: Partial<RouteQuestion> = Object.defineProperties(
    {},
    Object.fromEntries(
      ['query', 'fields', 'address', 'serverName', 'view'].map((name) => [name, { get: () => assert.fail(name) }]),
    ),
  )
  const lazy = Object.assign(Object.create(asked), { method: 'GET', host: 'a.com', path: '/x' }) as RouteQuestion
  const routes = [{ paths: ['/x'], methods: ['POST'], headers: [{ name: 'x', values: [] }] }, { paths: ['/{p}'] }]
  assert.equal(new Router(routeSpecs(...routes), 'default').match(lazy), 1)
})

test('params and rest tell of the last match', () => {
  const router = new Router(
    routeSpecs(
      { paths: ['/users/{id}/files/*', '/groups/{group}'] },
      { pathRegex: '/(?<lang>[a-z]{2})(?:/(?<page>.*))?' },
      { hosts: ['x'] },
      { paths: ['/api/*'] },
    ),
    'default',
  )
  const found = (asked: Partial<RouteQuestion>) => [router.match(question(asked)), { ...router.params }, router.rest]
  assert.deepEqual(found({ path: '/users/7%2F8/files/a//b' }), [0, { id: '7%2F8' }, 'a//b'])
  assert.deepEqual(found({ path: '/users/7/files' }), [0, { id: '7' }, ''])
  assert.deepEqual(found({ path: '/groups/g' }), [0, { group: 'g' }, 'groups/g'])
  assert.deepEqual(found({ path: '/de/x' }), [1, { lang: 'de', page: 'x' }, 'de/x'])
  assert.deepEqual(found({ path: '/de' }), [1, { lang: 'de', page: '' }, 'de'])
  assert.deepEqual(found({ host: 'x', path: '/users/7/files' }), [2, {}, 'users/7/files'])
  assert.deepEqual(found({ path: '/api//x' }), [3, {}, '/x'])
  assert.deepEqual(found({ path: '/DE' }), [-1, {}, 'DE'])
  assert.equal(Object.getPrototypeOf(router.params), null)
})

test('CVE-2025-66490, CVE-2026-48020: no spelling of a path gets past the route that guards it', () => {
  const routes = [{ paths: ['/admin/*'] }, { paths: ['/public/*'] }, {}]
  const spellings = [
    '/admin/x',
    '/%61dmin/x',
    '/public/../admin/x',
    '/public/%2e%2E/admin/x',
    '/./admin/x',
    '/x/../%2e/admin/',
  ]
  for (const target of spellings) assert.equal(taker(routes, { path: canonicalTarget(target)!.path }), 0, target)
  // An encoded slash separates nothing, for the route as for the backend.
  for (const target of ['/admin%2Fx', '/public%2f..%2fadmin/x', '/admin%5Cx'])
    assert.equal(taker(routes, { path: canonicalTarget(target)!.path }), 2, target)
})

test('CVE-2026-40912: what a prefix leaves over is cut from the form that was matched', () => {
  const paths = ['/a b/*', '/é%2f/*'].map((written) => pathPattern(written).pattern)
  const router = new Router(routeSpecs({ paths }), 'x')
  for (const [target, rest] of [
    ['/%61%20b/%2561%2f', '%2561%2F'],
    ['/a%20%62/../a%20b//x', '/x'],
    ['/%c3%a9%2f/%7eu', '~u'],
  ] as const) {
    const { path } = canonicalTarget(target)!
    assert.equal(router.match(question({ path })), 0, target)
    assert.equal(router.rest, rest)
    assert.ok(path.endsWith(`/${router.rest}`))
  }
})

test('GHSA-x76f-jf84-rqj8, CVE-2022-23632: no spelling of a host gets past its route', () => {
  const many = Array.from({ length: 200 }, (_, i) => ({ hosts: [`h${i}.example`] }))
  const routes = [{ hosts: ['guarded.example'] }, { hosts: ['*.wild.example'] }, {}, ...many]
  const router = new Router(routeSpecs(...routes), 'default')
  for (const host of [
    'guarded.example',
    'GUARDED.example',
    'Guarded.Example.',
    'guarded.example:443',
    'guarded.example.:443',
  ])
    assert.equal(router.match(question({ host: normalHost(host) })), 0, host)
  for (const host of ['a.wild.example.', 'A.WILD.EXAMPLE:80'])
    assert.equal(router.match(question({ host: normalHost(host) })), 1)
})

/** The rank of one host and one path of a route, to be compared from the left; and whether they take a request. */
function reference(routes: readonly RouteSpec[], listener: string, asked: RouteQuestion) {
  const all = routes.flatMap(({ match }, index) => {
    if (match.listeners.length > 0 && !match.listeners.includes(listener)) return []
    const hosts = match.hosts.length > 0 ? match.hosts : [null]
    const paths = match.pathRegex !== null ? [null] : match.paths.length > 0 ? match.paths : ['/*']
    return hosts.flatMap((host) => paths.map((path) => ({ index, match, host, path })))
  })
  const ranked = all.map((entry) => ({ ...entry, key: rankKey(entry) })).sort((a, b) => compareKeys(a.key, b.key))
  for (const { index, match, host, path } of ranked) {
    if (host !== null && !naiveHost(host, asked.host)) continue
    const source = path === null ? match.pathRegex! : path === '/*' ? '.*' : pathSource(path)
    const found = new RegExp(`^(?:${source})$`, 's').exec(asked.path)
    if (found === null || !naiveConditions(match, asked)) continue
    const { __rest, ...params } = { ...found.groups }
    const isPrefix = path?.endsWith('/*') && path !== '/*'
    return { index, params, rest: isPrefix ? (__rest ?? '') : asked.path.replace(/^\//, '') }
  }
  return { index: -1, params: {}, rest: asked.path.replace(/^\//, '') }
}

function rankKey({
  index,
  match,
  host,
  path,
}: {
  index: number
  match: MatchSpec
  host: string | null
  path: string | null
}) {
  const hostKey = host === null ? [2] : host.startsWith('*') ? [1, -host.split('.').length] : [0]
  const segments = path?.split('/').slice(1) ?? []
  const mask = segments.map((segment) => (segment.startsWith('{') ? 1 : 0))
  const isPrefix = path?.endsWith('*')
  let pathKey: number[]
  if (path === '/*') pathKey = [4]
  else if (path === null) pathKey = [3]
  else if (isPrefix) pathKey = [2, -segments.length, ...mask]
  else pathKey = mask.includes(1) ? [1, ...mask] : [0]
  const given = [match.methods, match.clients, match.listeners, match.serverNames].filter((list) => list.length > 0)
  const conditions = given.length + match.headers.length + match.query.length + (match.custom ? 1 : 0)
  return [hostKey, pathKey, [-conditions], [index]]
}

function compareKeys(a: number[][], b: number[][]): number {
  for (const [at, part] of a.entries()) {
    for (let i = 0; i < Math.max(part.length, b[at]!.length); i++) {
      const difference = (part[i] ?? 0) - (b[at]![i] ?? 0)
      if (difference !== 0) return difference
    }
  }
  return 0
}

function naiveHost(pattern: string, host: string): boolean {
  return new RegExp(`^${pattern.replace(/[.[\]]/g, '\\$&').replace('*', '.+')}$`).test(host)
}

function pathSource(path: string): string {
  const source = path.replace(/\/\*$/, '').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  return path.endsWith('/*') ? `${source}(?:/(?<__rest>.*))?` : source
}

function naiveConditions(match: MatchSpec, asked: RouteQuestion): boolean {
  const lines = asked.fields.split('\r\n').map((line) => line.split(': '))
  const value = (patterns: readonly string[], text: string) =>
    patterns.length === 0 || patterns.some((pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text))
  return (
    (match.methods.length === 0 || match.methods.includes(asked.method)) &&
    match.headers.every(({ name, values }) => lines.some(([n, v]) => n!.toLowerCase() === name && value(values, v!))) &&
    match.query.every(({ name, values }) =>
      [...new URLSearchParams(asked.query)].some(([n, v]) => n === name && value(values, v)),
    ) &&
    (match.clients.length === 0 || (asked.address.startsWith('10.') && match.clients.includes('10.0.0.0/8'))) &&
    (match.serverNames.length === 0 || match.serverNames.some((name) => naiveHost(name, asked.serverName))) &&
    (match.custom === null || asked.path.length % 2 === match.custom.options)
  )
}

test('finds what a list of all, sorted by rank and tried one by one, finds', () => {
  let taken = 0
  let tried = 0
  fc.assert(
    fc.property(
      fc.array(anyMatch, { maxLength: 12 }),
      fc.array(anyQuestion, { minLength: 1, maxLength: 12 }),
      (matches, requests) => {
        const routes = routeSpecs(...matches)
        const router = new Router(routes, 'default', oddPaths)
        for (const asked of requests) {
          const expected = reference(routes, 'default', asked)
          assert.equal(router.match(asked), expected.index)
          assert.deepEqual({ ...router.params }, { ...expected.params })
          assert.equal(router.rest, expected.rest)
          tried++
          if (expected.index >= 0) taken++
        }
      },
    ),
    { numRuns: 3000 },
  )
  // A property that no request ever gets to says nothing.
  assert.ok(taken > tried / 3, `${taken} of ${tried}`)
})
