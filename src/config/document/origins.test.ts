import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../load.ts'
import type { ValueOrigin } from './types.ts'

const at = '2026-11-21T12:00:00.000Z'
const by = 'admin API (127.0.0.1)'
const text = `{
  "backends": ["http://a", { "url": "http://b", "weight": 3 }],
  "strategy": "\${STRATEGY}",
  "admin": { "token": "a token of the operator" },
  "routes": [{ "match": { "path": "/r" }, "respond": { "status": 200, "body": "$\${{x}}" } }]
}`
const changes = [
  { path: ['pools', 'default', 'backends', 'http://a', 'weight'], value: 9, at, by, revision: 7 },
  { path: ['pools', 'default', 'timeouts', 'connect'], value: '3s', at, by, revision: 8 },
]
const origins = loadConfig({
  path: 'config.json',
  text,
  env: { STRATEGY: 'random' },
  overrides: { port: 9000 },
  changes,
}).origins()

const of = (path: string): ValueOrigin => {
  const found = origins.filter((one) => one.path === path)
  assert.equal(found.length, 1, `${path} in ${origins.map((one) => one.path).join(', ')}`)
  return found[0]!
}
const nobody = { at: null, by: null, revision: null }

test('every value knows where it comes from', () => {
  const place = (line: number, column: number) => `config.json:${line}:${column}`
  const expected: readonly ValueOrigin[] = [
    { path: 'pools.default.backends[http://b].weight', value: 3, origin: 'file', place: place(2, 59), ...nobody },
    { path: 'pools.default.backends[http://a].url', value: 'http://a', origin: 'file', place: place(2, 16), ...nobody },
    { path: 'pools.default.backends[http://a].backup', value: false, origin: 'default', place: null, ...nobody },
    { path: 'pools.default.backends[http://a].weight', value: 9, origin: 'api', place: null, at, by, revision: 7 },
    { path: 'pools.default.timeouts.connect', value: '3s', origin: 'api', place: null, at, by, revision: 8 },
    { path: 'pools.default.timeouts.idle', value: '1m', origin: 'default', place: null, ...nobody },
    { path: 'pools.default.strategy', value: 'random', origin: 'environment', place: place(3, 15), ...nobody },
    { path: 'listeners[default].listen', value: ':9000', origin: 'command_line', place: '--port', ...nobody },
    { path: 'limits.max_connections', value: 0, origin: 'default', place: null, ...nobody },
  ]
  for (const one of expected) assert.deepEqual(of(one.path), one)
})

test('secrets are not told, and what only looks like a variable is told as it is', () => {
  assert.equal(of('admin.token').value, '***')
  assert.doesNotMatch(JSON.stringify(origins), /of the operator/)
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as the answer has it
  assert.equal(of('routes[route-1].respond.body').value, '${{x}}')
})

test('what a command has put together comes from the command line', () => {
  const loaded = loadConfig({
    text: '{"listeners": [{"name": "default", "listen": ":8443"}]}',
    overrides: { backends: [{ url: 'http://a', weight: 1 }] },
  })
  const found = loaded.origins().find(({ path }) => path === 'listeners[default].listen')
  assert.deepEqual(found, { path: found?.path, value: ':8443', origin: 'command_line', place: null, ...nobody })
})

test('what a route says of caching comes from itself, from the top level, or from nobody', () => {
  const loaded = loadConfig({
    path: 'config.json',
    text: `{
  "backends": ["http://a"],
  "cache": { "ttl": "1m", "status": "off" },
  "routes": [
    { "name": "own", "match": { "path": "/own" }, "pool": "default", "cache": { "ttl": "2m" } },
    { "name": "said", "match": { "path": "/said" }, "pool": "default", "cache": true },
    { "name": "none", "match": { "path": "/none" }, "pool": "default" }
  ]
}`,
  })
  const found = new Map(loaded.origins().map(({ path, value, place }) => [path, [value, place]]))
  const of = (route: string) => ['ttl', 'status', 'set_cookie'].map((key) => found.get(`routes[${route}].cache.${key}`))
  const [ttl, status] = [
    ['1m', 'config.json:3:21'],
    ['off', 'config.json:3:37'],
  ]
  assert.deepEqual(of('own'), [['2m', 'config.json:5:88'], status, ['skip', null]])
  for (const route of ['said', 'none', 'default']) assert.deepEqual(of(route), [ttl, status, ['skip', null]], route)
})
