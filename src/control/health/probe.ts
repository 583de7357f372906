// One health check of one backend: a connection, with a PROXY header and TLS as exchanges have them; then nothing more, a
// few bytes each way, or an HTTP request and its status. Every address is tried in turn within the check's own timeout.
// Never throws: the answer is the result.

import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { BackendSpec, HealthCheckSpec, PoolSpec } from '../../core/spec.ts'
import { proxyHeader } from '../../net/proxy-protocol/compose.ts'
import { type BackendContext, BackendTls } from '../../net/tls/backend-context.ts'
import { lateRefusal, tlsFailure } from '../../net/tls/backend-failure.ts'
import { formatDuration } from '../format-duration.ts'
import { afterFairTime } from './fair-timer.ts'

export interface ProbeInput {
  readonly backend: BackendSpec
  readonly check: HealthCheckSpec
  /** IP addresses to try, best first; not read for a Unix socket. */
  readonly addresses: readonly string[]
  /** Aborting ends the check at once. */
  readonly signal: AbortSignal
  /** Null = no TLS. */
  readonly tls: BackendContext | null
  readonly sendProxyProtocol: PoolSpec['sendProxyProtocol']
  /** The connection stands, with TLS where that is spoken; what the check itself asks for comes next. */
  readonly onConnected?: (socket: Socket) => void
  /** An address could not be connected to; another one may follow. */
  readonly onFailure?: (failure: ProbeFailure) => void
}

/** Why a connection did not come to stand. */
export interface ProbeFailure {
  readonly error: NodeJS.ErrnoException
  /** As the result has it. */
  readonly reason: string
  /** It stood, but TLS did not. */
  readonly secured: boolean
}

export interface ProbeResult {
  readonly ok: boolean
  /** `connected`, `status 200`, `connection refused (ECONNREFUSED)`, `certificate has expired`, `timeout after 2s`, … */
  readonly reason: string
}

export type Probe = (input: ProbeInput) => Promise<ProbeResult>

/** `final`: the backend answered, so no other address is tried. */
interface Attempt extends ProbeResult {
  readonly final: boolean
}

type Finish = (attempt: Attempt) => void

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

function tryAddress(input: ProbeInput, place: string, timeoutMs: number): Promise<Attempt> {
  return new Promise((resolve) => {
    let socket: Socket | null = null
    const finish: Finish = (attempt) => {
      stop()
      input.signal.removeEventListener('abort', onAbort)
      // A backend that did well is not left with half a TLS connection to complain of.
      if (attempt.ok) socket?.destroySoon()
      else socket?.destroy()
      resolve(attempt)
    }
    const fail = (reason: string): void => finish({ ok: false, final: false, reason })
    const onAbort = (): void => fail('cancelled')
    const stop = afterFairTime(timeoutMs, () => fail(`timeout after ${formatDuration(input.check.timeoutMs)}`))
    input.signal.addEventListener('abort', onAbort)
    try {
      open(input, place, (opened) => (socket = opened), fail, finish)
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error))
    }
  })
}

function open(
  input: ProbeInput,
  place: string,
  owns: (socket: Socket) => void,
  fail: (reason: string) => void,
  finish: Finish,
): void {
  const { backend, sendProxyProtocol, tls } = input
  const socket = connect(backend.socketPath === null ? { host: place, port: backend.port } : { path: place })
  owns(socket)
  let connected = false
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const reason = reasonOf(error)
    if (!connected) input.onFailure?.({ error, reason, secured: false })
    fail(reason)
  })
  const secure = (): void => {
    if (tls === null) {
      input.onConnected?.(socket)
      ask(input, socket, finish)
      return
    }
    if (socket.destroyed) return
    const backendTls = new BackendTls(tls, backend)
    const secured = backendTls.start(socket)
    owns(secured)
    let verified = false
    secured.on('error', (error: NodeJS.ErrnoException) => {
      const reason = verified ? reasonOf(error) : handshakeReason(error, backendTls.name)
      if (!verified) input.onFailure?.({ error, reason, secured: true })
      fail(reason)
    })
    secured.once('secureConnect', () => {
      verified = true
      input.onConnected?.(secured)
      ask(input, secured, finish)
    })
  }
  socket.once('connect', () => {
    connected = true
    if (sendProxyProtocol === null) secure()
    else socket.write(proxyHeader(sendProxyProtocol, null, null), secure)
  })
}

function ask(input: ProbeInput, socket: Socket, finish: Finish): void {
  if (input.check.method === 'http') askHttp(input, socket, finish)
  else converse(input.check, socket, finish)
}

/** Says what is to be said, if anything, and compares what comes with the beginning that is expected. */
function converse({ send, receive }: HealthCheckSpec, socket: Socket, finish: Finish): void {
  if (receive === '') {
    const done = (): void => finish({ ok: true, final: true, reason: 'connected' })
    if (send === '') done()
    else socket.write(send, 'latin1', (error) => error == null && done())
    return
  }
  // No more than this is ever kept.
  let missing = receive
  socket.on('data', (bytes) => {
    const came = bytes.subarray(0, missing.length).toString('latin1')
    if (!missing.startsWith(came)) {
      const answer = receive.slice(0, receive.length - missing.length) + came
      finish({ ok: false, final: true, reason: `unexpected answer ${quoted(answer)}` })
      return
    }
    missing = missing.slice(came.length)
    if (missing === '') finish({ ok: true, final: true, reason: 'expected answer' })
  })
  socket.on('end', () => finish({ ok: false, final: false, reason: 'closed before the expected answer' }))
  if (send !== '') socket.write(send, 'latin1')
}

function quoted(answer: string): string {
  const start = answer.slice(0, 40)
  return `${JSON.stringify(start)}${start === answer ? '' : '…'}`
}

function askHttp(input: ProbeInput, socket: Socket, finish: Finish): void {
  const { backend, check } = input
  const headers = { host: check.host ?? backend.authority, 'user-agent': 'frontdesk-health', connection: 'close' }
  const path = `${backend.basePath}${check.path}`
  const outgoing = request({ method: 'GET', path, headers, createConnection: () => socket, setHost: false })
  outgoing.on('response', (response) => {
    const status = response.statusCode ?? 0
    response.on('error', () => undefined).destroy()
    finish({ ok: status >= check.expectFrom && status <= check.expectTo, final: true, reason: `status ${status}` })
  })
  outgoing.on('error', (error: NodeJS.ErrnoException) => finish({ ok: false, final: false, reason: reasonOf(error) }))
  outgoing.end()
}

/** For people who do not know the system's words by heart. */
const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed',
  EHOSTUNREACH: 'no way to the host',
  ENETUNREACH: 'no way to the network',
  ENOTFOUND: 'host name not known',
  EAI_AGAIN: 'host name cannot be resolved now',
  ENOENT: 'no such socket',
  EACCES: 'no permission',
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const { code, message } = error
  const known = words[code ?? '']
  return lateRefusal(error)?.reason ?? (known === undefined ? (code ?? message) : `${known} (${code})`)
}

/** As exchanges say it; of a certificate for another name with both names, which clients are not told. */
function handshakeReason(error: NodeJS.ErrnoException, name: string): string {
  const { reason } = tlsFailure(error)
  const { cert } = error as { cert?: { subjectaltname?: string } }
  if (cert === undefined) return reason
  return `${reason}: it is good for ${cert.subjectaltname?.slice(0, 200) ?? 'no name'}, and ${name} was looked for`
}
