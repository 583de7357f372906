// A proxy as a request handler of node:http, Express, Fastify, Hono and whatever else hands out Node's own objects.
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ReadOptions } from '../control/event-bus.ts'
import type { CloseOptions } from '../library/frontdesk.ts'
import { farewell } from './farewell.ts'
import { fastifyPlugin, honoHandler } from './frameworks.ts'
import type { HandlerConfig, HandlerOptions, Next, ProxyHandler, Req, Res } from './handler.ts'
import { HandlerError } from './handler-error.ts'
import { Hosted } from './hosted.ts'
import { NodeExchange } from './node-exchange.ts'
import { readRequest, targetOf } from './node-request.ts'
import { requestText } from './request-text.ts'
import { UpgradedSocket } from './upgraded-socket.ts'

/**
 * Makes a proxy of a configuration without listeners. @throws ConfigError with every problem.
 *
 * ```ts
 * const proxy = proxyHandler({ pools: { api: { backends: ['http://10.0.0.1:3000', 'http://10.0.0.2:3000'] } } })
 * const server = http.createServer(proxy).on('upgrade', proxy.upgrade).listen(8080)
 * ```
 */
export function proxyHandler(config: HandlerConfig, options: HandlerOptions = {}): ProxyHandler {
  const hosted = new Hosted(config, options.log)
  const door = new HandlerDoor(hosted, options)
  const handle = (req: Req, res: Res, next?: Next): void => {
    door.handle(req as IncomingMessage, res as ServerResponse, next)
  }
  return Object.assign(handle, {
    upgrade: (req: IncomingMessage, socket: Duplex, head: Uint8Array) => door.upgrade(req, socket, head),
    fastify: fastifyPlugin(handle),
    hono: honoHandler(handle),
    ready: hosted.ready,
    backends: hosted.backends,
    cache: hosted.cache,
    status: () => hosted.status(),
    reload: (next: HandlerConfig) => hosted.reload(next),
    events: (read?: ReadOptions) => hosted.events(read),
    close: (how?: CloseOptions) => hosted.close(how),
    [Symbol.asyncDispose]: async () => void (await hosted.close()),
  })
}

/** Decides what becomes of a request before the data plane has it. */
class HandlerDoor {
  readonly #hosted: Hosted
  readonly #options: HandlerOptions

  constructor(hosted: Hosted, options: HandlerOptions) {
    this.#hosted = hosted
    this.#options = options
  }

  handle(req: IncomingMessage, res: ServerResponse, next: Next | undefined): void {
    this.#whenRunning(
      () => {
        if (this.#isOurs(req)) this.#serve(req, res)
        else if (next !== undefined) next()
        else answer(res, 404, 'No handler takes this request', {})
      },
      (error) => refuse(error, res, next),
    )
  }

  upgrade(req: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    const ignore = (): void => {}
    socket.on('error', ignore)
    this.#whenRunning(
      () => {
        if (!this.#isOurs(req)) return
        const { text, problem } = this.#upgradeText(req)
        if (problem !== '') throw new HandlerError('unsendable', 400, `the request cannot be passed on: ${problem}`)
        const early = Buffer.concat([Buffer.from(text, 'latin1'), head])
        if (!this.#hosted.serve(new UpgradedSocket(req, socket, early))) throw this.#turnedAway()
      },
      (error) => refuseUpgrade(error, socket),
    )
  }

  #isOurs(req: IncomingMessage): boolean {
    return this.#options.filter?.(req) ?? true
  }

  #serve(req: IncomingMessage, res: ServerResponse): void {
    if (res.headersSent)
      throw new HandlerError('response-begun', 500, 'the answer had begun before the proxy was asked')
    const { head, body } = readRequest(req, this.#options)
    // Gone while it waited.
    if (res.destroyed) return
    const exchange = new NodeExchange({ req, res, head, body, onFault: (error) => this.#tell(error) })
    if (!this.#hosted.serve(exchange)) throw this.#turnedAway()
    exchange.begin()
  }

  #upgradeText(req: IncomingMessage): ReturnType<typeof requestText> {
    const { 'content-length': length, 'transfer-encoding': coding } = req.headers
    const body =
      coding !== undefined
        ? { kind: 'chunked' as const, codings: coding }
        : { kind: 'length' as const, bytes: Number(length) }
    return requestText(req, {
      target: targetOf(req, this.#options),
      // A body is for the data plane to refuse.
      body: coding === undefined && length === undefined ? { kind: 'none' } : body,
      isUpgrade: true,
      awaitsContinue: false,
    })
  }

  #turnedAway(): HandlerError {
    if (this.#hosted.isClosing || this.#hosted.running?.status().draining) {
      return new HandlerError('closed', 503, 'the proxy is stopping')
    }
    return new HandlerError('busy', 503, 'the proxy has as many requests as its limits allow')
  }

  #tell(error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#hosted.log.event('error', 'answer_not_given', `an answer could not be given to the server: ${message}`)
  }

  /** At once where that is possible; `serve` may throw. */
  #whenRunning(serve: () => void, refused: (error: HandlerError) => void): void {
    const guarded = (): void => {
      try {
        serve()
      } catch (error) {
        refused(asHandlerError(error))
      }
    }
    if (this.#hosted.running !== null) guarded()
    else
      this.#hosted.ready.then(guarded, (error: unknown) =>
        refused(new HandlerError('start-failed', 503, 'the proxy could not start: `ready` says why', { cause: error })),
      )
  }
}

function asHandlerError(error: unknown): HandlerError {
  if (error instanceof HandlerError) return error
  return new HandlerError('failed', 500, 'the proxy handler failed', { cause: error })
}

function refuse(error: HandlerError, res: ServerResponse, next: Next | undefined): void {
  if (next !== undefined) next(error)
  else if (res.headersSent) res.destroy()
  else answer(res, error.status, error.message, error.headers)
}

function answer(res: ServerResponse, status: number, message: string, headers: Readonly<Record<string, string>>): void {
  if (res.destroyed) return
  res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers })
  res.end(`${status} ${STATUS_CODES[status]}\n${message}.\n`)
}

function refuseUpgrade(error: HandlerError, socket: Duplex): void {
  const reason = `${error.status} ${STATUS_CODES[error.status]}`
  const fields = Object.entries(error.headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const body = `${reason}\n${error.message}.\n`.replace(/[^\n\x20-\x7e]/g, '?')
  const head = `HTTP/1.1 ${reason}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n${fields.join('')}`
  farewell(socket, `${head}Connection: close\r\n\r\n${body}`)
}
