// What a route says of caching, as one worker uses it: which requests are meant, and by what their answers are told apart.
import { createHash } from 'node:crypto'
import type { CacheSpec } from '../../core/cache-spec.ts'
import type { RouteSpec } from '../../core/route-spec.ts'
import type { CachePlane } from '../../pool/cache-plane.ts'
import type { StoredEntry } from '../../state/cache/types.ts'
import type { Coding } from '../compression/accept-encoding.ts'
import type { Compression } from '../compression/compression.ts'
import type { RequestFields } from '../http1/request-fields.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import { foldedName, withoutReserved } from '../hygiene/reserved-fields.ts'
import { headerEdits } from '../route/header-edits.ts'
import { answerFactsOf } from './answer-facts.ts'
import { keepCodedForms } from './coded-forms.ts'
import { type AnswerDirectives, readAnswer } from './policy/answer.ts'
import { conditionHolds } from './policy/conditions.ts'
import { keyedValues, urlKey } from './policy/key.ts'
import { type CacheRequest, heard, withoutCredentials } from './policy/request.ts'
import { type RequestFacts, requestFactsOf } from './request-facts.ts'

export class RouteCache {
  readonly spec: CacheSpec
  readonly plane: CachePlane
  /** Its gates let each client in by itself, or it makes credentials of what clients say: answers may differ by who asks. */
  readonly isGated: boolean
  /** Null = answers are not compressed, and kept in no coding besides their own. */
  readonly compression: Compression | null
  readonly #codings: readonly Coding[]
  /** Folded names of fields that clients do not see. */
  readonly hidden: ReadonlySet<string>
  /** Folded names of what clients say and backends of the route are not told; null = there is none. */
  readonly #withheld: ReadonlySet<string> | null
  /** Something that is keyed is withheld: the client's own value counts. */
  readonly #keysWithheld: boolean
  readonly #identity: string
  readonly #isPlainKey: boolean
  readonly #hasKeyedValues: boolean
  readonly #canBypass: boolean
  readonly #canRefuse: boolean
  readonly #partitions = new Map<string, string>()

  constructor(route: RouteSpec, spec: CacheSpec, plane: CachePlane, compression: Compression | null) {
    const { key, bypass, noStore } = spec
    this.spec = spec
    this.plane = plane
    this.isGated = route.basicAuth !== null || route.forwardAuth !== null || makesCredentials(route)
    this.compression = compression
    this.#codings = route.compression === null ? [] : route.compression.algorithms
    this.hidden = new Set(spec.tagFields.map(foldedName))
    const withheld = headerEdits(route.requestHeaders)?.removed ?? new Set()
    this.#withheld = withheld.size === 0 ? null : withheld
    this.#keysWithheld = key.headers.some((name) => withheld.has(foldedName(name)))
    this.#identity = identityOf(route)
    this.#isPlainKey = key.query.kind === 'all' && !key.sortQuery
    this.#hasKeyedValues = key.headers.length > 0 || key.cookies.length > 0
    this.#canBypass = hasConditions(bypass)
    this.#canRefuse = hasConditions(noStore)
  }

  /** What of a request counts here: of its directives, and of who asks, as far as backends are told. */
  hears(request: CacheRequest): CacheRequest {
    const asked = this.#withheld === null ? request : withoutCredentials(request, this.#withheld)
    return this.spec.clientDirectives === 'honor' ? asked : heard(asked, this.spec)
  }

  /** The fields that answers may differ by: those of the client, without what the route keeps from backends. */
  lookupOf({ fields, host }: RequestHead): string {
    const withheld = this.#withheld
    if (withheld === null) return fields.lookup
    const facts = requestFactsOf(fields, host)
    if (facts.askedWithout !== withheld) {
      facts.asked = withoutReserved(fields.lookup, withheld)
      facts.askedWithout = withheld
    }
    return facts.asked
  }

  /** An answer is in the store as a whole: what else is to be kept of it follows by itself. */
  onStored(entry: StoredEntry): void {
    this.plane.disk?.keep(entry)
    this.makeForms(entry)
  }

  /** The head of one was put right; its body is what it was. */
  onRefreshed(entry: StoredEntry): void {
    this.plane.disk?.keep(entry, true)
  }

  /** Compressed forms of one that has none yet. */
  makeForms(entry: StoredEntry): void {
    if (this.compression !== null) keepCodedForms(entry, this.plane.store, this.#codings, this.compression)
  }

  /** The head of a backend's answer as clients see it. */
  shown(head: ResponseHead): ResponseHead {
    return answerFactsOf(head, this.spec, this.hidden).shown
  }

  /** What an answer's fields say to caches. */
  read(fields: string, status: number): AnswerDirectives {
    return readAnswer(fields, status, this.spec.targetFields, this.spec.tagFields)
  }

  /** What purging goes by. */
  urlOf(facts: RequestFacts, scheme: string, target: string): string {
    if (!this.#isPlainKey) return urlKey(scheme, facts.host, target, this.spec.key)
    if (facts.target !== target) {
      facts.target = target
      facts.url = facts.base + target
    }
    return facts.url
  }

  /** Which requests for one URL may share answers at all. */
  partitionOf(pool: string, fields: RequestFields, host: string, lookup: string): string {
    let partition = this.#partitions.get(pool)
    if (partition === undefined) {
      partition = `${this.#identity} ${pool}`
      this.#partitions.set(pool, partition)
    }
    // Backends may make links of it, and only a believed proxy can set it.
    if (fields.forwardedHost !== '' && fields.forwardedHost !== host) partition += `\0host ${fields.forwardedHost}`
    if (!this.#hasKeyedValues) return partition
    partition += `\0${keyedValues(lookup, fields.cookie, this.spec.key)}`
    return this.#keysWithheld ? `${partition}\0${keyedValues(fields.lookup, '', this.spec.key)}` : partition
  }

  /** It is neither answered from the cache nor stored. */
  isBypassed(fields: RequestFields, target: string): boolean {
    return this.#canBypass && conditionHolds(this.spec.bypass, fields.lookup, fields.cookie, queryOf(target))
  }

  /** Its answer is not stored. */
  isNotStored(fields: RequestFields, target: string): boolean {
    return this.#canRefuse && conditionHolds(this.spec.noStore, fields.lookup, fields.cookie, queryOf(target))
  }
}

const queryOf = (target: string): string => {
  const at = target.indexOf('?')
  return at < 0 ? '' : target.slice(at + 1)
}

/** Other ones for each client: `Authorization: {header.x-token}`, and whatever is made of a cookie. */
const makesCredentials = ({ requestHeaders }: RouteSpec): boolean =>
  [...(requestHeaders?.set ?? []), ...(requestHeaders?.add ?? [])].some(({ name, value }) =>
    value.some(
      (part) => typeof part !== 'string' && (CREDENTIALS.has(foldedName(name)) || part.name.startsWith('cookie.')),
    ),
  )

const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'cookie'])

const hasConditions = ({ headers, cookies, query }: CacheSpec['bypass']): boolean =>
  headers.length + cookies.length + query.length > 0

/** Routes that ask backends for other things must not share answers, nor one route before and after such a change. */
export function identityOf({ name, rewrite, requestHeaders, hostHeader }: RouteSpec): string {
  const asked = JSON.stringify([name, rewrite, requestHeaders, hostHeader])
  return createHash('sha256').update(asked).digest('base64url').slice(0, 12)
}
