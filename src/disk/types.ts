// What the second tier of the cache lets others do: answers that are kept in files, so that they survive a restart.
//
// Who calls what:
// - The main thread calls `openDisk` (open-disk.ts) before it starts workers. The `shared` of what it gets goes to every worker;
//   `disk.tier` is its own way in, for purging and totals. `disk.reclaim(lane)` when a worker has died; `disk.close()` when all
//   workers have gone.
// - A worker calls `attachDisk` (attach-disk.ts) with `shared` and its lane, and `tier.close()` before it leaves.
import type { Log } from '../core/log.ts'
import type { EntryFacts, EntryTexts, PurgeWhat, StoredEntry } from '../state/cache/types.ts'

/** `degraded`: nothing is written until the disk is better; what can still be read is served. */
export type DiskState = 'ok' | 'degraded'

/** Totals over all threads. */
export interface DiskTotals {
  /** The bound for all files together. */
  readonly size: number
  /** By records. */
  readonly used: number
  /** About how many answers can be found. */
  readonly entries: number
  readonly state: DiskState
  /** Why it is degraded, for people; null = it is not. */
  readonly problem: string | null
  /** Answers that were not kept: too long, too many at once, or the disk was degraded. */
  readonly dropped: number
  /** Records that were found damaged, and are not served. */
  readonly damaged: number
}

/** One thread's way to what is on disk. */
export interface DiskTier {
  /** Whether it is worth a `fetch`: no look at the disk, may be wrong either way. `known`: as there. */
  mayHave(url: string, known?: Known): boolean
  /**
   * Reads what there is of a URL and hands over each entry that is whole, was not purged and may still be of use; one that was
   * purged softly comes as having become stale now. Then calls `done`, once, never from within this call: after a second at the
   * latest, or at once where too much is being read already. `body` may be kept.
   * `take` puts it into the memory and returns what that gave; `remove` is called with it at once if a purge came in between.
   * What `take` throws is as if there were no more. `known`: entries of this URL that are in memory; they are not read, as they
   * may be younger than what is on disk, and a flood of misses of one URL is not to become one of the disk.
   */
  fetch(url: string, take: TakeEntry, done: () => void, remove: (entry: StoredEntry) => void, known?: Known): void
  /**
   * Writes behind; never waits, never throws. To be called right after an entry was put. `isRefreshed`: only its facts and head
   * are new (RFC 9111 §3.2): it is written again where that is cheap.
   */
  keep(entry: StoredEntry, isRefreshed?: boolean): void
  /**
   * Nothing that was stored of a URL until now is ever handed over again, in any thread, be it after a restart. To be called right
   * BEFORE `store.purge` of the same URL, in the same turn: what is put meanwhile is then found out.
   */
  forget(url: string): void
  /**
   * The same of all that is meant, or as stale if `soft`; in force for all threads when the call returns, durable when it
   * resolves. To be called right BEFORE `store.purge`, in the same turn. Resolves with how many entries could be found no more:
   * only those of URLs and `all` are counted, the others are met when they are read.
   * Where it cannot be written down, what is on disk is made worthless for the next start; where that fails too it rejects with
   * DiskError, and is in force until the process ends.
   */
  purge(what: PurgeWhat, soft: boolean): Promise<number>
  totals(): DiskTotals
  /** Writes what is waiting, closes its files; resolves in any case. */
  close(): Promise<void>
}

/** What is in memory of a URL. */
export type Known = readonly Pick<EntryTexts, 'selector'>[]

/** Null = there was no room for it. `text` are latin1. */
export type TakeEntry = (facts: EntryFacts, texts: EntryTexts, body: Uint8Array) => StoredEntry | null

/** What the main thread has of it: `openDisk(options)` of open-disk.ts resolves with it, or rejects with DiskError. */
export interface Disk {
  /** For `attachDisk` of every worker. */
  readonly shared: SharedArrayBuffer
  readonly tier: DiskTier
  /** A worker has died: what it had begun is given up. */
  reclaim(lane: number): void
  /** Once all workers have closed theirs: writes what a quick start needs. Resolves in any case. */
  close(): Promise<void>
}

export interface OpenDiskOptions {
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Numbers that `attachDisk` may be called with: 0 to `lanes` − 1. The main thread needs none of them. */
  readonly lanes: number
  readonly log: Log
  /** Milliseconds since the epoch, as `CacheStore.now()`. */
  readonly now: () => number
}

/** `attachDisk(options)` of attach-disk.ts returns a DiskTier. */
export interface AttachDiskOptions {
  readonly shared: SharedArrayBuffer
  /** The worker's own, from 0; a successor may have that of a worker that has died, once it was reclaimed. */
  readonly lane: number
  readonly now: () => number
}
