// Backends as the admin API tells them, and the table that `status` and `backends list` print.
import { type BackendStatus, speaksTcp } from '../control/status.ts'
import { age, milliseconds } from './figures.ts'
import { printable } from './printable.ts'
import { type Colour, plural, type Terminal, table } from './terminal.ts'

/** What a state is painted with. */
export const stateColours: Readonly<Record<BackendStatus['state'], Colour>> = {
  up: 'green',
  down: 'red',
  ejected: 'red',
  draining: 'yellow',
  disabled: 'yellow',
  unknown: 'dim',
}

/** One row a backend; the pool is a column only where there are several. */
export function backendTable(backends: readonly BackendStatus[], terminal: Terminal, nowMs: number): string {
  const pools = new Set(backends.map((backend) => backend.pool))
  const withPool = pools.size > 1
  const head = [
    ...(withPool ? ['POOL'] : []),
    'BACKEND',
    'STATE',
    'WEIGHT',
    'OPEN',
    'REQUESTS',
    'ERRORS',
    'P50',
    'P99',
    'LAST CHECK',
  ]
  const rows = backends.map((backend) => [
    ...(withPool ? [backend.pool] : []),
    backend.url,
    terminal.paint(stateColours[backend.state], backend.state) + (backend.backup ? ' (backup)' : ''),
    String(backend.weight),
    String(backend.current_connections),
    speaksTcp(backend) ? plural(backend.connections, 'connection') : String(backend.requests),
    String(backend.errors),
    milliseconds(backend.latency_ms.p50),
    milliseconds(backend.latency_ms.p99),
    lastCheck(backend, nowMs),
  ])
  const first = withPool ? 3 : 2
  const heading = head.map((cell) => terminal.paint('dim', cell))
  return table(
    [heading, ...rows].map((row) => row.map((cell, column) => (column === 0 ? `  ${cell}` : cell))),
    [first, first + 1, first + 2, first + 3, first + 4, first + 5],
  )
}

function lastCheck({ last_check: check }: BackendStatus, nowMs: number): string {
  if (check === null) return 'none yet'
  const ago = age(nowMs - Date.parse(check.at))
  return `${check.ok ? 'passed' : 'failed'} ${ago} ago${check.ok ? '' : `: ${printable(check.reason)}`}`
}
