// The memory for cached answers, and the disk behind it: made when a configuration first wants one, kept over every change that
// does not ask for another, forgotten when none is wanted. Exchanges under way keep the one before until they end.
import type { CacheStoreSpec } from '../core/cache-spec.ts'
import type { Log } from '../core/log.ts'
import type { Snapshot } from '../core/spec.ts'
import type { CachePlane } from '../pool/cache-plane.ts'
import { createCacheMemory } from '../state/cache/cache-memory.ts'
import { CacheStore } from '../state/cache/cache-store.ts'
import { sameData } from '../util/same-data.ts'
import type { SharedCache } from '../worker/protocol.ts'
import { CacheDisks, type HeldDisk } from './cache-disks.ts'

export interface CacheKeeperOptions {
  /** Of planes, from 0 on; the main thread has the one after them for itself. */
  readonly lanes: number
  readonly log: Log
  /** A disk is there for the memory that planes have already. */
  readonly onDisk: (cache: SharedCache) => void
  /** Time until a disk that could not be opened is tried again; default 5 s. */
  readonly retryMs?: number
}

/** A memory and a disk, with the main thread's way into both. */
interface Kept extends CachePlane {
  readonly spec: CacheStoreSpec
  readonly memory: SharedCache
  readonly store: CacheStore
  readonly held: HeldDisk | null
}

export class CacheKeeper {
  readonly #o: CacheKeeperOptions
  readonly #disks: CacheDisks
  #inForce: Kept | null = null
  /** That of a change under way; as the one in force where it stays. */
  #next: Kept | null = null
  /** The one before, while workers swap. */
  #former: Kept | null = null
  #count = 0
  /** The disk in force is being opened, on its own. */
  #opening: Promise<void> | null = null
  #retry: NodeJS.Timeout | undefined
  #isClosed = false
  /** Why the disk could not be opened when it was tried last; null = it was, or there is none. */
  diskProblem: string | null = null

  constructor(options: CacheKeeperOptions) {
    this.#o = options
    this.#disks = new CacheDisks({ ...options, now: () => this.#inForce?.store.now() ?? Date.now() })
  }

  /** At the start. A disk that cannot be used is told in the log: memory does alone. Rejects where there is no room for that. */
  async begin({ cacheStore: spec }: Snapshot): Promise<void> {
    if (spec === null) return
    this.#inForce = this.#make(spec)
    await this.#openDisk({ isLate: false })
  }

  /**
   * Makes what a snapshot asks for, unless it is there; `adopt` or `abandon` follows. Rejects with RangeError where there is no
   * room for the memory, with DiskError where another disk cannot be used.
   */
  async prepare({ cacheStore: spec }: Snapshot): Promise<SharedCache | null> {
    await this.#opening
    const now = this.#inForce
    if (spec === null) this.#next = null
    else {
      const made = isSame(now, spec) ? { ...now!, spec } : this.#make(spec)
      this.#next = withDisk(made, await this.#diskFor(spec))
    }
    return this.#next?.memory ?? null
  }

