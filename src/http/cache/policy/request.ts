// What a request says that matters to a cache (RFC 9111 §5.2.1, RFC 9110 §13 and §14), read in one pass over its fields.
import type { CacheSpec } from '../../../core/cache-spec.ts'
import { isName, trimmed } from '../../../util/field-block.ts'
import { DirectiveReader, MAX_SECONDS } from './directives.ts'

/** Seconds are -1 where nothing is said; texts '' where the field is not there, and `,` where it is there and empty. */
export class CacheRequest {
  /** None of Cache-Control, Pragma, Authorization, Range and If-* is there: all but `hasCookie` is as here. */
  isPlain = true
  /** Cache-Control or Pragma say something. */
  hasDirectives = false
  noStore = false
  noCache = false
  noTransform = false
  onlyIfCached = false
  maxAge = -1
  minFresh = -1
  /** Infinity = however stale. */
  maxStale = -1
  /** RFC 5861 §4. */
  staleIfError = -1
  hasAuthorization = false
  hasCookie = false
  range = ''
  ifRange = ''
  ifMatch = ''
  ifNoneMatch = ''
  ifModifiedSince = ''
  ifUnmodifiedSince = ''
}

/** What most requests are. */
export const plainRequest: CacheRequest = Object.freeze(new CacheRequest())
export const plainRequestWithCookie: CacheRequest = Object.freeze(
  Object.assign(new CacheRequest(), { hasCookie: true }),
)

/** `lookup`: the field block that decisions are made by (see request-fields.ts), every line with its CRLF. Never throws. */
export function readCacheRequest(lookup: string): CacheRequest {
  let hasCookie = false
  let reading: Reading | null = null
  for (let position = 0; position < lookup.length; ) {
    const colon = lookup.indexOf(':', position)
    const end = lookup.indexOf('\r', colon)
    const kind = kindOf(lookup, position, colon - position)
    if (kind === Cookie) hasCookie = true
    else if (kind !== Other) {
      reading ??= new Reading()
      reading.take(kind, trimmed(lookup, colon + 1, end))
    }
    position = end + 2
  }
  if (reading === null) return hasCookie ? plainRequestWithCookie : plainRequest
  return reading.finish(hasCookie)
}

/** The request as the route hears it: `ignore` and `no-reload` take directives away. */
export function heard(request: CacheRequest, spec: Pick<CacheSpec, 'clientDirectives'>): CacheRequest {
  if (!request.hasDirectives || spec.clientDirectives === 'honor') return request
  const less = Object.assign(new CacheRequest(), request)
  less.noCache = false
  less.maxAge = -1
  if (spec.clientDirectives === 'no-reload') return less
  less.hasDirectives = false
  less.noStore = false
  less.noTransform = false
  less.onlyIfCached = false
  less.minFresh = -1
  less.maxStale = -1
  less.staleIfError = -1
  return less
}

/** The request as a backend gets it that is not told who asks. `withheld`: folded names of what it is not told. */
export function withoutCredentials(request: CacheRequest, withheld: ReadonlySet<string>): CacheRequest {
  const isCookieLost = request.hasCookie && withheld.has('cookie')
  const isAuthorizationLost = request.hasAuthorization && withheld.has('authorization')
  if (!isCookieLost && !isAuthorizationLost) return request
  if (request === plainRequestWithCookie) return plainRequest
  const less = Object.assign(new CacheRequest(), request)
  if (isCookieLost) less.hasCookie = false
  if (isAuthorizationLost) less.hasAuthorization = false
  return less
}

const Other = 0
const Cookie = 1
const CacheControl = 2
const Pragma = 3
const Authorization = 4
const Range = 5
const IfRange = 6
const IfMatch = 7
const IfNoneMatch = 8
const IfModifiedSince = 9
const IfUnmodifiedSince = 10

