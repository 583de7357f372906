// One request at the cache: looks for an answer, waits for another's, or asks a backend and keeps what it says. In order:
//   begin → look → serve, or ask (as the one that leads, behind another that does, or alone) → answered → finish
// with rescue where no backend gives an answer. RFC 9111 §4; the rules are in policy/.
import { type ErrorSpec, errors, isUnreached } from '../../core/errors.ts'
import type { DiskTier, TakeEntry } from '../../disk/types.ts'
import type { CacheStoreApi, Follow, Incoming, Lead, StoredEntry, Writing } from '../../state/cache/types.ts'
import type { CacheResult, StoreRefusal } from '../../state/names.ts'
import type { TimerWheel } from '../../util/timer-wheel.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import type { FieldChanges } from '../hygiene/field-changes.ts'
import { refreshCodedForms, storedForm } from './coded-forms.ts'
import { ConditionsAsked, candidatesAmong } from './conditions-asked.ts'
import { Keeper } from './keeper.ts'
import { withoutFields } from './policy/kept-fields.ts'
import { headUpdates } from './policy/refresh.ts'
import type { CacheRequest } from './policy/request.ts'
import { isStaleError, mayServeStale, type Reuse, reuse } from './policy/reuse.ts'
import { matches, parseSelector, selectorText } from './policy/vary.ts'
import { type RequestFacts, requestFactsOf } from './request-facts.ts'
import type { RouteCache } from './route-cache.ts'
import { incomingAnswer, passedNotModified, storedAnswer, wholeAnswer } from './serving.ts'
import { forwardLine, hitLine, type WhyForwarded } from './status-line.ts'
import { type Prepared, preparedOf, type StoredAnswer } from './stored-answer.ts'
import { type Outcome, Wait, type WaitOwner } from './wait.ts'

/** The exchange, as far as its visit goes. One of serve, forward and refuse is called; forward may be followed by serve. */
export interface VisitOwner {
  readonly ended: boolean
  /** This is the answer. */
  serveStored(answer: StoredAnswer): void
  /** A backend is to be asked. */
  forward(): void
  refuse(error: ErrorSpec): void
  /** What was served is stale: a backend is asked without anybody waiting for it. */
  revalidate(entry: StoredEntry, lead: Lead): void
  /** Runs what comes straight from the loop. */
  guarded(call: () => void): void
}

export interface VisitParts {
  readonly owner: VisitOwner
  readonly cache: RouteCache
  readonly wheel: TimerWheel
  readonly head: RequestHead
  /** As the route has it, before it is rewritten. */
  readonly target: string
  /** What a step has made of it; null = nothing. */
  readonly rewritten: string | null
  readonly pool: string
  /** A gate, a step or a certificate has told the backend who asks. */
  readonly isAuthenticated: boolean
  /** The fields that answers may vary by, as the backend gets them; those of the head where steps change nothing. */
  readonly lookup: string
}

const none: readonly StoredEntry[] = []
const noCandidates: readonly Prepared<StoredEntry>[] = []

/** Somebody else's answer has not been what was waited for: so often another is waited for. */
const MAX_ROUNDS = 3

export class CacheVisit implements WaitOwner {
  result: CacheResult = 'miss'
  readonly request: CacheRequest
  readonly #parts: VisitParts
  readonly #facts: RequestFacts
  readonly #store: CacheStoreApi
  readonly #url: string
  readonly #partition: string
  readonly #isBypassed: boolean
  #keeper: Keeper | null = null
  #why: WhyForwarded = 'uri-miss'
  /** Detail of Cache-Status; '' = none. */
  #detail = ''
  /** Of the URL, when it was looked for last. */
  #variants: readonly StoredEntry[] = none
  /** What was found, and may be served if no backend answers. */
  #entry: StoredEntry | null = null
  /** Null where no backend was asked about anything. */
  #conditions: ConditionsAsked | null = null
  #wait: Wait | null = null
  #rounds = 0
  #isReadFromDisk = false
  /** Nobody waits for it. */
  #isSilent = false
  #isCollapsed = false
  #fwdStatus = 0
  /** Lines of the 304. */
  #cookies = ''
  /** Instead of an answer that is not stored. */
  #passed: StoredAnswer | null = null

