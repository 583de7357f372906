// Routes and their steps at bad moments: what once went wrong there, each case through a real data plane.
import assert from 'node:assert/strict'
import type { Middleware } from '../../src/core/plugin.ts'
import type { RouteSpec } from '../../src/core/route-spec.ts'
import type { PoolSpec } from '../../src/core/spec.ts'
import { noPlugins } from '../../src/plugins/registry.ts'
import { backendSpec, poolSpec, routeSpec } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { answer, get, lastChunk, post, postChunked } from '../support/messages.ts'
import { TestPlane } from '../support/plane.ts'
import { RawClient } from '../support/raw-client.ts'
import { middlewares, routed, use } from '../support/route-stand.ts'
import { bytes, head, request, rst, startScriptedBackend, write } from '../support/scripted-backend.ts'
import { deferred, until } from '../support/wait.ts'

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
