// A shard whose lock a dead thread held may be anything: it is emptied. What living threads hold of it, bodies that are
// being read or come in, stays where it is; all else is free again.
// What this relies on: the pages of a body are always a whole chain, and a flight has its state only once all else is
// written.
import { bodyCells } from './bodies.ts'
import type { CacheThread } from './cache-thread.ts'
import { flightCells, flightState } from './flight-table.ts'
import { unitCells } from './geometry.ts'
import type { Shard } from './shard.ts'
import { pageCells, shardCells, shardNumbers } from './shard-cells.ts'

/** Under the shard's lock, taken over from the dead thread of `lane`. */
export function rebuild(thread: CacheThread, shard: Shard, lane: number): void {
  const { cells, numbers } = thread.memory
  const { base, entries } = shard
  for (let bucket = 0; bucket < entries.bucketCount; bucket++) {
    const version = entries.versionCellOf(bucket)
    Atomics.store(cells, version + 1, 0)
    // Also where nothing is: what was there may have been unlinked in the last moment.
    Atomics.add(cells, version, 1)
  }
  const before = cells[base + shardCells.smallCount]! + cells[base + shardCells.mainCount]!
  for (let cell = shardCells.smallHead; cell <= shardCells.mainCount; cell++) cells[base + cell] = 0
  numbers[base / 2 + shardNumbers.payload] = 0
  numbers[base / 2 + shardNumbers.evicted]! += before
  dropHalfMade(thread, shard, lane)
  const { bodies, heads } = survivors(thread, shard)
  shard.slab.rebuild(
    [...bodies.keys(), ...heads],
    [...bodies.keys()].flatMap((ref) => pagesOfBody(cells, shard, ref)),
  )
  for (const [ref, pins] of bodies) {
    cells[ref * unitCells + bodyCells.owner] = 0
    cells[ref * unitCells + bodyCells.pins] = pins
  }
  shard.flights.rebuild()
}

/** What the dead thread was about to begin. */
function dropHalfMade({ memory: { cells, geometry } }: CacheThread, shard: Shard, lane: number): void {
  shard.flights.each((at) => {
    if (cells[at] !== flightState.waiting || cells[at + flightCells.lead] !== lane + 1) return
    cells[at + flightCells.body] = 0
    cells[at + flightCells.head] = 0
  })
  const first = geometry.ledgerStart / 4 + lane * geometry.ledgerSlots
  for (let cell = first; cell < first + geometry.ledgerSlots; cell++)
    if (cells[cell] !== 0 && shard.holds(cells[cell]!)) cells[cell] = 0
}

/** Bodies that are held, with how often, and the chunks of heads. */
function survivors({ memory: { cells, geometry } }: CacheThread, shard: Shard) {
  const bodies = new Map<number, number>()
  const heads: number[] = []
  const first = geometry.ledgerStart / 4
  for (let cell = first; cell < first + geometry.lanes * geometry.ledgerSlots; cell++) {
    const ref = cells[cell]!
    if (ref !== 0 && shard.holds(ref)) bodies.set(ref, (bodies.get(ref) ?? 0) + 1)
  }
  shard.flights.each((at) => {
    if (cells[at] === flightState.mark) return
    const body = cells[at + flightCells.body]!
    const head = cells[at + flightCells.head]!
    if (body !== 0) bodies.set(body, (bodies.get(body) ?? 0) + 1)
    if (head !== 0) heads.push(head)
  })
  return { bodies, heads }
}

function pagesOfBody(cells: Int32Array, shard: Shard, ref: number): number[] {
  const pages: number[] = []
  let page = cells[ref * unitCells + bodyCells.firstPage]!
  for (; page !== 0; page = cells[shard.slab.description(page - 1) + pageCells.next]!) pages.push(page - 1)
  return pages
}
