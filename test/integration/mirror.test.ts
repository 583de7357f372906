// Mirrors through a real data plane: copies arrive as the requests do, and whatever becomes of them no request notices.
import assert from 'node:assert/strict'
import type { MirrorSpec, RouteSpec } from '../../src/core/route-spec.ts'
import type { PoolSpec } from '../../src/core/spec.ts'
import { type ActingBackend, startActingBackend } from '../support/acting-backend.ts'
import { backendSpec, poolSpec, routeSpec } from '../support/control-kit.ts'
import { fieldValue } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { chunk, get, lastChunk, post, postChunked } from '../support/messages.ts'
import { TestPlane } from '../support/plane.ts'
import { RawClient } from '../support/raw-client.ts'
import { middlewares, type RouteStand, routed, use } from '../support/route-stand.ts'
import { head, rst, type Script, startScriptedBackend, write } from '../support/scripted-backend.ts'
import { filled, seenValues } from '../support/stand.ts'
import { until } from '../support/wait.ts'

const mirrorSpec = (over: Partial<MirrorSpec> = {}): MirrorSpec => ({
  pool: 'shadow',
  share: 1,
  maxBody: 100_000,
  maxActive: 10,
  ...over,
})

const mirroring = (mirror: Partial<MirrorSpec> = {}, over: Partial<RouteSpec> = {}): RouteSpec =>
  routeSpec({}, { mirror: mirrorSpec(mirror), ...over })

async function mirrored(
  scope: Scope,
  route: RouteSpec = mirroring(),
  options: Parameters<typeof routed>[2] = {},
): Promise<RouteStand> {
  const stand = await routed(scope, [route], { pools: ['default', 'shadow'], ...options })
  // Places at the backends of both pools are given back, however the copies ended.
  scope.defer(() => idle(stand.plane))
  return stand
}

const slots = ({ snapshot }: TestPlane): number[] =>
  snapshot.pools.flatMap(({ backends }) => backends.map((b) => b.slot))

const idle = (plane: TestPlane): Promise<void> =>
  until('no place is taken', () => slots(plane).every((slot) => plane.state.active(slot) === 0))

const results = ({ plane }: Pick<RouteStand, 'plane'>): Readonly<Record<string, number>> =>
  plane.state.trafficTotals(0).mirrored

const arrived = (backend: ActingBackend, count: number): Promise<void> =>
  until(`${count} copies have arrived`, () => backend.requests.length >= count)

leakTest('a copy is the request as its backend gets it: target, fields, id, body', async (scope) => {
  const route = mirroring(
    {},
    {
      rewrite: { stripPrefix: '/api', addPrefix: '/v2', replace: null },
      requestHeaders: { remove: ['x-secret'], set: [{ name: 'X-Env', value: ['prod'] }], add: [] },
    },
  )
  const stand = await mirrored(scope, route)
  const reply = await stand.client.request(post('/api/a?b=1', 'the body', { 'X-Secret': 's', 'X-Act-Status': 201 }))
  assert.equal(reply.status, 201)
  assert.equal(fieldValue(reply, 'x-backend'), 'default')
  await arrived(stand.backend('shadow'), 1)
  const real = stand.backend().requests[0]!
  const copy = stand.backend('shadow').requests[0]!
  assert.equal(copy.method, 'POST')
  assert.equal(copy.target, '/v2/a?b=1')
  assert.equal(copy.body, 'the body')
  assert.deepEqual(copy.fields, real.fields)
  assert.deepEqual(seenValues(copy, 'x-env'), ['prod'])
  assert.deepEqual(seenValues(copy, 'host'), ['t.example'])
  assert.equal(seenValues(copy, 'x-request-id').length, 1)
})

leakTest('copies behind a believed proxy are shared out by whom that tells of', async (scope) => {
  const { port } = scope.use(await startActingBackend())
  const plane = scope.use(
    await TestPlane.start({
      listeners: [{ pool: 'default' }],
      pools: (state) => [
        poolSpec([backendSpec(state.claimSlot(), port)]),
        poolSpec(
          ['a', 'b'].map((name) =>
            backendSpec(state.claimSlot(), port, { pool: 'shadow', url: `http://${name}:${port}` }),
          ),
          { name: 'shadow', cursor: 1, strategy: 'ip-hash' },
        ),
      ],
      snapshot: { routes: [mirroring()], trustedProxies: ['127.0.0.0/8'] },
    }),
  )
  const client = scope.use(await RawClient.open(plane.port()))
  for (let i = 0; i < 20; i++) await client.request(get('/', { 'X-Forwarded-For': `203.0.113.${i}` }))
  await until('all copies have been sent', () => results({ plane }).sent === 20)
  for (const { slot } of plane.snapshot.pools[1]!.backends) {
    assert.ok(plane.state.backendTotals(slot).duration.count > 0)
  }
})

