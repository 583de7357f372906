// Accepting from inherited sockets. A descriptor can be listened on by one thread only, and it must not be lost with a
// worker that dies: so the main thread accepts, and hands each connection on before anything is read from it.
import { fstatSync } from 'node:fs'
import net from 'node:net'
import type { ListenerSpec } from '../core/spec.ts'
import { BACKLOG, type SocketKind } from '../net/acceptor.ts'
import type { InheritedSocket } from './inherited-sockets.ts'
import { ListenError } from './listen-error.ts'

export interface InheritedListenersOptions {
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

export class InheritedListeners {
  readonly #options: InheritedListenersOptions
  readonly #servers: net.Server[] = []
  #waiting: Waiting[] = []

  constructor(options: InheritedListenersOptions) {
    this.#options = options
  }

  /** Accepts from now on. Returns the address of a TCP socket, null for Unix ones. Rejects with ListenError. */
  async open(listener: ListenerSpec, { fd }: InheritedSocket): Promise<net.AddressInfo | null> {
    if (!isSocket(fd)) throw new ListenError('NOT_LISTENING', listener, `file descriptor ${fd} is no socket`)
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(notListening(error, listener, fd))
      server.once('error', failed)
      server.listen({ fd, backlog: BACKLOG }, () => {
        server.off('error', failed)
        resolve()
      })
    })
    this.#servers.push(server)
    server.on('error', () => this.#options.onFailure(listener))
    const address = server.address() as net.AddressInfo | null
    const kind = address === null ? 'unix' : 'tcp'
    server.on('connection', (socket) => this.#hand({ listener: listener.name, socket, kind }))
    return address
  }

  /** Somebody can take connections again. */
  deliverWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const connection of waiting) this.#hand(connection)
  }

  /** Closes the sockets on our side, when who waits in their queues now has been handed on. */
  async drain(): Promise<void> {
    if (this.#servers.length > 0) {
      // Whoever passed the sockets may not have kept them, and then the kernel would reset the queue.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    }
    this.close()
  }

  /** Closes the sockets on our side, and whatever nobody has taken. */
  close(): void {
    for (const server of this.#servers) server.close()
    this.#servers.length = 0
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
