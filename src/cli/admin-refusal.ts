// What the command line says when the admin API cannot be reached or refuses: what, why, and how to mend it.
import type { AdminTarget } from './admin-client.ts'
import { CliError, ExitCode } from './exit-code.ts'

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'the host name is not known',
  ECONNRESET: 'the connection was closed',
  HPE_INVALID_CONSTANT: 'what answers there does not speak HTTP',
  EPROTO: 'what answers there does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what answers there does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'what answers there does not speak TLS',
}

/** OpenSSL's names of what is wrong with a certificate, where an authority mends it. */
const untrusted: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

export function unreachable({ base }: AdminTarget, error: NodeJS.ErrnoException): CliError {
  const code = error.code ?? ''
  const message = `cannot reach the admin API at ${base.origin}: ${reasons[code] ?? (error.message || code)}`
  if (untrusted.has(code)) {
    return new CliError(message, { hint: '--admin-ca FILE names the authority that signed its certificate' })
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new CliError(message, { hint: 'name it with --admin as its certificate does' })
  }
  const isCut = code === 'ECONNRESET' && base.protocol === 'https:'
  if (isCut || /^ERR_SSL_TLSV\d+_ALERT_CERTIFICATE_REQUIRED$|HANDSHAKE_FAILURE$/.test(code)) {
    return new CliError(message, {
      hint: 'does it ask for a client certificate? --admin-cert FILE and --admin-key FILE',
    })
  }
  if (code === 'HPE_INVALID_CONSTANT' || code === 'ECONNRESET') {
    return new CliError(message, { hint: `if it speaks TLS: --admin ${base.origin.replace(/^http:/, 'https:')}` })
  }
  return new CliError(message, {
    hint:
      'is Frontdesk running ("frontdesk run", or "frontdesk proxy" with --admin-port)?' +
      ' --admin or FRONTDESK_ADMIN names another address',
  })
}

export function foreign({ base }: AdminTarget, status: number, what: string): CliError {
  return new CliError(`what answers at ${base.origin} is not Frontdesk's admin API (status ${status}, ${what})`, {
    hint: 'is it the port of a listener, or of another program? --admin or FRONTDESK_ADMIN names another address',
  })
}

interface FieldProblem {
  readonly path?: string
  readonly message?: string
  readonly hint?: string | null
  readonly file?: string | null
  readonly line?: number | null
  readonly column?: number | null
}

/** RFC 9457 problem details, as far as they are there. */
interface Problem {
  readonly title?: string
  readonly detail?: string
  readonly errors?: readonly FieldProblem[]
}

/** An answer that is no 2xx, kept by its error. */
export interface RefusedAnswer {
  readonly status: number
  readonly body: unknown
  /** What the command says to do about it. */
  readonly hint?: string | undefined
}

/** The admin API has refused the call; `status` and `body` are its answer. */
export class RefusedError extends CliError {
  readonly status: number
  readonly body: unknown

  constructor({ status, body }: RefusedAnswer, message: string, o: { exitCode?: number; hint?: string } = {}) {
    super(message, o)
    this.status = status
    this.body = body
  }
}

export function refused(target: AdminTarget, answer: RefusedAnswer): CliError {
  const { status, body, hint } = answer
  const problem = typeof body === 'object' && body !== null ? (body as Problem) : undefined
  const detail = problem?.detail ?? problem?.title
  const where = `the admin API at ${target.base.origin}`
  if (status === 401) {
    const given = target.token !== undefined
    return new RefusedError(answer, `${where} ${given ? 'does not know this token' : 'needs a token'} (401)`, {
      hint: `give its${given ? ' right' : ''} token with --token, --token-file or FRONTDESK_TOKEN`,
    })
  }
  if (status === 429)
    return new RefusedError(answer, `${where}: ${detail ?? 'too many calls'}`, { hint: 'wait a while' })
  if (detail === undefined) return foreign(target, status, body === undefined ? 'no JSON' : 'another JSON')
  if (status === 403) {
    const isReader = /\b(read|look)/i.test(detail)
    return new RefusedError(answer, `${where} refused the call (403): ${detail}`, {
      hint: isReader ? 'a change needs the full token: --token, --token-file or FRONTDESK_TOKEN' : '',
    })
  }
  const [, call] = status === 404 ? (/^There is no (\/\S*); \/openapi/.exec(detail) ?? []) : []
  if (call !== undefined) {
    return new RefusedError(answer, `the Frontdesk at ${target.base.origin} has no ${call}`, {
      hint: 'it is older than this program: "frontdesk status" and "frontdesk version" tell; restart it',
    })
  }
  if (hint !== undefined) return new RefusedError(answer, detail, { hint })
  if (status === 422) return invalid(answer, detail, problem?.errors ?? [])
  return new RefusedError(answer, detail, { hint: details(problem?.errors ?? [], detail) })
}

/** A configuration is wrong: every problem with its place, as `check` tells them. */
function invalid(answer: RefusedAnswer, detail: string, errors: readonly FieldProblem[]): CliError {
  const [first] = errors
  if (first === undefined) return new RefusedError(answer, detail, { exitCode: ExitCode.invalidConfig })
  const hint = errors.map(placed).join('\n')
  const count = `${errors.length} problem${errors.length === 1 ? '' : 's'} in the configuration`
  const message = /nothing was changed/i.test(detail) ? `${count}; nothing was changed` : `${count}: ${detail}`
  return new RefusedError(answer, message, { exitCode: ExitCode.invalidConfig, hint })
}

function placed({ file, line, column, path, message, hint }: FieldProblem): string {
  const place = !file ? '' : line ? `${file}:${line}:${column ?? 1}: ` : `${file}: `
  return `${place}${path ? `${path}: ` : ''}${message ?? ''}${hint ? `; ${hint}` : ''}`
}

/** What the errors say that the detail does not. */
function details(errors: readonly FieldProblem[], detail: string): string {
  // A field of the API that is an option here.
  const nameOf = (path: string): string => (path === 'pool' ? '--pool' : path)
  return errors
    .filter(({ message }) => message !== undefined && !detail.includes(message))
    .map(({ path, message, hint }) => `${path ? `${nameOf(path)}: ` : ''}${message}${hint ? `; ${hint}` : ''}`)
    .join('\n')
}
