// A body from the store on its way to a client: read piece by piece, as a backend's would be, no faster than the client takes it.
import type { ReadSide } from '../../net/wire.ts'
import type { BodyReading } from '../../state/cache/types.ts'

export interface SourceOwner {
  readonly ended: boolean
  /** More of the body. */
  onAnswerBytes(bytes: Buffer, start: number, end: number): void
  /** More of it, in several pieces. */
  onStoredRuns(runs: readonly Buffer[]): void
  /** A body whose length nobody knew has come to its end. */
  onStoredEnd(): void
  /** No more of it will come. */
  onStoredFailed(): void
  /** Runs what comes straight from the loop. */
  guarded(call: () => void): void
}

/** So much is handed to the kernel in one turn of the loop, where it takes all of it at once. */
const TURN_BYTES = 1024 * 1024
/** So much in one system call, where the wire has one for it; less for a client that has kept the kernel waiting. */
const RUNS_BYTES = 1024 * 1024
const SLOW_RUNS_BYTES = 256 * 1024

export class StoredSource implements ReadSide {
  /** The store has its memory again when the body was released. */
  readonly reusesBuffers = true
  readonly #reading: BodyReading
  readonly #owner: SourceOwner
  #at: number
  /** After the last byte that is wanted; -1 = whatever comes. */
  readonly #end: number
  #isPaused = false
  #isPumping = false
  #isOver = false
  /** 0 = piece by piece. */
  #atOnce = 0

  constructor(owner: SourceOwner, reading: BodyReading, start: number, end: number) {
    this.#owner = owner
    this.#reading = reading
    this.#at = start
    this.#end = end
  }

  /** Several pieces go out in one system call from now on. */
  takeRuns(): void {
    this.#atOnce = RUNS_BYTES
  }

  /** What goes out with the head: the first bytes, if they are there. */
  first(): Buffer | null {
    return this.#next()
  }

  /** Begins to hand the body over, or goes on with it. */
  flow(): void {
    if (this.#isPumping || this.#isPaused || this.#isOver) return
    this.#isPumping = true
    this.#pump()
    this.#isPumping = false
  }

  pause(): void {
    this.#isPaused = true
    this.#atOnce = Math.min(this.#atOnce, SLOW_RUNS_BYTES)
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.flow()
  }

  useOwnBuffer(): void {}

  /** To be called when no write of its bytes is under way any more. */
  release(): void {
    this.#isOver = true
    this.#reading.release()
  }

  /** Nothing more is handed over. */
  stop(): void {
    this.#isOver = true
  }

  #pump(): void {
    for (let budget = TURN_BYTES; !this.#isPaused && !this.#isOver && !this.#owner.ended; ) {
      if (this.#end >= 0 && this.#at >= this.#end) return
      if (budget <= 0) {
        setImmediate(again, this)
        return
      }
      const bytes = this.#next()
      if (bytes === null) {
        this.#wait()
        return
      }
      budget -= this.#handOver(bytes)
    }
  }

  /** With what follows, as far as it may go out together. Returns how many bytes that is. */
  #handOver(first: Buffer): number {
    const runs = [first]
    let size = first.length
    while (size < this.#atOnce) {
      const bytes = this.#next()
      if (bytes === null) break
      runs.push(bytes)
      size += bytes.length
    }
    if (runs.length === 1) this.#owner.onAnswerBytes(first, 0, size)
    else this.#owner.onStoredRuns(runs)
    return size
  }

  #next(): Buffer | null {
    if (this.#end >= 0 && this.#at >= this.#end) return null
    const bytes = this.#reading.read(this.#at)
    if (bytes === null) return null
    const size = this.#end < 0 ? bytes.length : Math.min(bytes.length, this.#end - this.#at)
    this.#at += size
    return size === bytes.length ? bytes : bytes.subarray(0, size)
  }

  #wait(): void {
    const { state } = this.#reading
    if (state === 'filling') this.#reading.whenMore(() => again(this))
    else {
      this.#isOver = true
      if (state === 'complete' && this.#end < 0) this.#owner.onStoredEnd()
      else this.#owner.onStoredFailed()
    }
  }

  onTurn(): void {
    if (!this.#isOver && !this.#owner.ended) this.#owner.guarded(() => this.flow())
  }
}

function again(source: StoredSource): void {
  source.onTurn()
}
