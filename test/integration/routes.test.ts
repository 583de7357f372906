// Routes through a real data plane: which one takes a request, and what its backends and clients get to see.
import assert from 'node:assert/strict'
import { routeSpec } from '../support/control-kit.ts'
import { fieldValue, fieldValues } from '../support/http-message.ts'
import { leakTest } from '../support/leaks.ts'
import { get, post } from '../support/messages.ts'
import { routed } from '../support/route-stand.ts'
import { seenValues } from '../support/stand.ts'

const to = (pool: string) => ({ action: { kind: 'pool', pool } as const })

leakTest('a request goes to the pool of its route, and to the implicit one where none takes it', async (scope) => {
  const routes = [
    routeSpec({ paths: ['/api/*'] }, { name: 'api', ...to('api') }),
    routeSpec({ hosts: ['www.example.com'] }, { name: 'www', ...to('www') }),
  ]
  const { client, backend } = await routed(scope, routes, { pools: ['default', 'api', 'www'] })
  await client.request(get('/api/users?x=%2f'))
  await client.request(get('/apix'))
  await client.request('GET / HTTP/1.1\r\nHost: WWW.example.com.:8080\r\n\r\n')
  assert.deepEqual(
    backend('api').requests.map(({ target }) => target),
    ['/api/users?x=%2f'],
  )
  assert.deepEqual(
    backend('default').requests.map(({ target }) => target),
    ['/apix'],
  )
  assert.deepEqual(
    backend('www').requests.map(({ target }) => target),
    ['/'],
  )
})

leakTest('without a route there is 404 with Proxy-Status, and the connection goes on', async (scope) => {
  const { client, plane } = await routed(scope, [routeSpec({ paths: ['/a'] })], { implicit: '' })
  const reply = await client.request(get('/b'))
  assert.equal(reply.status, 404)
  assert.equal(fieldValue(reply, 'proxy-status'), 'frontdesk; error=destination_not_found')
  assert.equal((await client.request(get('/a'))).status, 200)
  assert.equal(plane.totals().active, 1)
})

// Invariant 27 (CVE-2025-66490, CVE-2026-48020): one canonical path is matched, authorised and forwarded.
for (const [sent, got] of [
  ['/%61dmin/x', '/admin/x'],
  ['/x/../admin', '/admin'],
  ['/x/%2e%2E/admin/', '/admin/'],
  ['/./admin/%7euser', '/admin/~user'],
  ['/admin/a%2fb', '/admin/a%2Fb'],
] as const) {
  leakTest(`${sent} is ${got} to the route and to its backend`, async (scope) => {
    const routes = [routeSpec({ paths: ['/admin/*'] }, to('admin'))]
    const { client, backend } = await routed(scope, routes, { pools: ['default', 'admin'] })
    await client.request(get(sent))
    assert.deepEqual(
      backend('admin').requests.map(({ target }) => target),
      [got],
    )
    assert.equal(backend().requests.length, 0)
  })
}

for (const sent of ['/admin%00', '/a\\..\\admin', '/%zz', '/a%0d%0ab']) {
  leakTest(`${sent} is refused`, async (scope) => {
    const { client, backend } = await routed(scope, [routeSpec({ paths: ['/admin/*'] })])
    assert.equal((await client.request(get(sent))).status, 400)
    assert.equal(backend().requests.length, 0)
  })
}

leakTest('an encoded separator is none: the path stays apart from the one with a slash', async (scope) => {
  const routes = [routeSpec({ paths: ['/admin/*'] }, to('admin'))]
  const { client, backend } = await routed(scope, routes, { pools: ['default', 'admin'] })
  await client.request(get('/admin%2Fusers'))
  assert.deepEqual(
    backend().requests.map(({ target }) => target),
    ['/admin%2Fusers'],
  )
})

leakTest('without routes a target goes through byte for byte', async (scope) => {
  const { client, backend } = await routed(scope, [])
  await client.request(get('/a/../%61?q=%zz'))
  assert.equal(backend().requests[0]!.target, '/a/../%61?q=%zz')
})

// --- rewriting ---

const rewrite = { stripPrefix: '', addPrefix: '', replace: null }

