// What the sockets of node:http and node:https tell of a client.
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Endpoint, type TlsFacts, unixAddress } from '../net/arrival.ts'

/** Facts of a connection do not change: asked for once. */
const known = new WeakMap<object, NodeClient>()

/** The client of a connection, and where it connected to. */
export class NodeClient {
  readonly address: string
  readonly port: number
  readonly tls: TlsFacts | null
  readonly destination: Endpoint

  private constructor(socket: Socket) {
    this.address = unmapped(socket.remoteAddress)
    this.port = socket.remotePort ?? 0
    this.tls = isTls(socket) ? tlsFacts(socket) : null
    this.destination = { address: unmapped(socket.localAddress), port: socket.localPort ?? 0 }
  }

  static of(socket: Socket): NodeClient {
    let client = known.get(socket)
    if (client === undefined) {
      client = new NodeClient(socket)
      known.set(socket, client)
    }
    return client
  }
}

/** Sockets without an address are Unix sockets, or streams of the program's own. */
function unmapped(address: string | undefined): string {
  if (address === undefined) return unixAddress
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

function isTls(socket: Socket): socket is TLSSocket {
  return (socket as Partial<TLSSocket>).encrypted === true
}

function tlsFacts(socket: TLSSocket): TlsFacts {
  const { servername, alpnProtocol } = socket as TLSSocket & { servername?: string | false }
  return {
    version: socket.getProtocol() === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2',
    serverName: typeof servername === 'string' ? servername.toLowerCase() : '',
    alpn: typeof alpnProtocol === 'string' ? alpnProtocol : '',
    resumed: socket.isSessionReused(),
    // Whether it was verified is the program's matter.
    clientCertificate: null,
  }
}
