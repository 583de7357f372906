// The server side of a TLS handshake: from the first bytes of a client to a wire of clear text, or a reason.
import { X509Certificate } from 'node:crypto'
import net from 'node:net'
import tls from 'node:tls'
import type { HandshakeError } from '../../state/names.ts'
import type { ClientCertificate } from '../arrival.ts'
import { type Handle, native } from '../native.ts'
import { type TlsHandle, wrapServer } from '../native-tls.ts'
import { SocketWire } from '../socket-wire.ts'
import { TlsWire } from '../tls-wire.ts'
import type { Wire, WireEvents } from '../wire.ts'
import { certificateReason } from './certificate-reason.ts'

/** What a handshake agreed on. */
export interface Secured {
  readonly version: 'TLSv1.2' | 'TLSv1.3'
  readonly alpn: string
  readonly resumed: boolean
  readonly clientCertificate: ClientCertificate | null
  /** Why the client's certificate is not good enough; null = it is, or none was asked for. */
  readonly refused: string | null
  /**
   * Takes the connection over; to be called before `onSecured` returns. Nothing may be written before that: the engine
   * is still within its handshake.
   */
  open(events: WireEvents): Wire
}

export interface HandshakeEvents {
  onSecured(secured: Secured): void
  /** The connection is closed, or about to be. `detail`: what the TLS library said. */
  onHandshakeFailed(reason: HandshakeError, detail: string): void
}

export interface HandshakeOptions {
  readonly context: tls.SecureContext
  /** Protocols in the form of the extension (RFC 7301 §3.1), or null = ignored. */
  readonly alpn: Buffer | null
  readonly clientAuth: 'none' | 'optional' | 'required'
}

/** A handshake under way. Ends with exactly one event, unless it is aborted. */
export interface Handshake {
  /** Closes the connection and calls nothing. */
  abort(): void
}

/** Begins the handshake on a socket given up by its wire. `hello`: what was read of it, at least one whole ClientHello. */
export function startHandshake(
  socket: Handle | net.Socket,
  hello: Buffer,
  options: HandshakeOptions,
  events: HandshakeEvents,
): Handshake {
  if (socket instanceof net.Socket) return new SocketHandshake(socket, hello, options, events)
  return new HandleHandshake(socket, hello, options, events)
}

interface HandshakingHandle extends TlsHandle {
  handshake: HandleHandshake
}

function onDone(this: TlsHandle): void {
  ;(this as HandshakingHandle).handshake.onDone()
}

function onError(this: TlsHandle, error: NodeJS.ErrnoException): void {
  ;(this as HandshakingHandle).handshake.onFailed(failureOf(error), wordsOf(error))
}

function onRead(this: Handle): undefined {
  if (native!.state[native!.readBytes]! < 0) (this as HandshakingHandle).handshake.onFailed('closed', '')
}

/** It is its own result: what it agreed on stands in it once it is done. */
class HandleHandshake implements Handshake, Secured {
  version: Secured['version'] = 'TLSv1.3'
  alpn = ''
  resumed = false
  clientCertificate: ClientCertificate | null = null
  refused: string | null = null
  readonly #socket: Handle
  readonly #tls: TlsHandle
  readonly #events: HandshakeEvents
  readonly #clientAuth: HandshakeOptions['clientAuth']
  #over = false

  constructor(socket: Handle, hello: Buffer, options: HandshakeOptions, events: HandshakeEvents) {
    const handle = wrapServer(socket, options.context) as HandshakingHandle
    this.#socket = socket
    this.#tls = handle
    this.#events = events
    this.#clientAuth = options.clientAuth
    if (options.alpn !== null) handle.setALPNProtocols(options.alpn)
    // What the library finds wrong with a certificate is asked for afterwards: refusing it here would tell nobody why.
    if (options.clientAuth !== 'none') handle.setVerifyMode(true, options.clientAuth === 'required')
    handle.handshake = this
    handle.onhandshakestart = ignore
    handle.onhandshakedone = onDone
    handle.onerror = onError
    handle.onread = onRead
    handle.readStart()
    handle.receive(hello)
  }

