// Trace Context through a real proxy, and spans at a collector: who is told what, and that nothing waits for it.
import assert from 'node:assert/strict'
import { startActingBackend } from '../support/acting-backend.ts'
import { attributesOf, type CollectedSpan, startFakeCollector } from '../support/fake-collector.ts'
import { fieldValues } from '../support/http-message.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { get, post } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import { type BackendEntry, type ProxyOptions, startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { seenValues } from '../support/stand.ts'
import { until } from '../support/wait.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const parent = (flags = '01'): string => `00-${TRACE}-${SPAN}-${flags}`

async function tracing(
  scope: Scope,
  tracingConfig: NonNullable<ProxyOptions['config']> | null,
  options: ProxyOptions & { readonly backends?: readonly BackendEntry[] } = {},
) {
  const backend = scope.use(await startActingBackend())
  const config = { ...options.config, ...(tracingConfig !== null && { tracing: tracingConfig }) }
  const proxy = scope.use(await startProxy(options.backends ?? [backend.url], { ...options, config }))
  const client = scope.use(await RawClient.open(proxy.port))
  const seen = (at: number, name: string): string[] => seenValues(backend.requests[at], name)
  return { backend, proxy, client, seen }
}

const byKind = (spans: readonly CollectedSpan[], kind: number): CollectedSpan[] =>
  spans.filter((span) => span.kind === kind)

leakTest('without tracing both fields pass as they came, valid or not, once or twice', async (scope) => {
  const { client, seen } = await tracing(scope, null)
  const values = [parent(), 'nonsense', `cc-${TRACE}-${SPAN}-01-later`]
  for (const value of values) await client.request(get('/', { traceparent: value, tracestate: 'a=1, b=2' }))
  await client.request(
    'GET / HTTP/1.1\r\nHost: t\r\nTraceparent: x\r\nTRACEPARENT: y\r\ntracestate: a=1\r\ntracestate: b=2\r\n\r\n',
  )
  assert.deepEqual(
    values.map((_, i) => [seen(i, 'traceparent'), seen(i, 'tracestate')]),
    values.map((value) => [[value], ['a=1, b=2']]),
  )
  assert.deepEqual(
    [seen(3, 'traceparent'), seen(3, 'tracestate')],
    [
      ['x', 'y'],
      ['a=1', 'b=2'],
    ],
  )
  await client.request(get('/'))
  assert.deepEqual(seen(4, 'traceparent'), [])
})

leakTest('with it a backend is told of our span in the same trace; its state is unchanged', async (scope) => {
  const { client, seen } = await tracing(scope, {})
  for (const flags of ['01', '00']) {
    await client.request(get('/', { Traceparent: parent(flags), TraceState: 'a=1,b=2' }))
  }
  for (const [at, flags] of [
    [0, '01'],
    [1, '00'],
  ] as const) {
    const [value, ...others] = seen(at, 'traceparent')
    assert.deepEqual(others, [])
    const [version, traceId, spanId, seenFlags] = value!.split('-')
    assert.deepEqual([version, traceId, seenFlags], ['00', TRACE, flags])
    assert.notEqual(spanId, SPAN)
    assert.deepEqual(seen(at, 'tracestate'), ['a=1,b=2'])
  }
})

