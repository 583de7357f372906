// A histogram of shared memory as /metrics shows it: fewer buckets, cumulated, in seconds.
import { cumulative, exportBounds } from '../../state/histogram.ts'
import type { HistogramTotals } from '../../state/owner-state.ts'
import type { HistogramSample } from './text-writer.ts'

export const histogramSample = (totals: HistogramTotals): HistogramSample => ({
  bounds: exportBounds,
  cumulative: cumulative(totals.counts),
  count: totals.count,
  sum: totals.sumUs / 1e6,
})
