// What a dead thread held is given back. By the main thread, when the thread has ended.
import { bodyCells, bodyState } from './bodies.ts'
import type { CacheThread } from './cache-thread.ts'
import { flightCells, flightOutcome, flightState } from './flight-table.ts'
import { header, laneCells, laneIncarnation, laneJoined, laneTableNumber, unitCells } from './geometry.ts'
import { rebuild } from './rebuilding.ts'
import type { Shard } from './shard.ts'

/** What could not be given back yet: of a shard whose lock another thread holds, which may be dead, too. */
interface Owed {
  readonly shard: Shard
  readonly lane: number
  readonly incarnation: number
}

const againMs = 20

/** Gives back what the threads of lanes held that have ended. */
export class Reclaiming {
  private readonly thread: CacheThread
  private owed: Owed[] = []
  private timer: NodeJS.Timeout | undefined

  constructor(thread: CacheThread) {
    this.thread = thread
  }

  /**
   * Where several threads have died at once, one of them in the middle of a change, the rest of it is done with the last of
   * them, or a little later.
   */
  reclaim(lane: number): void {
    const { cells, numbers, geometry } = this.thread.memory
    const own = geometry.lanesStart + lane * laneCells * 4
    const incarnation = cells[own / 4 + laneIncarnation]!
    for (const shard of this.thread.shards) this.owed.push({ shard, lane, incarnation })
    numbers[own / 8 + laneTableNumber] = 0
    if (Atomics.compareExchange(cells, own / 4 + laneJoined, 1, 0) === 1) Atomics.sub(cells, header.joined, 1)
    this.settle()
  }

  private settle(): void {
    clearTimeout(this.timer)
    // Those first whose dead thread holds a lock that others wait for.
    this.owed = this.owed.filter((owed) => !this.inherit(owed)).filter((owed) => !this.giveBack(owed))
    if (this.owed.length > 0) this.timer = setTimeout(() => this.settle(), againMs).unref()
  }

  private inherit({ shard, lane }: Owed): boolean {
    if (!shard.lock.inherit(lane)) return false
    rebuild(this.thread, shard, lane)
    giveBackOf(this.thread, shard, lane)
    shard.lock.release()
    return true
  }

  private giveBack({ shard, lane, incarnation }: Owed): boolean {
    if (!shard.lock.take()) return false
    const { cells, geometry } = this.thread.memory
    // Another thread has come in its lane: what it holds now is its own.
    const isStill = cells[geometry.lanesStart / 4 + lane * laneCells + laneIncarnation] === incarnation
    if (isStill) giveBackOf(this.thread, shard, lane)
    shard.lock.release()
    return true
  }
}

function giveBackOf(thread: CacheThread, shard: Shard, lane: number): void {
  giveBackPins(thread, shard, lane)
  endFlights(thread, shard, lane)
}

/** Who followed the dead thread asks again; it follows nobody any more. */
function endFlights(thread: CacheThread, shard: Shard, lane: number): void {
  const { cells } = thread.memory
  shard.flights.each((at) => {
    const state = cells[at]
    if (state === flightState.mark) return
    if (shard.flights.isAwaitedBy(at, lane)) shard.flights.leave(at, lane)
    if (cells[at] === flightState.ended || cells[at] === flightState.free) return
    // Its lead may wait for readers that died.
    if (cells[at + flightCells.isHeldUp] === 1) shard.flights.tell(at)
    if (cells[at + flightCells.lead] !== lane + 1) return
    const body = cells[at + flightCells.body]!
    if (body !== 0 && state === flightState.waiting) shard.flights.dropBody(at)
    else if (body !== 0) Atomics.store(cells, body * unitCells + bodyCells.state, bodyState.failed)
    shard.flights.end(at, flightOutcome.retry)
  })
}

function giveBackPins(thread: CacheThread, shard: Shard, lane: number): void {
  const { cells, geometry } = thread.memory
  const first = geometry.ledgerStart / 4 + lane * geometry.ledgerSlots
  for (let cell = first; cell < first + geometry.ledgerSlots; cell++) {
    const ref = cells[cell]!
    if (ref === 0 || !shard.holds(ref)) continue
    cells[cell] = 0
    shard.bodies.unpin(ref)
  }
}
