// What goes wrong between proxy and target, and what a client is told of it where nobody listens for `error`.
import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { farewell } from '../farewell.ts'

/** Which is known of an error: of the system, of Node, or ours. */
export type ProxyError = NodeJS.ErrnoException

/** Never connected: another try may do. */
const UNREACHED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT', 'EACCES'])
/** The program has not left enough of the request, or its options make no request. */
const OWN = new Set(['ERR_BODY_CONSUMED', 'ERR_NO_TARGET', 'ERR_LISTENER'])

function statusOf({ code = '' }: ProxyError): number {
  if (UNREACHED.has(code)) return 503
  if (code === 'ETIMEDOUT') return 504
  return OWN.has(code) ? 500 : 502
}

export function errorWith(code: string, message: string, cause?: unknown): ProxyError {
  return Object.assign(new Error(message, { cause }), { code })
}

/** Says which kind of failure it was; never an address. */
export function answerError(error: ProxyError, res: ServerResponse): void {
  if (res.headersSent || res.destroyed) return
  const status = statusOf(error)
  const body = bodyOf(status)
  for (const name of res.getHeaderNames()) res.removeHeader(name)
  res.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
    ...(status === 503 && { 'Retry-After': '1' }),
  })
  res.end(body)
}

export function answerErrorOnSocket(error: ProxyError, socket: Duplex): void {
  if (socket.destroyed) return
  const status = statusOf(error)
  const body = bodyOf(status)
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n`
  farewell(socket, `${head}Connection: close\r\n\r\n${body}`)
}

const bodyOf = (status: number): string => `${status} ${STATUS_CODES[status]}\n`
