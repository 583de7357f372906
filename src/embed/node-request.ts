// What of a request of node:http is passed on: its URL, its head, and its body if that is still there to be read.
import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { rawValue } from './current-fields.ts'
import type { RequestOptions } from './handler.ts'
import { HandlerError } from './handler-error.ts'
import type { NodeRequest } from './node-exchange.ts'
import { type BodyForm, requestText } from './request-text.ts'

type Body = NodeRequest['body']

export function targetOf(req: IncomingMessage, { url }: RequestOptions): string {
  const { originalUrl } = req as { originalUrl?: unknown }
  return url === 'original' && typeof originalUrl === 'string' ? originalUrl : (req.url ?? '/')
}

/** @throws HandlerError for what cannot be passed on. */
export function readRequest(req: IncomingMessage, options: RequestOptions): { head: string; body: Body } {
  const given = options.body?.(req)
  const body: Body = given === undefined ? bodyOf(req) : typeof given === 'string' ? Buffer.from(given) : given
  const { text, problem } = requestText(req, {
    target: targetOf(req, options),
    body: formOf(req, body),
    isUpgrade: false,
    awaitsContinue: awaitsContinue(req),
  })
  if (problem !== '') throw new HandlerError('unsendable', 400, `the request cannot be passed on: ${problem}`)
  return { head: text, body }
}

function bodyOf(req: IncomingMessage): Exclude<Body, Uint8Array> {
  const announced = announcedBody(req)
  if (announced === 'none') return 'none'
  if (req.readableDidRead) {
    throw new HandlerError(
      'body-consumed',
      500,
      'the body of the request was read before it came to the proxy: put the proxy before express.json() and other ' +
        'body parsers, or give it the bytes with the option "body"',
    )
  }
  // There was nothing in it.
  return req.readableEnded ? 'none' : announced
}

/** By what came, whatever the program has made of `req.headers`. HTTP/2 need not say that there is one. */
export function announcedBody(req: IncomingMessage): 'none' | 'length' | 'chunked' {
  if (rawValue(req, 'transfer-encoding') !== undefined) return 'chunked'
  const length = rawValue(req, 'content-length')
  if (length !== undefined) return Number(length) === 0 ? 'none' : 'length'
  if (req.httpVersionMajor < 2) return 'none'
  return (req as unknown as Http2ServerRequest).stream?.endAfterHeaders === true ? 'none' : 'chunked'
}

function formOf(req: IncomingMessage, body: Body): BodyForm {
  if (typeof body !== 'string') return { kind: 'length', bytes: body.length }
  // Of Node comes what was in the chunks: another coding is still on it.
  if (body === 'chunked') return { kind: 'chunked', codings: rawValue(req, 'transfer-encoding') ?? 'chunked' }
  // An empty body that was announced stays announced.
  const isAnnounced = rawValue(req, 'content-length') ?? rawValue(req, 'transfer-encoding')
  if (body === 'none') return isAnnounced === undefined ? { kind: 'none' } : { kind: 'length', bytes: 0 }
  return { kind: 'length', bytes: Number(rawValue(req, 'content-length')) }
}

export const hasBody = (req: IncomingMessage): boolean => announcedBody(req) !== 'none'

/** Without a listener for `checkContinue` Node has told the client already. */
export function awaitsContinue({ socket }: IncomingMessage): boolean {
  const { server } = socket as { server?: EventEmitter }
  return server !== undefined && server.listenerCount('checkContinue') > 0
}
