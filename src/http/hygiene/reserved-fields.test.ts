import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldedName, withoutReserved } from './reserved-fields.ts'
import { forwardableTrailers } from './trailers.ts'

const reserved = new Set(['x-client-cert-subject', 'ssl-client-cert'].map(foldedName))

test('a reserved field is taken out however CGI would read its name the same', () => {
  for (const name of [
    'X-Client-Cert-Subject',
    'x-client-cert-subject',
    'X-CLIENT-CERT-SUBJECT',
    'X_Client_Cert_Subject',
    'x-client_cert-Subject',
    'X.Client.Cert.Subject',
    "X!Client#Cert'Subject",
    'SSL_CLIENT_CERT',
  ]) {
    assert.equal(
      withoutReserved(`Accept: a\r\n${name}: CN=root\r\nHost: h\r\n`, reserved),
      'Accept: a\r\nHost: h\r\n',
      name,
    )
    assert.equal(withoutReserved(`${name}:CN=root\r\n`, reserved), '', name)
  }
})

test('its neighbours stay as they are, and a block without it is the same string', () => {
  for (const name of ['X-Client-Cert', 'X-Client-Cert-Subject-2', 'XClientCertSubject', 'X-X-Client-Cert-Subject']) {
    const block = `${name}: 1\r\nHost: x-client-cert-subject: 2\r\n`
    assert.equal(withoutReserved(block, reserved), block)
  }
  assert.equal(withoutReserved('', reserved), '')
})

test('several lines of it go, at the beginning, in the middle and at the end', () => {
  const line = 'X-Client-Cert-Subject: CN=root\r\n'
  assert.equal(withoutReserved(`${line}A: 1\r\n${line}${line}B: 2\r\n${line}`, reserved), 'A: 1\r\nB: 2\r\n')
})

test('it is no trailer either', () => {
  const trailers = 'X-Sum: 1\r\nX_Client_Cert_Subject: CN=root\r\nX-Forwarded-For: 1.2.3.4\r\n'
  assert.equal(forwardableTrailers(trailers, reserved), 'X-Sum: 1\r\n')
  assert.match(forwardableTrailers(trailers, new Set()), /X_Client_Cert_Subject/)
})
