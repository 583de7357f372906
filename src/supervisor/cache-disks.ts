// The folders that cached answers are kept in: opened by the main thread, closed when no worker uses them any more.
import type { CacheStoreSpec } from '../core/cache-spec.ts'
import type { Log } from '../core/log.ts'
import { openDisk } from '../disk/open-disk.ts'
import type { Disk } from '../disk/types.ts'

export type DiskSpec = NonNullable<CacheStoreSpec['disk']>

/** One that is open. */
export interface HeldDisk {
  readonly id: number
  readonly spec: DiskSpec
  readonly disk: Disk
}

export interface CacheDisksOptions {
  /** Of planes. */
  readonly lanes: number
  readonly log: Log
  /** As `CacheStore.now()`. */
  readonly now: () => number
}

/** One that nobody is to use any more. */
interface LeavingDisk {
  /** Lanes whose planes have not said yet that they have closed theirs. */
  readonly users: Set<number>
  readonly isUnused: () => void
}

export class CacheDisks {
  readonly #o: CacheDisksOptions
  /** Not closed yet. */
  readonly #held = new Set<HeldDisk>()
  /** Of them those that are not about to be. */
  readonly #open = new Set<HeldDisk>()
  readonly #leaving = new Map<number, LeavingDisk>()
  /** By path: opened again it would be taken for somebody else's. */
  readonly #closing = new Map<string, Promise<void>>()
  #count = 0

  constructor(options: CacheDisksOptions) {
    this.#o = options
  }

  /**
   * `isLate`: other than at the start. Then something may have been written or purged that the folder does not know of: what is in
   * it has to be asked for again before it is used. Rejects with DiskError where it cannot be used.
   */
  async open(spec: DiskSpec, isLate: boolean): Promise<HeldDisk> {
    await this.#closing.get(spec.path)
    const disk = await openDisk({ ...spec, ...this.#o })
    if (isLate) await outdate(disk)
    const held = { id: ++this.#count, spec, disk }
    this.#held.add(held)
    this.#open.add(held)
    return held
  }

  /**
   * The planes in these lanes are about to close theirs: then it is closed. It will not know of what is purged from then on: what
   * is in it has to be asked for again, whenever it is opened.
   */
  leave(held: HeldDisk, users: Iterable<number>): void {
    if (!this.#open.delete(held)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#leaving.set(held.id, { users: new Set(users), isUnused: resolve })
    this.#end(
      held,
      promise.then(() => outdate(held.disk)),
    )
    this.#check(held.id)
  }

  /** The plane in a lane has closed this one. */
  closed(lane: number, id: number): void {
    this.#leaving.get(id)?.users.delete(lane)
    this.#check(id)
  }

  /** Whoever was in this lane has ended. */
  reclaim(lane: number): void {
    for (const { disk } of this.#held) disk.reclaim(lane)
    for (const id of [...this.#leaving.keys()]) this.closed(lane, id)
  }

  /** No plane uses it. Resolves when it is closed. */
  async close(held: HeldDisk): Promise<void> {
    if (this.#open.delete(held)) this.#end(held, Promise.resolve())
    await this.#closing.get(held.spec.path)
  }

  /** All planes have ended. */
  async closeAll(): Promise<void> {
    for (const { isUnused } of this.#leaving.values()) isUnused()
    this.#leaving.clear()
    await Promise.all([...this.#open].map((held) => this.close(held)))
    await Promise.all(this.#closing.values())
  }

  #end(held: HeldDisk, unused: Promise<void>): void {
    const { path } = held.spec
    const closing = unused
      .then(() => held.disk.close())
      .finally(() => {
        this.#held.delete(held)
        if (this.#closing.get(path) === closing) this.#closing.delete(path)
      })
    this.#closing.set(path, closing)
  }

  #check(id: number): void {
    const leaving = this.#leaving.get(id)
    if (leaving === undefined || leaving.users.size > 0) return
    this.#leaving.delete(id)
    leaving.isUnused()
  }
}

/** In force at once, also where it cannot be written down. */
async function outdate({ tier }: Disk): Promise<void> {
  await tier.purge({ kind: 'all' }, true).catch(() => undefined)
}
