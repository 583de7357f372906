// Where an error becomes an answer, the one place: its status, Proxy-Status (RFC 9209), and words in the form that is wanted.
import type { ErrorSpec } from '../core/errors.ts'
import type { AnswerForm } from './error-answer/accept.ts'
import { errorBody, type InsideFacts } from './error-answer/body.ts'
import { pagePolicy } from './error-answer/page.ts'
import { type AnswerFrame, type OwnAnswer, ownAnswerText } from './own-answer.ts'

/** Seconds after which a client may try again when no backend answers. */
const RETRY_AFTER_S = 1

export interface ErrorAudience {
  /** '' where no request could be read. */
  readonly requestId: string
  readonly form: AnswerForm
  /** What the system, TLS or a limit said, for Proxy-Status; '' for nothing. Never a backend's address. */
  readonly details: string
  /** Null for clients who are told nothing of the inside. */
  readonly inside: InsideFacts | null
}

/** What each form says of itself. Nobody may keep an error answer: which form it has needs no `Vary`. */
const formFields: Readonly<Record<AnswerForm, string>> = {
  text: 'Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n',
  html: `Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nContent-Security-Policy: ${pagePolicy}\r\nX-Content-Type-Options: nosniff\r\n`,
  json: 'Content-Type: application/problem+json\r\nCache-Control: no-store\r\n',
}

export function errorAnswer(error: ErrorSpec, { requestId, form, details, inside }: ErrorAudience): OwnAnswer {
  const { status } = error
  let fields = formFields[form]
  if (status === 503) fields += `Retry-After: ${RETRY_AFTER_S}\r\n`
  // What the system or TLS said is of the inside; which limit was reached is for whoever reached it.
  const said = inside !== null || status === 429 ? details : ''
  fields += `Proxy-Status: frontdesk${proxyStatusParameters(error, said)}\r\n`
  return { status, fields, body: errorBody(form, error, requestId, inside) }
}

/** The whole answer as latin1 text, where no request could be read. */
export function errorResponse(error: ErrorSpec, frame: AnswerFrame): string {
  return ownAnswerText(
    errorAnswer(error, { requestId: frame.requestId, form: 'text', details: '', inside: null }),
    frame,
  )
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
export const optionsAnswer: OwnAnswer = {
  status: 204,
  fields: 'Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS\r\n',
  body: '',
}
