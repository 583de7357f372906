// A backend's answer on its way into the store, for one request that asked.
import { randomUUID } from 'node:crypto'
import type { CacheSpec } from '../../core/cache-spec.ts'
import type { BodyParts, EntryFacts, EntryTexts, Lead, StoredEntry, Writing } from '../../state/cache/types.ts'
import { type StoreRefusal, storeRefusals } from '../../state/names.ts'
import { fieldValue } from '../http1/grammar.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import type { FieldChanges } from '../hygiene/field-changes.ts'
import { answerFactsOf } from './answer-facts.ts'
import { flags } from './policy/flags.ts'
import { judge, type StoreVerdict } from './policy/judge.ts'
import { keptFields } from './policy/kept-fields.ts'
import { refreshedHead } from './policy/refresh.ts'
import type { CacheRequest } from './policy/request.ts'
import type { RuleId } from './policy/rules.ts'
import { selected } from './policy/validate.ts'
import { selectorText } from './policy/vary.ts'
import type { RouteCache } from './route-cache.ts'
import { type Prepared, preparedOf } from './stored-answer.ts'

export interface KeeperParts {
  readonly cache: RouteCache
  readonly method: string
  /** Those that answers may vary by. */
  readonly lookup: string
  readonly request: CacheRequest
  readonly isAuthenticated: boolean
  /** Answers to this request are not stored, whatever they say. */
  readonly isRefused: boolean
  readonly url: string
  readonly partition: string
}

/** So long nobody waits for an answer that turned out to be for one client alone. */
const ALONE_MS = 10_000
/** The same, where a backend failed. */
const FAILED_MS = 1000

export class Keeper {
  /** It has been given to the store. */
  isStored = false
  /** Why not; null = it was, or nothing came that could have been. */
  refusal: StoreRefusal | null = null
  readonly #parts: KeeperParts
  /** Others wait for what this request brings; null = nobody does, or they have been told. */
  #lead: Lead | null = null
  #verdict: StoreVerdict | null = null
  #requestTime = 0
  /** Of the store, when the backend was asked. */
  #purges = 0
  /** What steps said to the backend in this attempt alone: no request is told apart by it. */
  #told: FieldChanges | null = null
  /** Is taken out of the store once it has been served. */
  #spent: StoredEntry | null = null

  constructor(parts: KeeperParts) {
    this.#parts = parts
  }

  /** This request is the one that asks. */
  leads(lead: Lead): void {
    this.#lead = lead
  }

  /** Answers to this request are not stored, whatever they say. */
  get isRefused(): boolean {
    return this.#parts.isRefused
  }

  get isLeading(): boolean {
    return this.#lead !== null
  }

  /** Steps have said something to the backend that nobody who looks for an answer knows of. */
  told(changes: FieldChanges): void {
    this.#told = changes
  }

  /** A backend is about to be asked. */
  asked(): void {
    this.#requestTime = this.#store.now()
    this.#purges = this.#store.purges
  }

