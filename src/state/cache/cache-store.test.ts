import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOfStore } from '../../../test/support/cache-check.ts'
import { createCacheMemory } from './cache-memory.ts'
import { CacheStore } from './cache-store.ts'
import { CacheThread } from './cache-thread.ts'
import { shardCells } from './shard-cells.ts'
import type { BodyReading, EntryFacts, EntryTexts, Follow, Incoming, Lead } from './types.ts'

const url = 'http://example.com/a'
const facts: EntryFacts = {
  ...{ status: 200, flags: 3, responseTime: 1e12, initialAge: 0.5 },
  ...{ lifetime: Number.POSITIVE_INFINITY, staleWhileRevalidate: 0, staleIfError: 7 },
}
const textsOf = (at: string, selector = ''): EntryTexts => ({ url: at, selector, tags: 'red blue', head: 'A: b\r\n' })

function stores(o: { memory?: number; maxObject?: number } = {}) {
  const buffer = createCacheMemory({ memory: o.memory ?? 8 * 2 ** 20, maxObject: o.maxObject ?? 2 ** 20, lanes: 3 })
  return { buffer, here: new CacheStore(buffer, 0), there: new CacheStore(buffer, 1) }
}

function lead(store: CacheStore, at = url): Lead {
  const turn = store.turn(at, at)
  assert.equal(turn.kind, 'lead')
  return turn as Lead
}

function follow(store: CacheStore, at = url): Follow {
  const turn = store.turn(at, at)
  assert.equal(turn.kind, 'follow')
  return turn as Follow
}

/** What a follower is told; the wait keeps the process alive, which a wait in shared memory does not. */
async function told(turn: Follow): Promise<Incoming | 'again' | 'retry' | 'alone'> {
  const alive = setInterval(() => {}, 1000)
  try {
    return await new Promise((resolve) => turn.when(resolve))
  } finally {
    clearInterval(alive)
  }
}

async function incoming(turn: Follow): Promise<Incoming> {
  const outcome = await told(turn)
  assert.ok(typeof outcome !== 'string', String(outcome))
  return outcome
}

function readAll(reading: BodyReading, from = 0): string {
  let text = ''
  for (let bytes = reading.read(from); bytes !== null; bytes = reading.read(from + text.length))
    text += bytes.latin1Slice()
  return text
}

async function more(reading: BodyReading): Promise<void> {
  const alive = setInterval(() => {}, 1000)
  await new Promise<void>((resolve) => reading.whenMore(resolve))
  clearInterval(alive)
}

async function settled(buffer: SharedArrayBuffer): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate)
  assert.deepEqual(problemsOfStore(buffer), [])
}

test('what one thread puts the others find, the same object as long as nothing has changed', () => {
  const { here, there } = stores()
  assert.deepEqual(here.variants(url), [])
  here.put(facts, textsOf(url, 'x'), 'hello')
  here.put({ ...facts, responseTime: 1e12 + 1 }, textsOf(url, 'y'), Buffer.from('world') && 'world')
  const found = there.variants(url)
  assert.deepEqual(
    found.map((entry) => [entry.selector, entry.text(), entry.lifetime, entry.staleIfError, entry.tags, entry.head]),
    [
      ['y', 'world', Number.POSITIVE_INFINITY, 7, 'red blue', 'A: b\r\n'],
      ['x', 'hello', Number.POSITIVE_INFINITY, 7, 'red blue', 'A: b\r\n'],
    ],
  )
  assert.equal(there.variants(url), found)
  found[0]!.derived = 1
  here.put(facts, textsOf(url, 'z'), '')
  const now = there.variants(url)
  assert.notEqual(now, found)
  assert.equal(
    now.find(({ selector }) => selector === 'y'),
    found[0],
  )
  assert.equal(now.find(({ selector }) => selector === 'y')?.derived, 1)
})

