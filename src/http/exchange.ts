// The life of an exchange, in the order of its methods:
//   begin → findRoute → admitted → dispatch → attempt → approach → connect → send → onInterim → onAnswer → passOn →
//   onAnswerBytes → answerRead → answerSent → finish
// with fail, give and cut as the ways out: another attempt, an error, a message that visibly breaks off.
// Where the route caches, a visit to the cache comes before dispatch: consult → serveStored, or forward, which is dispatch.
// A route that asks no backend goes from admitted to answer. Steps (middleware) stand before admitted, connect and passOn.

// The global of that name is a getter, which shows at this rate.
import { performance } from 'node:perf_hooks'
import { type ErrorName, type ErrorSpec, errorNames, errors, isUnreached } from '../core/errors.ts'
import type { BackendSpec } from '../core/spec.ts'
import type { TlsFacts } from '../net/arrival.ts'
import { Dial, type DialEvents } from '../net/dialer.ts'
import { Tunnel, type TunnelOwner } from '../net/tunnel.ts'
import type { ReadSide, Wire, WireEvents } from '../net/wire.ts'
import type { AccessEntry } from '../observe/access-entry.ts'
import type { ExchangeObserver } from '../observe/exchange-observer.ts'
import type { ExchangeTrace } from '../observe/tracing/exchange-trace.ts'
import { traceIdOf } from '../observe/tracing/trace-context.ts'
import type { AffinityKey } from '../pool/affinity.ts'
import { Attempts, type RetryQuestion } from '../pool/attempts.ts'
import { Lease } from '../pool/lease.ts'
import type { LiveBackend } from '../pool/live-backend.ts'
import type { PlaneContext } from '../pool/plane-context.ts'
import { MatcherFailure } from '../routing/router.ts'
import type { BodyParts, Lead, StoredEntry, Writing } from '../state/cache/types.ts'
import { methodIndex } from '../state/worker-state.ts'
import { Deadline } from '../util/timer-wheel.ts'
import { AnswerRelay, type RelayOwner } from './answer-relay.ts'
import { Fetch } from './cache/fetch.ts'
import type { RouteCache } from './cache/route-cache.ts'
import { SilentClient } from './cache/silent-client.ts'
import type { StoredAnswer } from './cache/stored-answer.ts'
import { type SourceOwner, StoredSource } from './cache/stored-source.ts'
import { CacheVisit, type VisitOwner } from './cache/visit.ts'
import {
  type AnswerEdits,
  composeAnswerHead,
  composeRequestHead,
  composeUpgradeHead,
  type RequestEdits,
} from './compose-head.ts'
import type { Compression, Verdict } from './compression/compression.ts'
import type { Site } from './context.ts'
import { tellError } from './error-answer/tell-error.ts'
import { optionsAnswer } from './error-response.ts'
import { answerBody } from './http1/answer-body.ts'
import { type AnswerEvents, BackendConnection } from './http1/backend-side.ts'
import { BodyReader } from './http1/body.ts'
import { dropAnswer } from './http1/dropped-answer.ts'
import { fieldValue } from './http1/grammar.ts'
import { type Owner, prefaceFor, takeOwn } from './http1/own-connection.ts'
import { bodyText, lastChunk, relayBody } from './http1/relay-body.ts'
import { isIdempotent, type RequestHead } from './http1/request-head.ts'
import { ResponseHead } from './http1/response-head.ts'
import { hashOf } from './hygiene/hash-key.ts'
import { hasDotSegments } from './hygiene/target.ts'
import { framesMessage } from './hygiene/trailers.ts'
import type { MirrorCopy } from './mirror/mirror-copy.ts'
import { bodyLength, type OwnAnswer, ownAnswerText } from './own-answer.ts'
import { httpsLocation, redirectTo } from './redirect.ts'
import { answerEdits, codable, ownFields, pageFor, type Taken } from './route/answer-edits.ts'
import type { Destination } from './route/destination.ts'
import { askedLookup, requestEditsOf, unwantedTrailers } from './route/request-edits.ts'
import { destinationFor, type Route } from './route/route.ts'
import type { RouteTable } from './route/route-table.ts'
import { BackendRequestRecord } from './steps/backend-request-record.ts'
import type { Step } from './steps/build-steps.ts'
import type { Hook } from './steps/hooks.ts'
import type { ClientFactsOfStep, RequestRecord } from './steps/request-record.ts'
import { ResponseRecord } from './steps/response-record.ts'
import { StepCaller, type StepOwner } from './steps/step-caller.ts'
import { tellFinished } from './steps/tell-finished.ts'
import { isAskedFor } from './upgrade.ts'