leakTest('a trace begins here where there is none, or none that can be read', async (scope) => {
  const { client, seen } = await tracing(scope, { sample: '0%' })
  await client.request(get('/'))
  await client.request(get('/', { traceparent: 'nonsense', tracestate: 'a=1' }))
  for (const at of [0, 1]) {
    assert.match(seen(at, 'traceparent').join(), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    assert.deepEqual(seen(at, 'tracestate'), [])
  }
  assert.notEqual(seen(0, 'traceparent')[0]!.slice(0, 36), seen(1, 'traceparent')[0]!.slice(0, 36))
  const other = await tracing(scope, { create: false })
  await other.client.request(get('/'))
  await other.client.request(get('/', { traceparent: 'nonsense' }))
  assert.deepEqual([other.seen(0, 'traceparent'), other.seen(1, 'traceparent')], [[], ['nonsense']])
})

leakTest('what a route sets or removes counts', async (scope) => {
  const edits = { remove: ['traceparent'], set: { tracestate: 'ours=1' } }
  const routes = [{ name: 'all', match: '*', pool: 'default', headers: { request: edits } }]
  const { client, seen } = await tracing(scope, {}, { config: { routes } })
  await client.request(get('/', { traceparent: parent(), tracestate: 'a=1' }))
  assert.deepEqual([seen(0, 'traceparent'), seen(0, 'tracestate')], [[], ['ours=1']])
})

leakTest('spans: a server’s for the request, a client’s for each backend that was asked', async (scope) => {
  const collector = await startFakeCollector(scope)
  const live = scope.use(await startActingBackend())
  const dead = `http://127.0.0.1:${await refusingPort()}`
  const { proxy, client } = await tracing(
    scope,
    { endpoint: collector.url, service_name: 'edge', attributes: { 'deployment.environment.name': 'test' } },
    { backends: [dead, live.url], pool: { strategy: 'first' } },
  )
  const beforeMs = Date.now()
  const fields = { Host: 'shop.example:8080', traceparent: parent(), tracestate: 'a=1', 'User-Agent': 'test/1' }
  const reply = await client.request(post('/cart?token=abc&x=1', 'hello', { ...fields, 'X-Act-Delay': 20 }), 'POST')
  proxy.running.drain()
  await client.close()
  await proxy.running.stopped
  const request = collector.requests[0]!
  assert.equal(request.path, '/v1/traces')
  const { resource } = (JSON.parse(request.text) as { resourceSpans: { resource: { attributes: unknown[] } }[] })
    .resourceSpans[0]!
  assert.deepEqual(resource.attributes.slice(0, 2), [
    { key: 'service.name', value: { stringValue: 'edge' } },
    { key: 'deployment.environment.name', value: { stringValue: 'test' } },
  ])
  const [server] = byKind(collector.spans, 2)
  const [failed, answered] = byKind(collector.spans, 3)
  assert.equal(collector.spans.length, 3)
  for (const span of collector.spans) {
    assert.deepEqual([span.traceId, span.traceState], [TRACE, 'a=1'])
    assert.match(span.spanId, /^[0-9a-f]{16}$/)
    const [start, end] = [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)]
    assert.ok(start <= end && start >= BigInt(beforeMs - 1) * 1_000_000n && end <= BigInt(Date.now() + 1) * 1_000_000n)
    assert.ok(start >= BigInt(server!.startTimeUnixNano) && end <= BigInt(server!.endTimeUnixNano), 'within its parent')
  }
  assert.deepEqual([server!.parentSpanId, server!.name, server!.flags], [SPAN, 'POST default', 0x301])
  assert.equal(server!.status, undefined)
  assert.deepEqual([failed!.parentSpanId, answered!.parentSpanId], [server!.spanId, server!.spanId])
  const { 'frontdesk.request_id': id, ...attributes } = attributesOf(server!)
  assert.deepEqual(attributes, {
    'http.request.method': 'POST',
    'url.scheme': 'http',
    'url.path': '/cart',
    'url.query': 'token=***&x=1',
    'server.address': 'shop.example',
    'server.port': '8080',
    'client.address': '127.0.0.1',
    'network.protocol.version': '1.1',
    'user_agent.original': 'test/1',
    'http.response.status_code': '200',
    'http.request.body.size': '5',
    'http.response.body.size': String(reply.body.length),
    'frontdesk.route': 'default',
    'frontdesk.pool': 'default',
    'frontdesk.listener': 'test',
    'frontdesk.attempts': '2',
  })
  assert.equal(id, seenValues(live.requests[0], 'x-request-id')[0])
  const { port } = new URL(live.url)
  assert.deepEqual(attributesOf(answered!), {
    'http.request.method': 'POST',
    'url.full': `${live.url}/cart?token=***&x=1`,
    'server.address': '127.0.0.1',
    'server.port': port,
    'http.response.status_code': '200',
    'http.request.resend_count': '1',
    'frontdesk.backend': live.url,
    'frontdesk.pool': 'default',
  })
  assert.equal(attributesOf(failed!)['error.type'], 'connect_refused')
  assert.deepEqual(failed!.status, { code: 2 })
  assert.deepEqual(seenValues(live.requests[0], 'traceparent'), [`00-${TRACE}-${answered!.spanId}-01`])
})