for (const [change, sent, got] of [
  [{ stripPrefix: '/api' }, '/api/v1/x?q=1', '/v1/x?q=1'],
  [{ stripPrefix: '/api' }, '/api', '/'],
  [{ stripPrefix: '/api' }, '/api//evil.example/', '/evil.example/'],
  [{ stripPrefix: '/api', addPrefix: '/v2' }, '/api/x', '/v2/x'],
  [{ addPrefix: '/base/' }, '/api/x', '/base/api/x'],
  [{ replace: { pattern: '^/api/(\\d+)$', to: '/items?id=$1' } }, '/api/42?b=2', '/items?id=42&b=2'],
  // CVE-2026-48020: `..` that only comes to be by the rewrite.
  [{ replace: { pattern: 'x', to: '..' } }, '/api/x/y', '/y'],
  // CVE-2026-40912: what is cut is measured in the text that is forwarded.
  [{ stripPrefix: '/a%2Fb' }, '/a%2fb/c%2Fd', '/c%2Fd'],
] as const) {
  leakTest(`${JSON.stringify(change)} makes ${got} of ${sent}`, async (scope) => {
    const { client, backend } = await routed(scope, [routeSpec({}, { rewrite: { ...rewrite, ...change } })])
    await client.request(get(sent))
    assert.equal(backend().requests[0]!.target, got)
  })
}

leakTest('a rewrite that leaves no path is refused, and the next request is served', async (scope) => {
  const replace = { pattern: '.*', to: '//evil.example/' }
  const routes = [routeSpec({ paths: ['/x'] }, { rewrite: { ...rewrite, replace } })]
  const { client, backend, open } = await routed(scope, routes)
  assert.equal((await (await open()).request(get('/x'))).status, 400)
  assert.equal((await client.request(get('/y'))).status, 200)
  assert.equal(backend().requests.length, 1)
})

// --- header edits ---

leakTest('fields of requests and answers are set, added and removed, with variables', async (scope) => {
  const route = routeSpec(
    { paths: ['/users/{id}'] },
    {
      name: 'users',
      requestHeaders: {
        remove: ['x-secret'],
        set: [
          { name: 'X-Env', value: ['prod'] },
          { name: 'X-User', value: ['u-', { name: 'id' }, ' ', { name: 'client.ip' }] },
        ],
        add: [{ name: 'X-Tag', value: ['two'] }],
      },
      responseHeaders: {
        remove: ['x-internal'],
        set: [{ name: 'X-Route', value: [{ name: 'route' }, ' ', { name: 'status' }] }],
        add: [{ name: 'X-Frame-Options', value: ['DENY'] }],
      },
    },
  )
  const { client, backend } = await routed(scope, [route])
  const fields = { x_secret: 'a', 'X-Env': 'dev', 'X-Tag': 'one', 'X-Act-Header': 'X-Internal=1' }
  for (let round = 1; round <= 3; round++) {
    const reply = await client.request(get('/users/7', fields))
    const seen = backend().requests.at(-1)
    assert.deepEqual(seenValues(seen, 'x_secret'), [])
    assert.deepEqual(seenValues(seen, 'x-env'), ['prod'])
    assert.deepEqual(seenValues(seen, 'x-user'), ['u-7 127.0.0.1'])
    assert.deepEqual(seenValues(seen, 'x-tag'), ['one', 'two'])
    assert.deepEqual(seenValues(seen, 'host').length, 1)
    assert.deepEqual(fieldValues(reply, 'x-internal'), [])
    assert.deepEqual(fieldValues(reply, 'x-route'), ['users 200'])
    assert.deepEqual(fieldValues(reply, 'x-frame-options'), ['DENY'])
  }
})

leakTest('two routes on one connection keep their edits apart', async (scope) => {
  const edits = (value: string) => ({ remove: [], set: [{ name: 'X-Is', value: [value] }], add: [] })
  const routes = ['a', 'b'].map((name) =>
    routeSpec({ paths: [`/${name}`] }, { name, requestHeaders: edits(name), responseHeaders: edits(name) }),
  )
  const { client, backend } = await routed(scope, routes)
  for (const path of ['a', 'b', 'c', 'a', 'c', 'b']) {
    const reply = await client.request(get(`/${path}`))
    const expected = path === 'c' ? [] : [path]
    assert.deepEqual(seenValues(backend().requests.at(-1), 'x-is'), expected)
    assert.deepEqual(fieldValues(reply, 'x-is'), expected)
  }
})

leakTest('a value from outside cannot make a line of its own', async (scope) => {
  const set = [{ name: 'X-Copy', value: [{ name: 'query.q' }, '|', { name: 'header.x-a' }] }]
  const { client, backend } = await routed(scope, [routeSpec({}, { requestHeaders: { remove: [], set, add: [] } })])
  await client.request(get('/?q=a%0d%0aX-Evil:1', { 'X-A': 'b' }))
  assert.deepEqual(seenValues(backend().requests[0], 'x-copy'), ['a%0d%0aX-Evil:1|b'])
})

// --- routes that answer by themselves ---

leakTest('a redirect keeps what stood behind the prefix, and the query', async (scope) => {
  const action = { kind: 'redirect', to: ['/new/', { name: 'path' }], keepQuery: true, status: 308 } as const
  const { client, backend } = await routed(scope, [routeSpec({ paths: ['/old/*'] }, { action })])
  for (const [sent, location] of [
    ['/old/a/b?c=d', '/new/a/b?c=d'],
    ['/old', '/new/'],
  ] as const) {
    const reply = await client.request(get(sent))
    assert.equal(reply.status, 308)
    assert.equal(fieldValue(reply, 'location'), location)
  }
  assert.equal(backend().requests.length, 0)
})

