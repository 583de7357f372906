import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../../test/support/random.ts'
import { FIELD_BLOCK } from '../http1/grammar.ts'
import { certificateFields, encodedValue } from './client-certificate.ts'

const names = { subject: 'x-subject', san: 'x-san', fingerprint: 'x-fingerprint' }
const certificate = { subject: 'CN=alice,O=Example', san: 'DNS:alice.example', fingerprint: 'ab'.repeat(32) }

test('a certificate is told in the fields that have a name, and nothing without one', () => {
  assert.equal(
    certificateFields(names, certificate),
    `x-subject: CN=alice,O=Example\r\nx-san: DNS:alice.example\r\nx-fingerprint: ${'ab'.repeat(32)}\r\n`,
  )
  assert.equal(
    certificateFields({ ...names, subject: null, san: null }, certificate),
    `x-fingerprint: ${'ab'.repeat(32)}\r\n`,
  )
  assert.equal(certificateFields(names, { ...certificate, san: '' }).includes('x-san'), false)
  assert.equal(certificateFields(names, null), '')
})

test('what is not printable ASCII is percent-encoded, and so is the percent sign', () => {
  assert.equal(encodedValue('CN=Zoë 100%'), 'CN=Zo%C3%AB 100%25')
  assert.equal(encodedValue('CN=a\r\nX-Admin: 1\0'), 'CN=a%0D%0AX-Admin: 1%00')
  assert.equal(encodedValue(' CN=a\\ '), '%20CN=a\\%20')
  assert.equal(encodedValue(' '), '%20')
  assert.equal(encodedValue('\u007f\u0085'), '%7F%C2%85')
})

test('whatever a certificate says is one field line, and decodes to what it said', () => {
  const random = new Random()
  for (let round = 0; round < 500; round++) {
    let value = ''
    for (let left = random.between(0, 40); left > 0; left--) {
      value += String.fromCharCode(random.between(0, random.between(0, 3) === 0 ? 0xd7ff : 0x90))
    }
    const encoded = encodedValue(value)
    assert.match(`x: ${encoded}\r\n`, FIELD_BLOCK, `seed ${random.seed}`)
    assert.equal(encoded, encoded.trim())
    assert.equal(decodeURIComponent(encoded), value)
  }
})
