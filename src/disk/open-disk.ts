// Opens the folder of the disk tier: what is in it from the last time is taken over, or thrown away where it cannot be trusted.
import { join } from 'node:path'
import type { Log } from '../core/log.ts'
import { createDiskMemory, DiskMemory, shared64 } from '../state/cache-disk/disk-memory.ts'
import { banFileName, banFileOf, decodeBans } from './ban-log.ts'
import { readBanSum } from './ban-sum.ts'
import { readCheckpoint } from './checkpoint.ts'
import { DiskError } from './disk-error.ts'
import { codeOf, type DiskFiles, nodeFiles } from './files.ts'
import { emptyFolder, type FolderFormat, holdFolder, newSecret, prepareFolder, readFormat } from './folder.ts'
import { Keeper } from './keeper.ts'
import { LaneTier } from './lane-tier.ts'
import { mayPass, problemText } from './problem.ts'
import { padded } from './record.ts'
import { Scan } from './scan.ts'
import { segmentOf } from './segments.ts'
import { type DiskSizes, diskSizes } from './sizes.ts'
import type { Disk, OpenDiskOptions } from './types.ts'

/** For tests. */
export interface DiskSeams {
  readonly files?: DiskFiles
  /** How often the main thread looks after it, and tries again at first where the disk has failed; default 1000. */
  readonly tickMs?: number
}

/** What is known of the folder while it is being opened. */
interface Found {
  readonly tier: LaneTier
  readonly shared: SharedArrayBuffer
  readonly sizes: DiskSizes
  /** Records between these are to be looked at. */
  readonly scan: readonly [from: number, to: number]
  readonly newFormat: FolderFormat | null
}

/**
 * Takes a second at most, however much is there; what a crash has left to be looked through is, in the background.
 * Rejects with DiskError where the folder cannot be one of ours; where the disk is full or fails, it is degraded instead.
 */
export async function openDisk(options: OpenDiskOptions, seams: DiskSeams = {}): Promise<Disk> {
  const { files = nodeFiles, tickMs = 1000 } = seams
  const { log } = options
  const path = await prepareFolder(options.path)
  const folder = await holdFolder(path, log, files)
  try {
    const found = await find(path, options, files)
    const { tier, shared, sizes, newFormat } = found
    tier.memory.raise(shared64.size, options.size)
    const { head, index, bans, codec, segments } = tier
    const scan = new Scan({ head, index, bans, codec, segments }, ...found.scan)
    const keeper = new Keeper({ tier, files, folder, log, scan, newFormat, banFileBytes: sizes.banFileBytes, tickMs })
    await keeper.begin()
    return {
      shared,
      tier,
      reclaim(lane) {
        head.reclaim(lane)
        bans.reclaim(lane)
      },
      async close() {
        await keeper.close()
        await folder.release()
      },
    }
  } catch (error) {
    await folder.release()
    if (error instanceof DiskError) throw error
    throw new DiskError(codeOf(error), `cache_store.disk: ${problemText(error, 'opened', path)}`, { cause: error })
  }
}

async function find(path: string, options: OpenDiskOptions, files: DiskFiles): Promise<Found> {
  const { size, lanes, log } = options
  const format = await readFormat(files, path)
  if (format === null) return anew(path, options, files)
  const sizes = diskSizes(size, lanes, format.segmentBytes)
  if (sizes.segmentBytes !== format.segmentBytes) {
    sayEmptied(log, path, 'it was made for a size that is too different')
    return anew(path, options, files)
  }
  const shared = createDiskMemory(sizes, { path, secret: format.secret })
  const memory = new DiskMemory(shared)
  const tier = new LaneTier({ shared, lane: memory.mainLane, now: options.now, files })
  let problem: string
  try {
    const names = await files.list(path)
    if (await readBans(files, tier, names)) {
      const scan = await readRecords(files, tier, names)
      return { tier, shared, sizes, scan, newFormat: null }
    }
    problem = 'nobody knows any more what was purged, as the files that say it are damaged'
  } catch (error) {
    if (!mayPass(error)) throw error
    problem = problemText(error, 'read', path)
  }
  await tier.close()
  sayEmptied(log, path, problem)
  return anew(path, options, files)
}

