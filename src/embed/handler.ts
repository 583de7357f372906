// What a program holds of a proxy handler. Types only.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Backends } from '../control/backends.ts'
import type { Cache } from '../control/cache/cache.ts'
import type { EventReader, ReadOptions } from '../control/event-bus.ts'
import type { StopReason } from '../control/events.ts'
import type { StatusDocument } from '../control/status-document.ts'
import type { FrontdeskConfig } from '../core/frontdesk-config.ts'
import type { ApplyResult, CloseOptions } from '../library/frontdesk.ts'
import type { LogEvent } from '../library/program-log.ts'

/** A configuration without what belongs to programs that listen by themselves. */
export type HandlerConfig = Omit<FrontdeskConfig, 'port' | 'listeners' | 'tls' | 'workers'>

export interface RequestOptions {
  /**
   * Under a mount path (`app.use('/api', handler)`): `rest`, the default, is `req.url`, from which Express and Connect
   * have cut the mount path; `original` is what the client asked for.
   */
  readonly url?: 'rest' | 'original' | undefined
  /**
   * The body's bytes where something else has read it before (`express.json()`): from `req.rawBody`, say, or
   * `JSON.stringify(req.body)`. Undefined = it is still to be read.
   */
  readonly body?: ((req: IncomingMessage) => string | Uint8Array | undefined) | undefined
}

export interface HandlerOptions extends RequestOptions {
  /**
   * Whether a request is this proxy's business. If not, the next handler gets it (404 where there is none); an upgrade
   * is left to the server's other listeners. Default: all are.
   */
  readonly filter?: ((req: IncomingMessage) => boolean) | undefined
  /** Called with each event of the log, from `logging.level` up; without it nothing is said. What it throws is ignored. */
  readonly log?: ((event: LogEvent) => void) | undefined
}

export type Req = IncomingMessage | Http2ServerRequest
export type Res = ServerResponse | Http2ServerResponse
/** Express and Connect: without an argument the next handler, with one the error handlers. */
export type Next = (error?: unknown) => void

/** What is needed of a Fastify instance. */
export interface FastifyScope {
  removeAllContentTypeParsers(): unknown
  addContentTypeParser(
    type: string,
    parser: (request: never, payload: never, done: (error: Error | null, body?: unknown) => void) => void,
  ): unknown
  all(path: string, handler: (request: FastifyRequest, reply: FastifyReply) => unknown): unknown
}

export interface FastifyRequest {
  readonly raw: Req
}

export interface FastifyReply {
  readonly raw: Res
  hijack(): unknown
}

/** What is needed of a context of Hono: the bindings of @hono/node-server. */
export interface HonoContext {
  readonly env: unknown
}

export interface ProxyHandler extends AsyncDisposable {
  /** Never throws. What keeps a request from a backend goes to `next` as a HandlerError, or is answered. */
  (req: Req, res: Res, next?: Next): void
  /** For a server's `upgrade` event: WebSocket and other protocols. */
  readonly upgrade: (req: IncomingMessage, socket: Duplex, head: Uint8Array) => void
  /** Fastify: `app.register(handler.fastify, { prefix: '/api' })`. */
  readonly fastify: (scope: FastifyScope, options: unknown, done: (error?: Error) => void) => void
  /** Hono on @hono/node-server: `app.all('/api/*', handler.hono)`. */
  readonly hono: (context: HonoContext) => Promise<Response>
  /** Fulfilled when requests are served; those that come earlier wait for it. Rejects when it cannot start. */
  readonly ready: Promise<void>
  readonly backends: Backends
  /** What is cached, and purging. */
  readonly cache: Cache
  /** As `GET /status`. @throws FrontdeskError not-started, closed */
  readonly status: () => StatusDocument
  /**
   * Another configuration, for requests from now on. Rejects as `Frontdesk.apply`.
   * (Not `apply`: that is what every function has to be called by.)
   */
  readonly reload: (config: HandlerConfig) => Promise<ApplyResult>
  /** What happens from now on. */
  readonly events: (options?: ReadOptions) => EventReader
  /**
   * Nothing new is served (503); what is in flight may finish for `graceMs` (default `shutdown.grace`, 30 s), and is
   * cut then. The program's server is not touched.
   */
  readonly close: (options?: CloseOptions) => Promise<StopReason>
}
