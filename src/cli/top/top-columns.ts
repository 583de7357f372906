// The columns of `top`: which of them fit into a width, and what stands in them.
import { stateColours } from '../backend-table.ts'
import { age, compact, milliseconds, percent } from '../figures.ts'
import { printable } from '../printable.ts'
import type { BackendFigures } from '../stream-documents.ts'
import type { Terminal } from '../terminal.ts'
import type { SortOrder } from './top-view.ts'

export interface Column {
  readonly head: string
  readonly width: number
  readonly isRight: boolean
  /** Not yet padded. */
  cell(backend: BackendFigures, nowMs: number): string
  paint?(text: string, backend: BackendFigures, paint: Terminal['paint']): string
  readonly sort?: SortOrder
}

/** Between two columns. */
const GAP = 2
/** What a URL has at least before other columns give way for it. */
const URL_LEAST = 30
/** What is left of it before the last of them give way. */
const URL_CUT = 12
const LAST_BEFORE_URL = 7
const POOL_MOST = 16

interface Wanted extends Column {
  /** Dropped in this order where room is short, 1 first; 0 = always there. */
  readonly drop: number
}

/** Those that fit; the URL and, where it is there, the last check share what is left. `width`: of the whole row. */
export function columnsFor(backends: readonly BackendFigures[], width: number): readonly Column[] {
  const longest = (least: number, of: (one: BackendFigures) => string): number =>
    backends.reduce((most, one) => Math.max(most, of(one).length), least)
  const urlWidth = longest('BACKEND'.length, ({ url }) => url)
  const poolWidth = Math.min(
    POOL_MOST,
    longest('POOL'.length, ({ pool }) => pool),
  )
  const severalPools = backends.some(({ pool }) => pool !== backends[0]!.pool)
  const everything = wanted(Math.min(urlWidth, URL_LEAST), poolWidth)
  const some = dropped(
    everything.filter(({ head }) => head !== 'POOL' || severalPools),
    { width, last: LAST_BEFORE_URL },
  )
  const all = dropped(
    some.map((column) => (column.head === 'BACKEND' ? { ...column, width: Math.min(column.width, URL_CUT) } : column)),
    { width, last: Number.POSITIVE_INFINITY },
  )
  const spare = width - total(all)
  const url = all.find(({ head }) => head === 'BACKEND')!
  const urlGrows = Math.min(spare, urlWidth - url.width)
  const rest = Math.max(0, spare - urlGrows)
  return all.map((column) => {
    if (column === url) return { ...column, width: column.width + urlGrows }
    return column.head === 'LAST CHECK' ? { ...column, width: column.width + rest } : column
  })
}

/** Without as many as do not fit, of those that give way up to `last`. */
function dropped(columns: readonly Wanted[], { width, last }: { width: number; last: number }): readonly Wanted[] {
  let all = columns
  while (total(all) > width) {
    const next = all.filter(({ drop }) => drop > 0 && drop <= last).sort((a, b) => a.drop - b.drop)[0]
    if (next === undefined) break
    all = all.filter((column) => column !== next)
  }
  return all
}

/** A row of cells, cut and padded to their widths, painted where `paint` is given. */
export function row(
  columns: readonly Column[],
  cellOf: (column: Column) => string,
  paint?: (column: Column, text: string) => string,
): string {
  return columns
    .map((column) => {
      const text = fit(cellOf(column), column)
      return paint === undefined ? text : paint(column, text)
    })
    .join(' '.repeat(GAP))
}

const total = (columns: readonly Column[]): number =>
  columns.reduce((sum, { width }) => sum + width, 0) + GAP * Math.max(0, columns.length - 1)

/** Of a URL the end says most, of everything else the beginning. */
function fit(text: string, { width, isRight, head }: Column): string {
  if (text.length > width) {
    if (width <= 1) return text.slice(0, width)
    if (head !== 'BACKEND') return `${text.slice(0, width - 1)}…`
    const bare = text.replace(/^[a-z]+:\/\//, '')
    return bare.length <= width ? bare.padEnd(width) : `…${bare.slice(1 - width)}`
  }
  return isRight ? text.padStart(width) : text.padEnd(width)
}

function wanted(urlWidth: number, poolWidth: number): readonly Wanted[] {
  const right = { isRight: true }
  const left = { isRight: false }
  return [
    { head: 'POOL', width: poolWidth, ...left, drop: 3, cell: ({ pool }) => pool },
    { head: 'BACKEND', width: urlWidth, ...left, drop: 0, cell: ({ url }) => url },
    {
      head: 'STATE',
      width: 8,
      ...left,
      drop: 9,
      sort: 'state',
      cell: ({ state }) => state,
      paint: (text, { state }, paint) => paint(stateColours[state], text),
    },
    { head: 'WEIGHT', width: 6, ...right, drop: 4, cell: ({ weight }) => String(weight) },
    { head: 'OPEN', width: 5, ...right, drop: 5, sort: 'open', cell: (one) => compact(one.current_connections) },
    { head: 'REQ/S', width: 6, ...right, drop: 8, sort: 'req/s', cell: ({ rate }) => compact(rate) },
    {
      head: 'ERR',
      width: 6,
      ...right,
      drop: 7,
      sort: 'errors',
      cell: ({ error_rate: share }) => percent(share),
      paint: (text, { error_rate: share }, paint) => (share > 0 ? paint('red', text) : text),
    },
    { head: 'P50', width: 7, ...right, drop: 2, cell: ({ latency_ms: { p50 } }) => milliseconds(p50) },
    { head: 'P99', width: 7, ...right, drop: 6, sort: 'p99', cell: ({ latency_ms: { p99 } }) => milliseconds(p99) },
    { head: 'LAST CHECK', width: 10, ...left, drop: 1, cell: lastCheck },
  ]
}

function lastCheck({ last_check: check }: BackendFigures, nowMs: number): string {
  if (check === null) return 'none yet'
  const ago = age(nowMs - Date.parse(check.at))
  return check.ok ? `ok ${ago} ago` : `failed ${ago} ago: ${printable(check.reason)}`
}
