// The store under real threads: one flight over all of them, and threads that are terminated in the middle of everything.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOfStore } from '../../../test/support/cache-check.ts'
import {
  type CacheTask,
  type CacheThreadHandle,
  headOf,
  isWhole,
  markedBody,
  markedFacts,
  startCacheThread,
} from '../../../test/support/cache-thread.ts'
import { until } from '../../../test/support/wait.ts'
import { createCacheMemory } from './cache-memory.ts'
import { CacheStore } from './cache-store.ts'

const mainLane = 4

function start(buffer: SharedArrayBuffer, taskOf: (lane: number) => CacheTask): Promise<CacheThreadHandle[]> {
  return Promise.all([0, 1, 2, 3].map((lane) => startCacheThread({ buffer, lane, task: taskOf(lane) })))
}

const bad = (threads: readonly CacheThreadHandle[]): string[] =>
  threads.flatMap(({ heard }) => heard.filter((word) => word.startsWith('bad')))

for (const isLengthKnown of [true, false]) {
  const title = `four threads, 250 requests each, length ${isLengthKnown ? '' : 'not '}known: one leads, all get the body as it comes`
  test(title, async (t) => {
    const buffer = createCacheMemory({ memory: 16 * 2 ** 20, maxObject: 2 ** 20, lanes: 5 })
    const threads = await start(buffer, () => ({ kind: 'follow', times: 250, length: 300_001, isLengthKnown }))
    t.after(() => Promise.all(threads.map(({ worker }) => worker.terminate())))
    for (const thread of threads) thread.say('go')
    const all = (word: string): Promise<void> =>
      until(`all have said ${word}`, () => {
        assert.deepEqual(bad(threads), [])
        return threads.every(({ heard }) => heard.some((heard) => heard.startsWith(word)))
      })
    await all('turns')
    const turns = threads.map(({ heard }) => heard[0]!.split(' ').slice(1).map(Number))
    assert.equal(
      turns.reduce((sum, [leads]) => sum + leads!, 0),
      1,
      'one leads',
    )
    assert.equal(
      turns.reduce((sum, [, follows]) => sum + follows!, 0),
      999,
    )
    const leading = threads[turns.findIndex(([leads]) => leads === 1)]!
    leading.say('write')
    await all('half')
    leading.say('write')
    await all('read')
    const reads = threads.flatMap(({ heard }) => heard.filter((word) => word.startsWith('read')))
    assert.equal(
      reads.reduce((sum, read) => sum + Number(read.split(' ')[1]), 0),
      999,
    )
    const store = new CacheStore(buffer, mainLane)
    assert.equal(store.variants('http://example.com/followed')[0]?.bodyLength, 300_001)
    await until('nobody holds anything', () => problemsOfStore(buffer).length === 0 && store.totals().filling === 0)
  })
}

test('threads that are terminated in the middle of everything: what is left is whole, works, and loses no memory', async (t) => {
  const buffer = createCacheMemory({ memory: 8 * 2 ** 20, maxObject: 400_000, lanes: 5 })
  const store = new CacheStore(buffer, mainLane)
  const seed = Date.now() % 1e6
  const startOne = (lane: number, round: number): Promise<CacheThreadHandle> =>
    startCacheThread({
      ...{ buffer, lane },
      task: { kind: 'storm', seed: seed + lane * 100 + round, urls: 400, withPurges: true },
    })
  const threads = await Promise.all([0, 1, 2, 3].map((lane) => startOne(lane, 0)))
  t.after(() => Promise.all(threads.map(({ worker }) => worker.terminate())))
  for (const thread of threads) thread.say('go')
  for (let round = 1; round <= 5; round++) {
    await progress(store, 500)
    for (const lane of round % 2 === 0 ? [0, 1] : [1, 2, 3]) {
      await threads[lane]!.worker.terminate()
      assert.deepEqual(bad(threads), [], `seed ${seed}, round ${round}`)
      store.reclaim(lane)
      threads[lane] = await startOne(lane, round)
      threads[lane].say('go')
    }
    checkAll(store, `seed ${seed}, round ${round}`)
  }
  await progress(store, 500)
  await Promise.all(threads.map(({ worker }) => worker.terminate()))
  for (const lane of [0, 1, 2, 3]) store.reclaim(lane)
  assert.deepEqual(problemsOfStore(buffer), [], `seed ${seed}`)
  assert.equal(store.totals().filling, 0)
  const texts = { url: 'http://after/', selector: '', tags: '', head: headOf('http://after/', 1) }
  store.put(markedFacts(1), texts, markedBody('http://after/', 1, 100_000))
  assert.ok(isWhole(store.variants('http://after/')[0]!))
  checkAll(store, `seed ${seed}, at the end`)
  store.purge({ kind: 'all' }, false)
  assert.deepEqual(problemsOfStore(buffer), [], `seed ${seed}`)
  assert.equal(store.totals().entries, 0)
})

async function progress(store: CacheStore, puts: number): Promise<void> {
  const { stored } = store.totals()
  await until('the threads get on', () => store.totals().stored >= stored + puts)
}

function checkAll(store: CacheStore, when: string): void {
  const urls = new Set<string>()
  store.list(({ url }) => urls.add(url) !== undefined)
  for (const url of urls)
    for (const entry of store.variants(url)) assert.notEqual(isWhole(entry), false, `${when}: ${url}`)
  const { used, memory } = store.totals()
  assert.ok(used <= memory, `${when}: ${used} > ${memory}`)
}
