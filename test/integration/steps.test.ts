// Middleware through a real data plane: what each hook may do, and that whatever goes wrong there costs one request.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { FinishView, MatchView, Middleware, RequestView } from '../../src/core/plugin.ts'
import { routeSpec } from '../support/control-kit.ts'
import { fieldValue, fieldValues } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { chunk, get, lastChunk, post, postChunked } from '../support/messages.ts'
import { middlewares, type RouteStand, routed, use } from '../support/route-stand.ts'
import { assertSameBytes, filled, seenValues } from '../support/stand.ts'
import { deferred, until } from '../support/wait.ts'

/** A stand whose one route has these steps, in this order. */
function stepped(scope: Scope, steps: Readonly<Record<string, Middleware>>): Promise<RouteStand> {
  const route = routeSpec({ paths: ['/*'] }, { name: 'stepped', ...use(...Object.keys(steps)) })
  return routed(scope, [route], { plugins: middlewares(steps) })
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What a plug-in did wrong, as the supervisor hears of it. */
async function failures({ plane }: RouteStand): Promise<string> {
  const told = () => plane.messages.filter(({ type }) => type === 'plugin-failure')
  await until('the failure is told', () => told().length > 0)
  return JSON.stringify(told())
}

// --- what the hooks see and do ---

leakTest('onRequest sees the request as it was routed, and changes what backends get', async (scope) => {
  let seen: RequestView | null = null
  const stand = await stepped(scope, {
    look: {
      onRequest(request) {
        seen = request
        request.setHeader('X-Set', 'a')
        request.addHeader('X-Set', 'b')
        request.removeHeader('x-secret')
        request.rewrite(`/to${request.path}?y=2`)
      },
    },
  })
  const fields = { Host: 'h', Cookie: 'a=1; b=2', 'X-Many': 'one', X_Secret: 's', 'X-Set': 'old' }
  await stand.client.request(get('/%70ath?x=1', fields))
  const request = seen! as RequestView
  assert.equal(request.method, 'GET')
  assert.equal(request.path, '/path')
  assert.equal(request.query, '?x=1')
  assert.equal(request.host, 'h')
  assert.equal(request.scheme, 'http')
  assert.equal(request.route, 'stepped')
  assert.equal(request.cookie('b'), '2')
  assert.equal(request.cookie('c'), undefined)
  assert.equal(request.header('x-MANY'), 'one')
  assert.equal(request.header('x-none'), undefined)
  assert.equal(request.client.address, '127.0.0.1')
  assert.equal(request.client.tls, null)
  const got = stand.backend().requests[0]!
  assert.equal(got.target, '/to/path?y=2')
  assert.deepEqual(seenValues(got, 'x-set'), ['a', 'b'])
  assert.deepEqual(seenValues(got, 'x_secret'), [])
  assert.deepEqual(seenValues(got, 'x-request-id'), [request.id])
})

for (const [kind, wait] of [
  ['at once', () => undefined],
  ['later', soon],
] as const) {
  leakTest(
    `an answer of onRequest, ${kind}, takes the place of a backend's, and later steps are not asked`,
    async (scope) => {
      const answer = { status: 403, headers: { 'X-Why': ['a', 'b'] }, body: 'nein, ö' }
      let asked = 0
      const stand = await stepped(scope, {
        first: { onRequest: () => (wait() === undefined ? answer : soon().then(() => answer)) },
        second: { onRequest: () => void asked++ },
      })
      const reply = await stand.client.request(get('/'))
      assert.equal(reply.status, 403)
      assert.deepEqual(fieldValues(reply, 'x-why'), ['a', 'b'])
      assert.equal(reply.body.toString(), 'nein, ö')
      assert.equal(asked, 0)
      // The rest of a body that nobody wanted ends the connection, after the answer.
      assert.equal((await stand.client.request(post('/', 'x'))).status, 403)
      assert.equal(stand.backend().requests.length, 0)
    },
  )
}

leakTest('a body waits while a step takes its time, and arrives whole', async (scope) => {
  const stand = await stepped(scope, {
    slow: { onRequest: async () => void (await soon()) },
    slower: {
      async onBackendRequest(request) {
        await soon()
        request.setHeader('X-Attempt', `${request.attempt} ${request.pool}`)
      },
    },
  })
  const body = filled(1_000_000)
  await stand.client.request(Buffer.concat([Buffer.from(post('/', '', {}, body.length)), body]))
  const [seen] = stand.backend().requests
  assert.equal(seen!.bodyLength, body.length)
  assert.equal(seen!.bodyHash, createHash('sha256').update(body).digest('hex'))
  assert.deepEqual(seenValues(seen, 'x-attempt'), ['1 default'])
})

leakTest('a chunked body that comes during the wait is passed on', async (scope) => {
  const gate = deferred<void>()
  const stand = await stepped(scope, { gate: { onRequest: () => gate.promise } })
  stand.client.write(postChunked('/', { 'X-Act-Echo': '1' }))
  stand.client.write(chunk('one '))
  stand.client.write(chunk('two') + lastChunk)
  gate.resolve()
  assert.equal((await stand.client.reply()).body.toString(), 'one two')
})

for (const wait of [null, soon]) {
  leakTest(`onResponse changes the head of an answer ${wait === null ? 'at once' : 'later'}`, async (scope) => {
    const order: string[] = []
    const step = (name: string): Middleware => ({
      onResponse(response) {
        order.push(name)
        const change = () => {
          response.setHeader('X-Last', name)
          response.removeHeader('x-internal')
          if (name === 'outer') response.status = 202
        }
        return wait === null ? change() : wait().then(change)
      },
    })
    const stand = await stepped(scope, { outer: step('outer'), inner: step('inner') })
    for (const size of [10, 500_000]) {
      const reply = await stand.client.request(get('/', { 'X-Act-Size': size, 'X-Act-Header': 'X-Internal=1' }))
      assert.equal(reply.status, 202)
      assert.deepEqual(fieldValues(reply, 'x-last'), ['outer'])
      assert.deepEqual(fieldValues(reply, 'x-internal'), [])
      assertSameBytes(reply.body, filled(size))
    }
    assert.deepEqual(order, ['inner', 'outer', 'inner', 'outer'])
  })
}

for (const [from, to] of [
  [204, 205],
  [304, 205],
  [304, 204],
  [200, 204],
] as const) {
  leakTest(`onResponse cannot make a ${to} of a ${from}, which is framed otherwise`, async (scope) => {
    const stand = await stepped(scope, {
      change: {
        onResponse(response) {
          if (response.request.path === '/change') response.status = to
        },
      },
    })
    assert.equal((await stand.client.request(get('/change', { 'X-Act-Status': from }))).status, 500)
    assert.equal((await stand.client.request(get('/'))).status, 200)
  })
}

leakTest('an answer of onResponse takes the place of the backend’s, whose connection is given up', async (scope) => {
  const stand = await stepped(scope, {
    swap: { onResponse: ({ status }) => (status === 500 ? { status: 502, body: 'sorry' } : undefined) },
  })
  const reply = await stand.client.request(get('/', { 'X-Act-Status': 500, 'X-Act-Size': 1_000_000 }))
  assert.equal(reply.status, 502)
  assert.equal(reply.body.toString(), 'sorry')
  assert.equal((await stand.client.request(get('/'))).status, 200)
})

leakTest('answers of the proxy’s own pass onResponse, too', async (scope) => {
  const stand = await stepped(scope, {
    mark: { onResponse: (response) => response.setHeader('X-Seen', response.backend) },
  })
  await stand.backend().close()
  const reply = await stand.client.request(get('/'))
  assert.equal(reply.status, 503)
  assert.deepEqual(fieldValues(reply, 'x-seen'), [''])
})

leakTest('onFinish is told how it ended, once, whatever happened', async (scope) => {
  const ends: FinishView[] = []
  const stand = await stepped(scope, {
    note: { onFinish: (finish) => void ends.push(finish) },
    deny: { onRequest: ({ path }) => (path === '/no' ? { status: 403 } : undefined) },
  })
  await stand.client.request(get('/yes'))
  await stand.client.request(get('/no'))
  const leaver = await stand.open()
  leaver.write(get('/hold', { 'X-Act-Hold': 'h' }))
  await until('the backend has it', () => stand.backend().active === 1)
  leaver.close()
  await until('three have ended', () => ends.length === 3)
  stand.backend().release('h')
  assert.deepEqual(
    ends.map(({ status, attempts, error }) => [status, attempts, error]),
    [
      [200, 1, ''],
      [403, 0, ''],
      [499, 1, 'client_gone'],
    ],
  )
  assert.equal(ends[0]!.backend, stand.backend().url)
})

leakTest('an onFinish that fails later is logged, and ends nothing', async (scope) => {
  const stand = await stepped(scope, {
    note: { onFinish: () => Promise.reject(new Error('broken on purpose')) as never },
  })
  assert.equal((await stand.client.request(get('/'))).status, 200)
  assert.match(await failures(stand), /note.*broken on purpose/s)
  assert.equal((await stand.client.request(get('/'))).status, 200)
})

leakTest('state is kept from hook to hook, for each request its own', async (scope) => {
  const stand = await stepped(scope, {
    keep: {
      onRequest: ({ state, path }) => void state.set('path', path),
      onResponse: (response) => response.setHeader('X-Path', String(response.request.state.get('path'))),
    },
  })
  for (const path of ['/a', '/b']) assert.equal(fieldValue(await stand.client.request(get(path)), 'x-path'), path)
})

for (const nothing of [null, undefined, Promise.resolve(null)]) {
  leakTest(`a hook that gives ${String(nothing)} does not answer: the next one is asked`, async (scope) => {
    let asked = 0
    const stand = await stepped(scope, {
      first: { onRequest: () => nothing as never, onResponse: () => void asked++ },
      second: { onRequest: () => void asked++, onResponse: () => nothing as never },
    })
    await stand.client.request(get('/'))
    assert.equal(asked, 2)
  })
}

leakTest('a step sees what earlier ones have made of the fields', async (scope) => {
  const seen: unknown[] = []
  const look = ({ header, headers }: Pick<RequestView, 'header' | 'headers'>) => {
    seen.push([header('x-a'), header('X_B'), headers('X-C')])
  }
  const stand = await stepped(scope, {
    change: {
      onRequest(request) {
        request.setHeader('X-A', 'new')
        request.removeHeader('x_b')
        request.addHeader('X-C', 'two')
      },
    },
    look: { onRequest: (request) => look({ header: (n) => request.header(n), headers: (n) => request.headers(n) }) },
  })
  await stand.client.request(get('/', { 'X-A': 'old', 'X-B': 'gone', 'X-C': 'one' }))
  assert.deepEqual(seen, [['new', undefined, ['one', 'two']]])
})

// --- what goes wrong there ---

const fault = new Error('broken on purpose')
const throws = (): never => {
  throw fault
}

for (const [name, step, what] of [
  ['onRequest throws', { onRequest: throws }, /broken on purpose/],
  ['onRequest rejects', { onRequest: () => Promise.reject(fault) }, /broken on purpose/],
  ['onRequest gives no answer', { onRequest: () => 'yes' as never }, /must return an answer/],
  ['onRequest gives a status that is none', { onRequest: () => ({ status: 42 }) }, /42 is not a status/],
  ['onRequest frames its answer', { onRequest: () => ({ status: 200, headers: { 'Content-Length': '1' } }) }, /frames/],
  ['onRequest splits a line', { onRequest: (r: RequestView) => r.setHeader('a', 'b\r\nc: d') }, /line break/],
  ['onRequest sets what is no string', { onRequest: (r: RequestView) => r.setHeader('a', 5 as never) }, /is a number/],
  ['onRequest frames the request', { onRequest: (r: RequestView) => r.setHeader('Content_Length', '1') }, /frames/],
  ['onRequest rewrites to another host', { onRequest: (r: RequestView) => r.rewrite('//evil/') }, /not a path/],
  ['onBackendRequest answers', { onBackendRequest: () => ({ status: 200 }) as never }, /cannot answer/],
  ['onBackendRequest answers later', { onBackendRequest: async () => ({ status: 200 }) as never }, /cannot answer/],
  ['onBackendRequest throws', { onBackendRequest: throws }, /broken on purpose/],
  ['onBackendRequest rejects', { onBackendRequest: () => Promise.reject(fault) }, /broken on purpose/],
  ['onResponse throws', { onResponse: throws }, /broken on purpose/],
  ['onResponse rejects', { onResponse: () => Promise.reject(fault) }, /broken on purpose/],
] as const) {
  leakTest(`${name}: 500 with a request id, the log says where, and the next request is served`, async (scope) => {
    const stand = await stepped(scope, { step: onlyBad(step as Middleware) })
    const reply = await stand.client.request(get('/bad'))
    assert.equal(reply.status, 500)
    assert.match(reply.body.toString(), /Request id: \S+/)
    assert.match(fieldValue(reply, 'proxy-status')!, /proxy_internal_error/)
    const told = await failures(stand)
    assert.match(told, what)
    assert.match(told, /step \(routes\[0\]\.use\[0\]\)/)
    assert.ok(told.includes(fieldValue(reply, 'x-request-id')!))
    assert.equal((await stand.client.request(get('/good'))).status, 200)
  })
}

/** The step, for `/bad` alone. */
function onlyBad({ onRequest, onBackendRequest, onResponse }: Middleware): Middleware {
  return {
    onRequest: (view) => (view.path === '/bad' ? onRequest?.(view) : undefined),
    onBackendRequest: (view) => (view.request.path === '/bad' ? onBackendRequest?.(view) : undefined),
    onResponse: (view) => (view.request.path === '/bad' ? onResponse?.(view) : undefined),
  }
}

leakTest('a hook that never settles ends at its time limit, and its late result changes nothing', async (scope) => {
  const late = deferred<{ status: number }>()
  const stand = await stepped(scope, { slow: { timeoutMs: 60, onRequest: () => late.promise } })
  assert.equal((await stand.client.request(get('/'))).status, 500)
  assert.match(await failures(stand), /longer than 60 ms/)
  late.resolve({ status: 204 })
  await soon()
  assert.equal(stand.backend().requests.length, 0)
})

leakTest('a client that leaves during the wait is gone at once, and nothing goes to a backend', async (scope) => {
  const gate = deferred<void>()
  let finished = 0
  const stand = await stepped(scope, { gate: { onRequest: () => gate.promise, onFinish: () => void finished++ } })
  stand.client.write(get('/'))
  await until('it has begun', () => stand.plane.totals().active === 1)
  stand.client.close()
  await until('it has ended', () => finished === 1)
  gate.resolve()
  await soon()
  assert.equal(stand.backend().requests.length, 0)
})

leakTest('a large answer waits while onResponse takes its time, and arrives whole', async (scope) => {
  const gate = deferred<void>()
  let calls = 0
  const stand = await stepped(scope, {
    wait: {
      onResponse: () => {
        calls++
        return gate.promise
      },
    },
  })
  const reply = stand.client.request(get('/', { 'X-Act-Size': 3_000_000 }))
  await until('the hook waits', () => calls === 1)
  gate.resolve()
  assertSameBytes((await reply).body, filled(3_000_000))
})

for (const [what, matcher, words] of [
  ['throws', () => throws(), /broken on purpose/],
  ['gives a promise', () => Promise.resolve(true) as never, /true or false/],
  ['gives a promise that comes to nothing', () => Promise.reject(new Error('later')) as never, /true or false/],
] as const) {
  leakTest(`a matcher that ${what} costs its request, and the log names it`, async (scope) => {
    const plugins = { matcher: () => () => (request: MatchView) => (request.path === '/bad' ? matcher() : false) }
    const custom = { name: 'picky', options: null }
    const stand = await routed(scope, [routeSpec({ custom })], { plugins })
    assert.equal((await stand.client.request(get('/bad'))).status, 500)
    const told = await failures(stand)
    assert.match(told, words)
    assert.match(told, /matcher picky/)
    assert.equal((await stand.client.request(get('/good'))).status, 200)
  })
}

leakTest('a matcher sees the request, and decides', async (scope) => {
  const plugins = {
    matcher: () => (tenant: unknown) => (request: MatchView) => request.header('x-tenant') === tenant,
  }
  const custom = { name: 'tenant', options: 'blue' }
  const action = { kind: 'respond', status: 204, headers: [], body: [] } as const
  const { client } = await routed(scope, [routeSpec({ custom }, { action })], { plugins })
  assert.equal((await client.request(get('/', { 'X-Tenant': 'blue' }))).status, 204)
  assert.equal((await client.request(get('/', { 'X-Tenant': 'red' }))).status, 200)
})
