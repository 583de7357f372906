// The admin server: binds the app to its address, bounds slow and many clients, and never keeps the process alive.

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { AdminApp } from './app.ts'

/** Connections at once; more are closed at once. */
const maxConnections = 256
/** Silence on a connection in the middle of a request or an answer. */
const silenceMs = 30_000

export interface AdminAddress {
  /** '' = all interfaces. */
  readonly host: string
  /** 0 = any free one. */
  readonly port: number
  /** How long the head of a request may take; default 5 s, twice that for all of it. */
  readonly headersTimeoutMs?: number
}

export class AdminServer {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  /** Listens; rejects with Node's error (EADDRINUSE, EACCES) if it cannot. */
  static async listen(app: AdminApp, { host, port, headersTimeoutMs = 5_000 }: AdminAddress): Promise<AdminServer> {
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
    server.maxConnections = maxConnections
    server.setTimeout(silenceMs, (socket) => socket.destroy())
    server.on('connection', (socket) => socket.unref())
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
