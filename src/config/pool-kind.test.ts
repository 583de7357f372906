import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideKinds, kindOfUrl, kindProblem } from './pool-kind.ts'

test('a URL tells its kind, but for a Unix socket', () => {
  assert.deepEqual(['http://h', 'https://h', 'tcp://h:1', 'tls://h:1', 'unix:/x'].map(kindOfUrl), [
    'http',
    'http',
    'tcp',
    'tcp',
    null,
  ])
})

test('a backend of the other kind has no place in a pool, and a socket has one in both', () => {
  const db = { name: 'db', kind: 'tcp' } as const
  const web = { name: 'web', kind: 'http' } as const
  assert.equal(kindProblem(db, 'unix:/x'), null)
  assert.equal(kindProblem(web, 'unix:/x'), null)
  assert.equal(kindProblem(db, 'tls://h:1'), null)
  assert.match(kindProblem(db, 'http://h')!, /^http:\/\/h does not fit: pool db is a TCP pool, .* tcp:\/\//)
  assert.match(kindProblem(web, 'tcp://h:1')!, /pool web is an HTTP pool/)
})

const listener = { redirectHttpsPort: 0, sni: [], pool: null } as const
const sockets = { backends: [{ url: 'unix:/x' }] }

test('where all backends are sockets, the first listener that serves from them decides', () => {
  const kinds = (listeners: Parameters<typeof decideKinds>[0]['listeners'], pools = { db: sockets }) =>
    [...decideKinds({ listeners, pools, routes: [] }).values()].map(({ kind }) => kind)
  assert.deepEqual(kinds([]), ['http'])
  assert.deepEqual(kinds([{ ...listener, name: 'a', protocol: 'tcp', pool: 'db' }]), ['tcp'])
  assert.deepEqual(kinds([{ ...listener, name: 'a', protocol: 'tcp' }]), ['tcp'], 'the only pool')
  const sni = [{ name: '*', pool: 'x', alpn: [{ protocol: 'h2', pool: 'db' }] }]
  assert.deepEqual(kinds([{ ...listener, name: 'a', protocol: 'tls-passthrough', sni }]), ['tcp'])
  const redirect = { ...listener, name: 'a', protocol: 'http', redirectHttpsPort: 443 } as const
  assert.deepEqual(kinds([redirect, { ...listener, name: 'b', protocol: 'tcp' }]), ['tcp'], 'a redirect serves nothing')
})
