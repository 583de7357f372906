// One request of node:http on its way through the data plane: its body in, the answer out, and whoever goes away.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ResponseHead } from '../http/http1/response-head.ts'
import type { Arrival, Endpoint } from '../net/arrival.ts'
import type { Wire, WireEvents } from '../net/wire.ts'
import { AnswerReader, type AnswerSink } from './answer-reader.ts'
import { type FarEnd, MemoryWire } from './memory-wire.ts'
import { NodeAnswer } from './node-answer.ts'
import { NodeClient } from './node-client.ts'

export interface NodeRequest {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** As `requestText` has written it. */
  readonly head: string
  /** How `req` is to be read: not at all, as many bytes as announced, or in chunks. Else the whole body. */
  readonly body: 'none' | 'length' | 'chunked' | Uint8Array
  /** What goes wrong in giving the answer to `res`. */
  readonly onFault: (error: unknown) => void
}

const LAST_CHUNK = '0\r\n'

export class NodeExchange implements Arrival, FarEnd, AnswerSink {
  readonly address: string
  readonly port: number
  readonly tls: Arrival['tls']
  readonly #request: NodeRequest
  readonly #client: NodeClient
  readonly #reader: AnswerReader
  readonly #answer: NodeAnswer
  #wire: MemoryWire | null = null
  /** The answer is complete, or will never be: nothing of `res` is touched any more. */
  #isOver = false
  #isReading = false
  #hasBodyBegun = false
  #isFull = false

  constructor(request: NodeRequest) {
    const { req, res } = request
    this.#request = request
    this.#client = NodeClient.of(req.socket)
    this.address = this.#client.address
    this.port = this.#client.port
    this.tls = this.#client.tls
    this.#answer = new NodeAnswer(req, res)
    this.#reader = new AnswerReader(req.method ?? 'GET', this)
  }

  destination(): Endpoint {
    return this.#client.destination
  }

  open(events: WireEvents): Wire {
    this.#wire = new MemoryWire(events, this)
    return this.#wire
  }

  /** Call it when the plane has taken the connection. */
  begin(): void {
    const { req, res, head, body } = this.#request
    const wire = this.#wire!
    res.on('drain', () => {
      this.#isFull = false
      wire.drained()
    })
    res.on('close', () => {
      if (!this.#isOver || !res.writableFinished) wire.leave()
      this.#isOver = true
    })
    // Whatever it is, 'close' follows.
    res.on('error', () => {})
    wire.give(Buffer.from(head, 'latin1'))
    if (typeof body !== 'string') {
      if (body.length > 0) wire.give(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
    } else if (body !== 'none') this.#read(req, wire, body === 'chunked')
  }

  #read(req: IncomingMessage, wire: MemoryWire, isChunked: boolean): void {
    this.#isReading = true
    if (wire.paused && !this.#isOver) req.pause()
    req.on('data', (chunk: Buffer | string) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, req.readableEncoding ?? 'utf8') : chunk
      if (bytes.length > 0) wire.give(isChunked ? framed(bytes) : bytes)
    })
    if (isChunked) req.on('end', () => wire.give(Buffer.from(`${LAST_CHUNK}${trailersOf(req)}\r\n`, 'latin1')))
    if (!wire.paused || this.#isOver) req.resume()
  }

  // --- the plane's side ---

  take(bytes: Buffer): boolean {
    if (this.#isOver) return true
    try {
      this.#reader.feed(bytes)
    } catch (error) {
      this.#fault(error)
    }
    return this.#isOver || !this.#isFull
  }

  ended(): void {
    if (!this.#isOver) this.#breakOff()
    // After its last answer the plane waits for our FIN.
    setImmediate(() => this.#wire!.finish())
  }

  cut(): void {
    if (!this.#isOver) this.#breakOff()
  }

  flow(isFlowing: boolean): void {
    if (!this.#isReading) return
    // What nobody wants any more is dropped, so that the client's connection can go on.
    if (isFlowing || this.#isOver) this.#request.req.resume()
    else this.#request.req.pause()
  }

  hasUnsent(): boolean {
    return !this.#isOver && this.#request.res.writableLength > 0
  }

  // --- the answer ---

  onInterim(head: ResponseHead): void {
    this.#answer.interim(head)
  }

  onHead(head: ResponseHead, hasBody: boolean): void {
    this.#answer.head(head, hasBody)
    // Most bodies come with their head: what is left is seen in the next turn.
    if (hasBody) process.nextTick(() => this.#flushHead())
  }

  #flushHead(): void {
    if (!this.#isOver && !this.#hasBodyBegun) this.#answer.flushHead()
  }

  onBody(bytes: Buffer): void {
    this.#hasBodyBegun = true
    this.#isFull = !this.#request.res.write(bytes)
  }

  onEnd(last: Buffer | null, trailers: string): void {
    this.#isOver = true
    this.#answer.end(last, trailers)
    if (this.#isReading) this.#request.req.resume()
  }

  onBroken(): void {
    this.#fault(new Error('the answer cannot be read'))
  }

  #fault(error: unknown): void {
    this.#request.onFault(error)
    if (!this.#isOver) this.#breakOff()
  }

  #breakOff(): void {
    this.#isOver = true
    this.#answer.cut()
  }
}

function framed(bytes: Buffer): Buffer {
  const size = `${bytes.length.toString(16)}\r\n`
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 2)
  chunk.latin1Write(size, 0)
  bytes.copy(chunk, size.length)
  chunk.latin1Write('\r\n', size.length + bytes.length)
  return chunk
}

function trailersOf({ rawTrailers }: IncomingMessage): string {
  let lines = ''
  for (let at = 0; at + 1 < rawTrailers.length; at += 2) lines += `${rawTrailers[at]}: ${rawTrailers[at + 1]}\r\n`
  return lines
}
