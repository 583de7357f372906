// One health check of one backend: a TCP connection (with TLS for https), or an HTTP request and its status.
// Every address is tried in turn within the check's own timeout. Never throws: the answer is the result.

import { request } from 'node:http'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { BackendSpec, HealthCheckSpec } from '../../core/spec.ts'
import { formatDuration } from '../format-duration.ts'

export interface ProbeInput {
  readonly backend: BackendSpec
  readonly check: HealthCheckSpec
  /** IP addresses to try, best first; not read for a Unix socket. */
  readonly addresses: readonly string[]
  /** Aborting ends the check at once. */
  readonly signal: AbortSignal
  /** Certificates trusted instead of Node's list, PEM. */
  readonly ca?: string
}

export interface ProbeResult {
  readonly ok: boolean
  /** `connected`, `status 200`, `ECONNREFUSED`, `timeout after 2s`, … */
  readonly reason: string
}

export type Probe = (input: ProbeInput) => Promise<ProbeResult>

/** `final`: the backend answered, so no other address is tried. */
interface Attempt extends ProbeResult {
  readonly final: boolean
}

export const probe: Probe = async (input) => {
  const { backend, check } = input
  const places = backend.socketPath === null ? input.addresses : [backend.socketPath]
  const deadline = performance.now() + check.timeoutMs
  let reason = 'no address'
  for (const [index, place] of places.entries()) {
    // A silent address must leave time for the ones after it.
    const leftMs = Math.max(1, (deadline - performance.now()) / (places.length - index))
    const attempt = await tryAddress(input, place, leftMs)
    if (attempt.final || input.signal.aborted) return { ok: attempt.ok, reason: attempt.reason }
    reason = attempt.reason
  }
  return { ok: false, reason }
}

function open(input: ProbeInput, place: string): Socket {
  const { backend } = input
  const target = backend.socketPath === null ? { host: place, port: backend.port } : { path: place }
  if (backend.protocol === 'http') return connectTcp(target)
  const servername = isIP(backend.host) === 0 ? backend.host : ''
  const ca = input.ca === undefined ? {} : { ca: input.ca }
  // For an IP literal no SNI is sent (RFC 6066 section 3), the certificate is still checked against the address.
  return connectTls({ ...target, ...ca, servername, ALPNProtocols: ['http/1.1'], rejectUnauthorized: true })
}

function tryAddress(input: ProbeInput, place: string, timeoutMs: number): Promise<Attempt> {
  return new Promise((resolve) => {
    let socket: Socket | null = null
    const finish = (attempt: Attempt): void => {
      clearTimeout(timer)
      input.signal.removeEventListener('abort', onAbort)
      socket?.destroy()
      resolve(attempt)
    }
    const fail = (reason: string): void => finish({ ok: false, final: false, reason })
    const onAbort = (): void => fail('cancelled')
    const timer = setTimeout(() => fail(`timeout after ${formatDuration(input.check.timeoutMs)}`), timeoutMs)
    input.signal.addEventListener('abort', onAbort)
    try {
      socket = open(input, place)
      socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message))
      if (input.check.method === 'http') askHttp(input, socket, finish)
      else {
        const ready = input.backend.protocol === 'https' ? 'secureConnect' : 'connect'
        socket.once(ready, () => finish({ ok: true, final: true, reason: 'connected' }))
      }
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error))
    }
  })
}

function askHttp(input: ProbeInput, socket: Socket, finish: (attempt: Attempt) => void): void {
  const { backend, check } = input
  const headers = { host: check.host ?? backend.authority, 'user-agent': 'frontdesk-health', connection: 'close' }
  const path = `${backend.basePath}${check.path}`
  const outgoing = request({ method: 'GET', path, headers, createConnection: () => socket, setHost: false })
  outgoing.on('response', (response) => {
    const status = response.statusCode ?? 0
    response.on('error', () => undefined).destroy()
    finish({ ok: status >= check.expectFrom && status <= check.expectTo, final: true, reason: `status ${status}` })
  })
  outgoing.on('error', (error: NodeJS.ErrnoException) =>
    finish({ ok: false, final: false, reason: error.code ?? error.message }),
  )
  outgoing.end()
}
