// Where log events go: text for people, JSON lines for machines, in batches; errors to stderr at once.
import type { Log, LogLevel } from '../core/log.ts'
import { printable } from './printable.ts'
import type { Terminal } from './terminal.ts'

const rank: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

export interface LogSinkOptions {
  readonly terminal: Terminal
  /** Events below it are dropped. */
  readonly level: LogLevel
  /** `auto`: text when stdout is a terminal, else JSON. */
  readonly format: 'auto' | 'text' | 'json'
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number
}

/** A Log that writes to the terminal; `flush` writes what the current turn of the event loop has gathered. */
export interface LogSink extends Log {
  readonly format: 'text' | 'json'
  /** Events below it are dropped; it may change meanwhile. */
  level: LogLevel
  flush(): void
}

export function createLogSink(o: LogSinkOptions): LogSink {
  const format = o.format === 'auto' ? (o.terminal.isTerminal ? 'text' : 'json') : o.format
  const now = o.now ?? Date.now
  let batch = ''
  const flush = (): void => {
    const text = batch
    batch = ''
    if (text !== '') o.terminal.out(text)
  }
  return {
    format,
    level: o.level,
    flush,
    event(level, name, message, fields = {}) {
      if (rank[level] < rank[this.level]) return
      const line =
        format === 'json'
          ? jsonLine(now(), level, name, message, fields)
          : textLine(o.terminal, now(), level, name, message)
      if (level === 'error') {
        flush()
        o.terminal.err(line)
        return
      }
      if (batch === '') setImmediate(flush)
      batch += line
    },
  }
}

function jsonLine(
  nowMs: number,
  level: LogLevel,
  name: string,
  message: string,
  fields: Readonly<Record<string, unknown>>,
): string {
  const record = { time: new Date(nowMs).toISOString(), level, event: name, message, ...fields }
  return `${JSON.stringify(record, plainValue)}\n`
}

function plainValue(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.message
  return typeof value === 'bigint' ? value.toString() : value
}

function textLine(terminal: Terminal, nowMs: number, level: LogLevel, name: string, message: string): string {
  const { paint } = terminal
  const word = level.padEnd(5)
  const levelText =
    level === 'error' ? paint('red', word) : level === 'warn' ? paint('yellow', word) : paint('dim', word)
  const text = name.startsWith('backend_') ? paintStates(printable(message), paint) : printable(message)
  return `${paint('dim', clockTime(nowMs))} ${levelText} ${text}\n`
}

const stateColours = { UP: 'green', DOWN: 'red', EJECTED: 'red', DRAINING: 'yellow', DISABLED: 'yellow' } as const

function paintStates(message: string, paint: Terminal['paint']): string {
  return message.replace(/\b(UP|DOWN|EJECTED|DRAINING|DISABLED)\b/, (state) =>
    paint(stateColours[state as keyof typeof stateColours], state),
  )
}

/** Local time of day. */
function clockTime(nowMs: number): string {
  const at = new Date(nowMs)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}
