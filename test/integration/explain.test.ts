// POST /explain says what then really happens: each case is explained, sent, and compared.
import assert from 'node:assert/strict'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { startProxy, type TestProxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'

interface Explained {
  readonly listener: string
  readonly route: { readonly name: string; readonly implicit: boolean } | null
  readonly considered: readonly { readonly route: string; readonly taken: boolean; readonly why: string }[]
  readonly steps: readonly string[]
  readonly action: string
  readonly pool: string | null
  readonly strategy: string | null
  readonly target: string | null
  readonly sticky: { readonly by: string; readonly bound_to: string | null } | null
  readonly backends: readonly {
    readonly url: string
    readonly state: string
    readonly active: number
    readonly score: number | null
    readonly would_take: boolean
    readonly why: string
  }[]
  readonly answer: { readonly status: number; readonly why: string } | null
}

interface Case {
  readonly name: string
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** What the explanation must say besides. */
  readonly route: string
  readonly says?: RegExp
}

const listen = '127.0.0.1:1'
const names = ['a', 'b', 'c', 'd'] as const

async function stand(scope: Scope) {
  const started = await Promise.all(names.map((name) => startActingBackend({ name })))
  for (const backend of started) scope.use(backend)
  const [a, b, c, d] = started as [ActingBackend, ActingBackend, ActingBackend, ActingBackend]
  const none = { health_check: { method: 'none' } }
  const all = [a.url, b.url, c.url]
  const pools = {
    default: { backends: all, ...none },
    weighted: { backends: [{ url: a.url, weight: 3 }, b.url], ...none },
    least: { backends: all, strategy: 'least-conn', ...none },
    first: { backends: [{ url: c.url, max_connections: 1 }, a.url], strategy: 'first', ...none },
    hashed: { backends: all, strategy: 'hash', hash_key: 'path', ...none },
    byip: { backends: all, strategy: 'ip-hash', ...none },
    byheader: { backends: all, strategy: 'hash', hash_key: 'header:X-User', ...none },
    sticky: { backends: all, sticky: { by: 'cookie' }, ...none },
    stickyip: { backends: all, sticky: { by: 'ip' }, ...none },
    stickyheader: { backends: all, sticky: { by: 'header', header: 'X-Session' }, ...none },
    backups: { backends: [a.url, { url: d.url, backup: true }], ...none },
    base: { backends: [`${b.url}/base`], ...none },
    empty: { backends: [{ url: d.url, max_connections: 1 }], ...none },
    only: { backends: [d.url], ...none },
  }
  const split = [
    { pool: 'only', weight: 2 },
    { pool: 'base', weight: 1 },
  ]
  const to = (path: string, pool: string, more: object = {}) => ({ name: pool, match: { path }, pool, ...more })
  const routes = [
    to('/weighted/*', 'weighted'),
    to('/least/*', 'least'),
    to('/first/*', 'first'),
    to('/hashed/*', 'hashed'),
    to('/byip/*', 'byip'),
    to('/byheader/*', 'byheader'),
    to('/sticky/*', 'sticky'),
    to('/stickyip/*', 'stickyip'),
    to('/stickyheader/*', 'stickyheader'),
    to('/backups/*', 'backups'),
    to('/base/*', 'base', { strip_prefix: '/base' }),
    to('/empty/*', 'empty'),
    { name: 'free', match: { path: '/free/*' }, pool: 'sticky', sticky: false },
    { name: 'rewritten', match: { path: '/v1/*' }, pool: 'only', strip_prefix: '/v1', add_prefix: '/v2' },
    { name: 'split', match: { path: '/split/*' }, split },
    { name: 'splitby', match: { path: '/splitby/*' }, split: { to: split, by: 'header:X-User' } },
    { name: 'old', match: { path: '/old/{id}' }, redirect: { to: '/new/{id}', status: 301 } },
    { name: 'gone', match: { path: '/gone' }, respond: { status: 410 } },
    { name: 'denied', match: { path: '/denied/*' }, pool: 'only', deny: ['127.0.0.0/8'] },
    {
      name: 'closed',
      match: { path: '/closed' },
      pool: 'only',
      basic_auth: { users: { ann: '$2b$04$abcdefghijklmnopqrstuuJ3mV2V9V0mFz4YVb0mXv6K8k0QnPzGe' } },
    },
    { name: 'posted', match: { path: '/posted', method: 'POST' }, pool: 'only', body_size: '10B' },
    { name: 'canary', match: { path: '/x/*', header: { 'X-Canary': '1' } }, pool: 'only' },
    { name: 'byhost', match: { host: '*.example.com', path: '/x/*' }, pool: 'hashed' },
    { name: 'query', match: { path: '/x/*', query: { v: '2' } }, pool: 'base' },
  ]
  const config = { listeners: [{ name: 'test', listen, pool: 'default' }], pools, routes }
  const proxy = scope.use(await startProxy([], { admin: true, config }))
  return { proxy, backends: new Map(started.map((backend) => [backend.url, backend])), a, b, c, d }
}

async function explain(proxy: TestProxy, body: object): Promise<Explained> {
  const answer = await ask(proxy.adminPort, {
    method: 'POST',
    path: '/explain',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.equal(answer.status, 200, answer.body)
  return JSON.parse(Buffer.from(answer.body, 'latin1').toString()) as Explained
}

const taken = ({ backends }: Explained) => backends.filter(({ would_take }) => would_take).map(({ url }) => url)
const bare = (url: string): string => new URL(url).origin

const cases: readonly Case[] = [
  ...[1, 2, 3, 4].map((turn) => ({ name: `round robin, turn ${turn}`, path: '/', route: 'default' })),
  ...[1, 2, 3, 4, 5].map((turn) => ({ name: `weights, turn ${turn}`, path: '/weighted/x', route: 'weighted' })),
  { name: 'least connections, a tie', path: '/least/x', route: 'least' },
  { name: 'least connections, the next', path: '/least/x', route: 'least' },
  { name: 'first', path: '/first/x', route: 'first', says: /best score/ },
  ...['1', '2', '3'].map((id) => ({ name: `hash of path ${id}`, path: `/hashed/${id}?q`, route: 'hashed' })),
  { name: 'hash of the address', path: '/byip/x', route: 'byip' },
  { name: 'hash of a field', path: '/byheader/x', route: 'byheader', headers: { 'X-User': 'ann' } },
  { name: 'hash of a field that is not there', path: '/byheader/x', route: 'byheader' },
  { name: 'sticky, not bound', path: '/sticky/x', route: 'sticky' },
  { name: 'sticky by address, not bound', path: '/stickyip/x', route: 'stickyip' },
  { name: 'sticky by address, bound now', path: '/stickyip/x', route: 'stickyip', says: /bound/ },
  { name: 'sticky by field', path: '/stickyheader/x', route: 'stickyheader', headers: { 'X-Session': 's' } },
  {
    name: 'sticky by field, bound',
    path: '/stickyheader/y',
    route: 'stickyheader',
    headers: { 'X-Session': 's' },
    says: /bound/,
  },
  { name: 'sticky switched off by the route', path: '/free/x', route: 'free' },
  { name: 'backups wait', path: '/backups/x', route: 'backups', says: /backup: not needed/ },
  { name: 'base path', path: '/base/x/y?z=1', route: 'base' },
  { name: 'rewritten', path: '/v1/x', route: 'rewritten', says: /target becomes \/v2\/x/ },
  ...[1, 2, 3].map((turn) => ({ name: `split, turn ${turn}`, path: '/split/x', route: 'split', says: /its turn/ })),
  { name: 'split by a field', path: '/splitby/x', route: 'splitby', headers: { 'X-User': 'bob' }, says: /by header/i },
  { name: 'redirect', path: '/old/7', route: 'old', says: /\/new\/7/ },
  { name: 'fixed answer', path: '/gone', route: 'gone' },
  { name: 'denied', path: '/denied/x', route: 'denied', says: /"deny"/ },
  { name: 'no password', path: '/closed', route: 'closed', says: /password/ },
  { name: 'a method that no route takes', path: '/posted', route: 'default' },
  { name: 'a body too large', path: '/posted', method: 'POST', headers: { 'content-length': '11' }, route: 'posted' },
  { name: 'a field', path: '/x/1', headers: { 'X-Canary': '1' }, route: 'canary' },
  { name: 'a host', path: '/x/1', headers: { Host: 'www.example.com' }, route: 'byhost' },
  { name: 'a query', path: '/x/1?v=2', route: 'query' },
  { name: 'dot segments and escapes', path: '/x/../%77eighted/1', route: 'weighted' },
  { name: 'a path that is none', path: '/%zz', route: '' },
]

leakTest('what is explained is what happens, case by case', async (scope) => {
  const { proxy, backends } = await stand(scope)
  for (const { name, path, method = 'GET', headers = {}, route, says } of cases) {
    const seen = new Map([...backends].map(([url, backend]) => [url, backend.requests.length]))
    const told = await explain(proxy, { method, url: path, headers })
    const again = await explain(proxy, { method, url: path, headers })
    assert.deepEqual(again, told, `${name}: asking has changed something`)
    assert.equal(told.route?.name ?? '', route, name)
    if (says !== undefined) assert.match(JSON.stringify(told).replaceAll('\\"', '"'), says, name)
    const body = headers['content-length'] === undefined ? {} : { body: 'x'.repeat(Number(headers['content-length'])) }
    const { status, headers: answer } = await ask(proxy.port, { method, path, headers, ...body })
    const served = [...backends].filter(([url, backend]) => backend.requests.length > seen.get(url)!)
    if (told.answer !== null) {
      assert.equal(status, told.answer.status, name)
      assert.deepEqual(served, [], name)
      if (told.action === 'redirect') assert.match(told.answer.why, new RegExp(`${answer.location}$`))
      continue
    }
    assert.equal(status, 200, name)
    assert.deepEqual(
      taken(told).map(bare),
      served.map(([url]) => url),
      `${name}: ${JSON.stringify(told.backends)}`,
    )
    assert.equal(served[0]![1].requests.at(-1)!.target, told.target, name)
    await until('it has ended', () => Object.values(proxy.active()).every((count) => count === 0))
  }
})

leakTest('a cookie tells whom it is bound to; a full and a disabled backend are explained', async (scope) => {
  const { proxy, backends, c, d } = await stand(scope)
  const first = await ask(proxy.port, { path: '/sticky/x' })
  const [cookie] = String(first.headers['set-cookie']).split(';')
  const url = String(backends.values().find((backend) => backend.requests.length > 0)!.url)
  const headers = { Cookie: cookie! }
  const bound = await explain(proxy, { url: '/sticky/y', headers })
  assert.deepEqual([bound.sticky, taken(bound)], [{ by: 'cookie', bound_to: url }, [url]])
  assert.match(bound.backends.find(({ would_take }) => !would_take)!.why, /bound to another/)
  const patch = { url, pool: 'sticky', state: 'disabled' }
  const type = { 'content-type': 'application/json' }
  const { status } = await ask(proxy.adminPort, {
    method: 'PATCH',
    path: '/backends',
    headers: type,
    body: JSON.stringify(patch),
  })
  assert.equal(status, 200)
  const moved = await explain(proxy, { url: '/sticky/y', headers })
  assert.equal(moved.backends.find((one) => one.url === url)!.why, 'disabled')
  const before = backends.get(url)!.requests.length
  await ask(proxy.port, { path: '/sticky/y', headers })
  assert.equal(backends.get(url)!.requests.length, before)
  assert.equal(taken(moved).length, 1)
  assert.notEqual(taken(moved)[0], url)

  // Full: the only place of the first one is taken, and the only one of `empty`.
  const held = [ask(proxy.port, { path: '/first/x', headers: { 'x-act-hold': 'now' } })]
  await until('it is held', () => c.active === 1)
  const full = await explain(proxy, { url: '/first/y' })
  assert.deepEqual(
    full.backends.map(({ would_take, why }) => [would_take, why.replace(/:.*/, '')]),
    [
      [false, 'full'],
      [true, 'the best score'],
    ],
  )
  assert.match(full.backends[0]!.why, /full: 1 of 1/)
  held.push(ask(proxy.port, { path: '/empty/x', headers: { 'x-act-hold': 'now' } }))
  await until('it is held', () => d.active === 1)
  const refused = await explain(proxy, { url: '/empty/y' })
  const answer = await ask(proxy.port, { path: '/empty/y' })
  assert.deepEqual(
    [refused.answer!.status, refused.answer!.why],
    [answer.status, 'Every backend is at its connection limit'],
  )
  // Least connections: whoever has one is not the next.
  c.release('now')
  d.release('now')
  await Promise.all(held)
})

leakTest('down and ejected backends are told with since when and until when', async (scope) => {
  const a = scope.use(await startActingBackend({ name: 'a' }))
  const pool = {
    backends: [a.url, 'http://127.0.0.1:9'],
    health_check: { method: 'tcp', interval: '1s', timeout: '1s' },
  }
  const config = { listeners: [{ name: 'test', listen, pool: 'default' }], pools: { default: pool } }
  const proxy = scope.use(await startProxy([], { admin: true, config }))
  await until('one is down', () => proxy.running.status().backends[1]!.state === 'down')
  const told = await explain(proxy, { url: '/' })
  assert.deepEqual([taken(told), told.answer, told.route?.implicit], [[a.url], null, true])
  assert.match(told.backends[1]!.why, /^down for \d+(ms|s|\.\ds): .*ECONNREFUSED/)
  assert.equal(told.backends[1]!.score, null)
})

leakTest('routes that were considered are told, the nearest ones, with what is missing', async (scope) => {
  const { proxy } = await stand(scope)
  const { considered, route } = await explain(proxy, { url: 'http://www.example.com/x/1' })
  assert.equal(route!.name, 'byhost')
  assert.ok(considered.length <= 10)
  const why = new Map(considered.map((one) => [one.route, one.why]))
  assert.match(why.get('byhost')!, /^takes it: wildcard host/)
  assert.equal(why.get('canary'), 'asks for header x-canary: 1')
  assert.equal(why.get('query'), 'asks for query parameter v: 2')
  const both = await explain(proxy, { url: 'http://www.example.com/x/1?v=2', headers: { 'X-Canary': '1' } })
  assert.deepEqual(
    both.considered
      .filter(({ why: words }) => words.includes('stands behind'))
      .map((one) => one.route)
      .sort(),
    ['canary', 'query'],
  )
})

leakTest('what no client could send is refused with the field named; unknown listeners are 404', async (scope) => {
  const { proxy } = await stand(scope)
  const refused = async (body: object): Promise<[number, string]> => {
    const headers = { 'content-type': 'application/json' }
    const answer = await ask(proxy.adminPort, { method: 'POST', path: '/explain', headers, body: JSON.stringify(body) })
    return [answer.status, (JSON.parse(answer.body) as { errors: { path: string }[] }).errors[0]?.path ?? '']
  }
  assert.deepEqual(await refused({ url: '/', listener: 'none' }), [404, 'listener'])
  assert.deepEqual(await refused({ url: 'x' }), [400, 'url'])
  assert.deepEqual(await refused({}), [400, 'url'])
  assert.deepEqual(await refused({ url: '/', client: 'me' }), [400, 'client'])
  assert.deepEqual(await refused({ url: '/', method: 'A B' }), [400, 'method'])
  assert.deepEqual(await refused({ url: '/', headers: { 'a b': '1' } }), [400, 'headers.a b'])
  assert.deepEqual(await refused({ url: '/', headers: { a: '1\r\nb: 2' } }), [400, 'headers.a'])
  assert.deepEqual(await refused({ url: '/', more: 1 }), [400, 'more'])
})

leakTest('TCP and server names: the pool and the backend that a connection would get', async (scope) => {
  const a = scope.use(await startActingBackend({ name: 'a' }))
  const b = scope.use(await startActingBackend({ name: 'b' }))
  const none = { health_check: { method: 'none' } }
  const config = {
    listeners: [
      { name: 'raw', listen, protocol: 'tcp', pool: 'one' },
      {
        name: 'sni',
        listen: '127.0.0.1:3',
        protocol: 'tls-passthrough',
        sni: { 'db.example.com': 'one', '*.example.com': 'two' },
      },
    ],
    pools: {
      one: { backends: [a.url.replace('http', 'tcp')], ...none },
      two: { backends: [b.url.replace('http', 'tcp')], ...none },
    },
  }
  const proxy = scope.use(await startProxy([], { admin: true, config }))
  const raw = await explain(proxy, { listener: 'raw' })
  assert.deepEqual([raw.pool, raw.action, raw.target, taken(raw).length], ['one', 'pool', null, 1])
  const told = await explain(proxy, { server_name: 'www.example.com' })
  assert.deepEqual([told.listener, told.pool, taken(told)], ['sni', 'two', [b.url.replace('http', 'tcp')]])
  assert.deepEqual(
    told.considered.map(({ route, taken: isTaken }) => [route, isTaken]),
    [
      ['db.example.com', false],
      ['*.example.com', true],
    ],
  )
  const nobody = await explain(proxy, { server_name: 'other.org' })
  assert.deepEqual([nobody.pool, nobody.answer!.status], [null, 0])
  // As a connection really goes.
  const { status, headers } = await ask(proxy.port)
  assert.deepEqual([status, headers['x-backend']], [200, 'a'])
})
