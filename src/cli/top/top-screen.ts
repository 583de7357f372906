// The screen of `top` as lines, none longer than it is wide: figures, the table as far as it is visible, keys or a question.
import { formatDuration } from '../../control/format-duration.ts'
import { age, bytes, compact, milliseconds, percent } from '../figures.ts'
import { printable } from '../printable.ts'
import type { StatsDocument } from '../stream-documents.ts'
import { plural, type Terminal } from '../terminal.ts'
import { type Column, columnsFor, row } from './top-columns.ts'
import type { TopSnapshot } from './top-data.ts'
import type { TopView } from './top-view.ts'

/** How the stream is. */
export type Link =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly reason: string; readonly sinceMs: number }

export interface ScreenInput {
  readonly data: TopSnapshot
  readonly view: TopView
  readonly link: Link
  /** Where the admin API is. */
  readonly place: string
  readonly width: number
  readonly height: number
  readonly nowMs: number
  readonly paint: Terminal['paint']
  /** Printed once: there is nothing to select. */
  readonly isStill?: boolean
}

/** Figures, an empty line, the heading above the rows; message and keys below. */
const FIXED_LINES = 7

const help: readonly (readonly [key: string, does: string])[] = [
  ['↑ ↓ j k', 'select a backend; PgUp, PgDn, Home, End'],
  ['d', 'drain it: no new requests (asks first)'],
  ['e', 'enable it: back into service'],
  ['w', 'change its weight'],
  ['/', 'filter by pool, URL or state; Esc shows all'],
  ['s', 'sort by the next column'],
  ['p', 'pause, and go on'],
  ['? h', 'this page'],
  ['q', 'quit; Ctrl-C too, Ctrl-Z suspends'],
]

/** Moves the view's page so that the selection is on it, and draws. */
export function drawTop(input: ScreenInput): string[] {
  const { view, height, width } = input
  const data = view.frozen ?? input.data
  const rows = view.rows(data)
  view.pageRows = Math.max(1, height - FIXED_LINES)
  const selected = view.selectedIndex(rows)
  const most = Math.max(0, rows.length - view.pageRows)
  view.offset = Math.min(most, Math.max(Math.min(view.offset, selected), selected - view.pageRows + 1))
  const columns = columnsFor(data.backends, Math.max(4, width - 2))
  const body = view.isHelpOpen ? helpLines(input) : tableLines(input, { data, rows, columns, selected })
  const lines = [...head(input, data), '', ...body.slice(0, view.pageRows + 1)]
  while (lines.length < FIXED_LINES - 2 + view.pageRows) lines.push('')
  return [...lines, messageLine(input, rows.length, data.backends.length), footer(input)].slice(-Math.max(1, height))
}

function head(input: ScreenInput, data: TopSnapshot): string[] {
  const { width, paint, place, view } = input
  const { stats } = data
  const marks = [...(view.frozen === null ? [] : ['PAUSED']), ...(view.isReadOnly ? ['read only'] : [])]
  const first = [
    `frontdesk ${data.version}`.trimEnd(),
    ...marks,
    ...(stats === null ? [] : [`revision ${stats.revision}`, `up ${formatDuration(stats.uptime_seconds * 1000)}`]),
    place,
  ]
  const title = joined(first, ' · ', width)
  if (stats === null) return [paint('bold', title), '', '']
  const { requests, latency_ms: latency, connections, bytes: moved, cache = null, workers } = stats
  const second = joined(
    [
      `${compact(requests.rate)} req/s`,
      `${percent(requests.error_rate)} errors`,
      `p50 ${milliseconds(latency.p50)}`,
      `p99 ${milliseconds(latency.p99)}`,
      `${compact(requests.active)} active`,
    ],
    '   ',
    width,
  )
  const busy = workers.map(({ utilization, state }) => (state === 'running' ? percent(utilization) : state)).join(', ')
  const third = joined(
    [
      plural(connections.active, 'connection'),
      `in ${bytes(moved.received_rate)}/s`,
      `out ${bytes(moved.sent_rate)}/s`,
      ...(cache === null ? [] : [cacheWords(cache)]),
      `${plural(workers.length, 'worker')} busy ${busy}`,
    ],
    '   ',
    width,
  )
  const chartWidth = input.isStill === true ? 0 : Math.min(60, width - second.length - 3)
  const chart = chartWidth < 10 ? '' : `   ${paint('dim', sparkline(data.rates.slice(-chartWidth)))}`
  return [paint('bold', title), second + chart, third]
}

