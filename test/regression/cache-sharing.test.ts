// Whose answer is whose: what a route, a step or a plug-in says to a backend of one client must not come back to another.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Middleware, proxyHandler } from '../../src/index.ts'
import { cacheStand, type Handler } from '../support/cache-stand.ts'
import { leakTest } from '../support/leaks.ts'
import { ask } from '../support/load.ts'

/** Says who it was told is asking, and that it goes by it. */
const whoever =
  (cacheControl: string): Handler =>
  (request, response) => {
    response.writeHead(200, { 'Cache-Control': cacheControl, Vary: 'X-Who' })
    response.end(String(request.headers['x-who']))
  }

leakTest(
  'answers that vary by a field with variables of the route are kept apart by what backends are told',
  async () => {
    await using stand = await cacheStand(true, {
      route: { headers: { request: { set: { 'X-Who': '{cookie.user}' } } } },
    })
    stand.answer(whoever('public, max-age=60'))
    for (const user of ['ann', 'bob', 'ann', 'bob']) {
      // Whatever the client says in that field: it is replaced.
      const got = await stand.get('/a', { Cookie: `user=${user}`, 'X-Who': 'carl' })
      assert.equal(got.text, user)
    }
    assert.equal(stand.asked.length, 2)
  },
)

leakTest('credentials that a route makes of what the client sent count as those of the client', async () => {
  await using stand = await cacheStand(true, {
    route: { headers: { request: { set: { Authorization: 'Bearer {cookie.token}' } } } },
  })
  stand.answer((request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60' }).end(request.headers.authorization)
  })
  for (const token of ['a', 'b']) {
    assert.equal((await stand.get('/a', { Cookie: `token=${token}` })).text, `Bearer ${token}`)
  }
})

leakTest(
  'what middleware tells a backend of one attempt counts as credentials, and is not varied by',
  async (scope) => {
    let says = ''
    const origin = createServer((request, response) => {
      response.writeHead(200, { 'Cache-Control': says, Vary: 'X-Who' }).end(request.headers['x-who'])
    })
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
    const signer: Middleware = {
      onBackendRequest: (view) => view.setHeader('X-Who', view.request.header('x-client') ?? ''),
    }
    const handler = proxyHandler({
      pools: { default: { backends: [`http://127.0.0.1:${(origin.address() as AddressInfo).port}`] } },
      routes: [{ name: 'all', match: { path: '/*' }, pool: 'default', use: [signer] }],
      cache: true,
    })
    const server = createServer(handler)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    scope.defer(async () => {
      await handler.close({ graceMs: 0 })
      for (const one of [server, origin]) {
        one.closeAllConnections()
        one.close()
      }
    })
    const { port } = server.address() as AddressInfo
    for (const [path, cacheControl] of [
      ['/plain', 'max-age=60'],
      ['/public', 'public, max-age=60'],
    ] as const) {
      says = cacheControl
      for (const user of ['ann', 'bob']) {
        assert.equal((await ask(port, { path, headers: { host: 'example.test', 'x-client': user } })).body, user, path)
      }
    }
  },
)

leakTest(
  'who a cookie says that a client is stays with him, also where the cookie itself goes no further',
  async () => {
    await using stand = await cacheStand(true, {
      route: { headers: { request: { set: { 'X-User': '{cookie.user}' }, remove: ['Cookie'] } } },
    })
    const old = new Date(Date.now() - 1e9).toUTCString()
    stand.answer((request, response) => {
      response.writeHead(200, { 'Last-Modified': old }).end(`${request.headers['x-user']} ${request.headers.cookie}`)
    })
    for (const user of ['ann', 'bob'])
      assert.equal((await stand.get('/a', { Cookie: `user=${user}` })).text, `${user} undefined`)
  },
)
