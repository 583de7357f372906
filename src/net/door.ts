// Between accept and handler: a PROXY header is read, a ClientHello looked at, TLS begun. Nothing that a stranger sends
// before that is done costs more than one connection, for a bounded time, with a bounded number of bytes.
import type { HandshakeError, RejectReason } from '../state/names.ts'
import { Timed, type TimerWheel } from '../util/timer-wheel.ts'
import type { Accepted } from './acceptor.ts'
import type { Arrival, Endpoint } from './arrival.ts'
import { parseProxyHeader } from './proxy-protocol/parse.ts'
import { type ClientHello, type HelloProblem, parseClientHello, tlsAlert } from './tls/client-hello.ts'
import { plainHttpAnswer, refusedCertificateAnswer } from './tls/door-answers.ts'
import { type Handshake, type HandshakeEvents, type Secured, startHandshake } from './tls/server-handshake.ts'
import type { ServerTls } from './tls/server-tls.ts'
import type { Wire, WireEvents } from './wire.ts'

/** What a connection of a listener has to show before its handler gets it. */
export interface DoorRules {
  /** Whose PROXY header is believed; everybody else is closed. Null = connections begin without one. */
  readonly believesProxy: ((address: string) => boolean) | null
  /** TLS that ends here; null = none. */
  readonly tls: ServerTls | null
  /** Looks at a ClientHello that is passed on as it is: false = nobody serves that name. Null = does not look. */
  readonly accepts: ((hello: ClientHello) => boolean) | null
  /** Whether a client that forgot the `s` of `https` is told so in HTTP. */
  readonly speaksHttp: boolean
  readonly timeoutMs: number
  readonly helloSize: number
}

/** Whoever opens the door. Of `arrived` and `turnedAway` exactly one is called for each visitor, once. */
export interface DoorKeeper {
  readonly wheel: TimerWheel
  /** The client's address is known now. False = it may not come in (too many of its kind), and that has been counted. */
  admit(visitor: Visitor, address: string): boolean
  /** `early`: bytes that were read beyond what the door needed; with `hello` all that was read. */
  arrived(visitor: Visitor, arrival: Arrival, early: Buffer | null, hello: ClientHello | null): void
  /** It is closed, or about to be. `why`: to be counted; null where that has been done. */
  turnedAway(visitor: Visitor, why: Rejection | null): void
  unexpected(error: unknown): void
}

export type Rejection =
  | { readonly kind: 'connection'; readonly reason: RejectReason; readonly detail: string }
  | { readonly kind: 'handshake'; readonly reason: HandshakeError; readonly detail: string }

/** TLS alerts (RFC 8446 §6). */
const RECORD_OVERFLOW = 22
const DECODE_ERROR = 50
const UNRECOGNIZED_NAME = 112

/** Somebody who was told why it may not come in has so long to read it. */
const FAREWELL_MS = 1000

/** One connection in the doorway. */
export class Visitor extends Timed implements WireEvents, HandshakeEvents, Arrival {
  address: string
  port: number
  tls: Arrival['tls'] = null
  /** For the keeper: what it has counted this visitor as. */
  counted = false
  readonly #accepted: Accepted
  readonly #rules: DoorRules
  readonly #keeper: DoorKeeper
  #wire: Wire | null = null
  #handshake: Handshake | null = null
  #secured: Secured | null = null
  #destination: Endpoint | null = null
  #phase: 'proxy' | 'hello' | 'handshake' | 'farewell'
  #ended = false
  /** Nothing has come from it yet. */
  #silent = true
  /** Why it was told to go. */
  #reason: Rejection | null = null
  #partial: Buffer | null = null
  /** Less than this is not worth looking at again. */
  #needed = 0
  #serverName = ''

  constructor(accepted: Accepted, rules: DoorRules, keeper: DoorKeeper) {
    super()
    this.#accepted = accepted
    this.#rules = rules
    this.#keeper = keeper
    this.address = accepted.address
    this.port = accepted.port
    this.#phase = rules.believesProxy === null ? 'hello' : 'proxy'
  }

