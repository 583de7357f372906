import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Middleware } from '../core/plugin.ts'
import { runMiddleware } from './run-middleware.ts'

test('a request goes through every hook, as a proxy shows it', async () => {
  const seen: string[] = []
  const stamp: Middleware = {
    onRequest(request) {
      seen.push(
        `${request.method} ${request.host} ${request.path} ${request.query} ${request.client.address} ${request.cookie('a')}`,
      )
      request.setHeader('X-Tenant', request.header('host') ?? '')
      request.removeHeader('X-Secret')
      request.rewrite('/new?b=2')
      request.state.set('since', 1)
    },
    onBackendRequest: ({ backend, attempt, setHeader }) => void seen.push(`${backend} ${attempt} ${typeof setHeader}`),
    onResponse(response) {
      seen.push(`${response.status} ${response.header('x-b')}`)
      response.setHeader('X-B', `${response.header('x-b')}!`)
      response.status = 202
    },
    onFinish: ({ status, attempts, error }) => void seen.push(`${status} ${attempts} ${error}`),
  }
  const run = await runMiddleware(stamp, {
    path: '/%61/../b?x=1',
    host: 'Example.com:8080',
    headers: { 'X-Secret': 'x', Cookie: 'a=1', Connection: 'x-hop', 'X-Hop': 'y' },
    client: { address: '192.0.2.1' },
    answer: { headers: { 'X-B': 'b' } },
  })
  assert.deepEqual(seen, ['GET example.com /b ?x=1 192.0.2.1 1', 'http://127.0.0.1:3000 1 function', '200 b', '202 1 '])
  assert.equal(run.answered, false)
  assert.equal(run.forwarded?.target, '/new?b=2')
  assert.equal(run.forwarded?.headers['x-tenant'], 'Example.com:8080')
  assert.equal(run.forwarded?.headers['x-forwarded-for'], '192.0.2.1')
  assert.deepEqual([run.forwarded?.headers['x-secret'], run.forwarded?.headers['x-hop']], [undefined, undefined])
  assert.deepEqual(run.response, { status: 202, headers: { 'x-b': 'b!' }, body: null })
  assert.equal(run.state.get('since'), 1)
})

test('an answer ends it; it passes the way back of all steps', async () => {
  const order: string[] = []
  const step = (name: string): Middleware => ({
    onRequest: () => void order.push(`in ${name}`),
    onResponse: (response) => void order.push(`out ${name} ${response.status} "${response.backend}"`),
  })
  const gate: Middleware = { onRequest: async () => ({ status: 403, headers: { 'X-Why': 'no' }, body: 'go away' }) }
  const run = await runMiddleware([step('a'), gate, step('b')])
  assert.deepEqual(order, ['in a', 'out b 403 ""', 'out a 403 ""'])
  assert.deepEqual([run.answered, run.forwarded], [true, null])
  assert.deepEqual([run.response.status, run.response.body, run.response.headers['x-why']], [403, 'go away', 'no'])
  const replaced = await runMiddleware(
    { onResponse: () => ({ status: 200, body: 'instead' }) },
    { answer: { status: 500 } },
  )
  assert.deepEqual([replaced.response.status, replaced.response.body], [200, 'instead'])
})

test('what a hook does wrong is thrown', async () => {
  const failing = new RangeError('mine')
  await assert.rejects(runMiddleware({ onRequest: () => Promise.reject(failing) }), failing)
  await assert.rejects(runMiddleware({ onRequest: () => ({ status: 1000 }) }), /1000 is not a status/)
  await assert.rejects(
    runMiddleware({ onRequest: (request) => request.setHeader('Host', 'x') }),
    /only the proxy sets it/,
  )
  await assert.rejects(runMiddleware({ onRequest: (request) => request.setHeader('X', 'a\r\nb') }), TypeError)
  await assert.rejects(runMiddleware({ onRequest: () => true as never }), /must return an answer/)
  await assert.rejects(
    runMiddleware({ name: 'slow', timeoutMs: 10, onRequest: () => new Promise(() => {}) }),
    /slow: a hook took longer than 10 ms/,
  )
  await assert.rejects(runMiddleware({ onRequst: () => 0 } as Middleware), /did you mean onRequest/)
})

test('a request that a proxy refuses is refused here', async () => {
  const mark: Middleware = { onRequest: () => assert.fail('it was called') }
  await assert.rejects(runMiddleware(mark, { path: '/a b' }), /400/)
  await assert.rejects(runMiddleware(mark, { path: '/%00' }), /is no path/)
  await assert.rejects(runMiddleware(mark, { headers: { 'x y': '1' } }), /400 A header field is malformed/)
  await assert.rejects(runMiddleware(mark, { headers: { x: '1\r\ny: 2' } }), /is no header field/)
})