test('an entry that has gone says so: no text, no body, nothing to refresh', () => {
  const { here, there } = stores()
  here.put(facts, textsOf(url), 'x'.repeat(40_000))
  here.put(facts, textsOf('http://example.com/b'), 'short')
  const [long] = there.variants(url)
  const [short] = there.variants('http://example.com/b')
  assert.throws(() => long!.text(), RangeError)
  assert.equal(here.purge({ kind: 'prefix', prefix: 'http://example.com/' }, false), 2)
  assert.equal(long!.open(), null)
  assert.equal(short!.text(), null)
  assert.equal(short!.open(), null)
  assert.equal(there.refresh(short!, facts, ''), null)
  there.remove(short!)
  assert.deepEqual(there.variants(url), [])
})

test('a held body stays what it is when its entry has gone, and is free when it is let go', () => {
  const { here, there, buffer } = stores()
  const body = 'abc'.repeat(60_000)
  here.put(facts, textsOf(url), body)
  const before = here.totals().used
  const one = there.variants(url)[0]!.open()!
  const two = there.variants(url)[0]!.open()!
  here.purge({ kind: 'all' }, false)
  for (let i = 0; i < 100; i++) here.put(facts, textsOf(`http://fill/${i}`), 'z'.repeat(180_000))
  assert.equal(readAll(one), body)
  one.release()
  one.release()
  assert.equal(readAll(two, 1000), body.slice(1000))
  two.release()
  here.purge({ kind: 'all' }, false)
  assert.ok(here.totals().used < before)
  assert.deepEqual(problemsOfStore(buffer), [])
})

test('a tag is purged as a whole word; soft purging marks', () => {
  const { here, there } = stores()
  here.put(facts, textsOf(url), '')
  assert.equal(there.purge({ kind: 'tag', tag: 'bl' }, false), 0)
  assert.equal(there.purge({ kind: 'tag', tag: 'blue' }, true), 1)
  assert.equal(here.variants(url)[0]?.isMarkedStale, true)
  assert.equal(here.refresh(here.variants(url)[0]!, facts, 'New: head\r\n')?.isMarkedStale, false)
  assert.equal(there.variants(url)[0]?.isMarkedStale, false)
  assert.equal(there.purge({ kind: 'url', url }, false), 1)
  assert.deepEqual([here.totals().entries, here.totals().purged], [0, 2])
})

test('a list can be taken in steps, and counts hits', () => {
  const { here, there } = stores()
  for (let i = 0; i < 50; i++) here.put(facts, textsOf(`${url}${i}`), `${i}`)
  const [entry] = there.variants(`${url}7`)
  for (let i = 0; i < 5; i++) there.hit(entry!)
  const seen = new Map<string, number>()
  for (let place = 0; place >= 0; )
    place = here.list((listed) => {
      assert.ok(!seen.has(listed.url))
      seen.set(listed.url, listed.hits)
      return seen.size % 7 !== 0
    }, place)
  assert.equal(seen.size, 50)
  assert.equal(seen.get(`${url}7`), 5)
})

test('the clock is one for all threads', () => {
  const { here, there } = stores()
  here.moveClock(3_600_000)
  assert.ok(Math.abs(there.now() - Date.now() - 3_600_000) < 1000)
})

test('sizes that make no store are refused with what would', () => {
  const make = (o: object) => () => createCacheMemory({ memory: 2 ** 20, maxObject: 1000, lanes: 2, ...o })
  assert.throws(make({ memory: 1000 }), /between 1 MB and 64 GB/)
  assert.throws(make({ maxObject: 2 ** 20 }), /too long for a cache of 1048576 bytes: at most \d+/)
  assert.throws(make({ lanes: 0 }), /lanes/)
  const store = new CacheStore(make({})(), 1)
  for (let i = 0; i < 3000; i++) store.put(facts, textsOf(`${url}${i}`), 'x'.repeat(i % 1000))
  assert.ok(store.totals().entries > 300)
  assert.throws(() => new CacheStore(make({})(), 2), /no lane 2/)
})

