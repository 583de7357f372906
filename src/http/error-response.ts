// Where an error becomes an answer, the one place: its status, Proxy-Status (RFC 9209), a sentence for a person.
import type { ErrorSpec } from '../core/errors.ts'
import { type AnswerFrame, type OwnAnswer, ownAnswerText, reasonOf } from './own-answer.ts'

/** Seconds after which a client may try again when no backend answers. */
const RETRY_AFTER_S = 1

/** `details`: what the system or TLS said, for Proxy-Status; '' for nothing. Never a backend's address. */
export function errorAnswer(error: ErrorSpec, requestId: string, details: string): OwnAnswer {
  const { status } = error
  const body = `${status} ${reasonOf(status)}\n${error.summary}.\n${requestId === '' ? '' : `Request id: ${requestId}\n`}`
  let fields = 'Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n'
  if (status === 503) fields += `Retry-After: ${RETRY_AFTER_S}\r\n`
  fields += `Proxy-Status: frontdesk${proxyStatusParameters(error, details)}\r\n`
  return { status, fields, body }
}

/** The whole answer as latin1 text, where no route has a say in it. */
export function errorResponse(error: ErrorSpec, frame: AnswerFrame): string {
  return ownAnswerText(errorAnswer(error, frame.requestId, ''), frame)
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