  /** Begins. Anything may have been called when this returns. */
  start(): void {
    const { believesProxy, timeoutMs } = this.#rules
    if (believesProxy !== null && !believesProxy(this.address)) {
      this.#accepted.refuse()
      this.#turnAway({
        kind: 'connection',
        reason: 'proxy_protocol',
        detail: 'PROXY headers are not accepted from there',
      })
      return
    }
    if (believesProxy === null && !this.#keeper.admit(this, this.address)) {
      this.#accepted.refuse()
      this.#turnAway(null)
      return
    }
    this.#keeper.wheel.arm(this, timeoutMs)
    this.#wire = this.#accepted.open(this)
  }

  /** Closes it; nothing is called. */
  destroy(): void {
    this.#end()
    this.#wire?.destroy()
    this.#handshake?.abort()
  }

  // --- the arrival, once it is one ---

  destination(): Endpoint {
    return this.#destination ?? this.#accepted.destination()
  }

  open(events: WireEvents): Wire {
    if (this.#secured !== null) return this.#secured.open(events)
    const wire = this.#wire!
    wire.events = events
    return wire
  }

  // --- what the wire says ---

  onData(bytes: Buffer, length: number): void {
    if (this.#ended || this.#phase === 'farewell') return
    this.#silent = false
    let whole = bytes
    let end = length
    if (this.#partial !== null) {
      whole = Buffer.concat([this.#partial, bytes.subarray(0, length)])
      end = whole.length
    }
    if (end < this.#needed) this.#partial = this.#partial === null ? Buffer.from(bytes.subarray(0, length)) : whole
    else {
      this.#partial = null
      if (this.#phase === 'proxy') this.#readProxyHeader(whole, end)
      else this.#readHello(whole, end)
    }
  }

  #readProxyHeader(bytes: Buffer, end: number): void {
    const header = parseProxyHeader(bytes, end)
    if (typeof header === 'number') {
      this.#await(bytes, end, header)
      return
    }
    if ('problem' in header) {
      this.#refuse({ kind: 'connection', reason: 'proxy_protocol', detail: header.problem })
      return
    }
    if (header.source !== null) {
      this.address = header.source.address
      this.port = header.source.port
    }
    this.#destination = header.destination
    if (!this.#keeper.admit(this, this.address)) {
      this.#refuse(null)
      return
    }
    const rest = header.size === end ? null : Buffer.from(bytes.subarray(header.size, end))
    this.#needed = 0
    if (this.#rules.tls === null && this.#rules.accepts === null) this.#arrive(rest, null)
    else {
      this.#phase = 'hello'
      if (rest !== null) this.#readHello(rest, rest.length)
    }
  }

  #readHello(bytes: Buffer, end: number): void {
    const { tls, accepts, helloSize } = this.#rules
    const hello = parseClientHello(bytes, end, helloSize)
    if (typeof hello === 'number') this.#await(bytes, end, hello)
    else if (typeof hello === 'string') this.#refuseHello(hello, bytes, end)
    else if (tls !== null) this.#secure(tls, hello, bytes, end)
    else if (accepts!(hello)) this.#arrive(Buffer.from(bytes.subarray(0, end)), hello)
    else {
      this.#wire!.writeBytes(tlsAlert(UNRECOGNIZED_NAME))
      this.#farewell({ kind: 'connection', reason: 'no_route', detail: hello.serverName })
    }
  }

  #refuseHello(problem: HelloProblem, bytes: Buffer, end: number): void {
    const why: Rejection =
      this.#rules.tls === null
        ? { kind: 'connection', reason: 'hello', detail: problem }
        : { kind: 'handshake', reason: problem, detail: '' }
    if (problem !== 'not_tls')
      this.#wire!.writeBytes(tlsAlert(problem === 'bad_hello' ? DECODE_ERROR : RECORD_OVERFLOW))
    else if (this.#rules.speaksHttp && looksLikeHttp(bytes, end)) this.#wire!.write(plainHttpAnswer())
    else {
      this.#refuse(why)
      return
    }
    this.#farewell(why)
  }

  #secure(tls: ServerTls, hello: ClientHello, bytes: Buffer, end: number): void {
    this.#phase = 'handshake'
    this.#serverName = hello.serverName
    const read = Buffer.from(bytes.subarray(0, end))
    const socket = this.#wire!.detach()
    this.#wire = null
    this.#handshake = startHandshake(socket, read, tls.choose(hello.serverName), this)
  }

  onSecured(secured: Secured): void {
    const { version, alpn, resumed, clientCertificate } = secured
    this.#secured = secured
    if (secured.refused !== null) {
      this.#refuseCertificate(secured.refused)
      return
    }
    this.tls = { version, serverName: this.#serverName, alpn, resumed, clientCertificate }
    this.#arrive(null, null)
  }

  /** The handshake itself cannot say it; HTTP can. */
  #refuseCertificate(why: string): void {
    const wire = this.#secured!.open(this)
    this.#wire = wire
    this.#handshake = null
    this.#partWith({ kind: 'handshake', reason: 'client_certificate', detail: why })
    // Not from within the handshake, whose last bytes come first.
    setImmediate(() => {
      if (this.#rules.speaksHttp) wire.write(refusedCertificateAnswer(why))
      wire.end()
    })
  }

  onHandshakeFailed(reason: HandshakeError, detail: string): void {
    this.#turnAway({ kind: 'handshake', reason, detail })
  }

  onFault(error: unknown): void {
    this.#keeper.unexpected(error)
  }

  onDrain(): void {}

  onEnd(): void {
    this.#refuse(this.#unfinished('closed'))
  }

  onClose(): void {
    this.#turnAway(this.#unfinished('closed'))
  }

  onDeadline(): void {
    this.#handshake?.abort()
    this.#refuse(this.#unfinished('timeout'))
  }

  // --- the ways out ---

  #arrive(early: Buffer | null, hello: ClientHello | null): void {
    this.#end()
    this.#keeper.arrived(this, this, early, hello)
  }

  /** What was written says why: it has a moment to be read. */
  #farewell(why: Rejection): void {
    this.#partWith(why)
    this.#wire!.end()
  }

  #partWith(why: Rejection): void {
    this.#phase = 'farewell'
    this.#reason = why
    this.#keeper.wheel.arm(this, FAREWELL_MS)
  }

  #refuse(why: Rejection | null): void {
    this.#turnAway(why)
    this.#wire?.destroy()
  }

  #turnAway(why: Rejection | null): void {
    if (this.#ended) return
    this.#end()
    this.#keeper.turnedAway(this, this.#reason ?? why)
  }

  #end(): void {
    this.#ended = true
    this.#keeper.wheel.remove(this)
  }

  #await(bytes: Buffer, end: number, needed: number): void {
    this.#needed = needed
    this.#partial = Buffer.from(bytes.subarray(0, end))
  }

  /** Somebody who only looks whether the port is open is no failure (health checks do that all the time). */
  #unfinished(how: 'closed' | 'timeout'): Rejection | null {
    if (how === 'closed' && this.#silent) return null
    if (this.#phase === 'proxy')
      return { kind: 'connection', reason: 'proxy_protocol', detail: `${how} before its end` }
    if (this.#rules.tls !== null) return { kind: 'handshake', reason: how, detail: '' }
    return { kind: 'connection', reason: 'hello', detail: `${how} before its end` }
  }
}

/** The first byte of a method. */
function looksLikeHttp(bytes: Buffer, end: number): boolean {
  const first = bytes[0] ?? 0
  return end >= 1 && first >= 65 && first <= 90
}