/** What an exchange needs of the client's connection. */
export interface ExchangeClient extends Owner, ClientFactsOfStep {
  readonly wire: Wire
  readonly isSecure: boolean
  /** Null without TLS. */
  readonly tls: TlsFacts | null
  /** Its connection is not kept: a drain, or its listener has gone. */
  readonly leaves: boolean
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

const NOTHING = Buffer.alloc(0)

/** For heads alone: a body of known length, and none. */
const wholeBody = new BodyReader('length', 1)
const noBody = new BodyReader('none', 0)

/** What is there whole needs no pausing. */
const inMemory: ReadSide = { reusesBuffers: true, pause() {}, resume() {}, useOwnBuffer() {} }

/** What a reader has just read, for the store. */
const received = (bytes: Buffer, { ranges, total }: BodyReader): BodyParts => ({ bytes, ranges, total })

function withoutTrailer(head: ResponseHead): ResponseHead {
  return Object.assign(new ResponseHead(), head, { trailer: '', composed: [] })
}

const isLookedUp = (method: string): boolean => method === 'GET' || method === 'HEAD'

const microsecondsSince = (ms: number): number => Math.round((performance.now() - ms) * 1000)

const index: Readonly<Record<string, number>> = Object.fromEntries(errorNames.map((name, at) => [name, at]))

export class Exchange implements DialEvents, AnswerEvents, RelayOwner, StepOwner, TunnelOwner, VisitOwner, SourceOwner {
  readonly #plane: PlaneContext
  readonly #site: Site
  readonly #client: ExchangeClient
  readonly #head: RequestHead
  readonly #body: BodyReader
  readonly #requestId: string
  readonly #startedAt = performance.now()
  /** The trace that it belongs to; null = none, or nobody asks. */
  readonly #trace: ExchangeTrace | null
  /** Null until one was found to take the request. */
  #route: Route | null = null
  /** What steps and templates know of the request; null where the route needs it for nothing. */
  #record: RequestRecord | null = null
  /** Of the attempt that is being made, where steps see attempts. */
  #attemptRecord: BackendRequestRecord | null = null
  /** Null where the route has no steps. */
  #steps: StepCaller | null = null
  /** A step has failed, or its answer is on its way: no more of them are called. */
  #stepsDone = false
  /** Path and query as a backend gets them. */
  #target: string
  /** The same, before anything is rewritten: what caches go by. */
  #asked: string
  /** Goes to another pool once the request is complete; null = there is none, or it is on its way. */
  #copy: MirrorCopy | null = null
  /** Null until the request is on its way to a pool. */
  #destination: Destination | null = null
  #attempts: Attempts | null = null
  /** What of the request body has been read before a backend stood, framed for it; kept for a further attempt. */
  #firstBody = ''
  /** More of the body than `#firstBody` has gone out: the request cannot be sent again. */
  #bodyStreamed = false
  #dial: Dial | null = null
  #dialedAt = 0
  /** Spent on dials; -1 = none was begun. */
  #connectUs = -1
  /** Until the first backend was asked; -1 = none was, or nobody wants to know. */
  #queueUs = -1
  #connection: BackendConnection | null = null
  #freshOnly = false
  #sentAt = 0
  #answeredAt = 0
  #firstByteUs = 0
  /** As the client sees it, and as the backend said. */
  #status = 0
  #backendStatus = 0
  /** The answer of a backend on its way to the client; null until its head goes out. */
  #relay: AnswerRelay | null = null
  #backendReusable = false
  #interimSent = false
  #ended = false
  #error: ErrorName | '' = ''
  /** Length of the body of an answer of our own, or of one that went out whole. */
  #ownBytes = 0
  /** Null where the route does not cache. */
  #visit: CacheVisit | null = null
  /** What an answer from the store is read from. */
  #source: StoredSource | null = null
  /** Nobody waits for it: it is not counted as a request. */
  readonly #isSilent: boolean
  #backendUrl = ''
  #total: Deadline | null = null
  #tunnel: Tunnel | null = null

  constructor(plane: PlaneContext, site: Site, client: ExchangeClient, head: RequestHead, isSilent = false) {
    this.#plane = plane
    this.#isSilent = isSilent
    this.#site = site
    this.#client = client
    this.#head = head
    this.#body = new BodyReader(head.fields.framing, head.fields.contentLength)
    this.#requestId = head.fields.requestId === '' ? plane.ids.next() : head.fields.requestId
    this.#target = head.target
    this.#asked = head.target
    this.#trace = plane.tracer === null ? null : plane.tracer.begin(head.fields.block)
    if (!isSilent) plane.state.requestStarted(site.listener.row)
  }

  /** Whether the whole request has been read. */
  get requestRead(): boolean {
    return this.#body.done
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The client's: as a believed proxy tells of it, else of the connection. */
  get #address(): string {
    return this.#head.fields.clientAddress || this.#client.address
  }

