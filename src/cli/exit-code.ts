// The exit codes of the program, and the error that carries one together with what to do about it.

export const ExitCode = {
  /** Done, or drained. */
  done: 0,
  /** Failed at run time. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** An address cannot be bound, or Node is too old (EX_UNAVAILABLE). */
  unavailable: 69,
  /** The configuration is invalid (EX_CONFIG). */
  invalidConfig: 78,
  /** A second Ctrl-C did not wait for the drain (128 + SIGINT). */
  forced: 130,
} as const

/** A failure that the operator can understand: what went wrong, and how to mend it. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: number
  /** What to do now, as one or more lines; '' when the message says it all. */
  readonly hint: string

  constructor(message: string, o: { exitCode?: number; hint?: string } = {}) {
    super(message)
    this.exitCode = o.exitCode ?? ExitCode.failed
    this.hint = o.hint ?? ''
  }
}
