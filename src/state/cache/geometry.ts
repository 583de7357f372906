// Where everything of the store of cached answers lies, computed from three numbers. All of it is one buffer: a header,
// what belongs to each lane, then the shards, each with its index, its flights and its pages.

/** Places are counted in units of 64 bytes: 32 bits of them reach beyond 64 GB. */
export const unitBytes = 64
export const unitCells = 16
/** What memory is handed out in: to one class of chunks, or to the body of one answer. */
export const pageBytes = 64 * 1024
export const pageUnits = pageBytes / unitBytes
const shardBytesWanted = 64 * 1024 * 1024
const maxShards = 8
const maxMemory = 64 * 2 ** 30
const maxLanes = 1024

/** Cells of the header. */
export const header = { magic: 0, lanes: 1, seed: 2, joined: 3, purges: 4 } as const
/** Numbers (f64) of the header. */
export const headerNumbers = { memory: 8, maxObject: 9, skew: 10 } as const
const headerBytes = 128
/** Cells of a lane: whether its thread keeps decoded entries, in which shards something is to be given back, and (f64) how many bytes are kept. */
export const laneCells = 16
export const laneJoined = 0
export const laneOwes = 1
export const laneTableNumber = 1

/** Cells of a flight that every store has; after them a bit for each lane. */
export const flightFixedCells = 14
/** Cells of a page's description. */
export const pageDescriptionCells = 8
const shardHeaderBytes = 1024

export interface CacheSizes {
  /** Of everything, what threads keep decoded included. */
  readonly memory: number
  /** Longest body that is kept. */
  readonly maxObject: number
  /** Threads that may use it at once, the main thread included. */
  readonly lanes: number
}

export interface Geometry extends CacheSizes {
  readonly shards: number
  /** Of the buffer. */
  readonly totalBytes: number
  /** What the decoded entries of all threads may take; not in the buffer, but within `memory`. */
  readonly tableBytes: number
  readonly lanesStart: number
  readonly ledgerStart: number
  /** Bodies that a lane can hold at once. */
  readonly ledgerSlots: number
  readonly shardStart: number
  readonly shardBytes: number
  /** Per shard. A power of two. */
  readonly buckets: number
  readonly flights: number
  /** A power of two. */
  readonly flightHeads: number
  readonly flightCells: number
  /** A power of two. */
  readonly ghosts: number
  readonly pages: number
  /** Offsets in bytes from where the shard begins. */
  readonly flightsAt: number
  readonly flightHeadsAt: number
  readonly bucketsAt: number
  readonly ghostsAt: number
  readonly descriptionsAt: number
  readonly hitsAt: number
  readonly pagesAt: number
}

const up = (n: number, to: number): number => Math.ceil(n / to) * to
const clamp = (n: number, from: number, to: number): number => Math.min(to, Math.max(from, n))
const powerOfTwo = (n: number): number => 2 ** Math.floor(Math.log2(Math.max(1, n)))

/** @throws RangeError for sizes that make no store, with what would. */
export function geometry({ memory, maxObject, lanes }: CacheSizes): Geometry {
  if (!Number.isSafeInteger(memory) || memory < 2 ** 20 || memory > maxMemory)
    throw new RangeError(`the memory of the cache must be between 1 MB and 64 GB, not ${memory} bytes`)
  if (!Number.isSafeInteger(maxObject) || maxObject < 1 || maxObject >= 2 ** 32 - 1)
    throw new RangeError(`the longest object of the cache must be between 1 byte and 4 GB, not ${maxObject} bytes`)
  if (!Number.isInteger(lanes) || lanes < 1 || lanes > maxLanes)
    throw new RangeError(`the cache must have between 1 and ${maxLanes} lanes, not ${lanes}`)
  const tableBytes = Math.floor(memory / 10)
  const ledgerSlots = clamp(powerOfTwo(memory / pageBytes), 64, 16384)
  const lanesStart = headerBytes
  const ledgerStart = lanesStart + lanes * laneCells * 4
  const shardStart = up(ledgerStart + lanes * ledgerSlots * 4, unitBytes)
  const room = memory - tableBytes - shardStart
  let shards = clamp(Math.floor(memory / shardBytesWanted), 1, maxShards)
  while (shards > 1 && room / shards < 3 * maxObject) shards--
  const shardBytes = Math.floor(room / shards / unitBytes) * unitBytes
  const parts = placeShard(Math.max(0, shardBytes), lanes)
  if (parts.pages < 8)
    throw new RangeError(`the memory of the cache is too small for ${lanes} threads: ${memory} bytes`)
  if (maxObject > (parts.pages * pageBytes) / 2)
    throw new RangeError(
      `an object of ${maxObject} bytes is too long for a cache of ${memory} bytes: at most ${(parts.pages * pageBytes) / 2}`,
    )
  const totalBytes = shardStart + shards * shardBytes
  return {
    ...{ memory, maxObject, lanes, shards, totalBytes, tableBytes, lanesStart, ledgerStart, ledgerSlots },
    ...{ shardStart, shardBytes },
    ...parts,
  }
}

function placeShard(shardBytes: number, lanes: number) {
  const flights = clamp(Math.floor(shardBytes / 16384), 64, 65536)
  const flightHeads = powerOfTwo(flights)
  const flightCells = up(flightFixedCells + Math.ceil(lanes / 32), unitCells)
  const buckets = powerOfTwo(shardBytes / 448)
  const ghosts = powerOfTwo(shardBytes / 448)
  const flightsAt = shardHeaderBytes
  const flightHeadsAt = flightsAt + flights * flightCells * 4
  const bucketsAt = up(flightHeadsAt + flightHeads * 4, unitBytes)
  const ghostsAt = bucketsAt + buckets * 8
  const descriptionsAt = up(ghostsAt + ghosts * 8, unitBytes)
  const rest = shardBytes - descriptionsAt - 2 * unitBytes
  const pages = Math.floor(rest / (pageBytes + pageDescriptionCells * 4 + pageBytes / 64))
  const hitsAt = up(descriptionsAt + pages * pageDescriptionCells * 4, unitBytes)
  const pagesAt = up(hitsAt + pages * (pageBytes / 64), unitBytes)
  return {
    ...{ flights, flightHeads, flightCells, buckets, ghosts, pages },
    ...{ flightsAt, flightHeadsAt, bucketsAt, ghostsAt, descriptionsAt, hitsAt, pagesAt },
  }
}
