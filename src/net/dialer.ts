// Making a connection to a backend: all its addresses in turn, one deadline, a PROXY header and TLS where asked.
import net from 'node:net'
import { type ErrorSpec, errors } from '../core/errors.ts'
import type { BackendSpec } from '../core/spec.ts'
import { Timed, type TimerWheel } from '../util/timer-wheel.ts'
import { HandleWire } from './handle-wire.ts'
import { isHandle } from './native.ts'
import { SocketWire } from './socket-wire.ts'
import type { BackendTls } from './tls/backend-context.ts'
import { tlsFailure } from './tls/backend-failure.ts'
import { openSecured } from './tls/backend-wire.ts'
import type { Wire, WireEvents } from './wire.ts'

/** What a dial needs of a backend, and what it leaves behind for the next one. */
export interface DialTarget {
  readonly spec: BackendSpec
  /** IP addresses to try; empty = let the system resolve the host name. */
  addresses: readonly string[]
  /** Which address answered last. */
  preferred: number
  /** Null = the backend is spoken to without TLS. */
  readonly tls: BackendTls | null
}

export interface DialEvents {
  /** The connection stands (and TLS is verified). `open` makes the wire and must be called before returning. */
  onDialed(open: (events: WireEvents) => Wire, durationUs: number): void
  /** No address could be reached. `code` is what the system or TLS said, for logs and Proxy-Status. */
  onDialFailed(error: ErrorSpec, code: string): void
}

interface Failure {
  readonly error: ErrorSpec
  readonly code: string
}

/** One attempt to connect. Calls exactly one of its events, unless cancelled; never before `start` returns. */
export class Dial extends Timed {
  readonly #target: DialTarget
  readonly #wheel: TimerWheel
  readonly #timeoutMs: number
  /** Null when it has ended: sockets outlive the dial and hold on to it, but not to an exchange. */
  #events: DialEvents | null
  readonly #preface: Buffer | null
  #socket: net.Socket | null = null
  #tried = 0
  #startedAt = 0
  #timedOut = false
  #securing = false
  #failure: Failure | null = null

  /** `preface`: a PROXY header; it goes out first, in clear, before TLS. */
  constructor(
    target: DialTarget,
    timeoutMs: number,
    wheel: TimerWheel,
    events: DialEvents,
    preface: Buffer | null = null,
  ) {
    super()
    this.#target = target
    this.#timeoutMs = timeoutMs
    this.#wheel = wheel
    this.#events = events
    this.#preface = preface
  }

  start(): void {
    this.#startedAt = performance.now()
    this.#next()
  }

  /** Nobody waits any more: closes what was opened and calls nothing. */
  cancel(): void {
    this.#finish()
    this.#socket?.destroy()
  }

  #finish(): DialEvents | null {
    const events = this.#events
    this.#events = null
    this.#wheel.remove(this)
    return events
  }

  #next(): void {
    const { spec, addresses, preferred, tls } = this.#target
    const count = Math.max(1, addresses.length)
    const address = addresses.length === 0 ? spec.host : addresses[(preferred + this.#tried) % count]!
    // Each address gets a fair part of the whole time, so that a silent one does not use up its siblings'.
    this.#wheel.arm(this, this.#timeoutMs / count)
    this.#timedOut = false
    this.#securing = false
    const place = spec.socketPath === null ? { host: address, port: spec.port } : { path: spec.socketPath }
    const socket = net.connect({ ...place, noDelay: true, allowHalfOpen: true })
    this.#watch(socket)
    socket.on('connect', () => {
      if (tls === null) this.#connected(socket)
      else if (this.#preface === null) this.#secure(socket, tls)
      else socket.write(this.#preface, () => this.#secure(socket, tls))
    })
  }

  #secure(socket: net.Socket, tls: BackendTls): void {
    if (this.#socket !== socket || socket.destroyed) return
    this.#securing = true
    const secured = tls.start(socket)
    this.#watch(secured)
    // Nothing is read before the handshake is done and verified (CVE-2026-1642): `secureConnect` says both.
    secured.once('secureConnect', () => this.#connected(secured))
  }

  #watch(socket: net.Socket): void {
    let failure: NodeJS.ErrnoException | null = null
    this.#socket = socket
    socket.on('error', (error) => {
      failure ??= error
    })
    socket.on('close', () => {
      if (this.#socket === socket) this.#failed(failure)
    })
  }

  #connected(socket: net.Socket): void {
    const target = this.#target
    const events = this.#finish()
    if (events === null) return
    if (target.addresses.length > 1) target.preferred = (target.preferred + this.#tried) % target.addresses.length
    this.#socket = null
    events.onDialed(
      (wireEvents) =>
        target.tls === null ? openPlain(socket, this.#preface, wireEvents) : openSecured(socket, wireEvents),
      Math.round((performance.now() - this.#startedAt) * 1000),
    )
  }

  onDeadline(): void {
    this.#timedOut = true
    this.#socket?.destroy()
  }

  #failed(error: NodeJS.ErrnoException | null): void {
    this.#socket = null
    if (this.#events === null) return
    // An address that answered with the wrong certificate says more than one that did not answer.
    if (this.#failure === null || this.#failure.error.phase !== 'tls') this.#failure = this.#failureOf(error)
    this.#tried++
    if (this.#tried < this.#target.addresses.length) {
      this.#next()
      return
    }
    this.#finish()?.onDialFailed(this.#failure.error, this.#failure.code)
  }

  #failureOf(error: NodeJS.ErrnoException | null): Failure {
    if (this.#timedOut) return { error: errors.connect_timeout, code: 'ETIMEDOUT' }
    if (this.#securing) {
      const { error: spec, reason } = tlsFailure(error)
      return { error: spec, code: reason }
    }
    const code = error?.code ?? 'ECONNRESET'
    return { error: connectError(code), code }
  }
}

/** The socket has done its part: its handle goes on alone where that is possible. Called within its 'connect' event. */
function openPlain(socket: net.Socket, preface: Buffer | null, events: WireEvents): Wire {
  socket.removeAllListeners('connect')
  const handle = (socket as unknown as { _handle: unknown })._handle
  let wire: Wire
  if (isHandle(handle)) {
    socket.removeAllListeners()
    wire = new HandleWire(handle, events)
  } else wire = new SocketWire(socket, events)
  if (preface !== null) {
    wire.writeBytes(preface)
    wire.written = 0
  }
  return wire
}

/** System error code of a failed connection → the error it is to an exchange. */
function connectError(code: string): ErrorSpec {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return errors.connect_refused
    case 'ETIMEDOUT':
      return errors.connect_timeout
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return errors.dns_error
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'EADDRNOTAVAIL':
      // Our own shortage: nobody else's fault.
      return errors.out_of_resources
  }
  return errors.connect_failed
}
