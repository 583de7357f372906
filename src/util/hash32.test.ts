import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hash32, hash64, mix32 } from './hash32.ts'

test('gives the published values of MurmurHash3, 32 bits', () => {
  assert.equal(hash32('', 0), 0)
  assert.equal(hash32('', 1), 0x514e28b7)
  assert.equal(hash32('hello', 0), 0x248bfa47)
  assert.equal(hash32('hello, world', 0), 0x149bbb7f)
  assert.equal(hash32('The quick brown fox jumps over the lazy dog', 0x9747b28c), 0x2fa826cd)
})

test('a latin1 string and its bytes hash alike, at every length', () => {
  for (let length = 0; length < 20; length++) {
    const text = String.fromCharCode(...Array.from({ length }, (_, i) => (i * 37 + 200) & 255))
    assert.equal(hash32(text, 5), hash32(Buffer.from(text, 'latin1'), 5))
  }
})

test('characters above 255 are told apart by both halves', () => {
  assert.notEqual(hash32('\u0141bcd'), hash32('Abcd'))
  assert.notEqual(hash32('\u0141bcd'), hash32('\u0241bcd'))
  assert.notEqual(hash32('abc\u0141'), hash32('abcA'))
})

test('hash64 gives two independent halves; mix32 is one to one', () => {
  const [hi, lo] = hash64('client')
  assert.notEqual(hi, lo)
  assert.ok(Number.isInteger(hi) && hi >= 0 && hi < 2 ** 32)
  const seen = new Set(Array.from({ length: 10_000 }, (_, i) => mix32(i)))
  assert.equal(seen.size, 10_000)
})
