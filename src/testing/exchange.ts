// What the proxy did with one request or TCP connection: what tests ask about.
import type { EndedEntry, FailedAttempt } from '../observe/access-entry.ts'

/** One exchange that has ended, as the proxy itself tells of it. */
export interface Exchange {
  readonly protocol: 'http' | 'tcp'
  readonly listener: string
  /** As the client sent it; '' for TCP. */
  readonly method: string
  readonly target: string
  /** What the client got; 499 = it had gone, 0 = nothing was sent. */
  readonly status: number
  /** Name of the route that took it; '' = none, and for TCP. */
  readonly route: string
  /** '' = none was asked. */
  readonly pool: string
  /** URL of the last backend that was asked; '' = none. */
  readonly backend: string
  readonly attempts: number
  /** The attempts in vain, in their order. */
  readonly failures: readonly FailedAttempt[]
  /** Name of the error that it ended with, '' = none. */
  readonly error: string
  readonly durationMs: number
  /** '' for TCP. */
  readonly requestId: string
}

export type { FailedAttempt } from '../observe/access-entry.ts'

export function exchangeOf(entry: EndedEntry): Exchange {
  const { listener, status, pool, backend, attempts, error, durationUs } = entry
  const { method, target, route, requestId } = 'requestId' in entry ? entry : noRequest
  return {
    protocol: 'requestId' in entry ? 'http' : 'tcp',
    listener,
    method,
    target,
    status,
    route,
    pool,
    backend,
    attempts,
    failures: entry.failures ?? [],
    error,
    durationMs: durationUs / 1000,
    requestId,
  }
}

const noRequest = { method: '', target: '', route: '', requestId: '' } as const

/** In words: `GET /x: 200 from http://127.0.0.1:1 (pool api), after http://127.0.0.1:2 connect_refused (ECONNREFUSED)`. */
export function explain(exchange: Exchange): string {
  const { protocol, method, target, status, backend, pool, failures, error } = exchange
  const what = protocol === 'tcp' ? 'a TCP connection' : `${method} ${target}`
  const inVain = failures.map(({ backend: url, error: why, code }) => `${url} ${why}${code === '' ? '' : ` (${code})`}`)
  const answered = error === '' && backend !== ''
  const from = answered ? ` from ${backend} (pool ${pool})` : error === '' ? ' from the proxy itself' : ` (${error})`
  const after = inVain.length === 0 ? '' : `, after ${inVain.join(', ')}`
  return `${what}: ${protocol === 'tcp' && answered ? 'carried' : status}${from}${after}`
}
