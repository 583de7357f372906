// A listening socket that a test hands to a program at its start, as systemd does.
import { once } from 'node:events'
import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net'

export class PassedSocket {
  /** 0 for a Unix socket. */
  readonly port: number
  readonly #server: Server

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  static async listen(where: ListenOptions): Promise<PassedSocket> {
    const server = createServer().listen(where)
    await once(server, 'listening')
    const address = server.address() as AddressInfo | string
    return new PassedSocket(server, typeof address === 'string' ? 0 : address.port)
  }

  /** The descriptor to pass on. */
  get fd(): number {
    return (this.#server as unknown as { _handle: { fd: number } })._handle.fd
  }

  /** Once it has been passed on, and before anybody connects: two would accept. The file of a Unix socket goes with it. */
  close(): void {
    this.#server.close()
  }
}
