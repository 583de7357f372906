// How far the files of the disk tier have been written. All records of all threads follow each other in one row of positions,
// cut into segments, which are the files. A thread reserves its bytes with one exchange and then writes them in its own time.
import { type DiskMemory, lane64, maxProblemBytes, problemAt, shared32, shared64 } from './disk-memory.ts'

export class LogHead {
  readonly segmentBytes: number
  readonly segments: number
  readonly #memory: DiskMemory
  readonly #lane: number

  constructor(memory: DiskMemory, lane: number) {
    this.#memory = memory
    this.#lane = memory.lane64(lane)
    this.segmentBytes = memory.sizes.segmentBytes
    this.segments = memory.sizes.segments
  }

  /** Where the next record goes. */
  get position(): number {
    return this.#memory.load(shared64.head)
  }

  /** The segment that is being written. */
  get segment(): number {
    return Math.floor(this.position / this.segmentBytes)
  }

  get oldest(): number {
    return this.#memory.load(shared64.oldest)
  }

  /** Segments below this one are not on disk. */
  get removed(): number {
    return this.#memory.load(shared64.removed)
  }

  /** At start: what was found in the files. */
  begin(oldest: number, position: number): void {
    this.#memory.raise(shared64.oldest, oldest)
    this.#memory.raise(shared64.removed, oldest)
    this.#memory.raise(shared64.head, position)
  }

  /** Nothing below this segment is found any more. */
  forgetBelow(segment: number): void {
    this.#memory.raise(shared64.oldest, segment)
  }

  setRemoved(segment: number): void {
    this.#memory.raise(shared64.removed, segment)
  }

  /**
   * Takes so many bytes, all in one segment, at most half of one. −1 = they do not fit into the one that is being written: see
   * `advance`. To be followed by `written`.
   */
  reserve(bytes: number): number {
    const { i64 } = this.#memory
    for (;;) {
      const head = Atomics.load(i64, shared64.head)
      const position = Number(head)
      // Before it is taken: whoever looks at the head and then at the lanes misses nothing.
      Atomics.store(i64, this.#lane + lane64.writing, head)
      // Never up to the very end: the first position of a segment is reached by `advance` alone.
      if (this.segmentBytes - (position % this.segmentBytes) <= bytes) {
        this.written()
        return -1
      }
      if (Atomics.compareExchange(i64, shared64.head, head, BigInt(position + bytes)) === head) return position
    }
  }

  /** What was reserved is in the index, or given up. */
  written(): void {
    Atomics.store(this.#memory.i64, this.#lane + lane64.writing, -1n)
  }

  /** Goes on to this segment, unless somebody has already. There must be room for it on disk. */
  advance(segment: number): void {
    this.#memory.raise(shared64.head, segment * this.segmentBytes)
  }

  /** All records before this position are in the index, or will never be. */
  get settled(): number {
    const { i64, sizes } = this.#memory
    let position = this.position
    for (let lane = 0; lane <= sizes.lanes; lane++) {
      const writing = Number(Atomics.load(i64, this.#memory.lane64(lane) + lane64.writing))
      if (writing >= 0 && writing < position) position = writing
    }
    return position
  }

  countDropped(): void {
    Atomics.add(this.#memory.i64, this.#lane + lane64.dropped, 1n)
  }

  countDamaged(): void {
    Atomics.add(this.#memory.i64, this.#lane + lane64.damaged, 1n)
  }

  /** Over all lanes. */
  total(what: 'dropped' | 'damaged'): number {
    let sum = 0
    for (let lane = 0; lane <= this.#memory.sizes.lanes; lane++)
      sum += this.#memory.load(this.#memory.lane64(lane) + lane64[what])
    return sum
  }

  get isDegraded(): boolean {
    return Atomics.load(this.#memory.i32, shared32.health) !== 0
  }

  /** From now on nobody writes; the first one says why. */
  degrade(problem: string): void {
    const { i32, bytes } = this.#memory
    if (Atomics.compareExchange(i32, shared32.health, 0, 2) !== 0) return
    const text = Buffer.from(problem).subarray(0, maxProblemBytes)
    bytes.set(text, problemAt)
    i32[shared32.problemLength] = text.length
    Atomics.store(i32, shared32.health, 1)
  }

  get problem(): string {
    const { i32, bytes } = this.#memory
    if (Atomics.load(i32, shared32.health) !== 1) return 'writing failed'
    return Buffer.from(bytes.slice(problemAt, problemAt + i32[shared32.problemLength]!)).toString()
  }

  recover(): void {
    Atomics.store(this.#memory.i32, shared32.health, 0)
  }

  /** Which file of bans is written to. */
  get banFile(): number {
    return Atomics.load(this.#memory.i32, shared32.banFile)
  }

  set banFile(file: number) {
    Atomics.store(this.#memory.i32, shared32.banFile, file)
    Atomics.store(this.#memory.i32, shared32.banBytes, 0)
  }

  /** Of that file, about. */
  get banBytes(): number {
    return Atomics.load(this.#memory.i32, shared32.banBytes)
  }

  countBanBytes(bytes: number): void {
    Atomics.add(this.#memory.i32, shared32.banBytes, bytes)
  }

  /** Of a lane whose thread has died. */
  reclaim(lane: number): void {
    Atomics.store(this.#memory.i64, this.#memory.lane64(lane) + lane64.writing, -1n)
  }
}
