// Errors of the admin API as RFC 9457 problem details: one shape for all of them, the wrong fields named.

import { type ConfigError, formatProblem } from '../../config/problem.ts'
import { type ControlError, type ControlErrorKind, type FieldProblem, fieldProblem } from '../control-error.ts'
import type { ReloadResult } from '../port.ts'

export const problemType = 'application/problem+json'

const titles: Readonly<Record<number, string>> = {
  400: 'Invalid request',
  401: 'Authentication needed',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'Conflict',
  412: 'Precondition failed',
  413: 'Request body too large',
  415: 'Unsupported media type',
  422: 'Invalid configuration',
  429: 'Too many attempts',
  500: 'Internal error',
  503: 'Not available',
  504: 'Timeout',
  507: 'Insufficient storage',
}

const statusOf: Readonly<Record<ControlErrorKind, number>> = {
  invalid: 400,
  'not-found': 404,
  duplicate: 409,
  conflict: 409,
  'no-space': 507,
  failed: 500,
  unavailable: 503,
  stale: 412,
  'needs-restart': 409,
  timeout: 504,
}

export interface ProblemInput {
  readonly status: number
  /** What happened, one sentence without the closing dot. */
  readonly detail: string
  /** Default: that of the status. */
  readonly title?: string
  readonly errors?: readonly FieldProblem[]
  readonly headers?: Readonly<Record<string, string>>
}

/** The answer. Its type is `about:blank`: the status says which kind of problem it is. */
export function problem({ status, detail, title, errors = [], headers = {} }: ProblemInput): Response {
  const body = { type: 'about:blank', title: title ?? titles[status] ?? 'Error', status, detail, errors }
  return new Response(`${JSON.stringify(body)}\n`, { status, headers: { 'content-type': problemType, ...headers } })
}

export const controlProblem = ({ kind, message, errors }: ControlError): Response =>
  problem({ status: statusOf[kind], detail: message, errors })

/** A configuration file that cannot be used: every problem with its place. */
export function configProblem({ problems }: ConfigError): Response {
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  const what = first === undefined ? 'The configuration cannot be used' : formatProblem(first)
  const detail = `${sentence(what + more)} Nothing was changed`
  return problem({ status: 422, detail, errors: problems.map(fieldProblem) })
}

/** Closed with a dot, unless it is closed already: hints may be questions. */
const sentence = (text: string): string => (/[.?!]$/.test(text) ? text : `${text}.`)

/** A reload that could not be done, or not wholly. */
export function reloadProblem(result: ReloadResult): Response {
  if (!result.applied) {
    const keys = result.needsRestart
    const errors = keys.map((path) => ({ path, message: 'can only change with a restart' }))
    return problem({
      status: 409,
      detail: `${keys.join(', ')} can only change with a restart. Nothing was changed`,
      errors,
    })
  }
  const { refused, revision } = result
  const what = refused.map(({ message, hint = null }) => (hint === null ? message : `${message}; ${hint}`)).join('; ')
  const detail = `${sentence(what)} The old one stays in use; everything else is applied (revision ${revision})`
  return problem({ status: 422, detail, errors: refused })
}
