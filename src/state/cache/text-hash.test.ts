import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TextHash } from './text-hash.ts'

const texts = Array.from({ length: 50_000 }, (_, i) => `http://example.com/some/path/${i}?a=${i % 7}`)

test('the same for the same text and key, whole texts of every length', () => {
  const hash = new TextHash(7)
  for (const text of ['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'http://example.com/']) {
    assert.equal(hash.of(text), new TextHash(7).of(text))
    assert.notEqual(hash.of(text), new TextHash(8).of(text))
    assert.notEqual(hash.of(text), hash.of(`${text}\0`))
  }
})

test('spreads over all bits, low and high, with any key', () => {
  for (const seed of [0, 1, -1, 123456789]) {
    const hash = new TextHash(seed)
    for (const bucketOf of [(h: number) => h & 4095, (h: number) => h >>> 20]) {
      const counts = new Int32Array(4096)
      for (const text of texts) counts[bucketOf(hash.of(text))]!++
      const squares = counts.reduce((sum, n) => sum + n * n, 0) / 4096
      const mean = texts.length / 4096
      assert.ok(Math.abs(squares / (mean + mean * mean) - 1) < 0.05, `seed ${seed}: ${squares}`)
    }
  }
})

test('a pair is 64 bits: neither half says anything of the other', () => {
  const hash = new TextHash(99)
  const seen = new Set<string>()
  const equalHalves = new Map<number, number>()
  for (const text of texts) {
    const first = hash.pair(text, 5)
    seen.add(`${first} ${hash.second}`)
    const mixed = (first ^ hash.second) & 1023
    equalHalves.set(mixed, (equalHalves.get(mixed) ?? 0) + 1)
  }
  assert.equal(seen.size, texts.length)
  assert.ok(Math.max(...equalHalves.values()) < 120, 'about 49 of each')
})

test('texts that collide with one key do not with another', () => {
  const one = new TextHash(1)
  const byHash = new Map<number, string>()
  const pairs: [string, string][] = []
  for (let i = 0; i < 300_000 && pairs.length < 5; i++) {
    const hash = one.of(`text ${i}`)
    const other = byHash.get(hash)
    if (other !== undefined) pairs.push([other, `text ${i}`])
    byHash.set(hash, `text ${i}`)
  }
  assert.ok(pairs.length > 0)
  const two = new TextHash(2)
  for (const [a, b] of pairs) assert.notEqual(two.of(a), two.of(b))
})
