// What it costs to find the route of a request among 10,000, against a list that is tried one by one; and the two
// normal forms that come before it.
import { canonicalTarget } from '../../src/routing/canonical-target.ts'
import { normalHost } from '../../src/routing/host-name.ts'
import { Router } from '../../src/routing/router.ts'
import { bytesOf } from '../../test/support/heap.ts'
import { ListRouter, manyRoutes, requestsFor } from '../../test/support/many-routes.ts'
import { question } from '../../test/support/route-specs.ts'
import type { Benchmark } from './measure.ts'

const count = 10_000
const routes = manyRoutes(count)
const requests = requestsFor(count, 4096)
const mask = requests.length - 1
/** As a parser finds them: one text, of which each request's host and path are new slices without a hash. */
const heads = requests.map(({ method, host, path }) =>
  Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n`).latin1Slice(),
)
const router = new Router(routes, 'default')
const list = new ListRouter(routes)

const plain = ['/', '/api/users/17', '/assets/app.3f2a9c.js?v=12', '/a/fairly/long/path/of/several/segments?and=query']
const unusual = ['/api/%75sers/17', '/a/../b/./c', '/%e4%bd%a0/x']
const hosts = ['www.example.com', 'WWW.Example.com:8080']
const asked = { ...question({}) }

function readAndMatch(head: string): void {
  const end = head.indexOf(' ', 5)
  const start = head.charCodeAt(0) === 0x47 /* G */ ? 4 : 5
  asked.path = head.slice(start, end)
  asked.host = head.slice(end + 17, -2)
  asked.method = start === 4 ? 'GET' : 'POST'
  router.match(asked)
}

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'route of 10000: compiled',
    run(times) {
      for (let i = 0; i < times; i++) router.match(requests[i & mask]!)
    },
  },
  {
    name: 'route of 10000: compiled, of texts just read',
    run(times) {
      for (let i = 0; i < times; i++) readAndMatch(heads[i & mask]!)
    },
  },
  {
    name: 'route of 10000: compiled, with params and rest',
    run(times) {
      for (let i = 0; i < times; i++) {
        router.match(requests[i & mask]!)
        if (router.params === null) router.rest.at(0)
      }
    },
  },
  {
    name: 'route of 10000: one by one',
    run(times) {
      for (let i = 0; i < times; i++) list.match(requests[(i * 61) & mask]!)
    },
  },
  ...Object.entries({ plain, unusual }).map(([name, targets]) => ({
    name: `canonical target, ${name}`,
    run(times: number) {
      for (let i = 0; i < times; i++) canonicalTarget(targets[i % targets.length]!)
    },
  })),
  ...hosts.map((host) => ({
    name: `normal host of ${host}`,
    run(times: number) {
      for (let i = 0; i < times; i++) normalHost(host)
    },
  })),
  {
    name: `build a router, ${Math.round(bytesOf(() => new Router(routes, 'default')) / count)} bytes a route`,
    run(times) {
      for (let i = 0; i < times; i++) new Router(routes, 'default')
    },
    times: 3,
  },
]
