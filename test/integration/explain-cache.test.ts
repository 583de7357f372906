// POST /explain says of the cache what then really happens: each case is explained, sent, and compared.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type CacheStand, cacheStand } from '../support/cache-stand.ts'
import { ask } from '../support/load.ts'

interface Told {
  readonly caches: boolean
  readonly key: string
  readonly would_hit: boolean
  readonly why: string
  readonly entry: { readonly age_seconds: number; readonly ttl_seconds: number; readonly status: number } | null
  readonly to_make_it_cacheable: readonly string[]
}

interface Case {
  readonly name: string
  /** Also the path, below /c/. */
  readonly path: string
  readonly method?: string
  readonly headers?: Record<string, string>
  /** Sent before, with these fields. */
  readonly before?: readonly Record<string, string>[]
  /** Of the origin's answers. */
  readonly answer?: Record<string, string>
  /** How much later it is asked. */
  readonly afterMs?: number
  readonly hits: boolean
  readonly why: RegExp
  /** One of what would make it cacheable. */
  readonly advice?: RegExp
}

const fresh = { 'cache-control': 'max-age=60' }
const tagged = { ...fresh, etag: '"1"' }
const once = [{}]

const cases: readonly Case[] = [
  { name: 'nothing is stored', path: 'none', hits: false, why: /^nothing is stored/, advice: /s-maxage/ },
  {
    name: 'fresh',
    path: 'fresh',
    before: once,
    answer: fresh,
    hits: true,
    why: /fresh for (?:1m|5\ds) more$/,
  },
  { name: 'fresh, later', path: 'later', before: once, answer: fresh, afterMs: 20_000, hits: true, why: /fresh for/ },
  {
    name: 'HEAD of what a GET brought',
    path: 'head',
    method: 'HEAD',
    before: once,
    answer: fresh,
    hits: true,
    why: /fresh/,
  },
  { name: 'HEAD of nothing', path: 'head2', method: 'HEAD', hits: false, why: /nothing/, advice: /a GET brings it in/ },
  {
    name: 'a part of it',
    path: 'part',
    headers: { range: 'bytes=0-1' },
    before: once,
    answer: fresh,
    hits: true,
    why: /fresh/,
  },
  {
    name: 'stale',
    path: 'stale',
    before: once,
    answer: tagged,
    afterMs: 90_000,
    hits: false,
    why: /it is stale/,
    advice: /longer max-age/,
  },
  {
    name: 'stale while it is validated',
    path: 'swr',
    before: once,
    answer: { 'cache-control': 'max-age=60, stale-while-revalidate=60', etag: '"1"' },
    afterMs: 90_000,
    hits: true,
    why: /while it is validated/,
  },
  {
    name: 'the client takes it stale',
    path: 'max-stale',
    headers: { 'cache-control': 'max-stale=60' },
    before: once,
    answer: tagged,
    afterMs: 90_000,
    hits: true,
    why: /takes it so/,
  },
  {
    name: 'the client wants it validated',
    path: 'no-cache',
    headers: { 'cache-control': 'no-cache' },
    before: once,
    answer: tagged,
    hits: false,
    why: /client wants it validated/,
    advice: /client_directives/,
  },
  {
    name: 'the client wants it younger',
    path: 'max-age',
    headers: { 'cache-control': 'max-age=5' },
    before: once,
    answer: tagged,
    afterMs: 20_000,
    hits: false,
    why: /older than the client/,
  },
  {
    name: 'the backend wants it validated',
    path: 'no-cache2',
    before: once,
    answer: { 'cache-control': 'no-cache', etag: '"1"' },
    hits: false,
    why: /backend wants it validated/,
    advice: /in place of no-cache/,
  },
  {
    name: 'for another language',
    path: 'vary',
    headers: { 'accept-language': 'fr' },
    before: [{ 'accept-language': 'de' }],
    answer: { ...fresh, vary: 'Accept-Language' },
    hits: false,
    why: /another accept-language/,
  },
  {
    name: 'for this language',
    path: 'vary2',
    headers: { 'accept-language': 'de' },
    before: [{ 'accept-language': 'de' }],
    answer: { ...fresh, vary: 'Accept-Language' },
    hits: true,
    why: /fresh/,
  },
  {
    name: 'an answer for one client',
    path: 'private',
    before: once,
    answer: { 'cache-control': 'private, max-age=60' },
    hits: false,
    why: /^nothing/,
    advice: /for one client: send public.*of this route so far/,
  },
  {
    name: 'a client that showed who it is',
    path: 'auth',
    headers: { authorization: 'Basic eA==' },
    before: [{ authorization: 'Basic eA==' }],
    answer: fresh,
    hits: false,
    why: /^nothing/,
    advice: /the request is authenticated.*public, s-maxage or must-revalidate/,
  },
  {
    name: 'the same, with an answer for everybody',
    path: 'auth2',
    headers: { authorization: 'Basic eA==' },
    before: [{ authorization: 'Basic eA==' }],
    answer: { 'cache-control': 'public, max-age=60' },
    hits: true,
    why: /fresh/,
  },
  {
    name: 'bypassed',
    path: 'bypass',
    headers: { 'x-fresh': '1' },
    before: once,
    answer: fresh,
    hits: false,
    why: /"bypass"/,
  },
  {
    name: 'only if it is another one',
    path: 'if-match',
    headers: { 'if-match': '"2"' },
    before: once,
    answer: tagged,
    hits: false,
    why: /for the backend to decide/,
  },
  {
    name: 'POST',
    path: 'post',
    method: 'POST',
    before: once,
    answer: fresh,
    hits: false,
    why: /^POST is not looked up/,
  },
  {
    name: 'without what the key leaves out',
    path: 'query?utm_source=b',
    before: once,
    answer: fresh,
    hits: true,
    why: /fresh/,
  },
  {
    name: 'nothing but what is stored',
    path: 'only',
    headers: { 'cache-control': 'only-if-cached' },
    hits: false,
    why: /504/,
  },
]

