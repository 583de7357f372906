// One upgrade to WebSocket: asked of the target, and two sockets joined if it agrees.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { currentFields } from '../current-fields.ts'
import { farewell } from '../farewell.ts'
import { endToEnd } from './end-to-end.ts'
import type { Calls, ProxyTarget } from './events.ts'
import type { ServerOptions } from './options.ts'
import { outgoingOptions } from './outgoing.ts'
import { answerErrorOnSocket, errorWith, type ProxyError } from './proxy-error.ts'
import { rewriteCookie } from './rewrite-answer.ts'
import { parseTarget } from './target.ts'

export interface WsRequest {
  readonly req: IncomingMessage
  readonly socket: Duplex
  /** What came behind the request's head. */
  readonly head: Uint8Array
  readonly options: ServerOptions
  readonly calls: Calls
}

export class WsExchange {
  readonly #request: WsRequest
  readonly #given: ProxyTarget
  #proxyReq: ClientRequest | null = null
  #isOver = false

  constructor(request: WsRequest, given: ProxyTarget) {
    this.#request = request
    this.#given = given
  }

  begin(): void {
    const { req, socket, head } = this.#request
    socket.on('error', () => this.#clientGone())
    socket.on('close', () => this.#clientGone())
    prepare(socket)
    if (head.length > 0) socket.unshift(head)
    this.#guarded(() => {
      if (req.method !== 'GET' || req.headers.upgrade?.toLowerCase() !== 'websocket') {
        throw errorWith('EPROTO', 'only GET and upgrades to WebSocket are passed on')
      }
      this.#ask()
    })
  }

  #ask(): void {
    const { req, socket, options, calls, head } = this.#request
    const target = parseTarget(this.#given)
    const kind = { isUpgrade: true, awaitsContinue: false }
    const { expect: _, ...outgoing } = outgoingOptions(req, target, options, kind)
    const proxyReq = (target.isSecure ? httpsRequest : httpRequest)(outgoing)
    this.#proxyReq = proxyReq
    proxyReq.on('error', (error: ProxyError) => this.#failed(error))
    proxyReq.on('response', (proxyRes) => this.#guarded(() => this.#refused(proxyRes)))
    proxyReq.on('upgrade', (proxyRes, proxySocket, proxyHead) => {
      proxySocket.on('error', () => {})
      this.#guarded(() => this.#join(proxyRes, proxySocket, proxyHead))
    })
    const { proxyTimeout } = options
    if (proxyTimeout !== undefined) {
      proxyReq.setTimeout(proxyTimeout, () =>
        proxyReq.destroy(errorWith('ETIMEDOUT', `the target was silent for ${proxyTimeout} ms`)),
      )
    }
    calls.emit('proxyReqWs', proxyReq, req, socket, options, head)
    if (!proxyReq.destroyed) proxyReq.end()
  }

  /** The target answers as to an ordinary request: the client gets that, and nothing after it. */
  #refused(proxyRes: IncomingMessage): void {
    const { socket } = this.#request
    if (this.#isOver) return
    this.#isOver = true
    const length = proxyRes.headers['content-length']
    socket.write(
      `${this.#head(proxyRes)}${length === undefined ? '' : `Content-Length: ${length}\r\n`}Connection: close\r\n\r\n`,
      'latin1',
    )
    proxyRes.on('error', () => reset(socket))
    proxyRes.on('end', () => farewell(socket))
    proxyRes.pipe(socket, { end: false })
  }

  #join(proxyRes: IncomingMessage, proxySocket: Duplex, proxyHead: Buffer): void {
    const { socket, calls } = this.#request
    if (this.#isOver) {
      proxySocket.destroy()
      return
    }
    // Only to the protocol asked for (CVE-2024-23326).
    if (proxyRes.headers.upgrade?.toLowerCase() !== 'websocket') {
      proxySocket.destroy()
      throw errorWith('EPROTO', 'the target switched to another protocol')
    }
    this.#isOver = true
    ;(proxySocket as Partial<Socket>).setTimeout?.(0)
    prepare(proxySocket)
    if (proxyHead.length > 0) proxySocket.unshift(proxyHead)
    socket.write(`${this.#head(proxyRes)}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 'latin1')
    let isClosed = false
    const closed = (): void => {
      if (isClosed) return
      isClosed = true
      this.#safely(() => calls.emit('close', proxyRes, proxySocket, proxyHead))
    }
    proxySocket.on('end', closed)
    join(socket, proxySocket)
    join(proxySocket, socket)
    proxySocket.on('close', closed)
    this.#safely(() => {
      calls.emit('open', proxySocket)
      calls.emit('proxySocket', proxySocket)
    })
  }

  #head(proxyRes: IncomingMessage): string {
    const { options } = this.#request
    let text = `HTTP/1.1 ${proxyRes.statusCode} ${proxyRes.statusMessage}\r\n`
    for (const [key, { name, values }] of endToEnd(currentFields(proxyRes))) {
      if (key === 'content-length') continue
      for (const value of values) text += `${name}: ${key === 'set-cookie' ? rewriteCookie(value, options) : value}\r\n`
    }
    return text
  }

  // --- the ways out ---

  #clientGone(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#proxyReq?.destroy()
  }

  #failed(error: ProxyError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#proxyReq?.destroy()
    const { req, socket, calls } = this.#request
    this.#safely(() => {
      if (!calls.fail(error, req, socket, this.#given)) answerErrorOnSocket(error, socket)
    })
  }

  #guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#failed(error as ProxyError)
    }
  }

  #safely(call: () => void): void {
    try {
      call()
    } catch (error) {
      process.emitWarning(error as Error)
      this.#request.socket.destroy()
    }
  }
}

function prepare(socket: Duplex): void {
  const net = socket as Partial<Socket>
  net.setTimeout?.(0)
  net.setNoDelay?.(true)
  net.setKeepAlive?.(true, 0)
}

/** One direction: an end is passed on as an end, anything else as a cut. */
function join(from: Duplex, to: Duplex): void {
  from.on('error', () => reset(to))
  from.on('close', () => {
    if (!from.readableEnded) reset(to)
    else if (to.writableFinished) to.destroy()
  })
  from.pipe(to)
}

function reset(socket: Duplex): void {
  if (socket.destroyed) return
  try {
    ;(socket as Socket).resetAndDestroy()
  } catch {
    // No TCP socket.
  }
  socket.destroy()
}
