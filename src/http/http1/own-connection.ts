// A backend connection that began with a PROXY header speaks for one client: it is that client's, for as long as both are
// there, and never another's.
import type { Endpoint } from '../../net/arrival.ts'
import { proxyHeader } from '../../net/proxy-protocol/compose.ts'
import type { LiveBackend } from '../../pool/live-backend.ts'
import type { BackendConnection } from './backend-side.ts'

/** The client connection, as far as its own backend connection goes. */
export interface Owner {
  readonly address: string
  readonly port: number
  /** Where the client connected to. */
  destination(): Endpoint
  /** Waits for the client's next exchange; it is closed together with the client's connection. */
  own: BackendConnection | null
}

/** What a connection made for this client has to begin with; null = nothing. */
export function prefaceFor(owner: Owner, { sendProxyProtocol }: LiveBackend): Buffer | null {
  return sendProxyProtocol === null ? null : proxyHeader(sendProxyProtocol, owner, owner.destination())
}

/** The client's own connection, if it is one to this backend and `wanted`. One that is not used now is closed. */
export function takeOwn(owner: Owner, backend: LiveBackend, wanted: boolean): BackendConnection | undefined {
  const { own } = owner
  owner.own = null
  if (own?.isIdle && own.backend === backend && wanted) {
    backend.removeIdle(own)
    return own
  }
  own?.closeIdle()
  backend.sockets.makeRoom()
  return undefined
}
