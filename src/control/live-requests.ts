// Exchanges as they end, for those who follow: each has a bounded buffer and a share of attention, and slows nobody down.
import type { FollowFilter } from '../observe/follow/follow-filter.ts'
import type { ControlPort, FollowedEntries, Following } from './port.ts'

/** Entries a second for each who follows; more are counted only. */
export const followedPerSecond = 200
/** Entries that wait for one that reads slowly. */
const maxWaiting = 1000
/** The same in characters: clients choose how long their targets and fields are. */
const maxWaitingLength = 1024 * 1024

export type LivePort = Pick<ControlPort, 'follow'>

/** What one of them gets. */
export interface Live {
  /** JSON, one object each. */
  readonly entries: readonly string[]
  /** Entries before these that there was no room for. */
  readonly skipped: number
}

export class LiveReader {
  readonly #following: Following
  readonly #onEntries: () => void
  #waiting: string[] = []
  #waitingLength = 0
  #skipped = 0
  #second = 0
  #inSecond = 0

  /** `onEntries`: there is something to take. */
  constructor(port: LivePort, filter: FollowFilter, onEntries: () => void) {
    this.#onEntries = onEntries
    this.#following = port.follow(filter, followedPerSecond, (followed) => this.#receive(followed))
  }

  /** All workers know of it: what ends from now on is told. */
  get ready(): Promise<void> {
    return this.#following.ready
  }

  /** All that has come since the last call. */
  take(): Live {
    const live = { entries: this.#waiting, skipped: this.#skipped }
    this.#waiting = []
    this.#waitingLength = 0
    this.#skipped = 0
    return live
  }

  close(): void {
    this.#following.stop()
  }

  #receive({ entries, skipped }: FollowedEntries): void {
    this.#skipped += skipped
    for (const entry of entries) {
      if (this.#isTooMany()) this.#skipped += 1
      else this.#keep(entry)
    }
    this.#dropOldest()
    this.#onEntries()
  }

  #keep(entry: string): void {
    this.#waiting.push(entry)
    this.#waitingLength += entry.length
  }

  #dropOldest(): void {
    let over = 0
    while (this.#waiting.length - over > maxWaiting || this.#waitingLength > maxWaitingLength) {
      this.#waitingLength -= this.#waiting[over]!.length
      over += 1
    }
    if (over === 0) return
    this.#waiting.splice(0, over)
    this.#skipped += over
  }

  /** Each worker keeps to the limit by itself; together they may be above it. */
  #isTooMany(): boolean {
    const second = Math.floor(performance.now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#inSecond = 0
    }
    this.#inSecond += 1
    return this.#inSecond > followedPerSecond
  }
}
