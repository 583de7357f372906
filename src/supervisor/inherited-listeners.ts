// Accepting from inherited sockets. A descriptor can be listened on by one thread only, and it must not be lost with a
// worker that dies: so the main thread accepts, and hands each connection on before anything is read from it.
import { fstatSync } from 'node:fs'
import net from 'node:net'
import type { ListenerSpec } from '../core/spec.ts'
import { BACKLOG, type SocketKind } from '../net/acceptor.ts'
import { type Assignment, assignSockets, type Inheritance, type InheritedSocket } from './inherited-sockets.ts'
import { ListenError } from './listen-error.ts'

export interface InheritedListenersOptions {
  readonly inheritance: Inheritance
  /** Hands a connection to whoever serves it. False = nobody can take it now. */
  readonly deliver: (listener: string, socket: net.Socket, kind: SocketKind) => boolean
  /** Accepting failed (out of file descriptors). */
  readonly onFailure: (listener: ListenerSpec) => void
}

/** Connections that nobody could take yet: more are closed, as a full queue of the kernel's would turn them away. */
const MAX_WAITING = 1024

interface Waiting {
  readonly listener: string
  readonly socket: net.Socket
  readonly kind: SocketKind
}

interface Open {
  readonly server: net.Server
  /** Null for a Unix socket. */
  readonly address: net.AddressInfo | null
  listener: ListenerSpec
}

export class InheritedListeners {
  readonly #options: InheritedListenersOptions
  readonly #open = new Map<InheritedSocket, Open>()
  /** Closed on our side: they cannot be had again. */
  readonly #spent = new Set<InheritedSocket>()
  #waiting: Waiting[] = []

  constructor(options: InheritedListenersOptions) {
    this.#options = options
  }

  /** Which listener gets which sockets. Throws ListenError where there is none, or none any more. */
  plan(listeners: readonly ListenerSpec[]): Assignment {
    const assignment = assignSockets(listeners, this.#options.inheritance)
    for (const listener of listeners) {
      for (const socket of assignment.sockets.get(listener.name) ?? []) this.#check(listener, socket)
    }
    return assignment
  }

  #check(listener: ListenerSpec, socket: InheritedSocket): void {
    if (this.#spent.has(socket)) {
      const why = 'was given up when the listener that had it was removed: a restart gets it again'
      throw new ListenError('NOT_PASSED', listener, `the socket with file descriptor ${socket.fd} ${why}`)
    }
    if (this.#open.has(socket) || isSocket(socket.fd)) return
    throw new ListenError('NOT_LISTENING', listener, `file descriptor ${socket.fd} is no socket`)
  }

  /**
   * Accepts from now on for these listeners; sockets that were others' before go on without a gap, those of nobody are given
   * up. Rejects with ListenError.
   */
  async adopt(listeners: readonly ListenerSpec[], { sockets }: Assignment): Promise<void> {
    const wanted = new Map<InheritedSocket, ListenerSpec>()
    for (const listener of listeners)
      for (const socket of sockets.get(listener.name) ?? []) wanted.set(socket, listener)
    for (const [socket, listener] of wanted) {
      const open = this.#open.get(socket)
      if (open === undefined) await this.#listen(listener, socket)
      else open.listener = listener
    }
    for (const [socket, { server }] of [...this.#open]) {
      if (wanted.has(socket)) continue
      this.#open.delete(socket)
      this.#spent.add(socket)
      server.close()
    }
  }

  /** What the TCP sockets of a listener are bound to, null for Unix ones, in their order. */
  addresses(listener: string): readonly (net.AddressInfo | null)[] {
    return [...this.#open.values()].filter((open) => open.listener.name === listener).map(({ address }) => address)
  }

  async #listen(listener: ListenerSpec, socket: InheritedSocket): Promise<void> {
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(notListening(error, listener, socket.fd))
      server.once('error', failed)
      server.listen({ fd: socket.fd, backlog: BACKLOG }, () => {
        server.off('error', failed)
        resolve()
      })
    })
    const open: Open = { server, address: server.address() as net.AddressInfo | null, listener }
    this.#open.set(socket, open)
    const kind = open.address === null ? 'unix' : 'tcp'
    server.on('error', () => this.#options.onFailure(open.listener))
    server.on('connection', (connection) => this.#hand({ listener: open.listener.name, socket: connection, kind }))
  }

  /** Somebody can take connections again. */
  deliverWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const connection of waiting) this.#hand(connection)
  }

  /** Closes the sockets on our side, when who waits in their queues now has been handed on. */
  async drain(): Promise<void> {
    if (this.#open.size > 0) {
      // Whoever passed the sockets may not have kept them, and then the kernel would reset the queue.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    }
    this.close()
  }

  /** Closes the sockets on our side, and whatever nobody has taken. */
  close(): void {
    for (const [socket, { server }] of this.#open) {
      this.#spent.add(socket)
      server.close()
    }
    this.#open.clear()
    for (const { socket } of this.#waiting) socket.destroy()
    this.#waiting = []
  }

  #hand(connection: Waiting): void {
    const { listener, socket, kind } = connection
    if (this.#options.deliver(listener, socket, kind)) return
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(connection)
    else socket.destroy()
  }
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket()
  } catch {
    return false
  }
}

/** A datagram socket, or a connection that was accepted already: listen(2) and Node say EINVAL. */
function notListening({ code, message }: NodeJS.ErrnoException, listener: ListenerSpec, fd: number): ListenError {
  const what = 'does not listen for connections (ListenStream= with Accept=no does)'
  const detail = code === 'EINVAL' ? `the socket with file descriptor ${fd} ${what}` : message
  return new ListenError('NOT_LISTENING', listener, detail)
}
