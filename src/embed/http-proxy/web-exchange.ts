// One request on its way to a target and its answer back, in the order of the methods.
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingMessage,
  type ServerResponse,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { parseLength } from '../../http/http1/grammar.ts'
import { currentFields } from '../current-fields.ts'
import { cutVisibly } from '../cut.ts'
import { awaitsContinue, hasBody } from '../node-request.ts'
import { copyTo } from './copy-to.ts'
import { endToEnd } from './end-to-end.ts'
import type { Calls, ProxyTarget } from './events.ts'
import type { ForwardCopy } from './forward-copy.ts'
import type { ServerOptions } from './options.ts'
import { outgoingOptions } from './outgoing.ts'
import { answerError, errorWith, type ProxyError } from './proxy-error.ts'
import { rewriteCookie, rewriteLocation } from './rewrite-answer.ts'
import { parseTarget, type Target } from './target.ts'

export interface WebRequest {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly options: ServerOptions
  /** What listens: the events of the proxy, or the callback of the call. */
  readonly calls: Calls
  /** Gets the body too; null = nobody does. */
  readonly copy: ForwardCopy | null
}

export class WebExchange {
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #options: ServerOptions
  readonly #calls: Calls
  readonly #copy: ForwardCopy | null
  readonly #target: Target
  readonly #given: ProxyTarget
  #proxyReq: ClientRequest | null = null
  #isOver = false
  #hasBodyBegun = false

  /** `given`: the target in the form in which events tell of it. */
  constructor({ req, res, options, calls, copy }: WebRequest, given: ProxyTarget) {
    this.#req = req
    this.#res = res
    this.#options = options
    this.#calls = calls
    this.#copy = copy
    this.#given = given
    this.#target = parseTarget(given)
  }

