// Making a connection to a backend: all its addresses in turn, one deadline, TLS where asked.
import net from 'node:net'
import tls from 'node:tls'
import { type ErrorSpec, errors } from '../core/errors.ts'
import type { BackendSpec } from '../core/spec.ts'
import { Timed, type TimerWheel } from '../util/timer-wheel.ts'
import { HandleWire } from './handle-wire.ts'
import { isHandle } from './native.ts'
import { SocketWire } from './socket-wire.ts'
import type { Wire, WireEvents } from './wire.ts'

/** What a dial needs of a backend, and what it leaves behind for the next one. */
export interface DialTarget {
  readonly spec: BackendSpec
  /** IP addresses to try; empty = let the system resolve the host name. */
  addresses: readonly string[]
  /** Which address answered last. */
  preferred: number
  tlsSession: Buffer | null
}

export interface DialEvents {
  /** The connection stands (and TLS is verified). `open` makes the wire and must be called before returning. */
  onDialed(open: (events: WireEvents) => Wire, durationUs: number): void
  /** No address could be reached. `code` is what the system said, for logs. */
  onDialFailed(error: ErrorSpec, code: string): void
}

/** One attempt to connect. Calls exactly one of its events, unless cancelled; never before `start` returns. */
export class Dial extends Timed {
  readonly #target: DialTarget
  readonly #wheel: TimerWheel
  readonly #timeoutMs: number
  readonly #events: DialEvents
  #socket: net.Socket | null = null
  #tried = 0
  #startedAt = 0
  #finished = false
  #timedOut = false

  constructor(target: DialTarget, timeoutMs: number, wheel: TimerWheel, events: DialEvents) {
    super()
    this.#target = target
    this.#timeoutMs = timeoutMs
    this.#wheel = wheel
    this.#events = events
  }

  start(): void {
    this.#startedAt = performance.now()
    this.#next()
  }

  /** Nobody waits any more: closes what was opened and calls nothing. */
  cancel(): void {
    this.#finished = true
    this.#wheel.remove(this)
    this.#socket?.destroy()
  }

  #next(): void {
    const { spec, addresses, preferred } = this.#target
    const count = Math.max(1, addresses.length)
    const address = addresses.length === 0 ? spec.host : addresses[(preferred + this.#tried) % count]!
    // Each address gets a fair part of the whole time, so that a silent one does not use up its siblings'.
    this.#wheel.arm(this, this.#timeoutMs / count)
    this.#timedOut = false
    const socket = spec.protocol === 'https' ? this.#connectTls(address) : this.#connectPlain(address)
    this.#socket = socket
    let failure: NodeJS.ErrnoException | null = null
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('close', () => {
      if (this.#socket === socket) this.#failed(failure)
    })
  }

  #connectPlain(address: string): net.Socket {
    const { spec } = this.#target
    const target = spec.socketPath === null ? { host: address, port: spec.port } : { path: spec.socketPath }
    const socket = net.connect({ ...target, noDelay: true, allowHalfOpen: true })
    socket.on('connect', () => this.#connected())
    return socket
  }

  #connectTls(address: string): net.Socket {
    const target = this.#target
    const options: tls.ConnectionOptions & { allowHalfOpen: boolean } = {
      // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
      rejectUnauthorized: true,
      allowHalfOpen: true,
      host: address,
      port: target.spec.port,
      servername: net.isIP(target.spec.host) === 0 ? target.spec.host : '',
      // The name is checked even where no server name is sent (an IP literal).
      checkServerIdentity: (_name, certificate) => tls.checkServerIdentity(target.spec.host, certificate),
      ALPNProtocols: ['http/1.1'],
      minVersion: 'TLSv1.2',
      ...(target.tlsSession === null ? {} : { session: target.tlsSession }),
    }
    const socket = tls.connect(options)
    socket.setNoDelay(true)
    socket.on('session', (session) => {
      target.tlsSession = session
    })
    // Nothing is read before the handshake is done and verified (CVE-2026-1642): `secureConnect` says both.
    socket.on('secureConnect', () => this.#connected())
    return socket
  }

  #connected(): void {
    if (this.#finished) return
    const target = this.#target
    this.#finished = true
    this.#wheel.remove(this)
    if (target.addresses.length > 1) target.preferred = (target.preferred + this.#tried) % target.addresses.length
    const socket = this.#socket!
    this.#socket = null
    this.#events.onDialed(
      (events) => openWire(socket, events),
      Math.round((performance.now() - this.#startedAt) * 1000),
    )
  }

  onDeadline(): void {
    this.#timedOut = true
    this.#socket?.destroy()
  }

  #failed(error: NodeJS.ErrnoException | null): void {
    this.#socket = null
    if (this.#finished) return
    this.#tried++
    if (this.#tried < this.#target.addresses.length) {
      this.#next()
      return
    }
    this.#finished = true
    this.#wheel.remove(this)
    const code = this.#timedOut ? 'ETIMEDOUT' : (error?.code ?? 'ECONNRESET')
    this.#events.onDialFailed(classify(code, this.#target.spec.protocol === 'https'), code)
  }
}

/** The socket has done its part: its handle goes on alone where that is possible. Called within its 'connect' event. */
function openWire(socket: net.Socket, events: WireEvents): Wire {
  socket.removeAllListeners('connect')
  const handle = (socket as unknown as { _handle: unknown })._handle
  if (socket instanceof tls.TLSSocket || !isHandle(handle)) return new SocketWire(socket, events)
  socket.removeAllListeners()
  return new HandleWire(handle, events)
}

/** System error code of a failed connection → the error it is to an exchange. */
function classify(code: string, tlsExpected: boolean): ErrorSpec {
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
  if (!tlsExpected) return errors.connect_failed
  if (code.startsWith('ERR_TLS_CERT') || /CERT|SIGNATURE|ISSUER|SELF_SIGNED/.test(code)) return errors.tls_certificate
  return code.startsWith('ERR_SSL') || code === 'EPROTO' || code === 'ECONNRESET'
    ? errors.tls_failed
    : errors.connect_failed
}
