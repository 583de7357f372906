// What the main thread does for the disk tier in the background: bans that are durable and summed up, the index saved now and
// then, files removed, and trying again where the disk has failed.
import { join } from 'node:path'
import type { Log } from '../core/log.ts'
import { banFileName, banFileOf } from './ban-log.ts'
import { writeBanSum } from './ban-sum.ts'
import { checkpointName, writeCheckpoint } from './checkpoint.ts'
import type { DiskFiles } from './files.ts'
import { emptyFolder, type FolderFormat, type HeldFolder, syncFolder, writeFormat } from './folder.ts'
import type { LaneTier } from './lane-tier.ts'
import { problemText } from './problem.ts'
import type { Scan } from './scan.ts'

export interface KeeperParts {
  readonly tier: LaneTier
  readonly files: DiskFiles
  readonly log: Log
  readonly scan: Scan
  /** To be written into an empty folder first; null = it is there. */
  readonly newFormat: FolderFormat | null
  /** Length at which a new file of bans is begun. */
  readonly banFileBytes: number
  readonly tickMs: number
  readonly folder: HeldFolder
}

/** Of how often it looks: a disk that has failed is tried again after one, two, four … of these, at most so many. */
const longestRetryTicks = 60
/** The index is saved after so many written segments, but not more often than that; or after the longer time if anything was written. */
const checkpointSegments = 4
const checkpointTicks = 60
const latestCheckpointTicks = 600
/** Sets of the index that are looked at in one go. */
const sweptSets = 8192
/** What must be writable before a full disk counts as mended. */
const probeBytes = 1024 * 1024

export class Keeper {
  readonly #o: KeeperParts
  readonly #timer: NodeJS.Timeout
  #newFormat: FolderFormat | null
  #run: Promise<void> | null = null
  #isSaid = false
  #retryTicks = 1
  #retryAt = 0
  #recoveredAt = Number.NEGATIVE_INFINITY
  #syncedBytes = 0
  #checkpointAt = performance.now()
  #checkpointPosition: number
  #sweptFor: number
  #sweepFrom = 0

