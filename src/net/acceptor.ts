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

/** Who gets the connections of a listening socket. */
export interface AcceptTarget {
  accept(accepted: Accepted): void
  /** Accepting failed (out of file descriptors); the kernel goes on, nothing is to be done but to count it. */
  acceptFailed(): void
}

/** Connections that wait for a target: more are turned away, as by a full queue of the kernel's. */
const MAX_HELD = BACKLOG
/** How long a socket that is given up may go on finding somebody in its queue. */
const RETIRE_MS = 1000
/** Whoever connects in the rest of the turn after the last look is reset: it has to be a short one. */
const QUIET_TURN_MS = 0.1

export class Acceptor {
  readonly #server: net.Server
  /** Null = connections wait until there is one. */
  #target: AcceptTarget | null = null
  /** Who serves them until then, by the address they came to. */
  #meanwhile: ((address: string) => AcceptTarget | null) | null = null
  #held: Accepted[] = []
  #count = 0
  #kind: SocketKind = 'tcp'
  #file: SocketFile | null = null
  #isIpv6Only = false
  #closed = false

  constructor() {
    this.#server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true })
    this.#server.on('error', () => {
      if (this.#server.listening) this.#target?.acceptFailed()
    })
    const accept = (accepted: Accepted): void => {
      this.#count++
      // A client without an address has gone already.
      const target = this.#target ?? this.#meanwhile?.(accepted.destination().address)
      if (accepted.address === '' || this.#closed) accepted.refuse()
      else if (target != null) target.accept(accepted)
      else if (this.#held.length < MAX_HELD) this.#held.push(accepted)
      else accepted.refuse()
    }
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
    this.#isIpv6Only = ipv6Only
    return this.#listen({ ...(host === '' ? {} : { host }), port, ipv6Only, reusePort })
  }

  /**
   * Listens on a Unix socket, whose file is there until `close`. `mode` null = the permissions that the umask gives.
   * `takeOver`: the socket that is there is another worker's of ours, which loses the name. Else it rejects with EADDRINUSE if
   * somebody listens there, with ENOTSOCK if that is the name of another file.
   */
  async listenUnix(path: string, mode: number | null, takeOver = false): Promise<void> {
    this.#kind = 'unix'
    try {
      const bind = (bound: string): Promise<void> => this.#listen({ path: bound })
      this.#file = await SocketFile.create(path, mode, bind, takeOver)
    } catch (error) {
      this.#server.close()
      throw error
    }
    // Told to close while it opened.
    if (this.#closed) this.#end()
  }

  /** Whether connections to this address of the machine come here, unless a socket at that very address takes them. */
  takesIn(address: string, port: number): boolean {
    const bound = this.#server.address()
    if (bound === null || typeof bound === 'string' || bound.port !== port) return false
    if (bound.address === '::') return !this.#isIpv6Only || address.includes(':')
    return bound.address === '0.0.0.0' ? !address.includes(':') : unmapped(bound.address) === address
  }

  /** Where it was bound; null for a Unix socket. */
  get bound(): Endpoint | null {
    const bound = this.#server.address()
    return bound === null || typeof bound === 'string' ? null : { address: unmapped(bound.address), port: bound.port }
  }

  /** Before there is a target of its own, connections are those of whom `find` names for the address that they came to. */
  lend(find: (address: string) => AcceptTarget | null): void {
    this.#meanwhile = find
  }

  /** Connections go there from now on, first those that have waited. */
  serve(target: AcceptTarget): void {
    this.#target = target
    this.#meanwhile = null
    for (const accepted of this.#held.splice(0)) target.accept(accepted)
  }

  /** Other permissions for a Unix socket. */
  setMode(mode: number | null): void {
    this.#file?.setMode(mode)
  }

  /** Takes whoever has connected already, then closes; resolves when it has. */
  async retire(): Promise<void> {
    // Nobody finds a Unix socket without its name: what is in its queue then is all there will be.
    this.#file?.remove()
    const giveUpAt = performance.now() + RETIRE_MS
    for (let isQuiet = false; !isQuiet && performance.now() < giveUpAt && !this.#closed; ) {
      const seen = this.#count
      const begun = performance.now()
      // The first comes before the loop looks at its sockets again, the second after it.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
      isQuiet = seen === this.#count && performance.now() - begun < QUIET_TURN_MS
    }
    this.close()
  }

  /** Stops accepting at once. Connections already handed over are not touched; those that wait for a target are closed. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const accepted of this.#held.splice(0)) accepted.refuse()
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

/** A connection that was accepted by another server, with `pauseOnConnect` and `allowHalfOpen`. */
export function acceptedFrom(socket: net.Socket, kind: SocketKind): Accepted {
  const holder = socket as unknown as { _handle: unknown }
  const handle = holder._handle
  if (!isHandle(handle)) return new AcceptedSocket(socket, kind)
  // The socket lets go of its handle, as of one that was transferred to another thread.
  holder._handle = null
  socket.destroy()
  return new AcceptedHandle(handle, kind)
}

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
