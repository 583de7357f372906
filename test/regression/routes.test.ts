// Routes and their steps at bad moments: what once went wrong there, each case through a real data plane.
import assert from 'node:assert/strict'
import type { Middleware, RequestView } from '../../src/core/plugin.ts'
import type { RouteSpec } from '../../src/core/route-spec.ts'
import type { PoolSpec } from '../../src/core/spec.ts'
import { noPlugins } from '../../src/plugins/registry.ts'
import { cheapHash } from '../support/cheap-hash.ts'
import { backendSpec, poolSpec, routeSpec } from '../support/control-kit.ts'
import { fieldValue } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { answer, chunk, get, lastChunk, post, postChunked } from '../support/messages.ts'
import { TestPlane } from '../support/plane.ts'
import { RawClient } from '../support/raw-client.ts'
import { middlewares, routed, use } from '../support/route-stand.ts'
import { bytes, head, request, rst, startScriptedBackend, write } from '../support/scripted-backend.ts'
import { seenValues } from '../support/stand.ts'
import { deferred, until } from '../support/wait.ts'

const answering = (status: number) => ({ action: { kind: 'respond', status, headers: [], body: [] } as const })

interface Stand {
  readonly plane: TestPlane
  readonly client: RawClient
}

/** A route with one step before two backends of the same scripts. */
async function scripted(
  scope: Scope,
  scripts: Parameters<typeof startScriptedBackend>[0],
  step: Middleware,
  over: { readonly route?: Partial<RouteSpec>; readonly pool?: Partial<PoolSpec> } = {},
): Promise<Stand> {
  const backend = scope.use(await startScriptedBackend(scripts))
  const plane = scope.use(
    await TestPlane.start({
      listeners: [{ name: 'web', pool: 'default' }],
      pools: (state) => [
        poolSpec(
          ['127.0.0.1', 'localhost'].map((host) =>
            backendSpec(state.claimSlot(), backend.port, { url: `http://${host}:${backend.port}` }),
          ),
          over.pool,
        ),
      ],
      snapshot: { routes: [routeSpec({ paths: ['/*'] }, { name: 'stepped', ...use('step'), ...over.route })] },
      plugins: { ...noPlugins, ...middlewares({ step }) },
    }),
  )
  return { plane, client: scope.use(await RawClient.open(plane.port())) }
}

