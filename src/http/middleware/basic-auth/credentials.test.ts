import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readCredentials } from './credentials.ts'

const basic = (text: string | Uint8Array): string => `Basic ${Buffer.from(text).toString('base64')}`

test('user and password, the password with colons of its own', () => {
  // RFC 7617 §2 and §2.1.
  assert.deepEqual(readCredentials('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='), { user: 'Aladdin', password: 'open sesame' })
  assert.deepEqual(readCredentials('Basic dGVzdDoxMjPCow=='), { user: 'test', password: '123£' })
  assert.deepEqual(readCredentials('bAsIc  YTpiOmM='), { user: 'a', password: 'b:c' })
  assert.deepEqual(readCredentials(basic(':')), { user: '', password: '' })
})

test('letters that were composed otherwise are the same letters', () => {
  assert.deepEqual(readCredentials(basic('a\u0308:o\u0308')), readCredentials(basic('\u00e4:\u00f6')))
})

test('what is not exactly that is nothing', () => {
  const cases = [
    '',
    'Basic',
    'Basic ',
    'Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
    'BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==',
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ',
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ= =',
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, Basic YTpi',
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== ',
    'Basic QWxhZGRp_jpvcGVuIHNlc2FtZQ==',
    basic('no colon'),
    basic('a:b\n'),
    basic('a\0:b'),
    basic('a:b\u0085'),
    basic(Buffer.from('jos\xe9:x', 'latin1')),
  ]
  for (const field of cases) assert.equal(readCredentials(field), null, JSON.stringify(field))
})

test('whatever is well formed is read back as it was, and nothing makes it throw', () => {
  const text = fc.string({ unit: 'grapheme' }).filter((value) => !/[\0-\x1f\x7f-\x9f]/.test(value))
  fc.assert(
    fc.property(
      text.filter((user) => !user.includes(':')),
      text,
      (user, password) => {
        const read = readCredentials(basic(`${user}:${password}`))
        assert.equal(`${read?.user}:${read?.password}`, `${user}:${password}`.normalize('NFC'))
      },
    ),
  )
  fc.assert(fc.property(fc.string(), (field) => void readCredentials(`Basic ${field}`)))
})
