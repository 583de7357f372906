// A real HTTP/1.1 backend on a free port whose answers are steered by request fields (x-act-…), and which keeps a record.
//
// x-act-status: N          status code (200)
// x-act-body: TEXT         the body; default is `METHOD TARGET`, or the request's own body with x-act-echo
// x-act-echo: 1            answers with the body of the request
// x-act-size: N            a body of N bytes instead
// x-act-chunks: N          the body in N chunks, chunked coding (else Content-Length)
// x-act-until-close: 1     no framing: the body ends with the connection
// x-act-delay: MS          waits before the answer (the clock of the backend, not of the test)
// x-act-hold: NAME         answers only when the test calls release(NAME)
// x-act-1xx: CODE[,CODE]   interim answers first
// x-act-trailers: N=V      one trailer field after a chunked body
// x-act-header: N=V        one more response field
// x-act-close: 1           Connection: close
// x-act-cut: N             destroys the connection after N bytes of the body
// x-act-reset: 1           resets the connection instead of answering
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Deferred, deferred } from './wait.ts'

/** What arrived with one request. */
export interface SeenRequest {
  readonly method: string
  readonly target: string
  readonly version: string
  /** In order, names as sent. */
  readonly fields: readonly (readonly [string, string])[]
  readonly trailers: readonly (readonly [string, string])[]
  readonly bodyLength: number
  readonly bodyHash: string
  /** The body itself up to 64 KiB; longer ones are only counted and hashed. */
  readonly body: string
  /** False when the client went away before the end. */
  readonly complete: boolean
  /** Which connection of this backend it came on, from 0. */
  readonly connection: number
}

const KEEP_BYTES = 65_536

export class ActingBackend {
  readonly server: Server
  readonly name: string
  /** Complete requests, in order of their end. */
  readonly requests: SeenRequest[] = []
  /** Connections accepted so far that carried a request. */
  connections = 0
  /** Requests whose head has arrived. */
  started = 0
  /** Requests being answered now. */
  active = 0
  /** The highest that `active` has been. */
  mostActive = 0
  /** Requests whose client went away before the answer was complete. */
  aborted = 0
  readonly #holds = new Map<string, Deferred<void>>()
  readonly #numbers = new WeakMap<Socket, number>()
  readonly #sockets = new Set<Socket>()

