import assert from 'node:assert/strict'
import { readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { fetched, storedEntry, versionOf } from '../../test/support/disk-entries.ts'
import { DiskStand, versions } from '../../test/support/disk-stand.ts'
import { deferred, until } from '../../test/support/wait.ts'
import type { PurgeWhat, StoredEntry } from '../state/cache/types.ts'
import type { DiskTier } from './types.ts'

const [one, two, three] = ['http://a.example/one', 'http://a.example/dir/two', 'https://b.example/three'] as const
const all = [one, two, three]
const tags = { [one]: 'red small', [two]: 'red', [three]: '' }

/** What is purged, and what that leaves. */
const purges: readonly (readonly [PurgeWhat, readonly string[]])[] = [
  [{ kind: 'url', url: one }, [two, three]],
  [{ kind: 'prefix', prefix: 'http://a.example/dir/' }, [one, three]],
  [{ kind: 'tag', tag: 'small' }, [two, three]],
  [{ kind: 'tag', tag: 'red' }, [three]],
  [{ kind: 'all' }, []],
]

describe('purging what is on disk', () => {
  let stand: DiskStand
  let tier: DiskTier
  let other: DiskTier
  beforeEach(async () => {
    stand = await DiskStand.make()
    await stand.open()
    tier = stand.attach(0)
    other = stand.attach(1)
  })
  afterEach(() => stand.remove())

  const fill = async (version = 0): Promise<void> => {
    for (const url of all) tier.keep(storedEntry({ url, version, tags: tags[url] }))
    tier.keep(storedEntry({ url: `http://a.example/after/${version}` }))
    await stand.kept([...all, `http://a.example/after/${version}`])
  }
  const left = async (of: DiskTier): Promise<string[]> => (await versions(of, all)).map((text) => text.split(' ')[0]!)
  /** As after a kill, once all records are found that are written there. */
  const killed = async (): Promise<DiskStand> => {
    const copy = await stand.afterKill()
    await until('the index is made anew', () => copy.disk.tier.mayHave('http://a.example/marker'))
    return copy
  }

  for (const [what, kept] of purges) {
    it(`of ${JSON.stringify(what)} holds in all threads, after a restart and after a kill`, async () => {
      await fill()
      tier.keep(storedEntry({ url: 'http://a.example/marker', tags: '', responseTime: stand.now }))
      await stand.kept(['http://a.example/marker'])
      const purged = stand.disk.tier.purge(what, false)
      // Before it is on the medium.
      assert.deepEqual(await left(other), kept)
      const count = await purged
      assert.equal(count, what.kind === 'url' ? 1 : what.kind === 'all' ? 5 : 0)
      other.keep(storedEntry({ url: 'http://a.example/marker' }))
      await stand.kept(['http://a.example/marker'])
      const copy = await killed()
      assert.deepEqual(await left(copy.attach()), kept)
      await copy.remove()
      assert.deepEqual(await left(await stand.restart()), kept)
      // What is kept after it is not meant, be it after one more restart.
      tier = stand.attach(2)
      await fill(1)
      assert.deepEqual(await left(tier), all)
      assert.deepEqual(await left(await stand.restart()), all)
    })

    it(`softly of ${JSON.stringify(what)} makes stale`, async () => {
      await fill()
      const lifetimes = async (of: DiskTier): Promise<string[]> => {
        const lists = await Promise.all(all.map((url) => fetched(of, url)))
        return lists
          .flat()
          .filter(({ facts }) => facts.lifetime > 1000)
          .map(({ texts }) => texts.url)
      }
      await stand.disk.tier.purge(what, true)
      assert.deepEqual(await left(other), all)
      assert.deepEqual(await lifetimes(other), kept)
      assert.deepEqual(await lifetimes(await stand.restart()), kept)
      tier = stand.attach(2)
      await fill(1)
      assert.deepEqual(await lifetimes(tier), all)
    })
  }

  it('by a worker holds in all threads at once, and after a kill', async () => {
    await fill()
    other.forget(two)
    assert.deepEqual(await left(tier), [one, three])
    assert.equal(stand.disk.tier.mayHave(two), false)
    tier.keep(storedEntry({ url: 'http://a.example/marker' }))
    await stand.kept(['http://a.example/marker'])
    const copy = await killed()
    assert.deepEqual(await left(copy.attach()), [one, three])
    await copy.remove()
  })

  it('means what waits to be written', async () => {
    tier.keep(storedEntry({ url: one, version: 1 }))
    other.forget(one)
    tier.keep(storedEntry({ url: two, version: 2 }))
    await stand.kept([two])
    assert.deepEqual(await versions(tier, all), [`${two} 2`])
    assert.deepEqual(await versions(await stand.restart(), all), [`${two} 2`])
  })

  it('does not mean what was stored right after it', async () => {
    await fill()
    other.forget(one)
    await Promise.resolve()
    tier.keep(storedEntry({ url: one, version: 7 }))
    await stand.kept([one])
    assert.deepEqual(await versions(tier, [one]), [`${one} 7`])
    assert.deepEqual(await versions(await stand.restart(), [one]), [`${one} 7`])
  })

  it('means what another thread puts before the memory of the cache is purged', async () => {
    // forget of a worker; then, before its turn ends and with it the purge of the memory, another one puts and keeps.
    other.forget(one)
    tier.keep(storedEntry({ url: one, version: 7 }))
    await Promise.resolve()
    tier.keep(storedEntry({ url: two }))
    await stand.kept([two])
    assert.deepEqual(await versions(tier, [one]), [])
    assert.deepEqual(await versions(await stand.restart(), [one]), [])
  })

  it('means what was kept after purges that a kill has lost', async () => {
    for (let i = 0; i < 1000; i++) other.forget(`http://a.example/some/${i}`)
    await Promise.resolve()
    await fill()
    const copy = await stand.afterKill((path) => {
      for (const name of readdirSync(path)) if (name.endsWith('.log')) truncateSync(join(path, name), 0)
    })
    await copy.kept(all)
    await copy.disk.tier.purge({ kind: 'url', url: one }, false)
    const writer = copy.attach()
    assert.deepEqual(await left(writer), [two, three])
    // By its tag: it is found in the index.
    await copy.disk.tier.purge({ kind: 'tag', tag: 'red' }, false)
    assert.deepEqual(await left(writer), [three])
    await copy.remove()
  })

  it('takes out of the memory what was purged while it was put there', async () => {
    await fill()
    const done = deferred()
    const removed: StoredEntry[] = []
    const entry = storedEntry({ url: one })
    const take = (): StoredEntry => {
      other.forget(one)
      return entry
    }
    tier.fetch(one, take, done.resolve, (gone) => removed.push(gone))
    await done.promise
    assert.deepEqual(removed, [entry])
  })

  it('holds for a hundred thousand URLs, and for more prefixes than there is room for', async () => {
    await fill()
    const bans = Array.from({ length: 100_000 }, (_, i) => `http://a.example/some/${i}`)
    for (const [i, url] of bans.entries()) {
      other.forget(url)
      if (i % 1000 === 999) await new Promise(setImmediate)
    }
    other.forget(two)
    await Promise.resolve()
    const { tier: main } = stand.disk
    await fill(1)
    assert.deepEqual(await left(tier), all)
    for (let i = 0; i < 80; i++)
      void main.purge({ kind: 'prefix', prefix: `http://c.example/${'x'.repeat(1000)}${i}` }, false)
    await main.purge({ kind: 'prefix', prefix: 'https://b' }, false)
    // Those without room mean everything that was there.
    assert.deepEqual(await left(tier), [])
    const again = await stand.restart()
    assert.deepEqual(await left(again), [])
    tier = stand.attach(1)
    await fill(2)
    assert.deepEqual(await versions(tier, [three]), [`${three} 2`])
    const [found] = await fetched(await stand.restart(), three)
    assert.equal(versionOf(found!), 2)
    assert.ok((await stand.bytes()) < stand.size)
  })
})
