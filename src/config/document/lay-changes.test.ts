import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, type LoadOptions, loadConfig } from '../load.ts'
import { applyDifferences, differencesBetween } from './differences.ts'
import type { Difference, DocumentChange, Json } from './types.ts'

const by = { at: '2026-11-21T12:00:00.000Z', by: 'admin API (127.0.0.1)', revision: 7 }
const changes = (...differences: Difference[]): DocumentChange[] => differences.map((one) => ({ ...one, ...by }))
const load = (file: object, made: readonly DocumentChange[], more: LoadOptions = {}) =>
  loadConfig({ path: 'config.json', text: JSON.stringify(file), env: {}, changes: made, ...more })

const seed = { backends: ['http://a', 'http://b'], strategy: 'random' }
const weight = (url: string, value: Json): Difference => ({
  path: ['pools', 'default', 'backends', url, 'weight'],
  value,
})

function refusal(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigError) return error.format()
    throw error
  }
  return 'nothing was refused'
}

test('changes are laid over what the file says', () => {
  const { config, documents, kept, conflicts } = load(
    seed,
    changes(
      { path: ['pools', 'default', 'strategy'], base: 'random', value: 'least-conn' },
      weight('http://b', 5),
      { path: ['pools', 'default', 'backends', 'http://c'], value: 'http://c:80/', after: 'http://a' },
      { path: ['pools', 'default', 'timeouts', 'connect'], value: '3s' },
      { path: ['pools', 'default', 'health_check', 'path'], value: '/up' },
    ),
  )
  const pool = config.pools.default!
  assert.equal(pool.strategy, 'least-conn')
  assert.deepEqual(
    pool.backends.map(({ url, weight: share }) => [url, share]),
    [
      ['http://a', 1],
      ['http://c', 1],
      ['http://b', 5],
    ],
  )
  assert.equal(pool.timeouts.connectMs, 3000)
  assert.equal(pool.healthCheck?.method, 'http')
  assert.equal(kept.length, 5)
  assert.deepEqual(conflicts, [])
  assert.deepEqual(applyDifferences(documents.file, kept), documents.whole)
  assert.deepEqual((documents.file as { pools: Json }).pools, { default: seed })
})

test('the command line is a part of what changes are laid over', () => {
  const made = changes({ path: ['pools', 'default', 'strategy'], base: 'first', value: 'least-conn' })
  const { config, documents } = load(seed, made, { overrides: { strategy: 'first', port: 0 } })
  assert.equal(config.pools.default!.strategy, 'least-conn')
  assert.equal(config.listeners[0]!.port, 0)
  assert.deepEqual((documents.file as { listeners: Json }).listeners, [{ name: 'default', listen: ':0' }])
})

test('what has arrived in the file is dropped without a word', () => {
  const made = changes(weight('http://b', 5), { path: ['routes', 'x'], base: { name: 'x' } })
  const { kept, conflicts } = load({ ...seed, backends: ['http://a', { url: 'http://b', weight: 5 }] }, made)
  assert.deepEqual([kept, conflicts], [[], []])
})

test('a file that was changed later wins, and what is lost is told', () => {
  const made = changes({ path: ['pools', 'default', 'strategy'], base: 'first', value: 'least-conn' })
  const { config, kept, conflicts } = load(seed, made)
  assert.equal(config.pools.default!.strategy, 'random')
  assert.deepEqual(kept, [])
  assert.deepEqual(conflicts, [
    {
      path: ['pools', 'default', 'strategy'],
      file: 'random',
      api: 'least-conn',
      wins: 'file',
      message:
        'pools.default.strategy: the file was changed later and says "random"; that it was set to "least-conn" by admin API (127.0.0.1) at 2026-11-21T12:00:00.000Z is forgotten',
    },
  ])
})

test('a change whose place is gone is dropped, and told', () => {
  const made = changes(weight('http://gone', 5), { path: ['pools', 'api', 'strategy'], base: 'first', value: 'random' })
  const { kept, conflicts } = load(seed, made)
  assert.deepEqual(kept, [])
  assert.deepEqual(
    conflicts.map(({ message }) => message.split(';')[0]),
    ['pools.default.backends[http://gone].weight: that place is gone', 'pools.api.strategy: that place is gone'],
  )
})

test('a change to what another change has made stands and falls with it', () => {
  const made = changes(
    { path: ['pools', 'api'], value: { backends: ['http://x'] } },
    { path: ['pools', 'api', 'backends', 'http://y'], value: { url: 'http://y', weight: 2 } },
    { path: ['pools', 'api', 'strategy'], value: 'first' },
  )
  assert.deepEqual(
    load(seed, made).config.pools.api!.backends.map(({ url }) => url),
    ['http://x', 'http://y'],
  )
  const arrived = load({ ...seed, pools: { api: { backends: ['http://x'] } } }, made)
  assert.deepEqual(
    arrived.kept.map(({ path }) => path.at(-1)),
    ['http://y', 'strategy'],
  )
  assert.equal(arrived.config.pools.api!.backends.length, 2)
  const lost = load({ ...seed, pools: { api: { backends: ['http://other'] } } }, made)
  assert.deepEqual([lost.kept.length, lost.conflicts.length], [0, 3])
  assert.equal(lost.config.pools.api!.backends.length, 1)
})

