import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fields, TestRequest, type TestRequestOptions } from '../../../../test/support/request-view.ts'
import { authFields } from './auth-fields.ts'

/** As pairs, lower case, sorted. */
function told(options: TestRequestOptions, requestHeaders: readonly string[] = [], trusted: readonly string[] = []) {
  const flat = authFields(new TestRequest(options), { requestHeaders, trusted: new Set(trusted) })
  const pairs: string[] = []
  for (let at = 0; at < flat.length; at += 2) pairs.push(`${flat[at]!.toLowerCase()}: ${flat[at + 1]}`)
  return pairs
}

const own = [
  'x-forwarded-method: GET',
  'x-forwarded-proto: http',
  'x-forwarded-host: t.example',
  'x-forwarded-uri: /',
  'x-forwarded-for: 127.0.0.1',
  'x-request-id: test-request-id',
]

test('what is asked for, by whom, in our own words', () => {
  const client = { address: '192.0.2.7', trusted: false }
  const asked = { method: 'DELETE', target: '/a/b?c=%2F', host: 'shop.example', scheme: 'https', client } as const
  assert.deepEqual(told({ ...asked, fields: [['Host', 'Shop.Example.:8443']] }), [
    'x-forwarded-method: DELETE',
    'x-forwarded-proto: https',
    'x-forwarded-host: shop.example:8443',
    'x-forwarded-uri: /a/b?c=%2F',
    'x-forwarded-for: 192.0.2.7',
    'x-request-id: test-request-id',
  ])
})

test('a client has no say in that, however it spells the names', () => {
  const fields: Fields = [
    ['X-Forwarded-Method', 'GET'],
    ['x_forwarded_uri', '/public'],
    ['X-Forwarded-URI', '/public'],
    ['X.Forwarded.Host', 'public.example'],
    ['X-Forwarded-For', '10.0.0.1'],
    ['X-Forwarded-Prefix', '/x'],
    ['X-Forwarded-Port', '1'],
    ['Forwarded', 'for=10.0.0.1'],
    ['X-Real-IP', '10.0.0.1'],
    ['X-Original-URL', '/public'],
    ['X_Original_URI', '/public'],
    ['X-Original-Method', 'GET'],
    ['X-Rewrite-URL', '/public'],
    ['X-HTTP-Method-Override', 'GET'],
    ['X-Request-Id', 'chosen'],
  ]
  assert.deepEqual(told({ fields }), own)
  const names = fields.map(([name]) => name.toLowerCase())
  assert.deepEqual(told({ fields }, names), own, 'even where they are asked for')
})

test('a trusted proxy is believed for what it knows better', () => {
  const fields: Fields = [
    ['X-Forwarded-For', '192.0.2.1'],
    ['X-Forwarded-For', '192.0.2.2'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'front.example'],
    ['X-Forwarded-Uri', '/public'],
    ['X-Forwarded-Method', 'GET'],
    ['X-Forwarded-Prefix', '/x'],
  ]
  assert.deepEqual(told({ method: 'PUT', target: '/admin', fields, client: { address: '10.0.0.9', trusted: true } }), [
    'x-forwarded-method: PUT',
    'x-forwarded-proto: https',
    'x-forwarded-host: front.example',
    'x-forwarded-uri: /admin',
    'x-forwarded-for: 192.0.2.1, 192.0.2.2, 10.0.0.9',
    'x-request-id: test-request-id',
    'x-forwarded-prefix: /x',
  ])
})

test('what is of the hop, of the body, or a condition is not passed on', () => {
  const fields: Fields = [
    ['Cookie', 'a=b'],
    ['Connection', 'close, X-Hop'],
    ['X-Hop', '1'],
    ['x_hop', '1'],
    ['Content-Length', '5'],
    ['Content-Type', 'text/plain'],
    ['Transfer-Encoding', 'chunked'],
    ['Expect', '100-continue'],
    ['Upgrade', 'websocket'],
    ['TE', 'trailers'],
    ['Range', 'bytes=0-1'],
    ['If-None-Match', '"x"'],
    ['Proxy', 'http://evil.example'],
    ['Proxy-Authorization', 'Basic x'],
    ['Accept', 'a'],
    ['accept', 'b'],
    ['Accept-Language', 'de'],
  ]
  assert.deepEqual(told({ fields }).slice(own.length), ['cookie: a=b', 'accept: a', 'accept: b', 'accept-language: de'])
  assert.deepEqual(told({ fields }, ['cookie', 'range', 'x-hop', 'x-none']).slice(own.length), ['cookie: a=b'])
})

test('a client that says what only the server may say of it is not heard there either', () => {
  const fields: Fields = [
    ['Remote-User', 'admin'],
    ['remote_user', 'admin'],
    ['Authorization', 'Bearer x'],
    ['Cookie', 'session=1'],
  ]
  const copied = ['remote-user', 'authorization', 'cookie']
  assert.deepEqual(told({ fields }, [], copied).slice(own.length), ['authorization: Bearer x', 'cookie: session=1'])
})

test('without Host, and from a Unix socket, nothing is made up', () => {
  const client = { address: 'unix:' }
  assert.deepEqual(
    told({ host: '', fields: [['Host', '']], client }),
    own.filter((line) => !/-(?:host|for):/.test(line)),
  )
})
