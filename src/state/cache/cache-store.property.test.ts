// Whatever is done in whatever order: what is found is what was put there last, the bound holds, and every byte of the
// memory belongs to something.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { problemsOfStore } from '../../../test/support/cache-check.ts'
import { createCacheMemory } from './cache-memory.ts'
import { CacheStore } from './cache-store.ts'
import type { BodyReading, EntryFacts, PurgeWhat, StoredEntry } from './types.ts'

interface Known {
  readonly facts: EntryFacts
  readonly tags: string
  readonly head: string
  readonly body: string
  isStale: boolean
}

type Step =
  | { do: 'put'; url: number; selector: number; length: number; isText: boolean; tags: string }
  | { do: 'refresh' | 'remove' | 'hold'; url: number; length: number }
  | { do: 'release'; which: number }
  | { do: 'purge'; what: PurgeWhat; soft: boolean }

const urlOf = (n: number): string => `http://example.com/${n % 3 === 0 ? 'a/' : 'b/'}${n}`
const url = fc.nat(60)
const length = fc.oneof(
  { weight: 6, arbitrary: fc.nat(3000) },
  { weight: 2, arbitrary: fc.integer({ min: 15_000, max: 90_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 90_000, max: 300_000 }) },
)
const tags = fc.constantFrom('', 'one', 'two', 'one two', 'twofold')
const what: fc.Arbitrary<PurgeWhat> = fc.oneof(
  url.map((n) => ({ kind: 'url' as const, url: urlOf(n) })),
  fc.constant({ kind: 'prefix' as const, prefix: 'http://example.com/a/' }),
  fc.constant({ kind: 'tag' as const, tag: 'two' }),
  fc.constant({ kind: 'all' as const }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      ...{ do: fc.constant('put' as const), url, selector: fc.nat(2), length, isText: fc.boolean(), tags },
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('refresh' as const), url, length: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), url, length: fc.constant(0) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hold' as const), url, length: fc.constant(0) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('purge' as const), what, soft: fc.boolean() }) },
)

/** A store of 2 MB in two lanes, and what should be in it. */
class Model {
  readonly buffer = createCacheMemory({ memory: 2 * 2 ** 20, maxObject: 250_000, lanes: 2 })
  readonly stores = [new CacheStore(this.buffer, 0), new CacheStore(this.buffer, 1)]
  readonly known = new Map<string, Map<string, Known>>()
  readonly held: { reading: BodyReading; body: string }[] = []
  private count = 0

  run(step: Step): void {
    const store = this.stores[this.count++ % 2]!
    if (step.do === 'put') this.put(store, step)
    else if (step.do === 'purge') this.purge(store, step.what, step.soft)
    else if (step.do === 'release') this.release(step.which)
    else for (const entry of this.find(store, urlOf(step.url)).slice(0, 1)) this.change(store, entry, step)
    const { used, memory } = store.totals()
    assert.ok(used <= memory, `${used} > ${memory}`)
  }

  /** All entries of a URL are as they should be; some may be missing. */
  find(store: CacheStore, at: string): readonly StoredEntry[] {
    const entries = store.variants(at)
    for (const entry of entries) {
      const known = this.known.get(at)?.get(entry.selector)
      assert.ok(known !== undefined, `${at} ${entry.selector} should not be there`)
      const { facts, tags, head, isStale, body } = known
      for (const name of Object.keys(facts) as (keyof EntryFacts)[]) assert.equal(entry[name], facts[name], name)
      assert.deepEqual([entry.url, entry.tags, entry.head], [at, tags, head])
      assert.deepEqual([entry.isMarkedStale, entry.bodyLength], [isStale, body.length])
      if (body.length <= 16384) assert.equal(entry.text(), body)
      else assert.throws(() => entry.text(), RangeError)
      const reading = entry.open()
      assert.ok(reading !== null)
      assert.equal(wholeOf(reading), body)
      reading.release()
      store.hit(entry)
    }
    assert.equal(new Set(entries.map(({ selector }) => selector)).size, entries.length)
    return entries
  }

