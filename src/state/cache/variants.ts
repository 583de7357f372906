// Finding the entries of a URL without a lock. What is read between two looks at one and the same version of a bucket was
// there all the time: see entries.ts.
import type { CacheThread } from './cache-thread.ts'
import { DecodedUrl } from './decoded-urls.ts'
import { longestChain } from './entries.ts'
import { entryCells } from './entry-cells.ts'
import { unitCells } from './geometry.ts'
import type { Shard } from './shard.ts'
import { DecodedEntry } from './stored-entry.ts'

const none: readonly DecodedEntry[] = []
const mostTries = 8

/** Reads the entries of a URL anew, as far as what is known of them does not hold any more. */
export function readVariants(thread: CacheThread, url: string, known: DecodedUrl | undefined): readonly DecodedEntry[] {
  const urlHash = thread.hashOf(url)
  const shard = thread.shardOf(urlHash)
  const { cells } = thread.memory
  const version = shard.entries.versionCell(urlHash)
  for (let tries = 0; tries < mostTries; tries++) {
    const before = Atomics.load(cells, version)
    if (cells[version + 1] === 0) {
      thread.looked(version, before)
      if (known !== undefined) thread.decoded.drop(known)
      return none
    }
    const found = walk(thread, shard, { url, urlHash, version, known })
    // An addition of nothing: what was read before it was read before it, on every processor.
    if (found === null || Atomics.add(cells, version, 0) !== before) continue
    if (found.length === 0) {
      thread.looked(version, before)
      if (known !== undefined) thread.decoded.drop(known)
      return none
    }
    thread.looked(version, before)
    if (known === undefined && !thread.decoded.admits(urlHash)) return sorted(found)
    return keep(thread, { url, version, before, known, found })
  }
  return none
}

function keep(
  thread: CacheThread,
  o: { url: string; version: number; before: number; known: DecodedUrl | undefined; found: DecodedEntry[] },
): readonly DecodedEntry[] {
  const { known, found, before } = o
  if (known !== undefined && isSame(known.entries, found)) {
    known.version = before
    return known.entries
  }
  sorted(found)
  // A text of its own: others are pieces of longer ones, which would stay as long as it does.
  const record = known ?? new DecodedUrl(Buffer.from(o.url, 'latin1').latin1Slice(), o.version)
  thread.decoded.keep(record, found, before)
  return found
}

/** The youngest first. */
function sorted(found: DecodedEntry[]): readonly DecodedEntry[] {
  return found.length > 1 ? found.sort((a, b) => b.responseTime - a.responseTime) : found
}

/** Whether these are the same objects, in whatever order. */
function isSame(known: readonly DecodedEntry[], found: readonly DecodedEntry[]): boolean {
  if (known.length !== found.length) return false
  for (const entry of found) if (!known.includes(entry)) return false
  return true
}

/** The entries of a URL as they stand there; null = something is being changed. */
function walk(
  thread: CacheThread,
  shard: Shard,
  o: { url: string; urlHash: number; version: number; known: DecodedUrl | undefined },
): DecodedEntry[] | null {
  const { cells } = thread.memory
  const found: DecodedEntry[] = []
  let steps = 0
  for (let ref = cells[o.version + 1]!; ref !== 0; ref = cells[ref * unitCells + entryCells.next]!) {
    if (++steps > 2 * longestChain || !shard.holds(ref)) return null
    const at = ref * unitCells
    if (cells[at + entryCells.urlHash] !== o.urlHash) continue
    const serial = Atomics.load(cells, at + entryCells.serial)
    const entry = sameEntry(o.known, ref, serial) ?? read(thread, shard, { ref, serial, urlHash: o.urlHash })
    if (entry === null) return null
    if (entry.url === o.url) found.push(entry)
  }
  return found
}

function sameEntry(known: DecodedUrl | undefined, ref: number, serial: number): DecodedEntry | null {
  if (known === undefined) return null
  for (const entry of known.entries) if (entry.ref === ref && entry.serial === serial) return entry
  return null
}

function read(
  thread: CacheThread,
  shard: Shard,
  o: { ref: number; serial: number; urlHash: number },
): DecodedEntry | null {
  const entry = new DecodedEntry(thread, shard, o)
  return entry.decode() ? entry : null
}