const route = {
  match: { path: '/c/*' },
  strip_prefix: '/c',
  cache: { bypass: { header: { 'X-Fresh': true } }, key: { query: { except: ['utm_*'] } } },
}

async function explained(stand: CacheStand, { method = 'GET', path, headers = {} }: Case): Promise<Told> {
  const body = JSON.stringify({ method, url: `${stand.proxy.url}/c/${path}`, headers })
  const fields = { 'content-type': 'application/json' }
  const answer = await ask(stand.proxy.adminPort, { method: 'POST', path: '/explain', headers: fields, body })
  assert.equal(answer.status, 200, answer.body)
  return (JSON.parse(answer.body) as { cache: Told }).cache
}

test('each request is answered as it was explained', async (t) => {
  await using stand = await cacheStand(true, { admin: true, route })
  // The origin has the same time as the cache.
  let movedMs = 0
  for (const one of cases) {
    await t.test(one.name, async () => {
      stand.answer((request, response) => {
        const known = request.headers['if-none-match'] !== undefined
        response.setHeader('date', new Date(Date.now() + movedMs).toUTCString())
        response.writeHead(known ? 304 : 200, one.answer ?? {}).end(known ? undefined : 'abc')
      })
      for (const headers of one.before ?? []) await stand.get(`/c/${one.path.replace(/=.*/, '=a')}`, headers)
      if (one.afterMs !== undefined) stand.moveClock(one.afterMs)
      movedMs += one.afterMs ?? 0
      const asked = stand.asked.length
      const told = await explained(stand, one)
      assert.equal(stand.asked.length, asked, 'nothing was sent')
      assert.deepEqual([told.caches, told.would_hit], [true, one.hits], told.why)
      assert.match(told.why, one.why)
      if (one.advice === undefined) assert.ok(!one.hits || told.to_make_it_cacheable.length === 0)
      else
        assert.ok(
          told.to_make_it_cacheable.some((words) => one.advice!.test(words)),
          told.to_make_it_cacheable.join(),
        )

      const got = await stand.get(`/c/${one.path}`, one.headers, one.method)
      const wasHit = /^frontdesk; hit/.test(got.cache)
      assert.equal(wasHit, told.would_hit, got.cache)
      if (wasHit) {
        const ttl = Number(/ttl=(-?\d+)/.exec(got.cache)?.[1])
        assert.ok(Math.abs(ttl - told.entry!.ttl_seconds) <= 1, `${got.cache}, told ${told.entry!.ttl_seconds}`)
        assert.ok(Math.abs(Number(got.headers.age) - told.entry!.age_seconds) <= 1)
      }
      assert.equal(told.key, `${stand.proxy.url}/c/${one.path.replace(/\?.*/, '')}`)
    })
  }
})

