// How much may be compressed at once in one thread: encoders hold memory, and their work takes places of the one thread
// pool of the process, which name resolution, files and password hashes wait for too.
import { availableParallelism } from 'node:os'

/** Something that waits for its place in the thread pool. */
export interface Turn {
  /** It has one, and gives it back with `giveTurn` once the work is done. */
  run(): void
}

/** Each holds 0.4 to 0.9 MB. Answers beyond go out as they are. */
const MAX_ENCODERS = 512
/**
 * Pieces of work of this thread in the pool at once: no more than it has threads by default, and no more than leave
 * cores to the threads that serve connections.
 */
const MAX_RUNNING = Math.max(1, Math.min(4, availableParallelism() >> 1))

let encoders = 0
let running = 0
let waiting: Turn[] = []
/** Position of the first in `waiting` that has not been called. */
let first = 0

export function hasRoomForEncoder(): boolean {
  return encoders < MAX_ENCODERS
}

export function encoderOpened(): void {
  encoders++
}

export function encoderClosed(): void {
  encoders--
}

/** Calls `run` at once or when others are done, in the order of asking. */
export function takeTurn(turn: Turn): void {
  if (running >= MAX_RUNNING) {
    waiting.push(turn)
    return
  }
  running++
  turn.run()
}

/** Hands a place on. */
export function giveTurn(): void {
  const next = waiting[first]
  if (next === undefined) {
    running--
    return
  }
  if (++first === waiting.length) {
    waiting = []
    first = 0
  } else if (first > 1024) {
    waiting = waiting.slice(first)
    first = 0
  }
  next.run()
}

/** What is open now: nothing, when all encoders have ended. For tests. */
export function encoderCounts(): { readonly encoders: number; readonly running: number; readonly waiting: number } {
  return { encoders, running, waiting: waiting.length - first }
}
