// Taking out, or marking as stale, everything that is meant. When it returns no thread finds it any more: the versions of
// all buckets concerned have moved on.
import type { CacheThread } from './cache-thread.ts'
import { entryCells, isStaleBit, isTextAt, textsAt } from './entry-cells.ts'
import { flightCells, flightState } from './flight-table.ts'
import { header, unitBytes, unitCells } from './geometry.ts'
import type { Shard } from './shard.ts'
import { shardNumbers } from './shard-cells.ts'
import type { PurgedPart, PurgeWhat } from './types.ts'

/** Buckets that are walked in one go. */
const together = 256
const againMs = 20

/**
 * A URL on the way of a request: where its shard cannot be had, a little later. All else for tests.
 * @throws Error if a shard cannot be had for two seconds and it is no URL: then not all of it has been purged.
 */
export function purge(thread: CacheThread, what: PurgeWhat, soft: boolean): number {
  if (what.kind === 'url') return purgeUrlOrLater(thread, what.url, soft)
  let purged = 0
  for (let from = 0; from !== -1; ) {
    const part = purgePart(thread, what, soft, from)
    purged += part.purged
    if (part.next === from) waitFor(thread, from)
    from = part.next
  }
  return purged
}

function waitFor({ shards, memory }: CacheThread, from: number): void {
  const { lock } = shards[Math.floor(from / memory.geometry.buckets)]!
  lock.takePatiently()
  lock.release()
}

/** Whoever holds the shard does not let go: it may be emptied soon, but that is not for this thread to say. */
function purgeUrlOrLater(thread: CacheThread, url: string, soft: boolean): number {
  const shard = shardToPurge(thread, url)
  if (shard.lock.take()) return purgeUrl(thread, shard, url, soft)
  setTimeout(() => purgeUrlOrLater(thread, url, soft), againMs).unref()
  return 0
}

/**
 * The same a few buckets at a time, from place 0 on until `next` is -1: then it is in force. What comes into a bucket that was
 * walked already was fetched later. `next` is `from` where a shard cannot be had: then other things are to be done first.
 * @throws Error if it cannot be had for two seconds.
 */
export function purgePart(thread: CacheThread, what: PurgeWhat, soft: boolean, from: number): PurgedPart {
  if (what.kind === 'url') {
    const shard = shardToPurge(thread, what.url)
    if (!shard.lock.takeNowOrLater()) return { purged: 0, next: from }
    return { purged: purgeUrl(thread, shard, what.url, soft), next: -1 }
  }
  const { shards, memory } = thread
  const { buckets } = memory.geometry
  if (from === 0) Atomics.add(memory.cells, header.purges, 1)
  const shard = shards[Math.floor(from / buckets)]!
  const bucket = from % buckets
  const end = Math.min(bucket + together, buckets)
  if (!shard.lock.takeNowOrLater()) return { purged: 0, next: from }
  let purged = 0
  // Before the first entry: what comes in later was fetched later, or is among these.
  if (bucket === 0) doom(thread, shard, what, 0)
  for (let at = bucket; at < end; at++) {
    purged += purgeBucket(thread, shard, shard.entries.versionCellOf(at), { what, soft })
  }
  shard.lock.release()
  const next = from - bucket + end
  return { purged, next: next < shards.length * buckets ? next : -1 }
}

/** The shard of a URL; what was asked for before now counts as old. */
function shardToPurge(thread: CacheThread, url: string): Shard {
  Atomics.add(thread.memory.cells, header.purges, 1)
  return thread.shardOf(thread.hashOf(url))
}

/** Under the shard's lock, which is let go. */
function purgeUrl(thread: CacheThread, shard: Shard, url: string, soft: boolean): number {
  const urlHash = thread.hashOf(url)
  doom(thread, shard, { kind: 'url', url }, urlHash)
  const purged = purgeBucket(thread, shard, shard.entries.versionCell(urlHash), { what: { kind: 'url', url }, soft })
  shard.lock.release()
  return purged
}

function purgeBucket(
  thread: CacheThread,
  shard: Shard,
  version: number,
  { what, soft }: { what: PurgeWhat; soft: boolean },
): number {
  const { cells } = thread.memory
  let purged = 0
  for (let ref = cells[version + 1]!; ref !== 0; ) {
    const at = ref * unitCells
    const next = cells[at + entryCells.next]!
    if (isMeant(thread, ref, what)) {
      purged++
      if (soft) markStale(shard, cells, ref)
      else shard.entries.remove(ref)
    }
    ref = next
  }
  if (purged > 0) shard.entries.add(shardNumbers.purged, purged)
  return purged
}

function markStale(shard: Shard, cells: Int32Array, ref: number): void {
  const at = ref * unitCells
  // The bit before the serial: who has read the new serial has read the bit.
  Atomics.or(cells, at + entryCells.status, isStaleBit)
  Atomics.store(cells, at + entryCells.serial, shard.entries.nextSerial())
  Atomics.add(cells, shard.entries.versionCell(cells[at + entryCells.urlHash]!), 1)
}

function isMeant(thread: CacheThread, ref: number, what: PurgeWhat): boolean {
  if (what.kind === 'all') return true
  const { cells, bytes } = thread.memory
  const at = ref * unitCells
  const from = ref * unitBytes + textsAt
  const urlLength = cells[at + entryCells.urlLength]!
  if (what.kind === 'url') return urlLength === what.url.length && isTextAt(bytes, from, what.url)
  if (what.kind === 'prefix') return urlLength >= what.prefix.length && isTextAt(bytes, from, what.prefix)
  const tagsLength = cells[at + entryCells.tagsLength]!
  if (tagsLength < what.tag.length) return false
  const tagsAt = from + urlLength + cells[at + entryCells.selectorLength]!
  return ` ${bytes.latin1Slice(tagsAt, tagsAt + tagsLength)} `.includes(` ${what.tag} `)
}

/** Answers that are meant, or may be, are not kept when they come. */
function doom(thread: CacheThread, shard: Shard, what: PurgeWhat, urlHash: number): void {
  const { cells } = thread.memory
  const each = (at: number): void => {
    const state = cells[at]
    if (state !== flightState.waiting && state !== flightState.open) return
    const mayBe = what.kind === 'url' ? cells[at + flightCells.urlHash] === urlHash : state === flightState.waiting
    if (mayBe || isMeant(thread, cells[at + flightCells.head]!, what)) shard.flights.doom(at)
  }
  if (what.kind === 'url') shard.flights.eachOf(urlHash, each)
  else shard.flights.each(each)
}
