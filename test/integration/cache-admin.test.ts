// GET /cache and POST /cache/purge over real sockets, with two workers: what is told, what is thrown out, and who may.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { cacheStand } from '../support/cache-stand.ts'
import { MemoryLog } from '../support/control-kit.ts'
import { leakTest, type Scope } from '../support/leaks.ts'
import { SseClient } from '../support/sse-client.ts'
import { until } from '../support/wait.ts'

const TOKEN = 'a-token-for-tests-that-may-all'
const READ = 'a-token-for-tests-that-may-look'
const host = { host: 'example.test' }

interface Answer {
  readonly status: number
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: JSON of an answer
  readonly body: any
}

async function stand(scope: Scope, cache: unknown = true, route?: Record<string, unknown>) {
  const log = new MemoryLog()
  const admin = { listen: '127.0.0.1:2', token: TOKEN, read_token: READ }
  const made = await cacheStand(cache, {
    workers: 2,
    admin: true,
    log,
    config: { admin } as never,
    ...(route && { route }),
  })
  scope.defer(() => made[Symbol.asyncDispose]())
  made.answer((request, response: ServerResponse) => {
    response.setHeader('Cache-Control', 'max-age=600')
    response.setHeader('Cache-Tag', request.url === '/a' ? 'first, both' : 'second, both')
    response.end(`${request.url}`)
  })
  const { adminPort } = made.proxy
  const call = async (method: string, path: string, body?: unknown, token = TOKEN): Promise<Answer> => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    }
    const answer = await fetch(`http://127.0.0.1:${adminPort}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const type = answer.headers.get('content-type') ?? ''
    return { status: answer.status, type, body: text === '' ? null : JSON.parse(text) }
  }
  const purge = (body: unknown, token?: string): Promise<Answer> => call('POST', '/cache/purge', body, token)
  const fill = async (...paths: string[]): Promise<void> => {
    for (const path of paths) assert.equal((await made.get(path, host)).status, 200)
  }
  const entries = async (): Promise<number> => (await call('GET', '/cache')).body.memory.entries
  return { made, log, call, purge, fill, entries, adminPort }
}

leakTest('what is cached: room, requests by result and route, the entries used most', async (scope) => {
  const { call, fill, made } = await stand(scope, true, { name: 'web' })
  const empty = (await call('GET', '/cache')).body
  assert.deepEqual([empty.enabled, empty.hit_ratio, empty.oldest_age_seconds, empty.top], [true, null, null, []])
  await fill('/a', '/b', '/a', '/a', '/a')
  await made.get('/c', host, 'POST')
  const { body } = await call('GET', '/cache')
  assert.deepEqual(
    body.top.map((one: Record<string, unknown>) => [one.url, one.route, one.status, one.bytes, one.hits, one.variant]),
    [
      ['http://example.test/a', 'web', 200, 2, 3, ''],
      ['http://example.test/b', 'web', 200, 2, 0, ''],
    ],
  )
  assert.ok(body.top[0].ttl_seconds > 590 && body.top[0].ttl_seconds <= 600)
  assert.ok(body.oldest_age_seconds >= 0)
  assert.equal(body.requests.hit, 3)
  assert.equal(body.requests.miss, 2)
  assert.equal(body.hit_ratio, 0.6)
  assert.deepEqual(body.routes, [{ name: 'web', requests: body.requests, hit_ratio: 0.6, not_stored: {} }])
  assert.equal(body.disk, null)
  assert.deepEqual([body.memory.entries, body.stored, body.purged, body.filling], [2, 2, 0, 0])
  assert.ok(body.memory.payload > 4 && body.memory.payload < body.memory.used && body.memory.used < body.memory.size)
  const some = (await call('GET', '/cache?prefix=http://example.test/b&limit=1')).body
  assert.deepEqual(
    some.top.map(({ url }: { url: string }) => url),
    ['http://example.test/b'],
  )
  made.moveClock(700_000)
  const later = (await call('GET', '/cache')).body
  assert.ok(later.top[0].ttl_seconds < -90, `${later.top[0].ttl_seconds}`)
  assert.ok(later.oldest_age_seconds >= 700)
  const wrong = await call('GET', '/cache?limit=-1')
  assert.deepEqual([wrong.status, wrong.body.errors[0].path], [400, 'limit'])
})

leakTest(
  'purged by URL, prefix, tag and all: what is meant is gone for every worker, the rest is not',
  async (scope) => {
    const { purge, fill, entries, made } = await stand(scope)
    await fill('/a', '/b', '/c/1', '/c/2')
    assert.deepEqual((await purge({ url: 'http://EXAMPLE.test:80/./a' })).body, { purged: 1, soft: false })
    assert.deepEqual((await purge({ url: 'http://example.test/a' })).body, { purged: 0, soft: false })
    assert.equal((await purge({ prefix: '*://example.test/c/' })).body.purged, 2)
    assert.equal(await entries(), 1)
    await fill('/a', '/c/1')
    assert.equal((await purge({ tag: 'second' })).body.purged, 2)
    assert.equal((await purge({ tag: ['both', 'none'] })).body.purged, 1)
    await fill('/a', '/b')
    assert.equal((await purge({ all: true })).body.purged, 2)
    assert.equal(await entries(), 0)
    const before = made.askedFor('/a')
    await Promise.all(Array.from({ length: 12 }, () => made.get('/a', host)))
    assert.equal(made.askedFor('/a'), before + 1)
  },
)

leakTest('a soft purge: asked for again before it is used, and there where the backends are down', async (scope) => {
  const { purge, fill, entries, made, call } = await stand(scope, { stale_when_down: '1h' })
  await fill('/a')
  assert.deepEqual((await purge({ all: true, soft: true })).body, { purged: 1, soft: true })
  assert.equal(await entries(), 1)
  assert.ok((await call('GET', '/cache')).body.top[0].ttl_seconds < 0)
  await fill('/a')
  assert.equal(made.askedFor('/a'), 2)
  await purge({ all: true, soft: true })
  await made.down()
  assert.equal((await made.get('/a', host)).text, '/a')
})

leakTest('what a route leaves out of its keys may be in the URL that is purged, or not', async (scope) => {
  const { purge, fill, made } = await stand(scope, { key: { query: { except: ['utm_*'] } } })
  await fill('/a?id=1&utm_source=mail')
  assert.match((await made.get('/a?utm_medium=x&id=1', host)).cache, /hit/)
  assert.equal((await purge({ url: 'http://example.test/a?id=1&utm_campaign=y' })).body.purged, 1)
  await fill('/a?id=1&utm_source=mail')
  assert.equal((await purge({ url: 'http://example.test/a?id=1' })).body.purged, 1)
})

leakTest('refused: what names nothing, or two things; whoever may only look; where nothing caches', async (scope) => {
  const { purge, fill, entries, log, call } = await stand(scope)
  await fill('/a')
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [{}, /exactly one/],
    [{ url: 'http://example.test/a', all: true }, /exactly one/],
    [{ all: false }, /all/],
    [{ url: 'example.test/a' }, /does not begin as/],
    [{ url: 'http://example.test/a', sfot: true }, /sfot: unknown field/],
    [{ tag: [] }, /tag/],
    [{ tag: 'a b' }, /no spaces/],
    [[], /object/],
  ]
  for (const [body, words] of refused) {
    const { status, type, body: told } = await purge(body)
    assert.equal(status, 422, JSON.stringify(body))
    assert.match(type, /^application\/problem\+json/)
    assert.match(told.detail, words)
    assert.equal(told.title, 'Nothing was purged')
  }
  assert.equal((await purge({ all: true }, READ)).status, 403)
  assert.equal((await purge({ all: true }, 'another')).status, 401)
  assert.equal((await call('GET', '/cache', undefined, READ)).status, 200)
  assert.equal(await entries(), 1)
  assert.equal(log.named('admin_change').at(-1)!.fields.outcome, 'refused')
  const off = await stand(scope, false)
  const none = await off.purge({ all: true })
  assert.deepEqual([none.status, none.body.title], [409, 'Conflict'])
  const { body } = await off.call('GET', '/cache')
  assert.deepEqual([body.enabled, body.memory.size, body.routes], [false, 0, []])
})

leakTest(
  'who purged what is in the log and told to readers of events, whose statistics tell of the cache',
  async (scope) => {
    const { purge, fill, log, adminPort } = await stand(scope)
    const client = scope.use(await SseClient.open(adminPort, { headers: { authorization: `Bearer ${READ}` } }))
    await fill('/a', '/a')
    await purge({ tag: 'first', soft: true })
    const [line] = log.named('cache_purged')
    assert.match(line!.message, /^admin API \(.*\) marked stale everything with the tag first: 1 entry of the cache$/)
    assert.match(log.named('admin_change')[0]!.message, /POST \/cache\/purge done \(200/)
    const named = (name: string) => client.frames.filter(({ event }) => event === name).map(({ data }) => data)
    await until('it is told', () => named('cache_purged').length === 1)
    const { at: _, message, ...told } = named('cache_purged')[0]!
    assert.equal(message, line!.message)
    assert.deepEqual(told, { type: 'cache_purged', ...line!.fields })
    const cache = () => named('stats').at(-1)?.cache as Record<string, number> | undefined
    await until('it is counted', () => cache()?.hits === 1)
    assert.deepEqual([cache()!.requests, cache()!.entries], [2, 1])
    assert.ok(cache()!.bytes! > 0)
  },
)
