// May this answer be stored, and what of it (RFC 9111 §3)?
import type { CacheSpec } from '../../../core/cache-spec.ts'
import type { EntryFacts } from '../../../state/cache/types.ts'
import type { AnswerDirectives } from './answer.ts'
import { flags } from './flags.ts'
import {
  defaultLifetime,
  explicitLifetime,
  heuristicLifetime,
  initialAge,
  type Lifetime,
  manualLifetime,
} from './freshness.ts'
import { keptFields } from './kept-fields.ts'
import type { CacheRequest } from './request.ts'
import type { RuleId } from './rules.ts'
import { MAX_VARY_NAMES, varyNames } from './vary.ts'

export interface StoreQuestion {
  readonly method: string
  /** As the route hears it (`heard`). */
  readonly request: CacheRequest
  /** By whatever: credentials in the request, a step of the route, a client certificate that the backend is told of. */
  readonly isAuthenticated: boolean
  /** Ms: when the backend was asked, and when its answer came. */
  readonly requestTime: number
  readonly responseTime: number
  readonly status: number
  /** End-to-end fields of the answer, every line with its CRLF. */
  readonly fields: string
  /** Of the same fields and status. */
  readonly answer: AnswerDirectives
  readonly spec: CacheSpec
}

export type StoreVerdict = Stored | Refused

export interface Stored {
  readonly store: true
  readonly facts: EntryFacts
  /** The lines to keep: without Age, with a Date. */
  readonly head: string
  /** Lower case, sorted, each once; those of the route among them. */
  readonly vary: readonly string[]
  /** For purging, separated by one space each. */
  readonly tags: string
  /** Somebody else may be answered with it now, without asking the backend. */
  readonly usable: boolean
  /** Where its freshness comes from. */
  readonly rule: RuleId
}

export interface Refused {
  readonly store: false
  readonly rule: RuleId
}

/** The rules in their order: the first that forbids is the one that is told. */
export function judge(question: StoreQuestion): StoreVerdict {
  const { answer, spec, status } = question
  const refusal = refusalByKind(question)
  if (refusal !== null) return refuse(refusal)
  const manual = manualLifetime(answer, status, spec)
  if (manual !== null && manual.ms <= 0) return refuse('ttl-zero')
  const forbidden = refusalByAnswer(question, manual !== null)
  if (forbidden !== null) return refuse(forbidden)
  const vary = varyNames(answer.vary, spec.vary)
  if (vary.some(isProxyMade)) return refuse('vary-unknown')
  if (vary.length > MAX_VARY_NAMES) return refuse('vary-too-much')
  const age = initialAge(answer, question.requestTime, question.responseTime)
  // The route counts from when it came; the Age that clients are told stays true.
  const lifetime = manual === null ? originLifetime(question) : { ms: age + manual.ms, rule: manual.rule }
  if (typeof lifetime === 'string') return refuse(lifetime)
  return settle(question, lifetime, manual !== null, age, vary)
}

/** What no configuration changes: kinds of messages that are never stored. */
function refusalByKind({ method, status, answer, request }: StoreQuestion): RuleId | null {
  if (method !== 'GET') return 'method'
  if (status < 200) return 'interim'
  if (status === 206 || status === 304 || answer.hasContentRange) return 'partial'
  if (request.noStore) return 'request-no-store'
  return null
}

function refusalByAnswer(question: StoreQuestion, isManual: boolean): RuleId | null {
  const { answer, spec, request } = question
  const { directives } = answer
  const isAuthenticated = question.isAuthenticated || request.hasAuthorization
  if (directives.mustUnderstand && !answer.isUnderstood) return 'not-understood'
  // A route may overrule what an answer says of itself, but not for clients that showed who they are.
  const isOverruled = isManual && !isAuthenticated
  // §5.2.2.3: no-store beside must-understand is for caches that do not know the status.
  if (directives.noStore && !directives.mustUnderstand && !isOverruled) return 'no-store'
  if (directives.isPrivate && !isOverruled) return 'private'
  if (isAuthenticated && !(directives.isPublic || directives.mustRevalidate || directives.hasValidSMaxAge)) {
    return 'authorization'
  }
  if (answer.hasSetCookie && spec.setCookie === 'skip' && !directives.withheld.includes('set-cookie')) {
    return 'set-cookie'
  }
  if (answer.variesByAny) return 'vary-any'
  if (answer.hasTooManyTags) return 'too-many-tags'
  return null
}

/** Fields that a backend gets from us, other ones with each request. */
function isProxyMade(name: string): boolean {
  return name === 'x-forwarded-for' || name === 'x-request-id' || name === 'traceparent' || name === 'tracestate'
}

