// What every error has in common that Frontdesk throws or rejects with on purpose.

/** Why a program's call has failed: `code` for the program, `message` for people. */
export class FrontdeskError extends Error {
  override readonly name: string = 'FrontdeskError'
  /**
   * `invalid-config`, of a `ListenError` the system's code (`EADDRINUSE`), of a backend's change `invalid`, `not-found`,
   * `duplicate`, `conflict`, `no-space` or `failed`; else `needs-restart`, `not-started`, `closed`, `start-failed`.
   */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