  private put(store: CacheStore, o: Extract<Step, { do: 'put' }>): void {
    const n = ++this.count
    const facts = factsOf(n)
    const body = bodyOf(n, o.length)
    const texts = { url: urlOf(o.url), selector: `s${o.selector}`, tags: o.tags, head: `n: ${n}\r\n` }
    const bytes = Buffer.from(`##${body}##`, 'latin1')
    const middle = 2 + (body.length >> 1)
    const parts = { bytes, ranges: [2, middle, middle, bytes.length - 2], total: body.length }
    const entry = store.put(facts, texts, o.isText ? body : parts)
    if (body.length > store.maxObject) assert.equal(entry, null)
    if (entry === null) return
    const ofUrl = this.known.get(texts.url) ?? new Map<string, Known>()
    this.known.set(texts.url, ofUrl)
    ofUrl.set(texts.selector, { facts, tags: o.tags, head: texts.head, body, isStale: false })
    assert.ok(this.find(store, texts.url).some(({ selector }) => selector === texts.selector))
  }

  private change(
    store: CacheStore,
    entry: StoredEntry,
    o: Extract<Step, { url: number; do: 'refresh' | 'remove' | 'hold' }>,
  ) {
    const ofUrl = this.known.get(entry.url)!
    const known = ofUrl.get(entry.selector)!
    if (o.do === 'hold') {
      const reading = entry.open()
      if (reading !== null) this.held.push({ reading, body: known.body })
      return
    }
    if (o.do === 'remove') {
      store.remove(entry)
      ofUrl.delete(entry.selector)
    } else {
      const fresh = store.refresh(entry, factsOf(++this.count), 'x'.repeat(o.length))
      if (fresh !== null)
        ofUrl.set(entry.selector, { ...known, facts: factsOf(this.count), head: fresh.head, isStale: false })
    }
    this.find(store, entry.url)
  }

  private release(which: number): void {
    const [held] = this.held.splice(which, 1)
    if (held === undefined) return
    assert.equal(wholeOf(held.reading), held.body, 'what is held does not change')
    held.reading.release()
  }

  private purge(store: CacheStore, what: PurgeWhat, soft: boolean): void {
    for (const [at, ofUrl] of this.known)
      for (const [selector, known] of ofUrl) {
        const isMeant =
          what.kind === 'all' ||
          (what.kind === 'url' && what.url === at) ||
          (what.kind === 'prefix' && at.startsWith(what.prefix)) ||
          (what.kind === 'tag' && known.tags.split(' ').includes(what.tag))
        if (isMeant && soft) known.isStale = true
        else if (isMeant) ofUrl.delete(selector)
      }
    const before = store.totals()
    const purged = store.purge(what, soft)
    const after = store.totals()
    assert.equal(after.purged - before.purged, purged)
    assert.equal(before.entries - after.entries, soft ? 0 : purged)
  }
}

function factsOf(n: number): EntryFacts {
  const times = {
    responseTime: 1e12 + n,
    initialAge: n / 7,
    lifetime: n * 1000,
    staleWhileRevalidate: n,
    staleIfError: 0,
  }
  return { status: 200 + (n % 5), flags: n, ...times }
}

/** Differs from every other one everywhere. */
function bodyOf(n: number, length: number): string {
  const piece = `<${n}>`
  return piece.repeat(Math.ceil(length / piece.length)).slice(0, length)
}

function wholeOf(reading: BodyReading): string {
  let text = ''
  for (let bytes = reading.read(0); bytes !== null; bytes = reading.read(text.length)) text += bytes.latin1Slice()
  return text
}

test('random sequences of changes: what is found is what was put there last, and all memory is accounted for', () => {
  let evicted = 0
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 400, size: 'max' }), (steps) => {
      const model = new Model()
      for (const one of steps) {
        model.run(one)
        assert.deepEqual(problemsOfStore(model.buffer), [])
      }
      for (const at of model.known.keys()) for (const store of model.stores) model.find(store, at)
      while (model.held.length > 0) model.run({ do: 'release', which: 0 })
      evicted += model.stores[0]!.totals().evicted
      model.stores[0]!.purge({ kind: 'all' }, false)
      assert.deepEqual(problemsOfStore(model.buffer), [])
      assert.deepEqual([model.stores[1]!.totals().entries, model.stores[1]!.totals().payload], [0, 0])
    }),
    { numRuns: 60, endOnFailure: true },
  )
  assert.ok(evicted > 100, `only ${evicted} entries had to go`)
})