test('the key that is told is what is purged by', async () => {
  await using stand = await cacheStand(true, { admin: true, route })
  stand.answer((_request, response) => response.writeHead(200, fresh).end('abc'))
  const one: Case = { name: '', path: 'purged?b=1&utm_a=2', hits: true, why: /./ }
  await stand.get('/c/purged?b=1')
  const { key, would_hit } = await explained(stand, one)
  assert.equal(would_hit, true)
  const purge = (body: object) =>
    ask(stand.proxy.adminPort, {
      method: 'POST',
      path: '/cache/purge',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  assert.deepEqual(JSON.parse((await purge({ url: key, soft: true })).body), { purged: 1, soft: true })
  assert.match((await explained(stand, one)).why, /marked stale by a purge/)
  assert.deepEqual(JSON.parse((await purge({ url: key })).body), { purged: 1, soft: false })
  assert.match((await explained(stand, one)).why, /^nothing is stored/)
})

test('why answers were not stored is counted for their route; what the route leaves out is not', async () => {
  await using stand = await cacheStand(true, { admin: true, route })
  const answers: Record<string, Record<string, string>> = {
    mine: { 'cache-control': 'private' },
    login: { ...fresh, 'set-cookie': 'a=b' },
    kept: fresh,
  }
  stand.answer((request, response) => response.writeHead(200, answers[request.url!.slice(1)]).end('abc'))
  for (const path of ['mine', 'mine', 'login', 'kept', 'kept']) await stand.get(`/c/${path}`)
  await stand.get('/c/mine', { 'x-fresh': '1' })
  await stand.get('/c/mine', {}, 'POST')
  const { routes } = JSON.parse((await ask(stand.proxy.adminPort, { path: '/cache' })).body) as {
    readonly routes: readonly { readonly name: string; readonly not_stored: Readonly<Record<string, number>> }[]
  }
  assert.deepEqual(routes.find(({ name }) => name === 'all')!.not_stored, { private: 2, 'set-cookie': 1 })
})

test('what a restart has left on disk is found there', async () => {
  const path = mkdtempSync(join(tmpdir(), 'frontdesk-explain-'))
  const disk = { cache_store: { memory: '16MB', disk: { path, size: '64MB' } } }
  const host = { host: 'example.com' }
  try {
    {
      await using stand = await cacheStand(true, { admin: true, route, config: disk })
      stand.answer((_request, response) => response.writeHead(200, fresh).end('abc'))
      await stand.get('/c/kept', host)
    }
    await using stand = await cacheStand(true, { admin: true, route, config: disk })
    const ask = (name: string): Promise<Told> =>
      explained(stand, { name, path: name, headers: host, hits: true, why: /./ })
    const told = await ask('kept')
    assert.deepEqual([told.would_hit, told.entry?.status], [true, 200], told.why)
    assert.match(told.why, /^it is on disk, and fresh for/)
    assert.equal(stand.cache.totals().entries, 0, 'and stays there')
    assert.match((await stand.get('/c/kept', host)).cache, /hit/)
    assert.match((await ask('kept')).why, /^it is stored/)
    assert.match((await ask('other')).why, /^nothing is stored/)
    assert.deepEqual(stand.asked, [])
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
})

test('a route that does not cache, and one that answers itself', async () => {
  await using stand = await cacheStand(false, { admin: true, route: { cache: false } })
  const told = await explained(stand, { name: '', path: 'x', hits: false, why: /./ })
  assert.deepEqual([told.caches, told.would_hit, told.key], [false, false, ''])
  assert.match(told.to_make_it_cacheable.join(), /"cache": true in route all/)
})

test('what is stored is told to stand in where no backend takes requests, and does', async () => {
  await using stand = await cacheStand(true, { admin: true, route })
  stand.answer((_request, response) => response.writeHead(200, fresh).end('abc'))
  await stand.get('/c/stands-in')
  await stand.get('/c/c-is-fresh')
  const drain = { url: stand.originUrl, state: 'drain' }
  const call = { method: 'PATCH', path: '/backends', body: JSON.stringify(drain) }
  await ask(stand.proxy.adminPort, { ...call, headers: { 'content-type': 'application/json' } })
  const whole = async (path: string): Promise<{ cache: Told; answer: { status: number } | null }> => {
    const body = JSON.stringify({ url: `${stand.proxy.url}/c/${path}` })
    const headers = { 'content-type': 'application/json' }
    const told = await ask(stand.proxy.adminPort, { method: 'POST', path: '/explain', headers, body })
    return JSON.parse(told.body) as { cache: Told; answer: { status: number } | null }
  }
  const isFresh = await whole('c-is-fresh')
  assert.deepEqual([isFresh.cache.would_hit, isFresh.answer], [true, null])
  stand.moveClock(600_000)
  const isStale = await whole('stands-in')
  assert.deepEqual([isStale.cache.would_hit, isStale.answer], [true, null], isStale.cache.why)
  assert.match(isStale.cache.why, /served though it is stale: no backend takes it/)
  assert.match((await stand.get('/c/stands-in')).cache, /ttl=-\d+; detail=no_backend/)
  const missing = await whole('never-asked')
  assert.deepEqual([missing.cache.would_hit, missing.answer?.status], [false, 503])
  stand.moveClock(3_600_000)
  const tooOld = await whole('stands-in')
  assert.deepEqual([tooOld.cache.would_hit, tooOld.answer?.status], [false, 503], tooOld.cache.why)
  assert.equal((await stand.get('/c/stands-in')).status, 503)
})
