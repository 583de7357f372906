import assert from 'node:assert/strict'
import { it } from 'node:test'
import { compileSnapshot, noMaterial } from '../../config/compile.ts'
import { loadConfig } from '../../config/load.ts'
import type { Snapshot } from '../../core/spec.ts'
import { flags } from '../../http/cache/policy/flags.ts'
import { selectorText } from '../../http/cache/policy/vary.ts'
import { RouteCache } from '../../http/cache/route-cache.ts'
import type { RequestHead } from '../../http/http1/request-head.ts'
import type { CachePlane } from '../../pool/cache-plane.ts'
import type { EntryFacts, StoredEntry } from '../../state/cache/types.ts'
import { listenerFor, readAsked } from './asked.ts'
import { type CachedQuestion, type ExplainedCache, explainCached } from './cached.ts'

const now = 1_000_000

interface Stored extends Partial<EntryFacts> {
  /** Of the request that brought it in. */
  readonly headers?: Readonly<Record<string, string>>
  readonly vary?: readonly string[]
  readonly pool?: string
  readonly isMarkedStale?: boolean
}

function snapshotOf(cache: unknown): Snapshot {
  const text = JSON.stringify({ port: 8080, backends: ['http://127.0.0.1:1'], cache, state_file: null })
  const { config } = loadConfig({ text })
  return compileSnapshot(config, {
    generation: 1,
    instanceId: 'x',
    slotOf: () => 0,
    cursorOf: () => 0,
    listenerRowOf: () => 0,
    stickySecret: 'ab',
    material: noMaterial,
  })
}

/** What is told of a GET of http://example.com/a?x=1 while this is stored. */
function explained(
  asked: { readonly method?: string; readonly headers?: Record<string, string>; readonly cache?: unknown },
  stored: readonly Stored[] = [],
  refusals: CachedQuestion['refusals'] = {},
  disk: CachePlane['disk'] = null,
): Promise<ExplainedCache> {
  const snapshot = snapshotOf(asked.cache ?? true)
  const route = snapshot.routes[0] ?? null
  const headOf = (headers: Record<string, string>): RequestHead => {
    const given = { method: asked.method ?? 'GET', url: 'http://example.com/a?x=1', headers, client: '192.0.2.1' }
    const input = { ...given, listener: null, serverName: null, alpn: [] }
    const { head } = readAsked(input, listenerFor(input, snapshot), snapshot)
    assert.ok('fields' in head)
    return head
  }
  const entries: StoredEntry[] = []
  const store = { now: () => now, variants: (url: string) => entries.filter((entry) => entry.url === url) }
  const plane = { store, disk } as unknown as CachePlane
  if (route !== null && route.cache !== null) {
    const cache = new RouteCache(route, route.cache, plane, null)
    for (const { headers = {}, vary = [], pool = 'default', ...facts } of stored) {
      const { fields, host } = headOf({ ...headers })
      const selector = selectorText(cache.partitionOf(pool, fields, host, fields.lookup), vary, fields.lookup, '')
      entries.push({ ...entry, ...facts, selector } as StoredEntry)
    }
  }
  const head = headOf(asked.headers ?? {})
  return explainCached({ route, plane, head, target: '/a?x=1', pool: 'default', failure: null, refusals })
}

const entry = {
  url: 'http://example.com/a?x=1',
  status: 200,
  flags: flags.hasEtag,
  responseTime: now - 20_000,
  initialAge: 0,
  lifetime: 60_000,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  isMarkedStale: false,
}

it('a fresh answer is a hit, and nothing has to be done', async () => {
  assert.deepEqual(await explained({}, [{}]), {
    caches: true,
    key: 'http://example.com/a?x=1',
    would_hit: true,
    why: 'it is stored, and fresh for 40s more',
    entry: { age_seconds: 20, ttl_seconds: 40, status: 200, variant: '' },
    to_make_it_cacheable: [],
  })
  assert.equal((await explained({ method: 'HEAD' }, [{}])).would_hit, true)
})

