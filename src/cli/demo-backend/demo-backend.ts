// One demo backend: says what it received and who it is, and does what a request asks of it. For trying things out.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveEvents } from './server-sent-events.ts'
import { readSteering, type Steering } from './steering.ts'
import { serveWebSocketEcho } from './websocket-echo.ts'

const FILLER = Buffer.alloc(64 * 1024, 'frontdesk ')
/** Of a request body, this much is shown in the echo. */
const MAX_ECHOED_BYTES = 4096

export interface DemoBackendOptions {
  /** Told in the X-Backend field and in the body of every answer. */
  readonly name?: string
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
}

/** A running demo backend. */
export interface DemoBackend {
  readonly name: string
  readonly url: string
  readonly port: number
  /** Stops at once, open connections too. */
  close(): Promise<void>
}

/** Starts one; rejects with the system's error (EADDRINUSE …) when the address cannot be bound. */
export async function startDemoBackend(o: DemoBackendOptions): Promise<DemoBackend> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: o.host, port: o.port }, resolve)
  })
  const { port } = server.address() as AddressInfo
  const name = o.name ?? `backend-${port}`
  answerOn(server, name)
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
      for (const socket of upgraded.get(server) ?? []) socket.destroy()
    })
  return { name, port, url: `http://${o.host.includes(':') ? `[${o.host}]` : o.host}:${port}`, close }
}

/** Upgraded sockets leave the HTTP server's own list. */
const upgraded = new WeakMap<Server, Set<{ destroy(): void }>>()

function answerOn(server: Server, name: string): void {
  const state = { healthy: true }
  server.on('request', (request, response) => {
    response.setHeader('X-Backend', name)
    answer({ request, response, name, state }).catch((error: Error) => {
      if (!response.headersSent) sendJson(response, 400, { backend: name, error: error.message })
      else response.destroy()
    })
  })
  const sockets = new Set<{ destroy(): void }>()
  upgraded.set(server, sockets)
  server.on('upgrade', (request, socket, head) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serveWebSocketEcho({ request, socket, head, name })
  })
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly name: string
  readonly state: { healthy: boolean }
}

async function answer(exchange: Exchange): Promise<void> {
  const { request, response, name, state } = exchange
  const url = new URL(request.url ?? '/', 'http://backend')
  const isPost = request.method === 'POST'
  if (isPost && (url.pathname === '/fail' || url.pathname === '/recover')) state.healthy = url.pathname === '/recover'
  const health = { backend: name, healthy: state.healthy }
  if (isPost && (url.pathname === '/fail' || url.pathname === '/recover')) return sendJson(response, 200, health)
  if (url.pathname === '/healthz') return sendJson(response, state.healthy ? 200 : 503, health)
  if (!state.healthy) return sendJson(response, 503, { ...health, hint: 'POST /recover mends it' })
  if (url.pathname === '/sse') return serveEvents({ response, name, url })
  const steering = readSteering(request, url)
  if (steering.fail === 'hang') return
  if (steering.fail === 'reset') return void request.socket.resetAndDestroy()
  const body = await readBody(request)
  if (steering.delayMs > 0) await delay(steering.delayMs, response)
  if (!response.destroyed) await respond(exchange, steering, body)
}

async function respond(exchange: Exchange, steering: Steering, body: ReceivedBody): Promise<void> {
  const { request, response, name } = exchange
  if (steering.sizeBytes !== null || steering.fail === 'cut') {
    return sendFiller(response, steering.status, steering.sizeBytes ?? FILLER.length, steering.fail === 'cut')
  }
  sendJson(response, steering.status, {
    backend: name,
    method: request.method,
    path: request.url,
    http_version: request.httpVersion,
    client: request.socket.remoteAddress,
    headers: request.headers,
    body_bytes: body.bytes,
    ...(body.bytes > 0 && body.bytes <= MAX_ECHOED_BYTES ? { body: body.start.toString('utf8') } : {}),
  })
}

interface ReceivedBody {
  readonly bytes: number
  /** The beginning, at most MAX_ECHOED_BYTES. */
  readonly start: Buffer
}

async function readBody(request: IncomingMessage): Promise<ReceivedBody> {
  let bytes = 0
  let start = Buffer.alloc(0)
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (start.length < MAX_ECHOED_BYTES) start = Buffer.concat([start, chunk]).subarray(0, MAX_ECHOED_BYTES)
    bytes += chunk.length
  }
  return { bytes, start }
}

function delay(ms: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    response.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** A body of the wanted size with back-pressure; with `cut` the connection breaks half-way. */
async function sendFiller(response: ServerResponse, status: number, bytes: number, cut: boolean): Promise<void> {
  response.writeHead(status, { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes })
  const until = cut ? Math.floor(bytes / 2) : bytes
  for (let sent = 0; sent < until && !response.destroyed; ) {
    const chunk = FILLER.subarray(0, Math.min(FILLER.length, until - sent))
    sent += chunk.length
    await new Promise((resolve) => response.write(chunk, resolve))
  }
  if (cut) response.destroy()
  else response.end()
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const noContent = status === 204 || status === 304
  const body = noContent ? '' : `${JSON.stringify(value, null, 2)}\n`
  response.writeHead(
    status,
    noContent ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
  )
  response.end(body)
}
