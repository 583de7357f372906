// A listening socket that hands over wires: on bare handles where Node shows them, else on sockets.
import net from 'node:net'
import type { Arrival, Endpoint } from './arrival.ts'
import { HandleWire } from './handle-wire.ts'
import { type Handle, isHandle, type PeerName } from './native.ts'
import { SocketWire } from './socket-wire.ts'
import type { Wire, WireEvents } from './wire.ts'

export interface ListenOptions {
  /** '' = all interfaces, IPv4 and IPv6. */
  readonly host: string
  readonly port: number
  /** Several threads listen on one address and the kernel spreads connections (SO_REUSEPORT). */
  readonly reusePort: boolean
}

/** A connection that has been accepted and not yet been read from. */
export interface Accepted extends Arrival {
  /** The peer's address; '' if it is gone already. */
  readonly address: string
  readonly tls: null
  /** Turns the client away. */
  refuse(): void
}

const BACKLOG = 4096

/** Whether several threads can listen on one address here (Node's list for `reusePort`). */
export const canReusePort = ['linux', 'freebsd', 'sunos', 'aix'].includes(process.platform)

export class Acceptor {
  readonly #server: net.Server
  #closed = false

  /** `onFailure`: accepting failed (out of file descriptors); the kernel goes on, nothing is to be done but to count it. */
  constructor(onAccept: (accepted: Accepted) => void, onFailure: (error: NodeJS.ErrnoException) => void) {
    this.#server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true })
    this.#server.on('error', (error) => {
      if (this.#server.listening) onFailure(error)
    })
    const accept = (accepted: Accepted): void => {
      // A client without an address has gone already.
      if (accepted.address === '') accepted.refuse()
      else onAccept(accepted)
    }
    this.#server.on('connection', (socket) => accept(new AcceptedSocket(socket)))
    this.#server.on('listening', () => {
      const listening = (this.#server as unknown as { _handle: ListeningHandle | null })._handle
      if (typeof listening?.onconnection !== 'function') return
      const ordinary = listening.onconnection
      // Taken before Node makes a socket of it, which would cost more than the rest of the connection.
      listening.onconnection = function (this: ListeningHandle, status, handle) {
        if (status !== 0 || !isHandle(handle)) ordinary.call(this, status, handle)
        else accept(new AcceptedHandle(handle))
      }
    })
  }

  /** Binds and listens. Rejects with the system's error. */
  listen(options: ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      const target = options.host === '' ? { port: options.port } : { host: options.host, port: options.port }
      this.#server.listen({ ...target, backlog: BACKLOG, reusePort: options.reusePort }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  /** Stops accepting. Connections already handed over are not touched. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#server.close()
  }
}

interface ListeningHandle {
  onconnection: (this: ListeningHandle, status: number, handle?: unknown) => void
}

class AcceptedHandle implements Accepted {
  readonly address: string
  readonly port: number
  readonly tls = null
  readonly #handle: Handle

  constructor(handle: Handle) {
    const peer: PeerName = {}
    handle.getpeername?.(peer)
    this.address = unmapped(peer.address)
    this.port = peer.port ?? 0
    this.#handle = handle
  }

  destination(): Endpoint {
    const local: PeerName = {}
    this.#handle.getsockname?.(local)
    return { address: unmapped(local.address), port: local.port ?? 0 }
  }

  open(events: WireEvents): Wire {
    return new HandleWire(this.#handle, events)
  }

  refuse(): void {
    this.#handle.close()
  }
}

class AcceptedSocket implements Accepted {
  readonly address: string
  readonly port: number
  readonly tls = null
  readonly #socket: net.Socket

  constructor(socket: net.Socket) {
    this.address = unmapped(socket.remoteAddress)
    this.port = socket.remotePort ?? 0
    this.#socket = socket
  }

  destination(): Endpoint {
    return { address: unmapped(this.#socket.localAddress), port: this.#socket.localPort ?? 0 }
  }

  open(events: WireEvents): Wire {
    const wire = new SocketWire(this.#socket, events)
    this.#socket.resume()
    return wire
  }

  refuse(): void {
    this.#socket.destroy()
  }
}

function unmapped(address: string | undefined): string {
  if (address === undefined) return ''
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
