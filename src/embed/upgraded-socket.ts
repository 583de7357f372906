// The connection of a request that came by a server's `upgrade` event: from now on the data plane reads and writes it.
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Arrival, Endpoint } from '../net/arrival.ts'
import { SocketWire } from '../net/socket-wire.ts'
import type { Wire, WireEvents } from '../net/wire.ts'
import { NodeClient } from './node-client.ts'

export class UpgradedSocket implements Arrival {
  readonly address: string
  readonly port: number
  readonly tls: Arrival['tls']
  readonly #socket: Duplex
  readonly #client: NodeClient
  readonly #early: Buffer

  /** `early`: what is read first, the request's own text. */
  constructor(req: IncomingMessage, socket: Duplex, early: Buffer) {
    this.#socket = socket
    this.#client = NodeClient.of(req.socket)
    this.#early = early
    this.address = this.#client.address
    this.port = this.#client.port
    this.tls = this.#client.tls
  }

  destination(): Endpoint {
    return this.#client.destination
  }

  open(events: WireEvents): Wire {
    // Before anybody listens: it would be told of at once, and `events` is not ready for that yet.
    if (!this.#socket.readableEnded) this.#socket.unshift(this.#early)
    const wire = new StreamWire(this.#socket as Socket, events)
    this.#socket.resume()
    return wire
  }
}

/** A server may be given any stream for a connection. */
class StreamWire extends SocketWire {
  readonly #stream: Partial<Socket>

  constructor(socket: Socket, events: WireEvents) {
    super(socket, events)
    this.#stream = socket
    this.#stream.setTimeout?.(0)
  }

  override setNoDelay(): void {
    this.#stream.setNoDelay?.(true)
  }
}
