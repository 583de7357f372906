// Examples for messages: what stands where people write a word, a number or the other kind of brackets.
import type { Path } from './source-tree.ts'

const errorPage = { status: '404', file: '404.html' }
const route = { match: { path: '/api/*' }, pool: 'api' }

/** Objects that people write as one word or number, by their key; what they wrote goes into the key it fits. */
const objectExamples: Readonly<Record<string, (value: unknown, path: Path) => object>> = {
  sticky: (value) => ({ by: value === 'ip' ? 'ip' : 'cookie' }),
  logging: (value) =>
    typeof value === 'string' && ['debug', 'info', 'warn', 'error'].includes(value)
      ? { level: value }
      : { format: value === 'text' ? 'text' : 'json' },
  access: (value) =>
    typeof value === 'string' && value.includes('{')
      ? { template: value }
      : { format: value === 'combined' ? 'combined' : 'json' },
  health_check: () => ({ path: '/health' }),
  passive_health: () => ({ max_fails: 5 }),
  timeouts: () => ({ first_byte: '10s' }),
  retries: (value) => ({ attempts: typeof value === 'number' ? value : 2 }),
  keepalive: () => ({ idle_timeout: '60s' }),
  limits: () => ({ max_connections: 1000 }),
  tls: (_, [place]) => {
    const pair = { cert: 'server.crt', key: 'server.key' }
    if (place === 'pools') return { ca: 'internal.pem' }
    return place === 'listeners' ? { certificates: [pair] } : pair
  },
  client_auth: (value) => ({ mode: value === 'optional' ? value : 'required', ca: 'clients.pem' }),
  sni: () => ({ '*': 'default' }),
  admin: () => ({ listen: '127.0.0.1:8081' }),
  cache_store: () => ({ memory: '256MB' }),
  disk: (value) => ({ path: firstText(value) ?? 'cache', size: '10GB' }),
  key: () => ({ query: { except: ['utm_*'] } }),
  bypass: () => ({ cookie: { session: true } }),
  no_store: () => ({ header: { 'X-Preview': true } }),
  cookie: (value) => ({ [firstText(value) ?? 'name']: true }),
  ttl_by_status: () => ({ '404': '10s' }),
  shutdown: () => ({ grace: '30s' }),
  rewrite: () => ({ pattern: '^/old/(.*)$', to: '/new/$1' }),
  header: (value) => ({ [firstText(value) ?? 'X-Name']: true }),
  query: (value) => ({ [firstText(value) ?? 'name']: true }),
  'split[]': (value) => ({ pool: firstText(value) ?? 'api', weight: 1 }),
  'to[]': (value) => ({ pool: firstText(value) ?? 'api', weight: 1 }),
  'error_pages[]': () => errorPage,
  'routes[]': () => route,
}

/** Lists that people write as an object or as one of their elements, by their key. */
const listExamples: Readonly<Record<string, (value: unknown) => readonly object[]>> = {
  split: splitTargets,
  to: splitTargets,
  error_pages: (value) => [{ ...errorPage, ...statusOf(value) }],
  routes: (value) => [routeOf(value)],
}

/** "an object", with an example where one is known. */
export function objectLike(value: unknown, path: Path): string {
  // Of its two forms the list is the one for most.
  if (path.at(-1) === 'split') return listLike(value, path)
  const example = objectExamples[keyOf(path)]?.(value, path)
  return example === undefined ? 'an object' : `an object such as ${written(example)}`
}

/** "a list", in the same way. */
export function listLike(value: unknown, path: Path): string {
  const example = listExamples[keyOf(path)]?.(value)
  return example === undefined ? 'a list' : `a list such as ${written(example)}`
}

/** "a string", in the same way. */
export function stringLike(value: unknown, path: Path): string {
  if (path.at(-1) !== 'share') return 'a string'
  // Nobody knows whether a fraction is one of a hundred or of one.
  const percent = Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 100 ? Number(value) : 10
  return `a percentage such as "${percent}%"`
}

/** Pools with their weights by name: neither of the two forms, but certainly meant as the list. */
export function isMapInsteadOfList(value: unknown, path: Path): boolean {
  return path.at(-1) === 'split' && isRecord(value) && !('to' in value) && !('by' in value)
}

/** Elements of a list have the key of the list. */
function keyOf(path: Path): string {
  const key = path.at(-1)
  return typeof key === 'number' ? `${path.at(-2)}[]` : String(key)
}

function splitTargets(value: unknown): readonly object[] {
  const given = isRecord(value) ? Object.entries(value).slice(0, 2) : []
  if (given.length === 0) return splitTargets({ [firstText(value) ?? 'api']: 90, next: 10 })
  return given.map(([pool, weight]) => ({ pool, weight: weightOf(weight) }))
}

/** Shares of one, and texts with a percent sign, become whole numbers too. */
function weightOf(value: unknown): number {
  const weight = Number(String(value).replace(/%$/, ''))
  if (!(weight > 0 && weight <= 65_535)) return 1
  return weight < 1 ? Math.max(1, Math.round(weight * 100)) : Math.round(weight)
}

function statusOf(value: unknown): object {
  const status = isRecord(value) ? Object.keys(value).find((key) => /^[45]\d\d(-[45]\d\d)?$/.test(key)) : undefined
  return status === undefined ? {} : { status }
}

function routeOf(value: unknown): object {
  const [first = ''] = isRecord(value) ? Object.keys(value) : []
  return first.startsWith('/') ? { ...route, match: { path: first } } : route
}

/** What was written, if it is short enough to be shown again. */
function firstText(value: unknown): string | undefined {
  const text: unknown = Array.isArray(value) ? value[0] : value
  return typeof text === 'string' && /^[\w.-]{1,64}$/.test(text) ? text : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON with a space after colons and commas. */
function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`
  if (!isRecord(value)) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, entry]) => `${JSON.stringify(key)}: ${written(entry)}`)
    .join(', ')}}`
}
