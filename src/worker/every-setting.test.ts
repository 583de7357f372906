// Whatever a change changes is in force once it is swapped in: a plane that came to a snapshot from another one is as one that
// began with it, for a change of every single value.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeCertificates } from '../../test/support/certificates.ts'
import { differenceOf, type InsideView, InsideViewer } from '../../test/support/inside-view.ts'
import { skipWithout } from '../../test/support/peers.ts'
import { compileSnapshot } from '../config/compile.ts'
import { loadConfig } from '../config/load.ts'
import type { StrategyInput } from '../core/plugin.ts'
import type { Snapshot } from '../core/spec.ts'
import { registryOf } from '../plugins/values.ts'
import { createCacheMemory } from '../state/cache/cache-memory.ts'
import { createSharedState } from '../state/memory.ts'
import { DataPlane } from './data-plane.ts'
import { sharing } from './snapshot-delta.ts'

const value = {
  trusted_proxies: ['10.0.0.0/8'],
  error_details: 'trusted',
  limits: { max_connections: 100, body_size: '1MB' },
  logging: {
    access: {
      template: '{request.path} {status}',
      sample: '50%',
      keep_errors: true,
      skip: ['/x'],
      redact: { query: ['q'], headers: ['x'] },
    },
  },
  tracing: { endpoint: 'http://127.0.0.1:4318/v1/traces', sample: '50%', create: true, attributes: { a: 'b' } },
  listeners: [
    { name: 'web', listen: '127.0.0.1:8000', pool: 'api', accept_proxy_protocol: ['10.0.0.0/8'] },
    {
      name: 'webs',
      listen: '127.0.0.1:8443',
      pool: 'api',
      tls: {
        certificates: [{ cert: '/c.pem', key: '/c.key' }],
        hsts: { max_age: '1d' },
        client_auth: { mode: 'optional', ca: '/ca.pem', headers: { san: 'X-San', subject: 'X-Subject' } },
      },
    },
    { name: 'plain', listen: '127.0.0.1:8001', redirect_https: 8443 },
    { name: 'pg', listen: '127.0.0.1:5432', protocol: 'tcp', pool: 'db', idle_timeout: '1h' },
    {
      name: 'sni',
      listen: '127.0.0.1:8444',
      protocol: 'tls-passthrough',
      sni: { 'a.b': { pool: 'db', alpn: { h2: 'db' } }, '*': 'db' },
    },
  ],
  pools: {
    api: {
      strategy: 'hash',
      hash_key: 'header:X-Key',
      sticky: { by: 'cookie', cookie: 'c', ttl: '1h', secret: 'a-secret-that-is-long-enough-for-it' },
      backends: ['http://10.0.0.1:1', { url: 'https://10.0.0.2:1/base', weight: 3, max_connections: 9, backup: true }],
      health_check: { path: '/h', host: 'h', interval: '5s' },
      passive_health: { max_fails: 3 },
      timeouts: { connect: '1s', first_byte: '2s', idle: '3s', total: '4s', tunnel: '5s' },
      retries: { attempts: 2, on: ['connect', '503'], budget: '30%' },
      keepalive: { max_idle: 3, idle_timeout: '9s' },
      hide_headers: ['server'],
      tls: { ca: '/ca.pem', server_name: 'a.b', cert: '/c.pem', key: '/c.key', alpn: ['http/1.1'] },
    },
    other: { strategy: 'random', sticky: { by: 'header', header: 'X-User' }, backends: ['http://10.0.0.3:1'] },
    own: { strategy: { custom: { made: { size: 1 } } }, backends: ['http://10.0.0.4:1'] },
    db: { backends: ['tcp://10.0.0.5:1'], send_proxy_protocol: 'v2', sticky: { by: 'ip' } },
  },
  routes: [
    {
      name: 'one',
      match: {
        host: 'a.b',
        path: '/one/*',
        method: ['GET', 'OPTIONS'],
        header: { 'X-A': '1' },
        query: { q: 'a' },
        client: ['10.0.0.0/8'],
        listener: ['web', 'webs'],
      },
      pool: 'api',
      strip_prefix: '/one',
      add_prefix: '/two',
      timeouts: { first_byte: '7s' },
      retries: { attempts: 1 },
      sticky: { by: 'ip', ttl: '1h' },
      host_header: 'backend',
      body_size: '5KB',
      headers: {
        request: { set: { 'X-S': '{client.ip}' }, add: { 'X-T': 'b' }, remove: ['X-U'] },
        response: { set: { 'X-V': 'c' }, add: { 'X-W': 'd' }, remove: ['X-X'] },
      },
      rate_limit: { key: 'ip', rate: '100/s', burst: 200 },
      concurrency: { key: 'ip', max: 9 },
      cors: { origins: ['https://a.b'], methods: ['GET'], max_age: '1h', expose: ['X-Y'] },
      allow: ['10.0.0.0/8'],
      deny: ['10.1.0.0/16'],
      basic_auth: {
        realm: 'r',
        users: { a: '$2b$10$abcdefghijklmnopqrstuuN9qQ4Qn7uQ9p0mQX7oV1M7y3y0yq0yW' },
        user_header: 'X-User-Name',
      },
      forward_auth: { url: 'http://10.0.0.9/auth', copy_headers: ['X-Id'], request_headers: ['Cookie'], timeout: '2s' },
      security_headers: { frame_options: 'DENY' },
      compression: { min_size: '1KB', types: ['text/html'], algorithms: ['gzip'] },
      cache: {
        ttl: '1m',
        ttl_by_status: { '404': '10s' },
        default_ttl: '10m',
        heuristic: { share: '20%', max: '1h' },
        stale_while_revalidate: '30s',
        stale_if_error: '2h',
        stale_when_down: '3h',
        key: { query: { only: ['a', 'b*'] }, sort_query: true, headers: ['X-K'], cookies: ['k'] },
        vary: ['X-L'],
        bypass: { header: { 'X-M': ['1'] }, cookie: { m: '1' }, query: { m: '1' } },
        no_store: { query: { n: '1' } },
        client_directives: 'no-reload',
        set_cookie: 'strip',
        target_fields: ['X-O'],
        tag_fields: ['X-P', 'X-Q'],
        status: 'key',
        wait_for: '2s',
      },
      error_pages: [{ status: ['404'], body: 'gone', content_type: 'text/plain', intercept: true }],
      mirror: { pool: 'other', share: '50%', max_body: '1KB', max_active: 3 },
      access_log: false,
    },
    {
      name: 'split',
      match: { path: '/s/*' },
      split: {
        to: [
          { pool: 'api', weight: 1 },
          { pool: 'other', weight: 2 },
        ],
        by: 'ip',
      },
      cache: true,
    },
    { name: 'redirect', match: { path: '/r/*' }, redirect: { to: '/x/{path}', status: 308 } },
    { name: 'respond', match: { path: '/t/*' }, respond: { status: 200, body: 'b', headers: { 'X-R': '1' } } },
    { name: 'rewrite', match: { path_regex: '^/w/(.*)$' }, pool: 'own', rewrite: { pattern: '^/w/(.*)$', to: '/$1' } },
  ],
}

