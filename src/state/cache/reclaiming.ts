// What a dead thread held is given back. By the main thread, when the thread has ended.
import { bodyCells, bodyState } from './bodies.ts'
import type { CacheThread } from './cache-thread.ts'
import { flightCells, flightOutcome, flightState } from './flight-table.ts'
import { header, laneCells, laneJoined, laneTableNumber, unitCells } from './geometry.ts'
import { rebuild } from './rebuilding.ts'
import type { Shard } from './shard.ts'

export function reclaimLane(thread: CacheThread, lane: number): void {
  for (const shard of thread.shards) {
    if (shard.lock.inherit(lane)) rebuild(thread, shard, lane)
    else shard.lock.takePatiently()
    endFlights(thread, shard, lane)
    giveBackPins(thread, shard, lane)
    shard.lock.release()
  }
  const { cells, numbers, geometry } = thread.memory
  const own = geometry.lanesStart + lane * laneCells * 4
  numbers[own / 8 + laneTableNumber] = 0
  if (Atomics.compareExchange(cells, own / 4 + laneJoined, 1, 0) === 1) Atomics.sub(cells, header.joined, 1)
}

/** Who followed the dead thread asks again; it follows nobody any more. */
function endFlights(thread: CacheThread, shard: Shard, lane: number): void {
  const { cells } = thread.memory
  shard.flights.each((at) => {
    const state = cells[at]
    if (state === flightState.mark) return
    if (shard.flights.isAwaitedBy(at, lane)) shard.flights.leave(at, lane)
    if (cells[at] === flightState.ended || cells[at] === flightState.free) return
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
