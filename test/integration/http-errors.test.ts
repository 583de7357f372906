// The answers that the proxy makes itself: status, shape, Proxy-Status, Retry-After, and whether the connection stays.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fieldValue, fieldValues } from '../support/http-message.ts'
import { leakTest } from '../support/leaks.ts'
import { answer, answerChunked, chunk, get, post, postChunked } from '../support/messages.ts'
import { refusingPort } from '../support/ports.ts'
import { startProxy } from '../support/proxy.ts'
import { RawClient, type Reply } from '../support/raw-client.ts'
import { fin, request, rst, type Script, write } from '../support/scripted-backend.ts'
import { acting, scripted, seenValues } from '../support/stand.ts'
import { until } from '../support/wait.ts'

/** What is the same for every answer of the proxy's own. */
function assertOwn(reply: Reply, status: number, error: string | null): void {
  assert.equal(reply.status, status, reply.startLine)
  const proxyStatus = fieldValue(reply, 'proxy-status') ?? ''
  assert.ok(proxyStatus.startsWith('frontdesk'), proxyStatus)
  if (error !== null) assert.equal(/; error=([a-z_]+)/.exec(proxyStatus)?.[1], error)
  assert.equal(fieldValue(reply, 'via'), '1.1 frontdesk')
  assert.equal(fieldValue(reply, 'content-type'), 'text/plain; charset=utf-8')
  assert.equal(fieldValue(reply, 'cache-control'), 'no-store')
  assert.ok(Math.abs(Date.parse(fieldValue(reply, 'date') ?? '') - Date.now()) < 5000)
  assert.ok(reply.body.toString().startsWith(`${status} `), reply.body.toString())
  assert.equal(fieldValue(reply, 'retry-after') !== undefined, status === 503)
}