test('metadata, index and rounding: less than 400 bytes for each small object', () => {
  const { here, there } = stores({ memory: 32 * 2 ** 20 })
  const head = 'Some-Field: value\r\n'.repeat(13)
  const before = here.totals().evicted
  for (let i = 0; here.totals().evicted === before; i++)
    here.put(
      facts,
      { ...textsOf(`http://example.com/some/path/${i}`, 'route-name 0123456789abcdef'), head },
      'b'.repeat(131),
    )
  here.list(({ url: at }) => there.variants(at)[0]!.text() !== '')
  const { used, payload, entries } = here.totals()
  const each = (used - payload) / entries
  assert.ok(each < 400 && each > 100, `${each} bytes`)
})

test('everybody but the first waits; what is put they find', async () => {
  const { here, there, buffer } = stores()
  const turn = lead(here)
  const others = [follow(here), follow(there), follow(there)]
  assert.ok(turn.isAwaited)
  assert.ok(turn.put(facts, textsOf(url), 'body') !== null)
  assert.deepEqual(await Promise.all(others.map(told)), ['again', 'again', 'again'])
  assert.throws(() => turn.end('again'), /ended already/)
  await settled(buffer)
})

test('a turn that comes when the answer has just been stored is told to look again', async () => {
  const { here, there } = stores()
  const turn = lead(here)
  assert.deepEqual(there.variants(url), [])
  turn.put(facts, textsOf(url), 'body')
  assert.equal(await told(follow(there)), 'again')
})

test('a lead that ends without an answer: another one leads, or all go alone, for as long as a marker says', async () => {
  const { here, there, buffer } = stores()
  const first = lead(here)
  const waits = follow(there)
  const cancelled = follow(there)
  cancelled.when(() => assert.fail('cancelled'))
  cancelled.cancel()
  first.end('retry')
  assert.equal(await told(waits), 'retry')
  const second = lead(there)
  const others = [follow(here), follow(there)]
  second.end('alone', 60_000)
  assert.deepEqual(await Promise.all(others.map(told)), ['alone', 'alone'])
  assert.equal(here.turn(url, url).kind, 'alone')
  assert.equal(here.turn(url, `${url}other key`).kind, 'lead')
  here.moveClock(60_001)
  lead(there).end('again')
  await settled(buffer)
})

for (const length of [150_000, -1]) {
  test(`a body is read as it comes, length ${length}`, async () => {
    const { here, there, buffer } = stores()
    const bytes = Buffer.from('0123456789'.repeat(15_000))
    const turn = lead(here)
    const before = follow(there)
    const writing = turn.open(facts, textsOf(url, 'sel'), length)!
    const own = writing.reader()
    const first = await incoming(before)
    const late = await incoming(follow(here))
    assert.deepEqual([first.url, first.selector, first.head, first.lifetime], [url, 'sel', 'A: b\r\n', facts.lifetime])
    assert.deepEqual([first.body.read(0), first.body.state, first.body.length], [null, 'filling', length])
    assert.ok(writing.write(bytes, 0, 70_000))
    await more(first.body)
    assert.equal(readAll(first.body), bytes.latin1Slice(0, 70_000))
    assert.ok(writing.write(bytes, 70_000, 150_000))
    await more(own)
    const stored = writing.end()
    assert.equal(stored?.bodyLength, 150_000)
    for (const reading of [first.body, late.body, own]) {
      assert.equal(reading.state, 'complete')
      assert.equal(readAll(reading), bytes.latin1Slice())
      assert.equal(reading.length, 150_000)
      reading.release()
    }
    const open = there.variants(url)[0]!.open()!
    assert.equal(readAll(open), bytes.latin1Slice())
    open.release()
    await settled(buffer)
  })
}

test('a short body of unknown length takes no page', async () => {
  const { here, buffer } = stores()
  const used = here.totals().used
  const writing = lead(here).open(facts, textsOf(url), -1)!
  writing.write(Buffer.from('short'), 0, 5)
  assert.equal(writing.end()?.text(), 'short')
  await settled(buffer)
  assert.ok(here.totals().used - used < 1000)
})

