// Calls of the admin API, and what went wrong with one.
import { authorization } from './token.ts'
import type { FieldProblem } from './types.ts'

/** An answer that is not a success (RFC 9457), or no answer at all: status 0. */
export class ApiError extends Error {
  readonly status: number
  readonly errors: readonly FieldProblem[]

  constructor(status: number, message: string, errors: readonly FieldProblem[] = []) {
    super(message)
    this.status = status
    this.errors = errors
  }
}

export interface CallOptions {
  readonly body?: unknown
  /** Body that is JSON text already. */
  readonly text?: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly ifMatch?: string
  readonly signal?: AbortSignal
}

export interface Answer<T> {
  readonly value: T
  readonly etag: string | null
}

/** Told of every 401: the session asks for a token then. */
let onUnauthorized: () => void = () => {}
export function whenUnauthorized(listener: () => void): void {
  onUnauthorized = listener
}

/** @throws ApiError */
export async function callWithTag<T>(method: string, path: string, options: CallOptions = {}): Promise<Answer<T>> {
  const { body, text, query = {}, ifMatch, signal } = options
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const search = new URLSearchParams(given).toString()
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(search === '' ? path : `${path}?${search}`, {
    method,
    headers: {
      accept: 'application/json',
      ...authorization(),
      ...(sent !== undefined && { 'content-type': 'application/json' }),
      ...(ifMatch !== undefined && { 'if-match': ifMatch }),
    },
    ...(sent !== undefined && { body: sent }),
    ...(signal !== undefined && { signal }),
    cache: 'no-store',
    credentials: 'omit',
  }).catch((error: Error) => {
    if (error.name === 'AbortError') throw error
    throw new ApiError(0, 'Frontdesk does not answer')
  })
  if (!response.ok) throw await problemOf(response)
  return { value: (await response.json()) as T, etag: response.headers.get('etag') }
}

/** The answer's document. @throws ApiError */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  return (await callWithTag<T>(method, path, options)).value
}

export async function problemOf(response: Response): Promise<ApiError> {
  if (response.status === 401) onUnauthorized()
  const document = (await response.json().catch(() => ({}))) as { detail?: string; title?: string; errors?: [] }
  const message = document.detail ?? document.title ?? `The answer was ${response.status} ${response.statusText}`
  return new ApiError(response.status, message, document.errors ?? [])
}

/** What to tell people of a failure. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message.endsWith('.') ? error.message : `${error.message}.`
}
