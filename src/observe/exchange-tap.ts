// An observer that writes nothing: each entry goes to a function, as it is.
import type { AccessEntry, EndedEntry, TcpEntry } from './access-entry.ts'
import type { ExchangeObserver } from './exchange-observer.ts'

export type { EndedEntry } from './access-entry.ts'

export class ExchangeTap implements ExchangeObserver {
  readonly #tell: (entry: EndedEntry) => void

  constructor(tell: (entry: EndedEntry) => void) {
    this.#tell = tell
  }

  wants(): boolean {
    return true
  }

  add(entry: AccessEntry): void {
    this.#tell(entry)
  }

  addTcp(entry: TcpEntry): void {
    this.#tell(entry)
  }

  flush(): void {}
}
