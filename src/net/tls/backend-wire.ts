// From a TLS socket whose handshake is done to a wire: on its bare handles where Node shows them.
import type net from 'node:net'
import type { Handle } from '../native.ts'
import { isHandle } from '../native.ts'
import type { TlsHandle } from '../native-tls.ts'
import { SocketWire } from '../socket-wire.ts'
import { TlsWire } from '../tls-wire.ts'
import type { Wire, WireEvents } from '../wire.ts'

/** Called within 'secureConnect'. The socket goes on to tell of new sessions, and of nothing else. */
export function openSecured(socket: net.Socket, events: WireEvents): Wire {
  const { _handle: secured, _parent: carrier } = socket as unknown as {
    _handle?: (TlsHandle & { readonly _parent?: Handle }) | null
    _parent?: net.Socket
  }
  const inner = secured?._parent
  if (secured == null || !isHandle(inner) || secured.constructor.name !== 'TLSWrap')
    return new SocketWire(socket, events, carrier ?? socket)
  return new TlsWire(inner, secured, events)
}