test('a body that breaks off is never found, and its readers see it', async () => {
  const { here, there, buffer } = stores()
  const writing = lead(here).open(facts, textsOf(url), 100)!
  const { body } = await incoming(follow(there))
  writing.write(Buffer.alloc(60), 0, 60)
  await more(body)
  body.read(0)
  const failing = more(body)
  assert.equal(writing.end(), null, 'it is too short')
  await failing
  assert.equal(body.state, 'failed')
  body.release()
  assert.deepEqual(there.variants(url), [])
  await settled(buffer)
})

test('what was purged on its way in is not kept; who reads it gets all of it', async () => {
  const purges = [
    { kind: 'url', url },
    { kind: 'prefix', prefix: 'http://example' },
    { kind: 'tag', tag: 'red' },
    { kind: 'all' },
  ] as const
  for (const what of purges) {
    const { here, there, buffer } = stores()
    const put = lead(here, `${url}put`)
    const waits = follow(there, `${url}put`)
    const writing = lead(here).open(facts, textsOf(url), -1)!
    const { body } = await incoming(follow(there))
    there.purge(what, false)
    there.purge({ kind: 'url', url: `${url}put` }, false)
    lead(there).end('again')
    assert.equal(put.put(facts, textsOf(`${url}put`), ''), null)
    assert.equal(await told(waits), 'alone')
    writing.write(Buffer.from('whole'), 0, 5)
    assert.equal(writing.end(), null)
    assert.deepEqual([readAll(body), body.state], ['whole', 'complete'])
    body.release()
    assert.equal(here.totals().entries, 0)
    await settled(buffer)
  }
})

test('an answer that is meant by no purge is kept', () => {
  const { here, there } = stores()
  const writing = lead(here).open(facts, textsOf(url), -1)!
  there.purge({ kind: 'tag', tag: 'green' }, false)
  there.purge({ kind: 'url', url: `${url}b` }, false)
  assert.ok(writing.end() !== null)
})

test('ranges that are none are refused before anything is stored', () => {
  const { here, buffer } = stores()
  const bytes = Buffer.alloc(10)
  assert.throws(() => here.put(facts, textsOf(url), { bytes, ranges: [0, 11], total: 11 }), /no range from 0 to 11/)
  assert.throws(() => here.put(facts, textsOf(url), { bytes, ranges: [0, 5], total: 4 }), /5 bytes, not 4/)
  const writing = lead(here).open(facts, textsOf(url), -1)!
  assert.throws(() => writing.write(bytes, 5, 11), RangeError)
  writing.fail()
  assert.deepEqual([here.totals().entries, problemsOfStore(buffer).length], [0, 0])
})

test('a lead that waits for room learns that the last reader has left', async () => {
  const { here, there, buffer } = stores({ maxObject: 256 * 1024 })
  const writing = lead(here).open(facts, textsOf(url), -1)!
  const { body } = await incoming(follow(there))
  const piece = Buffer.alloc(64 * 1024)
  while (writing.hasRoom) writing.write(piece, 0, piece.length)
  assert.equal(writing.isUseless, false)
  const alive = setInterval(() => {}, 1000)
  const woken = new Promise<void>((resolve) => writing.whenRoom(resolve))
  body.release()
  await woken
  clearInterval(alive)
  assert.equal(writing.isUseless, true)
  writing.fail()
  await settled(buffer)
})

test('too long: known at once, nothing is begun', async () => {
  const { here, there } = stores({ maxObject: 1000 })
  const turn = lead(here)
  const waits = follow(there)
  assert.equal(turn.open(facts, textsOf(url), 1001), null)
  assert.equal(await told(waits), 'alone')
  assert.equal(here.put(facts, textsOf(url), 'x'.repeat(1001)), null)
})

