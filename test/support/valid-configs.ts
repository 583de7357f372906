// Valid configuration files for property tests: flat, long and mixed.
import fc from 'fast-check'
import type { Json } from '../../src/config/document/types.ts'

type Entries = Record<string, Json>

const few = (...values: Json[]): fc.Arbitrary<Json> => fc.constantFrom<Json>(...values)
const some = (model: Record<string, fc.Arbitrary<Json>>): fc.Arbitrary<Entries> =>
  fc.record(model, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Entries>

const duration = few('1s', '250ms', 5, '1m30s')
const urls = ['http://a:1', 'http://B.example/', 'https://c/base', 'unix:/run/x.sock', 'http://[::1]:9']
const traits = some({ weight: few(1, 2, 9), backup: fc.boolean(), max_connections: few(0, 7) })

const backends: fc.Arbitrary<Json> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...urls), fc.option(traits)), {
    minLength: 1,
    maxLength: 5,
    selector: ([url]) => url,
  })
  .map((items) => items.map(([url, more]): Json => (more === null ? url : { url, ...more })))

const settings: Record<string, fc.Arbitrary<Json>> = {
  strategy: few('random', 'least-conn', 'first'),
  sticky: few(
    null,
    { by: 'ip' },
    { by: 'cookie', secret: 'a secret of the operator' },
    { by: 'header', header: 'X-U' },
  ),
}
const pool = fc
  .tuple(
    backends,
    some({
      ...settings,
      timeouts: some({ connect: duration, idle: duration, total: duration }),
      health_check: some({ interval: duration, path: few('/a', '/b'), rise: few(1, 2) }),
      keepalive: some({ max_idle: few(1, 5) }),
      hide_headers: few([], ['server', 'x-a']),
    }),
  )
  .map(([list, more]): Json => ({ ...more, backends: list }))

const names = ['api', 'web', 'next', 'old.one'] as const
const pools = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...names), pool), { maxLength: 3, selector: ([name]) => name })
  .map((entries) => Object.fromEntries(entries) as Entries)

const cache = fc.oneof(
  fc.boolean(),
  some({
    ttl: few('origin', '1m'),
    ttl_by_status: few({}, { '404': '5s', '5xx': 0 }),
    stale_if_error: few('origin', '1h'),
    key: few({ query: 'none' }, { query: { except: ['utm_*'] }, sort_query: true }),
    bypass: few({}, { cookie: { session: true } }),
  }),
)

/** Names are given out by index, so that no two routes take the same. */
const actions = fc.constantFrom<Entries>(
  { pool: 'default' },
  { redirect: { to: '/new', status: 308 } },
  { respond: { status: 204 } },
  // biome-ignore lint/suspicious/noTemplateCurlyInString: no variable of the environment once it is escaped
  { respond: { status: 200, body: 'literal ${{x}} \n "quoted"' } },
)
const route = fc.record({
  name: fc.option(fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5')),
  action: actions,
  cache: fc.option(cache),
  more: some({
    allow: few('10.0.0.0/8', ['::1', '10.0.0.0/8']),
    headers: few({ response: { set: { 'X-Env': 'prod', Cookie: 'a secret of a kind' } } }),
    security_headers: few(true, { frame_options: 'DENY' }),
  }),
})
const routes = fc.uniqueArray(route, { maxLength: 5, selector: ({ name }) => name ?? Math.random() }).map((list) =>
  list.map(({ name, action, cache, more }, i): Json => {
    const own = name === null ? {} : { name }
    // Of a fixed answer it would be a mistake.
    const stored = cache === null || !('pool' in action) ? {} : { cache }
    return { ...own, match: { path: `/${name ?? `n${i}`}/*` }, ...action, ...stored, ...more }
  }),
)

const listeners = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom('one', 'two', 'three'),
      more: some({ redirect_https: few(true, 8443), pool: few('default') }),
    }),
    { maxLength: 3, selector: ({ name }) => name },
  )
  .map((list) =>
    list.map(
      ({ name, more }): Json => ({ name, listen: `127.0.0.1:90${name.length}${name.charCodeAt(1) % 10}`, ...more }),
    ),
  )

const rest = some({
  limits: some({ header_size: few('1KB', '2KB'), max_connections: few(1, 2) }),
  logging: some({ level: few('info', 'warn'), access: few(null, { format: 'json' }) }),
  rate_limit: few({ key: 'ip', rate: '1/s' }),
  cache,
  cache_store: some({ memory: few('16MB', '1GB'), disk: few(null, { path: 'kept' }) }),
  trusted_proxies: few([], ['10.0.0.0/8']),
  workers: few('auto', 2),
  shutdown: few({ grace: '9s' }),
})

const flatPool = fc
  .tuple(
    backends,
    some({
      ...settings,
      health_check_frequency: duration,
      health_check_method: few('http'),
      health_check_path: few('/x'),
      backend_timeout: duration,
    }),
  )
  .map(([list, more]): Entries => ({ ...more, backends: list }))
const flatRest = some({
  port: few(8080, 9000),
  admin_port: few(8081, 9001),
  tls: few(
    { cert: 'a.pem', key: 'a.key' },
    { port: 9443, cert: 'a.pem', key: 'a.key', redirect_http: true },
    { cert: 'a.pem', key: 'a.key', min_version: '1.3', hsts: true },
  ),
})

/** With flat keys for listener, admin API and the pool `default`. */
const flat = fc
  .tuple(flatPool, flatRest, pools, listeners, routes, rest)
  .map(([one, two, more, list, paths, others]): Entries => {
    // With listeners and no port there would be no listener `default`.
    const port = list.length > 0 ? { port: 8080 } : {}
    return { ...port, ...two, ...one, ...more_(more), ...list_(list), ...routes_(paths), ...others }
  })

const long = fc
  .tuple(
    pool,
    pools,
    listeners,
    routes,
    rest,
    few(null, { listen: '[::1]:8081' }, { listen: ':8081', token: 'a token of 16 or more' }),
  )
  .map(([own, more, list, paths, others, admin]): Entries => {
    const first: Json = { name: 'default', listen: '127.0.0.1:8080' }
    return { listeners: [first, ...list], pools: { default: own, ...more }, admin, ...routes_(paths), ...others }
  })

const more_ = (more: Entries): Entries => (Object.keys(more).length === 0 ? {} : { pools: more })
const list_ = (list: readonly Json[]): Entries => (list.length === 0 ? {} : { listeners: list })
const routes_ = (list: readonly Json[]): Entries => (list.length === 0 ? {} : { routes: list })

/** Files as `loadConfig` takes them as values; almost all of them valid. */
export const validConfigs: fc.Arbitrary<Json> = fc.oneof(flat, long)