  get #store(): RouteCache['plane']['store'] {
    return this.#parts.cache.plane.store
  }

  /** Whether it is stored, and how. Whoever waits for an answer that is not for him is told at once. */
  judge(head: ResponseHead): StoreVerdict {
    const { cache, method, request, isRefused } = this.#parts
    const { spec } = cache
    const { directives } = answerFactsOf(head, spec, cache.hidden)
    const question = {
      method,
      request,
      isAuthenticated: this.#isAuthenticated,
      requestTime: this.#requestTime,
      responseTime: this.#store.now(),
      status: head.status,
      fields: head.forward,
      answer: directives,
      spec,
    }
    const verdict = isRefused ? REFUSED : this.#unlessTold(judge(question))
    this.#verdict = verdict
    if (!verdict.store) this.refusal = refusalOf(verdict.rule)
    if (!verdict.store) this.#release('alone', WISHES.has(verdict.rule) ? 0 : ALONE_MS)
    // It is validated each time: by one after another, if they came so.
    else if (!verdict.usable) this.#release('alone', 0)
    return verdict
  }

  get #isAuthenticated(): boolean {
    return this.#parts.isAuthenticated || this.#told !== null
  }

  #unlessTold(verdict: StoreVerdict): StoreVerdict {
    const told = this.#told
    if (told === null || !verdict.store) return verdict
    const isVariedBy = (name: string): boolean => told.removes(name) || fieldValue(told.lines, name) !== ''
    return verdict.vary.some(isVariedBy) ? { store: false, rule: 'vary-unknown' } : verdict
  }

  get stores(): boolean {
    return this.#verdict?.store === true
  }

  /** The answer is here as a whole. Null = it was not stored. */
  whole(body: BodyParts): StoredEntry | null {
    const verdict = this.#take()
    if (verdict === null) return null
    const size = typeof body === 'string' ? body.length : body.total
    if (size > this.#store.maxObject) {
      this.refusal = 'too-large'
      this.#release('alone', ALONE_MS)
      return null
    }
    const texts = this.#texts(verdict)
    const lead = this.#lead
    this.#lead = null
    const { facts } = verdict
    const entry = lead === null ? this.#store.put(facts, texts, body, this.#purges) : lead.put(facts, texts, body)
    this.isStored = entry !== null
    if (entry === null) this.refusal = 'no-room'
    else this.#parts.cache.onStored(entry)
    return entry
  }

  /** The rest of its body follows what is here; `length` -1 = not known. Null = it is not stored. */
  open(length: number, bytes: Uint8Array, ranges: readonly number[]): Writing | null {
    const verdict = this.#take()
    const lead = verdict === null ? null : (this.#lead ?? this.#leadAlone())
    if (verdict === null || lead === null) return null
    this.#lead = null
    const writing = lead.open(verdict.facts, this.#texts(verdict), length)
    this.isStored = writing !== null && writeRanges(writing, bytes, ranges)
    if (this.isStored) return writing
    this.refusal = length > this.#store.maxObject ? 'too-large' : 'no-room'
    return null
  }

  /** What nobody waits for may come in all the same: under a key that no other request has. */
  #leadAlone(): Lead | null {
    const turn = this.#store.turn(this.#parts.url, `${this.#parts.partition}\0alone ${randomUUID()}`)
    if (turn.kind === 'follow') turn.cancel()
    if (turn.kind !== 'lead') return null
    if (this.#store.purges === this.#purges) return turn
    // It was asked for before a purge that may have meant it.
    turn.end('alone')
    return null
  }

  /** Once: what was to be stored has been, or cannot be. */
  #take(): Extract<StoreVerdict, { store: true }> | null {
    const verdict = this.#verdict
    this.#verdict = null
    return verdict?.store ? verdict : null
  }

  #texts(verdict: Extract<StoreVerdict, { store: true }>): EntryTexts {
    const { url, partition, lookup } = this.#parts
    const selector = selectorText(partition, verdict.vary, lookup, '')
    return { url, selector, tags: verdict.tags, head: verdict.head }
  }

  /**
   * A 304 to what was asked on behalf of these entries (RFC 9111 §4.3.4): the one that is meant, with its head put right.
   * Null = it speaks of none of them.
   */
  refresh(candidates: readonly Prepared<StoredEntry>[], head: ResponseHead): StoredEntry | null {
    const meant = selected(candidates, head.forward)
    if (meant === null) return null
    const { entry, selector } = meant
    const { cache } = this.#parts
    const fields = refreshedHead(entry.head, head.forward)
    const verdict = this.#judgeStored(entry, fields, cache.spec)
    // The client does not want it to change what is stored, or must not: for the others it stays what it was.
    if (!verdict.store && OF_REQUEST.has(verdict.rule)) {
      this.#release('alone', 0)
      return entry
    }
    // It may say now that it varies by something else: for whom it is good is not known any more.
    if (!verdict.store || verdict.vary.join() !== selector.names.join()) {
      this.#release('alone', ALONE_MS)
      return this.#spend(entry, fields)
    }
    const refreshed = this.#store.refresh(entry, verdict.facts, verdict.head)
    if (refreshed !== null) cache.onRefreshed(refreshed)
    const fresh = refreshed ?? entry
    if (verdict.usable) this.#release('again', 0)
    else this.#release('alone', 0)
    return fresh
  }

  /** It may not be kept any longer; the client that asked gets it all the same, with its new head, and nobody else does. */
  #spend(entry: StoredEntry, fields: string): StoredEntry | null {
    const { cache } = this.#parts
    const now = this.#store.now()
    const facts: EntryFacts = {
      status: entry.status,
      flags: entry.flags | flags.noCache | flags.mustRevalidate,
      responseTime: now,
      initialAge: 0,
      lifetime: 0,
      staleWhileRevalidate: 0,
      staleIfError: 0,
    }
    const head = keptFields(fields, cache.read(fields, entry.status), cache.spec, now)
    this.#spent = this.#store.refresh(entry, facts, head)
    return this.#spent
  }

  /** What the client that asked was to get has been taken hold of. */
  dropSpent(): void {
    if (this.#spent !== null) this.remove(this.#spent)
    this.#spent = null
  }

  /**
   * An answer that is not stored, because of what it says itself, takes the place of what is: that would be served stale
   * otherwise. Not one to a client that shows who it is, and no error.
   */
  outdates(status: number, rule: RuleId): boolean {
    const { method, request } = this.#parts
    const isPersonal = this.#isAuthenticated || request.hasAuthorization || request.hasCookie
    return method === 'GET' && !isPersonal && REPLACES.has(status) && OUTDATES.has(rule)
  }

  /** It is not what the backend would answer any more. */
  remove(entry: StoredEntry): void {
    this.#parts.cache.plane.disk?.forget(entry.url)
    this.#store.remove(entry)
  }

  /** What a HEAD said of a stored answer (RFC 9111 §4.3.5). */
  update(entry: StoredEntry, head: ResponseHead): void {
    const verdict = this.#judgeStored(entry, refreshedHead(entry.head, head.forward), this.#parts.cache.spec)
    if (!verdict.store && OF_REQUEST.has(verdict.rule)) return
    const { names } = preparedOf(entry).selector
    if (!verdict.store || verdict.vary.join() !== names.join()) {
      this.remove(entry)
      return
    }
    const refreshed = this.#store.refresh(entry, verdict.facts, verdict.head)
    if (refreshed !== null) this.#parts.cache.onRefreshed(refreshed)
  }

  /** A stored answer with a new head, judged as if it had just come. */
  #judgeStored(entry: StoredEntry, fields: string, spec: CacheSpec): StoreVerdict {
    const { cache, request } = this.#parts
    const isAuthenticated = this.#isAuthenticated
    const answer = cache.read(fields, entry.status)
    const times = { requestTime: this.#requestTime, responseTime: this.#store.now() }
    return this.#unlessTold(
      judge({ method: 'GET', request, isAuthenticated, ...times, status: entry.status, fields, answer, spec }),
    )
  }

  /** No answer comes that anybody else could use: a backend failed, or an error is passed on. */
  failed(): void {
    this.#release('alone', FAILED_MS)
  }

  /** The exchange is over. `left`: its client went, nothing is known of the backend: somebody else may ask. */
  finish(left: boolean): void {
    this.dropSpent()
    this.#release(left ? 'retry' : 'alone', 0)
  }

  #release(outcome: 'again' | 'retry' | 'alone', markMs: number): void {
    const lead = this.#lead
    this.#lead = null
    lead?.end(outcome, markMs)
  }
}