  onDone(): void {
    // Session tickets and key updates of TLS 1.3 end a handshake too.
    if (this.#over) return
    const handle = this.#tls
    this.#over = true
    this.version = handle.getProtocol() === 'TLSv1.2' ? 'TLSv1.2' : 'TLSv1.3'
    this.alpn = handle.getALPNNegotiatedProtocol() || ''
    this.resumed = handle.isSessionReused()
    if (this.#clientAuth !== 'none') {
      const shown = shownCertificate(handle)
      this.clientCertificate = shown.clientCertificate
      this.refused = shown.refused
    }
    this.#events.onSecured(this)
  }

  open(events: WireEvents): Wire {
    return new TlsWire(this.#socket, this.#tls, events)
  }

  abort(): void {
    if (this.#over) return
    this.#over = true
    this.#tls.onread = nothing
    this.#socket.close(() => this.#tls.destroySSL())
  }

  onFailed(reason: HandshakeError, detail: string): void {
    if (this.#over) return
    this.abort()
    this.#events.onHandshakeFailed(reason, detail)
  }
}

/** Where Node does not show its handles: the same by public API. */
class SocketHandshake implements Handshake {
  readonly #socket: tls.TLSSocket
  #over = false

  constructor(socket: net.Socket, hello: Buffer, options: HandshakeOptions, events: HandshakeEvents) {
    socket.unshift(hello)
    const { clientAuth } = options
    const secured = new tls.TLSSocket(socket, {
      isServer: true,
      secureContext: options.context,
      requestCert: clientAuth !== 'none',
      rejectUnauthorized: clientAuth === 'required',
      ...(options.alpn === null ? {} : { ALPNProtocols: options.alpn }),
    })
    this.#socket = secured
    const failed = (reason: HandshakeError, detail: string): void => {
      if (this.#over) return
      this.abort()
      events.onHandshakeFailed(reason, detail)
    }
    const onError = (error: NodeJS.ErrnoException): void => failed(failureOf(error), wordsOf(error))
    const onEnd = (): void => failed('closed', '')
    secured.on('error', onError).on('end', onEnd).on('close', onEnd)
    secured.on('secure', () => {
      if (this.#over) return
      this.#over = true
      const handle = (secured as unknown as { _handle: TlsHandle })._handle
      events.onSecured({
        version: secured.getProtocol() === 'TLSv1.2' ? 'TLSv1.2' : 'TLSv1.3',
        alpn: secured.alpnProtocol || '',
        resumed: secured.isSessionReused(),
        ...(clientAuth === 'none' ? nothingShown : shownCertificate(handle)),
        open: (wireEvents) => {
          secured.off('error', onError).off('end', onEnd).off('close', onEnd)
          secured.disableRenegotiation()
          // What goes wrong from now on is told to a `tls.Server` only, as long as it has the socket.
          secured.on('_tlsError', (error: Error) => secured.destroy(error))
          return new SocketWire(secured, wireEvents, socket)
        },
      })
    })
  }

  abort(): void {
    this.#over = true
    this.#socket.destroy()
  }
}

const nothingShown = { clientCertificate: null, refused: null }

function shownCertificate(handle: TlsHandle): Pick<Secured, 'clientCertificate' | 'refused'> {
  const raw = handle.getPeerX509Certificate()?.raw()
  if (raw === undefined) return nothingShown
  const error = handle.verifyError()
  if (error != null) {
    return { clientCertificate: null, refused: certificateReason(error.code ?? '', 'client') ?? wordsOf(error) }
  }
  const certificate = new X509Certificate(raw)
  // A session that is resumed was verified when it began, and can be renewed without end.
  if (Date.now() > certificate.validToDate.getTime()) {
    return { clientCertificate: null, refused: certificateReason('CERT_HAS_EXPIRED', 'client') }
  }
  return { clientCertificate: describe(certificate), refused: null }
}

function describe(certificate: X509Certificate): ClientCertificate {
  return {
    // Node writes one attribute a line, outermost first, escaped as RFC 4514 asks; the RFC has them the other way round.
    subject: (certificate.subject ?? '').split('\n').reverse().join(','),
    san: certificate.subjectAltName ?? '',
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  }
}

/** OpenSSL's word for a failed handshake → ours. */
function failureOf(error: NodeJS.ErrnoException): HandshakeError {
  const code = error.code ?? ''
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'closed'
  // The client says no to what it was offered: our certificate, as a rule.
  if (/_ALERT_/.test(code)) return 'alert'
  if (/NO_SHARED_CIPHER|NO_SUITABLE|NO_SHARED_SIGNATURE|NO_SHARED_GROUP/.test(code)) return 'no_shared_cipher'
  if (/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|WRONG_VERSION|PROTOCOL_VERSION|INAPPROPRIATE_FALLBACK/.test(code))
    return 'protocol_version'
  if (/NO_APPLICATION_PROTOCOL/.test(code)) return 'no_application_protocol'
  if (/CERTIFICATE|CERT_/.test(code)) return 'client_certificate'
  return 'other'
}

/** OpenSSL's reason, `unsupported protocol`; an alert by its name. */
function wordsOf(error: NodeJS.ErrnoException): string {
  const { reason } = error as { reason?: string }
  if (reason === undefined) return (error.code ?? error.message).toLowerCase().replaceAll('_', ' ')
  return reason.replace(/^.*\balert (number )?/, '')
}

function ignore(): void {}

function nothing(): undefined {
  return undefined
}
