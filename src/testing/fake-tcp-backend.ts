// A real TCP server that speaks as a test says, and remembers what it was told. Without a script it says everything back.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { eventually } from './eventually.ts'

/** One connection of a fake TCP backend. */
export interface FakeConnection {
  readonly socket: Socket
  /** All that has come so far. */
  readonly received: Buffer
  readonly text: string
  /** The other side has ended its half. */
  readonly ended: boolean
  readonly closed: boolean
}

export interface FakeTcpBackendOptions {
  /** In messages. Default: `backend`. */
  readonly name?: string
  /** Called for each connection, in place of the echo. */
  readonly onConnection?: (socket: Socket) => void
  /** Default: any free one. */
  readonly port?: number
}

/** Starts one on 127.0.0.1. */
export async function fakeTcpBackend(options: FakeTcpBackendOptions = {}): Promise<FakeTcpBackend> {
  const backend = new FakeTcpBackend(options)
  await backend.up()
  return backend
}

class Seen implements FakeConnection {
  readonly socket: Socket
  readonly #parts: Buffer[] = []
  ended = false
  closed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (part: Buffer) => this.#parts.push(part))
    socket.on('end', () => {
      this.ended = true
    })
    socket.on('close', () => {
      this.closed = true
    })
    socket.on('error', () => undefined)
  }

  get received(): Buffer {
    return Buffer.concat(this.#parts)
  }

  get text(): string {
    return this.received.toString()
  }
}

/** Made by `fakeTcpBackend`. */
export class FakeTcpBackend implements AsyncDisposable {
  readonly name: string
  /** In the order in which they came. */
  readonly connections: FakeConnection[] = []
  readonly #onConnection: (socket: Socket) => void
  #port: number
  #server: Server | null = null

  /** @internal */
  constructor({ name = 'backend', onConnection = echo, port = 0 }: FakeTcpBackendOptions) {
    this.name = name
    this.#onConnection = onConnection
    this.#port = port
  }

  /** As configurations name it: `tcp://127.0.0.1:34567`. It stays the same when it goes down and comes up again. */
  get url(): string {
    return `tcp://127.0.0.1:${this.#port}`
  }

  get port(): number {
    return this.#port
  }

  /** The connection is refused from now on, and those that are open are reset. */
  async down(): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#server = null
    const closed = once(server, 'close')
    server.close()
    for (const { socket } of this.connections) socket.resetAndDestroy()
    await closed
  }

  /** Listens again, at the same port. */
  async up(): Promise<void> {
    if (this.#server !== null) return
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.connections.push(new Seen(socket))
      this.#onConnection(socket)
    })
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  /** Resolves with the connection of that number, from 0, when it has come. */
  connection(index = 0): Promise<FakeConnection> {
    return eventually(() => {
      const found = this.connections[index]
      if (found === undefined) throw new Error(`${this.name} has got ${this.connections.length} connections so far`)
      return found
    })
  }

  close(): Promise<void> {
    return this.down()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function echo(socket: Socket): void {
  socket.on('data', (part) => socket.write(part))
  socket.on('end', () => socket.end())
}