it('a stale one is validated, and it is said what would serve it for longer', async () => {
  const told = await explained({}, [{ lifetime: 15_000 }])
  assert.equal(told.would_hit, false)
  assert.match(told.why, /asked whether it still holds: it is stale/)
  assert.equal(told.entry!.ttl_seconds, -5)
  assert.match(told.to_make_it_cacheable.join(), /"stale_while_revalidate"/)
  assert.match((await explained({}, [{ isMarkedStale: true }])).why, /marked stale by a purge/)
  assert.match((await explained({}, [{ lifetime: 15_000, flags: 0 }])).why, /^what is stored cannot be used/)
  const served = await explained({ cache: { stale_while_revalidate: '1m' } }, [{ lifetime: 15_000 }])
  assert.equal(served.would_hit, true)
})

it('says what of the request stands against what is stored', async () => {
  const told = await explained({ headers: { 'cache-control': 'no-cache' } }, [{}])
  assert.deepEqual([told.would_hit, told.entry?.status], [false, 200])
  assert.match(told.why, /the client wants it validated/)
  assert.match(told.to_make_it_cacheable.join(), /"client_directives"/)
  const unheard = { headers: { 'cache-control': 'no-cache' }, cache: { client_directives: 'ignore' } }
  assert.equal((await explained(unheard, [{}])).would_hit, true)
})

it('says that it is stored for other requests, and by what they differ', async () => {
  const german = { headers: { 'accept-language': 'de' }, vary: ['accept-language'] }
  const told = await explained({ headers: { 'accept-language': 'fr' } }, [german])
  assert.deepEqual([told.would_hit, told.entry], [false, null])
  assert.match(told.why, /another accept-language/)
  const same = await explained({ headers: { 'accept-language': 'de' } }, [german])
  assert.deepEqual([same.would_hit, same.entry?.variant], [true, 'accept-language: de'])
  assert.match((await explained({}, [{ pool: 'other' }])).why, /another route or pool/)
})

it('requests that are not looked up', async () => {
  assert.match((await explained({ method: 'POST' }, [{}])).why, /^POST is not looked up/)
  const bypassed = await explained(
    { headers: { 'x-debug': '1' }, cache: { bypass: { header: { 'X-Debug': true } } } },
    [{}],
  )
  assert.match(bypassed.why, /"bypass"/)
  assert.equal(bypassed.would_hit, false)
  const only = await explained({ headers: { 'cache-control': 'only-if-cached' } })
  assert.match(only.why, /nothing is stored for this URL.*504/)
})

it('where nothing is stored, the reasons that answers of the route had come first', async () => {
  assert.deepEqual((await explained({})).to_make_it_cacheable, [
    'answers are stored that say how long they are fresh, such as Cache-Control: s-maxage=60, or all that "ttl" of the route says',
  ])
  const told = await explained({ headers: { authorization: 'Basic eA==' } }, [], {
    private: 3,
    'no-store': 12,
    authorization: 1,
  })
  const [first, second, third, ...rest] = told.to_make_it_cacheable
  assert.match(first!, /^the request is authenticated.*\(1 answer of this route so far\)$/)
  assert.match(second!, /^no-store: the backend says no-store: .*\(12 answers/)
  assert.match(third!, /for one client: send public/)
  assert.equal(rest.length, 1)
  assert.match(rest[0]!, /^other URLs of the route are counted with this one/)
  const anonymous = await explained({}, [], { authorization: 7 })
  assert.doesNotMatch(anonymous.to_make_it_cacheable.join(), /authenticated/, 'this request is not')
})

it('a route that does not cache is told how it would', async () => {
  const told = await explained({ cache: false })
  assert.deepEqual([told.caches, told.would_hit], [false, false])
  assert.match(told.to_make_it_cacheable.join(), /"cache": true/)
})

it('a path alone is asked for as a client on this machine does: with the port, which is part of the key', () => {
  const snapshot = snapshotOf(true)
  const input = {
    method: 'GET',
    url: '/a',
    headers: {},
    client: '127.0.0.1',
    listener: null,
    serverName: null,
    alpn: [],
  }
  const hostOf = (port: number): string => {
    const { head } = readAsked(input, { ...listenerFor(input, snapshot), port }, snapshot)
    assert.ok('fields' in head)
    return head.host
  }
  assert.deepEqual([8080, 80, 0].map(hostOf), ['localhost:8080', 'localhost', 'localhost'])
})
