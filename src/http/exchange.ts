// The life of an exchange, in the order of its methods:
//   begin → attempt → send → onInterim → onAnswer → onAnswerBytes → complete → finish
// with fail as the way out of every step: it retries, answers with an error, or cuts the message visibly.

// The global of that name is a getter, which shows at this rate.
import { performance } from 'node:perf_hooks'
import { type ErrorName, type ErrorSpec, errorNames, errors, isUnreached } from '../core/errors.ts'
import type { TlsFacts } from '../net/arrival.ts'
import { Dial, type DialEvents } from '../net/dialer.ts'
import { Tunnel, type TunnelOwner } from '../net/tunnel.ts'
import type { Wire, WireEvents } from '../net/wire.ts'
import type { AffinityKey } from '../pool/affinity.ts'
import { Attempts, type RetryQuestion } from '../pool/attempts.ts'
import { Lease } from '../pool/lease.ts'
import type { LiveBackend } from '../pool/live-backend.ts'
import type { PlaneContext } from '../pool/plane-context.ts'
import { methodIndex } from '../state/worker-state.ts'
import { Deadline } from '../util/timer-wheel.ts'
import { composeAnswerHead, composeRequestHead, composeUpgradeHead } from './compose-head.ts'
import type { Site } from './context.ts'
import { bodyLength, errorResponse, optionsAnswer } from './error-response.ts'
import { answerBody } from './http1/answer-body.ts'
import { type AnswerEvents, BackendConnection } from './http1/backend-side.ts'
import { BodyReader } from './http1/body.ts'
import { fieldValue } from './http1/grammar.ts'
import { type Owner, prefaceFor, takeOwn } from './http1/own-connection.ts'
import { bodyText, type Outgoing, relayBody } from './http1/relay-body.ts'
import { isIdempotent, type RequestHead } from './http1/request-head.ts'
import type { ResponseHead } from './http1/response-head.ts'
import { hashOf } from './hygiene/hash-key.ts'
import { hasDotSegments } from './hygiene/target.ts'
import { framesMessage } from './hygiene/trailers.ts'
import { httpsLocation, redirectResponse } from './redirect.ts'

/** What an exchange needs of the client's connection. */
export interface ExchangeClient extends Owner {
  readonly wire: Wire
  readonly isSecure: boolean
  /** Null without TLS. */
  readonly tls: TlsFacts | null
  /** From now on a tunnel reads and writes its wire, until the exchange ends. */
  becomeTunnel(): void
  /** Bytes that came behind an Upgrade request, handed over to the tunnel. */
  takeStash(): Buffer | null
  /** The exchange has ended. `reusable`: the connection may carry another one; else it is to be closed in peace: at once where the whole request was read. */
  exchangeEnded(reusable: boolean, requestRead: boolean): void
  /** The client's body may be read again. */
  resumeBody(): void
  /** Something must arrive from, or be taken by, the client within `ms`; 0 = no deadline. */
  expectWithin(ms: number): void
}

const index: Readonly<Record<string, number>> = Object.fromEntries(errorNames.map((name, at) => [name, at]))

export class Exchange implements DialEvents, AnswerEvents, TunnelOwner {
  readonly #plane: PlaneContext
  readonly #site: Site
  readonly #client: ExchangeClient
  readonly #head: RequestHead
  readonly #body: BodyReader
  readonly #requestId: string
  readonly #startedAt = performance.now()
  readonly #attempts: Attempts
  /** What of the request body has been read before a backend stood, framed for it; kept for a further attempt. */
  #firstBody = ''
  /** More of the body than `#firstBody` has gone out: the request cannot be sent again. */
  #bodyStreamed = false
  #dial: Dial | null = null
  #connection: BackendConnection | null = null
  #freshOnly = false
  #sentAt = 0
  #answeredAt = 0
  #firstByteUs = 0
  #status = 0
  #answerBody: BodyReader | null = null
  #outgoing: Outgoing = 'raw'
  #keepAlive = false
  #backendReusable = false
  #interimSent = false
  #ended = false
  #error: ErrorName | '' = ''
  /** Length of the body of an answer of our own. */
  #ownBytes = 0
  #backendUrl = ''
  #total: Deadline | null = null
  #tunnel: Tunnel | null = null

