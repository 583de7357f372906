// What may happen between two steps of the store, made to happen.
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { problemsOfStore } from '../../../test/support/cache-check.ts'
import { until } from '../../../test/support/wait.ts'
import { bodyCells } from './bodies.ts'
import { createCacheMemory } from './cache-memory.ts'
import { CacheStore } from './cache-store.ts'
import { CacheThread } from './cache-thread.ts'
import { entryCells } from './entry-cells.ts'
import { flightCells } from './flight-table.ts'
import { unitCells } from './geometry.ts'
import type { DecodedEntry } from './stored-entry.ts'
import type { BodyReading, EntryFacts, EntryTexts } from './types.ts'

const facts: EntryFacts = {
  ...{ status: 200, flags: 0, responseTime: 1e12, initialAge: 0 },
  ...{ lifetime: 1e6, staleWhileRevalidate: 0, staleIfError: 0 },
}
const textsOf = (url: string): EntryTexts => ({ url, selector: '', tags: '', head: 'A: b\r\n' })

function stores() {
  const buffer = createCacheMemory({ memory: 8 * 2 ** 20, maxObject: 2 ** 20, lanes: 3 })
  return { buffer, here: new CacheStore(buffer, 0), there: new CacheStore(buffer, 1) }
}

function readAll(reading: BodyReading): string {
  let text = ''
  for (let bytes = reading.read(0); bytes !== null; bytes = reading.read(text.length)) text += bytes.latin1Slice()
  return text
}

test('an entry that has gone does not open a body that has its memory now, though this thread reads that one', () => {
  const { here, there, buffer } = stores()
  here.put(facts, textsOf('http://a/'), 'a'.repeat(70_000))
  const [gone] = here.variants('http://a/') as DecodedEntry[]
  there.purge({ kind: 'url', url: 'http://a/' }, false)
  there.put(facts, textsOf('http://b/'), 'b'.repeat(70_000))
  const [other] = here.variants('http://b/') as DecodedEntry[]
  assert.equal(other!.body, gone!.body, 'it has the memory of the first one')
  const reading = other!.open()!
  assert.ok(gone!.open() === null)
  assert.equal(readAll(reading), 'b'.repeat(70_000))
  reading.release()
  assert.deepEqual(problemsOfStore(buffer), [])
})

test('a body stays the same one when its entry is refreshed', () => {
  const { here } = stores()
  here.put(facts, textsOf('http://a/'), 'a'.repeat(70_000))
  const reading = here.variants('http://a/')[0]!.open()!
  const fresh = here.refresh(here.variants('http://a/')[0]!, facts, 'New: head\r\n')
  const again = fresh!.open()!
  assert.equal(readAll(again), readAll(reading))
  again.release()
  reading.release()
})

test('a chain that leads anywhere while it is changed ends', () => {
  const { here, buffer } = stores()
  const { shards, memory } = new CacheThread(buffer, 2)
  const entryOf = (url: string) => {
    here.put(facts, textsOf(url), 'short')
    return here.variants(url)[0] as DecodedEntry
  }
  for (const next of [0x7fffffff, -1, -0x80000000, 1]) {
    const entry = entryOf(`http://anywhere/${next}`)
    const other = entryOf(`http://other/${next}`)
    memory.cells[shards[0]!.entries.versionCell(entry.urlHash) + 1] = next
    assert.equal(entry.text(), null)
    assert.ok(entry.open() === null)
    assert.deepEqual(here.variants('http://nowhere/'), [])
    memory.cells[other.ref * unitCells + entryCells.next] = other.ref
    memory.cells[shards[0]!.entries.versionCell(entry.urlHash) + 1] = other.ref
    assert.equal(entry.text(), null, 'nor in a circle')
  }
})

test('a page that is never turned to its end, since who was at it is dead, does not hold up readers', async () => {
  const { here, there, buffer } = stores()
  const turn = here.turn('http://a/', 'http://a/')
  assert.ok(turn.kind === 'lead')
  const writing = turn.open(facts, textsOf('http://a/'), -1)!
  const own = writing.reader()
  const { shards, memory } = new CacheThread(buffer, 2)
  let body = 0
  shards[0]!.flights.each((at) => {
    body = memory.cells[at + flightCells.body]!
  })
  const bytes = Buffer.alloc(100_000, 'x')
  writing.write(bytes, 0, bytes.length)
  assert.equal(own.read(0)?.length, 65_536)
  memory.cells[body * unitCells + bodyCells.turns]!++
  assert.equal(own.read(0), null)
  assert.equal(own.state, 'lost')
  assert.equal(there.put(facts, textsOf('http://b/'), 'the lock is free')?.text(), 'the lock is free')
  own.release()
  writing.fail()
})

test('a purge while the lock cannot be had: of a URL as soon as it can, of all in parts that are tried again', async (t) => {
  const { here, there, buffer } = stores()
  here.put(facts, textsOf('http://a/'), 'a')
  here.put(facts, textsOf('http://b/'), 'b')
  const { lock } = new CacheThread(buffer, 2).shards[0]!
  assert.ok(lock.take())
  t.after(() => lock.release())
  assert.equal(here.purge({ kind: 'url', url: 'http://a/' }, false), 0)
  assert.deepEqual(there.purgePart({ kind: 'all' }, false, 0), { purged: 0, next: 0 })
  assert.deepEqual(there.purgePart({ kind: 'url', url: 'http://b/' }, false, 0), { purged: 0, next: 0 })
  assert.equal(
    there.list(() => assert.fail('what cannot be read is left out')),
    -1,
  )
  lock.release()
  await until('it is purged', () => here.variants('http://a/').length === 0)
  assert.deepEqual(there.purgePart({ kind: 'url', url: 'http://b/' }, false, 0), { purged: 1, next: -1 })
  assert.ok(lock.take())
  assert.equal(there.purgePart({ kind: 'all' }, false, 0).next, 0)
  const later = performance.now() + 3000
  t.mock.method(performance, 'now', () => later)
  assert.throws(() => there.purgePart({ kind: 'all' }, false, 0), /held by lane 2/)
})

test('the lock is taken over from a dead thread whether others wait for it or not, and who waits is woken', () => {
  const { buffer } = stores()
  const [one, two, three] = [0, 1, 2].map((lane) => new CacheThread(buffer, lane).shards[0]!.lock)
  assert.ok(one!.take())
  assert.equal(two!.take(), false, 'it has slept, and gone')
  assert.equal(three!.inherit(1), false)
  assert.ok(three!.inherit(0))
  const notify = mock.method(Atomics, 'notify')
  three!.release()
  assert.equal(notify.mock.callCount(), 1)
  for (const lock of [one, two]) {
    assert.ok(lock!.take())
    lock!.release()
  }
  assert.equal(notify.mock.callCount(), 1, 'nobody sleeps any more')
  assert.ok(one!.take())
  assert.ok(two!.inherit(0))
  two!.release()
  notify.mock.restore()
})

test('a marker does not outlast a clock that is put back', () => {
  const { here, there } = stores()
  const turn = here.turn('http://a/', 'key')
  assert.ok(turn.kind === 'lead')
  turn.end('alone', 10_000)
  assert.equal(there.turn('http://a/', 'key').kind, 'alone')
  here.moveClock(-3_600_000)
  assert.equal(there.turn('http://a/', 'key').kind, 'lead')
})