const registry = () =>
  registryOf([
    {
      spec: { kind: 'plugin', url: 'file:///1', label: './made.ts' },
      values: {
        middleware: new Map(),
        matchers: new Map(),
        strategies: new Map([
          [
            'made',
            {
              build:
                ({ backends, options }: StrategyInput) =>
                () =>
                  options === null ? undefined : backends[0],
            },
          ],
        ]),
      },
    },
  ] as never)

/** Words that may stand for others. */
const KINDS: Readonly<Record<string, string>> = {
  'round-robin': 'random',
  hash: 'least-conn',
  random: 'first',
  optional: 'required',
  'TLSv1.2': 'TLSv1.3',
  preserve: 'backend',
  v2: 'v1',
  trusted: 'never',
  only: 'except',
  'no-reload': 'ignore',
  strip: 'store',
}

type Path = readonly (string | number)[]

/** Every change of one value. */
function* changesOf(at: unknown, path: Path = []): Generator<{ path: Path; to: unknown }> {
  if (typeof at === 'number') yield { path, to: at + 1 }
  else if (typeof at === 'boolean') yield { path, to: !at }
  else if (typeof at === 'string') yield { path, to: KINDS[at] ?? `${at}1` }
  else if (at !== null && typeof at === 'object') {
    if (!Array.isArray(at)) yield { path, to: null }
    else if (at.length > 0) yield { path, to: at.slice(1) }
    for (const [key, part] of Object.entries(at))
      yield* changesOf(part, [...path, Array.isArray(at) ? Number(key) : key])
  }
}

