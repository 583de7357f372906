// Those who follow exchanges live: what the workers are told of them, and who gets what the workers send.
import type { FollowedEntries, Following } from '../control/port.ts'
import type { FollowFilter } from '../observe/follow/follow-filter.ts'
import type { Follow, Followed } from '../observe/follow/followed-log.ts'
import type { ToWorker } from '../worker/protocol.ts'

interface Entry {
  readonly follow: Follow
  readonly onEntries: (entries: FollowedEntries) => void
  /** Workers that have not said yet that they know of it. */
  readonly waiting: Set<number>
  readonly ready: () => void
}

export interface FollowsOptions {
  /** To all workers; those that will answer are added to `waiting` first. */
  readonly tell: (message: ToWorker, waiting: Set<number>) => void
}

export class Follows {
  readonly #entries = new Map<number, Entry>()
  readonly #o: FollowsOptions
  #lastId = 0

  constructor(options: FollowsOptions) {
    this.#o = options
  }

  /** As `ControlPort.follow`. */
  add(filter: FollowFilter, perSecond: number, onEntries: (entries: FollowedEntries) => void): Following {
    const id = ++this.#lastId
    const { promise, resolve } = Promise.withResolvers<void>()
    const entry: Entry = { follow: { id, filter, perSecond }, onEntries, waiting: new Set(), ready: resolve }
    this.#entries.set(id, entry)
    this.#o.tell({ type: 'follow', follow: entry.follow }, entry.waiting)
    if (entry.waiting.size === 0) resolve()
    return { ready: promise, stop: () => this.#stop(entry) }
  }

  /** What a worker has to know that begins to serve. */
  current(): Follow[] {
    return [...this.#entries.values()].map(({ follow }) => follow)
  }

  /** That worker knows of the follower. */
  answered(worker: number, id: number): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined) settle(entry, worker)
  }

  received({ id, entries, skipped }: Followed): void {
    this.#entries.get(id)?.onEntries({ entries, skipped })
  }

  died(worker: number): void {
    for (const entry of this.#entries.values()) settle(entry, worker)
  }

  #stop(entry: Entry): void {
    if (!this.#entries.delete(entry.follow.id)) return
    entry.ready()
    this.#o.tell({ type: 'unfollow', id: entry.follow.id }, new Set())
  }
}

function settle({ waiting, ready }: Entry, worker: number): void {
  if (waiting.delete(worker) && waiting.size === 0) ready()
}
