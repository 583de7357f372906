// The store of cached answers: what its operations cost, and how often it finds what is asked for, beside an LRU that has
// room for just as many entries.
import { createCacheMemory } from '../../src/state/cache/cache-memory.ts'
import { CacheStore } from '../../src/state/cache/cache-store.ts'
import type { EntryFacts, EntryTexts, StoredEntry } from '../../src/state/cache/types.ts'
import { Random } from '../../test/support/random.ts'
import type { Benchmark } from './measure.ts'

const megabyte = 2 ** 20
const facts: EntryFacts = {
  ...{ status: 200, flags: 0, responseTime: 1e12, initialAge: 0 },
  ...{ lifetime: 60_000, staleWhileRevalidate: 0, staleIfError: 0 },
}
const head = 'Some-Field: value\r\n'.repeat(13)
const selector = 'route-name 0123456789abcdef'
const wire = Buffer.alloc(4096, 'b')
/** 131 bytes, as they lie in what came over the wire. */
const body = { bytes: wire, ranges: [300, 431], total: 131 }
const urls = Array.from({ length: 500_000 }, (_, i) => Buffer.from(`http://example.com/some/path/${i}`).latin1Slice())
const texts: EntryTexts[] = urls.map((url) => ({ url, selector, tags: '', head }))

function storeOf(memory: number): CacheStore {
  return new CacheStore(createCacheMemory({ memory, maxObject: memory / 8, lanes: 2 }), 0)
}

const full = storeOf(64 * megabyte)
for (const text of texts) full.put(facts, text, body)
/** The last ones that came are there. */
const there = urls.slice(-40_000)
const entries = there.map((url) => full.variants(url)[0]!)
/** Goes around, so that a round never meets what the one before has left in the processor's caches. */
let next = 0
const turnOf = (times: number): number => (next = (next + times) % urls.length)

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'cache: variants of a URL that this thread knows',
    run(times) {
      for (let i = 0; i < times; i++) full.variants(there[i % 1000]!)
    },
  },
  {
    name: 'cache: variants of a URL that another thread put',
    run(times) {
      for (let i = 0; i < times; i++) full.variants(there[(i * 7919) % there.length]!)
    },
    times: 30_000,
  },
  {
    name: 'cache: variants of a URL that is not there',
    run(times) {
      for (let i = 0; i < times; i++) full.variants(urls[i % 100_000]!)
    },
  },
  {
    name: 'cache: hit',
    run(times) {
      for (let i = 0; i < times; i++) full.hit(entries[i % 1000]!)
    },
  },
  {
    name: 'cache: turn and put, 131 bytes, store full',
    run(times) {
      const from = turnOf(times)
      for (let i = 0; i < times; i++) {
        const at = (from + i) % urls.length
        const turn = full.turn(urls[at]!, urls[at]!)
        if (turn.kind === 'lead') turn.put(facts, texts[at]!, body)
      }
    },
    times: 50_000,
  },
  {
    name: 'cache: put, 64 KiB, store full',
    run(times) {
      const long = { bytes: Buffer.alloc(65_536), ranges: [0, 65_536], total: 65_536 }
      for (let i = 0; i < times; i++) full.put(facts, texts[i % 2000]!, long)
    },
    times: 3000,
  },
  {
    name: 'cache: refresh',
    run(times) {
      let entry: StoredEntry | null = full.put(facts, texts[0]!, body)
      for (let i = 0; i < times; i++) entry = entry && full.refresh(entry, facts, head)
    },
  },
  {
    name: 'cache: purge of one URL that is not there',
    run(times) {
      for (let i = 0; i < times; i++) full.purge({ kind: 'url', url: urls[i % 100_000]! }, false)
    },
  },
  {
    name: 'cache: purge of a tag that none has, 64 MB',
    run(times) {
      for (let i = 0; i < times; i++) full.purge({ kind: 'tag', tag: 'none' }, false)
    },
    times: 2,
  },
  {
    name: 'cache: list of all entries, 64 MB',
    run(times) {
      for (let i = 0; i < times; i++) full.list(() => true)
    },
    times: 1,
  },
]

/** Least recently used goes first: a Map keeps its order. */
class Lru {
  private readonly keys = new Map<number, true>()
  private readonly room: number

  constructor(room: number) {
    this.room = room
  }

  /** True = it was there. It is now. */
  ask(key: number): boolean {
    const isThere = this.keys.delete(key)
    if (this.keys.size >= this.room) this.keys.delete(this.keys.keys().next().value!)
    this.keys.set(key, true)
    return isThere
  }
}

const asked = 300_000
const objects = 100_000
const random = new Random(1)
const share = (): number => random.between(0, 2 ** 30 - 1) / 2 ** 30

/** Numbers of objects, the first ones the most popular: P(n) ~ 1 / n^skew. */
function zipf(skew: number): () => number {
  const sums = new Float64Array(objects)
  let sum = 0
  for (let i = 0; i < objects; i++) sums[i] = sum += (i + 1) ** -skew
  return () => {
    const wanted = share() * sum
    let low = 0
    let high = objects - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

function traces(room: number): Record<string, () => number> {
  const popular = zipf(0.9)
  let scanned = objects
  let looped = 0
  return {
    'Zipf 0.7': zipf(0.7),
    'Zipf 0.9': zipf(0.9),
    'Zipf 1.1': zipf(1.1),
    'Zipf 0.9, a third of it a scan': () => (share() < 1 / 3 ? scanned++ % urls.length : popular()),
    'a loop over half as many again': () => looped++ % Math.floor(room * 1.5),
  }
}

function askStore(store: CacheStore, key: number): boolean {
  const [entry] = store.variants(urls[key]!)
  if (entry === undefined) store.put(facts, texts[key]!, body)
  else store.hit(entry)
  return entry !== undefined
}

/** Shares of hits, after a first third that fills both. */
function hitRatios(ask: () => number, memory: number, room: number): { store: number; lru: number } {
  const store = storeOf(memory)
  const lru = new Lru(room)
  const hits = { store: 0, lru: 0 }
  for (let i = 0; i < asked; i++) {
    const key = ask()
    const isIn = { store: askStore(store, key), lru: lru.ask(key) }
    if (i < asked / 3) continue
    if (isIn.store) hits.store++
    if (isIn.lru) hits.lru++
  }
  return { store: hits.store / ((asked * 2) / 3), lru: hits.lru / ((asked * 2) / 3) }
}

/** As many entries as the store of this memory ever has at once. */
function roomOf(memory: number): number {
  const store = storeOf(memory)
  let most = 0
  for (let i = 0; i < 60_000; i++) {
    store.put(facts, texts[i]!, body)
    most = Math.max(most, store.totals().entries)
  }
  return most
}

/** How often each finds what is asked for. */
export function remarks(): string[] {
  const lines: string[] = []
  for (const memory of [8 * megabyte, megabyte]) {
    const room = roomOf(memory)
    lines.push(
      `hit ratio of ${objects} objects in room for ${room}:`.padEnd(56) + 'store'.padStart(12) + 'LRU'.padStart(12),
    )
    for (const [name, ask] of Object.entries(traces(room))) {
      const { store, lru } = hitRatios(ask, memory, room)
      const percent = (n: number): string => `${(n * 100).toFixed(1)} %`.padStart(12)
      lines.push(`  ${name}`.padEnd(56) + percent(store) + percent(lru))
    }
  }
  return lines
}
