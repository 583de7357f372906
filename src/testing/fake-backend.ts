// A real HTTP server that answers as a test says, and remembers what it was asked.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { eventually } from './eventually.ts'

/** What a fake backend answers. All of it may be left out: 200 with the name of the backend as its body. */
export interface FakeAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** An object is sent as JSON. */
  readonly body?: string | Uint8Array | object
  /** Waits before the head; a clock of the test moves it. */
  readonly delayMs?: number
}

/**
 * How a backend fails. `reset`: the connection is reset when the request is there. `close`: it is closed without an
 * answer. `hang`: no answer ever. `cut`: the connection is reset in the middle of the body. `garbage`: something that is
 * no HTTP.
 */
export type FakeFault = 'reset' | 'close' | 'hang' | 'cut' | 'garbage'

/** One answer for all, or a function of the request; what it throws becomes a 500. */
export type FakeScript =
  | FakeAnswer
  | FakeFault
  | ((request: FakeRequest) => FakeAnswer | FakeFault | Promise<FakeAnswer | FakeFault>)

/** A request as it came to a fake backend. */
export interface FakeRequest {
  readonly method: string
  /** Path and query as they came. */
  readonly target: string
  readonly path: string
  /** With its `?`; '' without one. */
  readonly query: string
  /** By lower-case name; several fields of one name are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** Names as they were written, and values, in their order. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  readonly text: string
  /** X-Request-Id, which the proxy has given it. */
  readonly id: string
  /** Which connection it came on, from 0. */
  readonly connection: number
}

export interface FakeBackendOptions {
  /** In messages, and in answers without a body of their own. Default: `backend`. */
  readonly name?: string
  readonly answer?: FakeScript
  /** Default: any free one. */
  readonly port?: number
}

/** Starts one on 127.0.0.1. */
export async function fakeBackend(options: FakeBackendOptions = {}): Promise<FakeBackend> {
  const backend = new FakeBackend(options)
  await backend.up()
  return backend
}

/** Made by `fakeBackend`. */
export class FakeBackend implements AsyncDisposable {
  readonly name: string
  /** Requests that have arrived whole, in the order of their ends. */
  readonly requests: FakeRequest[] = []
  #script: FakeScript
  readonly #once: FakeScript[] = []
  readonly #sockets = new Map<Socket, number>()
  #connections = 0
  #active = 0
  #port: number
  #server: Server | null = null

  /** @internal */
  constructor({ name = 'backend', answer = {}, port = 0 }: FakeBackendOptions) {
    this.name = name
    this.#script = answer
    this.#port = port
  }

  /** As configurations name it: `http://127.0.0.1:34567`. It stays the same when it goes down and comes up again. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get port(): number {
    return this.#port
  }

  /** Connections that it has accepted so far. */
  get connections(): number {
    return this.#connections
  }

  /** Requests that are being answered now. */
  get active(): number {
    return this.#active
  }

  /** From now on. */
  answer(script: FakeScript): this {
    this.#script = script
    return this
  }

  /** For the next request alone; called again, for the one after it. */
  answerOnce(script: FakeScript): this {
    this.#once.push(script)
    return this
  }

  /** The connection is refused from now on, and those that are open are reset. */
  async down(): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#server = null
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets.keys()) socket.resetAndDestroy()
    await closed
  }

  /** Listens again, at the same port. */
  async up(): Promise<void> {
    if (this.#server !== null) return
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 })
    server.on('connection', (socket) => this.#accepted(socket))
    server.on('request', (request, response) => void this.#serve(request, response).catch(() => response.destroy()))
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  /** Resolves with the requests when there are so many, counted from the start or the last `clear`. */
  waitFor(count: number): Promise<readonly FakeRequest[]> {
    return eventually(() => {
      if (this.requests.length < count) {
        throw new Error(`${this.name} got ${this.requests.length} requests of ${count} that the test waits for`)
      }
      return this.requests
    })
  }

  /** Forgets the requests. */
  clear(): void {
    this.requests.length = 0
  }

  close(): Promise<void> {
    return this.down()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accepted(socket: Socket): void {
    this.#sockets.set(socket, this.#connections++)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => undefined)
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#active++
    response.once('close', () => this.#active--)
    const request = await read(incoming, this.#sockets.get(incoming.socket) ?? 0)
    this.requests.push(request)
    const script = this.#once.shift() ?? this.#script
    const answer = typeof script === 'function' ? await ask(script, request) : script
    if (typeof answer === 'string') fail(answer, incoming.socket, response)
    else await send(answer, { request, response, name: this.name })
  }
}

async function ask(script: Exclude<FakeScript, FakeAnswer | FakeFault>, request: FakeRequest) {
  try {
    return await script(request)
  } catch (error) {
    return { status: 500, body: `the script of the fake backend failed: ${String(error)}` }
  }
}

async function read(incoming: IncomingMessage, connection: number): Promise<FakeRequest> {
  const parts: Buffer[] = []
  for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part)
  const body = Buffer.concat(parts)
  const target = incoming.url ?? ''
  const queryAt = target.indexOf('?')
  const rawHeaders: (readonly [string, string])[] = []
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
    rawHeaders.push([incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!])
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of rawHeaders) {
    const key = name.toLowerCase()
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`
  }
  return {
    method: incoming.method ?? '',
    target,
    path: queryAt < 0 ? target : target.slice(0, queryAt),
    query: queryAt < 0 ? '' : target.slice(queryAt),
    headers,
    rawHeaders,
    body,
    text: body.toString(),
    id: headers['x-request-id'] ?? '',
    connection,
  }
}

function fail(fault: FakeFault, socket: Socket, response: ServerResponse): void {
  if (fault === 'reset') socket.resetAndDestroy()
  else if (fault === 'close') socket.destroy()
  else if (fault === 'garbage') socket.end('this is no HTTP\r\n\r\n')
  else if (fault === 'cut') {
    response.writeHead(200, { 'content-length': 100_000 })
    response.write('half of it', () => socket.resetAndDestroy())
  }
}

interface Sending {
  readonly request: FakeRequest
  readonly response: ServerResponse
  readonly name: string
}

async function send(answer: FakeAnswer, { request, response, name }: Sending): Promise<void> {
  const { status = 200, headers = {}, delayMs = 0 } = answer
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
  if (response.destroyed) return
  response.statusCode = status
  // By it the kit finds out what the proxy did with a request.
  if (request.id !== '') response.setHeader('x-request-id', request.id)
  const { bytes, type } = bodyOf(answer.body ?? name)
  if (type !== '') response.setHeader('content-type', type)
  for (const [key, value] of Object.entries(headers)) response.setHeader(key, value)
  response.end(bytes)
}

function bodyOf(body: string | Uint8Array | object): { bytes: string | Uint8Array; type: string } {
  if (typeof body === 'string') return { bytes: body, type: 'text/plain; charset=utf-8' }
  if (body instanceof Uint8Array) return { bytes: body, type: 'application/octet-stream' }
  return { bytes: JSON.stringify(body), type: 'application/json' }
}
