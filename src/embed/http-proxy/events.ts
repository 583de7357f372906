// The events of http-proxy, as its README lists them.
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ProxyTarget, ServerOptions } from './options.ts'
import type { ProxyError } from './proxy-error.ts'

export type { ProxyTarget } from './options.ts'
export type { ProxyError } from './proxy-error.ts'

export interface ProxyEvents {
  /** The target could not be asked, or gave no answer. Whoever listens has to end `res` (a socket, for an upgrade). */
  error: [error: ProxyError, req: IncomingMessage, res: ServerResponse | Duplex, target: ProxyTarget]
  /** Before anything is sent: the last chance to change the request. */
  proxyReq: [proxyReq: ClientRequest, req: IncomingMessage, res: ServerResponse, options: ServerOptions]
  proxyReqWs: [proxyReq: ClientRequest, req: IncomingMessage, socket: Duplex, options: ServerOptions, head: Uint8Array]
  /** The head of the answer is there; nothing of it has gone to the client. */
  proxyRes: [proxyRes: IncomingMessage, req: IncomingMessage, res: ServerResponse]
  /** An upgrade has succeeded: the socket of the target. */
  open: [proxySocket: Duplex]
  /** The same; deprecated. */
  proxySocket: [proxySocket: Duplex]
  /** An upgraded connection has ended. */
  close: [proxyRes: IncomingMessage, proxySocket: Duplex, proxyHead: Uint8Array]
  start: [req: IncomingMessage, res: ServerResponse, target: ProxyTarget]
  /** The target's answer has come whole. */
  end: [req: IncomingMessage, res: ServerResponse, proxyRes: IncomingMessage]
  /** The client has gone before its answer was complete. */
  econnreset: [error: ProxyError, req: IncomingMessage, res: ServerResponse, target: ProxyTarget]
}

export type ErrorCallback = (
  error: ProxyError,
  req: IncomingMessage,
  res: ServerResponse | Duplex,
  target: ProxyTarget,
) => void

/** Whoever listens to one request. */
export interface Calls {
  emit<E extends Exclude<keyof ProxyEvents, 'error'>>(event: E, ...values: ProxyEvents[E]): void
  /** False = nobody listens for errors. */
  fail(...values: ProxyEvents['error']): boolean
}
