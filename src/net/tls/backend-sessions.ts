// TLS sessions of one backend that a new connection may resume.

/** Tickets of TLS 1.3 kept for connections to come: a server gives a few with each. */
const MAX_TICKETS = 16

export class BackendSessions {
  /** Of TLS 1.3: each is used once (RFC 8446 §C.4), the newest first. */
  readonly #tickets: Buffer[] = []
  /** Of TLS 1.2: serves any number of connections. */
  #session: Buffer | null = null

  /** What the next connection may try to resume, or null. */
  take(): Buffer | null {
    return this.#tickets.pop() ?? this.#session
  }

  /** The server gave this for later. `protocol` as from `getProtocol()`. */
  put(session: Buffer, protocol: string | null): void {
    if (protocol !== 'TLSv1.3') {
      this.#session = session
      return
    }
    this.#session = null
    this.#tickets.push(session)
    if (this.#tickets.length > MAX_TICKETS) this.#tickets.shift()
  }
}
