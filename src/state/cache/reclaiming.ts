// What a dead thread held is given back. By the main thread, when the thread has ended.
import { bodyCells, bodyState } from './bodies.ts'
import type { CacheThread } from './cache-thread.ts'
import { flightCells, flightOutcome, flightState } from './flight-table.ts'
import { header, laneCells, laneJoined, laneOwes, laneTableNumber, unitCells } from './geometry.ts'
import { rebuild } from './rebuilding.ts'
import type { Shard } from './shard.ts'

/** A shard whose lock another thread holds, which may be dead, too: what a lane held there is given back later. */
interface Owed {
  readonly shard: Shard
  readonly lane: number
}

const againMs = 20
const patienceMs = 5000

/**
 * Gives back what the threads of lanes held that have ended. Each lane has a bit for each shard where that is still to be done,
 * changed under the lock of the shard: whoever comes first does it, the main thread or the next thread of the lane.
 */
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
    numbers[own / 8 + laneTableNumber] = 0
    if (Atomics.compareExchange(cells, own / 4 + laneJoined, 1, 0) === 1) Atomics.sub(cells, header.joined, 1)
    Atomics.store(cells, own / 4 + laneOwes, 2 ** geometry.shards - 1)
    for (const shard of this.thread.shards) {
      // Only now: later the lock may be one of the next thread of the lane.
      if (!shard.lock.inherit(lane)) this.owed.push({ shard, lane })
      else {
        rebuild(this.thread, shard, lane)
        this.giveBack({ shard, lane })
        shard.lock.release()
      }
    }
    this.settle()
  }

  /**
   * For a thread that takes over a lane: what the one before it held is given back first.
   * @throws Error if that cannot be done.
   */
  finishOwn(): void {
    const { cells, lane, geometry } = this.thread.memory
    const cell = geometry.lanesStart / 4 + lane * laneCells + laneOwes
    if (Atomics.load(cells, cell) === 0) return
    const end = performance.now() + patienceMs
    for (const shard of this.thread.shards) {
      while (!shard.lock.take())
        if (performance.now() > end) throw new Error(`what lane ${lane} of the cache held cannot be given back`)
      this.giveBack({ shard, lane })
      shard.lock.release()
    }
  }

  private settle(): void {
    clearTimeout(this.timer)
    this.owed = this.owed.filter((owed) => {
      if (!owed.shard.lock.take()) return true
      this.giveBack(owed)
      owed.shard.lock.release()
      return false
    })
    if (this.owed.length > 0) this.timer = setTimeout(() => this.settle(), againMs).unref()
  }

  /** Under the shard's lock. */
  private giveBack({ shard, lane }: Owed): void {
    const { cells, geometry } = this.thread.memory
    const cell = geometry.lanesStart / 4 + lane * laneCells + laneOwes
    const bit = 1 << shard.number
    if ((Atomics.load(cells, cell) & bit) === 0) return
    giveBackOf(this.thread, shard, lane)
    Atomics.and(cells, cell, ~bit)
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