for (const [what, bytes, status] of [
  ['a bad request line', 'GET\r\n\r\n', 400],
  ['a bad target', 'GET nowhere HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['a bad field', 'GET / HTTP/1.1\r\nHost: t\r\nbad field: 1\r\n\r\n', 400],
  ['a broken chunk', `${postChunked('/')}zz\r\n`, 400],
  ['a long target', get(`/${'x'.repeat(9000)}`), 414],
  ['a large header', get('/', { 'X-Big': 'x'.repeat(17_000) }), 431],
  ['many fields', `GET / HTTP/1.1\r\nHost: t\r\n${'A: 1\r\n'.repeat(101)}\r\n`, 431],
  ['an expectation', get('/', { Expect: 'miracle' }), 417],
  ['an unknown coding', post('/', '', { 'Transfer-Encoding': 'gzip' }).replace('Content-Length: 0\r\n', ''), 501],
  ['TRACE', get('/').replace('GET', 'TRACE'), 501],
  ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: t\r\n\r\n', 505],
] as const) {
  leakTest(`${what} is answered ${status} and the connection closed`, async (scope) => {
    const { backend, client } = await acting(scope)
    const reply = await client.request(bytes)
    assertOwn(reply, status, 'http_request_error')
    assert.equal(fieldValue(reply, 'connection'), 'close')
    assert.equal(await client.ended(), 'fin')
    assert.equal(backend.started, 0)
  })
}

leakTest('a body larger than allowed is answered 413, announced or not', async (scope) => {
  const { backend, client, open } = await acting(scope, { limits: { body_size: 10 } })
  assert.equal((await client.request(post('/', '0123456789'), 'POST')).status, 200)
  const announced = await client.request(post('/', '', {}, 11), 'POST')
  assertOwn(announced, 413, 'http_request_error')
  await client.ended()
  const second = await open()
  assertOwn(await second.request(`${postChunked('/')}${chunk('0123456789a')}`, 'POST'), 413, 'http_request_error')
  const third = await open()
  third.write(`${postChunked('/')}${chunk('01234')}`)
  assertOwn(await third.request(chunk('56789a'), 'POST'), 413, 'http_request_error')
  assert.equal(backend.requests.filter(({ complete }) => complete).length, 1)
})

leakTest('an error answer reaches a client that goes on sending', async (scope) => {
  const { client } = await acting(scope, { limits: { body_size: 10 } })
  client.write(post('/', 'x'.repeat(500_000)))
  assert.equal((await client.reply('POST')).status, 413)
  assert.equal(await client.ended(), 'fin')
})

leakTest('no backend reachable: 503 at once with Retry-After, and the connection stays', async (scope) => {
  const port = await refusingPort()
  const proxy = scope.use(await startProxy([`http://127.0.0.1:${port}`]))
  const client = scope.use(await RawClient.open(proxy.port))
  for (let i = 0; i < 3; i++) {
    const reply = await client.request(get('/'))
    assertOwn(reply, 503, 'connection_refused')
    assert.match(fieldValue(reply, 'proxy-status') ?? '', /details="ECONNREFUSED"/)
    assert.match(fieldValue(reply, 'x-request-id') ?? '', /^[0-9a-f]{16,40}$/)
    assert.ok(reply.body.includes(fieldValue(reply, 'x-request-id')!))
    const [head] = reply.raw.toString('latin1').split('\r\n\r\n')
    assert.ok(!head!.includes(String(port)), 'the address of the backend is for people who may know it')
  }
})

leakTest('an error answer to HEAD has no body but its length', async (scope) => {
  const proxy = scope.use(await startProxy([`http://127.0.0.1:${await refusingPort()}`]))
  const client = scope.use(await RawClient.open(proxy.port))
  const reply = await client.request(get('/').replace('GET', 'HEAD'), 'HEAD')
  assert.equal(reply.status, 503)
  assert.ok(Number(fieldValue(reply, 'content-length')) > 0)
  assert.equal((await client.request(get('/'))).status, 503)
})

leakTest('a 503 with a body still to come does not take the body for a request', async (scope) => {
  const proxy = scope.use(await startProxy([`http://127.0.0.1:${await refusingPort()}`]))
  const client = scope.use(await RawClient.open(proxy.port))
  client.write(post('/', '', {}, 40))
  assertOwn(await client.reply('POST'), 503, 'connection_refused')
  client.write(get('/smuggled'))
  assert.equal((await client.read()).kind, 'closed')
})

leakTest('a 503 whose request was complete keeps the pipeline going', async (scope) => {
  const proxy = scope.use(await startProxy([`http://127.0.0.1:${await refusingPort()}`]))
  const client = scope.use(await RawClient.open(proxy.port))
  client.write(post('/1', 'body') + get('/2') + get('/3', { Connection: 'close' }))
  for (let i = 0; i < 3; i++) assertOwn(await client.reply(), 503, 'connection_refused')
  assert.equal(await client.ended(), 'fin')
})

leakTest('an HTTP/1.0 client gets its error and the end', async (scope) => {
  const proxy = scope.use(await startProxy([`http://127.0.0.1:${await refusingPort()}`]))
  const client = scope.use(await RawClient.open(proxy.port))
  assertOwn(await client.request('GET / HTTP/1.0\r\n\r\n'), 503, 'connection_refused')
  assert.equal(await client.ended(), 'fin')
})

leakTest('every backend at its limit: 503 with its own reason, at once', async (scope) => {
  const { backend, client, open } = await acting(scope)
  const proxy = scope.use(await startProxy([{ url: backend.url, max_connections: 1 }]))
  const first = scope.use(await RawClient.open(proxy.port))
  first.write(get('/', { 'X-Act-Hold': 'x' }))
  const second = scope.use(await RawClient.open(proxy.port))
  await until('the first request holds the only place', () => backend.active === 1)
  assertOwn(await second.request(get('/')), 503, 'connection_limit_reached')
  backend.release('x')
  assert.equal((await first.reply()).status, 200)
  assert.equal((await second.request(get('/'))).status, 200)
  await Promise.all([client.close(), open().then((other) => other.close())])
})

const broken: readonly (readonly [what: string, script: Script, error: string])[] = [
  ['closes without an answer', [request(), fin()], 'connection_terminated'],
  ['resets without an answer', [request(), rst()], 'connection_terminated'],
  ['closes within its head', [request(), write('HTTP/1.1 200 OK\r\nX'), fin()], 'http_response_incomplete'],
  ['talks nonsense', [request(), write('nonsense\r\n\r\n')], 'http_protocol_error'],
  [
    'has two lengths',
    [request(), write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx')],
    'http_protocol_error',
  ],
  [
    'sends a head without end',
    [request(), write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`)],
    'http_response_header_section_size',
  ],
  [
    'switches protocols unasked',
    [request(), write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')],
    'http_upgrade_failed',
  ],
]

for (const [what, script, error] of broken) {
  leakTest(`a backend that ${what} is a 502, and the client connection stays`, async (scope) => {
    const options = { pool: { retries: { attempts: 0 } } }
    const { client } = await scripted(scope, [script, [request(), write(answer('well'))]], options)
    assertOwn(await client.request(get('/')), 502, error)
    assert.equal((await client.request(get('/'))).body.toString(), 'well')
  })
}

leakTest('an answer that breaks off is visibly incomplete, whatever its framing', async (scope) => {
  for (const [head, ending] of [
    [answer('half', {}, '200 OK', 100), fin()],
    [answer('half', {}, '200 OK', 100), rst()],
    [answerChunked() + chunk('half'), fin()],
    [answerChunked() + chunk('half'), rst()],
    ['HTTP/1.1 200 OK\r\n\r\nhalf', rst()],
  ] as const) {
    const { client } = await scripted(scope, [[request(), write(head), ending]])
    client.write(get('/'))
    const outcome = await client.read()
    assert.equal(outcome.kind, 'closed', head)
    assert.ok(outcome.kind === 'closed' && (outcome.bytes.includes('half') || outcome.how === 'rst'))
  }
})

leakTest('for an HTTP/1.0 client only a reset tells a broken answer from a complete one', async (scope) => {
  const { client } = await scripted(scope, [[request(), write(answerChunked() + chunk('half')), rst()]])
  client.write('GET / HTTP/1.0\r\n\r\n')
  assert.equal(await client.ended(), 'rst')
})

leakTest('Server and X-Powered-By of backends are hidden, or what the pool says', async (scope) => {
  const fields = { Server: 'secret/1', 'X-Powered-By': 'PHP', 'X-Internal': 'no' }
  const { client } = await scripted(scope, [[request(), write(answer('', fields))]])
  const reply = await client.request(get('/'))
  assert.deepEqual([...fieldValues(reply, 'server'), ...fieldValues(reply, 'x-powered-by')], [])
  assert.equal(fieldValue(reply, 'x-internal'), 'no')
  assert.equal(fieldValue(reply, 'via'), '1.1 frontdesk')
  const options = { pool: { hide_headers: ['x-internal'] } }
  const other = await scripted(scope, [[request(), write(answer('', fields))]], options)
  const shown = await other.client.request(get('/'))
  assert.equal(fieldValue(shown, 'server'), 'secret/1')
  assert.equal(fieldValue(shown, 'x-internal'), undefined)
})

// --- loops ---

leakTest('two Frontdesks in a row are fine, and both are in Via', async (scope) => {
  const { backend, proxy } = await acting(scope)
  const outer = scope.use(await startProxy([proxy.url]))
  const client = scope.use(await RawClient.open(outer.port))
  const reply = await client.request(get('/'))
  assert.equal(reply.status, 200)
  assert.deepEqual(fieldValues(reply, 'via'), ['1.1 frontdesk', '1.1 frontdesk'])
  const via = seenValues(backend.requests[0], 'via')
  assert.equal(via.length, 2)
  assert.notEqual(via[0], via[1])
  for (const value of via) assert.match(value, /^1\.1 frontdesk \([0-9a-f]+\)$/)
})

leakTest('a true loop is a 508, seen by the client', async (scope) => {
  const folder = await mkdtemp(join(tmpdir(), 'frontdesk-loop-'))
  scope.defer(() => rm(folder, { recursive: true }))
  // A backend that sends everything back to the proxy it came from.
  let home = 0
  const mirror = createServer((req, res) => {
    const back = RawClient.open(home).then(async (client) => {
      const fields = req.rawHeaders
        .flatMap((name, i, all) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}\r\n`] : []))
        .join('')
      const reply = await client.request(`${req.method} ${req.url} HTTP/1.1\r\n${fields}\r\n`)
      await client.close()
      return reply
    })
    void back.then((reply) => {
      res.writeHead(reply.status, { 'x-seen': fieldValue(reply, 'proxy-status') ?? '' })
      res.end(reply.body)
    })
  })
  await new Promise<void>((resolve) => mirror.listen(join(folder, 'mirror.sock'), resolve))
  scope.defer(() => {
    mirror.closeAllConnections()
    return new Promise((resolve) => mirror.close(resolve))
  })
  const proxy = scope.use(await startProxy([`unix:${join(folder, 'mirror.sock')}`]))
  home = proxy.port
  const client = scope.use(await RawClient.open(proxy.port))
  const reply = await client.request(get('/'))
  assert.equal(reply.status, 508)
  assert.match(fieldValue(reply, 'x-seen') ?? '', /error=proxy_loop_detected/)
})