function sayEmptied(log: Log, path: string, problem: string): void {
  const message = `cache: what was kept in ${path} is thrown away: ${problem}`
  log.event('warn', 'cache_disk_emptied', message, { path, problem })
}

/** Files from before cannot be taken for new ones: they have another secret. Where they cannot be removed now, the keeper tries again. */
async function anew(path: string, { size, lanes, now }: OpenDiskOptions, files: DiskFiles): Promise<Found> {
  await emptyFolder(files, path).catch((error) => {
    if (!mayPass(error)) throw error
  })
  const sizes = diskSizes(size, lanes)
  const newFormat = { segmentBytes: sizes.segmentBytes, secret: newSecret() }
  const shared = createDiskMemory(sizes, { path, secret: newFormat.secret })
  const tier = new LaneTier({ shared, lane: new DiskMemory(shared).mainLane, now, files })
  return { tier, shared, sizes, scan: [0, 0], newFormat }
}

/** Far more than a second of them. There is room for five hundred million starts. */
const mostLostBans = 2 ** 24

/** Puts in force what was purged. False = nobody knows all of it. */
async function readBans(files: DiskFiles, tier: LaneTier, names: readonly string[]): Promise<boolean> {
  const { memory, bans, head } = tier
  const first = await readBanSum(files, memory, bans)
  const numbers = names.map(banFileOf).filter((file) => file !== null)
  if (first === null || !numbers.includes(first)) return false
  for (const number of numbers.filter((file) => file >= first).sort((a, b) => a - b)) {
    const found = decodeBans(await readWhole(files, join(memory.path, banFileName(number))))
    if (found === null) return false
    for (const ban of found) bans.apply(ban)
  }
  // Records may have marks of bans that were lost with the last moments: those that come must be above all of them.
  memory.raise(shared64.bans, memory.load(shared64.bans) + mostLostBans)
  head.banFile = Math.max(...numbers)
  return true
}

async function readWhole(files: DiskFiles, path: string): Promise<Buffer> {
  const fd = await files.open(path, 'read')
  try {
    const bytes = Buffer.alloc(await files.size(fd))
    return bytes.subarray(0, await files.read(fd, bytes, 0))
  } finally {
    await files.close(fd)
  }
}

/** Takes over the segments and the index. Returns between which positions records are to be looked at. */
async function readRecords(
  files: DiskFiles,
  { memory, head, index, segments }: LaneTier,
  names: readonly string[],
): Promise<[from: number, to: number]> {
  const { segmentBytes, segments: most } = memory.sizes
  const numbers = names.map(segmentOf).filter((segment) => segment !== null)
  numbers.sort((a, b) => a - b)
  const last = numbers.at(-1) ?? 0
  const first = Math.max(numbers[0] ?? 0, last - most + 1)
  for (const segment of numbers.filter((number) => number < first)) await files.remove(segments.path(segment))
  const end = numbers.length === 0 ? 0 : padded(await sizeOf(files, segments.path(last)))
  // A full one is not written to any more, as the next has no room yet.
  const position = last * segmentBytes + Math.min(end, segmentBytes - 64)
  head.begin(first, position)
  const from = await readCheckpoint(files, memory)
  index.recount()
  const to = last * segmentBytes + Math.min(end, segmentBytes)
  return [Math.min(to, Math.max(from ?? 0, first * segmentBytes)), to]
}

async function sizeOf(files: DiskFiles, path: string): Promise<number> {
  const fd = await files.open(path, 'read')
  try {
    return await files.size(fd)
  } finally {
    await files.close(fd)
  }
}
