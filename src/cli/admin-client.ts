// Calls the admin API of a running Frontdesk; every way it can fail becomes one clear line with a remedy.
import { type IncomingMessage, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { foreign, refused, unreachable } from './admin-refusal.ts'
import { type AdminTls, tlsOptions } from './admin-tls.ts'
import { CliError, ExitCode } from './exit-code.ts'

const DEFAULT_TIMEOUT_MS = 30_000

export interface AdminTarget {
  /** Scheme, host and port; no path. */
  readonly base: URL
  readonly token: string | undefined
  /** For https: whom to believe, and who we are. */
  readonly tls?: AdminTls | undefined
}

export interface AdminCall {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** Silence that is borne; 0 = for ever; default 30 s. */
  readonly timeoutMs?: number
  /** What to do about a refusal, by status, in words of the command line; else the API's own details are the hint. */
  readonly hints?: Readonly<Record<number, string>>
  /** Further header fields. */
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  /** A list, or an object with this member; other servers answer JSON as well. */
  readonly expects?: 'a list' | (string & {})
}

export interface AdminAnswer {
  readonly status: number
  readonly body: unknown
}

/** The JSON answer of a 2xx; anything else throws a CliError with exit code 1, or 78 where a configuration is wrong. */
export async function callAdmin(target: AdminTarget, call: AdminCall): Promise<AdminAnswer> {
  const answer = await openAdmin(target, call)
  const status = answer.statusCode ?? 0
  const body = parseJson(await textOf(target, answer))
  if (body === undefined) throw foreign(target, status, 'no JSON')
  if (call.expects !== undefined && !has(body, call.expects)) throw foreign(target, status, 'another JSON')
  return { status, body }
}

/** The answer of a 2xx once its head is there, its body still to be read. Throws as `callAdmin`. */
export async function openAdmin(target: AdminTarget, call: AdminCall): Promise<IncomingMessage> {
  const answer = await exchange(target, call).catch((error: NodeJS.ErrnoException) => {
    throw unreachable(target, error)
  })
  const status = answer.statusCode ?? 0
  if (status >= 200 && status < 300) return answer
  const body = parseJson(await textOf(target, answer))
  throw refused(target, { status, body, hint: call.hints?.[status] })
}

/** "8081", "host:8081" and a whole URL all name an admin API. */
export function parseAdminUrl(text: string): URL {
  const full = /^\d+$/.test(text) ? `http://127.0.0.1:${text}` : /^https?:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.parse(full)
  if (url === null || url.hostname === '') {
    throw new CliError(`"${text}" is not the address of an admin API`, {
      exitCode: ExitCode.usage,
      hint: 'write it like http://127.0.0.1:8081 (--admin or FRONTDESK_ADMIN)',
    })
  }
  return new URL(url.origin)
}

function exchange(target: AdminTarget, call: AdminCall): Promise<IncomingMessage> {
  const payload = call.body === undefined ? undefined : JSON.stringify(call.body)
  const headers: Record<string, string> = { accept: 'application/json', ...call.headers }
  if (target.token !== undefined) headers.authorization = `Bearer ${target.token}`
  if (payload !== undefined) {
    headers['content-type'] = 'application/json'
    headers['content-length'] = String(Buffer.byteLength(payload))
  }
  const isTls = target.base.protocol === 'https:'
  const options = {
    method: call.method ?? 'GET',
    headers,
    agent: false as const,
    ...(call.signal !== undefined && { signal: call.signal }),
    ...(isTls && tlsOptions(target.tls)),
  }
  return new Promise((resolve, reject) => {
    const timeout = call.timeoutMs ?? DEFAULT_TIMEOUT_MS
    const outgoing = (isTls ? requestTls : request)(new URL(call.path, target.base), options)
    if (timeout > 0)
      outgoing.setTimeout(timeout, () => outgoing.destroy(new Error(`no answer within ${timeout / 1000} s`)))
    outgoing.on('error', reject)
    outgoing.on('response', resolve)
    outgoing.end(payload)
  })
}

async function textOf(target: AdminTarget, answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of answer) chunks.push(chunk as Buffer)
  } catch (error) {
    throw unreachable(target, error as NodeJS.ErrnoException)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function has(body: unknown, expected: string): boolean {
  if (expected === 'a list') return Array.isArray(body)
  return typeof body === 'object' && body !== null && Object.hasOwn(body, expected)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
