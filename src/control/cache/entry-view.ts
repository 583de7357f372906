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
export function variantWords({ names, values, coding, partition }: Selector): string {
  const [, ...keyed] = partition.split('\0')
  const varied = names.map((name, index) => fieldWords(name, values[index] ?? ''))
  const words = [...keyed.flatMap((part) => part.split('\n').map(keyedWords)), ...varied, coding]
  return words.filter((word) => word !== '').join(', ')
}

/** As `partitionOf` and `keyedValues` write them: `host …` as is, a field with its value, a cookie with a `;` after its name. */
function keyedWords(line: string): string {
  const [, name = '', mark = '', value = ''] = /^([^:=; ]*)(;?)((?:[:=].*)?)$/s.exec(line) ?? []
  if (name === '') return line
  return fieldWords(mark === ';' ? `cookie ${name}` : name, value)
}

/** As the policy writes values: `:` and the text, `=` and a digest, or nothing where the field is not there. */
function fieldWords(name: string, value: string): string {
  if (value === '') return `no ${name}`
  return value.startsWith(':') ? `${name}: ${value.slice(1)}` : `${name}: …`
}
