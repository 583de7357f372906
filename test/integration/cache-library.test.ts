// The cache in the hands of a program: of a Frontdesk with workers, and of a proxy handler in a server of its own.
import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CachePurgedEvent } from '../../src/index.ts'
import { createFrontdesk, proxyHandler } from '../../src/index.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { refusingPort } from '../support/ports.ts'

async function origin(scope: Scope): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response: ServerResponse) => {
    asked.push(request.url ?? '')
    response.setHeader('Cache-Control', 'max-age=600')
    response.end('kept')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

const host = { host: 'example.test' }

leakTest('createFrontdesk: stats and purge, for all its workers; who purged is an event', async (scope) => {
  const { url, asked } = await origin(scope)
  const proxy = await createFrontdesk({ port: await refusingPort(), backends: [url], cache: true, workers: 2 })
  scope.defer(() => proxy.close({ graceMs: 0 }))
  await assert.rejects(proxy.cache.stats(), { name: 'FrontdeskError', code: 'not-started' })
  const events = proxy.events()
  await proxy.start()
  const { port } = proxy.listeners[0]!
  for (let i = 0; i < 6; i++) assert.equal((await ask(port, { path: '/a', headers: host })).body, 'kept')
  assert.deepEqual(asked, ['/a'])
  const { memory, requests, top } = await proxy.cache.stats()
  assert.deepEqual([memory.entries, requests.hit, requests.miss, top[0]!.url], [1, 5, 1, 'http://example.test/a'])
  assert.deepEqual(await proxy.cache.purge({ url: '*://example.test/a' }), { purged: 1, soft: false })
  for (let i = 0; i < 6; i++) await ask(port, { path: '/a', headers: host })
  assert.deepEqual(asked, ['/a', '/a'])
  await assert.rejects(proxy.cache.purge({}), { name: 'ControlError', kind: 'invalid' })
  await assert.rejects(proxy.cache.stats({ limit: -1 }), { name: 'ControlError', kind: 'invalid' })
  for await (const event of events) {
    if (event.type !== 'cache_purged') continue
    const { at: _, ...told }: CachePurgedEvent = event
    assert.deepEqual(told, { type: 'cache_purged', by: 'program', what: '*://example.test/a', purged: 1, soft: false })
    break
  }
  await proxy.close({ graceMs: 0 })
  await assert.rejects(proxy.cache.purge({ all: true }), { name: 'FrontdeskError', code: 'closed' })
})

leakTest('proxyHandler: answers are kept there, too, and an update that turns it off forgets them', async (scope) => {
  const { url, asked } = await origin(scope)
  const handler = proxyHandler({ backends: [url], cache: true })
  scope.defer(() => handler.close({ graceMs: 0 }))
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  for (let i = 0; i < 3; i++) assert.equal((await ask(port, { path: '/a', headers: host })).body, 'kept')
  assert.deepEqual(asked, ['/a'])
  assert.equal((await handler.cache.stats()).hit_ratio, 0.6667)
  assert.equal((await handler.cache.purge({ prefix: 'http://example.test/' })).purged, 1)
  await ask(port, { path: '/a', headers: host })
  assert.equal(asked.length, 2)
  await handler.reload({ backends: [url] })
  await ask(port, { path: '/a', headers: host })
  assert.equal(asked.length, 3)
  assert.equal((await handler.cache.stats()).enabled, false)
  await assert.rejects(handler.cache.purge({ all: true }), { name: 'ControlError', kind: 'conflict' })
})
