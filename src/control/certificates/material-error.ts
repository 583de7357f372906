// What is wrong with a file of certificates or keys: which file, why, and what to do. Never what is in it.

export class MaterialError extends Error {
  override readonly name = 'MaterialError'
  readonly file: string
  /** Reads on after the name of the file: `does not exist`. */
  readonly reason: string
  /** What to do about it, or null where the reason says it. */
  readonly hint: string | null

  constructor(file: string, reason: string, hint: string | null = null) {
    super(`${file} ${reason}${hint === null ? '' : `; ${hint}`}`)
    this.file = file
    this.reason = reason
    this.hint = hint
  }
}

/** OpenSSL's own words, without its numbers. */
export function opensslReason(error: unknown): string {
  const { reason, message } = error as { reason?: string; message?: string }
  return reason ?? message ?? String(error)
}
