// `frontdesk cache stats`: the figures of the cache on one screen.
import type { CacheEntry, CacheStats } from '../control/cache/cache.ts'
import { refusalWords } from '../control/explain/cache-advice.ts'
import { storeRefusals } from '../state/names.ts'
import { age, bytes, compact, percent, room } from './figures.ts'
import { printable } from './printable.ts'
import { type Terminal, table } from './terminal.ts'

type Paint = Terminal['paint']

export function cacheText(cache: CacheStats, paint: Paint): string {
  if (!cache.enabled) return 'No route caches: "cache": true in the configuration, or in a route, turns it on.\n'
  const parts = [table(figures(cache, paint))]
  if (cache.routes.length > 1)
    parts.push(table([header(['ROUTE', 'HIT RATIO', 'HITS', 'MISSES'], paint), ...routeRows(cache)], [1, 2, 3]))
  const refused = cache.routes.flatMap(refusalRows)
  if (refused.length > 0) parts.push(table([header(['NOT STORED', 'ANSWERS', 'BECAUSE'], paint), ...refused], [1]))
  if (cache.top.length > 0)
    parts.push(table([entryHead(paint), ...cache.top.map((one) => entryRow(one, paint))], [1, 2, 3, 4]))
  parts.push('  next  throw something out: frontdesk cache purge URL\n')
  return parts.join('\n')
}

function figures(cache: CacheStats, paint: Paint): string[][] {
  const { memory, disk, requests } = cache
  const served = Object.entries(requests).filter(([, count]) => count > 0)
  const counts = served.map(([result, count]) => `${compact(count)} ${result}`).join(', ')
  return [
    ['  hit ratio', `${ratio(cache.hit_ratio)}${counts === '' ? '' : `  (${counts})`}`],
    ['  memory', `${fill(memory)}, ${entries(memory.entries)}`],
    ...(disk === null ? [] : [['  disk', `${fill(disk)}, ${entries(disk.entries)}, ${disk.path}`]]),
    ...(disk?.state === 'degraded' ? [['', paint('red', `degraded: ${disk.problem ?? ''}`)]] : []),
    ['  so far', `${compact(cache.stored)} stored, ${compact(cache.evicted)} evicted, ${compact(cache.purged)} purged`],
    ...(cache.filling > 0 ? [['  coming in', compact(cache.filling)]] : []),
    ['  oldest', cache.oldest_age_seconds === null ? '-' : age(cache.oldest_age_seconds * 1000)],
  ]
}

const fill = ({ used, size }: { readonly used: number; readonly size: number }): string =>
  `${room(used)} of ${room(size)} (${percent(size === 0 ? 0 : used / size)})`

const entries = (count: number): string => (count === 1 ? '1 entry' : `${compact(count)} entries`)

const ratio = (value: number | null): string => (value === null ? '-' : percent(value))

const header = ([first = '', ...rest]: readonly string[], paint: Paint): string[] =>
  [`  ${first}`, ...rest].map((cell) => paint('dim', cell))

function routeRows({ routes }: CacheStats): string[][] {
  return routes.map(({ name, requests, hit_ratio }) => {
    const { hit, stale, revalidated, collapsed, miss } = requests
    return [`  ${name}`, ratio(hit_ratio), compact(hit + stale + revalidated + collapsed), compact(miss)]
  })
}

/** So many reasons of a route are told, the most frequent first. */
const MAX_REASONS = 3

function refusalRows({ name, not_stored: counts }: CacheStats['routes'][number]): string[][] {
  const reasons = storeRefusals.filter((reason) => (counts[reason] ?? 0) > 0)
  return reasons
    .sort((a, b) => counts[b]! - counts[a]!)
    .slice(0, MAX_REASONS)
    .map((reason, at) => [`  ${at === 0 ? name : ''}`, compact(counts[reason]!), `${reason}: ${refusalWords(reason)}`])
}

const entryHead = (paint: Paint): string[] =>
  header(['URL', 'STATUS', 'SIZE', 'HITS', 'AGE', 'FRESH FOR', 'VARIANT'], paint)

function entryRow(entry: CacheEntry, paint: Paint): string[] {
  const { url, status, bytes: size, hits, age_seconds: old, ttl_seconds: ttl, variant } = entry
  const fresh = ttl > 0 ? age(ttl * 1000) : paint('yellow', 'stale')
  const shown = url.length > MAX_URL ? `${url.slice(0, MAX_URL - 1)}…` : url
  return [
    `  ${printable(shown)}`,
    String(status),
    bytes(size),
    compact(hits),
    age(old * 1000),
    fresh,
    printable(variant),
  ]
}

/** A longer one is told whole by --json. */
const MAX_URL = 80
