// An access log that writes nothing: each entry goes to a function, as it is.
import { type AccessEntry, AccessLog, type TcpEntry } from './access-log.ts'

/** An exchange or TCP connection that has ended. */
export type EndedEntry = AccessEntry | TcpEntry

export class ExchangeTap extends AccessLog {
  readonly #tell: (entry: EndedEntry) => void

  constructor(tell: (entry: EndedEntry) => void) {
    super({ format: 'json', file: null }, () => {})
    this.#tell = tell
  }

  override add(entry: AccessEntry): void {
    this.#tell(entry)
  }

  override addTcp(entry: TcpEntry): void {
    this.#tell(entry)
  }
}
