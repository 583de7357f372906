// Which objects are asked for: drawn once from a Zipf distribution, the same for everybody.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Random } from '../../test/support/random.ts'
import { objectPath } from './backend.ts'

export const objects = 100_000

/** The object of rank n is asked for in proportion to n to the power of minus this. */
export const skew = 0.9

const draws = 1_000_000

/** Writes the lists of paths, one a line, unless they are there: every object once, and the draws. */
export function zipfLists(directory: string): { all: string; draws: { path: string; count: number } } {
  const [all, path] = [join(directory, 'objects.txt'), join(directory, 'draws.txt')]
  if (!existsSync(path)) {
    const paths = Array.from({ length: objects }, (_, index) => objectPath(index))
    writeFileSync(all, paths.join('\n'))
    writeFileSync(
      path,
      drawRanks()
        .map((rank) => paths[rank]!)
        .join('\n'),
    )
  }
  return { all, draws: { path, count: draws } }
}

function drawRanks(): number[] {
  const sums = new Float64Array(objects)
  let sum = 0
  for (let rank = 0; rank < objects; rank++) sums[rank] = sum += (rank + 1) ** -skew
  const random = new Random(1)
  const steps = 2 ** 32 - 1
  return Array.from({ length: draws }, () => firstAbove(sums, (random.between(0, steps) / steps) * sum))
}

function firstAbove(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! > value) high = middle
    else low = middle + 1
  }
  return low
}
