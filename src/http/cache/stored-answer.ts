// An entry of the store as an answer: its head with what a cache adds, and which part of its body is meant.
import type { CacheSpec } from '../../core/cache-spec.ts'
import type { BodyReading, EntryFacts, EntryTexts, StoredEntry } from '../../state/cache/types.ts'
import { fieldValue } from '../../util/field-block.ts'
import type { Coding } from '../compression/accept-encoding.ts'
import { ResponseHead } from '../http1/response-head.ts'
import { reasonOf } from '../own-answer.ts'
import { parseHttpDate } from './policy/http-date.ts'
import { type Candidate, type Known, validatorsOf } from './policy/validate.ts'
import { parseSelector, type Selector } from './policy/vary.ts'
import { hitLine } from './status-line.ts'

/** What is served. */
export interface StoredAnswer {
  readonly head: ResponseHead
  /** The whole body as latin1 text, where it is small and all of it is wanted. */
  readonly text: string | null
  /** Else the body, to be released by whoever serves it; null = there is none to be sent. */
  readonly reading: BodyReading | null
  /** Which of its bytes; `end` is after the last one, -1 = whatever comes. */
  readonly start: number
  readonly end: number
}

/** What is read of an entry to serve it. */
type Kept = EntryFacts & EntryTexts & { readonly bodyLength: number }

/** What was made of an entry; kept with it. */
export class Prepared<E extends Kept = Kept> implements Candidate {
  readonly entry: E
  readonly selector: Selector
  /** Those in which it is being compressed, or could not be kept. */
  readonly codings: Coding[] = []
  #validators: ReturnType<typeof validatorsOf> | null = null
  #known: Known | null = null
  #hasDate = false
  #hasHsts = false
  /** The two above have been looked for. */
  #isRead = false
  #head: ResponseHead | null = null
  #mode: CacheSpec['status'] = 'off'
  #age = -1
  #ttl = 0
  /** The header section of the last request that it was found to answer: most connections repeat theirs. */
  #section = 0
  #partition = ''

  constructor(entry: E) {
    this.entry = entry
    this.selector = selectorOf(entry.selector)
  }

  /** Valid, or ''. */
  get etag(): string {
    this.#validators ??= validatorsOf(this.entry.head)
    return this.#validators.etag
  }

  get lastModified(): string {
    this.#validators ??= validatorsOf(this.entry.head)
    return this.#validators.lastModified
  }

  /** What a client's conditions are held against. */
  get known(): Known {
    const { status, head } = this.entry
    this.#known ??= {
      status,
      etag: this.etag,
      lastModified: parseHttpDate(this.lastModified),
      date: parseHttpDate(fieldValue(head, 'date')),
    }
    return this.#known
  }

  get flags(): number {
    return this.entry.flags
  }

  /** Of the answer as it was stored. */
  get fields(): string {
    return this.entry.head
  }

  /** `section`: the id of a request's facts; 0 = steps have changed what it says. */
  isKnownFor(section: number, partition: string): boolean {
    return section !== 0 && this.#section === section && this.#partition === partition
  }

  know(section: number, partition: string): void {
    this.#section = section
    this.#partition = partition
  }

  /**
   * Its head as that of a hit; the same object for as long as it says the same, where it is asked for a second time: of what
   * is kept for a single use in a second, the collector has more work than is saved. `key`: where it is to be told.
   */
  hitHead(mode: CacheSpec['status'], age: number, ttl: number, key: string): ResponseHead {
    const isSame = this.#age === age && this.#ttl === ttl && this.#mode === mode
    if (isSame && this.#head !== null) return this.#head
    const head = this.headWith(hitLine(mode, { age, ttl, detail: '', key, isCollapsed: false }))
    this.#head = isSame ? head : null
    this.#mode = mode
    this.#age = age
    this.#ttl = ttl
    return head
  }

  /** Its head with these lines. */
  headWith(added: string): ResponseHead {
    const { status, head, bodyLength } = this.entry
    if (!this.#isRead) {
      this.#isRead = true
      this.#hasDate = HAS_DATE.test(head)
      this.#hasHsts = HAS_HSTS.test(head)
    }
    return newHead(status, head + added, bodyLength, this.#hasDate, this.#hasHsts)
  }
}

let lastText = ''
let lastSelector: Selector | null = null

/** Most entries have the selector of the one before. */
function selectorOf(text: string): Selector {
  if (lastSelector === null || text !== lastText) {
    lastSelector = parseSelector(text)
    lastText = text
  }
  return lastSelector
}

export function preparedOf(entry: StoredEntry): Prepared<StoredEntry> {
  if (entry.derived !== null) return entry.derived as Prepared<StoredEntry>
  const prepared = new Prepared(entry)
  entry.derived = prepared
  return prepared
}

/** `fields`: whole lines. `length` -1 = not known. */
export function storedHead(status: number, fields: string, length: number): ResponseHead {
  return newHead(status, fields, length, HAS_DATE.test(fields), HAS_HSTS.test(fields))
}

function newHead(status: number, fields: string, length: number, hasDate: boolean, hasHsts: boolean): ResponseHead {
  const head = new ResponseHead()
  head.status = status
  head.reason = reasonOf(status)
  head.contentLength = status === 204 || status === 304 ? -1 : length
  head.hasDate = hasDate
  head.hasHsts = hasHsts
  head.forward = fields
  return head
}

const HAS_DATE = /^date:/im
const HAS_HSTS = /^strict-transport-security:/im
