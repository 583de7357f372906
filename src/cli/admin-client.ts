// Calls the admin API of a running Frontdesk; every way it can fail becomes one clear line with a remedy.
import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { CliError } from './exit-code.ts'

const DEFAULT_TIMEOUT_MS = 30_000

export interface AdminTarget {
  /** Scheme, host and port; no path. */
  readonly base: URL
  readonly token: string | undefined
}

export interface AdminCall {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** 0 = wait for ever; default 30 s. */
  readonly timeoutMs?: number
  /** What to do about a refusal, by status, in words of the command line; else the API's own details are the hint. */
  readonly hints?: Readonly<Record<number, string>>
}

export interface AdminAnswer {
  readonly status: number
  readonly body: unknown
}

/** The JSON answer of a 2xx; anything else throws a CliError with exit code 1. */
export async function callAdmin(target: AdminTarget, call: AdminCall): Promise<AdminAnswer> {
  const raw = await exchange(target, call).catch((error: NodeJS.ErrnoException) => {
    throw unreachable(target, error)
  })
  const body = parseJson(raw.text)
  if (raw.status >= 200 && raw.status < 300) {
    if (body === undefined) throw foreign(target, raw.status)
    return { status: raw.status, body }
  }
  throw refused(target, { status: raw.status, body, hint: call.hints?.[raw.status] })
}

/** "8081", "host:8081" and a whole URL all name an admin API. */
export function parseAdminUrl(text: string): URL {
  const full = /^\d+$/.test(text) ? `http://127.0.0.1:${text}` : /^https?:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.parse(full)
  if (url === null || url.hostname === '') {
    throw new CliError(`"${text}" is not the address of an admin API`, {
      exitCode: 2,
      hint: 'write it like http://127.0.0.1:8081 (--admin or FRONTDESK_ADMIN)',
    })
  }
  return new URL(url.origin)
}

interface RawAnswer {
  readonly status: number
  readonly text: string
}

function exchange(target: AdminTarget, call: AdminCall): Promise<RawAnswer> {
  const payload = call.body === undefined ? undefined : JSON.stringify(call.body)
  const headers: Record<string, string> = { accept: 'application/json' }
  if (target.token !== undefined) headers.authorization = `Bearer ${target.token}`
  if (payload !== undefined) {
    headers['content-type'] = 'application/json'
    headers['content-length'] = String(Buffer.byteLength(payload))
  }
  const send = target.base.protocol === 'https:' ? requestTls : request
  return new Promise((resolve, reject) => {
    const timeout = call.timeoutMs ?? DEFAULT_TIMEOUT_MS
    const outgoing = send(new URL(call.path, target.base), { method: call.method ?? 'GET', headers, agent: false })
    if (timeout > 0)
      outgoing.setTimeout(timeout, () => outgoing.destroy(new Error(`no answer within ${timeout / 1000} s`)))
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    outgoing.end(payload)
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'the host name is not known',
  ECONNRESET: 'the connection was closed',
  HPE_INVALID_CONSTANT: 'what answers there does not speak HTTP',
}

function unreachable(target: AdminTarget, error: NodeJS.ErrnoException): CliError {
  const reason = reasons[error.code ?? ''] ?? (error.message || error.code)
  return new CliError(`cannot reach the admin API at ${target.base.origin}: ${reason}`, {
    hint: 'is Frontdesk running ("frontdesk run")? --admin or FRONTDESK_ADMIN names another address',
  })
}

function foreign(target: AdminTarget, status: number): CliError {
  return new CliError(
    `what answers at ${target.base.origin} is not Frontdesk's admin API (status ${status}, no JSON)`,
    {
      hint: '--admin or FRONTDESK_ADMIN names another address',
    },
  )
}

/** RFC 9457 problem details, as far as they are there. */
interface Problem {
  readonly title?: string
  readonly detail?: string
  readonly errors?: readonly { readonly path?: string; readonly message?: string; readonly hint?: string | null }[]
}

function refused(
  target: AdminTarget,
  { status, body, hint }: AdminAnswer & { readonly hint: string | undefined },
): CliError {
  if (status === 401 || status === 403) {
    return new CliError(`the admin API at ${target.base.origin} refused the call (${status})`, {
      hint: 'give its token with --token or FRONTDESK_ADMIN_TOKEN',
    })
  }
  const problem = typeof body === 'object' && body !== null ? (body as Problem) : undefined
  if (problem?.title === undefined && problem?.detail === undefined) return foreign(target, status)
  const message = problem.detail ?? problem.title ?? ''
  if (hint !== undefined) return new CliError(message, { hint })
  // A field of the API that is an option here.
  const nameOf = (path: string): string => (path === 'pool' ? '--pool' : path)
  const details = (problem.errors ?? [])
    .filter((error) => error.message !== undefined && !message.includes(error.message))
    .map(({ path, message: what, hint: how }) => `${path ? `${nameOf(path)}: ` : ''}${what}${how ? `; ${how}` : ''}`)
  return new CliError(message, { hint: details.join('\n') })
}
