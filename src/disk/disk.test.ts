import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { fetched, storedEntry } from '../../test/support/disk-entries.ts'
import { fillDisk, filledUrl } from '../../test/support/disk-fill.ts'
import { DiskStand, mebibyte, versions } from '../../test/support/disk-stand.ts'
import { deferred, until } from '../../test/support/wait.ts'
import type { EntryFacts, EntryTexts } from '../state/cache/types.ts'
import { banSumName } from './ban-sum.ts'
import { checkpointName } from './checkpoint.ts'
import type { DiskTier } from './types.ts'

const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => `http://a.example/${from + i}`)

describe('disk tier', () => {
  let stand: DiskStand
  let tier: DiskTier
  beforeEach(async () => {
    stand = await DiskStand.make()
    await stand.open()
    tier = stand.attach()
  })
  afterEach(() => stand.remove())

  it('gives back what was kept, to other threads and after a restart', async () => {
    const { now } = stand
    const facts = { status: 404, flags: 5, responseTime: now - 5, initialAge: 3, lifetime: 1e6 }
    const windows = { staleWhileRevalidate: 7, staleIfError: 9 }
    const texts = { url: 'http://a/x?y', selector: 'gzip', tags: 'one two', head: 'A: \xe9\r\n' }
    tier.keep(storedEntry({ ...facts, ...windows, ...texts, bodyLength: 300_000 }))
    tier.keep(storedEntry({ url: 'http://a/small', bodyLength: 0 }))
    const other = stand.attach(1)
    await stand.kept([texts.url, 'http://a/small'], other)
    assert.equal(other.mayHave('http://a/other'), false)
    const check = async (of: DiskTier): Promise<void> => {
      const [found, ...more] = await fetched(of, texts.url)
      assert.deepEqual([found!.facts, found!.texts, more.length], [{ ...facts, ...windows }, texts, 0])
      assert.equal(found!.body.length, 300_000)
      assert.deepEqual(await versions(of, ['http://a/small']), ['http://a/small 0'])
    }
    await check(other)
    const again = await stand.restart()
    assert.equal(again.totals().entries, 2)
    await check(again)
  })

  it('has variants of a URL side by side, and of each the youngest', async () => {
    const url = 'http://a/v'
    for (const [selector, version] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ] as const)
      tier.keep(storedEntry({ url, selector, version }))
    tier.keep(storedEntry({ url: 'http://a/after' }))
    await stand.kept(['http://a/after'])
    const sorted = async (of: DiskTier): Promise<string[]> => (await versions(of, [url])).sort()
    assert.deepEqual(await sorted(tier), [`${url} 2`, `${url} 3`])
    assert.deepEqual(await sorted(await stand.restart()), [`${url} 2`, `${url} 3`])
  })

  it('does not read what is in memory', async () => {
    const url = 'http://a/v'
    for (const selector of ['a', 'b']) tier.keep(storedEntry({ url, selector }))
    tier.keep(storedEntry({ url: 'http://a/after' }))
    await stand.kept(['http://a/after'])
    const known = [{ selector: 'a' }, { selector: 'c' }]
    const found: string[] = []
    const done = deferred()
    const take = (_facts: EntryFacts, { selector }: EntryTexts): null => {
      found.push(selector)
      return null
    }
    tier.fetch(url, take, done.resolve, () => undefined, known)
    await done.promise
    assert.deepEqual(found, ['b'])
    assert.deepEqual([tier.mayHave(url, known), tier.mayHave(url, [...known, { selector: 'b' }])], [true, false])
  })

  it('goes on after a kill: what was written is found by its headers', async () => {
    const urls = numbered(500)
    for (const url of urls) tier.keep(storedEntry({ url, bodyLength: 5000 }))
    await stand.kept(urls)
    const other = await stand.afterKill()
    await other.kept(urls)
    assert.equal((await versions(other.attach(), urls)).length, urls.length)
    // What comes then does not overwrite what was there.
    const more = numbered(500, 500)
    const writer = other.attach(1)
    for (const url of more) writer.keep(storedEntry({ url, bodyLength: 5000, version: 2 }))
    await other.kept(more)
    assert.equal((await versions(await other.restart(), [...urls, ...more])).length, 1000)
    await other.remove()
  })

  it('never takes more than its size; the oldest goes, what is asked for stays', async () => {
    const body = 60_000
    const wanted = 'http://a.example/wanted'
    tier.keep(storedEntry({ url: wanted, bodyLength: body }))
    await stand.kept([wanted])
    const second = stand.attach(1)
    let most = 0
    for (let round = 0; round < 40; round++) {
      const urls = numbered(20, round * 20)
      for (const [i, url] of urls.entries()) (i % 2 === 0 ? tier : second).keep(storedEntry({ url, bodyLength: body }))
      await stand.kept(urls)
      assert.equal((await versions(tier, [wanted])).length, 1, `in round ${round}`)
      most = Math.max(most, await stand.bytes())
    }
    assert.ok(most <= stand.size, `${most} bytes were there`)
    assert.ok(most > stand.size / 2)
    assert.ok(tier.totals().used <= stand.size)
    assert.deepEqual(await versions(tier, numbered(50)), [])
    assert.equal((await versions(tier, numbered(50, 750))).length, 50)
    await until('what is gone is not counted', () => tier.totals().entries < 300)
    assert.equal(tier.totals().damaged, 0)
    const again = await stand.restart()
    assert.equal((await versions(again, numbered(50, 750))).length, 50)
    assert.equal((await versions(again, [wanted])).length, 1)
    assert.deepEqual(stand.said, [])
  })

  it('takes over what there is with another size, the youngest of it', async () => {
    stand.size = 64 * mebibyte
    await stand.restart()
    const urls = numbered(600)
    const writer = stand.attach(1)
    for (const url of urls) {
      writer.keep(storedEntry({ url, bodyLength: 60_000 }))
      if (Number(url.slice(17)) % 100 === 99) await stand.kept([url])
    }
    stand.size = 32 * mebibyte
    const again = await stand.restart()
    assert.ok((await stand.bytes()) <= stand.size)
    await stand.kept(urls.slice(-100))
    assert.equal((await versions(again, urls.slice(-100))).length, 100)
    assert.deepEqual(stand.said, [])
  })

  it('saves its index now and then, so that a kill leaves little to be looked through', async () => {
    const urls = numbered(100)
    for (const url of urls) tier.keep(storedEntry({ url, bodyLength: 50_000 }))
    await stand.kept(urls)
    await until('it is saved', () => existsSync(join(stand.path, checkpointName)))
    tier.keep(storedEntry({ url: 'http://a/late' }))
    await stand.kept(['http://a/late'])
    const copy = await stand.afterKill()
    assert.ok(copy.disk.tier.totals().entries >= 100)
    await copy.kept([...urls, 'http://a/late'])
    assert.equal((await versions(copy.attach(), [...urls, 'http://a/late'])).length, 101)
    await copy.remove()
  })

  it('hands over nothing that is of no use any more', async () => {
    const stale = { responseTime: stand.now - 10, initialAge: 0, lifetime: 1000, staleIfError: 7_200_000 }
    const validated = 'http://a/validated'
    tier.keep(storedEntry({ url: 'http://a/plain', ...stale }))
    tier.keep(storedEntry({ url: validated, ...stale, head: 'X-Version: 0\r\nETag: "1"\r\n' }))
    await stand.kept(['http://a/plain', validated])
    stand.now += 7_100_000
    assert.equal((await fetched(tier, 'http://a/plain')).length, 1)
    stand.now += 200_000
    assert.equal((await fetched(tier, 'http://a/plain')).length, 0)
    assert.equal((await fetched(tier, validated)).length, 1)
  })

  it('keeps nothing that has left the memory, or is too long, and counts what it leaves out', async () => {
    tier.keep(storedEntry({ url: 'http://a/gone' }, () => true))
    tier.keep(storedEntry({ url: 'http://a/long', version: 1 }))
    await stand.kept(['http://a/long'])
    tier.keep(storedEntry({ url: 'http://a/long', version: 2, bodyLength: mebibyte }))
    // The old one must not come back in the place of one that was not kept.
    assert.equal(tier.mayHave('http://a/long'), false)
    assert.equal(tier.totals().dropped, 1)
    for (const url of numbered(5000)) tier.keep(storedEntry({ url }))
    assert.ok(tier.totals().dropped > 100, 'no more than so many wait')
    await until('they are written', () => tier.totals().entries > 1000)
    assert.equal(tier.mayHave('http://a/gone'), false)
  })

  it('writes again what was only made fresh if it is short', async () => {
    const [long, short] = ['http://a/long', 'http://a/short']
    tier.keep(storedEntry({ url: long, bodyLength: 100_000 }))
    tier.keep(storedEntry({ url: short }))
    await stand.kept([long, short])
    const { used } = tier.totals()
    const responseTime = stand.now - 5000
    tier.keep(storedEntry({ url: long, bodyLength: 100_000, responseTime }), true)
    tier.keep(storedEntry({ url: short, responseTime }), true)
    tier.keep(storedEntry({ url: 'http://a/after' }))
    await stand.kept(['http://a/after'])
    assert.ok(tier.totals().used < used + 1000)
    const times = await Promise.all([long, short].map(async (url) => (await fetched(tier, url))[0]!.facts.responseTime))
    assert.equal(times[1], responseTime)
    assert.notEqual(times[0], responseTime)
  })

  it('is open at once however much there is, with its index and without', async () => {
    await stand.stop()
    stand.size = 512 * mebibyte
    const count = 40_000
    await fillDisk(stand.path, stand.size, count)
    // The second time with the index that the first one has left.
    for (const atOnce of [false, true]) {
      const from = performance.now()
      const { tier: main } = await stand.open()
      assert.ok(performance.now() - from < 1000, `it took ${performance.now() - from} ms`)
      if (atOnce) assert.ok(main.totals().entries > count * 0.97)
      await until('all are found', () => main.totals().entries > count * 0.97)
      await stand.kept([filledUrl(count - 1)])
      assert.equal(
        (
          await versions(
            main,
            [0, 1, 2].map((i) => filledUrl(count - 1 - i)),
          )
        ).length,
        3,
      )
      await stand.stop()
    }
  })

  it('is readable by its owner alone', async () => {
    tier.keep(storedEntry({ url: 'http://a/x' }))
    await stand.kept(['http://a/x'])
    assert.equal((await stat(stand.path)).mode & 0o777, 0o700)
    const names = await readdir(stand.path)
    assert.ok(names.includes(banSumName))
    for (const name of names) assert.equal((await stat(join(stand.path, name))).mode & 0o077, 0, name)
    await chmod(stand.path, 0o700)
  })
})
