// What there is over all threads: sums over shards, which count under their locks, and over what threads keep decoded.
import type { CacheThread } from './cache-thread.ts'
import { laneCells, laneTableNumber, unitBytes } from './geometry.ts'
import { shardCells, shardNumbers } from './shard-cells.ts'
import type { CacheTotals } from './types.ts'

export function totalsOf({ memory, shards }: CacheThread): CacheTotals {
  const { cells, numbers, geometry } = memory
  const own = geometry.shardStart + geometry.shards * geometry.pagesAt
  const totals = {
    memory: geometry.memory,
    used: own,
    entries: 0,
    payload: 0,
    stored: 0,
    evicted: 0,
    purged: 0,
    filling: 0,
  }
  for (const { base } of shards) {
    totals.used += cells[base + shardCells.usedUnits]! * unitBytes
    totals.entries += cells[base + shardCells.smallCount]! + cells[base + shardCells.mainCount]!
    totals.filling += cells[base + shardCells.filling]!
    totals.payload += numbers[base / 2 + shardNumbers.payload]!
    totals.stored += numbers[base / 2 + shardNumbers.stored]!
    totals.evicted += numbers[base / 2 + shardNumbers.evicted]!
    totals.purged += numbers[base / 2 + shardNumbers.purged]!
  }
  for (let lane = 0; lane < geometry.lanes; lane++)
    totals.used += numbers[(geometry.lanesStart + lane * laneCells * 4) / 8 + laneTableNumber]!
  return totals
}
