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
  readonly held: HeldDisk
  /** Lanes whose planes have not said yet that they have closed theirs. */
  readonly users: Set<number>
}

export class CacheDisks {
  readonly #o: CacheDisksOptions
  readonly #open = new Set<HeldDisk>()
  readonly #leaving = new Map<number, LeavingDisk>()
  /** By path: opened again it would be taken for somebody else's. */
  readonly #closing = new Map<string, Promise<void>>()
  #count = 0

  constructor(options: CacheDisksOptions) {
    this.#o = options
  }

  /** Rejects with DiskError where it cannot be used. */
  async open(spec: DiskSpec): Promise<HeldDisk> {
    await this.#closing.get(spec.path)
    const held = { id: ++this.#count, spec, disk: await openDisk({ ...spec, ...this.#o }) }
    this.#open.add(held)
    return held
  }

  /** The planes in these lanes are about to close theirs: then it is closed. */
  leave(held: HeldDisk, users: Iterable<number>): void {
    this.#leaving.set(held.id, { held, users: new Set(users) })
    this.#check(held.id)
  }

  /** The plane in a lane has closed this one. */
  closed(lane: number, id: number): void {
    this.#leaving.get(id)?.users.delete(lane)
    this.#check(id)
  }

  /** Whoever was in this lane has ended. */
  reclaim(lane: number): void {
    for (const { disk } of this.#open) disk.reclaim(lane)
    for (const id of [...this.#leaving.keys()]) this.closed(lane, id)
  }

  /** No plane uses it. Resolves when it is closed. */
  close(held: HeldDisk): Promise<void> {
    const { path } = held.spec
    if (!this.#open.delete(held)) return this.#closing.get(path) ?? Promise.resolve()
    const closing = held.disk.close().finally(() => {
      if (this.#closing.get(path) === closing) this.#closing.delete(path)
    })
    this.#closing.set(path, closing)
    return closing
  }

  /** All planes have ended. */
  async closeAll(): Promise<void> {
    this.#leaving.clear()
    await Promise.all([...this.#open].map((held) => this.close(held)))
    await Promise.all(this.#closing.values())
  }

  #check(id: number): void {
    const leaving = this.#leaving.get(id)
    if (leaving === undefined || leaving.users.size > 0) return
    this.#leaving.delete(id)
    void this.close(leaving.held)
  }
}
