// A listener that cannot be opened, as it is said to the supervisor.
import type { FromWorker } from './protocol.ts'

export class OpenError extends Error {
  override readonly name = 'OpenError'
  readonly listener: string
  /** The system's code: EADDRINUSE, EACCES, … */
  readonly code: string

  constructor(listener: string, cause: unknown) {
    super(`cannot open listener ${listener}: ${cause}`, { cause })
    this.listener = listener
    this.code = (cause as NodeJS.ErrnoException).code ?? String(cause)
  }
}

/** The message that tells of it. */
export function listenFailed(error: unknown): FromWorker {
  if (!(error instanceof OpenError)) throw error
  return { type: 'listen-failed', listener: error.listener, code: error.code }
}
