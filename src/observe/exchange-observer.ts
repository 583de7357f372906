// Who is told of exchanges when they have ended: the access log, live requests, whoever embeds the proxy.
import type { AccessEntry, TcpEntry } from './access-entry.ts'

export interface ExchangeObserver {
  /**
   * Whether `add` is to be called: finding out what an entry says costs something. `id`: of its trace, else of the
   * request; `logged`: false where its route is not to be logged.
   */
  wants(id: string, target: string, status: number, error: string, logged: boolean): boolean
  add(entry: AccessEntry): void
  addTcp(entry: TcpEntry): void
  /** Nothing is held back any longer. */
  flush(): void
}
