// The backend side of HTTP/1.1: one connection, its answers read strictly, kept for the next exchange when it is clean.
import { type ErrorSpec, errors } from '../../core/errors.ts'
import type { KeepaliveSpec } from '../../core/spec.ts'
import { lateRefusal } from '../../net/tls/backend-failure.ts'
import type { Wire, WireEvents } from '../../net/wire.ts'
import type { IdleConnection, LiveBackend } from '../../pool/live-backend.ts'
import type { PlaneContext } from '../../pool/plane-context.ts'
import { Timed } from '../../util/timer-wheel.ts'
import { BROKEN_LINE } from './grammar.ts'
import { parseResponseHead, type ResponseHead, type ResponseRules } from './response-head.ts'

/** What the exchange that uses the connection is told. After onBackendFailed nothing more is called. */
export interface AnswerEvents {
  /** A 1xx other than 101. */
  onInterim(head: ResponseHead): void
  /** The final head (or 101); `bytes[start..end)` came behind it. */
  onAnswer(head: ResponseHead, bytes: Buffer, start: number, end: number): void
  onAnswerBytes(bytes: Buffer, start: number, end: number): void
  /** The backend has sent FIN; only an answer without a length may end so. */
  onAnswerEnd(): void
  /** Connection lost, deadline passed or answer malformed. `code`: what the system said, or ''. */
  onBackendFailed(error: ErrorSpec, code: string): void
  /** The kernel has taken all that was written to the backend. */
  onBackendDrain(): void
}

/** A head may be this much longer than what a client may send: backends set cookies. */
const MAX_HEAD_BYTES = 64 * 1024
/** Of interim answers to one request; together they may be as long as one head. */
const MAX_INTERIM = 100
/** Heads are looked for in this much of a read at first: a body behind it need not become a string. */
const HEAD_PEEK_BYTES = 2048

type State = 'idle' | 'head' | 'body' | 'closed'

export class BackendConnection extends Timed implements WireEvents, IdleConnection {
  readonly wire: Wire
  readonly backend: LiveBackend
  /** Exchanges so far: a reset of a reused connection says little about the backend. */
  uses = 0
  readonly #plane: PlaneContext
  #exchange: AnswerEvents | null = null
  #rules: ResponseRules | null = null
  #state: State = 'idle'
  #partial: Buffer | null = null
  #interims = 0
  #interimBytes = 0
  #lastHeadText = ''
  #lastHead: ResponseHead | null = null

  constructor(open: (events: WireEvents) => Wire, backend: LiveBackend, plane: PlaneContext) {
    super()
    this.backend = backend
    this.#plane = plane
    this.wire = open(this)
    backend.opened(this.wire)
  }

