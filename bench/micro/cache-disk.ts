// What the disk tier of the cache costs a request that misses, and one whose answer is kept. Run by itself it times starts:
// `node bench/micro/cache-disk.ts 1000000` makes that many records, then opens them with their index and without.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../src/core/log.ts'
import { attachDisk } from '../../src/disk/attach-disk.ts'
import type { LaneTier } from '../../src/disk/lane-tier.ts'
import { openDisk } from '../../src/disk/open-disk.ts'
import { diskSizes } from '../../src/disk/sizes.ts'
import type { Disk } from '../../src/disk/types.ts'
import { createDiskMemory } from '../../src/state/cache-disk/disk-memory.ts'
import { fetched, storedEntry, versionOf } from '../../test/support/disk-entries.ts'
import { fillDisk, filledBody, filledUrl } from '../../test/support/disk-fill.ts'
import { until } from '../../test/support/wait.ts'
import type { Benchmark } from './measure.ts'

const size = 10 * 1024 ** 3
const urls = Array.from({ length: 1024 }, (_, i) => `http://www.example.com/some/where/${i}.css`)

/** In a folder that is not there: what is measured does not get to the disk. */
function tierInMemory(): LaneTier {
  const sizes = diskSizes(size, 1)
  const shared = createDiskMemory(sizes, { path: join(tmpdir(), 'frontdesk-none'), secret: [1, 2, 3, 4] })
  const tier = attachDisk({ shared, lane: 0, now: Date.now }) as LaneTier
  const { hashes } = tier.codec
  for (const [i, url] of urls.entries()) {
    if (i % 2 === 0) continue
    const place = { position: i * 64, length: 1000, selector: 1, until: 0xffffffff }
    tier.index.insert({ hi: hashes.hi(url), lo: hashes.lo(url), ...place })
  }
  return tier
}

const tier = tierInMemory()
const entry = storedEntry({ url: urls[0]!, bodyLength: 4096 })

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'cache disk mayHave',
    run(times) {
      for (let i = 0; i < times; i++) tier.mayHave(urls[i & 1023]!)
    },
  },
  {
    name: 'cache disk record of 4 KiB encoded and sealed',
    run(times) {
      for (let i = 0; i < times; i++) tier.codec.seal(tier.codec.encode(entry, entry, entry.bodyLength), i * 64, 0)
    },
  },
  {
    name: 'cache disk a URL banned',
    run(times) {
      for (let i = 0; i < times; i++) tier.bans.begin({ kind: 'hash', hi: i, lo: Math.imul(i, 0x9e3779b1) }, false)
    },
  },
]

function open(path: string): Promise<Disk> {
  return openDisk({ path, size, lanes: 2, log: silentLog, now: Date.now })
}

const milliseconds = (from: number): string => `${(performance.now() - from).toFixed(0)} ms`

/** Resolves when no more records have been found for a while, with the longest turn of the loop until then. */
async function settled({ tier }: Disk): Promise<number> {
  let longest = 0
  let seen = -1
  for (let changedAt = performance.now(); performance.now() < changedAt + 200; ) {
    const turn = performance.now()
    await new Promise(setImmediate)
    longest = Math.max(longest, performance.now() - turn)
    const { entries } = tier.totals()
    if (entries === seen) continue
    seen = entries
    changedAt = performance.now()
  }
  return longest
}

async function starts(count: number): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), 'frontdesk-disk-'))
  const say = (text: string): boolean => process.stdout.write(`${text}\n`)
  try {
    let from = performance.now()
    await fillDisk(path, size, count)
    say(`${count} records of ${filledBody} bytes written in ${milliseconds(from)}`)
    for (const how of ['without its index', 'with its index', 'with its index, again']) {
      from = performance.now()
      const disk = await open(path)
      say(`open ${how}: ready to serve after ${milliseconds(from)}`)
      const longest = await settled(disk)
      const { entries } = disk.tier.totals()
      say(
        `  ${entries} found after ${milliseconds(from)} (200 ms of it waited), longest turn of the loop ${longest.toFixed(1)} ms`,
      )
      await until('one is found', () => disk.tier.mayHave(filledUrl(count - 1)))
      from = performance.now()
      for (let i = 1; i <= 1000; i++) for (const one of await fetched(disk.tier, filledUrl(count - i))) versionOf(one)
      say(`  1000 fetched one after the other in ${milliseconds(from)}`)
      from = performance.now()
      await disk.close()
      say(`  closed in ${milliseconds(from)}; ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB resident`)
    }
  } finally {
    rmSync(path, { recursive: true })
  }
}

if (import.meta.main) await starts(Number(process.argv[2] ?? 1_000_000))