  /** Takes what came behind the head, and goes to work. Returns the position after the last byte used. */
  begin(bytes: Buffer, start: number, end: number): number {
    const { listener } = this.#site
    if (listener.redirectHttpsPort !== 0) return this.#redirect(listener.redirectHttpsPort, bytes, start, end)
    if (this.#head.fields.looped) return this.#refuse(errors.loop_detected, end)
    if (this.#head.method === 'OPTIONS' && this.#head.fields.maxForwards === 0) return this.#answerOptions(start)
    const route = this.#findRoute()
    if ('retry' in route) return this.#refuse(route, end)
    // Errors are shown to steps, too: before anything can go wrong.
    if (route.steps !== null) this.#steps = new StepCaller(this, this.#plane.wheel)
    if (route.bodySize !== 0 && this.#head.fields.contentLength > route.bodySize) {
      return this.#refuse(errors.body_too_large, end)
    }
    const used = this.#body.feed(bytes, start, end)
    if (used < 0 || framesMessage(this.#body.trailers)) return this.#refuse(errors.bad_chunk, end)
    if (this.#bodyTooLarge()) return this.#refuse(errors.body_too_large, end)
    if (this.#body.kind !== 'none') this.#firstBody = bodyText(bytes, this.#body)
    const hooks = route.steps === null ? null : route.steps.onRequest
    if (hooks !== null) this.#steps!.call(hooks, this.#record!, (answer) => this.#admitted(answer))
    else this.#admitted(undefined)
    return used
  }

  /** The route that takes the request, or why none does. */
  #findRoute(): Route | ErrorSpec {
    const { table, implicit } = this.#site
    const found = table === null ? undefined : this.#match(table)
    if (found === null) return errors.bad_target
    if (found !== undefined && 'retry' in found) return found
    const route = found ?? implicit
    if (route === null) return errors.no_route
    this.#route = route
    if (table === null) return route
    // What was matched is what backends get, byte for byte (CVE-2025-66490).
    const { path, query } = table.found
    this.#target = path + query
    this.#asked = this.#target
    if (route.needsRecord) this.#record = table.found.record(this.#requestId, route.name, this.#trafficRow())
    return route
  }

  /** As `RouteTable.match`, or an error where a matcher of a plug-in fails. */
  #match(table: RouteTable): Route | ErrorSpec | undefined | null {
    try {
      return table.match(this.#head, this.#client)
    } catch (error) {
      if (!(error instanceof MatcherFailure)) throw error
      this.#plane.pluginFailed(`matcher ${error.matcher}`, error.cause, this.#requestId)
      return errors.middleware_failed
    }
  }

  /** The steps before a backend are through: with an answer of theirs, with the route's own, or on to a pool. */
  #admitted(answer: OwnAnswer | undefined): void {
    const route = this.#route!
    if (answer !== undefined) this.#answer(answer)
    else if (route.own !== null) this.#answer(route.own(this.#record!))
    else if (route.cache !== null && isLookedUp(this.#head.method)) this.#consult(route, route.cache)
    else this.#dispatch(route)
  }

  // --- the cache ---

  #consult(route: Route, cache: RouteCache): void {
    this.#destination = destinationFor(route, this.#head, this.#address)
    this.#visit = this.#newVisit(route, cache, this.#head, this)
    this.#visit.begin()
  }

  #newVisit(route: Route, cache: RouteCache, head: RequestHead, owner: VisitOwner): CacheVisit {
    const { certificateNames } = this.#site.headLimits
    const changes = this.#record === null ? null : this.#record.changes
    return new CacheVisit({
      owner,
      cache,
      head,
      wheel: this.#plane.wheel,
      target: this.#asked,
      rewritten: this.#record === null ? null : this.#record.target,
      pool: this.#destination!.pool.spec.name,
      lookup: askedLookup(route, this.#record, cache.lookupOf(head)),
      isAuthenticated: changes !== null || (certificateNames !== null && this.#client.tls?.clientCertificate != null),
    })
  }

  forward(): void {
    this.#dispatch(this.#route!)
  }

  refuse(error: ErrorSpec): void {
    this.#give(error, '')
  }

  /** As an answer of a backend: its route's edits and steps come after the cache. */
  serveStored(answer: StoredAnswer): void {
    if (this.#ended) {
      answer.reading?.release()
      return
    }
    const { head } = answer
    this.#status = head.status
    const page = this.#route!.errorPages === null ? undefined : this.#pageFor(head, '')
    if (page !== undefined) {
      answer.reading?.release()
      this.#reviewOwn(page, true)
      return
    }
    if (answer.reading !== null) this.#source = new StoredSource(this, answer.reading, answer.start, answer.end)
    const hooks = this.#stepsDone || this.#route!.steps === null ? null : this.#route!.steps.onResponse
    if (hooks === null) {
      this.#sendStored(answer, null)
      return
    }
    const record = new ResponseRecord(this.#record!, head.status, head.forward, '')
    this.#steps!.call(hooks, record, (other) => {
      if (other === undefined) this.#sendStored(answer, record)
      else {
        this.#stepsDone = true
        this.#answer(other)
      }
    })
  }

  #sendStored(answer: StoredAnswer, record: ResponseRecord | null): void {
    const { head, text } = answer
    this.#status = record === null ? head.status : record.status
    const edits = this.#storedEdits(record)
    const { compression } = this.#route!
    const verdict = compression === null ? null : this.#storedVerdict(compression, answer, edits)
    if (this.#source !== null || (text !== null && verdict !== null && verdict !== 'identity')) {
      this.#relayStored(answer, edits, verdict)
      return
    }
    const composed = composeAnswerHead(
      {
        request: this.#head,
        answer: head,
        body: text === null ? noBody : wholeBody,
        keepAlive: this.#clientStays(),
        date: this.#plane.clock.date,
        verdict,
        codedLength: -1,
        cacheLine: '',
      },
      edits,
    )
    this.#client.wire.write(text === null ? composed.text : composed.text + text)
    this.#ownBytes = text === null ? 0 : text.length
    this.#finish(composed.keepAlive)
  }

  #storedVerdict(compression: Compression, { head, text }: StoredAnswer, edits: AnswerEdits): Verdict {
    return compression.choose(
      this.#head,
      codable(head, edits, text === null && this.#source === null ? noBody : wholeBody),
    )
  }

  #relayStored({ head, text, start, end }: StoredAnswer, edits: AnswerEdits, verdict: Verdict): void {
    const source = this.#source
    const bytes = text === null ? (source?.first() ?? NOTHING) : Buffer.from(text, 'latin1')
    const body = new BodyReader(end < 0 ? 'close' : 'length', end - start)
    body.feed(bytes, 0, bytes.length)
    const mayStay = this.#clientStays()
    const { date } = this.#plane.clock
    this.#relay = new AnswerRelay(this, this.#client.wire, source ?? inMemory, body)
    this.#relay.start({ request: this.#head, answer: head, edits, mayStay, date, cacheLine: '' }, verdict, bytes)
    if (source !== null) this.#flow(this.#relay, source)
  }

  /** What follows the first bytes. */
  #flow(relay: AnswerRelay, source: StoredSource): void {
    if (this.#ended) return
    if (relay.takesRuns) source.takeRuns()
    source.flow()
  }

  #storedEdits(record: ResponseRecord | null): AnswerEdits {
    const plain = this.#site.plainAnswer
    const route = this.#route!
    if (route.responseEdits === null && record === null) return plain
    const backend = { url: '', pool: this.#poolName }
    return answerEdits(
      { route, record: this.#record },
      record,
      { status: this.#status, backend },
      { plain, setCookie: '' },
    )
  }

  onStoredRuns(runs: readonly Buffer[]): void {
    this.#relay!.moreRuns(runs)
  }

  onStoredEnd(): void {
    this.#relay!.endOfConnection()
  }

  onStoredFailed(): void {
    this.#cut(errors.reset_in_answer)
  }

  /** Asks a backend whether what was served is still good; the client has its answer. */
  revalidate(entry: StoredEntry, lead: Lead): void {
    const client = new SilentClient(this.#client, this.#plane)
    const head = this.#head.method === 'GET' ? this.#head : { ...this.#head, method: 'GET' }
    const other = new Exchange(this.#plane, this.#site, client, head, true)
    client.onStop = () => other.clientGone()
    other.guarded(() => other.#validate(this, entry, lead))
  }

  #validate(before: Exchange, entry: StoredEntry, lead: Lead): void {
    const route = before.#route!
    this.#route = route
    this.#record = before.#record
    this.#target = before.#target
    this.#asked = before.#asked
    this.#destination = before.#destination
    if (route.steps !== null) this.#steps = new StepCaller(this, this.#plane.wheel)
    this.#stepsDone = true
    this.#visit = this.#newVisit(route, route.cache!, this.#head, this)
    this.#visit.beginValidation(entry, lead)
  }

  /** Something else goes to the client: what comes of this answer is read where its end is near. */
  #dropAnswer(connection: BackendConnection, head: ResponseHead, bytes: Buffer, start: number, end: number): void {
    const { slot } = connection.backend.spec
    const body = answerBody(this.#head.method, head)
    const used = body.feed(bytes, start, end)
    this.#backendDone(slot, head.status)
    this.#connection = null
    const reusable = this.#body.done && this.#isClean(head, body, used === end)
    const { keepalive } = this.#destination!.pool.spec
    const dropped = { connection, body, reusable, keepalive, lease: this.#attempts!.handOver(), kind: 'intercepted' }
    dropAnswer(dropped, this.#plane.sideWork)
  }

  /** The answer goes into the store first. False = it cannot, and is passed on as it comes. */
  #store(visit: CacheVisit, head: ResponseHead, bytes: Buffer, start: number, end: number): boolean {
    const body = answerBody(this.#head.method, head)
    const used = body.feed(bytes, start, end)
    if (used < 0) return false
    this.#backendReusable = this.#isClean(head, body, used === end)
    this.#backendStatus = head.status
    if (body.done) {
      const entry = visit.keeper.whole(received(bytes, body))
      const answer = entry === null ? null : visit.keptAnswer(entry)
      if (answer === null) return false
      this.answerRead()
      this.#attempts!.release()
      this.serveStored(answer)
      return true
    }
    const writing = this.#fetch(visit, head, body, bytes)
    if (writing === null) return false
    visit.serveComing(writing)
    return true
  }

  /** The rest of the answer goes into the store by itself, and the client reads it from there. Null = it is not stored. */
  #fetch(visit: CacheVisit, head: ResponseHead, body: BodyReader, bytes: Buffer): Writing | null {
    const connection = this.#connection!
    const writing = visit.keeper.open(body.kind === 'length' ? head.contentLength : -1, bytes, body.ranges)
    if (writing === null) return null
    this.#connection = null
    if (this.#trace !== null) this.#trace.end(head.status, '', performance.now())
    const { pool, timeouts } = this.#destination!
    const parts = {
      connection,
      body,
      writing,
      reusable: this.#isClean(head, body, true) && this.#body.done,
      keepalive: pool.spec.keepalive,
      idleMs: timeouts.idleMs,
      lease: this.#attempts!.handOver(),
      status: head.status,
      firstByteUs: this.#firstByteUs,
      cache: this.#route!.cache!,
    }
    new Fetch(parts, this.#plane)
    return writing
  }

  /** Chooses the pool, and what it is to be asked for. */
  #dispatch(route: Route): void {
    if (this.#record !== null && this.#record.target !== null) this.#target = this.#record.target
    this.#firstBody += this.#endWithTrailers()
    if (route.rewrite !== null) {
      const target = route.rewrite.applyTo(this.#target)
      if (target === null) {
        this.#give(errors.bad_target, '')
        return
      }
      this.#target = target
    }
    const destination = this.#destination ?? destinationFor(route, this.#head, this.#address)
    const { pool, retries, timeouts } = destination
    if (pool.hasBasePath && hasDotSegments(this.#target)) {
      this.#give(errors.bad_target, '')
      return
    }
    this.#destination = destination
    if (route.mirror !== null && !this.#isSilent) this.#copy = route.mirror.begin(this.#head, this.#trafficRow())
    this.#attempts = new Attempts(pool, hashOf(pool.spec, this.#head, this.#address), retries)
    if (timeouts.totalMs !== 0) {
      this.#total = new Deadline(() => this.#totalTimedOut())
      this.#plane.wheel.arm(this.#total, timeouts.totalMs)
    }
    this.#attempt()
    // The request itself comes first.
    if (this.#copy !== null) this.#copyMore(this.#firstBody)
  }

  /** More of the body for the copy, framed for a backend; with the last of it the copy goes out. */
  #copyMore(text: string): void {
    const copy = this.#copy!
    copy.add(text, this.#body.received)
    if (copy.isOpen && !this.#body.done) return
    this.#copy = null
    if (!copy.isOpen) return
    const parts = { head: this.#head, target: this.#target, requestId: this.#requestId, trace: this.#traceLines }
    const edits = { ...this.#requestEdits(), attemptChanges: null }
    copy.send(this.#client, (backend, hostHeader) => composeRequestHead({ ...parts, backend, hostHeader }, edits))
  }

  /** Takes a place at a backend and a connection to it. */
  #attempt(): void {
    const attempts = this.#attempts!
    const bound = this.#destination!.affinity?.find(this.#affinityKey())
    const lease = attempts.take(bound)
    if (lease instanceof Lease) this.#approach(lease)
    else this.#giveUp(attempts.failure ?? lease, attempts.failureCode)
  }

  /** Steps may change what this backend is asked. */
  #approach(lease: Lease): void {
    if (this.#plane.accessLog !== null && this.#queueUs < 0) this.#queueUs = microsecondsSince(this.#startedAt)
    const hooks = this.#route!.steps?.onBackendRequest ?? null
    if (hooks === null) {
      this.#connect(lease)
      return
    }
    const { spec } = lease.backend
    this.#attemptRecord = new BackendRequestRecord(this.#record!, spec.pool, spec.url, this.#attempts!.count)
    this.#steps!.call(hooks, this.#attemptRecord, () => this.#connect(lease))
  }

  #connect(lease: Lease): void {
    const { timeouts } = this.#destination!
    // The rest of the body stays in the kernel until somebody can take it.
    if (!this.#body.done) this.#client.wire.pause()
    this.#client.expectWithin(0)
    this.#backendUrl = lease.backend.spec.url
    if (this.#trace !== null) this.#trace.begin(lease.backend.spec, this.#target, performance.now())
    const idle = this.#takeIdle(lease.backend)
    if (idle !== undefined) {
      this.#send(idle)
      return
    }
    const preface = prefaceFor(this.#client, lease.backend)
    this.#dialedAt = performance.now()
    this.#dial = new Dial(lease.backend, timeouts.connectMs, this.#plane.wheel, this, preface)
    this.#dial.start()
  }

  /** After a kept connection turned out to be dead its siblings are not trusted either. */
  #takeIdle(backend: LiveBackend): BackendConnection | undefined {
    if (backend.sendProxyProtocol !== null) return takeOwn(this.#client, backend, !this.#freshOnly)
    return this.#freshOnly ? undefined : (backend.takeIdle() as BackendConnection | undefined)
  }

  onDialed(open: (events: WireEvents) => Wire, durationUs: number): void {
    this.#endDial()
    const backend = this.#attempts!.lease!.backend
    this.#plane.state.backendConnected(backend.spec.slot, durationUs)
    this.guarded(() => this.#send(new BackendConnection(open, backend, this.#plane)))
  }

  onDialFailed(error: ErrorSpec, code: string): void {
    this.#endDial()
    this.#plane.state.backendConnectFailed(this.#attempts!.lease!.backend.spec.slot)
    this.guarded(() => this.#fail(error, code))
  }

  #endDial(): void {
    this.#dial = null
    this.#connectUs = Math.max(0, this.#connectUs) + microsecondsSince(this.#dialedAt)
  }

  #cancelDial(): void {
    if (this.#dial === null) return
    this.#dial.cancel()
    this.#endDial()
  }

  /** What a dial calls comes straight from the loop: a bug there costs this exchange, not the worker. */
  guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#plane.unexpected(error)
      this.#give(errors.internal, '')
    }
  }

  /** Writes head and what there is of the body; the rest follows as it comes. */
  #send(connection: BackendConnection): void {
    const { hostHeader, responseRules } = this.#destination!
    this.#connection = connection
    this.#sentAt = this.#attempts!.count === 1 && connection.uses > 0 ? this.#startedAt : performance.now()
    const { spec: backend } = connection.backend
    const head = composeRequestHead(
      {
        head: this.#visit === null ? this.#head : this.#visit.head,
        target: this.#target,
        backend,
        hostHeader,
        requestId: this.#requestId,
        trace: this.#traceLines,
      },
      this.#requestEdits(),
    )
    connection.send(this, responseRules, this.#firstBody === '' ? head : head + this.#firstBody)
    if (connection.wire.closed) return
    this.#setDeadlines()
    if (!this.#body.done && !connection.wire.pending) this.#client.resumeBody()
  }

  get #traceLines(): string | null {
    return this.#trace === null ? null : this.#trace.lines
  }

  #requestEdits(): RequestEdits {
    return requestEditsOf(this.#route!, this.#record, this.#attemptRecord, this.#visit)
  }

  /** More of the request body. The client is paused while no backend connection stands. */
  onRequestBytes(bytes: Buffer, start: number, end: number): number {
    const connection = this.#connection
    if (connection === null) {
      // The backend has answered and is gone; the client is still being given the last of a compressed answer.
      if (this.#relay?.isEncoding === true) return end
      throw new Error('request bytes without a backend connection')
    }
    const used = this.#body.feed(bytes, start, end)
    const broken = used < 0 || framesMessage(this.#body.trailers)
    if (broken || this.#bodyTooLarge()) {
      this.#give(broken ? errors.bad_chunk : errors.body_too_large, '')
      return end
    }
    this.#bodyStreamed = true
    if (this.#copy !== null) this.#copyMore(bodyText(bytes, this.#body) + this.#endWithTrailers())
    const { wire } = this.#client
    const outgoing = this.#body.kind === 'chunked' ? 'chunked' : 'raw'
    relayBody(connection.wire, '', wire, bytes, this.#body, outgoing, this.#unwantedTrailers)
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

  /** The last chunk of a body that has trailers; '' for all others. Once it is known what route and steps take out. */
  #endWithTrailers(): string {
    return this.#body.trailers === '' ? '' : lastChunk(this.#body.trailers, this.#unwantedTrailers)
  }

  get #unwantedTrailers(): ReadonlySet<string> {
    const { reserved } = this.#site.headLimits
    return this.#body.trailers === '' ? reserved : unwantedTrailers(reserved, this.#route!, this.#record)
  }

  /** Whoever is waited for has a deadline: the backend for bytes or for taking them, the client likewise. */
  #setDeadlines(): void {
    const connection = this.#connection
    const { idleTimeoutMs } = this.#site.limits
    if (connection === null) {
      this.#client.expectWithin(this.#client.wire.pending ? idleTimeoutMs : 0)
      return
    }
    const { firstByteMs, idleMs } = this.#destination!.timeouts
    const awaitsClient = this.#client.wire.pending || (!this.#body.done && !connection.wire.pending)
    this.#client.expectWithin(awaitsClient ? idleTimeoutMs : 0)
    if (this.#relay !== null) connection.expectWithin(this.#client.wire.pending ? 0 : idleMs)
    // Its answer has come, and waits for a step.
    else if (this.#steps?.isWaiting === true) connection.expectWithin(0)
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
    if (this.#destination!.retries.onStatus.length > 0 && this.#retryStatus(head.status)) return
    if (this.#site.invalidator !== null) this.#site.invalidator.after(this.#head, this.#asked, head, this.#plane.cache)
    if (this.#visit !== null && this.#isAnswered(this.#visit, connection, head, bytes, start, end)) return
    if (this.#route!.errorPages !== null && this.#intercept(connection, head, bytes, start, end)) return
    const hooks = this.#stepsDone || this.#route!.steps === null ? null : this.#route!.steps.onResponse
    if (hooks === null) this.#passOn(null, head, bytes, start, end)
    else this.#review(connection, hooks, head, bytes, start, end)
  }

  /** The cache has something better, or has to have the answer first. */
  #isAnswered(
    visit: CacheVisit,
    connection: BackendConnection,
    head: ResponseHead,
    bytes: Buffer,
    start: number,
    end: number,
  ): boolean {
    const outcome = visit.answered(head, this.#attemptRecord === null ? null : this.#attemptRecord.changes)
    if (outcome === 'pass') return visit.servesFromStore && this.#store(visit, head, bytes, start, end)
    this.#dropAnswer(connection, head, bytes, start, end)
    if (outcome === 'ask' || !visit.serveInstead()) this.#attempt()
    return true
  }

  /** A backend's error is told in the words of the route, if it has any; its own are read where their end is near. */
  #intercept(connection: BackendConnection, head: ResponseHead, bytes: Buffer, start: number, end: number): boolean {
    const answer = this.#pageFor(head, connection.backend.spec.url)
    if (answer === undefined) return false
    this.#dropAnswer(connection, head, bytes, start, end)
    this.#reviewOwn(answer, true)
    return true
  }

  #pageFor(head: ResponseHead, url: string): OwnAnswer | undefined {
    const taken = { route: this.#route!, record: this.#record }
    return pageFor(taken, head, { backend: { url, pool: this.#poolName }, hsts: this.#site.hsts })
  }

  /** Nothing of the answer, and nothing of an upgrade that was tried, will be taken for the next answer. */
  #isClean(head: ResponseHead, body: BodyReader, usedAll: boolean): boolean {
    return (
      usedAll &&
      body.kind !== 'close' &&
      !head.mayCarryStrayBody &&
      (head.minor === 1 ? !head.close : head.keepAlive) &&
      this.#head.fields.upgrade === ''
    )
  }

  /** Steps see the head before the client does. What came with it waits where one of them takes its time. */
  #review(
    connection: BackendConnection,
    hooks: readonly Hook<ResponseRecord>[],
    head: ResponseHead,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const { spec } = connection.backend
    const record = new ResponseRecord(this.#record!, head.status, head.forward, spec.url)
    let held: Buffer | null = null
    this.#steps!.call(hooks, record, (answer) => {
      if (this.#connection !== connection) return
      if (answer !== undefined) {
        this.#backendDone(spec.slot, head.status)
        this.#closeConnection()
        this.#stepsDone = true
        this.#answer(answer)
      } else if (held === null) this.#passOn(record, head, bytes, start, end)
      else {
        this.#passOn(record, head, held, 0, held.length)
        if (this.#connection === connection && !this.#client.wire.pending) connection.wire.resume()
      }
    })
    if (!this.#steps!.isWaiting || this.#connection !== connection) return
    held = Buffer.from(bytes.subarray(start, end))
    connection.wire.pause()
    connection.expectWithin(0)
  }

  /** The answer goes to the client: its head and the first part of the body; most are complete here. */
  #passOn(record: ResponseRecord | null, head: ResponseHead, bytes: Buffer, start: number, end: number): void {
    const connection = this.#connection!
    const body = answerBody(this.#head.method, head)
    const used = body.feed(bytes, start, end)
    if (used < 0) {
      this.#blame(errors.bad_response)
      this.#closeConnection()
      this.#fail(errors.bad_response, '')
      return
    }
    // Reusable only if the request was fully sent and the answer fully read (CVE-2024-24791).
    this.#backendReusable = this.#isClean(head, body, used === end)
    this.#backendStatus = head.status
    this.#status = record === null ? head.status : record.status
    const visit = this.#visit
    let writing: Writing | null = null
    if (visit?.keeper.stores === true) {
      if (body.done) visit.keeper.whole(received(bytes, body))
      else writing = this.#fetch(visit, head, body, bytes)
    }
    if (this.#isSilent) {
      if (writing === null) this.#dropAnswer(connection, head, bytes, start, end)
      this.#finish(false)
      return
    }
    const { cache, compression } = this.#route!
    const shown = cache === null ? head : cache.shown(head)
    // The store keeps no trailers.
    const answer = writing === null || head.trailer === '' ? shown : withoutTrailer(shown)
    const edits = this.#answerEdits(record, connection.backend.spec)
    const verdict = compression === null ? null : compression.choose(this.#head, codable(answer, edits, body))
    const cacheLine = visit === null ? '' : visit.line
    const { date } = this.#plane.clock
    const parts = { request: this.#head, answer, edits, mayStay: this.#clientStays(), date, cacheLine }
    if (writing === null) {
      this.#relay = new AnswerRelay(this, this.#client.wire, connection.wire, body)
      this.#relay.start(parts, verdict, bytes)
      return
    }
    const length = body.kind === 'length' ? head.contentLength : -1
    const source = new StoredSource(this, writing.reader(), 0, length)
    this.#source = source
    this.#relay = new AnswerRelay(
      this,
      this.#client.wire,
      source,
      new BodyReader(length < 0 ? 'close' : 'length', length),
    )
    const first = source.first() ?? NOTHING
    this.#relay.body.feed(first, 0, first.length)
    this.#relay.start(parts, verdict, first)
    this.#flow(this.#relay, source)
  }

  #answerEdits(record: ResponseRecord | null, backend: BackendSpec): AnswerEdits {
    const setCookie = this.#destination!.affinity?.bind(this.#affinityKey(), backend, this.#client.isSecure) ?? ''
    const plain = this.#site.plainAnswer
    const route = this.#route!
    if (route.responseEdits === null && record === null && setCookie === '') return plain
    const taken = { route, record: this.#record }
    return answerEdits(taken, record, { status: this.#status, backend }, { plain, setCookie })
  }

  onAnswerBytes(bytes: Buffer, start: number, end: number): void {
    const relay = this.#relay!
    const { body } = relay
    const used = body.feed(bytes, start, end)
    if (used < 0) {
      this.#blame(errors.bad_response)
      this.#cut(errors.bad_response)
      return
    }
    if (used !== end) this.#backendReusable = false
    relay.more(bytes)
  }

  onAnswerEnd(): void {
    const relay = this.#relay!
    if (relay.body.kind !== 'close') {
      this.#blame(errors.reset_in_answer)
      this.#cut(errors.reset_in_answer)
      return
    }
    this.#backendReusable = false
    relay.endOfConnection()
  }

  /** The client has taken what had to wait: the backend may go on. */
  onClientDrain(): void {
    if (this.#relay === null) return
    this.#relay.clientDrained()
    if (!this.#ended) this.#setDeadlines()
  }

  relayWaits(): void {
    this.#setDeadlines()
  }

  /** All of the answer has come; the client may still have some of it to get. */
  answerRead(): void {
    const connection = this.#connection
    if (connection === null) return
    this.#connection = null
    connection.wire.releaseOwnBuffer(this.#client.wire.pending)
    connection.wire.resume()
    this.#backendDone(connection.backend.spec.slot, this.#backendStatus)
    if (this.#backendReusable && this.#body.done) this.#keep(connection)
    else connection.close()
  }

  /** A backend has answered, and nothing more is asked of it. */
  #backendDone(slot: number, status: number): void {
    this.#plane.state.backendFinished(slot, status, this.#firstByteUs)
    if (this.#trace !== null) this.#trace.end(status, '', performance.now())
  }

  answerSent(atOnce: boolean): void {
    this.#finish(this.#relay!.keepAlive && this.#body.done, atOnce ? this.#answeredAt : performance.now())
  }

  answerBroken(error: unknown): void {
    this.#plane.unexpected(error)
    this.#cut(errors.internal)
  }

  #keep(connection: BackendConnection): void {
    const reserved = connection.backend.sendProxyProtocol !== null
    connection.keep(this.#destination!.pool.spec.keepalive, reserved)
    if (reserved) this.#client.own = connection
  }

  /** The one way an exchange ends: everything it held is given back, everything known is recorded. */
  #finish(reusable: boolean, now = performance.now()): void {
    if (this.#ended) return
    this.#ended = true
    this.#steps?.cancel()
    this.#relay?.destroy()
    if (this.#source !== null) this.#releaseSource(this.#source)
    this.#copy?.abandon()
    this.#attempts?.release()
    if (this.#total !== null) this.#plane.wheel.remove(this.#total)
    const durationUs = Math.round((now - this.#startedAt) * 1000)
    const { state } = this.#plane
    const { row } = this.#site.listener
    const traffic = this.#trafficRow()
    if (this.#visit !== null) {
      this.#visit.finish(this.#error === 'client_gone')
      const { result, refusal } = this.#visit
      if (!this.#isSilent) state.cacheRequest(traffic, result)
      if (refusal !== null) state.notStored(traffic, refusal)
    }
    if (this.#isSilent) {
      this.#client.exchangeEnded(false, true)
      return
    }
    state.requestFinished(row, traffic, methodIndex(this.#head.method), this.#status, durationUs)
    if (this.#error !== '') state.requestError(traffic, index[this.#error]!)
    if (this.#plane.accessLog !== null) this.#log(this.#plane.accessLog, durationUs)
    if (this.#trace?.isRecorded === true) this.#recordTrace(this.#trace, durationUs, now)
    const finishers = this.#route === null || this.#route.steps === null ? null : this.#route.steps.onFinish
    if (finishers !== null) this.#tellFinished(finishers, durationUs)
    this.#client.exchangeEnded(reusable, this.#body.done)
  }

  /** The kernel may still have some of its bytes to take. */
  #releaseSource(source: StoredSource): void {
    source.stop()
    this.#client.wire.whenTaken(() => source.release())
  }

  #trafficRow(): number {
    const { listener, position } = this.#site
    const rows = this.#route === null ? null : this.#route.rows
    return rows === null ? listener.row : (rows[position] ?? listener.row)
  }

  #tellFinished(steps: readonly Step[], durationUs: number): void {
    const finish = {
      request: this.#record!,
      status: this.#status,
      durationMs: durationUs / 1000,
      backend: this.#backendUrl,
      attempts: this.#attempts?.count ?? 0,
      error: this.#error,
    }
    tellFinished(steps, finish, (label, error) => this.#plane.pluginFailed(label, error, this.#requestId))
  }

  // --- steps ---

  /** Until it is done nobody else is waited for. Without a backend nobody can take the rest of the body. */
  stepWaits(): void {
    if (this.#connection === null && !this.#body.done) this.#client.wire.pause()
    this.#client.expectWithin(0)
  }

  /** Whatever fails in a step is an answer of 500. */
  stepFailed(label: string, error: unknown): void {
    this.#plane.pluginFailed(label, error, this.#requestId)
    this.#stepsDone = true
    this.#give(errors.middleware_failed, '')
  }

  // --- the ways out ---

  onBackendFailed(error: ErrorSpec, code: string): void {
    // A kept connection may have been closed at any time: that says nothing about the backend.
    const stale = error === errors.reset_before_answer && this.#connection!.uses > 1
    this.#connection = null
    this.#steps?.cancel()
    if (stale) this.#freshOnly = true
    else this.#blame(error)
    if (this.#relay !== null) this.#cut(error)
    else this.#fail(error, code, stale)
  }

  /** The client has gone: the backend need not go on, and nobody is to blame. */
  clientGone(): void {
    if (this.#ended) return
    this.#cancelDial()
    this.#closeConnection()
    this.#error = 'client_gone'
    if (this.#status === 0) this.#status = 499
    this.#finish(false)
  }

  /** The client did not send its body, or did not take the answer, in time. */
  clientTimedOut(): void {
    if (this.#relay !== null) this.#cut(errors.client_gone)
    else this.#give(errors.request_timeout, '')
  }

  #totalTimedOut(): void {
    if (this.#relay !== null) this.#cut(errors.total_timeout)
    // What was stored is there already, and waits for a step.
    else if (this.#status !== 0) this.#give(errors.total_timeout, '')
    else this.#giveUp(errors.total_timeout, '')
  }

  /**
   * This attempt failed before anything of its answer was passed on: another one, or an error for the client.
   * `stale`: on a kept connection that was dead already, so that the same backend may be asked again.
   */
  #fail(error: ErrorSpec, code: string, stale = false): void {
    const attempts = this.#attempts!
    const { slot } = attempts.lease!.backend.spec
    if (this.#trace !== null) this.#trace.end(0, error.name, performance.now())
    if (isUnreached(error) && error.blamesBackend) this.#plane.backendFailed(slot, error.name, code)
    attempts.failed(error, code, stale)
    if (attempts.mayRetry(error, stale, this.#retryQuestion())) this.#attempt()
    else this.#giveUp(attempts.failure!, attempts.failureCode)
  }

  /** No backend gives an answer: what is stored may do, else the client is told. */
  #giveUp(error: ErrorSpec, code: string): void {
    if (this.#visit !== null) {
      this.#cancelDial()
      this.#closeConnection()
      this.#steps?.cancel()
      if (this.#visit.rescue(error)) return
    }
    this.#give(error, code)
  }

  /** Nothing is retried after the first byte to the client, or once more of the body went out than is kept. */
  #retryQuestion(): RetryQuestion {
    return { repeatable: !this.#interimSent && !this.#bodyStreamed, idempotent: isIdempotent(this.#head.method) }
  }

  /** A configured status: the answer is dropped and another backend asked, if the rules allow it. */
  #retryStatus(status: number): boolean {
    const { slot } = this.#attempts!.lease!.backend.spec
    const next = this.#attempts!.retryOnStatus(status, this.#retryQuestion())
    if (next === null) return false
    this.#backendDone(slot, status)
    this.#closeConnection()
    this.#approach(next)
    return true
  }

  #refuse(error: ErrorSpec, position: number): number {
    this.#give(error, '')
    return position
  }

  /** Gives the client an error instead of an answer. */
  #give(error: ErrorSpec, code: string): void {
    if (this.#ended) return
    this.#cancelDial()
    this.#closeConnection()
    this.#steps?.cancel()
    this.#error = error.name as ErrorName
    if (this.#relay !== null) this.#cut(error)
    else this.#reviewOwn(this.#errorAnswer(error, code, ''), error.side !== 'client')
  }

  /** Gives the client an answer that was made here. */
  #answer(answer: OwnAnswer): void {
    const { refusal } = answer
    if (refusal === undefined) {
      this.#reviewOwn(answer, true)
      return
    }
    const { error, details } = refusal
    this.#error = error.name as ErrorName
    this.#reviewOwn(this.#errorAnswer(error, details, answer.fields), true)
  }

  /** An error as the client gets it. `fields`: further ones. */
  #errorAnswer(error: ErrorSpec, code: string, fields: string): OwnAnswer {
    return tellError(error, code, fields, {
      plane: this.#plane,
      site: this.#site,
      peer: this.#client.address,
      head: this.#head,
      requestId: this.#requestId,
      taken: this.#taken,
      pool: this.#poolName,
      failures: this.#attempts?.failures ?? [],
    })
  }

  get #taken(): Taken | null {
    return this.#route === null ? null : { route: this.#route, record: this.#record }
  }

  get #poolName(): string {
    return this.#destination === null ? '' : this.#destination.pool.spec.name
  }

  /** Steps see answers of our own, too, but for one: what says that a step has failed. */
  #reviewOwn(answer: OwnAnswer, mayStay: boolean): void {
    this.#status = answer.status
    const hooks = this.#stepsDone || this.#record === null ? null : (this.#route!.steps?.onResponse ?? null)
    if (hooks === null) {
      this.#writeOwn(answer, null, mayStay)
      return
    }
    this.#stepsDone = true
    const record = new ResponseRecord(this.#record!, answer.status, answer.fields, '')
    this.#steps!.call(hooks, record, (other) =>
      this.#writeOwn(other ?? answer, other === undefined ? record : null, mayStay),
    )
  }

  #writeOwn(answer: OwnAnswer, record: ResponseRecord | null, mayStay: boolean): void {
    this.#status = record === null ? answer.status : record.status
    const fields = ownFields(this.#taken, answer, record)
    const keepAlive = mayStay && this.#head.minor === 1 && this.#clientStays()
    const text = ownAnswerText(
      { status: this.#status, fields, body: answer.body },
      {
        date: this.#plane.clock.date,
        requestId: this.#requestId,
        keepAlive,
        isHead: this.#head.method === 'HEAD',
        hsts: this.#site.hsts,
      },
    )
    this.#client.wire.write(text)
    this.#ownBytes = bodyLength(text)
    this.#finish(keepAlive)
  }

  /** Part of an answer has gone out and the rest will not come: the client must see that it is incomplete. */
  #cut(error: ErrorSpec): void {
    this.#closeConnection()
    this.#error = error.name as ErrorName
    const { wire } = this.#client
    // Without a length only a reset tells a cut message from a complete one.
    if (this.#relay === null || this.#relay.endsWithConnection) wire.reset()
    else wire.destroy()
    this.#finish(false)
  }

  #blame(error: ErrorSpec): void {
    const lease = this.#attempts?.lease ?? null
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
    return (minor === 1 ? !fields.close : fields.keepAlive) && this.#body.done && !this.#client.leaves
  }

  #bodyTooLarge(): boolean {
    const { bodySize } = this.#route!
    return bodySize !== 0 && this.#body.received > bodySize
  }

  #affinityKey(): AffinityKey {
    const { fields } = this.#head
    const sticky = this.#destination!.affinity?.spec
    const header = sticky?.by === 'header' ? fieldValue(fields.lookup, sticky.name.toLowerCase()) : ''
    return { cookie: fields.cookie, address: this.#address, header }
  }

  /** Max-Forwards: 0 makes this proxy the one that is asked (RFC 9110 §7.6.2). */
  #answerOptions(position: number): number {
    this.#reviewOwn(optionsAnswer, true)
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
    this.#reviewOwn(redirectTo(location), true)
    return used
  }

  #switchProtocols(head: ResponseHead, bytes: Buffer, start: number, end: number): void {
    const connection = this.#connection!
    if (!isAskedFor(this.#head.fields.upgrade, head.upgrade)) {
      this.#blame(errors.bad_upgrade_answer)
      this.#closeConnection()
      this.#fail(errors.bad_upgrade_answer, '')
      return
    }
    this.#status = 101
    this.#backendStatus = 101
    this.#connection = null
    if (this.#total !== null) this.#plane.wheel.remove(this.#total)
    this.#plane.state.backendFinished(connection.backend.spec.slot, 101, this.#firstByteUs)
    this.#client.wire.write(composeUpgradeHead(head, this.#answerEdits(null, connection.backend.spec)))
    this.#client.becomeTunnel()
    this.#tunnel = new Tunnel({
      client: this.#client.wire,
      backend: connection.detach(),
      owner: this,
      wheel: this.#plane.wheel,
      idleMs: this.#destination!.timeouts.tunnelMs,
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

  #log(log: ExchangeObserver, durationUs: number): void {
    const { fields, target } = this.#head
    const traceId = this.#trace === null ? traceIdOf(fieldValue(fields.block, 'traceparent')) : this.#trace.traceId
    const logged = this.#route === null || this.#route.logged
    if (!log.wants(traceId || this.#requestId, target, this.#status, this.#error, logged)) return
    log.add(this.#entry(traceId, durationUs))
  }

  /** The spans of this exchange, on their way to whoever collects them. */
  #recordTrace(trace: ExchangeTrace, durationUs: number, now: number): void {
    trace.end(this.#backendStatus, this.#error, now)
    const endMs = Math.max(now, trace.attempts.at(-1)?.endMs ?? 0)
    this.#plane.tracer?.add(trace, this.#entry(trace.traceId, durationUs), this.#startedAt, endMs)
  }

  #entry(traceId: string, durationUs: number): AccessEntry {
    const { fields, target } = this.#head
    return {
      listener: this.#site.listener.name,
      client: this.#address,
      tls: this.#client.tls?.version ?? '',
      clientCertificate: this.#client.tls?.clientCertificate?.fingerprint ?? '',
      serverName: this.#client.tls?.serverName ?? '',
      method: this.#head.method,
      target,
      minor: this.#head.minor,
      host: this.#head.host,
      status: this.#status,
      received: this.#body.received + (this.#tunnel?.client.count ?? 0),
      sent: this.#tunnel?.backend.count ?? this.#relay?.sent ?? this.#ownBytes,
      durationUs,
      queueUs: this.#queueUs,
      connectUs: this.#connectUs,
      firstByteUs: this.#firstByteUs,
      route: this.#route === null ? '' : this.#route.name,
      pool: this.#poolName,
      backend: this.#backendUrl,
      attempts: this.#attempts?.count ?? 0,
      failures: this.#attempts?.failures ?? null,
      error: this.#error,
      cache: this.#visit === null ? '' : this.#visit.result,
      requestId: this.#requestId,
      traceId,
      userAgent: fieldValue(fields.block, 'user-agent'),
      referer: fieldValue(fields.block, 'referer'),
      headers: fields.block,
    }
  }
}
