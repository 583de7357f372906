// A backend that follows a script byte by byte: one script per connection, and a record of all that arrived.
import { createServer, type Server, type Socket } from 'node:net'
import { type Message, parseRequest } from './http-message.ts'
import { until, within } from './wait.ts'

/** One step of a script; steps run in order, on one connection. */
export type Step =
  /** Waits for one more complete, well-formed request. */
  | { readonly step: 'request' }
  /** Waits for the end of one more header section, whatever becomes of its body. */
  | { readonly step: 'head' }
  /** Waits until so many bytes have come in all. */
  | { readonly step: 'bytes'; readonly count: number }
  | { readonly step: 'write'; readonly bytes: string | Uint8Array }
  /** Sends FIN. */
  | { readonly step: 'fin' }
  /** Sends RST. */
  | { readonly step: 'rst' }
  /** Waits until the other side has ended the connection. */
  | { readonly step: 'ended' }
  /** Waits for the test. */
  | { readonly step: 'wait'; readonly for: Promise<unknown> }

export type Script = readonly Step[]

export const request = (): Step => ({ step: 'request' })
export const head = (): Step => ({ step: 'head' })
export const bytes = (count: number): Step => ({ step: 'bytes', count })
export const write = (data: string | Uint8Array): Step => ({ step: 'write', bytes: data })
export const fin = (): Step => ({ step: 'fin' })
export const rst = (): Step => ({ step: 'rst' })
export const ended = (): Step => ({ step: 'ended' })
export const wait = (promise: Promise<unknown>): Step => ({ step: 'wait', for: promise })

/** One accepted connection as the backend saw it. */
export class ScriptedConnection {
  readonly socket: Socket
  #chunks: Buffer[] = []
  #bytes: Buffer = Buffer.alloc(0)
  /** The other side sent FIN or RST. */
  over = false
  /** The other side sent RST (or the connection broke). */
  broken = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk))
    socket.on('end', () => {
      this.over = true
    })
    socket.on('error', () => {
      this.broken = true
    })
    socket.on('close', () => {
      this.over = true
    })
  }

  /** All bytes received. */
  get received(): Buffer {
    if (this.#chunks.length > 0) {
      this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks])
      this.#chunks = []
    }
    return this.#bytes
  }

  /** The complete, well-formed requests received, what is left over after them, and why that is malformed, if it is. */
  read(): { requests: Message[]; rest: Buffer; malformed: string | null } {
    const requests: Message[] = []
    let at = 0
    for (;;) {
      const parsed = parseRequest(this.received, at)
      if (parsed.kind === 'message') {
        requests.push(parsed.message)
        at = parsed.end
        continue
      }
      const malformed = parsed.kind === 'malformed' ? parsed.why : null
      return { requests, rest: this.received.subarray(at), malformed }
    }
  }
}

export class ScriptedBackend {
  readonly connections: ScriptedConnection[] = []
  readonly port: number
  readonly #server: Server

  constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** All complete requests of all connections, in order of connection. */
  get requests(): Message[] {
    return this.connections.flatMap((connection) => connection.read().requests)
  }

  /** Waits for the connection with this number (from 0) that sent something. */
  async connection(index: number): Promise<ScriptedConnection> {
    await until(`connection ${index} reaches the backend`, () => this.connections.length > index)
    return this.connections[index]!
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/**
 * Starts a backend on a free port. Connections that send nothing (health checks by TCP connect) are not counted.
 * @param scripts one script per connection, or a function from its number; the last one is used for all further ones.
 */
export async function startScriptedBackend(
  scripts: readonly Script[] | ((n: number) => Script),
): Promise<ScriptedBackend> {
  const scriptFor =
    typeof scripts === 'function' ? scripts : (n: number) => scripts[Math.min(n, scripts.length - 1)] ?? []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    const connection = new ScriptedConnection(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', () => {
      backend.connections.push(connection)
      void run(connection, scriptFor(backend.connections.length - 1))
    })
    socket.once('end', () => {
      if (connection.received.length === 0) socket.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const backend = new ScriptedBackend(server, typeof address === 'object' && address !== null ? address.port : 0)
  const close = backend.close.bind(backend)
  backend.close = async () => {
    for (const socket of sockets) socket.destroy()
    await close()
  }
  return backend
}

async function run(connection: ScriptedConnection, script: Script): Promise<void> {
  const { socket } = connection
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        for (const event of ['data', 'end', 'close']) socket.off(event, done)
        resolve()
      }
      for (const event of ['data', 'end', 'close']) socket.on(event, done)
    })
  let requests = 0
  let heads = 0
  for (const step of script) {
    if (step.step === 'request') {
      requests++
      while (connection.read().requests.length < requests && !connection.over) await change()
    } else if (step.step === 'head') {
      heads++
      while (connection.received.toString('latin1').split('\r\n\r\n').length <= heads && !connection.over)
        await change()
    } else if (step.step === 'bytes') while (connection.received.length < step.count && !connection.over) await change()
    else if (step.step === 'ended') while (!connection.over) await change()
    else if (step.step === 'wait')
      await within(
        'the test to let the backend go on',
        step.for.then(() => {}),
      )
    else if (step.step === 'write')
      socket.write(typeof step.bytes === 'string' ? Buffer.from(step.bytes, 'latin1') : step.bytes)
    else if (step.step === 'fin') socket.end()
    else await reset(socket)
    if (socket.destroyed) return
  }
}

/** RST after what was written has left this process, so that the peer can still read it. */
async function reset(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => socket.write('', () => resolve()))
  socket.resetAndDestroy()
}
