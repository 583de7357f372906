// Small messages on their way from one socket to another. While many come in each turn of the loop, they are written
// when all of the turn have been read, which saves a busy relay some per cent of its CPU time; while there are few, each
// is written at once. Nothing is allocated for a message.
import { sharedBuffer } from './read-buffers.ts'

/** Longer ones take another way. */
export const SMALL_BYTES = 1024

// Copies: a few of each length are kept, since a view of a buffer costs more to make than to fill.

const MAX_KEPT = 1024
let kept = 0
const noViews = (): undefined[] => new Array<undefined>(SMALL_BYTES + 1).fill(undefined)
const sources: (Uint8Array | undefined)[] = noViews()
const copies: (Uint8Array[] | undefined)[] = noViews()

/** A copy of the first `size` bytes of the shared read buffer. */
export function copySmall(size: number): Uint8Array {
  const free = (copies[size] ??= [])
  const source = (sources[size] ??= sharedBuffer.subarray(0, size))
  let copy = free.pop()
  if (copy === undefined) copy = Buffer.allocUnsafe(size)
  else kept--
  copy.set(source)
  return copy
}

/** For a copy that nobody reads from any more. */
export function giveSmall(copy: Uint8Array): void {
  if (kept === MAX_KEPT) return
  kept++
  copies[copy.length]!.push(copy)
}

// Gathering.

/** Something that keeps a message until the end of the turn. */
export interface Gatherer {
  /** Writes it, if that has not been done since. */
  writeGathered(): void
}

/** With fewer in a turn the call at its end costs more than it saves. */
const FEWEST = 4
/** While each is written at once, so many pass until the next look at how many come in a turn. */
const LOOK_EVERY = 256

let gathering = false
let passed = 0
let count = 0
const gatherers: (Gatherer | null)[] = []

/** Whether to keep the next message and call `gather`; else it is to be written at once. */
export function mayGather(): boolean {
  if (!gathering && ++passed === LOOK_EVERY) setImmediate(look)
  return gathering
}

function look(): void {
  gathering = passed - LOOK_EVERY >= FEWEST
  passed = 0
}

/** `gatherer` is called at the end of this turn. */
export function gather(gatherer: Gatherer): void {
  if (count === 0) setImmediate(endTurn)
  gatherers[count++] = gatherer
}

function endTurn(): void {
  const end = count
  count = 0
  gathering = end >= FEWEST
  for (let n = 0; n < end; n++) {
    gatherers[n]!.writeGathered()
    gatherers[n] = null
  }
}