  begin(): void {
    // Gone while the program thought about it.
    if (this.#res.destroyed) return
    const { timeout } = this.#options
    if (timeout !== undefined) this.#req.socket.setTimeout(timeout)
    this.#guarded(() => {
      this.#calls.emit('start', this.#req, this.#res, this.#given)
      this.#ask()
    })
  }

  #ask(): void {
    const { proxyTimeout } = this.#options
    const kind = { isUpgrade: false, awaitsContinue: awaitsContinue(this.#req) }
    const { expect, ...outgoing } = outgoingOptions(this.#req, this.#target, this.#options, kind)
    const proxyReq = (this.#target.isSecure ? httpsRequest : httpRequest)(outgoing)
    this.#proxyReq = proxyReq
    proxyReq.on('error', (error: ProxyError) => this.#failed(error))
    proxyReq.on('response', (proxyRes) => this.#guarded(() => this.#answered(proxyRes)))
    // Not asked for: a tunnel to nowhere (CVE-2024-23326).
    proxyReq.on('upgrade', (_, socket) => {
      socket.destroy()
      this.#failed(errorWith('EPROTO', 'the target switched protocols without being asked'))
    })
    proxyReq.on('continue', () => {
      if (expect !== undefined && !this.#res.headersSent) this.#res.writeContinue()
    })
    if (proxyTimeout !== undefined) {
      proxyReq.setTimeout(proxyTimeout, () =>
        proxyReq.destroy(errorWith('ETIMEDOUT', `the target was silent for ${proxyTimeout} ms`)),
      )
    }
    this.#res.on('close', () => this.#clientClosed())
    this.#calls.emit('proxyReq', proxyReq, this.#req, this.#res, this.#options)
    if (this.#isOver || proxyReq.destroyed) return
    if (expect !== undefined && !proxyReq.headersSent) {
      proxyReq.setHeader('Expect', expect)
      proxyReq.flushHeaders()
    }
    this.#sendBody(proxyReq)
  }

  #sendBody(proxyReq: ClientRequest): void {
    const source: Readable = this.#options.buffer ?? this.#req
    // A listener has written the body that a parser had taken; or there is none.
    if (source === this.#req && (this.#req.readableDidRead || !hasBody(this.#req))) {
      if (this.#req.readableDidRead && hasBody(this.#req) && !proxyReq.headersSent) {
        throw errorWith(
          'ERR_BODY_CONSUMED',
          'the body of the request was read before it came to the proxy: put the proxy before body parsers, give the ' +
            'bytes with the option buffer, or write them to proxyReq in a listener for proxyReq',
        )
      }
      proxyReq.end()
      return
    }
    // A body of another length than announced would be the beginning of the next request (CVE-2026-33555).
    ;(proxyReq as OutgoingMessage as OutgoingMessage & { strictContentLength: boolean }).strictContentLength = true
    if (source !== this.#req) source.on('error', (error) => this.#failed(error))
    // Not before the target is there: whoever is told of an error can ask another one for the same request.
    whenConnected(proxyReq, () => {
      this.#copy?.listen()
      copyTo(proxyReq, source, (error) => this.#failed(error))
    })
  }

  #answered(proxyRes: IncomingMessage): void {
    if (this.#isOver) {
      proxyRes.destroy()
      return
    }
    const res = this.#res
    if (!isFramed(proxyRes)) throw errorWith('EPROTO', 'where the answer of the target ends cannot be told for sure')
    proxyRes.on('error', () => this.#cut())
    proxyRes.on('close', () => {
      if (!proxyRes.complete) this.#cut()
    })
    proxyRes.on('end', () => this.#guarded(() => this.#calls.emit('end', this.#req, res, proxyRes)))
    this.#calls.emit('proxyRes', proxyRes, this.#req, res)
    if (this.#options.selfHandleResponse === true) return
    if (!res.headersSent) this.#writeHead(proxyRes)
    if (res.writableEnded) proxyRes.resume()
    else {
      proxyRes.once('data', () => {
        this.#hasBodyBegun = true
      })
      proxyRes.pipe(res)
      setImmediate(() => this.#flushHead())
    }
  }

  /** What the target takes its time for is not waited for. */
  #flushHead(): void {
    if (!this.#hasBodyBegun && !this.#isOver && !this.#res.writableEnded) this.#res.flushHeaders()
  }

  /** Of what listeners for proxyRes have left of it. */
  #writeHead(proxyRes: IncomingMessage): void {
    const res = this.#res
    const { preserveHeaderKeyCase = false } = this.#options
    for (const [key, { name, values }] of endToEnd(currentFields(proxyRes))) {
      // Node knows how the client's connection is to be framed.
      if (key === 'content-length') continue
      const now = key === 'set-cookie' ? values.map((value) => rewriteCookie(value, this.#options)) : values
      res.setHeader(preserveHeaderKeyCase ? name : key, now.length === 1 ? now[0]! : [...now])
    }
    const location = rewriteLocation(proxyRes, this.#req, this.#target, this.#options)
    if (location !== null) res.setHeader(preserveHeaderKeyCase ? 'Location' : 'location', location)
    const length = proxyRes.headers['content-length']
    // After Content-Disposition: Node re-encodes that one where it knows a length, and throws for what is no Latin-1.
    if (length !== undefined) res.setHeader(preserveHeaderKeyCase ? 'Content-Length' : 'content-length', length)
    else if (res.hasHeader('content-length')) res.removeHeader('content-length')
    if (this.#req.httpVersionMajor >= 2) res.writeHead(proxyRes.statusCode!)
    else res.writeHead(proxyRes.statusCode!, proxyRes.statusMessage)
  }

  // --- the ways out ---

  /** The client has its answer, or has gone: then the target need not go on. */
  #clientClosed(): void {
    const isComplete = this.#res.writableFinished
    // What the client still sends of a request that was answered early is dropped.
    if (isComplete && !this.#req.complete) this.#req.resume()
    if (this.#isOver) return
    this.#isOver = true
    // Of a complete exchange Node has taken the connection back by now.
    this.#proxyReq!.destroy()
    if (isComplete) return
    const error = errorWith('ECONNRESET', 'the client has gone')
    this.#safely(() => this.#calls.emit('econnreset', error, this.#req, this.#res, this.#given))
  }

  /** Before anything of the answer went out somebody is told; afterwards the client must see that it is incomplete. */
  #failed(error: ProxyError): void {
    if (this.#isOver) return
    if (this.#res.headersSent) {
      this.#cut()
      return
    }
    this.#isOver = true
    this.#proxyReq?.destroy()
    this.#safely(() => {
      if (!this.#calls.fail(error, this.#req, this.#res, this.#given)) answerError(error, this.#res)
    })
  }

  #cut(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#proxyReq?.destroy()
    cutVisibly(this.#req, this.#res)
  }

  /** What listeners throw ends this exchange alone (GHSA-6x33-pw7p-hmpq). */
  #guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#failed(error as ProxyError)
    }
  }

  /** A listener for errors that throws has nobody left to tell but the process. */
  #safely(call: () => void): void {
    try {
      call()
    } catch (error) {
      process.emitWarning(error as Error)
      cutVisibly(this.#req, this.#res)
    }
  }
}

/** Node reads more than one way to say it; whoever reads differently finds another message (CVE-2022-32213). */
function isFramed({ rawHeaders }: IncomingMessage): boolean {
  let isChunked = false
  let length = -1
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    const value = rawHeaders[at + 1]!
    if (name === 'content-length') {
      if (length >= 0 || parseLength(value) < 0) return false
      length = parseLength(value)
    } else if (name === 'transfer-encoding') {
      if (isChunked || value.toLowerCase() !== 'chunked') return false
      isChunked = true
    }
  }
  return true
}

function whenConnected(proxyReq: ClientRequest, call: () => void): void {
  proxyReq.once('socket', (socket: Socket) => {
    const { secureConnecting = false } = socket as { secureConnecting?: boolean }
    if (secureConnecting) socket.once('secureConnect', call)
    else if (socket.connecting) socket.once('connect', call)
    else call()
  })
}