/** False = no memory could be had for them. */
export function writeRanges(writing: Writing, bytes: Uint8Array, ranges: readonly number[]): boolean {
  for (let at = 0; at < ranges.length; at += 2) {
    if (!writing.write(bytes, ranges[at]!, ranges[at + 1]!)) return false
  }
  return true
}

/** Rules that say nothing of the answer are not counted. */
const refusalOf = (rule: string): StoreRefusal | null =>
  (storeRefusals as readonly string[]).includes(rule) ? (rule as StoreRefusal) : null

/** Answers that say that there is something else now, or nothing. */
const REPLACES: ReadonlySet<number> = new Set([200, 404, 410])
/** Why an answer is not stored: because of what it is, not because of who asked. */
const OUTDATES: ReadonlySet<RuleId> = new Set([
  'no-store',
  'private',
  'vary-any',
  'vary-unknown',
  'nothing-said',
  'useless',
])

/** Why an answer is not stored: because of who asked, and how. */
const OF_REQUEST: ReadonlySet<RuleId> = new Set(['request-no-store', 'authorization', 'cookie', 'no-store-condition'])

/** Of this request alone: what others ask for may well be stored. */
const WISHES: ReadonlySet<RuleId> = new Set(['request-no-store', 'no-store-condition'])

const REFUSED: StoreVerdict = { store: false, rule: 'no-store-condition' }
