// What would make a request come from the cache: in the answers of the backend, in the request, or in the configuration.
import { type RuleId, rules } from '../../http/cache/policy/rules.ts'
import { type StoreRefusal, storeRefusals } from '../../state/names.ts'
import type { RefusalCounts } from '../cache/refusals.ts'

/** What of a request itself keeps its answer from being stored, or makes it depend on what the answer says. */
export interface RequestObstacles {
  /** It says no-store, and the route listens to it. */
  readonly saysNoStore: boolean
  /** `no_store` of the route fits it. */
  readonly isExcepted: boolean
  readonly isAuthenticated: boolean
  readonly hasCookie: boolean
  /** It asks for a part. */
  readonly hasRange: boolean
}

/** So many reasons are told of; the rest have become rare. */
const mostReasons = 6

/** Those that depend on the request: told for requests that are so, whether it has occurred or not. */
const ofRequests = {
  'request-no-store':
    'the client asks for the answer not to be stored: "client_directives": "ignore" takes no notice of that',
  'no-store-condition': 'a condition in "no_store" of the route fits the request: take it out',
  partial: 'the client asks for a part, and only whole answers are stored: a request without Range brings it in',
  authorization:
    'the request is authenticated, and then only answers are stored that say public, s-maxage or must-revalidate: send one of them if everybody may have it',
  cookie:
    'the request has a cookie, and then only answers are stored that say how long they are fresh: send Cache-Control: max-age=…, or remove Cookie in "headers.request" of the route if no backend needs it',
} as const satisfies Partial<Record<StoreRefusal, string>>

/** What to do about the others; the rule itself stands before it. */
const remedies: Readonly<Record<Exclude<StoreRefusal, keyof typeof ofRequests>, string>> = {
  'not-understood': 'leave out must-understand, or answer with a status that is defined',
  'status-not-cacheable': 'send Cache-Control: max-age=…, or set "ttl_by_status" in the route',
  'no-store': 'send Cache-Control: max-age=… in its place, or set "ttl" in the route',
  private: 'send public or s-maxage=… in its place if everybody may have it',
  'set-cookie': 'send it only where it is needed, or set "set_cookie": "strip" in the route',
  'vary-any': 'name the fields that the answer depends on',
  'vary-unknown': 'leave X-Forwarded-For, X-Request-Id and traceparent out of Vary',
  'vary-too-much': 'name fewer fields in Vary',
  'nothing-said': 'send Cache-Control: s-maxage=…, or ETag or Last-Modified, or set "default_ttl" in the route',
  useless: 'send a longer max-age, or ETag or Last-Modified, or set "ttl" in the route',
  'ttl-zero': 'change "ttl" or "ttl_by_status" of the route',
  'too-many-tags': 'send fewer of them',
  'too-large': 'raise "max_object" in "cache_store"',
  'no-room': 'raise "memory" in "cache_store"',
  incomplete: 'see why the backend breaks off its answers',
}

/** Of what no rule of the policy decides. */
const ownWords: Readonly<Partial<Record<StoreRefusal, string>>> = {
  'too-large': 'the answer is longer than the store takes',
  'no-room': 'there was no room in the store, or it was purged on its way in',
  incomplete: 'the answer broke off before its end',
}

/**
 * What keeps the answer to a request from being stored, as far as it can be known before one comes: what the request says,
 * then what has been found of the route's answers so far, the most frequent first. They are counted by route: which of them is that
 * of the URL, only its own answer can say.
 */
export function storingAdvice(obstacles: RequestObstacles, counts: RefusalCounts): string[] {
  const certain = obstaclesOf(obstacles)
  const isOfRequests = (reason: StoreRefusal): boolean => reason in ofRequests
  const seen = storeRefusals
    .filter((reason) => (counts[reason] ?? 0) > 0 && !isOfRequests(reason))
    .sort((a, b) => counts[b]! - counts[a]!)
    .slice(0, mostReasons)
  const told = (reason: StoreRefusal): string => `${wordsOf(reason)}${countWords(counts[reason] ?? 0)}`
  if (certain.length + seen.length === 0) return [general]
  return [
    ...certain.map(told),
    ...seen.map((reason) => `${reason}: ${told(reason)}`),
    ...(seen.length === 0 ? [] : [whichOfThese]),
  ]
}

const whichOfThese =
  'other URLs of the route are counted with this one: its own reason is in Cache-Status of its answer, as detail=…'

const general =
  'answers are stored that say how long they are fresh, such as Cache-Control: s-maxage=60, or all that "ttl" of the route says'

function obstaclesOf(o: RequestObstacles): StoreRefusal[] {
  const held: readonly (readonly [StoreRefusal, boolean])[] = [
    ['request-no-store', o.saysNoStore],
    ['no-store-condition', o.isExcepted],
    ['partial', o.hasRange],
    ['authorization', o.isAuthenticated],
    ['cookie', o.hasCookie],
  ]
  return held.filter(([, holds]) => holds).map(([reason]) => reason)
}

function wordsOf(reason: StoreRefusal): string {
  if (reason in ofRequests) return ofRequests[reason as keyof typeof ofRequests]
  return `${refusalWords(reason)}: ${remedies[reason as keyof typeof remedies]}`
}

/** Why it is not stored, in a few words. */
export function refusalWords(reason: StoreRefusal): string {
  return ownWords[reason] ?? rules[reason as RuleId].words
}

const countWords = (count: number): string =>
  count === 0 ? '' : ` (${count} ${count === 1 ? 'answer' : 'answers'} of this route so far)`

const ofClients = 'set "client_directives" of the route to "no-reload" or "ignore"'
const longer = 'send a longer max-age or stale-while-revalidate, or set "ttl" or "stale_while_revalidate" in the route'

/** What would have the answer that is stored served without asking, by the rule that stands against it. */
const reuseRemedies: Readonly<Partial<Record<RuleId, string>>> = {
  'no-cache': 'send max-age=… in place of no-cache to have it served without asking',
  'must-revalidate': longer,
  stale: longer,
  'heuristic-client': 'send Cache-Control: max-age=… to have it served to everybody',
  'request-no-cache': ofClients,
  'request-max-age': ofClients,
  'request-min-fresh': 'set "client_directives" of the route to "ignore"',
}

/** For an answer that is stored and may not be served as it is. */
export function reuseAdvice(rule: RuleId): string[] {
  const remedy = reuseRemedies[rule]
  return remedy === undefined ? [] : [remedy]
}
