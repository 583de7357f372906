// The copy of one request on its way to another pool. Whatever becomes of it, the request itself does not notice: it has
// its own place, connection and deadlines, and its answer is read and thrown away.
import { type ErrorSpec, errors, isUnreached } from '../../core/errors.ts'
import type { BackendSpec } from '../../core/spec.ts'
import { Dial, type DialEvents } from '../../net/dialer.ts'
import type { Wire, WireEvents } from '../../net/wire.ts'
import { Lease } from '../../pool/lease.ts'
import type { PlaneContext } from '../../pool/plane-context.ts'
import type { SideJob } from '../../pool/side-work.ts'
import { Timed } from '../../util/timer-wheel.ts'
import { answerBody } from '../http1/answer-body.ts'
import { type AnswerEvents, BackendConnection } from '../http1/backend-side.ts'
import type { BodyReader } from '../http1/body.ts'
import { dropAnswer } from '../http1/dropped-answer.ts'
import { type Owner, prefaceFor } from '../http1/own-connection.ts'
import { isIdempotent, type RequestHead } from '../http1/request-head.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import { hashOf } from '../hygiene/hash-key.ts'
import type { Destination } from '../route/destination.ts'

export interface CopyParts {
  readonly head: RequestHead
  /** Of the route's counters. */
  readonly row: number
  readonly maxBody: number
  readonly destination: Destination
}

/** From the end of the request until the head of the answer, where the pool sets no limit of its own. */
const MAX_MS = 60_000

export class MirrorCopy extends Timed implements DialEvents, AnswerEvents, SideJob {
  readonly kind: string
  readonly #parts: CopyParts
  readonly #plane: PlaneContext
  /** The body so far, framed for a backend; grows by doubling. */
  #body: Buffer
  #bodyBytes = 0
  /** Head and body, once it is being sent. */
  #request = ''
  #lease: Lease | null = null
  #dial: Dial | null = null
  #connection: BackendConnection | null = null
  #preface: Buffer | null = null
  #freshOnly = false
  #sentAt = 0
  #isOver = false

  constructor(parts: CopyParts, plane: PlaneContext) {
    super()
    this.kind = `mirror ${parts.destination.pool.spec.name}`
    this.#parts = parts
    this.#plane = plane
    this.#body = Buffer.allocUnsafe(parts.head.fields.contentLength)
    plane.sideWork.add(this)
  }

  /** It is still of use to add to it. */
  get isOpen(): boolean {
    return !this.#isOver
  }

