// Documents in normal form for property tests, and what of them counts.
import fc from 'fast-check'
import type { Json } from '../../src/config/document/types.ts'

const few = (...values: Json[]): fc.Arbitrary<Json> => fc.constantFrom<Json>(...values)
const some = (model: Record<string, fc.Arbitrary<Json>>, requiredKeys: string[] = []) =>
  fc.record(model, { requiredKeys, noNullPrototype: true }) as fc.Arbitrary<Record<string, Json>>

const urls = [
  'http://a:1',
  'http://B.example',
  'http://b.example:80/',
  'https://c/base',
  'unix:/run/x.sock',
  'http://[::1]:9',
]
const backend = fc.oneof(
  few(...urls),
  some({ url: few(...urls), weight: few(1, 2, 9), backup: fc.boolean(), max_connections: few(0, 7) }, ['url']),
)
const duration = few('1s', '2s', 5)
const pool = some({
  strategy: few('random', 'least-conn', { custom: { name: 'x' } }),
  backends: fc.array(backend, { maxLength: 5 }),
  timeouts: some({ connect: duration, idle: duration, total: duration }),
  health_check: some({ interval: duration, path: few('/a', '/b'), rise: few(1, 2) }),
  sticky: few(null, { by: 'ip' }, { by: 'cookie', secret: 'a secret of the operator' }),
  tls: few({ verify: false }, { verify: true, ca: 'x.pem' }),
})
const names = few('a', 'b', 'c', 'd', 'e')
const route = fc.oneof(
  {
    weight: 6,
    arbitrary: some(
      {
        name: names,
        match: few('*', { path: '/a' }, { path: ['/a', '/b/*'] }),
        pool: names,
        allow: few('10.0.0.0/8', ['::1']),
      },
      ['name'],
    ),
  },
  { weight: 1, arbitrary: some({ match: few('*', { host: 'h' }), pool: names }) },
)
const listener = some(
  {
    name: names,
    listen: few(':80', '127.0.0.1:81', 'unix:/x'),
    pool: names,
    tls: few(null, { certificates: [{ cert: 'a', key: 'b' }] }, { certificates: [], min_version: '1.3' }),
    sni: few({ x: { pool: 'a', alpn: { h2: 'a', h3: 'b' } } }, { x: { pool: 'a', alpn: { h3: 'b', h2: 'a' } } }),
  },
  ['name', 'listen'],
)

/** Whole documents: of the form that files have, though not all of them valid. */
export const documents: fc.Arbitrary<Json> = some({
  listeners: fc.array(listener, { maxLength: 4 }),
  pools: fc.dictionary(names as fc.Arbitrary<string>, pool, { maxKeys: 3, noNullPrototype: true }),
  routes: fc.array(route, { maxLength: 5 }),
  admin: few(null, { listen: ':1' }, { listen: ':2', token: 'a token' }),
  limits: some({ header_size: few('1KB', '2KB'), max_connections: few(1, 2) }),
  logging: some({ level: few('info', 'warn'), access: few(null, {}, { format: 'json' }) }),
  rate_limit: few({ rate: '1/s' }, [{ rate: '2/s' }]),
  trusted_proxies: few([], ['10.0.0.0/8']),
  workers: few('auto', 2),
})

/**
 * The document with each backend an object with its URL in normal form, and without what is empty by default;
 * listeners by name. */
export function canonicalDocument(document: Json): Json {
  return shortened(document, [])
}

const emptiable = /^(pools|routes|limits|logging|pools\/[^/]+\/(backends|health_check|timeouts))$/

function shortened(value: Json, path: readonly string[]): Json {
  if (Array.isArray(value)) {
    const isBackends = path.length === 3 && path[2] === 'backends'
    const items = path.join() === 'listeners' ? [...value].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)) : value
    return items.map((item) => shortened(isBackends ? asObject(item) : item, [...path, '*']))
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, shortened(inner, [...path, key])] as const)
  return Object.fromEntries(
    entries.filter(([key, inner]) => !(isEmpty(inner) && emptiable.test([...path, key].join('/')))),
  )
}

const isEmpty = (value: Json): boolean => typeof value === 'object' && value !== null && Object.keys(value).length === 0

const nameOf = (item: Json): string => String((item as { name: Json }).name)

const normalUrl = (url: string): string => url.toLowerCase().replace(/^(http:\/\/b\.example).*/, '$1')

function asObject(item: Json): Json {
  if (typeof item === 'string') return { url: normalUrl(item) }
  const { url, ...rest } = item as Record<string, Json>
  return { ...rest, url: normalUrl(String(url)) }
}
