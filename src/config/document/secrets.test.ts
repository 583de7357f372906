import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { documents } from '../../../test/support/config-documents.ts'
import { redactDocument, withSecrets } from './secrets.ts'
import type { Json } from './types.ts'

const route = (name: string, secret: Json): Json => ({
  name,
  headers: { request: { set: { Authorization: secret, 'X-Env': '***' }, add: { 'X-Api-Key': [secret, 'b'] } } },
  basic_auth: { users: { ann: `hash of ${secret}` } },
  pool: 'default',
})
const running: Json = {
  pools: { default: { backends: ['http://a'], sticky: { by: 'cookie', secret: 'sticky secret' } } },
  admin: { listen: ':1', token: 'full token', read_token: 'read token' },
  routes: [route('one', 'first'), route('two', 'second')],
}

test('what is shown has no secrets, and comes back with them', () => {
  const shown = redactDocument(running)
  assert.doesNotMatch(JSON.stringify(shown), /token"?:"[^*]|secret"?:"[^*]|first|second|hash of/)
  assert.deepEqual(withSecrets(shown, running), { document: running, problems: [] })
})

test('any document comes back as it was', () => {
  fc.assert(
    fc.property(documents, (document) => {
      assert.deepEqual(withSecrets(redactDocument(document), document), { document, problems: [] })
    }),
  )
})

test('routes are known by their names, in whatever order they come back', () => {
  const { routes } = redactDocument(running) as { routes: Json[] }
  const { document, problems } = withSecrets({ routes: [...routes].reverse() }, running)
  assert.deepEqual(problems, [])
  assert.deepEqual(document, { routes: [route('two', 'second'), route('one', 'first')] })
})

test('a route without a name gets its secrets back only as long as it is the same', () => {
  const nameless = (path: string, secret: string): Json => ({
    match: { path },
    forward: { token: secret },
    pool: 'default',
  })
  const routes = [nameless('/a', 'of a'), nameless('/b', 'of b')]
  const [a, b] = (redactDocument({ routes }) as { routes: Json[] }).routes
  assert.deepEqual(withSecrets({ routes: [b!, a!] }, { routes }).document, { routes: [...routes].reverse() })
  const changed = withSecrets({ routes: [nameless('/elsewhere', '***')] }, { routes })
  assert.deepEqual(
    changed.problems.map(({ path }) => path),
    ['routes[0].forward.token'],
  )
})

test('flat keys have their secrets where the normal form has them', () => {
  const { document } = withSecrets({ sticky: { by: 'cookie', secret: '***', ttl: '2h' } }, running)
  assert.deepEqual(document, { sticky: { by: 'cookie', secret: 'sticky secret', ttl: '2h' } })
})

test('where there is no secret that could stay, that is a problem with its place', () => {
  const wanted = { admin: { token: '***' }, routes: [route('three', '***')] }
  const { problems } = withSecrets(wanted, { admin: { listen: ':1' }, routes: [] })
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['admin.token', 'routes[0].headers.request.set.Authorization', 'routes[0].headers.request.add.X-Api-Key[0]'],
  )
  assert.match(problems[0]!.message, /there is none; write the token itself/)
})

test('a new secret is taken as it is', () => {
  const { document } = withSecrets({ admin: { token: 'another' } }, running)
  assert.deepEqual(document, { admin: { token: 'another' } })
})

test('what header fields and options of plug-ins call their secrets is one', () => {
  const step = { login: { client_secret: 'hush', apiKey: 'hush', user: 'me', nested: [{ password: 'hush' }] } }
  const set = { 'X-Auth-Token': 'hush', 'X-Env': 'prod' }
  const routes = [{ name: 'a', use: [step], headers: { request: { set } }, pool: 'default' }]
  const shown = redactDocument({ routes })
  assert.doesNotMatch(JSON.stringify(shown), /hush/)
  assert.match(JSON.stringify(shown), /"user":"me".*"X-Env":"prod"/)
  assert.deepEqual(withSecrets(shown, { routes }), { document: { routes }, problems: [] })
})