function changed<T>(of: T, [step, ...rest]: Path, to: unknown): T {
  if (step === undefined) return to as T
  const copy = (Array.isArray(of) ? [...of] : { ...of }) as Record<string | number, unknown>
  copy[step] = changed(copy[step], rest, to)
  return copy as T
}

/** What runs, what is about to end, and what a change leaves for later: no part of what a snapshot says. */
const SKIPPED = new Set([
  ...['state', '#state', 'wheel', 'ids', 'clock', '#heart', '#options', '#failures', 'sideWork', '#send'],
  ...['snapshot', '#leaving', 'changed', '#atClose'],
  // Shared with the others; what is in it is no part of what a snapshot says.
  'store',
  // Keyed by pools, in whatever order; one that no route needs any more may stay.
  '#plain',
])

/**
 * Rows are the compiler's matter; an identity goes by its id, the hash of all else; what is known to the main thread alone, such
 * as how large the memory is that it hands over.
 */
const NOT_TOLD =
  /^(generation|instanceId|workers|graceMs|cacheStore)|identities\.\d\.(cert|key|keyType)$|\.rows?(\.\d)?$/

test('a change of any value alone leaves nothing as it was before', { skip: skipWithout('openssl') }, async (t) => {
  const made = await makeCertificates()
  t.after(() => made.remove())
  const { config } = loadConfig({ value, path: '/config.json' })
  const base = compileSnapshot(config, {
    generation: 1,
    instanceId: 'i',
    slotOf: (_, url) => Number(url.match(/10\.0\.0\.(\d)/)![1]),
    cursorOf: (name) => name.length,
    listenerRowOf: (name) => config.listeners.findIndex((listener) => listener.name === name),
    stickySecret: 'aa',
    material: {
      identity: ({ cert, key }) => ({ id: cert + key, names: ['a.b'], keyType: 'ec', cert: made.cert, key: made.key }),
      pem: () => made.ca,
    },
  })
  const buffer = createSharedState({ workers: 1 })
  const plane = (): DataPlane => new DataPlane({ workerId: 0, buffer, maxClients: 10, reusePort: false, post() {} })
  const cache = { id: 1, buffer: createCacheMemory({ memory: 2 ** 20, maxObject: 2 ** 18, lanes: 1 }), disk: null }
  const skips = (key: string): boolean => SKIPPED.has(key)
  const seen = (of: DataPlane): InsideView => {
    const viewer = new InsideViewer(skips)
    const view = viewer.view(of)
    viewer.close()
    return view
  }
  const plugins = registry()
  const fresh = (snapshot: Snapshot): DataPlane | null => {
    const one = plane()
    try {
      one.apply(structuredClone(snapshot), plugins, cache)
      return one
    } catch {
      one.close()
      return null
    }
  }
  const kinds = new Set<string>()
  let tried = 0
  for (const { path, to } of changesOf(base)) {
    const place = path.join('.')
    // One of several listeners, pools or routes is enough.
    const kind = place.replace(/\d+/g, 'n')
    if (path.length === 0 || NOT_TOLD.test(place) || kinds.has(kind)) continue
    const next = changed(base, path, to)
    const wanted = fresh(next)
    // Some values cannot be changed alone.
    if (wanted === null) continue
    kinds.add(kind)
    tried++
    const running = plane()
    running.apply(structuredClone(base), plugins, cache)
    running.apply(sharing(running.snapshot, structuredClone(next)), plugins)
    assert.equal(differenceOf(seen(running), seen(wanted)), null, `${place} is ${JSON.stringify(to)} now`)
    running.close()
    wanted.close()
  }
  assert.ok(
    [...kinds].filter((kind) => kind.includes('.cache.')).length > 40,
    `${kinds.size} kinds, too few of caching`,
  )
  assert.ok(tried > 300, `${tried} values were changed`)
})