test('too long: who reads goes on, at the pace of the slowest; nobody joins, nothing is kept', async (t) => {
  const { here, there, buffer } = stores({ maxObject: 512 * 1024 })
  const alive = setInterval(() => {}, 1000)
  t.after(() => clearInterval(alive))
  const piece = Buffer.alloc(64 * 1024)
  const total = 40 * piece.length
  const writing = lead(here).open(facts, textsOf(url), -1)!
  const fast = (await incoming(follow(there))).body
  const slow = (await incoming(follow(there))).body
  const own = writing.reader()
  const places = new Map([fast, own, slow].map((body) => [body, 0]))
  /** Reads what is there, `most` pieces of it. */
  const take = (body: typeof fast, most: number): void => {
    for (let pieces = 0; pieces < most; pieces++) {
      const at = places.get(body)!
      const bytes = body.read(at)
      if (bytes === null) break
      const value = Math.floor(at / piece.length) + 1
      assert.ok(
        bytes.every((byte) => byte === value),
        `byte ${at}`,
      )
      places.set(body, at + bytes.length)
    }
  }
  let written = 0
  while (places.get(slow)! < total) {
    while (writing.hasRoom && written < total) {
      piece.fill(written / piece.length + 1)
      assert.ok(writing.write(piece, 0, piece.length))
      written += piece.length
    }
    assert.ok(written - places.get(slow)! <= 10 * piece.length, 'it is not far ahead of the slowest')
    const room = writing.hasRoom ? null : new Promise<void>((resolve) => writing.whenRoom(resolve))
    take(fast, 100)
    take(own, 100)
    while (!writing.hasRoom) take(slow, 1)
    await room
    take(slow, 1)
  }
  assert.equal(there.turn(url, url).kind, 'alone')
  for (const body of [fast, own]) take(body, 100)
  assert.deepEqual([...places.values()], [total, total, total])
  assert.equal(writing.isUseless, false)
  for (const body of places.keys()) body.release()
  await settled(buffer)
  assert.equal(writing.isUseless, true)
  assert.equal(writing.end(), null)
  assert.deepEqual(there.variants(url), [])
  await settled(buffer)
})

