// A TCP client that writes any bytes and reads strictly parsed HTTP/1.1 answers, one after the other.
import { connect, type Socket } from 'node:net'
import { type Message, type Parsed, parseResponse, statusOf } from './http-message.ts'
import { DEADLINE_MS } from './wait.ts'

/** A final answer with the interim ones that came before it. */
export interface Reply extends Message {
  readonly status: number
  readonly interim: readonly Message[]
}

/** How the connection ended, seen from here. */
export type Ending = 'fin' | 'rst'

/** What reading one answer came to. */
export type Outcome =
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** Closed before a complete answer: `bytes` is what came of it. */
  | { readonly kind: 'closed'; readonly how: Ending; readonly bytes: Buffer }
  | { readonly kind: 'malformed'; readonly why: string; readonly bytes: Buffer }
  | { readonly kind: 'hang'; readonly bytes: Buffer }

export interface RawClientOptions {
  readonly host?: string
  readonly localAddress?: string
}

export class RawClient {
  readonly socket: Socket
  #bytes: Buffer = Buffer.alloc(0)
  #chunks: Buffer[] = []
  #at = 0
  #ending: Ending | null = null
  #wake: (() => void) | null = null

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#wake?.()
    })
    socket.on('end', () => this.#end('fin'))
    socket.on('error', () => this.#end('rst'))
    socket.on('close', () => this.#end('rst'))
  }

  /** Connects to a port on the loopback address. */
  static open(port: number, options: RawClientOptions = {}): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const { host = '127.0.0.1', localAddress } = options
      const socket = connect({ port, host, allowHalfOpen: true, noDelay: true, ...(localAddress && { localAddress }) })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new RawClient(socket))
      })
    })
  }

  /** Writes bytes as they are; strings are latin1. Writing to a connection that is gone does nothing. */
  write(bytes: string | Uint8Array): this {
    if (this.socket.writable) this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    return this
  }

  /** Everything received so far, all answers together. */
  get received(): Buffer {
    if (this.#chunks.length > 0) {
      this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks])
      this.#chunks = []
    }
    return this.#bytes
  }

  /** Bytes received that belong to no answer read so far. */
  get unread(): Buffer {
    return this.received.subarray(this.#at)
  }

  /** How the other side ended the connection; null while it is open. */
  get ending(): Ending | null {
    return this.#ending
  }

  /** Reads the next final answer (and the interim ones before it) to a request with `method`. Never rejects. */
  async read(method = 'GET', deadlineMs: number = DEADLINE_MS): Promise<Outcome> {
    const giveUp = AbortSignal.timeout(deadlineMs)
    const interim: Message[] = []
    let from = this.#at
    for (;;) {
      const ended = this.#ending
      const parsed = parseResponse(this.received, from, method)
      if (parsed.kind === 'message' && statusOf(parsed.message) < 200 && statusOf(parsed.message) !== 101) {
        interim.push(parsed.message)
        from = parsed.end
        continue
      }
      const outcome = this.#outcome(parsed, interim, from, ended)
      if (outcome !== null) return outcome
      if (giveUp.aborted) return { kind: 'hang', bytes: this.unread }
      await this.#change(giveUp)
    }
  }

  /** As `read`, for tests where nothing but a complete answer will do. */
  async reply(method = 'GET', deadlineMs: number = DEADLINE_MS): Promise<Reply> {
    const outcome = await this.read(method, deadlineMs)
    if (outcome.kind === 'reply') return outcome.reply
    const why = outcome.kind === 'malformed' ? outcome.why : outcome.kind === 'closed' ? outcome.how : ''
    throw new Error(
      `no answer: ${outcome.kind} ${why} after ${JSON.stringify(outcome.bytes.toString('latin1', 0, 300))}`,
    )
  }

  /** Writes a request and reads its answer. */
  async request(bytes: string | Uint8Array, method = 'GET'): Promise<Reply> {
    return this.write(bytes).reply(method)
  }

  /** Resolves when the other side has ended the connection; fails after the deadline. */
  async ended(deadlineMs: number = DEADLINE_MS): Promise<Ending> {
    const giveUp = AbortSignal.timeout(deadlineMs)
    while (this.#ending === null) {
      if (giveUp.aborted) throw new Error(`the connection was not closed within ${deadlineMs} ms`)
      await this.#change(giveUp)
    }
    return this.#ending
  }

  /** Resolves when at least `count` bytes have come in all; fails after the deadline or at the end of the connection. */
  async receivedBytes(count: number, deadlineMs: number = DEADLINE_MS): Promise<void> {
    const giveUp = AbortSignal.timeout(deadlineMs)
    while (this.received.length < count) {
      if (giveUp.aborted || this.#ending !== null) throw new Error(`${this.received.length} of ${count} bytes came`)
      await this.#change(giveUp)
    }
  }

  /** Half-close: sends FIN, goes on reading. */
  end(): this {
    this.socket.end()
    return this
  }

  /** Sends RST. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** Closes without ceremony; resolves when the socket is gone. */
  close(): Promise<void> {
    if (this.socket.closed) return Promise.resolve()
    return new Promise((resolve) => {
      this.socket.once('close', () => resolve())
      this.socket.destroy()
    })
  }

  #outcome(parsed: Parsed, interim: readonly Message[], from: number, ended: Ending | null): Outcome | null {
    const take = (message: Message, end: number): Outcome => {
      this.#at = end
      return { kind: 'reply', reply: { ...message, status: statusOf(message), interim } }
    }
    if (parsed.kind === 'message') return take(parsed.message, parsed.end)
    if (parsed.kind === 'malformed') return { kind: 'malformed', why: parsed.why, bytes: this.unread }
    if (ended === null) return null
    if (ended === 'fin' && parsed.untilClose && parsed.head !== null) {
      const raw = this.received.subarray(from)
      return take({ ...parsed.head, body: parsed.body, trailers: [], framing: 'close', raw }, this.received.length)
    }
    return { kind: 'closed', how: ended, bytes: this.unread }
  }

  #end(how: Ending): void {
    this.#ending ??= how
    this.#wake?.()
  }

  #change(giveUp: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wake = null
        giveUp.removeEventListener('abort', wake)
        resolve()
      }
      this.#wake = wake
      giveUp.addEventListener('abort', wake)
    })
  }
}
