// What a request is stored and found by: its URL, and what else a route wants kept apart (RFC 9111 §2: the cache key).
import type { CacheKeySpec } from '../../../core/cache-spec.ts'
import { fits, loosely } from './loose-names.ts'
import { digestOf, selectingValue } from './vary.ts'

/** `scheme://host/path?query`. `host`: as the client says it, with its port; `target`: path and query as the route has them. */
export function urlKey(scheme: string, host: string, target: string, spec: CacheKeySpec): string {
  return originKey(scheme, host) + targetKey(target, spec)
}

/** `scheme://host`: the host in lower case, without the port that the scheme has anyway (RFC 9110 §4.2.3). */
export function originKey(scheme: string, host: string): string {
  const lower = host.toLowerCase()
  const colon = lower.lastIndexOf(':')
  // In an IPv6 literal a colon is no port unless it comes after the bracket.
  if (colon < 0 || colon < lower.lastIndexOf(']')) return `${scheme}://${lower}`
  const port = lower.slice(colon + 1).replace(/^0+(?=[0-9])/, '')
  const isDefault = port === '' || port === (scheme === 'https' ? '443' : '80')
  return isDefault ? `${scheme}://${lower.slice(0, colon)}` : `${scheme}://${lower.slice(0, colon)}:${port}`
}

/** Path and query as far as the route keeps them apart: by default all of it, byte for byte. */
export function targetKey(target: string, { query, sortQuery }: CacheKeySpec): string {
  if (query.kind === 'all' && !sortQuery) return target
  const mark = target.indexOf('?')
  if (mark < 0) return target
  const path = target.slice(0, mark)
  if (query.kind === 'none') return path
  let parameters = target.slice(mark + 1).split('&')
  if (query.kind !== 'all') {
    const { kind, names } = query
    parameters = parameters.filter((parameter) => counts(parameter, kind, names))
  }
  if (sortQuery) parameters.sort((a, b) => compare(nameOf(a), nameOf(b)))
  const text = parameters.join('&')
  return text === '' ? path : `${path}?${text}`
}

/**
 * What might be another parameter to a backend than it looks here always counts: one with a `;`, at which some split, and,
 * where only some count, one whose name says the same when it is decoded. So no value that a backend goes by is left out.
 */
function counts(parameter: string, kind: 'only' | 'except', names: readonly string[]): boolean {
  if (parameter === '') return false
  if (parameter.includes(';')) return true
  const name = nameOf(parameter)
  if (kind === 'except') return !isListed(name, names)
  return isListed(name, names) || isListed(loosely(name), names.map(loosely))
}

function isListed(name: string, names: readonly string[]): boolean {
  return names.some((listed) => fits(name, listed))
}

function nameOf(parameter: string): string {
  const equals = parameter.indexOf('=')
  return equals < 0 ? parameter : parameter.slice(0, equals)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * The values of the fields and cookies that the route keeps apart, for the partition of a selector; '' where there are none.
 * `lookup`: fields as the backend sees them; `cookie`: all Cookie values. Nothing in it can be forged: see `Selector`.
 */
export function keyedValues(lookup: string, cookie: string, spec: Pick<CacheKeySpec, 'headers' | 'cookies'>): string {
  if (spec.headers.length === 0 && spec.cookies.length === 0) return ''
  let text = ''
  for (const name of spec.headers) text += `\n${name}${selectingValue(name, lookup)}`
  if (spec.cookies.length === 0) return text
  const pairs = cookiePairs(cookie)
  for (const name of spec.cookies) text += `\n${name};${keyedCookie(name, pairs)}`
  return text
}

/** As they were sent, but for the one blank that separates them. */
function cookiePairs(cookie: string): string[] {
  return cookie.split(';').map((part, index) => (index > 0 && part.startsWith(' ') ? part.slice(1) : part))
}

/**
 * All cookies that a backend might take for the one of that name, byte for byte: which of several it goes by, and what it makes
 * of blanks, nobody knows.
 */
function keyedCookie(name: string, pairs: readonly string[]): string {
  const wanted = loosely(name)
  const meant = pairs.filter((pair) => loosely(nameOf(pair).trim()) === wanted)
  return meant.length === 0 ? '' : digestOf(meant.join(';'))
}
