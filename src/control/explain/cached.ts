// What the cache would do with a request that came now: looked up as a worker does it, without counting or asking anybody.
import type { RouteSpec } from '../../core/route-spec.ts'
import type { DiskTier, TakeEntry } from '../../disk/types.ts'
import { mayServeStale, type Reuse, reuse, type StoredFacts } from '../../http/cache/policy/reuse.ts'
import { rules } from '../../http/cache/policy/rules.ts'
import { matches, parseSelector } from '../../http/cache/policy/vary.ts'
import { requestFactsOf } from '../../http/cache/request-facts.ts'
import { RouteCache } from '../../http/cache/route-cache.ts'
import type { RequestHead } from '../../http/http1/request-head.ts'
import type { CachePlane } from '../../pool/cache-plane.ts'
import type { EntryTexts } from '../../state/cache/types.ts'
import { variantWords } from '../cache/entry-view.ts'
import type { RefusalCounts } from '../cache/refusals.ts'
import { formatDuration } from '../format-duration.ts'
import { reuseAdvice, storingAdvice } from './cache-advice.ts'
import type { Choice } from './choice.ts'

export interface ExplainedCache {
  /** The route caches. */
  readonly caches: boolean
  /** What purging goes by. */
  readonly key: string
  /** It would be answered without asking a backend. */
  readonly would_hit: boolean
  readonly why: string
  /** The stored answer that comes into question. */
  readonly entry: {
    readonly age_seconds: number
    /** Below 0: stale for so long. */
    readonly ttl_seconds: number
    readonly status: number
    readonly variant: string
  } | null
  readonly to_make_it_cacheable: readonly string[]
}

export interface CachedQuestion {
  /** Null for the implicit one, which does not cache. */
  readonly route: RouteSpec | null
  /** Undefined = nothing caches. */
  readonly plane: CachePlane | undefined
  readonly head: RequestHead
  /** As the route has it, before it is rewritten. */
  readonly target: string
  readonly pool: string
  /** Why no backend of the pool would take it; null = one would. */
  readonly failure: Choice['failure']
  /** Of the route. */
  readonly refusals: RefusalCounts
}

/** Looks at the disk too, if there is one; reads no more of it than a request would. */
export async function explainCached(question: CachedQuestion): Promise<ExplainedCache> {
  const { route, plane } = question
  const spec = route?.cache ?? null
  if (route === null || spec === null || plane === undefined) {
    const where =
      route === null ? 'at the top of the configuration' : `in route ${route.name}, or at the top for all routes`
    const advice = [`set "cache": true ${where}`]
    return {
      caches: false,
      key: '',
      would_hit: false,
      why: 'the route does not cache',
      entry: null,
      to_make_it_cacheable: advice,
    }
  }
  return new Lookup(question, new RouteCache(route, spec, plane, null)).explain()
}

/** In memory or on disk. */
type Candidate = StoredFacts & EntryTexts

/** One request at the cache of its route. */
class Lookup {
  readonly #question: CachedQuestion
  readonly #cache: RouteCache
  readonly #url: string
  readonly #partition: string
  readonly #lookup: string

  constructor(question: CachedQuestion, cache: RouteCache) {
    const { head, target, pool } = question
    const { fields, host } = head
    this.#question = question
    this.#cache = cache
    this.#url = cache.urlOf(requestFactsOf(fields, host), fields.scheme, target)
    this.#lookup = cache.lookupOf(head)
    this.#partition = cache.partitionOf(pool, fields, host, this.#lookup)
  }

  async explain(): Promise<ExplainedCache> {
    const { head, target } = this.#question
    const { method, fields } = head
    if (method !== 'GET' && method !== 'HEAD') {
      return this.#told(
        `${method} is not looked up; a backend that does what it asks makes what is stored for the URL invalid`,
      )
    }
    if (fields.framing !== 'none' || fields.upgrade !== '') {
      return this.#told('a request with a body, or for another protocol, is not looked up')
    }
    if (this.#cache.isBypassed(fields, target)) {
      return this.#told('a condition in "bypass" of the route fits it', ['take the condition out of "bypass"'])
    }
    const { store, disk } = this.#cache.plane
    const variants = store.variants(this.#url)
    const stored = this.#selected(variants)
    if (stored !== null) return this.#present(stored, 'it is stored')
    const kept = disk?.mayHave(this.#url, variants) === true ? this.#selected(await this.#keptIn(disk)) : null
    return kept === null ? this.#absent() : this.#present(kept, 'it is on disk')
  }

  /** The youngest that this request selects, as a worker does it: one that says what it varies by goes first. */
  #selected(entries: readonly Candidate[]): Candidate | null {
    const lookup = this.#lookup
    // What was compressed here goes with the entry that it was made of.
    const found = entries.filter(({ selector }) => {
      const parsed = parseSelector(selector)
      return parsed.coding === '' && matches(parsed, this.#partition, lookup)
    })
    return found.find(({ selector }) => parseSelector(selector).names.length > 0) ?? found[0] ?? null
  }

  /** Read, and left where it is. */
  #keptIn(disk: DiskTier): Promise<readonly Candidate[]> {
    const found: Candidate[] = []
    const take: TakeEntry = (facts, texts) => {
      found.push({ ...facts, ...texts, isMarkedStale: false })
      return null
    }
    return new Promise((resolve) => {
      const known = this.#cache.plane.store.variants(this.#url)
      disk.fetch(
        this.#url,
        take,
        () => resolve(found),
        () => undefined,
        known,
      )
    })
  }