  /** What was prepared is in force: whoever starts from now on begins with it. `lanes`: of all that have the one before. */
  adopt(lanes: Iterable<number>): void {
    const before = this.#inForce
    this.#inForce = this.#next
    this.#next = null
    if (this.#inForce?.held !== null) this.diskProblem = null
    if (before !== null && before.memory !== this.#inForce?.memory) this.#former = before
    const held = before?.held ?? null
    if (held !== null && held !== this.#inForce?.held) this.#disks.leave(held, lanes)
    void this.#openDisk()
  }

  /** All have swapped. */
  settle(): void {
    this.#former = null
  }

  /** Nobody has what was prepared any more. */
  abandon(): void {
    const held = this.#next?.held ?? null
    this.#next = null
    if (held !== null && held !== this.#inForce?.held) void this.#disks.close(held)
  }

  /** For a worker that starts with what is in force; null = nothing is cached. */
  get current(): SharedCache | null {
    return this.#inForce?.memory ?? null
  }

  /** For a worker that joins with a change. */
  get upcoming(): SharedCache | null {
    return this.#next?.memory ?? null
  }

  /** The main thread's way into the memory in force. */
  get store(): CacheStore | null {
    return this.#inForce?.store ?? null
  }

  /** What may answer a request just now, that in force first: more than one only while workers swap. */
  inUse(): readonly CachePlane[] {
    return [this.#inForce, this.#former].filter((one) => one !== null)
  }

  /** The plane in a lane has closed a disk that it is to use no more. */
  diskClosed(lane: number, disk: number): void {
    this.#disks.closed(lane, disk)
  }

  /** Whoever was in this lane has ended: what it held is given back before another comes. */
  reclaim(lane: number): void {
    const stores = new Set([this.#inForce, this.#former, this.#next].map((one) => one?.store))
    try {
      for (const store of stores) store?.reclaim(lane)
      this.#disks.reclaim(lane)
    } catch (error) {
      // Serving goes on, if need be without the part of the cache that this lane held.
      const { message } = error as Error
      this.#o.log.event('error', 'cache_not_reclaimed', `what worker ${lane} held of the cache stays so: ${message}`)
    }
  }

  /** All planes have ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    await this.#opening
    this.#inForce = null
    this.#former = null
    await this.#disks.closeAll()
  }

  #make(spec: CacheStoreSpec): Kept {
    const { lanes } = this.#o
    const buffer = createCacheMemory({ memory: spec.memory, maxObject: spec.maxObject, lanes: lanes + 1 })
    const memory = { id: ++this.#count, buffer, disk: null }
    return { spec, memory, store: new CacheStore(buffer, lanes), disk: null, held: null }
  }

  /** Null also where it is opened later: with another size once it is closed, and as often as need be where it failed before. */
  async #diskFor({ disk: spec }: CacheStoreSpec): Promise<HeldDisk | null> {
    if (spec === null) return null
    const held = this.#inForce?.held ?? null
    if (held !== null && sameData(held.spec, spec)) return held
    const isOpenedLater = held === null ? sameData(this.#inForce?.spec.disk, spec) : held.spec.path === spec.path
    return isOpenedLater ? null : this.#disks.open(spec, true)
  }

  /** Opens the disk that is to be there, but is not. Never rejects. */
  #openDisk({ isLate } = { isLate: true }): Promise<void> {
    clearTimeout(this.#retry)
    const { held = null, spec } = this.#inForce ?? {}
    const wanted = spec?.disk ?? null
    if (wanted === null || held !== null || this.#isClosed) return Promise.resolve()
    const opening = this.#disks
      .open(wanted, isLate)
      .then(
        (opened) => this.#opened(opened),
        ({ message }: Error) => this.#failed(message),
      )
      .finally(() => {
        if (this.#opening === opening) this.#opening = null
      })
    this.#opening = opening
    return opening
  }

  /** Meanwhile another configuration may have come into force, which wants another, or none. */
  #opened(held: HeldDisk): void {
    const [inForce, next] = [this.#inForce, this.#next].map((kept) =>
      isWanted(kept, held) ? withDisk(kept, held) : kept,
    )
    if (inForce === this.#inForce && next === this.#next) {
      void this.#disks.close(held)
      return
    }
    const isLate = this.diskProblem !== null
    this.diskProblem = null
    this.#inForce = inForce ?? null
    this.#next = next ?? null
    if (this.#inForce?.held === held) this.#o.onDisk(this.#inForce.memory)
    const { path } = held.spec
    if (isLate)
      this.#o.log.event('info', 'cache_disk_opened', `cached answers are kept in ${path}, too, from now on`, { path })
  }

  #failed(message: string): void {
    const { log, retryMs = RETRY_MS } = this.#o
    // Another process may still have it, whose place this one takes.
    this.#retry = setTimeout(() => void this.#openDisk(), retryMs).unref()
    if (this.diskProblem === message) return
    this.diskProblem = message
    log.event('error', 'cache_disk_failed', `${message}: cached answers are kept in memory only`)
  }
}

const RETRY_MS = 5000

/** It is the one that is missing. */
function isWanted(kept: Kept | null, { spec }: HeldDisk): kept is Kept {
  return kept !== null && kept.held === null && sameData(kept.spec.disk, spec)
}

/** The same object while nothing changes. */
function withDisk(kept: Kept, held: HeldDisk | null): Kept {
  if (kept.held === held) return kept
  const disk = held === null ? null : { id: held.id, shared: held.disk.shared }
  return { ...kept, memory: { ...kept.memory, disk }, held, disk: held?.disk.tier ?? null }
}

/** The memory can stay; where it is on disk is told apart. */
function isSame(kept: Kept | null, { memory, maxObject }: CacheStoreSpec): boolean {
  return kept !== null && kept.spec.memory === memory && kept.spec.maxObject === maxObject
}
