// What one exchange leaves behind for the next: cached heads, bodies of answers without bodies, paths below a base.
import assert from 'node:assert/strict'
import { leakTest } from '../support/leaks.ts'
import { answer, get } from '../support/messages.ts'
import { startProxy } from '../support/proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { request, startScriptedBackend, write } from '../support/scripted-backend.ts'
import { acting, scripted, seenValues } from '../support/stand.ts'
import { until } from '../support/wait.ts'

leakTest('a body that comes late after a 205 is not the answer to the next request', async (scope) => {
  const evil = answer('evil')
  const { client } = await scripted(scope, [
    [
      request(),
      write(`HTTP/1.1 205 Reset Content\r\nContent-Length: ${evil.length}\r\n\r\n`),
      request(),
      write(evil + answer('late')),
    ],
    [request(), write(answer('good'))],
  ])
  assert.equal((await client.request(get('/1'))).status, 205)
  assert.notEqual((await client.request(get('/2'))).body.toString(), 'evil')
})

leakTest('nor is what a backend announced with a 204', async (scope) => {
  for (const framing of ['Content-Length: 42', 'Transfer-Encoding: chunked']) {
    const { client } = await scripted(scope, [
      [request(), write(`HTTP/1.1 204 No Content\r\n${framing}\r\n\r\n`), request(), write(answer('evil'))],
      [request(), write(answer('good'))],
    ])
    assert.equal((await client.request(get('/1'))).status, 204)
    assert.equal((await client.request(get('/2'))).body.toString(), 'good', framing)
  }
})

leakTest('X-Forwarded-Host is never that of an earlier request with the same fields', async (scope) => {
  const { backend, client, open } = await acting(scope, { pool: { host_header: 'backend' } })
  await client.request('GET http://evil.example/ HTTP/1.1\r\nHost: t.example\r\n\r\n')
  await client.request(get('/2'))
  const other = await open()
  await other.request(get('/3'))
  assert.deepEqual(
    backend.requests.map((seen) => seenValues(seen, 'x-forwarded-host')),
    [['evil.example'], ['t.example'], ['t.example']],
  )
})

for (const target of ['/../secret', '/a/../../secret', '/%2e%2e/secret', '/.%2E/secret', '/..']) {
  leakTest(`invariant 27: ${target} does not climb out of a backend's base path`, async (scope) => {
    const backend = scope.use(await startScriptedBackend([[request(), write(answer('one'))]]))
    const proxy = scope.use(await startProxy([`${backend.url}/base`]))
    const client = scope.use(await RawClient.open(proxy.port))
    const reply = await client.request(get(target))
    const seen = backend.requests[0]?.startLine ?? ''
    assert.ok(reply.status === 400 || !/\.\.|%2e/i.test(seen), `the backend saw ${seen}`)
  })
}

leakTest('a body that arrives while another attempt is under way is not lost', async (scope) => {
  let client: RawClient | null = null
  const backend = scope.use(
    await startScriptedBackend((n) =>
      n === 0 ? [request(), write(answer('one'))] : [request(), write(answer('two'))],
    ),
  )
  const proxy = scope.use(await startProxy([backend.url]))
  client = scope.use(await RawClient.open(proxy.port))
  await client.request(get('/1'))
  const kept = await backend.connection(0)
  // In the same turn as the reset: the proxy reads both before its new connection stands.
  kept.socket.once('data', () => {
    kept.socket.resetAndDestroy()
    client?.write('5\r\nhello\r\n')
  })
  client.write('PUT /2 HTTP/1.1\r\nHost: t.example\r\nTransfer-Encoding: chunked\r\n\r\n')
  await until('the second attempt is there', () => backend.connections.length === 2)
  client.write('5\r\nworld\r\n0\r\n\r\n')
  assert.equal((await client.reply('PUT')).status, 200)
  assert.equal(backend.connections[1]?.read().requests[0]?.body.toString(), 'helloworld')
})
