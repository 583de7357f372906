// A request or an event of the streams as one line for people.
import { bytes, milliseconds } from './figures.ts'
import { printable } from './printable.ts'
import type { Colour, Terminal } from './terminal.ts'

/** An entry of the access log, as far as it is shown; TCP connections have no method. */
export interface RequestEntry {
  readonly time: string
  readonly listener?: string
  readonly client?: string
  readonly method?: string
  readonly host?: string
  readonly target?: string
  readonly status?: number
  readonly bytes_received?: number
  readonly bytes_sent?: number
  readonly duration_ms?: number
  readonly route?: string
  readonly pool?: string
  readonly backend?: string
  readonly attempts?: number
  readonly cache?: string
  readonly client_gone?: boolean
  readonly error?: string
}

type Paint = Terminal['paint']

/** `15:04:05.123 200   12 ms  GET example.com/api  api → http://10.0.0.1:3000  from 10.1.2.3`. */
export function requestLine(entry: RequestEntry, paint: Paint): string {
  const { status = 0, method = '', duration_ms: duration } = entry
  const isTcp = method === '' && entry.target === undefined
  const what = isTcp
    ? `TCP in ${bytes(entry.bytes_received ?? 0)}, out ${bytes(entry.bytes_sent ?? 0)}`
    : `${method || '(no request)'} ${entry.host ?? ''}${entry.target ?? ''}`
  const parts = [
    paint('dim', clock(entry.time)),
    isTcp ? paint(entry.error ? 'red' : 'green', 'TCP') : paint(statusColour(status), String(status).padStart(3)),
    milliseconds(duration).padStart(7),
    printable(isTcp ? what.slice(4) : what),
    whither(entry, paint),
    ...(entry.client ? [paint('dim', `from ${printable(entry.client)}`)] : []),
    ...extras(entry).map((text) => paint('yellow', printable(text))),
    ...(entry.error ? [paint('red', printable(entry.error))] : []),
  ]
  return parts.filter((part) => part !== '').join('  ')
}

/** The route where it is not named as the pool, the pool, the backend. */
function whither({ route = '', pool = '', backend = '' }: RequestEntry, paint: Paint): string {
  const name = route === '' || route === pool ? pool : pool === '' ? route : `${route} → ${pool}`
  if (backend === '') return printable(name)
  return printable(`${name}${name === '' ? '' : ' → '}`) + paint('cyan', printable(backend))
}

function extras({ attempts = 0, cache, client_gone: gone }: RequestEntry): string[] {
  return [
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
    ...(cache ? [`cache ${cache}`] : []),
    ...(gone === true ? ['client gone'] : []),
  ]
}

function statusColour(status: number): Colour {
  if (status >= 500 || status === 0) return 'red'
  if (status >= 400) return 'yellow'
  return status >= 300 ? 'cyan' : 'green'
}

/** Local time of day with milliseconds; as it is where it is no time. */
function clock(iso: string): string {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return printable(iso)
  const two = (n: number): string => String(n).padStart(2, '0')
  const ms = String(at.getMilliseconds()).padStart(3, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`
}

export interface EventEntry {
  readonly type: string
  readonly at: string
  readonly message?: string
}

const bad: ReadonlySet<string> = new Set(['backend_down', 'backend_ejected', 'config_refused', 'dropped'])
const good: ReadonlySet<string> = new Set(['backend_up', 'backend_returned', 'config_applied', 'certificate_renewed'])

/** `15:04:05.123 backend_down     pool api: http://… is DOWN: ECONNREFUSED`. */
export function eventLine({ type, at, message, ...rest }: EventEntry, paint: Paint): string {
  const colour: Colour = bad.has(type) ? 'red' : good.has(type) ? 'green' : 'yellow'
  return `${paint('dim', clock(at))}  ${paint(colour, type.padEnd(16))}  ${printable(message ?? JSON.stringify(rest))}`
}
