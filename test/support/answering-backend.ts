// A backend that reads requests strictly, answers each as its test says, and keeps every byte that reached it.
import { createServer, type Server, type Socket } from 'node:net'
import { fieldValues, type Message, parseRequest, requestLine } from './http-message.ts'

/** What to write in answer to one request, and what to do with the connection afterwards. */
export interface Answer {
  /** latin1 */
  readonly bytes: string
  readonly end?: 'fin' | 'rst' | undefined
  /** One byte per turn of the event loop. */
  readonly slowly?: boolean
  /** Places in `bytes` at which writing goes on in another turn of the event loop. */
  readonly cuts?: readonly number[]
}

/** All that reached the backend since the last look. */
export interface Arrived {
  /** Complete, well-formed requests. */
  readonly requests: readonly Message[]
  /** Beginnings of requests that never became complete. */
  readonly incomplete: readonly string[]
  /** Bytes that no strict server would read as a request, with the reason. */
  readonly malformed: readonly string[]
}

interface Connection {
  readonly socket: Socket
  bytes: Buffer
  at: number
  continued: boolean
  malformed: string | null
}

/** The plain answer: status 200, the target as body. */
export function echoTarget(request: Message): Answer {
  const { method, target } = requestLine(request)
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${target.length}\r\n\r\n`
  return { bytes: method === 'HEAD' ? head : head + target }
}

export class AnsweringBackend {
  readonly #server: Server
  readonly #answer: (request: Message) => Answer
  #connections = new Set<Connection>()
  #arrived: { requests: Message[]; incomplete: string[]; malformed: string[] } = empty()

  constructor(answer: (request: Message) => Answer) {
    this.#answer = answer
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  }

  static start(answer: (request: Message) => Answer = echoTarget): Promise<AnsweringBackend> {
    const backend = new AnsweringBackend(answer)
    return new Promise((resolve) => backend.#server.listen(0, '127.0.0.1', () => resolve(backend)))
  }

  get url(): string {
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  }

  /** What arrived since the last call; requests not complete yet are counted once, as incomplete. */
  take(): Arrived {
    for (const connection of this.#connections) this.#giveUp(connection)
    const arrived = this.#arrived
    this.#arrived = empty()
    return arrived
  }

  close(): Promise<void> {
    for (const { socket } of this.#connections) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  #accept(socket: Socket): void {
    const connection: Connection = { socket, bytes: Buffer.alloc(0), at: 0, continued: false, malformed: null }
    this.#connections.add(connection)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#giveUp(connection)
      this.#connections.delete(connection)
    })
    socket.on('data', (chunk: Buffer) => {
      connection.bytes = Buffer.concat([connection.bytes.subarray(connection.at), chunk])
      connection.at = 0
      void this.#serve(connection)
    })
  }

  async #serve(connection: Connection): Promise<void> {
    const { socket } = connection
    while (connection.malformed === null && connection.at < connection.bytes.length) {
      const parsed = parseRequest(connection.bytes, connection.at)
      if (parsed.kind === 'malformed') {
        connection.malformed = parsed.why
        return void socket.destroy()
      }
      if (parsed.kind === 'incomplete') {
        const expected = parsed.head !== null && fieldValues(parsed.head, 'expect').length > 0
        if (expected && !connection.continued) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
        connection.continued ||= expected
        return
      }
      connection.at = parsed.end
      connection.continued = false
      this.#arrived.requests.push(parsed.message)
      await write(socket, this.#answer(parsed.message))
    }
  }

  #giveUp(connection: Connection): void {
    const rest = connection.bytes.toString('latin1', connection.at)
    connection.at = connection.bytes.length
    if (connection.malformed !== null) this.#arrived.malformed.push(`${connection.malformed}: ${rest}`)
    else if (rest !== '') this.#arrived.incomplete.push(rest)
    if (rest !== '') connection.socket.destroy()
  }
}

function empty(): { requests: Message[]; incomplete: string[]; malformed: string[] } {
  return { requests: [], incomplete: [], malformed: [] }
}

async function write(socket: Socket, answer: Answer): Promise<void> {
  if (answer.slowly === true) await drip(socket, answer.bytes)
  else await writePieces(socket, answer.bytes, answer.cuts ?? [])
  if (answer.end === 'fin') socket.end()
  if (answer.end === 'rst') socket.write('', () => socket.resetAndDestroy())
}

async function writePieces(socket: Socket, text: string, cuts: readonly number[]): Promise<void> {
  let from = 0
  for (const place of [...cuts].sort((a, b) => a - b)) {
    if (place <= from || place >= text.length || !socket.writable) continue
    socket.write(text.slice(from, place), 'latin1')
    from = place
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  if (from < text.length && socket.writable) socket.write(text.slice(from), 'latin1')
}

/** Writes text (latin1) one byte per turn of the event loop, as long as the other side takes it. */
export async function drip(socket: Socket, text: string): Promise<void> {
  for (const letter of text) {
    if (!socket.writable) return
    socket.write(letter, 'latin1')
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
