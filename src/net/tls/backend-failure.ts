// Why TLS with a backend did not come to stand: the error it is to an exchange, and the reason in words.
import { type ErrorSpec, errors } from '../../core/errors.ts'
import { certificateReason } from './certificate-reason.ts'

export interface TlsFailure {
  readonly error: ErrorSpec
  /** For Proxy-Status: names nothing of the backend. */
  readonly reason: string
}

const CLOSED = 'the connection was closed in the handshake'

/** What the socket said of a handshake that failed; null = it was closed without a word. */
export function tlsFailure(error: NodeJS.ErrnoException | null): TlsFailure {
  const code = error?.code ?? ''
  if (error === null || code === '' || /^E[A-Z]+$/.test(code)) return { error: errors.tls_failed, reason: CLOSED }
  const certificate = certificateReason(code, 'server')
  if (certificate !== null) return { error: errors.tls_certificate, reason: certificate }
  if (!code.startsWith('ERR_')) return { error: errors.tls_certificate, reason: wordsOf(code) }
  const alert = alertOf(error)
  if (alert !== null) return { error: errors.tls_alert, reason: alert.reason }
  const { reason = wordsOf(code) } = error as { reason?: string }
  const notTls = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|BAD_RECORD_TYPE|HTTP_REQUEST/.test(code)
  return { error: errors.tls_failed, reason: notTls ? `the answer is not TLS (${reason})` : reason }
}

/**
 * With TLS 1.3 a server looks at our certificate when for us the handshake is over: its refusal comes where an answer
 * was expected. Null = this is no such refusal.
 */
export function lateRefusal(error: NodeJS.ErrnoException | null): TlsFailure | null {
  const alert = error === null ? null : alertOf(error)
  return alert !== null && AUTHENTICATION.has(alert.number) ? { error: errors.tls_alert, reason: alert.reason } : null
}

/** Alerts that say no to a certificate: nothing after the handshake raises them (RFC 8446 §6.2). */
const AUTHENTICATION: ReadonlySet<number> = new Set([42, 43, 44, 45, 46, 48, 49, 116])

/** `certificate_required (alert 116)`: names and numbers as IANA lists them. */
function alertOf(error: NodeJS.ErrnoException): { readonly number: number; readonly reason: string } | null {
  const number = /SSL alert number (\d+)/.exec(error.message)?.[1]
  if (number === undefined) return null
  const { reason = '' } = error as { reason?: string }
  const name = reason.replace(/^.*\balert /, '').replaceAll(' ', '_')
  return { number: Number(number), reason: `${name} (alert ${number})` }
}

function wordsOf(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ')
}