/** By the length of the name first: of a usual block, few lines are looked at twice. */
function kindOf(block: string, start: number, length: number): number {
  switch (length) {
    case 5:
      return isName(block, start, 'range') ? Range : Other
    case 6:
      if (isName(block, start, 'cookie')) return Cookie
      return isName(block, start, 'pragma') ? Pragma : Other
    case 8:
      if (isName(block, start, 'if-range')) return IfRange
      return isName(block, start, 'if-match') ? IfMatch : Other
    case 13:
      if (isName(block, start, 'cache-control')) return CacheControl
      if (isName(block, start, 'if-none-match')) return IfNoneMatch
      return isName(block, start, 'authorization') ? Authorization : Other
    case 17:
      return isName(block, start, 'if-modified-since') ? IfModifiedSince : Other
    case 19:
      return isName(block, start, 'if-unmodified-since') ? IfUnmodifiedSince : Other
  }
  return Other
}

/** What a request that is not plain says. */
class Reading {
  readonly #request = new CacheRequest()
  #cacheControl = ''
  #pragma = ''

  /** A field that comes twice is one list: of those that are no lists, one that cannot be read. */
  take(kind: number, text: string): void {
    const request = this.#request
    const value = text === '' ? ',' : text
    switch (kind) {
      case CacheControl:
        this.#cacheControl = joined(this.#cacheControl, value)
        break
      case Pragma:
        this.#pragma = joined(this.#pragma, value)
        break
      case Authorization:
        request.hasAuthorization = true
        break
      case Range:
        request.range = joined(request.range, value)
        break
      case IfRange:
        request.ifRange = joined(request.ifRange, value)
        break
      case IfMatch:
        request.ifMatch = joined(request.ifMatch, value)
        break
      case IfNoneMatch:
        request.ifNoneMatch = joined(request.ifNoneMatch, value)
        break
      case IfModifiedSince:
        request.ifModifiedSince = joined(request.ifModifiedSince, value)
        break
      case IfUnmodifiedSince:
        request.ifUnmodifiedSince = joined(request.ifUnmodifiedSince, value)
        break
    }
  }

  finish(hasCookie: boolean): CacheRequest {
    const request = this.#request
    request.isPlain = false
    request.hasCookie = hasCookie
    if (this.#cacheControl !== '') readDirectives(this.#cacheControl, request)
    // RFC 9111 §5.4: only where there is no Cache-Control.
    else if (this.#pragma !== '' && hasNoCache(this.#pragma)) {
      request.hasDirectives = true
      request.noCache = true
    }
    return request
  }
}

function joined(list: string, value: string): string {
  return list === '' ? value : `${list}, ${value}`
}

function hasNoCache(pragma: string): boolean {
  const reader = new DirectiveReader(pragma)
  while (reader.next()) if (reader.name === 'no-cache') return true
  return false
}

/** Of what is said twice the stricter counts, and what cannot be read is taken for the strictest. */
function readDirectives(value: string, request: CacheRequest): void {
  request.hasDirectives = true
  const reader = new DirectiveReader(value)
  while (reader.next()) {
    if (reader.isMalformed) readMalformed(reader.member.toLowerCase(), request)
    else readDirective(reader, request)
  }
}

function readDirective(reader: DirectiveReader, request: CacheRequest): void {
  switch (reader.name) {
    case 'no-store':
      request.noStore = true
      break
    case 'no-cache':
      request.noCache = true
      break
    case 'no-transform':
      request.noTransform = true
      break
    case 'only-if-cached':
      request.onlyIfCached = true
      break
    case 'max-age':
      request.maxAge = lesser(request.maxAge, Math.max(0, reader.seconds()))
      break
    case 'min-fresh': {
      const seconds = reader.seconds()
      request.minFresh = Math.max(request.minFresh, seconds < 0 ? MAX_SECONDS : seconds)
      break
    }
    case 'max-stale':
      request.maxStale = lesser(request.maxStale, reader.argument === null ? Infinity : Math.max(0, reader.seconds()))
      break
    case 'stale-if-error':
      request.staleIfError = lesser(request.staleIfError, Math.max(0, reader.seconds()))
      break
  }
}

function readMalformed(member: string, request: CacheRequest): void {
  if (member.includes('no-store')) request.noStore = true
  if (member.includes('no-cache') || member.includes('max-age') || member.includes('min-fresh')) request.noCache = true
}

/** Of two that are not negative the lesser; -1 = not said yet. */
function lesser(before: number, seconds: number): number {
  return before < 0 ? seconds : Math.min(before, seconds)
}