  constructor(parts: VisitParts) {
    const { cache, head, target, rewritten, pool } = parts
    const { fields, host } = head
    const facts = requestFactsOf(fields, host)
    this.#parts = parts
    this.#facts = facts
    this.#store = cache.plane.store
    this.request = cache.hears(facts.request)
    this.#url = cache.urlOf(facts, fields.scheme, target)
    const partition = cache.partitionOf(pool, fields, host, parts.lookup)
    this.#partition = rewritten === null ? partition : `${partition}\0target ${rewritten}`
    const isOther = fields.framing !== 'none' || fields.upgrade !== '' || fields.withholds
    this.#isBypassed = isOther || cache.isBypassed(fields, target)
  }

  /** Most visits find what they look for, and need none. */
  get keeper(): Keeper {
    this.#keeper ??= this.#newKeeper()
    return this.#keeper
  }

  #newKeeper(): Keeper {
    const { cache, head, target, isAuthenticated } = this.#parts
    return new Keeper({
      cache,
      method: head.method,
      lookup: this.#parts.lookup,
      request: this.request,
      isAuthenticated: isAuthenticated || cache.isGated,
      isRefused: this.#isBypassed || cache.isNotStored(head.fields, target),
      url: this.#url,
      partition: this.#partition,
    })
  }

  /** What is counted as the reason why an answer was not stored; null = none. */
  get refusal(): StoreRefusal | null {
    // The route leaves such requests out: that is no news.
    return this.#keeper === null || this.#isBypassed ? null : this.#keeper.refusal
  }

  begin(): void {
    if (this.#isBypassed) {
      // First: without a backend the exchange ends within.
      this.result = 'bypass'
      this.#forward('bypass')
    } else this.#look()
  }

  /** For a request that nobody waits for: asks about this entry. */
  beginValidation(entry: StoredEntry, lead: Lead): void {
    this.#isSilent = true
    this.keeper.leads(lead)
    this.#entry = entry
    this.#askAbout([preparedOf(entry)])
    this.#forward('stale')
  }

  /** RFC 9111 §4: what is stored is served, validated, or not used. */
  #look(): void {
    const entry = this.#find()
    this.#entry = entry
    if (entry === null) {
      this.#absent()
      return
    }
    const { ifMatch, ifUnmodifiedSince } = this.request
    // For the origin alone to decide (RFC 9110 §13.1.1, §13.1.4).
    if (ifMatch !== '' || ifUnmodifiedSince !== '') {
      this.#forward('request')
      return
    }
    const use = reuse(entry, this.request, this.#store.now(), this.#parts.cache.spec)
    if (use.how === 'serve' || use.how === 'serve-and-revalidate') {
      if (!this.#serve(entry, use)) {
        this.#again()
        return
      }
      const lead = use.how === 'serve-and-revalidate' ? this.#turnFor(entry) : null
      if (lead !== null) this.#parts.owner.revalidate(entry, lead)
      return
    }
    if (this.request.onlyIfCached) this.#parts.owner.refuse(errors.not_cached)
    else this.#ask(use.stale ? 'stale' : 'request', use.stale)
  }

  /** Null = somebody is at it, or has just failed. */
  #turnFor(entry: StoredEntry): Lead | null {
    const key = this.#keyOf(entry)
    // The first may only say that something was stored since this thread has missed here, which it knows already.
    for (let tries = 0; tries < 2; tries++) {
      const turn = this.#store.turn(this.#url, key)
      if (turn.kind !== 'follow') return turn.kind === 'lead' ? turn : null
      turn.cancel()
    }
    return null
  }

  #absent(): void {
    const { disk } = this.#parts.cache.plane
    if (disk !== null && !this.#isReadFromDisk && disk.mayHave(this.#url, this.#variants)) this.#readFromDisk(disk)
    else if (this.request.onlyIfCached) this.#parts.owner.refuse(errors.not_cached)
    else this.#ask(this.#variants.length > 0 ? 'vary-miss' : 'uri-miss', !this.request.noCache)
  }

  /** What was kept in files comes back into the memory; one request fetches it for all. */
  #readFromDisk(disk: DiskTier): void {
    this.#isReadFromDisk = true
    const turn = this.#store.turn(this.#url, this.#partition)
    if (turn.kind === 'follow') {
      this.#waitFor(turn)
      return
    }
    const { owner, cache } = this.#parts
    const put: TakeEntry = (facts, texts, bytes) => {
      // One that has come meanwhile is younger.
      if (this.#store.variants(this.#url).some(({ selector }) => selector === texts.selector)) return null
      const entry = this.#store.put(facts, texts, { bytes, ranges: [0, bytes.length], total: bytes.length })
      if (entry !== null) cache.makeForms(entry)
      return entry
    }
    const done = (): void => {
      if (turn.kind === 'lead') turn.end('retry')
      if (!owner.ended) owner.guarded(() => this.#look())
    }
    disk.fetch(this.#url, put, done, (entry) => this.#store.remove(entry), this.#store.variants(this.#url))
  }

  /** The youngest entry that this request selects (RFC 9111 §4.1). */
  #find(): StoredEntry | null {
    const { lookup, head } = this.#parts
    const section = lookup === head.fields.lookup ? this.#facts.id : 0
    const variants = this.#store.variants(this.#url)
    this.#variants = variants
    let without: StoredEntry | null = null
    for (let at = 0; at < variants.length; at++) {
      const entry = variants[at]!
      const prepared = preparedOf(entry)
      if (!prepared.isKnownFor(section, this.#partition)) {
        if (prepared.selector.coding !== '' || !matches(prepared.selector, this.#partition, lookup)) continue
        prepared.know(section, this.#partition)
      }
      // One that says what it varies by goes before a younger one that has left it out.
      if (prepared.selector.names.length > 0 || variants.length === 1) return entry
      without ??= entry
    }
    return without
  }

  /** False = it has gone meanwhile. */
  #serve(entry: StoredEntry, { age, ttl, stale }: Pick<Reuse, 'age' | 'ttl' | 'stale'>): boolean {
    const { cache, head } = this.#parts
    const { compression } = cache
    const { isPlain, range } = this.request
    // Parts are those of what the backend sent, whether there is a form or not: clients put them together.
    const form = compression === null || range !== '' ? entry : storedForm(entry, this.#store, compression, head)
    if (isPlain && !this.#isCollapsed && this.#detail === '') {
      const hitHead = preparedOf(form).hitHead(cache.spec.status, age, ttl, this.#url)
      return this.#serveForm(form, wholeAnswer(form, hitHead, head.method), stale)
    }
    const added = hitLine(cache.spec.status, {
      age,
      ttl,
      detail: this.#detail,
      key: this.#url,
      isCollapsed: this.#isCollapsed,
    })
    return this.#serveForm(form, storedAnswer(form, { method: head.method, request: this.request, added }), stale)
  }

  #serveForm(form: StoredEntry, answer: StoredAnswer | null, stale: boolean): boolean {
    if (answer === null) return false
    this.#store.hit(form)
    this.result = stale ? 'stale' : this.#isCollapsed ? 'collapsed' : 'hit'
    this.#parts.owner.serveStored(answer)
    return true
  }

  /** Asks a backend, or waits for whoever does. `mayWait`: an answer to an earlier request would do. */
  #ask(why: WhyForwarded, mayWait: boolean): void {
    const { head } = this.#parts
    const { range, ifMatch, ifUnmodifiedSince, noStore } = this.request
    this.#why = why
    // What only the backend can answer: a part is not stored, and such conditions are its own.
    const isItsOwn = head.method !== 'GET' || range !== '' || ifMatch !== '' || ifUnmodifiedSince !== ''
    // Of an answer that this request forbids to store nobody else has anything.
    const isForItAlone = this.#entry === null && (noStore || this.keeper.isRefused)
    if (isItsOwn || isForItAlone || this.#rounds >= MAX_ROUNDS) {
      this.#forward(why)
      return
    }
    const turn = this.#store.turn(this.#url, this.#keyOf(this.#entry))
    if (turn.kind === 'follow' && mayWait) {
      this.#waitFor(turn)
      return
    }
    if (turn.kind === 'follow') turn.cancel()
    else if (turn.kind === 'lead') this.keeper.leads(turn)
    this.#askAbout(candidatesAmong(this.#variants, this.#entry, this.#partition))
    this.#forward(why)
  }

  /** What is known to tell requests for the URL apart: those that differ in it do not wait for each other. */
  #keyOf(entry: StoredEntry | null): string {
    const known = entry ?? this.#variants.find((other) => preparedOf(other).selector.partition === this.#partition)
    if (known === undefined) return this.#partition
    const { names } = preparedOf(known).selector
    return names.length === 0 ? this.#partition : selectorText(this.#partition, names, this.#parts.lookup, '')
  }

  #askAbout(candidates: readonly Prepared<StoredEntry>[]): void {
    this.#conditions ??= new ConditionsAsked()
    this.#conditions.about(candidates, this.request, this.keeper.isLeading)
  }

  #forward(why: WhyForwarded): void {
    this.#why = why
    this.#isCollapsed = false
    this.keeper.asked()
    this.#parts.owner.forward()
  }

  #waitFor(turn: Follow): void {
    const { wheel, cache } = this.#parts
    this.#rounds++
    this.#wait = new Wait(turn, cache.spec.waitFor, wheel, this)
  }

  guarded(call: () => void): void {
    this.#parts.owner.guarded(call)
  }

  onWaitedTooLong(): void {
    this.#detail = 'waited'
    this.#forward(this.#why)
  }

  onOutcome(outcome: Outcome): void {
    if (outcome === 'alone') this.#forward(this.#why)
    else if (outcome === 'again') {
      this.#isCollapsed = true
      this.#look()
    } else if (outcome === 'retry') this.#look()
    else if (this.#isMine(outcome)) this.#stream(outcome)
    else {
      outcome.body.release()
      this.#again()
    }
  }

  #isMine(incoming: Incoming): boolean {
    return incoming.url === this.#url && matches(parseSelector(incoming.selector), this.#partition, this.#parts.lookup)
  }

  #stream(incoming: Incoming): void {
    const { owner, head, cache } = this.#parts
    const { how, age } = reuse({ ...incoming, isMarkedStale: false }, this.request, this.#store.now(), cache.spec)
    // It may be too old for this client, or nobody's who shows who he is.
    if (how !== 'serve') {
      incoming.body.release()
      this.#forward(this.#why)
      return
    }
    this.#isCollapsed = true
    this.result = 'collapsed'
    const added = `Age: ${age}\r\n${this.line}`
    owner.serveStored(incomingAnswer(incoming, { method: head.method, request: this.request, added }))
  }

  /** What was found is not there any more, or not for us. */
  #again(): void {
    if (++this.#rounds > MAX_ROUNDS) this.#forward('miss')
    else this.#look()
  }

  // --- the backend has answered ---

  /** What the backend was asked about; empty = it was asked for the answer itself. */
  get #candidates(): readonly Prepared<StoredEntry>[] {
    return this.#conditions === null ? noCandidates : this.#conditions.candidates
  }

  /** Conditions of the cache in place of the client's; null = none. */
  get changes(): FieldChanges | null {
    return this.#conditions === null ? null : this.#conditions.changes
  }

  /** The request as backends get it: with the host in the form that it is keyed in. */
  get head(): RequestHead {
    const { head } = this.#parts
    const host = this.#facts.keyedHost
    return head.host === host ? head : { ...head, host }
  }

  /** What the request says in other words to backends. */
  get facts(): RequestFacts {
    return this.#facts
  }

  /**
   * A backend's answer. `pass`: it goes on to the client, and into the store where it may (`keeper`). `stored`: it is dropped, and
   * `serveInstead` called. `ask`: it is dropped, and the backend asked once more. `told`: by steps, in this attempt alone.
   */
  answered(head: ResponseHead, told: FieldChanges | null): 'pass' | 'stored' | 'ask' {
    this.#fwdStatus = head.status
    if (told !== null) this.keeper.told(told)
    if (this.#isBypassed) {
      this.keeper.judge(head)
      return 'pass'
    }
    if (head.status === 304 && this.#candidates.length > 0) return this.#validated(head)
    if (isStaleError(head.status) && this.#mayRescue('error')) {
      this.#detail = `status-${head.status}`
      this.keeper.failed()
      return 'stored'
    }
    if (this.#parts.head.method === 'HEAD') this.#compareHead(head)
    const verdict = this.keeper.judge(head)
    if (verdict.store) return 'pass'
    if (this.#entry !== null && this.keeper.outdates(head.status, verdict.rule)) this.keeper.remove(this.#entry)
    return this.#isKnownToClient(head) ? 'stored' : 'pass'
  }

  /** Its conditions have been kept from the backend: of an answer that is not stored they are evaluated here. */
  #isKnownToClient(head: ResponseHead): boolean {
    if (this.changes === null) return false
    const { request } = this
    this.#passed = passedNotModified(this.#parts.cache.shown(head), {
      method: this.#parts.head.method,
      request,
      added: this.line,
    })
    return this.#passed !== null
  }

  #validated(head: ResponseHead): 'stored' | 'ask' {
    const candidates = this.#candidates
    const entry = this.keeper.refresh(candidates, head)
    if (entry === null) {
      // It speaks of none of ours: what it would say without being asked about them is what counts.
      this.#askPlainly()
      return 'ask'
    }
    this.#entry = entry
    const { cache } = this.#parts
    // For the client that asked, and nobody else: nothing of it has been stored.
    if (cache.spec.setCookie !== 'store') this.#cookies = withoutFields(head.forward, (name) => name !== 'set-cookie')
    if (cache.compression !== null) {
      for (const { entry: before } of candidates)
        if (before.selector === entry.selector) refreshCodedForms(entry, before.responseTime, this.#store)
    }
    return 'stored'
  }

  /** Without any condition: of what was stored nothing is left that could be served. */
  #askPlainly(): void {
    this.#entry = null
    this.#conditions ??= new ConditionsAsked()
    this.#conditions.none()
  }

  /** The client asks for a part, or only if something has changed: once the answer is in the store, that is answered from there. */
  get servesFromStore(): boolean {
    return this.keeper.stores && !this.request.isPlain && this.#parts.head.method === 'GET'
  }

  /** What the client gets of what was just stored. Null = it has gone again: another has come meanwhile. */
  keptAnswer(entry: StoredEntry): StoredAnswer | null {
    const { head } = this.#parts
    const added = ageLine(entry) + this.line
    return storedAnswer(entry, { method: head.method, request: this.request, added })
  }

  /** On its way into the store. */
  serveComing(writing: Writing): void {
    const { owner, head } = this.#parts
    const incoming = { ...writing.facts, ...writing.texts, body: writing.reader() }
    const added = ageLine(incoming) + this.line
    owner.serveStored(incomingAnswer(incoming, { method: head.method, request: this.request, added }))
  }

  /** Instead of the backend's answer, which is dropped. False = what was stored has gone. */
  serveInstead(): boolean {
    if (this.#passed !== null) {
      this.#parts.owner.serveStored(this.#passed)
      return true
    }
    const entry = this.#entry!
    const now = this.#store.now()
    const isValidated = this.#fwdStatus === 304
    const use = reuse(entry, this.request, now, this.#parts.cache.spec)
    const { owner, head } = this.#parts
    const added = `${this.#cookies}Age: ${use.age}\r\n${this.#line(use.ttl)}`
    const answer = storedAnswer(entry, { method: head.method, request: this.request, added })
    this.keeper.dropSpent()
    if (answer === null) {
      this.#askPlainly()
      return false
    }
    this.#store.hit(entry)
    this.result = isValidated ? 'revalidated' : 'stale'
    owner.serveStored(answer)
    return true
  }

  /** RFC 9111 §4.3.5. */
  #compareHead(head: ResponseHead): void {
    const entry = this.#entry
    if (entry === null || head.status !== 200) return
    const outcome = headUpdates(entry, head)
    if (outcome === 'invalidate') this.keeper.remove(entry)
    else if (outcome === 'update') this.keeper.update(entry, head)
  }

  /** What a backend's answer says of the cache, as a line. */
  get line(): string {
    return this.#line()
  }

  #line(ttl = Number.NaN): string {
    return forwardLine(this.#parts.cache.spec.status, {
      why: this.#why,
      fwdStatus: this.#candidates.length > 0 || this.#detail !== '' ? this.#fwdStatus : 0,
      ttl,
      isStored: this.keeper.isStored,
      isCollapsed: this.#isCollapsed,
      detail: this.#detail,
      refusal: this.refusal,
      key: this.#url,
    })
  }

  // --- no backend has answered ---

  /** Serves what is there, stale, if that may be done. RFC 9111 §4.2.4, RFC 5861 §4. */
  rescue(error: ErrorSpec): boolean {
    if (this.#isBypassed) return false
    if (this.#isSilent) {
      this.keeper.failed()
      return false
    }
    const isDown = isUnreached(error) || error === errors.no_backend
    if (!this.#mayRescue(isDown ? 'down' : 'error')) return false
    this.#detail = error.name
    this.#fwdStatus = 0
    this.keeper.failed()
    return this.serveInstead()
  }

  #mayRescue(cause: 'error' | 'down'): boolean {
    const entry = this.#entry
    return entry !== null && mayServeStale(entry, this.request, this.#store.now(), this.#parts.cache.spec, cause)
  }

  /** The exchange is over. `left`: the client went before anything was known. */
  finish(left: boolean): void {
    this.#wait?.cancel()
    this.#keeper?.finish(left)
  }
}

/** Of an answer that has just come, and had been in other caches: its own Age is not stored. */
function ageLine({ initialAge }: { readonly initialAge: number }): string {
  return initialAge < 1000 ? '' : `Age: ${Math.floor(initialAge / 1000)}\r\n`
}
