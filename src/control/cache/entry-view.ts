// An entry of the cache, as people are told of it.
import { parseSelector, type Selector } from '../../http/cache/policy/vary.ts'
import type { ListedEntry } from '../../state/cache/types.ts'
import type { CacheEntry } from './cache.ts'

/** `routeOf`: name of the route that a partition belongs to. */
export function entryView(entry: ListedEntry, now: number, routeOf: (partition: string) => string): CacheEntry {
  const { url, status, bodyLength, hits, lifetime, isMarkedStale } = entry
  const selector = parseSelector(entry.selector)
  const age = ageOf(entry, now)
  const ttl = seconds(lifetime - age)
  return {
    url,
    route: routeOf(selector.partition),
    variant: variantWords(selector),
    status,
    bytes: bodyLength,
    hits,
    age_seconds: seconds(age),
    ttl_seconds: isMarkedStale ? Math.min(ttl, -1) : ttl,
  }
}

/** RFC 9111 §4.2.3 current_age, in milliseconds. */
export const ageOf = (
  { responseTime, initialAge }: Pick<ListedEntry, 'responseTime' | 'initialAge'>,
  now: number,
): number => Math.max(0, initialAge + now - responseTime)

export const seconds = (ms: number): number => Math.floor(ms / 1000)

/** `accept-language: de, br`: what requests for it say, and what it is compressed with. */
export function variantWords({ lines, coding, partition }: Selector): string {
  const [, ...keyed] = partition.split('\0')
  const varied = lines.split('\n').slice(1).map(lineWords)
  const words = [...keyed.flatMap((part) => part.split('\n')), ...varied, coding]
  return words.filter((word) => word !== '').join(', ')
}

/** As `valueOf` of the policy writes them: with a value, with the digest of a long one, or without the field. */
function lineWords(line: string): string {
  const [, name = line, mark = '', value = ''] = /^([^:=]*)([:=]?)(.*)$/s.exec(line) ?? []
  if (mark === ':') return `${name}: ${value.trim()}`
  return mark === '=' ? `${name}: (long)` : `no ${name}`
}