  /** Hands the connection to an exchange and writes its request. */
  send(exchange: AnswerEvents, rules: ResponseRules, request: string): void {
    this.#exchange = exchange
    if (rules !== this.#rules) this.#lastHeadText = ''
    this.#rules = rules
    this.#state = 'head'
    this.#interims = 0
    this.#interimBytes = 0
    this.uses++
    this.wire.write(request)
  }

  /** Somebody else hears what is still to come of the answer. */
  handOver(exchange: AnswerEvents): void {
    this.#exchange = exchange
  }

  /** Something must arrive within `ms`; 0 = no deadline. */
  expectWithin(ms: number): void {
    this.#plane.wheel.arm(this, ms)
  }

  /** It waits for an exchange. */
  get isIdle(): boolean {
    return this.#state === 'idle'
  }

  /**
   * The exchange is done with the connection and it is clean: it waits for the next one, of anybody or, where it is
   * `reserved`, of its client alone.
   */
  keep({ maxIdle, idleTimeoutMs }: KeepaliveSpec, reserved: boolean): void {
    this.#exchange = null
    this.#state = 'idle'
    const clean = !this.wire.ended && !this.wire.closed && !this.wire.pending && maxIdle > 0
    if (clean && (reserved ? this.backend.reserve(this) : this.backend.keepIdle(this, maxIdle))) {
      this.expectWithin(idleTimeoutMs)
    } else this.close()
  }

  /** The exchange is done with the connection and it is not clean. */
  close(): void {
    this.#exchange = null
    this.#state = 'closed'
    this.#plane.wheel.remove(this)
    this.wire.destroy()
  }

  /** The connection becomes a tunnel: somebody else reads it from now on. */
  detach(): Wire {
    this.#exchange = null
    this.#state = 'closed'
    this.#plane.wheel.remove(this)
    return this.wire
  }

  closeIdle(): void {
    this.backend.removeIdle(this)
    this.close()
  }

  onData(bytes: Buffer, length: number): void {
    if (this.#state === 'body') {
      this.#exchange!.onAnswerBytes(bytes, 0, length)
    } else if (this.#state === 'head') {
      if (this.#partial === null) this.#readHeads(bytes, 0, length)
      else {
        const whole = Buffer.concat([this.#partial, bytes.subarray(0, length)])
        this.#partial = null
        this.#readHeads(whole, 0, whole.length)
      }
    } else if (this.#state === 'idle') {
      // Nobody asked: whatever this is, it must not become the answer to the next request (CVE-2026-6733).
      this.closeIdle()
    }
  }

  #readHeads(bytes: Buffer, start: number, end: number): void {
    let position = start
    while (this.#state === 'head' && position < end) {
      let text = bytes.latin1Slice(position, Math.min(end, position + HEAD_PEEK_BYTES))
      let headEnd = text.indexOf('\r\n\r\n')
      if (headEnd < 0 && end - position > HEAD_PEEK_BYTES) {
        text = bytes.latin1Slice(position, Math.min(end, position + MAX_HEAD_BYTES))
        headEnd = text.indexOf('\r\n\r\n')
      }
      if (headEnd < 0) {
        this.#keepPartial(bytes, position, end, text)
        return
      }
      const head = this.#parse(text, headEnd)
      position += headEnd + 4
      if (head === null) this.#fail(errors.bad_response, '')
      else if (head.status >= 200 || head.status === 101) {
        this.#state = 'body'
        // Nothing of these bytes is looked at afterwards: the connection may carry its next exchange already.
        this.#exchange!.onAnswer(head, bytes, position, end)
        return
      } else if (++this.#interims > MAX_INTERIM || (this.#interimBytes += headEnd) > MAX_HEAD_BYTES)
        this.#fail(errors.bad_response, 'too many interim answers')
      else this.#exchange!.onInterim(head)
    }
  }

  /** An answer's head is often the same as the one before it on this connection. */
  #parse(text: string, headEnd: number): ResponseHead | null {
    const headText = text.length === headEnd + 4 ? text : text.slice(0, headEnd + 4)
    if (headText === this.#lastHeadText) return this.#lastHead
    const head = parseResponseHead(text, 0, headEnd, this.#rules!)
    if (head !== null) {
      this.#lastHeadText = headText
      this.#lastHead = head
    }
    return head
  }

  #keepPartial(bytes: Buffer, start: number, end: number, text: string): void {
    if (BROKEN_LINE.test(text)) this.#fail(errors.bad_response, '')
    else if (end - start > MAX_HEAD_BYTES) this.#fail(errors.response_header_too_large, '')
    else this.#partial = Buffer.from(bytes.subarray(start, end))
  }

  onEnd(): void {
    if (this.#state === 'idle') this.closeIdle()
    else if (this.#state === 'body') this.#exchange!.onAnswerEnd()
    else if (this.#state === 'head') this.#fail(this.#lost(), '')
  }

  onDrain(): void {
    this.#exchange?.onBackendDrain()
  }

  onDeadline(): void {
    if (this.#state === 'idle') this.closeIdle()
    else this.#fail(this.#state === 'head' ? errors.first_byte_timeout : errors.body_timeout, '')
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    if (this.#state === 'idle') {
      this.backend.removeIdle(this)
      this.#state = 'closed'
      this.#plane.wheel.remove(this)
    } else if (this.#exchange !== null) {
      const refusal = this.uses === 1 && this.#state === 'head' ? lateRefusal(error) : null
      if (refusal === null) this.#fail(this.#lost(), error?.code ?? '')
      else this.#fail(refusal.error, refusal.reason)
    }
  }

  onFault(error: unknown): void {
    this.#plane.unexpected(error)
  }

  /** A backend that went away before its answer, or in the middle of it. */
  #lost(): ErrorSpec {
    if (this.#state === 'body') return errors.reset_in_answer
    return this.#partial === null && this.#interims === 0 ? errors.reset_before_answer : errors.reset_in_answer
  }

  #fail(error: ErrorSpec, code: string): void {
    const exchange = this.#exchange
    this.close()
    exchange?.onBackendFailed(error, code)
  }
}
