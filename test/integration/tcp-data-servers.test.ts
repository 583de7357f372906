// PostgreSQL and Redis behind a tcp listener, under the load of their own programs: no error, whatever changes meanwhile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type DataServer,
  PostgresTemplate,
  pgbench,
  redisBenchmark,
  skipWithoutPostgres,
  skipWithoutRedis,
  startRedis,
} from '../support/data-servers.ts'
import { Scope } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import type { TestProxy } from '../support/proxy.ts'
import { startTcpProxy } from '../support/tcp-stand.ts'
import { until } from '../support/wait.ts'

/** Longer than other tests may take: these servers have to be made first. */
function serverTest(name: string, skip: string | false, body: (scope: Scope) => Promise<void>): void {
  test(name, { skip, timeout: 120_000 }, async (t) => {
    const scope = new Scope(t)
    await body(scope).finally(() => scope.close())
  })
}

const openAt = (proxy: TestProxy, { url }: DataServer): number =>
  proxy.running.status().backends.find((backend) => backend.url === url)?.current_connections ?? -1

async function call(proxy: TestProxy, method: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' }
  const request = { method, path: '/backends', headers, body: JSON.stringify(body) }
  return (await ask(proxy.adminPort, request)).status
}

const WAIT_MS = 30_000

serverTest(
  'pgbench with 20 clients has no error, also while a backend comes and goes',
  skipWithoutPostgres(),
  async (scope) => {
    const template = scope.use(await PostgresTemplate.create())
    const [first, second] = [scope.use(await template.start()), scope.use(await template.start())]
    const pool = { strategy: 'least-conn', health_check: { method: 'tcp', interval: '1s' } }
    const proxy = scope.use(await startTcpProxy([first.url], { pool, admin: true, workers: 2 }))

    const writing = await pgbench(proxy.port, '-c', '20', '-j', '2', '-t', '50')
    assert.match(writing, /number of transactions actually processed: 1000\/1000/)
    assert.match(writing, /number of failed transactions: 0 /)

    // Each transaction has a connection of its own here; meanwhile others stay for the whole time.
    let over = false
    let rounds = 0
    const staying = pgbench(proxy.port, '-S', '-c', '20', '-j', '2', '-T', '10')
    // All of these at the first backend, or one that stays would keep the second from draining.
    await until('those that stay are at work', () => openAt(proxy, first) === 20, WAIT_MS)
    const coming = pgbench(proxy.port, '-S', '-C', '-c', '20', '-j', '2', '-T', '8').finally(() => {
      over = true
    })
    await until('the others come too', () => openAt(proxy, first) > 20, WAIT_MS)
    for (let round = 0; round < 3 && !over; round++) {
      assert.equal(await call(proxy, 'POST', { url: second.url }), 201)
      await until('the second has some of it', () => openAt(proxy, second) > 2, WAIT_MS)
      if (round === 0) {
        assert.equal(await call(proxy, 'PATCH', { url: second.url, state: 'drain' }), 200)
        await until('it has drained', () => openAt(proxy, second) === 0, WAIT_MS)
      }
      const removed = await call(proxy, 'DELETE', { url: second.url, drain: '30s' })
      assert.ok(removed === 200 || removed === 202)
      await until('it is gone', () => openAt(proxy, second) === -1, WAIT_MS)
      if (!over) rounds++
    }
    assert.ok(rounds > 0, 'a backend came, drained and went under load')
    for (const said of await Promise.all([staying, coming])) {
      assert.match(said, /number of failed transactions: 0 /)
      assert.doesNotMatch(said, /error|FATAL|closed the connection/i)
    }
  },
)

serverTest(
  'redis-benchmark has no error: small commands, pipelines, large values',
  skipWithoutRedis(),
  async (scope) => {
    const servers = [scope.use(await startRedis()), scope.use(await startRedis())]
    const pool = { health_check: { method: 'tcp', send: 'PING\r\n', receive: '+PONG', interval: '1s' } }
    const proxy = scope.use(
      await startTcpProxy(
        servers.map(({ url }) => url),
        { pool, workers: 2 },
      ),
    )
    for (const options of [
      ['-t', 'set,get,incr,lpush,lrange_100', '-n', '5000', '-c', '50'],
      ['-t', 'set,get', '-n', '20000', '-c', '20', '-P', '64'],
      ['-t', 'set,get', '-n', '300', '-c', '10', '-d', '500000'],
      ['-t', 'ping', '-n', '500', '-c', '10', '-k', '0'],
    ]) {
      const said = await redisBenchmark(proxy.port, ...options)
      assert.match(said, /"(GET|PING_INLINE)","\d/)
      assert.doesNotMatch(said, /error/i)
    }
    assert.deepEqual(
      proxy.running.status().backends.map(({ alive, errors }) => [alive, errors]),
      [
        [true, 0],
        [true, 0],
      ],
    )
  },
)