test('too long: who does not read at all holds the others up for half a minute', async (t) => {
  const { here, there, buffer } = stores({ maxObject: 512 * 1024 })
  const alive = setInterval(() => {}, 1000)
  t.after(() => clearInterval(alive))
  const piece = Buffer.alloc(64 * 1024)
  const writing = lead(here).open(facts, textsOf(url), -1)!
  const stuck = (await incoming(follow(there))).body
  const fast = (await incoming(follow(there))).body
  const fill = (): void => {
    while (writing.hasRoom) writing.write(piece, 0, piece.length)
  }
  let at = 0
  const take = (): void => {
    for (let bytes = fast.read(at); bytes !== null; bytes = fast.read(at)) at += bytes.length
  }
  fill()
  take()
  here.moveClock(29_000)
  fast.whenMore(() => {})
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(writing.hasRoom, false)
  const room = new Promise<void>((resolve) => writing.whenRoom(resolve))
  here.moveClock(2000)
  // Somebody who reads is looked at by himself at the latest after five seconds; here something else wakes him.
  fast.whenMore(() => {})
  await room
  for (let rounds = 0; rounds < 20; rounds++) {
    fill()
    take()
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(at > 600_000, `${at}`)
  assert.equal(stuck.read(0), null)
  assert.equal(stuck.state, 'lost')
  for (const body of [fast, stuck]) body.release()
  await settled(buffer)
  writing.fail()
  await settled(buffer)
})

test('a thread that died while it held the lock: its shard is emptied, what others hold stays', async () => {
  const { here, there, buffer } = stores()
  const held = 'held'.repeat(30_000)
  for (let i = 0; i < 200; i++) here.put(facts, textsOf(`${url}${i}`), 'x'.repeat(i * 50))
  here.put(facts, textsOf(url), held)
  const reading = here.variants(url)[0]!.open()!
  const flight = lead(here, 'http://flight/')
  const writing = lead(here, 'http://writing/').open(facts, textsOf('http://writing/'), 100_000)!
  writing.write(Buffer.alloc(100_000, 1), 0, 70_000)
  const dead = new CacheThread(buffer, 2)
  const led = lead(new CacheStore(buffer, 2), 'http://led/')
  const waits = follow(there, 'http://led/')
  const shard = dead.shards[0]!
  assert.ok(shard.lock.take())
  const lost = shard.chunkFor(500)
  shard.beginBody(50_000)
  assert.ok(lost > 0)
  for (const cell of ['smallHead', 'mainTail', 'smallUnits', 'partial', 'freePage', 'usedUnits', 'freeFlight'] as const)
    dead.memory.cells[shard.base + shardCells[cell]] = 12345
  assert.equal(here.put(facts, textsOf(url), 'no lock, no room'), null)
  there.reclaim(2)
  assert.deepEqual(problemsOfStore(buffer), [])
  assert.equal(await told(waits), 'retry')
  assert.ok(led.kind === 'lead')
  assert.deepEqual([here.variants(url), here.totals().entries], [[], 0])
  for (let i = 0; i < 500; i++) there.put(facts, textsOf(`${url}${i}`), 'y'.repeat(i * 50))
  assert.equal(readAll(reading), held)
  reading.release()
  writing.write(Buffer.alloc(100_000, 1), 70_000, 100_000)
  assert.equal(writing.end()?.bodyLength, 100_000)
  assert.ok(flight.put(facts, textsOf('http://flight/'), 'landed') !== null)
  assert.equal(there.variants('http://flight/')[0]?.text(), 'landed')
  await settled(buffer)
})

test('a dead thread gives back what it held of bodies, and its followers and readers hear of its end', async () => {
  const { here, there, buffer } = stores()
  const dead = new CacheStore(buffer, 2)
  here.put(facts, textsOf(url), 'x'.repeat(50_000))
  assert.ok(dead.variants(url)[0]!.open() !== null)
  const writing = lead(dead, 'http://writing/').open(facts, textsOf('http://writing/'), -1)!
  writing.write(Buffer.alloc(100), 0, 100)
  const { body } = await incoming(follow(there, 'http://writing/'))
  const failing = (async () => {
    while (body.state === 'filling') {
      body.read(0)
      await more(body)
    }
  })()
  here.reclaim(2)
  await failing
  assert.equal(body.state, 'failed')
  body.release()
  here.purge({ kind: 'all' }, false)
  await settled(buffer)
  lead(there, 'http://writing/').end('again')
})

test('two threads that died at once, the other one with the lock: what both held is given back with the second', async () => {
  const { here, there, buffer } = stores()
  here.put(facts, textsOf(url), 'x'.repeat(50_000))
  assert.ok(there.variants(url)[0]!.open() !== null)
  const waits = follow(here, lead(there, 'http://led/') && 'http://led/')
  const dead = new CacheThread(buffer, 2)
  assert.ok(dead.shards[0]!.lock.take())
  here.reclaim(1)
  assert.equal(here.turn(url, url).kind, 'alone', 'the lock cannot be had')
  here.reclaim(2)
  assert.equal(await told(waits), 'retry')
  await settled(buffer)
  assert.ok(here.put(facts, textsOf(url), 'again') !== null)
})

test('what was asked for before a purge is not stored after it, though nobody led', () => {
  const { here, there } = stores()
  for (const what of [{ kind: 'all' }, { kind: 'prefix', prefix: 'http://' }, { kind: 'url', url }] as const) {
    const since = here.purges
    there.purge(what, false)
    assert.equal(here.put(facts, textsOf(url), 'old', since), null, what.kind)
    assert.deepEqual(here.variants(url), [])
    assert.notEqual(here.put(facts, textsOf(url), 'new', here.purges), null)
  }
})
