// Answers that the proxy makes itself: errors, redirects, fixed answers, those of middleware.
import { STATUS_CODES } from 'node:http'
import type { ErrorSpec } from '../core/errors.ts'
import type { Answer } from '../core/plugin.ts'
import { fieldLine } from './hygiene/field-changes.ts'
import { isRefusal } from './middleware/refusal.ts'

export interface OwnAnswer {
  readonly status: number
  /** Whole lines, without those that every answer has. */
  readonly fields: string
  /** Bytes as a latin1 string. */
  readonly body: string
  /** Which error it is, for counters and log, where it is one: its words and fields are put before these. */
  readonly refusal?: { readonly error: ErrorSpec; readonly details: string }
}

/** What is the same for every answer of an exchange. */
export interface AnswerFrame {
  readonly date: string
  /** '' where no request could be read. */
  readonly requestId: string
  readonly keepAlive: boolean
  /** No body is sent for HEAD. */
  readonly isHead: boolean
  /** The line of Strict-Transport-Security, or ''. */
  readonly hsts: string
}

/** The whole answer as latin1 text. */
export function ownAnswerText({ status, fields, body }: OwnAnswer, frame: AnswerFrame): string {
  const hasBody = status !== 204 && status !== 304
  let head = `HTTP/1.1 ${status} ${reasonOf(status)}\r\n`
  // What a route has set itself is not said twice.
  if (!HAS_DATE.test(fields)) head += `Date: ${frame.date}\r\n`
  head += fields
  if (hasBody) head += `Content-Length: ${status === 205 ? 0 : body.length}\r\n`
  head += `Via: 1.1 frontdesk\r\n${frame.hsts}`
  if (frame.requestId !== '' && !HAS_ID.test(fields)) head += `X-Request-Id: ${frame.requestId}\r\n`
  if (!frame.keepAlive) head += 'Connection: close\r\n'
  return frame.isHead || !hasBody || status === 205 ? `${head}\r\n` : `${head}\r\n${body}`
}

const HAS_DATE = /^date:/im
const HAS_ID = /^x-request-id:/im

export function reasonOf(status: number): string {
  return status === 499 ? 'Client Closed Request' : (STATUS_CODES[status] ?? 'Unknown')
}

/** Length in bytes of the body of such an answer. */
export function bodyLength(response: string): number {
  return response.length - response.indexOf('\r\n\r\n') - 4
}

const CONTENT_TYPE = /^content-type:/im
const DATE_OR_ID = /^(?:date|x-request-id|via):/i

/** An answer of middleware, checked. Throws TypeError for what cannot be sent. */
export function fromMiddleware(answer: Answer): OwnAnswer {
  const { status, headers = {}, body = '' } = answer
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`${String(status)} is not a status that an answer can have; use 200 to 599`)
  }
  let fields = ''
  for (const [name, values] of Object.entries(headers)) {
    for (const value of typeof values === 'string' ? [values] : values) {
      const line = fieldLine(name, value)
      if (!DATE_OR_ID.test(line)) fields += line
    }
  }
  if (isRefusal(answer)) return { status, fields, body: '', refusal: answer }
  const bytes =
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (bytes.length > 0 && !CONTENT_TYPE.test(fields)) fields += 'Content-Type: text/plain; charset=utf-8\r\n'
  return { status, fields, body: bytes.latin1Slice() }
}