  constructor(parts: KeeperParts) {
    this.#o = parts
    this.#newFormat = parts.newFormat
    this.#checkpointPosition = parts.tier.head.position
    this.#sweptFor = parts.tier.head.oldest
    this.#timer = setInterval(() => {
      this.#run ??= this.#tick().finally(() => {
        this.#run = null
      })
    }, parts.tickMs)
    this.#timer.unref()
  }

  /** Before anybody writes. A disk that fails is degraded from the start. */
  async begin(): Promise<void> {
    await this.#guard(() => this.#prepare())
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#run
    const { tier, scan, folder } = this.#o
    await scan.stop()
    const isThere = await folder.check().then(
      () => true,
      () => false,
    )
    // What stands in its place may be somebody else's.
    if (!isThere) return tier.close()
    if (tier.head.isDegraded) await this.#prepare().catch(() => undefined)
    else await tier.banLog.sync().catch(() => undefined)
    await tier.close()
    if (this.#newFormat === null) await this.#save().catch(() => undefined)
  }

  async #tick(): Promise<void> {
    const { head } = this.#o.tier
    if (head.isDegraded) {
      await this.#retry()
      return
    }
    this.#sweep()
    await this.#guard(async () => {
      await this.#o.folder.check()
      await this.#o.tier.segments.removeForgotten()
      if (head.banBytes > this.#o.banFileBytes) await this.#renewBans()
      else await this.#syncBans()
      if (this.#isCheckpointDue()) await this.#save()
    })
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    const { tier } = this.#o
    try {
      await work()
    } catch (error) {
      tier.head.degrade(problemText(error, 'written to', tier.memory.path))
    }
    if (tier.head.isDegraded) this.#say()
  }

  #say(): void {
    if (this.#isSaid) return
    this.#isSaid = true
    // One that has failed right after it was mended is left alone for longer each time.
    const isAgain = performance.now() - this.#recoveredAt < longestRetryTicks * this.#o.tickMs
    this.#wait(isAgain ? this.#retryTicks * 2 : 1)
    const { problem } = this.#o.tier.head
    const message = `cache: answers are kept in memory alone, ${problem}. It is tried again until it works`
    this.#o.log.event('error', 'cache_disk_degraded', message, { problem })
  }

  async #retry(): Promise<void> {
    this.#say()
    if (performance.now() < this.#retryAt) return
    const { log, tier, folder } = this.#o
    try {
      if (await folder.regain()) this.#beginAnew()
      await this.#probe()
      await this.#prepare()
    } catch {
      this.#wait(this.#retryTicks * 2)
      return
    }
    this.#isSaid = false
    this.#recoveredAt = performance.now()
    tier.head.recover()
    log.event('info', 'cache_disk_recovered', `cache: ${tier.memory.path} can be written to again`)
  }

  /** Nothing that was written is there any more; who has a file open leaves it with the next segment. */
  #beginAnew(): void {
    const { tier } = this.#o
    const { memory } = tier
    this.#newFormat = { segmentBytes: memory.sizes.segmentBytes, secret: memory.secret }
    tier.head.advance(tier.head.segment + 1)
    tier.removeEverything()
  }

  #wait(ticks: number): void {
    this.#retryTicks = Math.min(longestRetryTicks, ticks)
    this.#retryAt = performance.now() + this.#retryTicks * this.#o.tickMs
  }

  /** Everything without which nothing may be written. @throws the system's error. */
  async #prepare(): Promise<void> {
    const { files, tier } = this.#o
    const { path } = tier.memory
    if (this.#newFormat !== null) {
      await emptyFolder(files, path)
      await writeFormat(files, path, this.#newFormat)
      this.#newFormat = null
    }
    await this.#renewBans()
  }

  async #probe(): Promise<void> {
    const { files, tier } = this.#o
    const path = join(tier.memory.path, `${checkpointName}.tmp`)
    const fd = await files.open(path, 'new')
    try {
      await files.write(fd, [Buffer.alloc(probeBytes)], 0)
      await files.sync(fd)
    } finally {
      await files.close(fd)
      await files.remove(path)
    }
  }

  /** Sums up all bans, and begins a new file for those that come. */
  async #renewBans(): Promise<void> {
    const { files, tier } = this.#o
    const { head, memory } = tier
    const { path } = memory
    const next = head.banFile + 1
    await files.close(await files.open(join(path, banFileName(next)), 'append'))
    // Whoever sees the old number still has put his ban in force already: it is part of the sum.
    head.banFile = next
    this.#syncedBytes = 0
    await writeBanSum(files, memory, tier.bans, next)
    await syncFolder(files, path)
    for (const name of await files.list(path)) {
      const file = banFileOf(name)
      if (file !== null && file < next) await files.remove(join(path, name))
    }
  }

  async #syncBans(): Promise<void> {
    const { banLog, head } = this.#o.tier
    const bytes = head.banBytes
    if (bytes === this.#syncedBytes) return
    await banLog.sync()
    this.#syncedBytes = bytes
  }

  #isCheckpointDue(): boolean {
    const { head } = this.#o.tier
    const written = head.position - this.#checkpointPosition
    const ticks = (performance.now() - this.#checkpointAt) / this.#o.tickMs
    if (written >= checkpointSegments * head.segmentBytes && ticks >= checkpointTicks) return true
    return written > 0 && ticks >= latestCheckpointTicks
  }

  /** Saves the index: with what is not looked through yet left to the next start. */
  async #save(): Promise<void> {
    const { files, scan, tier } = this.#o
    const { settled } = tier.head
    await writeCheckpoint(files, tier.memory, scan.isFinished ? settled : Math.min(settled, scan.position))
    this.#checkpointPosition = settled
    this.#checkpointAt = performance.now()
  }

  /** Slots of records that are gone count no longer. */
  #sweep(): void {
    const { head, index } = this.#o.tier
    const { oldest } = head
    if (this.#sweepFrom === 0 && oldest === this.#sweptFor) return
    if (this.#sweepFrom === 0) this.#sweptFor = oldest
    this.#sweepFrom = index.sweep(this.#sweepFrom, sweptSets)
  }
}
