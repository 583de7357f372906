// A listening socket that hands over wires: on bare handles where Node shows them, else on sockets.
import net from 'node:net'
import { type Arrival, type Endpoint, unixAddress } from './arrival.ts'
import { HandleWire } from './handle-wire.ts'
import { type Handle, isHandle, type PeerName } from './native.ts'
import { SocketFile } from './socket-file.ts'
import { SocketWire } from './socket-wire.ts'
import type { Wire, WireEvents } from './wire.ts'

export interface ListenOptions {
  /** '' and '::' = all interfaces, IPv4 and IPv6. */
  readonly host: string
  readonly port: number
  /** '::' without IPv4; default false. */
  readonly ipv6Only?: boolean
  /** Several threads listen on one address and the kernel spreads connections (SO_REUSEPORT). */
  readonly reusePort: boolean
}

/** What a connection came in by: the peers of Unix sockets have no address. */
export type SocketKind = 'tcp' | 'unix'

/** A connection that has been accepted and not yet been read from. */
export interface Accepted extends Arrival {
  /** The peer's address; '' if it is gone already. */
  readonly address: string
  readonly tls: null
  /** Turns the client away. */
  refuse(): void
}

/** Connections that may wait to be accepted; the kernel has a limit of its own (net.core.somaxconn). */
export const BACKLOG = 4096

/** Whether several threads can listen on one address here (Node's list for `reusePort`). */
export const canReusePort = ['linux', 'freebsd', 'sunos', 'aix'].includes(process.platform)

export class Acceptor {
  readonly #server: net.Server
  readonly #accept: (accepted: Accepted) => void
  #kind: SocketKind = 'tcp'
  #file: SocketFile | null = null
  #closed = false

  /** `onFailure`: accepting failed (out of file descriptors); the kernel goes on, nothing is to be done but to count it. */
  constructor(onAccept: (accepted: Accepted) => void, onFailure: (error: NodeJS.ErrnoException) => void) {
    this.#server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true })
    this.#server.on('error', (error) => {
      if (this.#server.listening) onFailure(error)
    })
    const accept = (accepted: Accepted): void => {
      // A client without an address has gone already.
      if (accepted.address === '' || this.#closed) accepted.refuse()
      else onAccept(accepted)
    }
    this.#accept = accept
    this.#server.on('connection', (socket) => accept(new AcceptedSocket(socket, this.#kind)))
    this.#server.on('listening', () => {
      const listening = (this.#server as unknown as { _handle: ListeningHandle | null })._handle
      if (typeof listening?.onconnection !== 'function') return
      const ordinary = listening.onconnection
      const kind = this.#kind
      // Taken before Node makes a socket of it, which would cost more than the rest of the connection.
      listening.onconnection = function (this: ListeningHandle, status, handle) {
        if (status !== 0 || !isHandle(handle)) ordinary.call(this, status, handle)
        else accept(new AcceptedHandle(handle, kind))
      }
    })
  }

  /** Binds and listens. Rejects with the system's error. */
  listen({ host, port, ipv6Only = false, reusePort }: ListenOptions): Promise<void> {
    return this.#listen({ ...(host === '' ? {} : { host }), port, ipv6Only, reusePort })
  }

  /**
   * Listens on a Unix socket, whose file is there until `close`. `mode` null = the permissions that the umask gives.
   * Rejects with EADDRINUSE if somebody listens there, with ENOTSOCK if that is the name of another file.
   */
  async listenUnix(path: string, mode: number | null): Promise<void> {
    this.#kind = 'unix'
    try {
      this.#file = await SocketFile.create(path, mode, (bound) => this.#listen({ path: bound }))
    } catch (error) {
      this.#server.close()
      throw error
    }
    // Told to close while it opened.
    if (this.#closed) this.#end()
  }

  /** Takes a connection that was accepted elsewhere, by a server with `pauseOnConnect` and `allowHalfOpen`. */
  take(socket: net.Socket, kind: SocketKind): void {
    const holder = socket as unknown as { _handle: unknown }
    const handle = holder._handle
    if (!isHandle(handle)) {
      this.#accept(new AcceptedSocket(socket, kind))
      return
    }
    // The socket lets go of its handle, as of one that was transferred to another thread.
    holder._handle = null
    socket.destroy()
    this.#accept(new AcceptedHandle(handle, kind))
  }

  /** Stops accepting. Connections already handed over are not touched. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#end()
  }

  #end(): void {
    this.#file?.remove()
    this.#server.close()
  }

  #listen(target: net.ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ ...target, backlog: BACKLOG }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }
}

const unixEndpoint: Endpoint = { address: unixAddress, port: 0 }

interface ListeningHandle {
  onconnection: (this: ListeningHandle, status: number, handle?: unknown) => void
}

class AcceptedHandle implements Accepted {
  readonly address: string
  readonly port: number
  readonly tls = null
  readonly #handle: Handle

  constructor(handle: Handle, kind: SocketKind) {
    this.#handle = handle
    if (kind === 'unix') {
      this.address = unixAddress
      this.port = 0
      return
    }
    const peer: PeerName = {}
    handle.getpeername?.(peer)
    this.address = unmapped(peer.address)
    this.port = peer.port ?? 0
  }

  destination(): Endpoint {
    if (this.address === unixAddress) return unixEndpoint
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

  constructor(socket: net.Socket, kind: SocketKind) {
    this.address = kind === 'unix' ? unixAddress : unmapped(socket.remoteAddress)
    this.port = socket.remotePort ?? 0
    this.#socket = socket
  }

  destination(): Endpoint {
    if (this.address === unixAddress) return unixEndpoint
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