/** §3, last condition, and §4.2.1; the rule where it may not be stored. */
function originLifetime(question: StoreQuestion): Lifetime | RuleId {
  const { answer, responseTime, spec } = question
  const explicit = explicitLifetime(answer, responseTime)
  if (explicit !== null) return explicit
  const { directives } = answer
  if (!answer.isCacheableByDefault && !directives.isPublic) {
    return answer.isUnderstood ? 'status-not-cacheable' : 'not-understood'
  }
  // Answers that say nothing of caching to somebody with a cookie are too often his alone.
  const personal = personalRule(question)
  const isToBeValidated = directives.noCache || directives.mustRevalidate || directives.isPublic
  if (personal !== null && !isToBeValidated) return personal
  if (personal === null) {
    const guess = heuristicLifetime(answer, responseTime, spec.heuristic) ?? defaultLifetime(answer, spec.defaultTtl)
    if (guess !== null) return guess
  }
  return hasValidator(answer, question.status) ? { ms: 0, rule: 'validator-only' } : 'nothing-said'
}

/** The client shows who it is: the rule by which an answer that does not speak of it is taken for his alone; null = it does not. */
function personalRule({ isAuthenticated, request }: StoreQuestion): RuleId | null {
  if (request.hasCookie) return 'cookie'
  return isAuthenticated || request.hasAuthorization ? 'authorization' : null
}

/** A 304 says that the answer would have been a 200 (RFC 9110 §15.4.5): others cannot be validated by one. */
function hasValidator(answer: AnswerDirectives, status: number): boolean {
  return status === 200 && (answer.etag !== '' || !Number.isNaN(answer.lastModified))
}

function settle(
  question: StoreQuestion,
  lifetime: Lifetime,
  isManual: boolean,
  age: number,
  vary: readonly string[],
): StoreVerdict {
  const { answer, spec, status, responseTime } = question
  const { directives } = answer
  const bits = flagsOf(question, lifetime.rule, isManual)
  const noCache = (bits & flags.noCache) !== 0
  const facts: EntryFacts = {
    status,
    flags: bits,
    responseTime,
    initialAge: age,
    lifetime: lifetime.ms,
    staleWhileRevalidate: Math.max(0, directives.staleWhileRevalidate) * 1000,
    staleIfError: Math.max(0, directives.staleIfError) * 1000,
  }
  const isFresh = lifetime.ms > age
  let { rule } = lifetime
  const needsValidation = !isFresh || noCache
  // By its date alone a backend may take one client's page for another's; by its tag it cannot.
  if (needsValidation && answer.etag === '' && !directives.isPublic) {
    const personal = personalRule(question)
    if (personal !== null) return refuse(personal)
  }
  if (needsValidation && !hasValidator(answer, status)) {
    if (!staysUseful(facts, spec)) return refuse('useless')
    rule = 'stale-only'
  }
  const head = keptFields(question.fields, answer, spec, responseTime)
  return { store: true, facts, head, vary, tags: answer.tags, usable: !needsValidation, rule }
}

/**
 * Stale from the first moment and not to be validated: only what it may be served for later can be of use. One that was fresh
 * once, on its way to us, is for clients that take it stale; one with no time at all is not meant to be kept.
 */
function staysUseful(facts: EntryFacts, spec: CacheSpec): boolean {
  const { flags: bits, lifetime, staleWhileRevalidate, staleIfError } = facts
  if ((bits & (flags.mustRevalidate | flags.proxyRevalidate | flags.noCache)) !== 0) return false
  const whileRevalidate =
    (bits & flags.saysWhileRevalidate) === 0 ? (spec.staleWhileRevalidate ?? 0) : staleWhileRevalidate
  const ifError = (bits & flags.saysIfError) === 0 ? (spec.staleIfError ?? 0) : staleIfError
  return lifetime > 0 || whileRevalidate > 0 || ifError > 0
}

function flagsOf(question: StoreQuestion, rule: RuleId, isManual: boolean): number {
  const { answer, request } = question
  const { directives } = answer
  let bits = 0
  if (directives.mustRevalidate) bits |= flags.mustRevalidate
  if (directives.proxyRevalidate || (directives.sMaxAge >= 0 && !isManual)) bits |= flags.proxyRevalidate
  if (directives.noCache && !isManual) bits |= flags.noCache
  if (directives.immutable) bits |= flags.immutable
  if (rule === 'heuristic' || rule === 'default-ttl') bits |= flags.heuristic
  if (answer.etag !== '' && question.status === 200) bits |= flags.hasEtag
  if (!Number.isNaN(answer.lastModified) && question.status === 200) bits |= flags.hasLastModified
  if (directives.staleWhileRevalidate >= 0) bits |= flags.saysWhileRevalidate
  if (directives.staleIfError >= 0) bits |= flags.saysIfError
  if (question.isAuthenticated || request.hasAuthorization) bits |= flags.authenticated
  if (answer.noTransform) bits |= flags.noTransform
  if (isManual) bits |= flags.manual
  return bits
}

function refuse(rule: RuleId): Refused {
  return { store: false, rule }
}
