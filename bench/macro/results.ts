// The numbers of a run and how they are condensed: medians over rounds, and ratios paired round by round.
import type { Values } from './scenario.ts'

export interface Sample {
  readonly scenario: string
  readonly rival: string
  readonly round: number
  readonly values: Values
}

export type Results = readonly Sample[]

/** Median over the rounds; null when nothing was measured. */
export function median(results: Results, scenario: string, rival: string, metric: string): number | null {
  return middle(pick(results, scenario, rival, metric).values())
}

/** Median of the ratios within each round, so that what disturbs a whole round disturbs both; null without a pair. */
export function ratio(results: Results, scenario: string, rival: string, metric: string, base: string): number | null {
  const bases = pick(results, scenario, base, metric)
  const ratios: number[] = []
  for (const [round, value] of pick(results, scenario, rival, metric)) {
    const other = bases.get(round)
    if (other !== undefined && other > 0) ratios.push(value / other)
  }
  return middle(ratios)
}

function pick(results: Results, scenario: string, rival: string, metric: string): Map<number, number> {
  const found = new Map<number, number>()
  for (const sample of results) {
    const value = sample.values[metric]
    if (sample.scenario === scenario && sample.rival === rival && value !== undefined) found.set(sample.round, value)
  }
  return found
}

function middle(numbers: Iterable<number>): number | null {
  const sorted = [...numbers].sort((a, b) => a - b)
  if (sorted.length === 0) return null
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