leakTest('a redirect to a path never leads to another host', async (scope) => {
  const action = { kind: 'redirect', to: ['/', { name: 'path' }], keepQuery: true, status: 302 } as const
  const { client } = await routed(scope, [routeSpec({ paths: ['/old/*'] }, { action })])
  assert.equal(fieldValue(await client.request(get('/old//evil.example/x')), 'location'), '/evil.example/x')
})

leakTest('a fixed answer has its status, fields and body; HEAD gets its length', async (scope) => {
  const action = {
    kind: 'respond',
    status: 503,
    headers: [{ name: 'Content-Type', value: ['text/html'] }],
    body: ['<p>', { name: 'request.id' }, '</p>'],
  } as const
  const { client } = await routed(scope, [routeSpec({}, { action })])
  const reply = await client.request(get('/'))
  assert.equal(reply.status, 503)
  assert.equal(reply.body.toString(), `<p>${fieldValue(reply, 'x-request-id')}</p>`)
  const head = await client.request(get('/').replace('GET', 'HEAD'), 'HEAD')
  assert.equal(fieldValue(head, 'content-length'), String(reply.body.length))
  assert.equal((await client.request(post('/', 'body'))).status, 503)
})

leakTest('what a route sets on an answer of our own is not said twice', async (scope) => {
  const set = [
    { name: 'X-Request-Id', value: [{ name: 'request.id' }] },
    { name: 'Date', value: ['Thu, 01 Jan 1970 00:00:00 GMT'] },
  ]
  const action = { kind: 'respond', status: 200, headers: [], body: ['a'] } as const
  const route = routeSpec({}, { action, responseHeaders: { remove: [], set, add: [] } })
  const { client } = await routed(scope, [route])
  const reply = await client.request(get('/'))
  assert.equal(fieldValues(reply, 'x-request-id').length, 1)
  assert.deepEqual(fieldValues(reply, 'date'), ['Thu, 01 Jan 1970 00:00:00 GMT'])
})

// --- where requests go ---

leakTest('a split by request is exact', async (scope) => {
  const targets = [
    { pool: 'a', weight: 95 },
    { pool: 'b', weight: 5 },
  ]
  const action = { kind: 'split', by: 'request', cursor: 9, targets } as const
  const { client, backend } = await routed(scope, [routeSpec({}, { action })], { pools: ['a', 'b'] })
  for (let i = 0; i < 100; i++) await client.request(get('/'))
  assert.equal(backend('a').requests.length, 95)
  assert.equal(backend('b').requests.length, 5)
})

leakTest('a split by cookie keeps a client where it was, and those without by turns', async (scope) => {
  const targets = [
    { pool: 'a', weight: 1 },
    { pool: 'b', weight: 1 },
  ]
  const action = { kind: 'split', by: { kind: 'cookie', name: 'user' }, cursor: 9, targets } as const
  const { client, backend } = await routed(scope, [routeSpec({}, { action })], { pools: ['a', 'b'] })
  for (const user of ['ann', 'bob', 'cyd', 'dan', 'eve', 'fay']) {
    for (let i = 0; i < 3; i++) await client.request(get('/', { Cookie: `user=${user}` }))
  }
  for (const pool of ['a', 'b']) {
    const counts = new Map<string, number>()
    for (const seen of backend(pool).requests) {
      const [user] = seenValues(seen, 'cookie')
      counts.set(user!, (counts.get(user!) ?? 0) + 1)
    }
    assert.ok(counts.size > 0)
    assert.ok([...counts.values()].every((count) => count === 3))
  }
})

leakTest('a route has its own limit of the body, deadlines and Host', async (scope) => {
  const routes = [
    routeSpec({ paths: ['/small'] }, { name: 'small', bodySize: 3 }),
    routeSpec({ paths: ['/hurry'] }, { name: 'hurry', timeouts: { firstByteMs: 50 } }),
    routeSpec({ paths: ['/host'] }, { name: 'host', hostHeader: 'inside.example' }),
  ]
  const { client, backend, open } = await routed(scope, routes)
  assert.equal((await (await open()).request(post('/small', 'long'))).status, 413)
  assert.equal((await client.request(post('/small', 'abc'))).status, 200)
  assert.equal((await client.request(post('/other', 'long'))).status, 200)
  assert.equal((await client.request(get('/hurry', { 'X-Act-Hold': 'h' }))).status, 504)
  backend().release('h')
  await (await open()).request(get('/host'))
  assert.deepEqual(seenValues(backend().requests.at(-1), 'host'), ['inside.example'])
})
