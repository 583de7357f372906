// The answers of the proxy's own. The one place where an error becomes one: status line, Proxy-Status (RFC 9209), a
// sentence for a person.
import { STATUS_CODES } from 'node:http'
import type { ErrorSpec } from '../core/errors.ts'

export interface ErrorResponseOptions {
  readonly date: string
  /** '' where no request could be read. */
  readonly requestId: string
  readonly keepAlive: boolean
  /** No body is sent for HEAD. */
  readonly isHead: boolean
  /** The line of Strict-Transport-Security, or ''. */
  readonly hsts: string
  /** What the system or TLS said, for Proxy-Status details; '' for nothing. Never a backend's address. */
  readonly details: string
}

/** Seconds after which a client may try again when no backend answers. */
const RETRY_AFTER_S = 1

/** The whole answer as latin1 text. */
export function errorResponse(error: ErrorSpec, options: ErrorResponseOptions): string {
  const status = error.status
  const reason = status === 499 ? 'Client Closed Request' : (STATUS_CODES[status] ?? 'Error')
  const body = `${status} ${reason}\n${error.summary}.\n${options.requestId === '' ? '' : `Request id: ${options.requestId}\n`}`
  let head = `HTTP/1.1 ${status} ${reason}\r\nDate: ${options.date}\r\nContent-Type: text/plain; charset=utf-8\r\n`
  head += `Content-Length: ${body.length}\r\nCache-Control: no-store\r\n`
  if (status === 503) head += `Retry-After: ${RETRY_AFTER_S}\r\n`
  head += `Via: 1.1 frontdesk\r\nProxy-Status: frontdesk${proxyStatusParameters(error, options.details)}\r\n`
  head += options.hsts
  if (options.requestId !== '') head += `X-Request-Id: ${options.requestId}\r\n`
  head += options.keepAlive ? '\r\n' : 'Connection: close\r\n\r\n'
  return options.isHead ? head : head + body
}

/** Length in bytes of the body of such an answer. */
export function bodyLength(response: string): number {
  return response.length - response.indexOf('\r\n\r\n') - 4
}

/** As net/tls/backend-failure.ts writes an alert that a backend sent. */
const ALERT = /^(\w+) \(alert (\d+)\)$/

function proxyStatusParameters(error: ErrorSpec, details: string): string {
  const type = error.proxyStatus === null ? '' : `; error=${error.proxyStatus}`
  const alert = error.proxyStatus === 'tls_alert_received' ? ALERT.exec(details) : null
  // RFC 9209 §2.3.15.
  if (alert !== null) return `${type}; alert-id=${alert[2]}; alert-message="${alert[1]}"`
  return details === '' ? type : `${type}; details="${details.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '')}"`
}

/** OPTIONS with Max-Forwards: 0 asks this proxy itself (RFC 9110 §7.6.2). */
export function optionsAnswer(date: string, keepAlive: boolean, hsts: string): string {
  const connection = keepAlive ? '' : 'Connection: close\r\n'
  const allow = 'Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS'
  return `HTTP/1.1 204 No Content\r\nDate: ${date}\r\n${allow}\r\nVia: 1.1 frontdesk\r\n${hsts}${connection}\r\n`
}
