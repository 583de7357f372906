// What backends are told of the client and of this hop: X-Forwarded-*, Via, X-Request-Id, Host; Unix sockets.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leakTest, type Scope } from '../support/leaks.ts'
import { get, post } from '../support/messages.ts'
import { type ProxyOptions, startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { acting, seenValues } from '../support/stand.ts'

const claims = {
  'X-Forwarded-For': '6.6.6.6',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'public.example',
  'X-Request-Id': 'their-id',
  Forwarded: 'for=6.6.6.6',
  'X-Real-IP': '6.6.6.6',
  'X-Forwarded-Port': '443',
}

async function asking(scope: Scope, options: ProxyOptions = {}) {
  const { backend, client } = await acting(scope, options)
  return async (fields: Record<string, string>): Promise<(name: string) => string[]> => {
    assert.equal((await client.request(get('/', fields))).status, 200)
    const seen = backend.requests.at(-1)
    return (name) => seenValues(seen, name)
  }
}

leakTest('a backend is told the address, the scheme and the host of the client', async (scope) => {
  const seen = await (await asking(scope))({ Host: 'shop.example:8443' })
  assert.deepEqual(seen('x-forwarded-for'), ['127.0.0.1'])
  assert.deepEqual(seen('x-forwarded-proto'), ['http'])
  assert.deepEqual(seen('x-forwarded-host'), ['shop.example:8443'])
  assert.deepEqual(seen('host'), ['shop.example:8443'])
})

leakTest('what a stranger claims is replaced or dropped', async (scope) => {
  const seen = await (await asking(scope))(claims)
  assert.deepEqual(seen('x-forwarded-for'), ['127.0.0.1'])
  assert.deepEqual(seen('x-forwarded-proto'), ['http'])
  assert.deepEqual(seen('x-forwarded-host'), ['t.example'])
  for (const name of ['forwarded', 'x-real-ip', 'x-forwarded-port']) assert.deepEqual(seen(name), [], name)
  assert.notEqual(seen('x-request-id')[0], 'their-id')
})

leakTest('what a trusted proxy says is believed, and its address added', async (scope) => {
  const seen = await (await asking(scope, { config: { trusted_proxies: ['127.0.0.1'] } }))(claims)
  assert.deepEqual(seen('x-forwarded-for'), ['6.6.6.6, 127.0.0.1'])
  assert.deepEqual(seen('x-forwarded-proto'), ['https'])
  assert.deepEqual(seen('x-forwarded-host'), ['public.example'])
  assert.deepEqual(seen('x-request-id'), ['their-id'])
  assert.deepEqual(seen('forwarded'), ['for=6.6.6.6'])
  assert.deepEqual(seen('x-real-ip'), ['6.6.6.6'])
})

leakTest('several X-Forwarded-For lines of a trusted proxy become one list', async (scope) => {
  const { backend, client } = await acting(scope, { config: { trusted_proxies: ['127.0.0.0/8'] } })
  await client.request(
    'GET / HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2, 3.3.3.3\r\n\r\n',
  )
  assert.deepEqual(seenValues(backend.requests[0], 'x-forwarded-for'), ['1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1'])
})

leakTest('trust goes by address: a neighbour of a trusted proxy is a stranger', async (scope) => {
  const { backend, proxy } = await acting(scope, { config: { trusted_proxies: ['127.0.0.2/32'] } })
  for (const [localAddress, expected] of [
    ['127.0.0.2', '6.6.6.6, 127.0.0.2'],
    ['127.0.0.3', '127.0.0.3'],
  ]) {
    const client = scope.use(await RawClient.open(proxy.port, { localAddress: localAddress! }))
    await client.request(get('/', claims))
    assert.deepEqual(seenValues(backend.requests.at(-1), 'x-forwarded-for'), [expected])
  }
})

leakTest('every request gets an id of its own', async (scope) => {
  const ask = await asking(scope)
  const ids = new Set<string>()
  for (let i = 0; i < 50; i++) ids.add((await ask({}))('x-request-id').join())
  assert.equal(ids.size, 50)
  for (const id of ids) assert.match(id, /^[0-9a-f]{16,40}$/)
})

leakTest('Via of those before us is kept, and ours added behind it', async (scope) => {
  const via = (await (await asking(scope))({ Via: '1.0 fred, 1.1 other (frontdesk)' }))('via')
  assert.equal(via[0], '1.0 fred, 1.1 other (frontdesk)')
  assert.match(via[1] ?? '', /^1\.1 frontdesk \([0-9a-f]+\)$/)
})

leakTest(
  'host_header backend: the backend sees its own address, and the real one in X-Forwarded-Host',
  async (scope) => {
    const { backend, client } = await acting(scope, { pool: { host_header: 'backend' } })
    await client.request(get('/', { Host: 'shop.example' }))
    assert.deepEqual(seenValues(backend.requests[0], 'host'), [`127.0.0.1:${backend.port}`])
    assert.deepEqual(seenValues(backend.requests[0], 'x-forwarded-host'), ['shop.example'])
  },
)

leakTest('a backend on a Unix socket serves like any other', async (scope) => {
  const folder = await mkdtemp(join(tmpdir(), 'frontdesk-unix-'))
  scope.defer(() => rm(folder, { recursive: true }))
  const path = join(folder, 'app.sock')
  const heads: IncomingHttpHeaders[] = []
  let connections = 0
  const server = createServer({ keepAliveTimeout: 0 }, (req, res) => {
    heads.push(req.headers)
    // Answered when it is complete: an answer before that ends the connection.
    const parts: Buffer[] = []
    req.on('data', (part: Buffer) => parts.push(part))
    req.on('end', () => res.end(Buffer.concat(parts)))
  })
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  scope.defer(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  for (const [hostHeader, host] of [
    ['preserve', 't.example'],
    ['backend', 'localhost'],
  ]) {
    const proxy = scope.use(await startProxy([`unix:${path}`], { pool: { host_header: hostHeader! } }))
    const client = scope.use(await RawClient.open(proxy.port))
    const before = connections
    for (const size of [5, 300_000, 1]) {
      const reply = await client.request(post('/', 'x'.repeat(size)), 'POST')
      assert.equal(reply.body.length, size)
      assert.equal(heads.at(-1)?.host, host)
    }
    assert.equal(connections - before, 1)
  }
})

leakTest('a Unix socket that is not there is a refused connection: 503', async (scope) => {
  const proxy = scope.use(await startProxy([`unix:${join(tmpdir(), 'frontdesk-no-such.sock')}`]))
  const client = scope.use(await RawClient.open(proxy.port))
  const reply = await client.request(get('/'))
  assert.equal(reply.status, 503)
  assert.match(reply.raw.toString(), /error=connection_refused; details="ENOENT"/)
})