leakTest('what is not sampled is not sent; errors of our own are spans without a backend', async (scope) => {
  const collector = await startFakeCollector(scope)
  const routes = [
    { name: 'api', match: { path: '/api/*' }, pool: 'default' },
    { name: 'none', match: { path: '/nowhere' }, respond: { status: 404 } },
  ]
  const options = { config: { routes } }
  const { proxy, client } = await tracing(scope, { endpoint: collector.url }, options)
  await client.request(get('/api/x', { traceparent: parent('00') }))
  await client.request(get('/nowhere', { traceparent: parent('01') }))
  await client.request(get('/api/y', { traceparent: parent('01'), 'X-Act-Status': 503 }))
  proxy.running.drain()
  await client.close()
  await proxy.running.stopped
  const servers = byKind(collector.spans, 2)
  assert.deepEqual(
    servers.map((span) => [
      span.name,
      attributesOf(span)['http.response.status_code'],
      attributesOf(span)['error.type'],
    ]),
    [
      ['GET none', '404', undefined],
      ['GET api', '503', '503'],
    ],
  )
  assert.deepEqual([servers[0]!.status, servers[1]!.status], [undefined, { code: 2 }])
  assert.equal(byKind(collector.spans, 3).length, 1)
})

leakTest('a client that leaves: its span says so, and that of the backend ends with it', async (scope) => {
  const collector = await startFakeCollector(scope)
  const { backend, proxy, client } = await tracing(scope, { endpoint: collector.url })
  client.write(get('/', { 'X-Act-Hold': 'for ever' }))
  await until('the request is at the backend', () => backend.active === 1)
  client.reset()
  await until('the backend is left', () => backend.active === 0)
  proxy.running.drain()
  await proxy.running.stopped
  const [server] = byKind(collector.spans, 2)
  assert.equal(attributesOf(server!)['http.response.status_code'], '499')
  assert.equal(attributesOf(byKind(collector.spans, 3)[0]!)['error.type'], 'client_gone')
})

leakTest('a collector that hangs slows no request and no stop for long', async (scope) => {
  const collector = await startFakeCollector(scope)
  collector.answer = () => {}
  const { backend, proxy, client } = await tracing(scope, { endpoint: collector.url, max_waiting: 10 })
  for (let i = 0; i < 200; i++) assert.equal((await client.request(get('/'))).status, 200)
  assert.equal(backend.requests.length, 200)
  proxy.running.drain()
  await client.close()
  await proxy.running.stopped
})

leakTest('workers send their spans, too, and the log has the same trace', async (scope) => {
  const collector = await startFakeCollector(scope)
  const { proxy, client, seen } = await tracing(scope, { endpoint: collector.url }, { workers: 2 })
  const reply = await client.request(get('/'))
  const [, traceId] = seen(0, 'traceparent')[0]!.split('-')
  proxy.running.drain()
  await client.close()
  await proxy.running.stopped
  assert.deepEqual(new Set(collector.spans.map((span) => span.traceId)), new Set([traceId]))
  const [server] = byKind(collector.spans, 2)
  assert.equal(
    attributesOf(server!)['frontdesk.request_id'],
    fieldValues(reply, 'x-request-id')[0] ?? seen(0, 'x-request-id')[0],
  )
})