leakTest('what steps change for all attempts the copy has, too; what they answer is not mirrored', async (scope) => {
  const plugins = middlewares({
    step: {
      onRequest(request) {
        request.setHeader('X-Step', 'all')
        return request.path === '/no' ? { status: 403 } : undefined
      },
      onBackendRequest: (request) => request.setHeader('X-Attempt', String(request.attempt)),
    },
  })
  const stand = await mirrored(scope, mirroring({}, use('step')), { plugins })
  assert.equal((await stand.client.request(get('/no'))).status, 403)
  await stand.client.request(get('/yes'))
  await arrived(stand.backend('shadow'), 1)
  const [copy] = stand.backend('shadow').requests
  assert.equal(copy!.target, '/yes')
  assert.deepEqual(seenValues(copy, 'x-step'), ['all'])
  assert.deepEqual(seenValues(copy, 'x-attempt'), [])
})

leakTest('bodies that come in pieces are copied as they pass, and sent when they are complete', async (scope) => {
  const stand = await mirrored(scope)
  const body = filled(60_000).latin1Slice()
  stand.client.write(post('/length', body).slice(0, -30_000))
  await until('the request has begun', () => stand.backend().started === 1)
  assert.equal(stand.backend('shadow').started, 0)
  assert.equal((await stand.client.request(body.slice(-30_000))).status, 200)
  stand.client.write(postChunked('/chunked') + chunk('one'))
  await until('the request has begun', () => stand.backend().started === 2)
  const last = '0\r\nX-Trailer: t\r\nAuthorization: forbidden\r\n\r\n'
  assert.equal((await stand.client.request(chunk('two') + last)).status, 200)
  await arrived(stand.backend('shadow'), 2)
  const [first, second] = stand.backend('shadow').requests
  assert.equal(first!.bodyHash, stand.backend().requests[0]!.bodyHash)
  assert.equal(second!.body, 'onetwo')
  assert.deepEqual(second!.trailers, [['X-Trailer', 't']])
})

leakTest('a body that is too large, or never becomes complete, is not mirrored; the request goes on', async (scope) => {
  const stand = await mirrored(scope, mirroring({ maxBody: 1000 }))
  const large = filled(300_000).latin1Slice()
  assert.equal((await stand.client.request(post('/', large))).status, 200)
  stand.client.write(postChunked('/') + chunk(large.slice(0, 900)))
  await until('the request has begun', () => stand.backend().started === 2)
  assert.equal((await stand.client.request(chunk(large.slice(0, 101)) + chunk(large) + lastChunk)).status, 200)
  assert.equal(stand.backend().requests[1]!.bodyLength, 301_001)
  const leaving = await stand.open()
  leaving.write(post('/', 'x', {}, 10))
  await until('the request has begun', () => stand.backend().started === 3)
  await leaving.close()
  await until('it is given up', () => stand.backend().active === 0)
  await until('both are counted', () => results(stand).too_large === 2)
  assert.equal(stand.backend('shadow').started, 0)
  assert.deepEqual(results(stand), { too_large: 2 })
})

leakTest('the copy goes on when the client has gone', async (scope) => {
  const stand = await mirrored(scope)
  stand.client.write(get('/', { 'X-Act-Hold': 'a' }))
  await until('both are asked', () => stand.backend().active === 1 && stand.backend('shadow').active === 1)
  await stand.client.close()
  await until('the request is given up', () => stand.backend().active === 0)
  stand.backend('shadow').release('a')
  await until('the copy is answered', () => results(stand).sent === 1)
})

/** A mirror whose backend follows a script, before a well-behaved pool. */
async function badMirror(
  scope: Scope,
  script: Script | number,
  shadow: Partial<PoolSpec> = {},
): Promise<{ plane: TestPlane; client: RawClient; backend: ActingBackend }> {
  const backend = scope.use(await startActingBackend())
  const port = typeof script === 'number' ? script : scope.use(await startScriptedBackend([script])).port
  const plane = scope.use(
    await TestPlane.start({
      listeners: [{ name: 'web' }],
      pools: (state) => [
        poolSpec([backendSpec(state.claimSlot(), backend.port)]),
        poolSpec([backendSpec(state.claimSlot(), port, { pool: 'shadow' })], { name: 'shadow', cursor: 1, ...shadow }),
      ],
      snapshot: { routes: [mirroring({ maxActive: 5 })] },
    }),
  )
  scope.defer(() => {
    for (const each of plane.planes) each.sideWork.stopAll()
    return idle(plane)
  })
  return { plane, client: scope.use(await RawClient.open(plane.port())), backend }
}

