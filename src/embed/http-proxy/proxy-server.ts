// The object that http-proxy's users hold: web, ws, listen, close and the events.
import { EventEmitter } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import type { Calls, ErrorCallback, ProxyEvents } from './events.ts'
import { ForwardCopy } from './forward-copy.ts'
import { checkOptions, type ServerOptions } from './options.ts'
import { answerError, answerErrorOnSocket, errorWith } from './proxy-error.ts'
import { WebExchange } from './web-exchange.ts'
import { WsExchange } from './ws-exchange.ts'

const NO_TARGET = 'Must provide a proper URL as target'

/** A proxy with the API of http-proxy 1.18. @throws TypeError for options that do not exist here. */
export class ProxyServer extends EventEmitter<ProxyEvents> {
  static readonly createProxyServer = createProxyServer
  static readonly createServer = createProxyServer
  static readonly createProxy = createProxyServer
  readonly options: ServerOptions
  /** What `listen` has made; null otherwise. */
  _server: Server | null = null

  constructor(options: ServerOptions = {}) {
    super()
    checkOptions(options)
    this.options = options
  }

  /** Passes a request on. What is in `options` goes before what the proxy was made with. Never throws for a request. */
  web(
    req: IncomingMessage,
    res: ServerResponse,
    options?: ServerOptions | ErrorCallback,
    callback?: ErrorCallback,
  ): void {
    const call = this.#call(options, callback)
    const { target, forward } = call.options
    if (target === undefined && forward === undefined) {
      const error = errorWith('ERR_NO_TARGET', NO_TARGET)
      if (!call.calls.fail(error, req, res, '')) answerError(error, res)
      return
    }
    const copy = forward === undefined ? null : new ForwardCopy({ req, res, options: call.options })
    copy?.begin(forward!)
    if (target === undefined) copy!.serve()
    else new WebExchange({ req, res, ...call, copy }, target).begin()
  }

  /** Passes an upgrade to WebSocket on: for a server's event of that name. */
  ws(
    req: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    options?: ServerOptions | ErrorCallback,
    callback?: ErrorCallback,
  ): void {
    const call = this.#call(options, callback)
    const { target } = call.options
    if (target === undefined) {
      const error = errorWith('ERR_NO_TARGET', NO_TARGET)
      if (!call.calls.fail(error, req, socket, '')) answerErrorOnSocket(error, socket)
    } else new WsExchange({ req, socket, head, ...call }, target).begin()
  }

  /** A server of its own, with `ssl` for https, with `ws` for upgrades too. */
  listen(port: number, hostname?: string): this {
    const { ssl, ws = false } = this.options
    const serve = (req: IncomingMessage, res: ServerResponse): void => this.web(req, res)
    const server = ssl === undefined ? createHttpServer(serve) : createHttpsServer(ssl, serve)
    if (ws) server.on('upgrade', (req, socket, head) => this.ws(req, socket, head))
    server.listen(port, hostname)
    this._server = server
    return this
  }

  /** Stops accepting; the callback when every connection has gone. */
  close(callback?: (error?: Error) => void): void {
    const server = this._server
    this._server = null
    if (server !== null) server.close(callback)
    else if (callback !== undefined) process.nextTick(callback)
  }

  /** The options of one call, and who is told of it. */
  #call(
    given: ServerOptions | ErrorCallback | undefined,
    second: ErrorCallback | undefined,
  ): { options: ServerOptions; calls: Calls } {
    const callback = typeof given === 'function' ? given : second
    const own = typeof given === 'object' && given !== null ? given : {}
    checkOptions(own)
    const options = { ...this.options, ...own }
    // As http-proxy has them: listeners look at target.href, target.host …
    const { target, forward } = options
    if (typeof target === 'string') options.target = new URL(target)
    if (typeof forward === 'string') options.forward = new URL(forward)
    return { options, calls: new Listeners(this, callback) }
  }
}

/** As a function and as a constructor: both are written by http-proxy's users. */
export function createProxyServer(options: ServerOptions = {}): ProxyServer {
  return new ProxyServer(options)
}

/** The events of a proxy, with the callback of one call in place of `error`. */
class Listeners implements Calls {
  readonly #proxy: ProxyServer
  readonly #callback: ErrorCallback | undefined

  constructor(proxy: ProxyServer, callback: ErrorCallback | undefined) {
    this.#proxy = proxy
    this.#callback = callback
  }

  emit<E extends Exclude<keyof ProxyEvents, 'error'>>(event: E, ...values: ProxyEvents[E]): void {
    // The compiler cannot tell that these belong together.
    this.#proxy.emit(event, ...(values as never))
  }

  fail(...values: ProxyEvents['error']): boolean {
    if (this.#callback !== undefined) this.#callback(...values)
    else if (this.#proxy.listenerCount('error') > 0) this.#proxy.emit('error', ...values)
    else return false
    return true
  }
}
