// What all threads know of the disk tier, in one SharedArrayBuffer: where each record lies, what was purged, how far the
// files have been written. Pages that nobody touches cost no memory.

/** How large it is; `diskSizes` of src/disk/sizes.ts works them out. Whole numbers. */
export interface DiskMemorySizes {
  readonly lanes: number
  /** Sets of the index, eight records each; a power of two. */
  readonly sets: number
  /** Cells for what was purged, and for what was purged softly; powers of two. */
  readonly banCells: number
  readonly softCells: number
  readonly segmentBytes: number
  /** So many segments may be on disk. */
  readonly segments: number
}

/** What threads have to know besides: given once. */
export interface DiskNames {
  readonly path: string
  /** What only this folder's records have in them, four u32: nobody can put a record into a body. */
  readonly secret: readonly number[]
}

const layoutVersion = 0x46444b01
/** i32 cells of the header. */
const at = {
  version: 0,
  lanes: 1,
  sets: 2,
  banCells: 3,
  softCells: 4,
  segmentBytes: 5,
  segments: 6,
  path: 7,
  secret: 8,
}
const pathAt = 128
const maxPathBytes = 3072
/** Cells that change begin here; classes of this folder name theirs below. */
const cellsAt = 3328
const laneBytes = 128
const headerBytes = 4096
/** Texts of prefixes that were purged. */
export const prefixBytes = 64 * 1024
export const ways = 8
/** A set: 8 tags, 8 positions, 8 lengths, 8 selectors, 8 times. */
export const setBytes = ways * 24

/** Indexes of 8-byte cells that all threads share. */
export const shared64 = {
  /** Position where the next record goes. */
  head: cellsAt / 8,
  /** Segments below this one are gone, or about to be. */
  oldest: cellsAt / 8 + 1,
  /** Segments below this one are not on disk any more. */
  removed: cellsAt / 8 + 2,
  /** Number of the youngest ban. */
  bans: cellsAt / 8 + 3,
  /** Of the youngest ban on everything. */
  all: cellsAt / 8 + 4,
  allSoft: cellsAt / 8 + 5,
  /** What all files may have together. */
  size: cellsAt / 8 + 6,
} as const

/** Indexes of 4-byte cells that all threads share. */
export const shared32 = {
  entries: cellsAt / 4 + 32,
  /** 0 = ok, 1 = degraded, 2 = about to be. */
  health: cellsAt / 4 + 33,
  /** Which file of bans is written to. */
  banFile: cellsAt / 4 + 34,
  /** Odd while the list of prefixes is being written. */
  prefixVersion: cellsAt / 4 + 35,
  /** Bytes of that list. */
  prefixLength: cellsAt / 4 + 36,
  /** Bytes that the file of bans has about. */
  banBytes: cellsAt / 4 + 37,
  problemLength: cellsAt / 4 + 38,
} as const
export const problemAt = cellsAt + 256
export const maxProblemBytes = headerBytes - problemAt

/** Cells of a lane, 8 bytes each. */
export const lane64 = {
  /** What is being written there and is not in the index yet has this position or a higher one; −1 = nothing is. */
  writing: 0,
  /** Lowest number of a ban that this lane has begun and not ended; 0 = none. */
  ban: 1,
  dropped: 2,
  damaged: 3,
} as const

interface Placement {
  readonly lanes: number
  readonly prefixes: number
  readonly bans: number
  readonly soft: number
  readonly index: number
  readonly total: number
}

function place(sizes: DiskMemorySizes): Placement {
  const lanes = headerBytes
  // One more for the main thread.
  const prefixes = lanes + (sizes.lanes + 1) * laneBytes
  const bans = prefixes + prefixBytes
  const soft = bans + sizes.banCells * 8
  const index = soft + sizes.softCells * 8
  return { lanes, prefixes, bans, soft, index, total: index + sizes.sets * setBytes }
}

/** @throws RangeError for a path that is too long. */
export function createDiskMemory(sizes: DiskMemorySizes, names: DiskNames): SharedArrayBuffer {
  const path = Buffer.from(names.path)
  if (path.length > maxPathBytes) throw new RangeError(`the path has more than ${maxPathBytes} bytes`)
  const buffer = new SharedArrayBuffer(place(sizes).total)
  const i32 = new Int32Array(buffer)
  i32[at.lanes] = sizes.lanes
  i32[at.sets] = sizes.sets
  i32[at.banCells] = sizes.banCells
  i32[at.softCells] = sizes.softCells
  i32[at.segmentBytes] = sizes.segmentBytes
  i32[at.segments] = sizes.segments
  i32[at.path] = path.length
  names.secret.forEach((word, i) => {
    i32[at.secret + i] = word
  })
  new Uint8Array(buffer).set(path, pathAt)
  const memory = new DiskMemory(buffer, layoutVersion)
  for (let lane = 0; lane <= sizes.lanes; lane++) memory.i64[memory.lane64(lane) + lane64.writing] = -1n
  Atomics.store(i32, at.version, layoutVersion)
  return buffer
}

/** The typed views of it, and where things are. */
export class DiskMemory {
  readonly i32: Int32Array
  readonly f64: Float64Array
  readonly i64: BigInt64Array
  readonly bytes: Uint8Array
  readonly sizes: DiskMemorySizes
  readonly path: string
  readonly secret: readonly number[]
  readonly #placement: Placement

  /** @throws Error if the buffer was not made by this version of createDiskMemory. */
  constructor(buffer: SharedArrayBuffer, version = Atomics.load(new Int32Array(buffer), at.version)) {
    const i32 = new Int32Array(buffer)
    if (version !== layoutVersion) throw new Error('memory of the disk tier has another layout')
    this.i32 = i32
    this.f64 = new Float64Array(buffer)
    this.i64 = new BigInt64Array(buffer)
    this.bytes = new Uint8Array(buffer)
    this.sizes = {
      lanes: i32[at.lanes]!,
      sets: i32[at.sets]!,
      banCells: i32[at.banCells]!,
      softCells: i32[at.softCells]!,
      segmentBytes: i32[at.segmentBytes]!,
      segments: i32[at.segments]!,
    }
    this.path = Buffer.from(this.bytes.slice(pathAt, pathAt + i32[at.path]!)).toString()
    this.secret = [0, 1, 2, 3].map((i) => i32[at.secret + i]! >>> 0)
    this.#placement = place(this.sizes)
  }

  /** The lane of the main thread, after those of the workers. */
  get mainLane(): number {
    return this.sizes.lanes
  }

  /** Index into `i64` of a lane's cells. @throws RangeError if there is no such lane. */
  lane64(lane: number): number {
    if (!Number.isInteger(lane) || lane < 0 || lane > this.sizes.lanes) throw new RangeError(`no lane ${lane}`)
    return (this.#placement.lanes + lane * laneBytes) / 8
  }

  /** Index into `i64` of the cells of bans. */
  ban64(soft: boolean): number {
    return (soft ? this.#placement.soft : this.#placement.bans) / 8
  }

  /** In bytes. */
  get prefixesAt(): number {
    return this.#placement.prefixes
  }

  /** In bytes; up to the end. */
  get indexAt(): number {
    return this.#placement.index
  }

  /** Sets a shared 8-byte cell to at least this. */
  raise(cell: number, to: number): void {
    const value = BigInt(to)
    for (let old = Atomics.load(this.i64, cell); old < value; ) {
      const found = Atomics.compareExchange(this.i64, cell, old, value)
      if (found === old) return
      old = found
    }
  }

  load(cell: number): number {
    return Number(Atomics.load(this.i64, cell))
  }
}