  /** Takes more of the body: what `bodyText` makes of it, and how many bytes of data there have been so far. */
  add(text: string, received: number): void {
    if (this.#isOver) return
    if (received > this.#parts.maxBody) {
      this.#end('too_large')
      return
    }
    const size = this.#bodyBytes + text.length
    if (size > this.#body.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, 2 * this.#body.length))
      this.#body.copy(larger, 0, 0, this.#bodyBytes)
      this.#body = larger
    }
    this.#bodyBytes += this.#body.latin1Write(text, this.#bodyBytes)
  }

  /**
   * The request is complete: its copy goes out. `compose` gives its head for a backend of the other pool, and is called
   * from within, if at all. Nothing of the client is kept.
   */
  send(client: Owner, compose: (backend: BackendSpec, hostHeader: string) => string): void {
    if (this.#isOver || this.#lease !== null) return
    try {
      this.#start(client, compose)
    } catch (error) {
      this.#unexpected(error)
    }
  }

  /** The request came to its end before it was complete. Nothing happens to a copy that has been sent. */
  abandon(): void {
    if (this.#lease === null) this.#end(null)
  }

  stop(): void {
    this.#end('failed')
  }

  #start(client: Owner, compose: (backend: BackendSpec, hostHeader: string) => string): void {
    const { head, destination } = this.#parts
    const { pool, hostHeader, timeouts } = destination
    const address = head.fields.clientAddress || client.address
    const selection = { hash: hashOf(pool.spec, head, address), tried: [] }
    const lease = pool.acquire(selection, undefined)
    if (!(lease instanceof Lease)) {
      this.#end('dropped')
      return
    }
    this.#lease = lease
    const { backend } = lease
    this.#request = compose(backend.spec, hostHeader) + this.#body.latin1Slice(0, this.#bodyBytes)
    this.#body = EMPTY
    this.#plane.wheel.arm(this, timeouts.totalMs === 0 ? MAX_MS : timeouts.totalMs)
    this.#preface = prefaceFor(client, backend)
    if (this.#preface !== null) backend.sockets.makeRoom()
    const idle = this.#preface === null ? backend.takeIdle() : undefined
    if (idle === undefined) this.#connect()
    else this.#write(idle as BackendConnection)
  }

  #connect(): void {
    const { connectMs } = this.#parts.destination.timeouts
    this.#dial = new Dial(this.#lease!.backend, connectMs, this.#plane.wheel, this, this.#preface)
    this.#dial.start()
  }

  onDialed(open: (events: WireEvents) => Wire, durationUs: number): void {
    this.#dial = null
    const { backend } = this.#lease!
    this.#plane.state.backendConnected(backend.spec.slot, durationUs)
    try {
      this.#write(new BackendConnection(open, backend, this.#plane))
    } catch (error) {
      this.#unexpected(error)
    }
  }

  onDialFailed(error: ErrorSpec, code: string): void {
    this.#dial = null
    this.#plane.state.backendConnectFailed(this.#lease!.backend.spec.slot)
    this.#fail(error, code)
  }

  #write(connection: BackendConnection): void {
    const { timeouts, responseRules } = this.#parts.destination
    this.#connection = connection
    this.#sentAt = performance.now()
    connection.send(this, responseRules, this.#request)
    if (!connection.wire.closed) connection.expectWithin(timeouts.firstByteMs)
  }

  /** It has arrived: the rest is of no interest. */
  onAnswer(answer: ResponseHead, bytes: Buffer, start: number, end: number): void {
    const connection = this.#connection!
    const lease = this.#lease!
    const body = answerBody(this.#parts.head.method, answer)
    const used = body.feed(bytes, start, end)
    // Nobody asked for another protocol.
    if (used < 0 || answer.status === 101) {
      this.#connection = null
      connection.close()
      this.#fail(errors.bad_response, '')
      return
    }
    const durationUs = Math.round((performance.now() - this.#sentAt) * 1000)
    this.#plane.state.backendFinished(lease.backend.spec.slot, answer.status, durationUs)
    this.#connection = null
    this.#lease = null
    const { keepalive } = this.#parts.destination.pool.spec
    const reusable = used === end && mayCarryAnother(answer, body)
    dropAnswer({ connection, body, reusable, keepalive, lease, kind: this.kind }, this.#plane.sideWork)
    this.#end('sent')
  }

  /** The connection has closed itself. */
  onBackendFailed(error: ErrorSpec, code: string): void {
    const { uses } = this.#connection!
    this.#connection = null
    // A kept connection may have been closed at any time: that is no news.
    const isStale = error === errors.reset_before_answer && uses > 1 && isIdempotent(this.#parts.head.method)
    if (isStale && !this.#freshOnly) {
      this.#freshOnly = true
      this.#connect()
    } else this.#fail(error, code)
  }

  onDeadline(): void {
    this.#end('failed')
  }

  onInterim(): void {}
  onAnswerBytes(): void {}
  onAnswerEnd(): void {}
  onBackendDrain(): void {}

  #fail(error: ErrorSpec, code: string): void {
    const { slot } = this.#lease!.backend.spec
    if (isUnreached(error) && error.blamesBackend) this.#plane.backendFailed(slot, error.name, code)
    else if (error.blamesBackend) this.#plane.state.backendFinished(slot, 0, 0)
    this.#end('failed')
  }

  #unexpected(error: unknown): void {
    this.#plane.unexpected(error)
    this.#end('failed')
  }

  /** The one way it ends: everything it held is given back. `result`: what is counted; null = nothing. */
  #end(result: 'sent' | 'dropped' | 'too_large' | 'failed' | null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#body = EMPTY
    this.#dial?.cancel()
    this.#connection?.close()
    this.#lease?.release()
    this.#plane.wheel.remove(this)
    if (result !== null) this.#plane.state.mirrored(this.#parts.row, result)
    this.#plane.sideWork.remove(this)
  }
}

const EMPTY = Buffer.alloc(0)

/** A connection whose answer is read to its end (CVE-2024-24791 is about those that are not). */
function mayCarryAnother(answer: ResponseHead, body: BodyReader): boolean {
  return body.kind !== 'close' && !answer.mayCarryStrayBody && (answer.minor === 1 ? !answer.close : answer.keepAlive)
}
