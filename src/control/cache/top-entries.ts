// The entries that are used most, and the age of the oldest: found in one walk over all of them, in short pieces.
import type { CacheStoreApi, ListedEntry } from '../../state/cache/types.ts'
import { TimeSlice } from '../time-slice.ts'
import type { CacheEntry } from './cache.ts'
import { ageOf, entryView, seconds } from './entry-view.ts'

export interface TopEntries {
  readonly top: readonly CacheEntry[]
  /** Of all, whatever their URL; null = there are none. */
  readonly oldest_age_seconds: number | null
}

export interface TopQuestion {
  /** What their URL begins with; '' = all. */
  readonly prefix: string
  readonly limit: number
  /** Name of the route that a partition belongs to; '' = of none there is. */
  readonly routeOf: (partition: string) => string
}

/** Entries, and places for some, looked at before the clock is. */
const atOnce = 500
const placesAtOnce = 16_384

export async function topEntries(store: CacheStoreApi, { prefix, limit, routeOf }: TopQuestion): Promise<TopEntries> {
  const slice = new TimeSlice()
  const top = new Top(limit)
  const now = store.now()
  let oldest = Number.NEGATIVE_INFINITY
  let left = atOnce
  const look = (entry: ListedEntry): boolean => {
    oldest = Math.max(oldest, ageOf(entry, now))
    if (entry.url.startsWith(prefix)) top.add(entry)
    left -= 1
    return left > 0
  }
  for (let at = 0; at !== -1; ) {
    left = atOnce
    at = store.list(look, at, placesAtOnce)
    if (slice.isOver) await slice.rest()
  }
  return {
    top: top.entries.map((entry) => entryView(entry, now, routeOf)),
    oldest_age_seconds: oldest === Number.NEGATIVE_INFINITY ? null : seconds(oldest),
  }
}

/** The first of a list that is never longer than asked for. */
class Top {
  readonly entries: ListedEntry[] = []
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  add(entry: ListedEntry): void {
    const { entries } = this
    const last = entries.at(-1)
    if (entries.length === this.#limit && last !== undefined && entry.hits <= last.hits) return
    let place = entries.length
    while (place > 0 && entries[place - 1]!.hits < entry.hits) place -= 1
    entries.splice(place, 0, entry)
    if (entries.length > this.#limit) entries.pop()
  }
}
