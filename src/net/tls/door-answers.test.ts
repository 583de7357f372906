import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainHttpAnswer, refusedCertificateAnswer } from './door-answers.ts'

test('plain HTTP on a TLS port is answered 400 with one sentence, and the connection closed', () => {
  const [head, body] = plainHttpAnswer().split('\r\n\r\n')
  const [line, ...fields] = head!.split('\r\n')
  assert.equal(line, 'HTTP/1.1 400 Bad Request')
  assert.ok(fields.includes('Connection: close'))
  assert.ok(fields.includes('Content-Type: text/plain; charset=utf-8'))
  assert.ok(fields.includes(`Content-Length: ${Buffer.byteLength(body!)}`))
  assert.ok(!fields.some((field) => /^strict-transport-security/i.test(field)))
  assert.match(body!, /https:\/\//)
})

test('a refused certificate is told of with its reason and the right length', () => {
  const text = refusedCertificateAnswer('certificate has expired')
  const [head = '', body = ''] = text.split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 400 Bad Request\r\n/)
  assert.match(head, new RegExp(`Content-Length: ${body.length}\r\n`))
  assert.match(body, /^The client certificate was refused: certificate has expired\.\n$/)
})