/** The client's bytes have been read, or are held back on purpose: a few turns of the loop after they were sent. */
async function passed(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

// --- a body that comes while a step takes its time ---

leakTest('a step is waited for before the second attempt: the body stays with the client', async (scope) => {
  const gate = deferred()
  let attempts = 0
  const { client } = await scripted(scope, (n) => (n === 0 ? [head(), rst()] : [request(), write(answer('stored'))]), {
    onBackendRequest: () => (++attempts === 1 ? undefined : gate.promise),
  })
  client.write('PUT / HTTP/1.1\r\nHost: t.example\r\nContent-Length: 5\r\n\r\n')
  await until('the second attempt waits', () => attempts === 2)
  client.write('hello')
  await passed()
  gate.resolve()
  assert.equal((await client.reply('PUT')).body.toString(), 'stored')
})

for (const [what, script, route, status] of [
  ['an error of ours', [head(), bytes(200), rst()], {}, 502],
  [
    'a page in place of an early error',
    [head(), write(answer('early', {}, '503 Busy'))],
    { errorPages: [{ from: 500, to: 599, intercept: true, contentType: 'text/plain', body: ['page'] }] },
    503,
  ],
] as const) {
  leakTest(`onResponse takes its time over ${what} while the body still comes`, async (scope) => {
    const gate = deferred()
    let waits = 0
    const step = {
      onResponse: () => {
        waits++
        return gate.promise
      },
    }
    const { client } = await scripted(scope, [script], step, { route })
    client.write(post('/', 'x'.repeat(200), {}, 500))
    await until('the step waits', () => waits === 1)
    client.write('y'.repeat(100))
    await passed()
    gate.resolve()
    assert.equal((await client.reply('POST')).status, status)
  })
}

leakTest('an answer that waits for a step has come in time, whatever its request still sends', async (scope) => {
  const gate = deferred()
  let waits = 0
  const { client, plane } = await scripted(
    scope,
    [[head(), write(answer('early')), request()]],
    {
      onResponse: () => {
        waits++
        return gate.promise
      },
    },
    { pool: { timeouts: { connectMs: 5000, firstByteMs: 50, idleMs: 60_000, totalMs: 0, tunnelMs: 0 } } },
  )
  client.write(post('/', '', {}, 10))
  await until('the step waits', () => waits === 1)
  client.write('0123456789')
  const { wheel } = plane.planes[0]!
  const from = wheel.tick
  await until('the deadline of a first byte would have passed', () => wheel.since(from) > 300)
  gate.resolve()
  assert.equal((await client.reply('POST')).body.toString(), 'early')
})

for (const [what, sent, status] of [
  ['is too large by its length', post('/', '', {}, 1001), 413],
  ['is too large as it comes', `${postChunked('/')}${chunk('x'.repeat(1001))}`, 413],
  ['is no body', `${postChunked('/')}zz\r\n`, 400],
] as const) {
  leakTest(`a body that ${what} is refused, and steps see the answer`, async (scope) => {
    const step: Middleware = { onResponse: (response) => response.setHeader('X-Seen', String(response.status)) }
    const { client } = await scripted(scope, [[]], step, { route: { bodySize: 1000 } })
    const reply = await client.request(sent, 'POST')
    assert.equal(reply.status, status)
    assert.equal(fieldValue(reply, 'x-seen'), String(status))
  })
}

leakTest('who waits for a step while a reload replaces the backends is served by the new ones', async (scope) => {
  const gate = deferred()
  let waits = 0
  const step = {
    onRequest: () => {
      waits++
      return gate.promise
    },
  }
  const { client, plane } = await scripted(scope, [[]], step)
  const next = scope.use(await startScriptedBackend([[request(), write(answer('new'))]]))
  client.write(get('/'))
  await until('the step waits', () => waits === 1)
  for (const port of [1, next.port]) {
    const backend = backendSpec(plane.state.claimSlot(), port)
    plane.apply((snapshot) => ({ ...snapshot, pools: [poolSpec([backend])] }))
  }
  gate.resolve()
  assert.equal((await client.reply()).body.toString(), 'new')
})

// --- what steps may give ---

leakTest('a thenable that settles at once, or throws, is as good as a promise', async (scope) => {
  // biome-ignore lint/suspicious/noThenProperty: the very thing that is tried
  const thenable = (call: (resolve: (value: unknown) => void) => void): never => ({ then: call }) as never
  const { client } = await scripted(scope, [[request(), write(answer('ok')), request()]], {
    onRequest({ path }) {
      if (path === '/own') return thenable((resolve) => resolve({ status: 204 }))
      if (path !== '/bad') return undefined
      return thenable(() => {
        throw new Error('broken on purpose')
      })
    },
    onResponse: () => thenable((resolve) => resolve(undefined)),
  })
  assert.equal((await client.request(get('/own'))).status, 204)
  assert.equal((await client.request(get('/'))).body.toString(), 'ok')
  assert.equal((await client.request(get('/bad'))).status, 500)
})

leakTest('an answer of a plug-in is no refusal of ours, whatever else it says', async (scope) => {
  const said = { status: 400, body: 'no', error: 'bad input' }
  const { client } = await scripted(scope, [[]], { onRequest: () => said })
  const reply = await client.request(get('/'))
  assert.equal(reply.status, 400)
  assert.equal(reply.body.toString(), 'no')
})

// --- what frames a message ---

leakTest('no edit takes out what frames a request, however it spells it', async (scope) => {
  const requestHeaders = { remove: ['content_length'], set: [{ name: 'Transfer.Encoding', value: ['x'] }], add: [] }
  const stand = await routed(scope, [routeSpec({}, { requestHeaders })])
  await stand.client.request(post('/', 'GET /smuggled HTTP/1.1\r\n\r\n'))
  await stand.client.request(`${postChunked('/')}5\r\nhello\r\n${lastChunk}`)
  const { requests } = stand.backend()
  assert.deepEqual(
    requests.map(({ body }) => body),
    ['GET /smuggled HTTP/1.1\r\n\r\n', 'hello'],
  )
})

for (const together of [true, false]) {
  leakTest(
    `trailers do not bring back what was taken out, sent ${together ? 'with the head' : 'later'}`,
    async (scope) => {
      const step: Middleware = {
        onRequest(request) {
          request.setHeader('X-User', 'ann')
          request.removeHeader('X-Admin')
        },
      }
      const requestHeaders = { remove: ['x-internal'], set: [{ name: 'X-Const', value: ['1'] }], add: [] }
      const route = routeSpec({}, { requestHeaders, ...use('step') })
      const { client, backend } = await routed(scope, [route], { plugins: middlewares({ step }) })
      const names = ['X-User', 'X_Admin', 'x-internal', 'X-Const', 'X-Other']
      const trailers = names.map((name) => `${name}: evil\r\n`).join('')
      client.write(postChunked('/') + (together ? '' : chunk('x'.repeat(100))))
      if (!together) await until('the backend has the head', () => backend().started === 1)
      await client.request(`0\r\n${trailers}\r\n`, 'POST')
      assert.deepEqual(backend().requests[0]!.trailers, [['X-Other', 'evil']])
    },
  )
}

// --- where requests and clients are sent ---

leakTest('what a separator is to some backends does not lead out of a base path', async (scope) => {
  const { open, backend } = await routed(scope, [routeSpec({ paths: ['/*'] })], { backend: { basePath: '/base' } })
  for (const target of ['/a%2F..%2F..%2Fadmin', '/..%5Cadmin', '/%2e%2e%2fadmin']) {
    assert.equal((await (await open()).request(get(target))).status, 400)
  }
  assert.equal((await (await open()).request(get('/a%2Fb/..c'))).status, 200)
  assert.deepEqual(
    backend().requests.map(({ target }) => target),
    ['/base/a%2Fb/..c'],
  )
})

for (const name of ['request.path', 'request.uri']) {
  leakTest(`a redirect to {${name}} stays at its host`, async (scope) => {
    const action = { kind: 'redirect', to: [{ name }, '/'], keepQuery: true, status: 302 } as const
    const { client } = await routed(scope, [routeSpec({}, { action })])
    for (const target of ['//evil.example', '/.//evil.example', '/a/..///evil.example']) {
      assert.equal(fieldValue(await client.request(get(target)), 'location'), '/evil.example/')
    }
  })
}

leakTest('a redirect to the host that was asked for needs one', async (scope) => {
  const to = ['https://', { name: 'request.host' }, { name: 'request.uri' }]
  const action = { kind: 'redirect', to, keepQuery: true, status: 302 } as const
  const { open } = await routed(scope, [routeSpec({}, { action })])
  const reply = await (await open()).request('GET /evil.example HTTP/1.0\r\n\r\n')
  assert.equal(reply.status, 400)
  assert.equal(fieldValue(reply, 'location'), undefined)
  const asked = await (await open()).request('GET /a HTTP/1.0\r\nHost: [::1]:80\r\n\r\n')
  assert.equal(fieldValue(asked, 'location'), 'https://[::1]/a')
})

// --- what a client says of itself ---

/** A step that keeps what it sees of these fields. */
function looking(names: readonly string[]): { readonly seen: Record<string, string[]>; readonly step: Middleware } {
  const seen: Record<string, string[]> = {}
  const look = (request: RequestView): void => {
    for (const name of names) seen[name] = request.headers(name)
  }
  return { seen, step: { onRequest: look } }
}

// Invariant 26 (CVE-2026-3635).
leakTest('nobody goes by what an untrusted client says of whom it speaks for', async (scope) => {
  const names = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-tls', 'forwarded', 'x-real-ip', 'x-request-id']
  const { seen, step } = looking([...names, 'x-other'])
  const fields = Object.fromEntries(
    names.map((name, at) => [at % 2 === 0 ? name : name.replaceAll('-', '_'), '6.6.6.6']),
  )
  const byField = routeSpec({ headers: [{ name: 'x-forwarded-proto', values: ['6.6.6.6'] }] }, answering(204))
  const routes = [byField, routeSpec({}, use('look'))]
  const { client } = await routed(scope, routes, { plugins: middlewares({ look: step }) })
  assert.equal((await client.request(get('/', { ...fields, 'X-Other': '1' }))).status, 200)
  assert.deepEqual(seen, { ...Object.fromEntries(names.map((name) => [name, []])), 'x-other': ['1'] })
})

// RFC 9112 §3.2.2.
leakTest('beside an absolute-form target a Host field decides nothing', async (scope) => {
  const { seen, step } = looking(['host'])
  const byField = routeSpec({ headers: [{ name: 'host', values: ['inner.example'] }] }, answering(204))
  const routes = [byField, routeSpec({}, use('look'))]
  const { client, backend } = await routed(scope, routes, { plugins: middlewares({ look: step }) })
  assert.equal((await client.request('GET http://a.example/ HTTP/1.1\r\nHost: inner.example\r\n\r\n')).status, 200)
  assert.deepEqual(seen, { host: ['a.example'] })
  assert.deepEqual(seenValues(backend().requests[0], 'host'), ['a.example'])
  assert.equal((await client.request(get('/', { Host: 'inner.example' }))).status, 204)
})

leakTest(
  'a user is known by the credentials that came, also where the field tells the backend who it is',
  async (scope) => {
    const users = [{ name: 'ann', hash: cheapHash('secret') }]
    const basicAuth = { realm: 'r', users, userHeader: 'authorization' }
    const { client, backend } = await routed(scope, [routeSpec({}, { basicAuth })])
    const fields = { Authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` }
    assert.equal((await client.request(get('/', fields))).status, 200)
    assert.deepEqual(seenValues(backend().requests[0], 'authorization'), ['ann'])
  },
)