  constructor(plane: PlaneContext, site: Site, client: ExchangeClient, head: RequestHead) {
    this.#plane = plane
    this.#site = site
    this.#client = client
    this.#head = head
    this.#body = new BodyReader(head.fields.framing, head.fields.contentLength)
    this.#requestId = head.fields.requestId === '' ? plane.ids.next() : head.fields.requestId
    this.#attempts = new Attempts(site.pool, hashOf(site.pool.spec, head, client.address))
    plane.state.requestStarted(site.listener.row)
  }

  /** Whether the whole request has been read. */
  get requestRead(): boolean {
    return this.#body.done
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Takes what came behind the head, and goes to work. Returns the position after the last byte used. */
  begin(bytes: Buffer, start: number, end: number): number {
    const { limits, pool, listener } = this.#site
    if (listener.redirectHttpsPort !== 0) return this.#redirect(listener.redirectHttpsPort, bytes, start, end)
    if (this.#head.fields.looped) return this.#refuse(errors.loop_detected, end)
    if (limits.bodySize !== 0 && this.#head.fields.contentLength > limits.bodySize) {
      return this.#refuse(errors.body_too_large, end)
    }
    if (this.#head.method === 'OPTIONS' && this.#head.fields.maxForwards === 0) return this.#answerOptions(start)
    if (pool.hasBasePath && hasDotSegments(this.#head.target)) return this.#refuse(errors.bad_target, end)
    const used = this.#body.feed(bytes, start, end)
    if (used < 0 || framesMessage(this.#body.trailers)) return this.#refuse(errors.bad_chunk, end)
    if (this.#bodyTooLarge()) return this.#refuse(errors.body_too_large, end)
    if (this.#body.kind !== 'none') this.#firstBody = bodyText(bytes, this.#body, this.#site.headLimits.reserved)
    if (pool.spec.timeouts.totalMs !== 0) {
      this.#total = new Deadline(() => this.#totalTimedOut())
      this.#plane.wheel.arm(this.#total, pool.spec.timeouts.totalMs)
    }
    this.#attempt()
    return used
  }

  /** Takes a place at a backend and a connection to it. */
  #attempt(): void {
    const bound = this.#site.pool.affinity?.find(this.#affinityKey())
    const lease = this.#attempts.take(bound)
    if (lease instanceof Lease) this.#connect(lease)
    else this.#give(this.#attempts.failure ?? lease, this.#attempts.failureCode)
  }

  #connect(lease: Lease): void {
    const { pool } = this.#site
    // The rest of the body stays in the kernel until somebody can take it.
    if (!this.#body.done) this.#client.wire.pause()
    this.#client.expectWithin(0)
    this.#backendUrl = lease.backend.spec.url
    const idle = this.#takeIdle(lease.backend)
    if (idle !== undefined) {
      this.#send(idle)
      return
    }
    const preface = prefaceFor(this.#client, lease.backend)
    this.#dial = new Dial(lease.backend, pool.spec.timeouts.connectMs, this.#plane.wheel, this, preface)
    this.#dial.start()
  }

  /** After a kept connection turned out to be dead its siblings are not trusted either. */
  #takeIdle(backend: LiveBackend): BackendConnection | undefined {
    if (backend.sendProxyProtocol !== null) return takeOwn(this.#client, backend, !this.#freshOnly)
    return this.#freshOnly ? undefined : (backend.takeIdle() as BackendConnection | undefined)
  }

  onDialed(open: (events: WireEvents) => Wire, durationUs: number): void {
    this.#dial = null
    const backend = this.#attempts.lease!.backend
    this.#plane.state.backendConnected(backend.spec.slot, durationUs)
    this.#guarded(() => this.#send(new BackendConnection(open, backend, this.#plane)))
  }

  onDialFailed(error: ErrorSpec, code: string): void {
    this.#dial = null
    this.#plane.state.backendConnectFailed(this.#attempts.lease!.backend.spec.slot)
    this.#guarded(() => this.#fail(error, code))
  }

  /** What a dial calls comes straight from the loop: a bug there costs this exchange, not the worker. */
  #guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#plane.unexpected(error)
      this.#give(errors.internal, '')
    }
  }

  /** Writes head and what there is of the body; the rest follows as it comes. */
  #send(connection: BackendConnection): void {
    const { pool, responseRules } = this.#site
    this.#connection = connection
    this.#sentAt = this.#attempts.count === 1 && connection.uses > 0 ? this.#startedAt : performance.now()
    const head = composeRequestHead(this.#head, connection.backend.spec, pool.spec.hostHeader, this.#requestId)
    connection.send(this, responseRules, this.#firstBody === '' ? head : head + this.#firstBody)
    if (connection.wire.closed) return
    this.#setDeadlines()
    if (!this.#body.done && !connection.wire.pending) this.#client.resumeBody()
  }

  /** More of the request body. The client is paused while no backend connection stands. */
  onRequestBytes(bytes: Buffer, start: number, end: number): number {
    const connection = this.#connection
    if (connection === null) throw new Error('request bytes without a backend connection')
    const used = this.#body.feed(bytes, start, end)
    const broken = used < 0 || framesMessage(this.#body.trailers)
    if (broken || this.#bodyTooLarge()) {
      this.#give(broken ? errors.bad_chunk : errors.body_too_large, '')
      return end
    }
    this.#bodyStreamed = true
    const { wire } = this.#client
    const outgoing = this.#body.kind === 'chunked' ? 'chunked' : 'raw'
    relayBody(connection.wire, '', wire, bytes, this.#body, outgoing, this.#site.headLimits.reserved)
    if (this.#ended) return used
    if (this.#body.done) wire.releaseOwnBuffer(connection.wire.pending)
    // Chunks are copied together anyway: a buffer of its own would only make the reads larger than the copies.
    else if (outgoing === 'raw') wire.useOwnBuffer()
    this.#setDeadlines()
    return used
  }

  onBackendDrain(): void {
    this.#setDeadlines()
    this.#client.resumeBody()
  }

  /** Whoever is waited for has a deadline: the backend for bytes or for taking them, the client likewise. */
  #setDeadlines(): void {
    const connection = this.#connection!
    const { firstByteMs, idleMs } = this.#site.pool.spec.timeouts
    const { idleTimeoutMs } = this.#site.limits
    const awaitsClient = this.#client.wire.pending || (!this.#body.done && !connection.wire.pending)
    this.#client.expectWithin(awaitsClient ? idleTimeoutMs : 0)
    if (this.#answerBody !== null) connection.expectWithin(this.#client.wire.pending ? 0 : idleMs)
    else if (connection.wire.pending) connection.expectWithin(idleMs)
    else connection.expectWithin(this.#body.done ? firstByteMs : 0)
  }

  onInterim(head: ResponseHead): void {
    if (this.#head.minor === 0) return
    this.#interimSent = true
    this.#client.wire.write(`HTTP/1.1 ${head.status} ${head.reason}\r\n${head.forward}\r\n`)
  }

  /** The final head with the first part of the body: most answers are complete here. */
  onAnswer(head: ResponseHead, bytes: Buffer, start: number, end: number): void {
    const connection = this.#connection!
    this.#answeredAt = performance.now()
    this.#firstByteUs = Math.round((this.#answeredAt - this.#sentAt) * 1000)
    if (head.status === 101) {
      this.#switchProtocols(head, bytes, start, end)
      return
    }
    const body = answerBody(this.#head.method, head)
    const used = body.feed(bytes, start, end)
    if (used < 0) {
      this.#blame(errors.bad_response)
      this.#closeConnection()
      this.#fail(errors.bad_response, '')
      return
    }
    if (this.#site.pool.spec.retries.onStatus.length > 0 && this.#retryStatus(head.status)) return
    this.#status = head.status
    this.#answerBody = body
    // Reusable only if the request was fully sent and the answer fully read (CVE-2024-24791), and no upgrade was tried.
    this.#backendReusable =
      used === end &&
      body.kind !== 'close' &&
      !head.mayCarryStrayBody &&
      (head.minor === 1 ? !head.close : head.keepAlive) &&
      this.#head.fields.upgrade === ''
    this.#keepAlive = this.#clientStays()
    const secure = this.#client.isSecure
    const cookie = this.#site.pool.affinity?.bind(this.#affinityKey(), connection.backend.spec, secure) ?? ''
    const composed = composeAnswerHead(
      this.#head,
      head,
      body,
      this.#keepAlive,
      this.#plane.clock.date,
      cookie,
      this.#site.hsts,
    )
    this.#keepAlive = composed.keepAlive
    this.#outgoing = composed.outgoing
    relayBody(this.#client.wire, composed.text, connection.wire, bytes, body, composed.outgoing)
    if (this.#ended) return
    if (body.done) this.#complete(this.#answeredAt)
    else {
      this.#client.wire.setNoDelay()
      if (this.#outgoing === 'raw') connection.wire.useOwnBuffer()
      this.#setDeadlines()
    }
  }

  onAnswerBytes(bytes: Buffer, start: number, end: number): void {
    const body = this.#answerBody!
    const used = body.feed(bytes, start, end)
    if (used < 0) {
      this.#blame(errors.bad_response)
      this.#cut(errors.bad_response)
      return
    }
    if (used !== end) this.#backendReusable = false
    relayBody(this.#client.wire, '', this.#connection!.wire, bytes, body, this.#outgoing)
    if (this.#ended) return
    if (body.done) this.#complete(performance.now())
    else this.#setDeadlines()
  }

  onAnswerEnd(): void {
    const body = this.#answerBody!
    if (body.kind !== 'close') {
      this.#blame(errors.reset_in_answer)
      this.#cut(errors.reset_in_answer)
      return
    }
    if (this.#outgoing === 'chunked') this.#client.wire.write('0\r\n\r\n')
    this.#backendReusable = false
    this.#complete(performance.now())
  }

  /** The client has taken what had to wait: the backend may go on. */
  onClientDrain(): void {
    if (this.#connection === null || this.#answerBody === null) return
    this.#connection.wire.resume()
    this.#setDeadlines()
  }

  /** The answer is complete. */
  #complete(now: number): void {
    const connection = this.#connection!
    this.#connection = null
    connection.wire.releaseOwnBuffer(this.#client.wire.pending)
    connection.wire.resume()
    this.#plane.state.backendFinished(connection.backend.spec.slot, this.#status, this.#firstByteUs)
    if (this.#backendReusable && this.#body.done) this.#keep(connection)
    else connection.close()
    this.#finish(this.#keepAlive && this.#body.done, now)
  }

  #keep(connection: BackendConnection): void {
    const reserved = connection.backend.sendProxyProtocol !== null
    connection.keep(this.#site.pool.spec.keepalive, reserved)
    if (reserved) this.#client.own = connection
  }

  /** The one way an exchange ends: everything it held is given back, everything known is recorded. */
  #finish(reusable: boolean, now = performance.now()): void {
    if (this.#ended) return
    this.#ended = true
    this.#attempts.release()
    if (this.#total !== null) this.#plane.wheel.remove(this.#total)
    const durationUs = Math.round((now - this.#startedAt) * 1000)
    const { state } = this.#plane
    state.requestFinished(this.#site.listener.row, methodIndex(this.#head.method), this.#status, durationUs)
    if (this.#error !== '') state.requestError(this.#site.listener.row, index[this.#error]!)
    if (this.#plane.accessLog !== null) this.#log(durationUs)
    this.#client.exchangeEnded(reusable, this.#body.done)
  }

  // --- the ways out ---

  onBackendFailed(error: ErrorSpec, code: string): void {
    // A kept connection may have been closed at any time: that says nothing about the backend.
    const stale = error === errors.reset_before_answer && this.#connection!.uses > 1
    this.#connection = null
    if (stale) this.#freshOnly = true
    else this.#blame(error)
    if (this.#answerBody !== null) this.#cut(error)
    else this.#fail(error, code, stale)
  }

  /** The client has gone: the backend need not go on, and nobody is to blame. */
  clientGone(): void {
    if (this.#ended) return
    this.#dial?.cancel()
    this.#dial = null
    this.#closeConnection()
    this.#error = 'client_gone'
    if (this.#status === 0) this.#status = 499
    this.#finish(false)
  }

  /** The client did not send its body, or did not take the answer, in time. */
  clientTimedOut(): void {
    if (this.#answerBody !== null) this.#cut(errors.client_gone)
    else this.#give(errors.request_timeout, '')
  }

  #totalTimedOut(): void {
    if (this.#answerBody !== null) this.#cut(errors.total_timeout)
    else this.#give(errors.total_timeout, '')
  }

  /**
   * This attempt failed before anything of its answer was passed on: another one, or an error for the client.
   * `stale`: on a kept connection that was dead already, so that the same backend may be asked again.
   */
  #fail(error: ErrorSpec, code: string, stale = false): void {
    const { slot } = this.#attempts.lease!.backend.spec
    if (isUnreached(error) && error.blamesBackend) this.#plane.backendFailed(slot, error.name, code)
    this.#attempts.failed(error, code, stale)
    if (this.#attempts.mayRetry(error, stale, this.#retryQuestion())) this.#attempt()
    else this.#give(this.#attempts.failure!, this.#attempts.failureCode)
  }

  /** Nothing is retried after the first byte to the client, or once more of the body went out than is kept. */
  #retryQuestion(): RetryQuestion {
    return { repeatable: !this.#interimSent && !this.#bodyStreamed, idempotent: isIdempotent(this.#head.method) }
  }

  /** A configured status: the answer is dropped and another backend asked, if the rules allow it. */
  #retryStatus(status: number): boolean {
    const { slot } = this.#attempts.lease!.backend.spec
    const next = this.#attempts.retryOnStatus(status, this.#retryQuestion())
    if (next === null) return false
    this.#plane.state.backendFinished(slot, status, this.#firstByteUs)
    this.#closeConnection()
    this.#connect(next)
    return true
  }

  #refuse(error: ErrorSpec, position: number): number {
    this.#give(error, '')
    return position
  }

  /** Gives the client an error instead of an answer. */
  #give(error: ErrorSpec, code: string): void {
    if (this.#ended) return
    this.#dial?.cancel()
    this.#dial = null
    this.#closeConnection()
    this.#error = error.name as ErrorName
    if (this.#answerBody !== null) {
      this.#cut(error)
      return
    }
    this.#status = error.status
    const keepAlive = error.side !== 'client' && this.#clientStays()
    const text = errorResponse(error, {
      date: this.#plane.clock.date,
      requestId: this.#requestId,
      keepAlive: keepAlive && this.#head.minor === 1,
      isHead: this.#head.method === 'HEAD',
      hsts: this.#site.hsts,
      details: code,
    })
    this.#client.wire.write(text)
    this.#ownBytes = bodyLength(text)
    this.#finish(keepAlive && this.#head.minor === 1)
  }

  /** Part of an answer has gone out and the rest will not come: the client must see that it is incomplete. */
  #cut(error: ErrorSpec): void {
    this.#closeConnection()
    this.#error = error.name as ErrorName
    const { wire } = this.#client
    // Without a length only a reset tells a cut message from a complete one.
    if (this.#outgoing === 'raw' && this.#answerBody?.kind !== 'length') wire.reset()
    else wire.destroy()
    this.#finish(false)
  }

  #blame(error: ErrorSpec): void {
    const { lease } = this.#attempts
    if (lease !== null && error.blamesBackend) {
      this.#plane.state.backendFinished(lease.backend.spec.slot, 0, 0)
    }
  }

  #closeConnection(): void {
    this.#connection?.close()
    this.#connection = null
  }

  // --- details ---

  #clientStays(): boolean {
    const { fields, minor } = this.#head
    return (minor === 1 ? !fields.close : fields.keepAlive) && this.#body.done && !this.#plane.draining
  }

  #bodyTooLarge(): boolean {
    const { bodySize } = this.#site.limits
    return bodySize !== 0 && this.#body.received > bodySize
  }

  #affinityKey(): AffinityKey {
    const { fields } = this.#head
    const sticky = this.#site.pool.spec.sticky
    const header = sticky?.by === 'header' ? fieldValue(fields.lookup, sticky.name.toLowerCase()) : ''
    return { cookie: fields.cookie, address: this.#client.address, header }
  }

  /** Max-Forwards: 0 makes this proxy the one that is asked (RFC 9110 §7.6.2). */
  #answerOptions(position: number): number {
    const keepAlive = this.#clientStays()
    this.#status = 204
    this.#client.wire.write(optionsAnswer(this.#plane.clock.date, keepAlive, this.#site.hsts))
    this.#finish(keepAlive)
    return position
  }

  /** Whatever is asked for is to be had by https, and no backend is asked. */
  #redirect(port: number, bytes: Buffer, start: number, end: number): number {
    const used = this.#body.feed(bytes, start, end)
    if (used < 0 || framesMessage(this.#body.trailers)) return this.#refuse(errors.bad_chunk, end)
    // It asks about this server, which is no place to be sent to.
    if (this.#head.target === '*') return this.#answerOptions(used)
    const location = httpsLocation(this.#head, port)
    if (location === null) return this.#refuse(errors.bad_host, end)
    const keepAlive = this.#clientStays() && this.#head.minor === 1
    const text = redirectResponse(location, {
      date: this.#plane.clock.date,
      requestId: this.#requestId,
      keepAlive,
      isHead: this.#head.method === 'HEAD',
    })
    this.#status = 308
    this.#client.wire.write(text)
    this.#ownBytes = bodyLength(text)
    this.#finish(keepAlive)
    return used
  }

  /** Only if asked, only to a protocol asked for (CVE-2024-23326). */
  #switchProtocols(head: ResponseHead, bytes: Buffer, start: number, end: number): void {
    const connection = this.#connection!
    const asked = this.#head.fields.upgrade.toLowerCase().split(', ')
    if (this.#head.fields.upgrade === '' || !asked.includes(head.upgrade.toLowerCase())) {
      this.#blame(errors.bad_upgrade_answer)
      this.#closeConnection()
      this.#fail(errors.bad_upgrade_answer, '')
      return
    }
    this.#status = 101
    this.#connection = null
    if (this.#total !== null) this.#plane.wheel.remove(this.#total)
    this.#plane.state.backendFinished(connection.backend.spec.slot, 101, this.#firstByteUs)
    const cookie =
      this.#site.pool.affinity?.bind(this.#affinityKey(), connection.backend.spec, this.#client.isSecure) ?? ''
    this.#client.wire.write(composeUpgradeHead(head, cookie, this.#site.hsts))
    this.#client.becomeTunnel()
    this.#tunnel = new Tunnel({
      client: this.#client.wire,
      backend: connection.detach(),
      owner: this,
      wheel: this.#plane.wheel,
      idleMs: this.#site.pool.spec.timeouts.tunnelMs,
      state: this.#plane.state,
      row: this.#site.listener.row,
    })
    this.#tunnel.start(this.#client.takeStash(), false, Buffer.from(bytes.subarray(start, end)))
  }

  tunnelEnded(): void {
    this.#finish(false)
  }

  tunnelFault(error: unknown): void {
    this.#plane.unexpected(error)
  }

  #log(durationUs: number): void {
    const { fields } = this.#head
    this.#plane.accessLog!.add({
      listener: this.#site.listener.name,
      client: this.#client.address,
      tls: this.#client.tls?.version ?? '',
      clientCertificate: this.#client.tls?.clientCertificate?.fingerprint ?? '',
      method: this.#head.method,
      target: this.#head.target,
      minor: this.#head.minor,
      host: this.#head.host,
      status: this.#status,
      received: this.#body.received + (this.#tunnel?.client.count ?? 0),
      sent: this.#tunnel?.backend.count ?? this.#answerBody?.received ?? this.#ownBytes,
      durationUs,
      firstByteUs: this.#firstByteUs,
      pool: this.#site.listener.redirectHttpsPort === 0 ? this.#site.pool.spec.name : '',
      backend: this.#backendUrl,
      attempts: this.#attempts.count,
      error: this.#error,
      requestId: this.#requestId,
      userAgent: fieldValue(fields.block, 'user-agent'),
      referer: fieldValue(fields.block, 'referer'),
    })
  }
}
