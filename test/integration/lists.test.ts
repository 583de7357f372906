// GET /listeners, /pools and /routes: what is configured, in order, with numbers that agree with the traffic.
import assert from 'node:assert/strict'
import { startActingBackend } from '../support/acting-backend.ts'
import { leakTest } from '../support/leaks.ts'
import { ask, load } from '../support/load.ts'
import { startProxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'

type Row = Record<string, unknown>

leakTest('listeners, pools and routes tell what is configured and what it has seen', async (scope) => {
  const a = scope.use(await startActingBackend({ name: 'a' }))
  const b = scope.use(await startActingBackend({ name: 'b' }))
  const proxy = scope.use(
    await startProxy([a.url, b.url], {
      admin: true,
      config: {
        listeners: [
          { name: 'test', listen: '127.0.0.1:1' },
          { name: 'raw', listen: '127.0.0.1:3', protocol: 'tcp', pool: 'tcp' },
        ],
        pools: {
          default: {
            backends: [a.url, b.url],
            strategy: 'least-conn',
            sticky: { by: 'cookie' },
            health_check: { method: 'http', path: '/ready', interval: '60s' },
          },
          tcp: { backends: [a.url.replace('http', 'tcp')], health_check: { method: 'none' } },
        },
        routes: [
          { match: { path: '/x/*' }, pool: 'default', name: 'wide' },
          { match: { path: '/x/y', method: 'GET' }, redirect: { to: '/new/{path}' }, name: 'narrow' },
        ],
      },
    }),
  )
  const get = async (path: string): Promise<Row[]> => {
    const { status, body } = await ask(proxy.adminPort, { path })
    assert.equal(status, 200)
    return JSON.parse(body) as Row[]
  }
  for (const path of ['/', '/x/1', '/x/2', '/x/y']) await ask(proxy.port, { path })
  await ask(proxy.port, { path: '/x/1', headers: { 'x-act-status': '500' } })
  await load(proxy.port, 10, { connections: 2 })
  await until('all are counted', () => proxy.running.state.listenerTotals(0).duration.count === 15)

  const routes = await get('/routes')
  assert.deepEqual(
    routes.map(({ name, match, action, pool, listeners, implicit, order, requests, errors }) => [
      name,
      match,
      action,
      pool,
      listeners,
      implicit,
      order,
      requests,
      errors,
    ]),
    [
      ['narrow', '/x/y, GET', '302 /new/{path}', null, ['test'], false, 2, 1, 0],
      ['wide', '/x/*', 'pool default', 'default', ['test'], false, 1, 3, 1],
      ['default', 'everything else', 'pool default', 'default', ['test'], true, null, 11, 0],
    ],
  )
  assert.ok((routes[2]!.latency_ms as { p50: number }).p50 > 0)

  const [web, raw] = await get('/listeners')
  assert.deepEqual([web!.name, web!.protocol, web!.tls, web!.pool], ['test', 'http', false, 'default'])
  assert.equal(web!.address, `http://127.0.0.1:${proxy.port}`)
  assert.deepEqual([raw!.protocol, raw!.pool, raw!.requests], ['tcp', 'tcp', { total: 0, active: 0 }])
  assert.match(String(raw!.address), /^tcp:\/\/127\.0\.0\.1:\d+$/)
  assert.deepEqual((web!.requests as Row).total, 15)
  assert.ok(Number((web!.connections as Row).total) >= 7)

  const [pool, tcp] = await get('/pools')
  const { name, kind, strategy, sticky, backends, alive, current_connections, requests, errors, retries } = pool!
  assert.deepEqual(
    [name, kind, strategy, sticky, backends, alive, current_connections, requests, errors, retries],
    ['default', 'http', 'least-conn', 'cookie', 2, 2, 0, 14, 0, 0],
  )
  assert.deepEqual(
    [(pool!.health_check as Row).path, (pool!.health_check as Row).interval_ms, tcp!.health_check],
    ['/ready', 60_000, null],
  )
})

leakTest('where a route takes every request, what the listener passes on by itself is not listed', async (scope) => {
  const a = scope.use(await startActingBackend({ name: 'a' }))
  const backends = [a.url]
  for (const config of [{ cache: true }, { routes: [{ name: 'default', match: '*', pool: 'default' }] }]) {
    const proxy = scope.use(await startProxy(backends, { admin: true, config: config as never }))
    const { body } = await ask(proxy.adminPort, { path: '/routes' })
    const told = (JSON.parse(body) as Row[]).map(({ name, match, implicit }) => [name, match, implicit])
    assert.deepEqual(told, [['default', '/*', false]])
  }
})