test('the action of a route is lost as a whole, or not at all', () => {
  const file = (pool: string) => ({
    ...seed,
    pools: { api: { backends: ['http://x'] } },
    routes: [{ name: 'r', match: { path: '/r' }, pool }],
  })
  const from = load(file('default'), [])
  const redirected = { ...file('default'), routes: [{ name: 'r', match: { path: '/r' }, redirect: { to: '/s' } }] }
  const made = changes(...differencesBetween(from.documents.file, loadConfig({ value: redirected }).documents.file))
  assert.equal(load(file('default'), made).config.routes[0]!.action.kind, 'redirect')
  const later = load(file('api'), made)
  assert.deepEqual(later.config.routes[0]!.action, { kind: 'pool', pool: 'api' })
  assert.deepEqual([later.kept.length, later.conflicts.length], [0, 2])
})

test('changed routes are judged like any other', () => {
  const made = changes({ path: ['routes', 'r'], value: { name: 'r', match: { pth: '/x' }, pool: 'default' } })
  assert.match(
    refusal(() => load(seed, made)),
    /^changed by admin API \(127\.0\.0\.1\) at 2026-11-21T12:00:00\.000Z, revision 7: routes\.r\.match\.pth: unknown key; did you mean "path"\?; or undo it with "frontdesk config rollback"; if nothing runs, change it in config\.json, which then wins; or remove the state file/,
  )
})

test('a stored change that is refused is told with whose it is, beside the problems of the file', () => {
  const made = changes(
    { path: ['pools', 'default', 'strategy'], base: 'random', value: 'telepathy' },
    { path: ['pools', 'default', 'timeouts', 'connect'], value: { of: 'another form' } },
    weight('http://b', 0),
  )
  const words = refusal(() => load(seed, made))
  assert.match(words, /revision 7: pools\.default\.strategy: "telepathy" is not known here/)
  assert.match(words, /revision 7: pools\.default\.timeouts\.connect: /)
  assert.match(words, /revision 7: pools\.default\.backends\["http:\/\/b"\]\.weight: 0 is out of range/)
  const both = refusal(() => load({ ...seed, prot: 1 }, made))
  assert.match(both, /config\.json:1:\d+: prot: unknown key; did you mean "port"/)
})

test('a change that leads nowhere at all does no harm', () => {
  const made = changes(
    { path: ['pools', 'default', 'strategy', 'deeper', 'still'], value: 1 },
    { path: ['nothing', 'like', 'this'], value: {} },
    { path: ['listeners', 'default', 'listen'], base: ':1', value: null },
  )
  assert.equal(load(seed, made).conflicts.length, 3)
  assert.match(
    refusal(() => load(seed, changes({ path: ['nothing'], value: {} }))),
    /revision 7: nothing: unknown key/,
  )
})

test('secrets in conflicts are not told', () => {
  const admin = { token: 'a token that is long enough' }
  const made = changes({ path: ['admin', 'token'], base: 'x', value: 'another secret' })
  const [conflict] = load({ ...seed, admin }, made).conflicts
  assert.deepEqual([conflict!.file, conflict!.api], ['***', '***'])
  assert.doesNotMatch(conflict!.message, /secret|long enough/)
})

test('the last backend of a pool may be taken out, but must not be forgotten in a file', () => {
  const file = { backends: ['http://a'] }
  const made = changes({ path: ['pools', 'default', 'backends', 'http://a'], base: 'http://a', after: null })
  const { config, documents } = load(file, made)
  assert.deepEqual(config.pools.default!.backends, [])
  assert.deepEqual((documents.whole as { pools: Json }).pools, { default: { backends: [] } })
  // As it comes back from the admin API, with a change.
  const value = { ...(documents.whole as object), workers: 2 }
  assert.equal(loadConfig({ value, allowEmptyPools: true }).config.workers, 2)
  assert.match(
    refusal(() => loadConfig({ value })),
    /backends: needs at least one backend/,
  )
  const again = load(file, [...made, ...changes({ path: ['pools', 'default', 'strategy'], value: 'first' })])
  assert.equal(again.config.pools.default!.strategy, 'first')
})

test('whose a refused change is stays told when problems are given their places later', () => {
  const loaded = load(seed, [])
  try {
    load(seed, changes({ path: ['pools', 'default', 'strategy'], base: 'random', value: 'telepathy' }))
    assert.fail('nothing was refused')
  } catch (error) {
    const located = loaded.locate(error) as ConfigError
    assert.match(
      located.format(),
      /^changed by admin API \(127\.0\.0\.1\) at [^ ]+, revision 7: pools\.default\.strategy/,
    )
  }
})