const endless = `HTTP/1.1 200 OK\r\nContent-Length: ${1 << 30}\r\n\r\n`
const endlessChunks = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('x'.repeat(60_000)).repeat(20)}`
const bad: Record<string, Script> = {
  'never answers': [head()],
  resets: [head(), rst()],
  'answers a gigabyte': [head(), write(endless), write('x'.repeat(1_000_000))],
  'answers without end': [head(), write(endlessChunks)],
  'answers nonsense': [head(), write('HTTP/1.1 banana\r\n\r\n')],
}

for (const [what, script] of Object.entries(bad)) {
  leakTest(
    `a mirror that ${what}: every request is answered, and no more copies are under way than may be`,
    async (scope) => {
      const { plane, client, backend } = await badMirror(scope, script)
      const body = filled(50_000).latin1Slice()
      for (let n = 0; n < 30; n++) {
        const reply = await client.request(post(`/${n}`, body, { 'X-Act-Echo': 1 }))
        assert.equal(reply.status, 200)
        assert.equal(reply.body.length, body.length)
        const shadow = plane.state.active(slots(plane)[1]!)
        assert.ok(shadow <= 5, `${shadow} copies`)
      }
      assert.equal(backend.connections, 1)
      assert.equal(plane.totals().errors.internal, undefined)
    },
  )
}

leakTest('a mirror that is not there: every request is answered', async (scope) => {
  const gone = await startActingBackend()
  const { port } = gone
  await gone.close()
  const { plane, client } = await badMirror(scope, port)
  for (let n = 0; n < 20; n++) assert.equal((await client.request(get(`/${n}`))).status, 200)
  await until('each copy is counted', () => {
    const { failed = 0, dropped = 0 } = results({ plane })
    return failed + dropped === 20
  })
})

leakTest('a slow mirror does not hold up a reload, and new requests have the new rules', async (scope) => {
  const stand = await mirrored(scope)
  stand.client.write(get('/', { 'X-Act-Hold': 'a' }))
  await until('both are asked', () => stand.backend().active === 1 && stand.backend('shadow').active === 1)
  stand.plane.apply((snapshot) => ({ ...snapshot, routes: [routeSpec({})] }))
  stand.backend().release('a')
  assert.equal((await stand.client.reply()).status, 200)
  assert.equal((await stand.client.request(get('/'))).status, 200)
  stand.backend('shadow').release('a')
  await until('the copy is answered', () => results(stand).sent === 1)
  assert.equal(stand.backend('shadow').started, 1)
})

leakTest('a bound on copies holds over reloads', async (scope) => {
  const stand = await mirrored(scope, mirroring({ maxActive: 2 }))
  stand.backend().release('a')
  for (let n = 0; n < 5; n++) {
    assert.equal((await stand.client.request(get('/', { 'X-Act-Hold': 'a' }))).status, 200)
    stand.plane.apply((snapshot) => ({ ...snapshot, generation: snapshot.generation + 1 }))
  }
  await until('two are asked', () => stand.backend('shadow').active === 2)
  assert.deepEqual(results(stand), { dropped: 3 })
  stand.backend('shadow').release('a')
  await until('two are answered', () => results(stand).sent === 2)
  assert.equal(stand.backend('shadow').started, 2)
})

leakTest('a drain waits a moment for copies, and closing cuts them', async (scope) => {
  const stand = await mirrored(scope)
  const [plane] = stand.plane.planes
  const reply = stand.client.request(get('/', { 'X-Act-Hold': 'a' }))
  await until('both are asked', () => stand.backend().active === 1 && stand.backend('shadow').active === 1)
  plane!.drain()
  stand.backend().release('a')
  assert.equal((await reply).status, 200)
  await stand.client.ended()
  const drained = () => stand.plane.messages.some(({ type }) => type === 'drained')
  assert.ok(!drained())
  stand.backend('shadow').release('a')
  await until('it is drained', drained)
  assert.deepEqual(results(stand), { sent: 1 })
})

leakTest('a drain does not wait long for a mirror that never answers', async (scope) => {
  const stand = await mirrored(scope)
  stand.backend().release('a')
  assert.equal((await stand.client.request(get('/', { 'X-Act-Hold': 'a' }))).status, 200)
  stand.plane.planes[0]!.drain()
  await until('it is drained', () => stand.plane.messages.some(({ type }) => type === 'drained'))
  assert.equal(results(stand).failed, 1)
})

leakTest('a share of the requests, no Upgrade', async (scope) => {
  const stand = await mirrored(scope, mirroring({ share: 0.5, maxActive: 1000 }))
  for (let n = 0; n < 200; n++) await stand.client.request(get('/'))
  await until('all copies are answered', () => results(stand).sent === stand.backend('shadow').started)
  // Seven standard deviations.
  assert.ok(Math.abs(results(stand).sent! - 100) < 50, `${results(stand).sent}`)
  const all = await mirrored(scope)
  all.client.write(get('/', { Connection: 'upgrade', Upgrade: 'echo' }))
  assert.equal((await all.client.reply()).status, 101)
  await all.client.close()
  assert.equal(all.backend('shadow').started, 0)
})
