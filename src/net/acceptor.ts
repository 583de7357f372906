// A listening socket that hands over bare libuv handles: one net.Socket per connection instead of two.
import net from 'node:net'

export interface ListenOptions {
  /** '' = all interfaces, IPv4 and IPv6. */
  readonly host: string
  readonly port: number
  /** Several threads listen on one address and the kernel spreads connections (SO_REUSEPORT). */
  readonly reusePort: boolean
}

/** The accepted handle and the peer's address, IPv4-mapped ones in IPv4 form. */
export type AcceptCallback = (handle: AcceptedHandle, address: string) => void

/** The part of Node's TCP handle that is used before it is wrapped. */
export interface AcceptedHandle {
  close(): void
  getpeername?(into: { address?: string }): number
}

const BACKLOG = 4096

export class Acceptor {
  readonly #server: net.Server
  #accepting = true

  /** `onFailure`: accepting failed (out of file descriptors); the kernel goes on, nothing is to be done but to say so. */
  constructor(onAccept: AcceptCallback, onFailure: (error: NodeJS.ErrnoException) => void) {
    this.#server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true })
    this.#server.on('error', (error) => {
      if (this.#server.listening) onFailure(error)
    })
    // The fallback where the handle cannot be reached: the socket made for us is taken apart again.
    this.#server.on('connection', (socket) => {
      accepted((socket as unknown as { _handle: AcceptedHandle })._handle, onAccept)
    })
    this.#server.on('listening', () => {
      const listening = (this.#server as unknown as { _handle: ListeningHandle | null })._handle
      if (typeof listening?.onconnection !== 'function') return
      listening.onconnection = (status, handle) => {
        if (handle === undefined || status) onFailure(Object.assign(new Error('accept failed'), { errno: status }))
        else if (this.#accepting) accepted(handle, onAccept)
        else handle.close()
      }
    })
  }

  /** Binds and listens. Rejects with the system's error. */
  listen(options: ListenOptions): Promise<{ host: string; port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      const target = options.host === '' ? { port: options.port } : { host: options.host, port: options.port }
      this.#server.listen({ ...target, backlog: BACKLOG, reusePort: options.reusePort }, () => {
        this.#server.off('error', reject)
        const address = this.#server.address() as net.AddressInfo
        resolve({ host: address.address, port: address.port })
      })
    })
  }

  /** Stops accepting. Connections already handed over are not touched. */
  close(): void {
    this.#accepting = false
    this.#server.close()
  }
}

interface ListeningHandle {
  onconnection: (status: number, handle?: AcceptedHandle) => void
}

function accepted(handle: AcceptedHandle, onAccept: AcceptCallback): void {
  const peer: { address?: string } = {}
  handle.getpeername?.(peer)
  const address = peer.address ?? ''
  onAccept(handle, address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address)
}
