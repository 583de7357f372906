import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normalHost, normalized } from './host-name.ts'

const forms: [string, string][] = [
  ['', ''],
  ['example.com', 'example.com'],
  ['Example.COM', 'example.com'],
  ['example.com:8080', 'example.com'],
  ['example.com:', 'example.com'],
  ['example.com.', 'example.com'],
  ['EXAMPLE.com.:443', 'example.com'],
  ['example.com..', 'example.com.'],
  ['.', ''],
  ['a', 'a'],
  ['a_b-c.0', 'a_b-c.0'],
  ['127.0.0.1:80', '127.0.0.1'],
  ['[::1]', '[::1]'],
  ['[::1]:8080', '[::1]'],
  ['[0:0:0:0:0:0:0:1]:', '[::1]'],
  ['[2001:DB8::A]', '[2001:db8::a]'],
  ['[::ffff:10.0.0.1]:1', '[::ffff:a00:1]'],
  ['[fe80::1%25Eth0]:80', '[fe80::1%25eth0]'],
  ['sub!delims$.example:80', 'sub!delims$.example'],
]
for (const [field, expected] of forms)
  test(`${JSON.stringify(field)} is ${JSON.stringify(expected)}`, () => assert.equal(normalHost(field), expected))

const character = fc.constantFrom(...'abzAZ09-_..::[]%~!')
const field = fc.array(character, { maxLength: 12 }).map((characters) => characters.join(''))

test('GHSA-x76f-jf84-rqj8, CVE-2022-23632: the fast path says what the slow one says', () => {
  fc.assert(
    fc.property(field, (text) => assert.equal(normalHost(text), normalized(text))),
    { numRuns: 5000 },
  )
})

test('case, port and trailing dot never tell two hosts apart', () => {
  const label = fc.stringMatching(/^[a-z0-9-]{1,8}$/)
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  fc.assert(
    fc.property(name, fc.nat({ max: 65535 }), fc.func(fc.boolean()), (host, port, isUpper) => {
      const mixed = [...host].map((c, at) => (isUpper(at) ? c.toUpperCase() : c)).join('')
      for (const tail of ['', '.', `:${port}`, `.:${port}`, ':']) assert.equal(normalHost(mixed + tail), host)
    }),
  )
})