  constructor(name: string) {
    this.name = name
    this.server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, noDelay: true })
    this.server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    const handle = (req: IncomingMessage, res: ServerResponse): void => {
      this.#serve(req, res).catch(() => res.destroy())
    }
    this.server.on('request', handle)
    this.server.on('checkContinue', (req, res) => {
      res.writeContinue()
      handle(req, res)
    })
    this.server.on('upgrade', (req, socket, head) => {
      this.#open(req)
      socket.on('error', () => {})
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${req.headers.upgrade}\r\n\r\n`)
      socket.write(head)
      socket.on('data', (chunk: Buffer) => socket.write(chunk))
      socket.on('end', () => socket.end())
    })
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Connections open now. */
  get open(): number {
    return this.#sockets.size
  }

  /** Lets every request held under this name (x-act-hold) be answered, now and later. */
  release(name: string): void {
    this.#hold(name).resolve()
  }

  /** Resets every open connection: what a crash of the backend looks like. */
  resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    this.server.close()
    this.server.closeAllConnections()
    for (const socket of this.#sockets) socket.destroy()
    if (this.server.listening) await once(this.server, 'close')
  }

  #hold(name: string): Deferred<void> {
    const held = this.#holds.get(name) ?? deferred<void>()
    this.#holds.set(name, held)
    return held
  }

  #open(req: IncomingMessage): number {
    this.started++
    const known = this.#numbers.get(req.socket)
    if (known !== undefined) return known
    this.#numbers.set(req.socket, this.connections)
    return this.connections++
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const connection = this.#open(req)
    this.active++
    this.mostActive = Math.max(this.mostActive, this.active)
    res.once('close', () => {
      this.active--
      if (!res.writableFinished) this.aborted++
    })
    const seen = await read(req, connection)
    this.requests.push(seen)
    if (seen.complete) await this.#answer(req, res, seen)
  }

  async #answer(req: IncomingMessage, res: ServerResponse, seen: SeenRequest): Promise<void> {
    const act = (name: string): string | undefined => req.headers[`x-act-${name}`]?.toString()
    const delayMs = Number(act('delay') ?? 0)
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
    const hold = act('hold')
    if (hold !== undefined) await this.#hold(hold).promise
    if (act('reset') !== undefined) return void req.socket.resetAndDestroy()
    for (const code of act('1xx')?.split(',') ?? [])
      res.socket?.write(`HTTP/1.1 ${code} Interim\r\nx-interim: ${code}\r\n\r\n`)
    const size = act('size')
    const body =
      size !== undefined ? null : (act('body') ?? (act('echo') ? seen.body : `${seen.method} ${seen.target}`))
    const length = body === null ? Number(size) : Buffer.byteLength(body)
    res.statusCode = Number(act('status') ?? 200)
    res.setHeader('x-backend', this.name)
    const extra = /^([^=]*)=(.*)$/.exec(act('header') ?? '')?.slice(1)
    if (extra) res.setHeader(extra[0] ?? '', extra[1] ?? '')
    if (act('close') !== undefined) res.setHeader('connection', 'close')
    const chunks = Number(act('chunks') ?? 0)
    const trailer = act('trailers')?.split('=', 2)
    if (act('until-close') !== undefined) {
      res.useChunkedEncodingByDefault = false
      res.shouldKeepAlive = false
    } else if (chunks === 0 && trailer === undefined) res.setHeader('content-length', length)
    const cutAfter = act('cut') === undefined ? Number.POSITIVE_INFINITY : Number(act('cut'))
    await send(res, body === null ? filler(length, chunks) : pieces(Buffer.from(body), chunks), cutAfter)
    if (res.destroyed) return
    if (trailer) res.addTrailers({ [trailer[0] ?? '']: trailer[1] ?? '' })
    res.end()
  }
}

async function read(req: IncomingMessage, connection: number): Promise<SeenRequest> {
  const hash = createHash('sha256')
  const kept: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      if (length < KEEP_BYTES) kept.push(chunk)
      length += chunk.length
      hash.update(chunk)
    }
  } catch {
    // The client went away: `complete` says so.
  }
  return {
    method: req.method ?? '',
    target: req.url ?? '',
    version: req.httpVersion,
    fields: pairs(req.rawHeaders),
    trailers: pairs(req.rawTrailers),
    bodyLength: length,
    bodyHash: hash.digest('hex'),
    body: Buffer.concat(kept).toString('latin1', 0, KEEP_BYTES),
    complete: req.complete,
    connection,
  }
}

function pairs(raw: readonly string[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) list.push([raw[i] ?? '', raw[i + 1] ?? ''])
  return list
}

function* pieces(body: Buffer, count: number): Iterable<Buffer> {
  const step = Math.max(1, Math.ceil(body.length / Math.max(1, count)))
  for (let at = 0; at < body.length; at += step) yield body.subarray(at, at + step)
}

function* filler(length: number, count: number): Iterable<Buffer> {
  const step = count > 0 ? Math.max(1, Math.ceil(length / count)) : 65_536
  const block = Buffer.alloc(Math.min(step, length || 1), 'frontdesk ')
  for (let left = length; left > 0; left -= block.length) yield left < block.length ? block.subarray(0, left) : block
}

async function send(res: ServerResponse, parts: Iterable<Buffer>, cutAfter: number): Promise<void> {
  let sent = 0
  for (const part of parts) {
    const room = cutAfter - sent
    sent += part.length
    if (!res.write(room < part.length ? part.subarray(0, room) : part)) {
      const over = new AbortController()
      const { signal } = over
      await Promise.race([once(res, 'drain', { signal }), once(res, 'close', { signal })])
      over.abort()
    }
    if (res.destroyed) return
    if (sent >= cutAfter) {
      await new Promise((resolve) => res.write('', resolve))
      return void res.socket?.destroy()
    }
  }
}

/** Starts a backend; with `port` on that port, else on a free one. */
export async function startActingBackend(options: { name?: string; port?: number } = {}): Promise<ActingBackend> {
  const backend = new ActingBackend(options.name ?? 'backend')
  backend.server.listen(options.port ?? 0, '127.0.0.1')
  await once(backend.server, 'listening')
  return backend
}