/** How many of the requests that are looked up come from the cache, and how much is in it. */
const cacheWords = ({ ratio, bytes: used }: NonNullable<StatsDocument['cache']>): string =>
  `cache ${ratio === null ? '' : `${percent(ratio)} hits, `}${bytes(used)}`

/** As many of the parts as fit; the first is cut where not even that does. */
function joined(parts: readonly string[], separator: string, width: number): string {
  let text = ''
  for (const part of parts) {
    const longer = text === '' ? part : text + separator + part
    if (longer.length > width) return text === '' ? cut(part, width) : text
    text = longer
  }
  return text
}

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 1)}…`)

const bars = '▁▂▃▄▅▆▇█'

/** One character a second, as high as its share of the highest. */
function sparkline(rates: readonly number[]): string {
  const highest = Math.max(...rates, 1e-9)
  return rates.map((rate) => bars[Math.min(7, Math.floor((rate / highest) * 8))]).join('')
}

interface Table {
  readonly data: TopSnapshot
  readonly rows: TopSnapshot['backends']
  readonly columns: readonly Column[]
  readonly selected: number
}

function tableLines(
  { view, paint, nowMs, width, isStill }: ScreenInput,
  { data, rows, columns, selected }: Table,
): string[] {
  const heading = row(columns, ({ head: name, sort }) => (sort !== undefined && sort === view.sort ? `▾${name}` : name))
  const lines = [paint('dim', `  ${heading}`.slice(0, width).trimEnd())]
  if (rows.length === 0) return [...lines, `  ${cut(emptyWords(data, view), Math.max(1, width - 2))}`]
  const visible = rows.slice(view.offset, view.offset + view.pageRows)
  visible.forEach((backend, i) => {
    const isSelected = view.offset + i === selected && isStill !== true
    const cellOf = (column: Column): string => column.cell(backend, nowMs)
    // Colours inside would end the inverse of the whole row.
    if (isSelected) lines.push(paint('inverse', `> ${row(columns, cellOf)}`.slice(0, width)))
    else lines.push(`  ${row(columns, cellOf, (column, text) => column.paint?.(text, backend, paint) ?? text)}`)
  })
  return lines
}

function emptyWords(data: TopSnapshot, view: TopView): string {
  if (data.stats === null) return 'waiting for the first figures'
  if (data.backends.length > 0) return `no backend matches "${view.filter}": Esc shows all`
  return 'no backends: "frontdesk backends add URL" adds one'
}

function helpLines({ paint, width }: ScreenInput): string[] {
  const lines = help.map(([keys, does]) => `  ${keys.padEnd(9)}${does}`)
  return [paint('dim', '  KEYS'), ...lines, '', '  any key closes it'].map((line, i) =>
    i === 0 ? line : cut(line, width),
  )
}

function messageLine({ view, link, paint, width, nowMs }: ScreenInput, shown: number, all: number): string {
  if (link.kind === 'lost') {
    const since = age(nowMs - link.sinceMs)
    return paint(
      'red',
      cut(`stream lost ${since} ago (${printable(link.reason)}); figures are old; trying again`, width),
    )
  }
  if (view.message !== null) {
    const text = cut(printable(view.message.text), width)
    return view.message.isBad ? paint('red', text) : text
  }
  const filter = view.filter === '' ? '' : `, filter "${printable(view.filter)}"`
  return paint(
    'dim',
    cut(`${shown === all ? '' : `${shown} of `}${plural(all, 'backend')}, sorted: ${view.sort}${filter}`, width),
  )
}

function footer({ view, width, paint }: ScreenInput): string {
  const { prompt } = view
  if (prompt === null) {
    const keys = ['q quit', '? help', 'd drain', 'e enable', 'w weight', '/ filter', 's sort', 'p pause', '↑↓ select']
    return paint('dim', joined(keys, '  ', width))
  }
  // Of a long line the end is where one writes.
  const asked = (text: string): string => paint('bold', text.length <= width ? text : `…${text.slice(1 - width)}`)
  if (prompt.kind === 'filter') return asked(`filter: ${printable(prompt.text)}_`)
  const { url, weight } = prompt.backend
  if (prompt.kind === 'drain') return asked(`drain ${url}? It gets no new requests. y/n`)
  return asked(`weight of ${url}, now ${weight}: ${printable(prompt.text)}_`)
}
