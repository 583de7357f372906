import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from '../../test/support/heap.ts'
import { ListRouter, manyRoutes, requestsFor } from '../../test/support/many-routes.ts'
import { type RouteQuestion, Router } from './router.ts'

/** Nanoseconds a match, the best of many short rounds: what else runs on the machine can only add to it. */
function cost(router: { match(question: RouteQuestion): number }, requests: readonly RouteQuestion[], times: number) {
  const rounds = Array.from({ length: 60 }, () => {
    const start = performance.now()
    for (let i = 0; i < times; i++) router.match(requests[i % requests.length]!)
    return ((performance.now() - start) * 1e6) / times
  })
  return Math.min(...rounds)
}

test('10,000 routes: the compiled form and the list find the same, the former at least twenty times as fast', () => {
  const routes = manyRoutes(10_000)
  const requests = requestsFor(10_000, 500)
  const router = new Router(routes, 'default')
  const list = new ListRouter(routes)
  for (const asked of requests) assert.equal(router.match(asked), list.match(asked))
  const compiled = cost(router, requests, 2000)
  const oneByOne = cost(list, requests, 25)
  assert.ok(oneByOne > 20 * compiled, `${compiled} ns compiled, ${oneByOne} ns one by one`)
})

test('a match among 10,000 routes costs little more than among 100', () => {
  const [small, large] = [100, 10_000].map((count) =>
    cost(new Router(manyRoutes(count), 'default'), requestsFor(count, 500), 2000),
  ) as [number, number]
  assert.ok(large < 10 * small, `${small} ns among 100, ${large} ns among 10,000`)
})

test('memory grows with the number of routes, no faster', () => {
  const [small, large] = [1000, 10_000].map((count) => {
    const routes = manyRoutes(count)
    return bytesOf(() => new Router(routes, 'default')) / count
  }) as [number, number]
  assert.ok(large < 1.5 * small, `${small} bytes a route of 1000, ${large} of 10,000`)
  assert.ok(large < 2000, `${large} bytes a route`)
})

test('ten thousand routes at one path are kept in order, and built in reasonable time', () => {
  const [first] = manyRoutes(1)
  const routes = Array.from({ length: 10_000 }, (_, index) => {
    const match = { ...first!.match, headers: [{ name: 'tenant', values: [String(index)] }] }
    return { ...first!, match }
  })
  const router = new Router(routes, 'default')
  const [asked] = requestsFor(1, 1)
  for (const tenant of [0, 5000, 9999])
    assert.equal(router.match({ ...asked!, path: '/pages/page-0', fields: `Tenant: ${tenant}\r\n` }), tenant)
})
