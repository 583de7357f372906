import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientCertificate } from '../../net/arrival.ts'
import { foldedName, nothingReserved } from '../hygiene/reserved-fields.ts'
import { type ClientFacts, type FieldRules, readRequestFields } from './request-fields.ts'

const alice: ClientCertificate = { subject: 'CN=alice', san: 'DNS:alice.example', fingerprint: 'aa'.repeat(32) }
const names = { subject: 'x-cert-subject', san: 'x-cert-san', fingerprint: 'x-cert-fingerprint' }
const plain: FieldRules = {
  instanceId: 'i',
  maxFields: 100,
  reserved: nothingReserved,
  certificateNames: null,
  isTrusted: () => false,
}
const reserving: FieldRules = { ...plain, reserved: new Set(Object.values(names).map(foldedName)) }
const telling: FieldRules = { ...reserving, certificateNames: names }
const stranger: ClientFacts = { address: '192.0.2.1', trusted: false, scheme: 'http', certificate: null }

function read(block: string, facts: Partial<ClientFacts> = {}, rules = plain) {
  const fields = readRequestFields(block, 1, { ...stranger, ...facts }, rules)
  const lines = fields.forward.split('\r\n').slice(0, -1)
  const all = (name: string) =>
    lines.filter((line) => line.toLowerCase().startsWith(`${name}: `)).map((line) => line.slice(name.length + 2))
  return { fields, all }
}

test('by TLS the scheme is https, whatever a stranger says of it', () => {
  assert.deepEqual(read('X-Forwarded-Proto: http\r\n', { scheme: 'https' }).all('x-forwarded-proto'), ['https'])
  assert.deepEqual(read('X-Forwarded-Proto: https\r\n').all('x-forwarded-proto'), ['http'])
})

test('a trusted proxy knows by what scheme its own client came', () => {
  const { all } = read('X-Forwarded-Proto: http\r\n', { scheme: 'https', trusted: true })
  assert.deepEqual(all('x-forwarded-proto'), ['http'])
})

test('who comes in by a Unix socket has no address to be told of', () => {
  assert.deepEqual(read('Host: h\r\n', { address: 'unix:' }).all('x-forwarded-for'), [])
  assert.deepEqual(read('X-Forwarded-For: 6.6.6.6\r\n', { address: 'unix:' }).all('x-forwarded-for'), [])
  const trusted = { address: 'unix:', trusted: true }
  assert.deepEqual(read('X-Forwarded-For: 6.6.6.6\r\n', trusted).all('x-forwarded-for'), ['6.6.6.6'])
  assert.deepEqual(read('Host: h\r\n', trusted).all('x-forwarded-for'), [])
  assert.deepEqual(read('Host: h\r\n', trusted).all('x-forwarded-proto'), ['http'])
})

test('a certificate is told once, in place of what the client says of it', () => {
  const { all } = read(
    'Host: h\r\nX-Cert-Subject: CN=root\r\nx_cert_san: DNS:root\r\n',
    { certificate: alice },
    telling,
  )
  assert.deepEqual(all('x-cert-subject'), ['CN=alice'])
  assert.deepEqual(all('x-cert-san'), ['DNS:alice.example'])
  assert.deepEqual(all('x_cert_san'), [])
  assert.deepEqual(all('x-cert-fingerprint'), [alice.fingerprint])
})

test('without a certificate nothing is told, and nothing believed: trusted or not, told here or elsewhere', () => {
  const block = 'Host: h\r\nX-Cert-Subject: CN=root\r\nX_Cert_Fingerprint: 00\r\nx-cert-san: DNS:root\r\n'
  for (const rules of [telling, reserving]) {
    for (const trusted of [false, true]) {
      const { fields } = read(block, { trusted }, rules)
      assert.equal(fields.error, null)
      assert.doesNotMatch(fields.forward, /cert/i)
      assert.doesNotMatch(fields.lookup, /cert/i)
    }
  }
  assert.match(read(block).fields.forward, /^X-Cert-Subject: CN=root$/m)
})

test('Connection cannot take our own fields away', () => {
  const block =
    'Host: h\r\nConnection: X-Cert-Subject, X-Cert-San, close, X-Forwarded-Proto\r\nX-Cert-Subject: CN=root\r\n'
  const { all } = read(block, { certificate: alice }, telling)
  assert.deepEqual(all('x-cert-subject'), ['CN=alice'])
  assert.deepEqual(all('x-cert-san'), ['DNS:alice.example'])
  assert.deepEqual(all('x-forwarded-proto'), ['http'])
})

test('strategies look at our word on a certificate', () => {
  const { fields } = read('Host: h\r\nX-Cert-Subject: CN=root\r\n', { certificate: alice }, telling)
  assert.match(fields.lookup, /^x-cert-subject: CN=alice\r\n/)
  assert.doesNotMatch(fields.lookup, /root/)
  assert.equal(fields.block, 'Host: h\r\nX-Cert-Subject: CN=root\r\n', 'the key of the cache is what was sent')
})

test('a malformed block is refused before anything is taken out of it', () => {
  assert.equal(read('X-Cert-Subject: a\r\nX-Cert-San\r\n', {}, telling).fields.error?.name, 'bad_field')
  assert.equal(read('X-Cert-Subject : a\r\n', {}, telling).fields.error?.name, 'bad_field')
})
