// The last five minutes, a point for each second: what the charts draw.
import type { Stats } from '../api/types.ts'

/** Points kept: one a second. */
export const seriesLength = 300

export const seriesNames = [
  ...(['rate', 'errorRate', 'p50', 'p99', 'connections', 'active', 'received', 'sent'] as const),
  ...(['hitRatio', 'cacheBytes'] as const),
] as const
export type SeriesName = (typeof seriesNames)[number]

/** Columns of equal length, oldest first; a null is a gap. */
export interface Series {
  /** Seconds since 1970. */
  readonly at: readonly number[]
  readonly columns: Readonly<Record<SeriesName, readonly (number | null)[]>>
}

export const emptySeries: Series = {
  at: [],
  columns: Object.fromEntries(seriesNames.map((name) => [name, []])) as unknown as Series['columns'],
}

const percentOf = (share: number | null | undefined): number | null => (share == null ? null : share * 100)

const pointOf = (stats: Stats): Record<SeriesName, number | null> => ({
  rate: stats.requests.rate,
  // Without requests there is no share of them.
  errorRate: stats.requests.rate === 0 ? null : stats.requests.error_rate * 100,
  p50: stats.latency_ms.p50,
  p99: stats.latency_ms.p99,
  connections: stats.connections.active,
  active: stats.requests.active,
  received: stats.bytes.received_rate,
  sent: stats.bytes.sent_rate,
  hitRatio: percentOf(stats.cache?.ratio),
  cacheBytes: stats.cache?.bytes ?? null,
})

/** With one more point; where seconds are missing (the stream was lost) a gap is put in, so that no line is drawn across. */
export function withPoint(series: Series, stats: Stats): Series {
  const at = Date.parse(stats.at) / 1000
  const last = series.at.at(-1)
  if (last !== undefined && at <= last) return series
  const gap = last !== undefined && at - last > 3
  const point = pointOf(stats)
  const from = Math.max(0, series.at.length + (gap ? 2 : 1) - seriesLength)
  const extend = <T>(column: readonly T[], between: T, end: T): T[] => {
    const next = column.slice(from)
    if (gap) next.push(between)
    next.push(end)
    return next
  }
  return {
    at: extend(series.at, at - 1, at),
    columns: Object.fromEntries(
      seriesNames.map((name) => [name, extend<number | null>(series.columns[name], null, point[name])]),
    ) as unknown as Series['columns'],
  }
}

/** The greatest value of a column; null where it has none. */
export function greatest(column: readonly (number | null)[]): number | null {
  let most: number | null = null
  for (const value of column) if (value !== null && (most === null || value > most)) most = value
  return most
}
