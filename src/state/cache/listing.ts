// All entries, for people: a few buckets at a time under their lock, and handed out without it.
import type { CacheThread } from './cache-thread.ts'
import { longestChain } from './entries.ts'
import { entryCells } from './entry-cells.ts'
import { unitCells } from './geometry.ts'
import type { Shard } from './shard.ts'
import { DecodedEntry } from './stored-entry.ts'
import type { ListedEntry } from './types.ts'

/** Buckets that are read in one go. */
const together = 32
/** Places of one bucket: a place is its number times this, and the number within its chain. */
const placesOfBucket = longestChain + 1

/**
 * Hands out entries from a place on, until the callback says false, or about so many buckets have been looked at. Returns where
 * to go on; -1 = there are no more.
 */
export function listEntries(
  thread: CacheThread,
  each: (entry: ListedEntry) => boolean,
  { from, most }: { readonly from: number; readonly most: number },
): number {
  const { buckets, shards } = thread.memory.geometry
  const all = shards * buckets * placesOfBucket
  let place = from
  while (place < all) {
    if (place - from >= most * placesOfBucket) return place
    const bucket = Math.floor(place / placesOfBucket)
    const end = Math.min(bucket + together, (Math.floor(bucket / buckets) + 1) * buckets)
    for (const [at, entry] of readBuckets(thread, { place, bucket, end })) if (!each(entry)) return at + 1
    place = end * placesOfBucket
  }
  return -1
}

function readBuckets(thread: CacheThread, o: { place: number; bucket: number; end: number }): [number, ListedEntry][] {
  const { cells, geometry } = thread.memory
  const shard = thread.shards[Math.floor(o.bucket / geometry.buckets)]!
  const listed: [number, ListedEntry][] = []
  // Whoever holds it does not let go: there may be nothing in it soon.
  if (!shard.lock.take()) return listed
  for (let bucket = o.bucket; bucket < o.end; bucket++) {
    let place = bucket * placesOfBucket
    let ref = cells[shard.entries.versionCellOf(bucket % geometry.buckets) + 1]!
    for (; ref !== 0; ref = cells[ref * unitCells + entryCells.next]!, place++)
      if (place >= o.place) listed.push([place, listedEntry(thread, shard, ref)])
  }
  shard.lock.release()
  return listed
}

function listedEntry(thread: CacheThread, shard: Shard, ref: number): ListedEntry {
  const entry = new DecodedEntry(thread, shard, { ref, serial: 0, urlHash: 0 })
  entry.decode()
  const { status, flags, responseTime, initialAge, lifetime, staleWhileRevalidate, staleIfError } = entry
  const { url, selector, tags, bodyLength, isMarkedStale } = entry
  return {
    ...{ status, flags, responseTime, initialAge, lifetime, staleWhileRevalidate, staleIfError },
    ...{ url, selector, tags, bodyLength, isMarkedStale },
    hits: thread.memory.cells[entry.hitsCell]! >>> 0,
  }
}
