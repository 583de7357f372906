// Objects of quite other sizes than before: memory goes over to them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOfStore } from '../../../test/support/cache-check.ts'
import { createCacheMemory } from './cache-memory.ts'
import { CacheStore } from './cache-store.ts'
import type { EntryFacts } from './types.ts'

const facts: EntryFacts = {
  ...{ status: 200, flags: 0, responseTime: 1e12, initialAge: 0 },
  ...{ lifetime: 1e6, staleWhileRevalidate: 0, staleIfError: 0 },
}
const megabyte = 2 ** 20

test('sizes that shift from 500 bytes to 2 MB and back: everything is stored, and the memory stays in use', () => {
  const memory = 8 * megabyte
  const buffer = createCacheMemory({ memory, maxObject: 2 * megabyte, lanes: 2 })
  const store = new CacheStore(buffer, 0)
  let count = 0
  for (const size of [500, 30_000, megabyte, 2 * megabyte, 500, 30_000, 500, 70_000, 3000, megabyte, 500]) {
    const body = 'x'.repeat(size)
    for (let written = 0; written < 1.5 * memory; written += size) {
      const texts = { url: `http://example.com/${count}`, selector: '', tags: '', head: 'A: b\r\n'.repeat(20) }
      const entry = store.put(facts, texts, body)
      assert.ok(entry !== null, `${size} bytes`)
      if (count++ % 3 === 0) for (let hits = 0; hits < 3; hits++) store.hit(entry)
      const { used } = store.totals()
      assert.ok(used <= memory)
      if (count > 20_000) assert.ok(used > 0.55 * memory, `only ${used} bytes are used, ${size} bytes`)
    }
    assert.deepEqual(problemsOfStore(buffer), [])
    assert.ok(store.totals().payload > 0.6 * memory, `${store.totals().payload} bytes in bodies of ${size}`)
  }
})

test('what a thread keeps decoded counts with all its texts, and nothing of what was there before', () => {
  const memory = 4 * megabyte
  const buffer = createCacheMemory({ memory, maxObject: megabyte, lanes: 2 })
  const [writer, reader] = [0, 1].map((lane) => new CacheStore(buffer, lane)) as [CacheStore, CacheStore]
  const texts = { url: 'http://example.com/tags', selector: '', tags: 'x'.repeat(60_000), head: 'A: b\r\n' }
  writer.put(facts, texts, 'body')
  const before = reader.totals().used
  assert.equal(reader.variants(texts.url).length, 1)
  assert.ok(reader.totals().used - before > 60_000)
  writer.put(facts, { ...texts, tags: '' }, 'body')
  const { used } = reader.totals()
  assert.equal(reader.variants(texts.url)[0]?.tags, '')
  assert.ok(used - reader.totals().used > 55_000)
})
