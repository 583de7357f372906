// The disk tier of the cache under kills: of the process, and of threads.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { openDisk } from '../../src/disk/open-disk.ts'
import { fetched, storedEntry, versionOf } from '../support/disk-entries.ts'
import { DiskStand } from '../support/disk-stand.ts'
import { type WriterInput, writerBytes, writerFile, writerUrls } from '../support/disk-writer.ts'
import { Random } from '../support/random.ts'
import { until, within } from '../support/wait.ts'

describe('a disk tier whose writers are killed', () => {
  let stand: DiskStand
  beforeEach(async () => {
    stand = await DiskStand.make()
    stand.size = writerBytes
  })
  afterEach(() => stand.remove())

  /** The youngest version of each URL that may be found at least. */
  const purged = new Map<string, number>()

  /** Runs a process that writes until it has said so many lines, and is killed in the middle of it. */
  const killAfter = async (lines: number, firstVersion: number): Promise<void> => {
    const child = spawn(process.execPath, [writerFile, stand.path, String(firstVersion)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (bytes) => {
      text += bytes
    })
    await until('it has purged', () => text.split('\n').length > lines || child.exitCode !== null)
    child.kill('SIGKILL')
    await within('its end', once(child, 'close'))
    assert.equal(child.exitCode, null, 'it has ended by itself')
    for (const line of text.split('\n').slice(0, -1)) {
      const [url, version] = line.split(' ')
      purged.set(url!, Number(version))
    }
  }

  const check = async (where: string): Promise<number> => {
    await stand.open()
    const tier = stand.attach()
    // Until it has looked through what the kill has left.
    for (let entries = -1; entries !== tier.totals().entries; ) {
      entries = tier.totals().entries
      for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    }
    let found = 0
    for (const url of writerUrls) {
      for (const one of await fetched(tier, url)) {
        assert.equal(one.texts.url, url)
        const version = versionOf(one)
        assert.ok(version >= (purged.get(url) ?? 0), `${url} ${version} was purged: ${where}`)
        found++
      }
    }
    assert.ok(found <= writerUrls.length)
    assert.ok((await stand.bytes()) <= writerBytes)
    assert.deepEqual(stand.said, [])
    await stand.stop()
    return found
  }

  it('process: what is found is whole, and nothing that was purged', async () => {
    const random = new Random()
    let found = 0
    for (let round = 0; round < 3; round++) {
      await killAfter(random.between(5, 30), round * 1_000_000)
      found += await check(`seed ${random.seed}, round ${round}`)
    }
    assert.ok(found > writerUrls.length, `${found} were found`)
  })

  it('threads: the others go on, and so does the next in their lane', async () => {
    const disk = await stand.open()
    const versions = new SharedArrayBuffer(12)
    const tier = stand.attach(2)
    for (let round = 0; round < 3; round++) {
      const workers = [0, 1].map((lane) => {
        const input: WriterInput = { shared: disk.shared, lane, versions, firstVersion: 0 }
        return new Worker(writerFile, { workerData: input })
      })
      await within('writing', Promise.all(workers.map((worker) => once(worker, 'message'))))
      await Promise.all(workers.map((worker) => worker.terminate()))
      disk.reclaim(0)
      disk.reclaim(1)
      const url = `http://other.example/${round}`
      tier.keep(storedEntry({ url }))
      await stand.kept([url], tier)
      for (const one of writerUrls) for (const entry of await fetched(tier, one)) versionOf(entry)
      assert.equal((await fetched(tier, url)).length, 1)
    }
    assert.equal(tier.totals().damaged, 0)
    assert.equal(tier.totals().state, 'ok')
  })

  it('process that still runs: another one is refused its folder', async () => {
    const child = spawn(process.execPath, [writerFile, stand.path, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
    await within('its first line', once(child.stdout, 'data'))
    await assert.rejects(stand.open(), (error: NodeJS.ErrnoException) => {
      assert.equal(error.code, 'EBUSY')
      assert.match(error.message, /another process uses it; stop that one, or give each a folder of its own/)
      return true
    })
    child.kill('SIGKILL')
    await within('its end', once(child, 'close'))
    await stand.open()
    await assert.rejects(openDisk({ path: stand.path, size: writerBytes, lanes: 1, log: stand, now: Date.now }), {
      code: 'EBUSY',
    })
  })
})
