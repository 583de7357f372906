// TLS sessions of one backend that a new connection may resume.

/** Kept for connections to come: with TLS 1.3 a server gives some with each connection. */
const MAX_SESSIONS = 16

export class BackendSessions {
  readonly #unused: Buffer[] = []
  #last: Buffer | null = null

  /**
   * What the next connection may try to resume, or null: the newest that has not been used, else the last once more.
   * TLS 1.2 means it so. With 1.3 a ticket should serve once, lest an observer link two connections (RFC 8446 §C.4): to
   * a backend that gives none on resumption (Node's servers do not) a whole handshake each time would be the worse.
   */
  take(): Buffer | null {
    this.#last = this.#unused.pop() ?? this.#last
    return this.#last
  }

  /** The backend gave this for later. `anew`: after a whole handshake, so that what was there before is worth nothing. */
  put(session: Buffer, anew: boolean): void {
    if (anew) this.#unused.length = 0
    this.#unused.push(session)
    if (this.#unused.length > MAX_SESSIONS) this.#unused.shift()
  }
}