  #absent(): ExplainedCache {
    const others = this.#cache.plane.store.variants(this.#url).map(({ selector }) => parseSelector(selector))
    const names = new Set(others.filter(({ partition }) => partition === this.#partition).flatMap((one) => one.names))
    const why =
      others.length === 0
        ? 'nothing is stored for this URL'
        : names.size > 0
          ? `what is stored for this URL is for requests with another ${[...names].join(', ')}`
          : 'what is stored for this URL is for another route or pool, or differs in what the key has besides'
    const isAsked = this.#request.onlyIfCached
    return this.#told(isAsked ? `${why}, and the client wants nothing else: it gets 504` : why, this.#storingAdvice())
  }

  #present(entry: Candidate, where: string): ExplainedCache {
    const { ifMatch, ifUnmodifiedSince } = this.#request
    const use = reuse(entry, this.#request, this.#cache.plane.store.now(), this.#cache.spec)
    const variant = variantWords(parseSelector(entry.selector))
    const view = { age_seconds: use.age, ttl_seconds: use.ttl, status: entry.status, variant }
    if (ifMatch !== '' || ifUnmodifiedSince !== '') {
      return { ...this.#told(`${where}, but ${rules['origin-condition'].words}`), entry: view }
    }
    const hits = use.how === 'serve' || use.how === 'serve-and-revalidate'
    if (!hits && this.#rescues(entry)) {
      return {
        ...this.#told(`${where}, and served though it is stale: no backend takes it`),
        would_hit: true,
        entry: view,
      }
    }
    return { ...this.#told(whyOf(use, where), hits ? [] : reuseAdvice(use.rule)), would_hit: hits, entry: view }
  }

  /** RFC 9111 §4.2.4, RFC 5861 §4. */
  #rescues(entry: Candidate): boolean {
    const { failure } = this.#question
    if (failure === null) return false
    const { plane, spec } = this.#cache
    return mayServeStale(entry, this.#request, plane.store.now(), spec, failure === 'none' ? 'down' : 'error')
  }

  get #request() {
    const { fields, host } = this.#question.head
    return this.#cache.hears(requestFactsOf(fields, host).request)
  }

  #storingAdvice(): string[] {
    const { head, target, refusals } = this.#question
    const request = this.#request
    const advice = storingAdvice(
      {
        saysNoStore: request.noStore,
        isExcepted: this.#cache.isNotStored(head.fields, target),
        isAuthenticated: request.hasAuthorization || this.#cache.isGated || this.#isToldByPlugins,
        hasCookie: request.hasCookie && this.#cache.spec.ttl === 'origin',
        hasRange: request.range !== '',
      },
      refusals,
    )
    return head.method === 'HEAD' ? ['answers to HEAD are not stored: a GET brings it in', ...advice] : advice
  }

  /** Plug-ins of the route have told backends who asks, or may have: what they change of a request is not known. */
  get #isToldByPlugins(): boolean {
    const { route, refusals } = this.#question
    return route !== null && route.use.length > 0 && (refusals.authorization ?? 0) > 0
  }

  /** No hit, with nothing found. */
  #told(why: string, advice: readonly string[] = []): ExplainedCache {
    const nothing = { caches: true, would_hit: false, entry: null }
    return { ...nothing, key: this.#url, why, to_make_it_cacheable: advice }
  }
}

function whyOf({ how, rule, ttl }: Reuse, where: string): string {
  if (rule === 'fresh') return `${where}, and fresh for ${formatDuration(Math.max(0, ttl) * 1000)} more`
  const { words } = rules[rule]
  if (how === 'serve' || how === 'serve-and-revalidate') return `${where}: ${words}`
  return how === 'validate'
    ? `${where}, and a backend is asked whether it still holds: ${words}`
    : `what is stored cannot be used: ${words}`
}
