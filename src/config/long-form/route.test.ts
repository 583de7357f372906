// Whatever a route says, its long form says the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ConfigError, loadConfig } from '../load.ts'
import { longFormWithSecrets } from '../long-form.ts'

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/)
const pool = fc.constantFrom('api', 'next')
// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the file
const text = fc.oneof(fc.string({ maxLength: 8 }), fc.constant('${X} $${Y} {client.ip} {{ ü'))
const value = text.map((one) => `${one.replace(/[\0-\x1f\x7f{$]/g, '')}{request.id}`)
const key = fc.constantFrom('ip', 'all', 'header:X-User', 'cookie:id')
const duration = fc.integer({ min: 1, max: 86_400 }).map((seconds) => `${seconds}s`)
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const record = <T extends object>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(shape, { noNullPrototype: true })
const fields = fc.dictionary(
  fc.constantFrom('X-A', 'X-B', 'x-c'),
  fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 })),
  { noNullPrototype: true },
)
const conditions = fc.dictionary(
  word,
  fc.oneof(fc.constant(true), text, fc.array(text, { minLength: 1, maxLength: 2 })),
  { noNullPrototype: true },
)

const match = record({
  host: optional(fc.oneof(fc.constant('*.Example.com'), fc.array(word, { minLength: 1, maxLength: 2 }))),
  path: fc
    .array(word, { minLength: 1, maxLength: 3 })
    .map((words) => `/${words.join('/{x}/').replace('/{x}/', '/{y}/')}/*`),
  method: optional(fc.constantFrom('OPTIONS', ['POST', 'PUT', 'OPTIONS'])),
  header: optional(conditions),
  query: optional(conditions),
  client: optional(fc.constantFrom('10.1.2.3/8', ['::1', 'unix'])),
  listener: optional(fc.constant('web')),
})
const split = fc.constantFrom(
  [{ pool: 'api', weight: 3 }, { pool: 'next' }],
  { to: [{ pool: 'api' }], by: 'ip' },
  { to: [{ pool: 'api' }, { pool: 'next' }], by: 'header:X-User' },
)
const limit = fc.oneof(
  fc.constant('10/s'),
  record({
    key: optional(key),
    rate: fc.integer({ min: 1, max: 99 }).map((n) => `${n}/90s`),
    burst: optional(fc.integer({ min: 1, max: 9 })),
  }),
)
const names = optional(fc.constantFrom([], ['X-A'], ['x-b', 'X-C']))
const limits = optional(
  record({ header: optional(conditions), cookie: optional(conditions), query: optional(conditions) }),
)
const cache = record({
  ttl: optional(fc.oneof(fc.constant('origin'), duration)),
  ttl_by_status: optional(
    fc.dictionary(fc.constantFrom('404', '410-418', '4xx', '2XX', '200-299', '503'), duration, {
      noNullPrototype: true,
    }),
  ),
  default_ttl: optional(fc.oneof(fc.constant(0), duration)),
  heuristic: optional(
    fc.oneof(
      fc.constant(false),
      record({ share: optional(fc.constantFrom('10%', '0.5%', 0.25, 0, 1)), max: optional(duration) }),
    ),
  ),
  stale_while_revalidate: optional(fc.oneof(fc.constant('origin'), duration)),
  stale_if_error: optional(fc.oneof(fc.constant('origin'), duration)),
  stale_when_down: optional(fc.oneof(fc.constant(0), duration)),
  key: optional(
    record({
      query: optional(fc.constantFrom('all', 'none', { only: 'a*' }, { except: ['utm_*', 'b'] })),
      sort_query: optional(fc.boolean()),
      headers: names,
      cookies: names,
    }),
  ),
  vary: names,
  bypass: limits,
  no_store: limits,
  client_directives: optional(fc.constantFrom('honor', 'no-reload', 'ignore')),
  set_cookie: optional(fc.constantFrom('skip', 'strip', 'store')),
  target_fields: names,
  tag_fields: names,
  status: optional(fc.constantFrom('on', 'off', 'key')),
  wait_for: optional(fc.oneof(fc.constant(0), fc.constant('3s'))),
})
const forwarding = fc.oneof(record({ pool }), record({ split })).chain((action) =>
  record({
    mirror: optional(
      fc.oneof(pool, record({ pool, share: fc.constantFrom('1%', '0.125%'), max_body: optional(fc.constant('3KB')) })),
    ),
    strip_prefix: fc.constant(undefined),
    add_prefix: optional(fc.constant('/v1/')),
    rewrite: optional(fc.constant({ pattern: '^/(?P<a>x)', to: '/$${a}$1' })),
    timeouts: optional(record({ connect: optional(duration), total: optional(duration) })),
    retries: optional(
      record({
        attempts: optional(fc.nat(9)),
        on: optional(fc.constantFrom(['reset'], ['502', 'connect'], [])),
        budget: optional(fc.constant('33%')),
      }),
    ),
    body_size: optional(fc.constantFrom(0, '5MB')),
    host_header: optional(fc.constantFrom('backend', 'a.example:80')),
    sticky: optional(fc.constantFrom(false, { by: 'cookie' }, { by: 'ip', ttl: '5m' })),
    compression: optional(fc.constantFrom(true, false, { min_size: 0, types: 'text/*' })),
    cache: optional(fc.oneof(fc.boolean(), cache)),
  }).map((rest) => ({ ...action, ...rest })),
)
const answering = fc.oneof(
  record({
    redirect: fc.oneof(
      fc.constant('/elsewhere'),
      record({
        to: fc.constant('https://x.example/{path}'),
        status: fc.constantFrom(301, 308),
        keep_query: fc.boolean(),
      }),
    ),
  }),
  record({
    respond: fc.oneof(
      fc.constant(404),
      record({
        status: optional(fc.constant(203)),
        body: text.map((one) => one.replaceAll('{', '{{').replaceAll('${', '$${')),
        headers: optional(fields),
      }),
    ),
  }),
)
const route = fc.tuple(match, fc.oneof(forwarding, answering)).chain(([conditions, action]) =>
  record({
    headers: optional(
      record({
        response: optional(
          record({
            set: optional(fields),
            add: optional(fields),
            remove: optional(fc.constantFrom('X-D', ['X-E', 'Server'])),
          }),
        ),
      }),
    ),
    allow: optional(fc.constantFrom('10.0.0.0/8', ['::/0'])),
    deny: optional(fc.constant(['unix'])),
    rate_limit: optional(fc.oneof(limit, fc.array(limit, { minLength: 1, maxLength: 3 }))),
    concurrency: optional(fc.oneof(fc.integer({ min: 1, max: 5 }), record({ key, max: fc.constant(7) }))),
    cors: optional(
      fc.constantFrom(true, false, { origins: 'https://a.example:443', credentials: true, headers: ['X-A'] }),
    ),
    forward_auth: optional(fc.constantFrom('http://localhost:1/x', { url: 'https://a.example', timeout: '1s' })),
    security_headers: optional(fc.constantFrom(true, false, { frame_options: null, permissions_policy: 'camera=()' })),
    error_pages: optional(fc.constant([{ status: ['404', '500-503'], body: 'x {status} {' }])),
    use: optional(fc.constantFrom('one', ['one', { 'two:three': { a: [1, null] } }])),
  }).map((rest) => ({ match: conditions, ...action, ...rest })),
)

const base = {
  listeners: [{ name: 'web', listen: ':80' }],
  pools: { api: { backends: ['http://localhost:1'] }, next: { backends: ['http://localhost:2'] } },
  state_file: null,
}
const load = (file: object) => loadConfig({ text: JSON.stringify(file), env: { X: 'x' } }).config

test('the long form of any route means the same', () => {
  let valid = 0
  fc.assert(
    fc.property(route, (one) => {
      let config: ReturnType<typeof load>
      try {
        config = load({ ...base, routes: [one] })
      } catch (error) {
        assert.ok(error instanceof ConfigError)
        return
      }
      valid++
      assert.deepEqual(load(longFormWithSecrets(config)), config)
    }),
    { numRuns: 300 },
  )
  assert.ok(valid > 150, `${valid} valid ones`)
})
