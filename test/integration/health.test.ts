// Health with real sockets: what takes a backend out of service, what brings it back, and what the log says of it.
import assert from 'node:assert/strict'
import { startActingBackend } from '../support/acting-backend.ts'
import { MemoryLog } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { ask, load } from '../support/load.ts'
import { refusingPort } from '../support/ports.ts'
import { type ProxyOptions, startProxy } from '../support/proxy.ts'
import { startScriptedBackend } from '../support/scripted-backend.ts'
import { until } from '../support/wait.ts'

type Keys = NonNullable<ProxyOptions['pool']>

async function watched(scope: Scope, urls: readonly string[], pool: Keys, workers = 0) {
  const log = new MemoryLog()
  const proxy = scope.use(await startProxy(urls, { log, pool, workers }))
  const backend = (index: number) => proxy.running.status().backends[index]!
  /** Failed connections of live traffic. */
  const errors = (index: number): number => backend(index).errors
  return { log, proxy, backend, errors }
}

const urlOf = (port: number): string => `http://127.0.0.1:${port}`

leakTest('each flip is logged once, with its cause and how long it was otherwise', async (scope) => {
  const port = await refusingPort()
  const other = scope.use(await startActingBackend())
  const { log, proxy, backend } = await watched(scope, [urlOf(port), other.url], {
    health_check: { interval: '20ms' },
  })
  const down = await log.waitFor('backend_down')
  assert.match(
    down.message,
    new RegExp(`^backend ${urlOf(port)} DOWN: connection refused \\(ECONNREFUSED\\) \\(first check\\)$`),
  )
  assert.deepEqual([down.level, down.fields.reason], ['warn', 'connection refused (ECONNREFUSED)'])
  const failed = () => proxy.running.status().backends[0]!.last_check
  assert.equal(failed()!.ok, false)
  const first = failed()!.at
  await until('it was checked again', () => failed()!.at !== first)
  scope.use(await startActingBackend({ port, name: 'late' }))
  const isUp = (): boolean => log.named('backend_up').some(({ fields }) => fields.backend === urlOf(port))
  await until('it is up', isUp)
  const up = log.named('backend_up').find(({ fields }) => fields.backend === urlOf(port))!
  assert.match(up.message, /UP: connected \(was down for \d+(\.\d+)?m?s\)$/)
  const at = failed()!.at
  await until('it was checked once more', () => failed()!.at !== at)
  const flips = log.events.filter(({ fields }) => fields.backend === urlOf(port)).map(({ name }) => name)
  assert.deepEqual(flips, ['backend_down', 'backend_up'])
  assert.deepEqual([backend(0).state, backend(0).alive], ['up', true])
})

leakTest(
  'an HTTP check believes the status in the range, says which one it got, and what it waited for',
  async (scope) => {
    const silent = scope.use(await startScriptedBackend([[]]))
    const demo = scope.use(await startActingBackend())
    const both = (expect: string) => ({ health_check: { path: '/ready', expect, interval: '40ms', fall: 1 } })
    const refused = await watched(scope, [silent.url, demo.url], both('204'))
    await refused.log.waitFor('backend_down', 2)
    const reasons = refused.log.named('backend_down').map(({ fields }) => [fields.backend, fields.reason])
    assert.deepEqual(
      new Map(reasons as [string, string][]),
      new Map([
        [silent.url, 'timeout after 40ms'],
        [demo.url, 'status 200'],
      ]),
    )
    const accepted = await watched(scope, [demo.url], both('200-299'))
    await until('it is up', () => accepted.backend(0).state === 'up')
    assert.ok(demo.requests.every(({ target, method }) => target === '/ready' && method === 'GET'))
  },
)

leakTest('a backend not checked yet takes requests; one good check brings back one that is down', async (scope) => {
  const port = await refusingPort()
  const { log, proxy } = await watched(scope, [urlOf(port)], { health_check: { interval: '30ms', fall: 1 } })
  await log.waitFor('backend_down')
  assert.equal((await ask(proxy.port)).status, 503)
  const late = scope.use(await startActingBackend({ port }))
  await log.waitFor('backend_up')
  assert.equal((await ask(proxy.port)).status, 200)
  assert.equal(late.requests.length, 1)
})

for (const workers of [0, 2]) {
  leakTest(
    `a refused request brings DOWN within moments, not after an interval (${workers} workers)`,
    async (scope) => {
      const [dying, other] = [await startActingBackend(), await startActingBackend({ name: 'other' })].map((b) =>
        scope.use(b),
      )
      const urls = [dying!.url, other!.url]
      const { log, proxy, backend, errors } = await watched(scope, urls, { health_check: {} }, workers)
      await until('both are up', () => backend(0).state === 'up' && backend(1).state === 'up')
      assert.deepEqual((await load(proxy.port, 20, { connections: 4 })).failures, [])
      await dying!.close()
      const startedAt = performance.now()
      while (log.named('backend_down').length === 0) {
        assert.equal((await ask(proxy.port)).status, 200, 'a client heard of it')
        assert.ok(performance.now() - startedAt < 5000, 'the interval is 30 s; a refusal must not wait for it')
      }
      assert.equal(log.named('backend_down')[0]!.fields.reason, 'connection refused (ECONNREFUSED)')
      const tried = errors(0)
      assert.deepEqual([...(await load(proxy.port, 20, { connections: 4 })).byBackend], [['other', 20]])
      assert.equal(errors(0), tried, 'it was tried although it is down')
    },
  )
}

leakTest('passive: failed connections eject a backend for a while, and then it is tried again', async (scope) => {
  const good = scope.use(await startActingBackend())
  const pool = {
    health_check: { method: 'none' },
    passive_health: { max_fails: 3, window: '10s', eject: '200ms' },
  }
  const { log, proxy, backend, errors } = await watched(scope, [urlOf(await refusingPort()), good.url], pool)
  while (log.named('backend_ejected').length === 0) {
    assert.equal((await ask(proxy.port)).status, 200)
  }
  assert.match(log.named('backend_ejected')[0]!.message, /EJECTED for 200ms: 3 failed connections within 10s/)
  assert.deepEqual([backend(0).state, backend(0).alive], ['ejected', false])
  const tried = errors(0)
  if (log.named('backend_returned').length === 0) {
    await ask(proxy.port)
    await ask(proxy.port)
    assert.ok(errors(0) === tried || log.named('backend_returned').length > 0, 'an ejected backend was tried')
  }
  await log.waitFor('backend_returned')
  await ask(proxy.port)
  await ask(proxy.port)
  assert.ok(errors(0) > tried, 'it gets requests again')
})

leakTest('passive: the last one is never ejected', async (scope) => {
  const dead = [urlOf(await refusingPort()), urlOf(await refusingPort())]
  const pool = { health_check: { method: 'none' }, passive_health: { max_fails: 2, eject: '60s' } }
  const { log, proxy, errors } = await watched(scope, dead, pool)
  while (log.named('backend_ejected').length === 0) assert.equal((await ask(proxy.port)).status, 503)
  const last = log.named('backend_ejected')[0]!.fields.backend === dead[0] ? 1 : 0
  const before = errors(last)
  for (let i = 0; i < 12; i++) assert.equal((await ask(proxy.port)).status, 503)
  assert.equal(errors(last) - before, 12)
  assert.equal(log.named('backend_ejected').length, 1)
})
