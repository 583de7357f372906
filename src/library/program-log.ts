// The log of an embedded Frontdesk: a function of the program, or nothing.
import { type Log, type LogLevel, silentLog } from '../core/log.ts'
import { isStrayPromise } from '../plugins/stray-promise.ts'

/** One event of the log. */
export interface LogEvent {
  readonly at: Date
  readonly level: LogLevel
  /** Stable, for machines: `backend_down`, `worker_died`. */
  readonly name: string
  /** For people. */
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

const rank: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** The least level that is told may change meanwhile. */
export interface ProgramLog extends Log {
  level: LogLevel
}

/** Events of at least that level. What `tell` throws is its own affair: it must not stop what was being told of. */
export function programLog(tell: ((event: LogEvent) => void) | undefined, least: LogLevel): ProgramLog {
  if (tell === undefined) return { ...silentLog, level: least }
  return {
    level: least,
    event(level, name, message, fields = {}) {
      if (rank[level] < rank[this.level]) return
      try {
        const told: unknown = tell({ at: new Date(), level, name, message, fields })
        isStrayPromise(told)
      } catch {
        // There is nobody else to tell.
      }
    },
  }
}
