// What Node's own HTTP server (llhttp) makes of bytes: the second opinion on how a request is to be read.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** One request as Node read it. */
export interface NodeRequest {
  readonly method: string
  readonly url: string
  readonly fields: readonly (readonly [string, string])[]
  readonly body: Buffer
  /** The body came to its end. */
  readonly complete: boolean
}

export class NodeReader {
  readonly #server: Server
  readonly #seen = new WeakMap<Socket, { requests: Promise<NodeRequest>[] }>()
  #accepted: ((socket: Socket) => void) | null = null

  private constructor() {
    this.#server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 })
    // Which expectations are met is not a question of reading.
    for (const event of ['request', 'checkExpectation']) {
      this.#server.on(event, (req: IncomingMessage, res: ServerResponse) => {
        const seen = read(req)
        this.#seen.get(req.socket)?.requests.push(seen)
        void seen.then(() => res.end('seen'))
      })
    }
    this.#server.on('connection', (socket: Socket) => {
      this.#seen.set(socket, { requests: [] })
      // Node waits for the rest of a body whose sender has gone; there is nothing to wait for.
      socket.on('end', () => setImmediate(() => socket.destroy()))
      this.#accepted?.(socket)
    })
  }

  static async start(): Promise<NodeReader> {
    const reader = new NodeReader()
    reader.#server.listen(0, '127.0.0.1')
    await once(reader.#server, 'listening')
    return reader
  }

  /** The requests in these bytes, as sent on one connection and followed by its end. One call at a time. */
  async read(bytes: Buffer): Promise<NodeRequest[]> {
    const { port } = this.#server.address() as AddressInfo
    const accepted = new Promise<Socket>((resolve) => {
      this.#accepted = resolve
    })
    const client = connect(port, '127.0.0.1')
    client.on('error', () => {})
    const socket = await accepted
    const gone = new Promise((resolve) => socket.once('close', resolve))
    client.resume()
    client.end(bytes)
    await gone
    client.destroy()
    return Promise.all(this.#seen.get(socket)?.requests ?? [])
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}

async function read(req: IncomingMessage): Promise<NodeRequest> {
  const parts: Buffer[] = []
  try {
    for await (const part of req as AsyncIterable<Buffer>) parts.push(part)
  } catch {
    // The connection ended first: `complete` says so.
  }
  const fields: [string, string][] = []
  for (let n = 0; n < req.rawHeaders.length; n += 2) fields.push([req.rawHeaders[n] ?? '', req.rawHeaders[n + 1] ?? ''])
  return { method: req.method ?? '', url: req.url ?? '', fields, body: Buffer.concat(parts), complete: req.complete }
}
