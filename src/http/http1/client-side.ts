// The client side of HTTP/1.1: one connection, its requests read strictly and answered in order.
import { type ErrorName, type ErrorSpec, errorNames, errors } from '../../core/errors.ts'
import type { Arrival, ClientCertificate, Endpoint, TlsFacts } from '../../net/arrival.ts'
import type { Wire, WireEvents } from '../../net/wire.ts'
import { unreadEntry } from '../../observe/access-entry.ts'
import type { PlaneContext } from '../../pool/plane-context.ts'
import { Timed } from '../../util/timer-wheel.ts'
import type { Site } from '../context.ts'
import { errorResponse } from '../error-response.ts'
import { Exchange, type ExchangeClient } from '../exchange.ts'
import { bodyLength } from '../own-answer.ts'
import type { BackendConnection } from './backend-side.ts'
import { BROKEN_LINE } from './grammar.ts'
import type { ClientFacts, RequestFields } from './request-fields.ts'
import { type FieldCache, parseRequestHead, type RequestHead } from './request-head.ts'

/** Where a connection came in: it always asks for the site of the current snapshot. */
export interface ClientHome {
  readonly plane: PlaneContext
  readonly site: Site
  /** The last header section that came in here: a client that opens a connection per request repeats it. */
  lastClient: LastClient | null
  connectionClosed(connection: ClientConnection): void
}

/** A parsed header section with all that its result depends on, apart from the section itself. */
export interface LastClient {
  readonly address: string
  readonly trusted: boolean
  readonly isSecure: boolean
  readonly site: Site
  readonly fields: RequestFields
}

/** After an error or a last answer, what the client still sends is read and dropped for so long, so that it sees the answer. */
const LINGER_MS = 2000
/** During a drain, how long a connection that has not asked for anything yet may still do so. */
const FIRST_REQUEST_MS = 500
const LINGER_BYTES = 64 * 1024 * 1024

/** A head is looked for in this much at first: a body behind it need not become a string. */
const HEAD_PEEK_BYTES = 2048

type State = 'idle' | 'head' | 'exchange' | 'tunnel' | 'lingering' | 'closed'

/** Who takes less of a long answer than this, before his time is up, is not slow but holds it up. */
const LEAST_TAKEN_BYTES = 16 * 1024

export class ClientConnection extends Timed implements WireEvents, ExchangeClient, FieldCache, ClientFacts {
  readonly wire: Wire
  readonly address: string
  readonly trusted: boolean
  readonly tls: TlsFacts | null
  fields: RequestFields | null = null
  own: BackendConnection | null = null
  readonly #arrival: Arrival
  /** Whose rules `fields` was read by. */
  #fieldsSite: Site
  #home: ClientHome
  #state: State = 'idle'
  /** The beginning of a head that has not arrived whole. */
  #partial: Buffer | null = null
  /** What the client sent before its turn (pipelining). Reading pauses while there is any. */
  #stash: Buffer | null = null
  /** What waited for the client when its deadline was set. */
  #unsent = 0
  #exchange: Exchange | null = null
  #lingered = 0
  #requests = 0
  /** `#continue` is at work further up the stack. */
  #inTurn = false

  constructor(arrival: Arrival, trusted: boolean, home: ClientHome) {
    super()
    this.address = arrival.address
    this.trusted = trusted
    this.tls = arrival.tls
    this.#arrival = arrival
    this.#home = home
    this.#fieldsSite = home.site
    if (home.lastClient !== null) this.#takeFields(home.lastClient)
    this.wire = arrival.open(this)
    this.expectWithin(home.site.limits.idleTimeoutMs)
  }

  get port(): number {
    return this.#arrival.port
  }

  destination(): Endpoint {
    return this.#arrival.destination()
  }

  get scheme(): 'http' | 'https' {
    return this.tls === null ? 'http' : 'https'
  }

  get isSecure(): boolean {
    return this.tls !== null
  }

  get certificate(): ClientCertificate | null {
    return this.tls === null ? null : this.tls.clientCertificate
  }

  /** What a header section means depends on its sender: only one that is the same in every way inherits it. */
  #takeFields(last: LastClient): void {
    if (this.certificate !== null || last.address !== this.address || last.trusted !== this.trusted) return
    if (last.isSecure === this.isSecure && last.site === this.#fieldsSite) this.fields = last.fields
  }

  /** A header section that tells of a certificate is nobody else's, and is never left behind. */
  #leaveFields(site: Site, fields: RequestFields): void {
    if (this.certificate !== null || this.#home.lastClient?.fields === fields) return
    const { address, trusted, isSecure } = this
    this.#home.lastClient = { address, trusted, isSecure, site, fields }
  }

  get leaves(): boolean {
    return this.#home.plane.draining
  }

  get isIdle(): boolean {
    return this.#state === 'idle'
  }

  expectWithin(ms: number): void {
    if (ms !== 0 && this.wire.pending) this.#unsent = this.wire.unsent
    this.#home.plane.wheel.arm(this, ms)
  }

