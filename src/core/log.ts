// The one way any part of the program says something to its operator. Only cli/ decides where it goes.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** A log event: a stable name for machines, a sentence for people, fields for both. */
export interface Log {
  event(level: LogLevel, name: string, message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** Says nothing: for embedding and tests. */
export const silentLog: Log = { event() {} }
