// The admin server: binds the app to its address, bounds slow and many clients, and never keeps the process alive.

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { AdminApp } from './app.ts'
import { Doorkeeper } from './doorkeeper.ts'

/** Silence on a connection in the middle of a request or an answer. */
const silenceMs = 30_000

export interface AdminAddress {
  /** '' = all interfaces. */
  readonly host: string
  /** 0 = any free one. */
  readonly port: number
}

export interface AdminServerOptions extends AdminAddress {
  /** How long the head of a request may take; default 5 s, twice that for all of it. */
  readonly headersTimeoutMs?: number
  /** Whom it lets in and how; several servers may share one. Default: everybody, without TLS. */
  readonly door?: Doorkeeper
}

export class AdminServer {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  /** Listens; rejects with Node's error (EADDRINUSE, EACCES) if it cannot. */
  static async listen(app: AdminApp, o: AdminServerOptions): Promise<AdminServer> {
    const { host, port, headersTimeoutMs = 5_000, door = new Doorkeeper() } = o
    const server = createAdaptorServer({
      fetch: app.fetch,
      overrideGlobalObjects: false,
      serverOptions: {
        headersTimeout: headersTimeoutMs,
        requestTimeout: headersTimeoutMs * 2,
        connectionsCheckingInterval: headersTimeoutMs / 5,
        keepAliveTimeout: 5_000,
        maxHeaderSize: 16_384,
      },
    }) as Server
    server.setTimeout(silenceMs, (socket) => socket.destroy())
    behind(door, server)
    server.listen(port, host === '' ? undefined : host)
    await once(server, 'listening')
    server.unref()
    return new AdminServer(server)
  }

  address(): { host: string; port: number } {
    const { address, port } = this.#server.address() as AddressInfo
    return { host: address, port }
  }

  /** Stops accepting; answers under way may finish for `graceMs`, then everything is closed. */
  async close(graceMs = 500): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeIdleConnections()
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs)
    await closed
    clearTimeout(timer)
  }
}

/** Node's own handler of connections is asked only for those that have passed the door. */
function behind(door: Doorkeeper, server: Server): void {
  const [serve] = server.listeners('connection') as ((socket: Socket) => void)[]
  if (serve === undefined) throw new Error('a server without a handler of connections')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => door.take(socket, (ready) => serve.call(server, ready)))
}
