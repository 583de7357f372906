// How much a route lets through: requests in a time, requests at once.
import { z } from 'zod'
import type { ConcurrencySpec, RateLimitSpec } from '../../../core/route-spec.ts'
import { parseDuration } from '../../../util/duration.ts'
import { name, parsing, whole } from '../scalars.ts'
import { key } from './key.ts'

/** As RateLimitSpec; the number in the shared table is the compiler's. */
export interface RateLimitConfig extends Omit<RateLimitSpec, 'id' | 'name'> {
  /** Routes that name the same limit share its counts; null = it is the route's own. */
  readonly name: string | null
}

export type ConcurrencyConfig = Omit<ConcurrencySpec, 'id'>

const longestPeriodMs = 86_400_000
const maxCount = 1_000_000

/** "100/s", "5/10s", "1000/h". Throws an `Error` with a sentence. */
export function parseRate(text: string): { count: number; periodMs: number } {
  const match = /^(\d{1,9})\s*\/\s*((?:\d+(?:\.\d+)?)?(?:ms|[smhd]))$/.exec(text)
  const shown = JSON.stringify(text)
  if (match === null) throw new Error(`${shown} is not a rate; write it like "100/s", "10/m" or "5/10s"`)
  const [, digits = '', period = ''] = match
  const count = Number(digits)
  const periodMs = parseDuration(/^\d/.test(period) ? period : `1${period}`)
  if (count < 1 || count > maxCount) throw new Error(`${shown} is out of range; use 1 to ${maxCount} requests`)
  if (periodMs >= 1000 && periodMs <= longestPeriodMs) return { count, periodMs }
  throw new Error(`${shown} is out of range; use a time from 1s to 24h`)
}

const units: Readonly<Record<number, string>> = { 1000: 's', 60000: 'm', 3600000: 'h', 86400000: 'd' }

/** The other way round. */
export const formatRate = ({ count, periodMs }: { readonly count: number; readonly periodMs: number }): string =>
  `${count}/${units[periodMs] ?? `${periodMs / 1000}s`}`

const rate = z.string().transform(parsing(parseRate)).meta({ title: 'rate', pattern: '^\\d+\\s*/\\s*\\S+$' })

const limitObject = z
  .strictObject({
    name: name
      .optional()
      .meta({ description: 'Limits of the same name share their counts; without it each route counts for itself.' }),
    key: key.prefault('ip').meta({ description: 'Whose requests are counted together.' }),
    rate: rate.meta({ description: 'Requests in a time, spread evenly: `"100/s"`, `"10/m"`, `"5/10s"`.' }),
    burst: whole(1, maxCount)
      .optional()
      .meta({ description: 'So many at once; without it as many as `rate` allows in its time.' }),
    headers: z.boolean().prefault(true).meta({ description: '`RateLimit` and `RateLimit-Policy` are sent.' }),
  })
  .transform(
    (l): RateLimitConfig => ({
      name: l.name ?? null,
      key: l.key,
      ...l.rate,
      burst: l.burst ?? l.rate.count,
      tell: l.headers,
    }),
  )

const ofRate = rate.transform(
  (r): RateLimitConfig => ({ name: null, key: { by: 'ip' }, ...r, burst: r.count, tell: true }),
)
const limit = z.union([ofRate, limitObject], { error: 'a rate like "100/s", or an object with "rate"' })

export const rateLimit = z
  .union(
    [
      limit.transform((one): readonly RateLimitConfig[] => [one]),
      z.array(limit).min(1, { error: 'is empty' }).max(8, { error: 'has more than 8 limits' }),
    ],
    { error: 'a rate like "100/s", an object with "rate", or a list of them' },
  )
  .transform((list): readonly RateLimitConfig[] => list)

const max = whole(1, 1_000_000)
export const concurrency = z.union(
  [
    max.transform((n): ConcurrencyConfig => ({ key: { by: 'ip' }, max: n })),
    z
      .strictObject({
        key: key.prefault('ip').meta({ description: 'Whose requests are counted together.' }),
        max: max.meta({ description: 'Requests at once, over all workers.' }),
      })
      .transform((c): ConcurrencyConfig => c),
  ],
  { error: 'a number, or an object such as {"key": "ip", "max": 10}' },
)