  /** Closes the connection if it carries nothing; else its last answer will say `Connection: close`. */
  closeIfIdle(): void {
    if (this.#state !== 'idle') return
    // A new connection may have its first request under way: it is heard out.
    if (this.#requests === 0) {
      this.expectWithin(Math.min(FIRST_REQUEST_MS, this.#home.site.limits.headerTimeoutMs))
      return
    }
    // A slow client may still have the end of an answer to take.
    if (this.wire.hasUnsent) this.#linger()
    else this.#close()
  }

  destroy(): void {
    this.wire.destroy()
  }

  onData(bytes: Buffer, length: number): void {
    this.#home.plane.state.bytesReceived(this.#home.site.listener.row, length)
    switch (this.#state) {
      case 'idle':
      case 'head':
        this.#readHead(bytes, length)
        return
      case 'exchange':
        this.#readBody(bytes, 0, length)
        return
      case 'lingering':
        this.#lingered += length
        if (this.#lingered > LINGER_BYTES) this.#close()
    }
  }

  #readHead(bytes: Buffer, length: number): void {
    if (this.#partial === null) {
      this.#parse(bytes, 0, length)
      return
    }
    const whole = Buffer.concat([this.#partial, bytes.subarray(0, length)])
    this.#partial = null
    this.#parse(whole, 0, whole.length)
  }

  #parse(bytes: Buffer, start: number, end: number): void {
    const { site } = this.#home
    // Empty lines before a request line are ignored (RFC 9112 §2.2).
    let from = start
    while (end - from >= 2 && bytes[from] === 13 && bytes[from + 1] === 10 && from - start < 8) from += 2
    if (from === end) return
    const { headerSize } = site.limits
    let text = bytes.latin1Slice(from, Math.min(end, from + HEAD_PEEK_BYTES))
    let headEnd = text.indexOf('\r\n\r\n')
    if (headEnd < 0 && end - from > HEAD_PEEK_BYTES) {
      text = bytes.latin1Slice(from, Math.min(end, from + headerSize + 4))
      headEnd = text.indexOf('\r\n\r\n')
    }
    if (headEnd > headerSize) {
      this.#refuse(errors.header_too_large)
      return
    }
    if (headEnd < 0) {
      this.#awaitHead(bytes, from, end, text)
      return
    }
    if (site !== this.#fieldsSite) {
      // A new snapshot may tell backends something else, or reserve other fields.
      this.#fieldsSite = site
      this.fields = null
    }
    const head = parseRequestHead(text, 0, headEnd, this, site.headLimits, this)
    if (isError(head)) {
      this.#refuse(head)
      return
    }
    if (this.#requests++ === 0) this.#leaveFields(site, head.fields)
    this.#serve(site, head, bytes, from + headEnd + 4, end)
  }

  #awaitHead(bytes: Buffer, start: number, end: number, text: string): void {
    const { limits } = this.#home.site
    if (BROKEN_LINE.test(text)) this.#refuse(errors.bad_field)
    else if (end - start > limits.headerSize) {
      this.#refuse(text.includes('\r\n') ? errors.header_too_large : errors.target_too_long)
    } else {
      // The deadline counts from the first byte: dripping does not extend it.
      if (this.#state === 'idle') this.expectWithin(limits.headerTimeoutMs)
      this.#state = 'head'
      this.#partial = Buffer.from(bytes.subarray(start, end))
    }
  }

  #serve(site: Site, head: RequestHead, bytes: Buffer, start: number, end: number): void {
    this.#state = 'exchange'
    this.expectWithin(0)
    const exchange = new Exchange(this.#home.plane, site, this, head)
    this.#exchange = exchange
    // Until a backend connection stands the rest of the body stays in the kernel.
    if (head.fields.framing !== 'none') this.wire.pause()
    const used = exchange.begin(bytes, start, end)
    if (used < end) this.#keepForLater(bytes, used, end)
    else if (exchange.requestRead && !exchange.ended) this.wire.resume()
    // An exchange that ended at once (no backend, refused) left its successors to us.
    if (exchange.ended && !this.#inTurn) this.#continue()
  }

  #readBody(bytes: Buffer, start: number, end: number): void {
    const exchange = this.#exchange!
    const used = exchange.requestRead ? start : exchange.onRequestBytes(bytes, start, end)
    if (used < end) this.#keepForLater(bytes, used, end)
  }

  #keepForLater(bytes: Buffer, start: number, end: number): void {
    if (this.#state !== 'exchange' && this.#state !== 'idle') return
    const rest = bytes.subarray(start, end)
    this.#stash = this.#stash === null ? Buffer.from(rest) : Buffer.concat([this.#stash, rest])
    this.wire.pause()
  }

  takeStash(): Buffer | null {
    const stash = this.#stash
    this.#stash = null
    return stash
  }

  becomeTunnel(): void {
    this.#state = 'tunnel'
    this.expectWithin(0)
  }

  resumeBody(): void {
    if (this.#stash === null) this.wire.resume()
  }

  exchangeEnded(reusable: boolean, requestRead: boolean): void {
    this.#countWritten()
    this.#exchange = null
    if (this.#state === 'tunnel') {
      this.#gone()
      return
    }
    if (this.wire.closed) return
    if (!reusable) {
      // With everything read and everything taken by the kernel, closing loses nothing and saves the client's FIN.
      if (requestRead && this.#stash === null && !this.wire.hasUnsent) this.#close()
      else this.#linger()
      return
    }
    // The head went out before the drain began and did not say that this answer is the last one.
    if (this.#home.plane.closesIdle && this.#stash === null) {
      this.#linger()
      return
    }
    this.#state = 'idle'
    this.wire.setNoDelay()
    this.expectWithin(this.#home.site.limits.idleTimeoutMs)
    // An exchange that ended within #serve goes on from there, when its own bytes have been put away.
    if (!this.#inTurn) this.#continue()
  }

  /**
   * The next request: of a pipeline, or from the wire. Not before the client has taken the answers it has: whoever
   * asks without reading must not make us keep what it does not read.
   */
  #continue(): void {
    if (this.#state === 'idle' && this.wire.pending) {
      this.wire.pause()
      return
    }
    if (this.#stash === null) this.wire.resume()
    while (this.#state === 'idle' && this.#stash !== null && !this.wire.pending) {
      const bytes = this.takeStash()!
      this.#inTurn = true
      this.#parse(bytes, 0, bytes.length)
      this.#inTurn = false
      if (this.#state === 'idle' || this.#state === 'head') this.wire.resume()
    }
  }

  #countWritten(): void {
    this.#home.plane.state.bytesSent(this.#home.site.listener.row, this.wire.written)
    this.wire.written = 0
  }

  /** A request that cannot be understood is answered and nothing after it is read. */
  #refuse(error: ErrorSpec): void {
    const { plane, site } = this.#home
    const { state } = plane
    state.requestStarted(site.listener.row)
    state.requestFinished(site.listener.row, site.listener.row, -1, error.status, 0)
    state.requestError(site.listener.row, errorNames.indexOf(error.name as ErrorName))
    const { hsts } = site
    const text = errorResponse(error, {
      date: plane.clock.date,
      requestId: '',
      keepAlive: false,
      isHead: false,
      hsts,
    })
    this.wire.write(text)
    if (plane.accessLog?.wants('', '', error.status, error.name, true) !== true) {
      this.#linger()
      return
    }
    plane.accessLog.add({
      ...unreadEntry,
      listener: site.listener.name,
      client: this.address,
      tls: this.tls?.version ?? '',
      clientCertificate: this.certificate?.fingerprint ?? '',
      status: error.status,
      sent: bodyLength(text),
      error: error.name,
    })
    this.#linger()
  }

  /** FIN after the answer; the rest of what the client sends is dropped, so that a reset does not swallow the answer. */
  #linger(): void {
    this.#state = 'lingering'
    this.#stash = null
    this.#partial = null
    // A slow client still has its answer to take; the time to linger begins when the kernel has all of it.
    this.expectWithin(this.wire.hasUnsent ? this.#home.site.limits.idleTimeoutMs : LINGER_MS)
    this.wire.end()
    this.wire.resume()
  }

  #close(): void {
    this.#state = 'closed'
    this.wire.destroy()
  }

  onEnd(): void {
    // A client that closes and one that half-closes look the same here; like nginx and Go we take it for gone.
    this.#exchange?.clientGone()
    this.#close()
  }

  onDrain(): void {
    if (this.#state === 'lingering') this.expectWithin(LINGER_MS)
    else if (this.#state === 'idle') {
      this.expectWithin(this.#home.site.limits.idleTimeoutMs)
      this.#continue()
    } else this.#exchange?.onClientDrain()
  }

  onFault(error: unknown): void {
    this.#home.plane.unexpected(error)
  }

  onDeadline(): void {
    // It is slow, but it takes what it was given.
    if (this.wire.pending && this.#unsent - this.wire.unsent >= LEAST_TAKEN_BYTES) {
      this.expectWithin(this.#home.site.limits.idleTimeoutMs)
      return
    }
    switch (this.#state) {
      case 'head':
        this.#refuse(errors.request_timeout)
        return
      case 'exchange':
        this.#exchange?.clientTimedOut()
        return
      default:
        this.#close()
    }
  }

  onClose(): void {
    this.#exchange?.clientGone()
    this.#gone()
  }

  /** The socket is gone; of a tunnel both are. */
  #gone(): void {
    this.#state = 'closed'
    this.own?.closeIdle()
    this.#countWritten()
    this.#home.plane.wheel.remove(this)
    this.#home.connectionClosed(this)
  }
}

function isError(head: RequestHead | ErrorSpec): head is ErrorSpec {
  return 'retry' in head
}
