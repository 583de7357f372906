// The limits of routes through real data planes: exact over all of them, counted, and told to clients.
import assert from 'node:assert/strict'
import type { RequestView } from '../../src/core/plugin.ts'
import type { RouteSpec } from '../../src/core/route-spec.ts'
import { routeSpec } from '../support/control-kit.ts'
import { fieldValue, fieldValues } from '../support/http-message.ts'
import { leakTest } from '../support/leaks.ts'
import { get } from '../support/messages.ts'
import { middlewares, routed, use } from '../support/route-stand.ts'
import { until } from '../support/wait.ts'

const rate = (over: Partial<RouteSpec['rateLimits'][number]> = {}): RouteSpec['rateLimits'][number] => ({
  name: 'api',
  key: { by: 'ip' },
  count: 1,
  periodMs: 3_600_000,
  burst: 3,
  id: 7,
  tell: true,
  ...over,
})

leakTest('what is beyond the burst is refused with 429, Retry-After and RateLimit', async (scope) => {
  const { client, backend } = await routed(scope, [routeSpec({ paths: ['/a'] }, { rateLimits: [rate()] })])
  for (let left = 2; left >= 0; left--) {
    const reply = await client.request(get('/a'))
    assert.equal(reply.status, 200)
    assert.match(fieldValue(reply, 'ratelimit')!, new RegExp(`r=${left}\\b`))
    assert.equal(fieldValues(reply, 'ratelimit-policy').length, 1)
  }
  const refused = await client.request(get('/a'))
  assert.equal(refused.status, 429)
  assert.ok(Number(fieldValue(refused, 'retry-after')) > 0)
  assert.deepEqual(fieldValues(refused, 'ratelimit').length, 1)
  assert.equal((await client.request(get('/b'))).status, 200, 'the limit is its route’s')
  assert.equal(backend().requests.length, 4)
})

leakTest('what is left is told of the client that was counted, whatever steps made of its field', async (scope) => {
  const swap = { onRequest: (request: RequestView) => request.setHeader('X-Key', 'inner') }
  const limited = routeSpec({}, { rateLimits: [rate({ key: { by: 'header', name: 'x-key' } })], ...use('swap') })
  const { client } = await routed(scope, [limited], { plugins: middlewares({ swap }) })
  for (let left = 2; left >= 0; left--) {
    const reply = await client.request(get('/', { 'X-Key': 'outer' }))
    assert.match(fieldValue(reply, 'ratelimit')!, new RegExp(`r=${left}\\b`))
  }
})

leakTest('a limit is one over all workers', async (scope) => {
  const limited = routeSpec({}, { rateLimits: [rate({ burst: 50, tell: false })] })
  const { open } = await routed(scope, [limited], { planes: 3 })
  const clients = await Promise.all(Array.from({ length: 12 }, open))
  const statuses = (
    await Promise.all(
      clients.map(async (client) => {
        const got: number[] = []
        for (let i = 0; i < 10; i++) got.push((await client.request(get('/'))).status)
        return got
      }),
    )
  ).flat()
  assert.equal(statuses.filter((status) => status === 200).length, 50)
  assert.equal(statuses.filter((status) => status === 429).length, 70)
})

leakTest('two who differ in the header that is counted by do not share a limit', async (scope) => {
  const rateLimits = [rate({ key: { by: 'header', name: 'x-key' }, burst: 1 })]
  const { client } = await routed(scope, [routeSpec({}, { rateLimits })])
  const ask = async (key: string) => (await client.request(get('/', { 'X-Key': key }))).status
  assert.deepEqual([await ask('a'), await ask('b'), await ask('a'), await ask('c')], [200, 200, 429, 200])
})

leakTest(
  'so many at once and no more; a place is free when its exchange has ended, however it ended',
  async (scope) => {
    const concurrency = { key: { by: 'ip' }, max: 2, id: 9 } as const
    const { open, backend } = await routed(scope, [routeSpec({}, { concurrency })])
    const held = await Promise.all([open(), open()])
    for (const client of held) client.write(get('/', { 'X-Act-Hold': 'h' }))
    await until('both are there', () => backend().active === 2)
    const third = await open()
    assert.equal((await third.request(get('/'))).status, 429)
    held[0]!.close()
    await until('one has gone', () => backend().aborted === 1)
    assert.equal((await third.request(get('/'))).status, 200)
    backend().release('h')
    assert.equal((await held[1]!.reply()).status, 200)
    for (let i = 0; i < 5; i++) assert.equal((await third.request(get('/'))).status, 200)
  },
)

leakTest('networks: who is denied, and who is not allowed, gets 403', async (scope) => {
  const routes = [
    routeSpec({ paths: ['/denied'] }, { name: 'a', deny: ['127.0.0.0/8'] }),
    routeSpec({ paths: ['/others'] }, { name: 'b', allow: ['10.0.0.0/8'] }),
    routeSpec({ paths: ['/ours'] }, { name: 'c', allow: ['127.0.0.1/32'] }),
  ]
  const { client } = await routed(scope, routes)
  const ask = async (path: string) => (await client.request(get(path))).status
  assert.deepEqual([await ask('/denied'), await ask('/others'), await ask('/ours')], [403, 403, 200])
})

leakTest(
  'behind a believed proxy the client is whom that tells of; from others the word counts for nothing',
  async (scope) => {
    const route = routeSpec({}, { rateLimits: [rate({ burst: 1 })], deny: ['198.51.100.0/24'] })
    const ask = async (trustedProxies: readonly string[], chains: readonly string[]) => {
      const { client } = await routed(scope, [route], { snapshot: { trustedProxies } })
      const statuses: number[] = []
      for (const chain of chains) statuses.push((await client.request(get('/', { 'X-Forwarded-For': chain }))).status)
      return statuses
    }
    const chains = ['203.0.113.1', '203.0.113.2', '9.9.9.9, 203.0.113.1', '198.51.100.9']
    assert.deepEqual(await ask(['127.0.0.0/8'], chains), [200, 200, 429, 403])
    assert.deepEqual(await ask([], chains), [200, 429, 429, 429])
  },
)
