import type { ListenerSpec } from '../core/spec.ts'
import type { Arrival } from '../net/arrival.ts'
import type { PlaneContext } from '../pool/plane-context.ts'
import type { Pool } from '../pool/pool.ts'
export interface TcpSite { readonly listener: ListenerSpec; readonly pool: Pool }
export interface TcpHome { readonly plane: PlaneContext; connectionClosed(connection: TcpConnection): void }
export class TcpConnection {
  constructor(_arrival: Arrival, _site: TcpSite, _home: TcpHome, _early: Buffer | null) {}
  closeIfIdle(): void {}
  destroy(): void {}
}
