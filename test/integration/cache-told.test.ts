// What a route keeps from backends tells no clients apart, and routes that say how long what says nothing is fresh.
import assert from 'node:assert/strict'
import { cacheStand } from '../support/cache-stand.ts'
import { leakTest } from '../support/leaks.ts'

const old = new Date(Date.now() - 1e9).toUTCString()
const withoutCookie = { route: { headers: { request: { remove: ['Cookie', 'Authorization'] } } } }

leakTest('a cookie that no backend gets does not count: a guess is made and shared', async () => {
  await using stand = await cacheStand(true, withoutCookie)
  stand.answer((_request, response, count) =>
    response.writeHead(200, { 'Last-Modified': old, Vary: 'Cookie' }).end(String(count)),
  )
  const first = await stand.get('/file', { Cookie: 'user=ann' })
  assert.match(first.cache, /fwd=uri-miss; stored/)
  assert.equal(stand.requests[0]!.headers.cookie, undefined)
  const others = [{ Cookie: 'user=bob' }, {}, { Authorization: 'Basic YTpi', Cookie: 'user=ann' }]
  for (const headers of others) {
    const got = await stand.get('/file', headers)
    assert.match(got.cache, /^frontdesk; hit/)
    assert.equal(got.text, '0')
  }
  assert.equal(stand.asked.length, 1)
})

leakTest('the same of one that the route puts another in the place of; one that it adds to counts', async () => {
  for (const [edit, shared] of [
    [{ set: { Cookie: 'user=all' } }, true],
    [{ add: { Cookie: 'user=all' } }, false],
  ] as const) {
    await using stand = await cacheStand(true, { route: { headers: { request: edit } } })
    stand.answer((_request, response) => response.writeHead(200, { 'Last-Modified': old }).end('x'))
    await stand.get('/file', { Cookie: 'user=ann' })
    await stand.get('/file', { Cookie: 'user=ann' })
    assert.equal(stand.asked.length, shared ? 1 : 2, JSON.stringify(edit))
  }
})

leakTest('a field that is keyed counts though no backend gets it', async () => {
  const remove = { headers: { request: { remove: ['X-Tenant'], set: { 'X-Realm': '{header.X-Tenant}' } } } }
  await using stand = await cacheStand({ key: { headers: ['X-Tenant'] } }, { route: remove })
  stand.answer((request, response) =>
    response.writeHead(200, { 'Cache-Control': 'max-age=60' }).end(request.headers['x-realm']),
  )
  for (const tenant of ['a', 'b', 'a']) assert.equal((await stand.get('/', { 'X-Tenant': tenant })).text, tenant)
  assert.equal(stand.asked.length, 2)
})

leakTest('default_ttl: so long what says nothing is fresh, for clients that do not show who they are', async () => {
  await using stand = await cacheStand({ default_ttl: '10m' })
  stand.answer((request, response, count) => {
    const says = request.url === '/private' ? { 'Cache-Control': 'private' } : {}
    response.writeHead(request.url === '/gone' ? 302 : 200, { ...says, Location: '/' }).end(String(count))
  })
  assert.match((await stand.get('/a')).cache, /fwd=uri-miss; stored/)
  assert.match((await stand.get('/a')).cache, /hit; ttl=(600|599)/)
  assert.equal((await stand.get('/a', { Cookie: 'user=ann' })).text, '1')
  assert.equal((await stand.get('/a')).text, '0')
  stand.moveClock(600_000)
  assert.equal((await stand.get('/a')).text, '2')
  assert.match((await stand.get('/private')).cache, /detail=private/)
  assert.match((await stand.get('/gone')).cache, /detail=status-not-cacheable/)
})
