// What a route, or the whole configuration, says of caching. Only what is written: the rest comes from the top level, and
// from the defaults.
import { z } from 'zod'
import type { CacheKeySpec, CacheSpec, RequestConditions } from '../../../core/cache-spec.ts'
import { oneOrMore } from '../lists.ts'
import { cookieName, duration, fieldName, fieldNameAsWritten, parsePercent, parsing } from '../scalars.ts'
import { statusTtls } from './cache-statuses.ts'

/** What is written, in the form of the compiler; a key that is not there is not said. */
export type WrittenCache = Partial<CacheSpec>

/** What a route without more to say caches by. */
export const cacheDefaults: CacheSpec = Object.freeze<CacheSpec>({
  ttl: 'origin',
  ttlByStatus: [],
  defaultTtl: 0,
  heuristic: { share: 0.1, max: 86_400_000 },
  staleWhileRevalidate: null,
  staleIfError: null,
  staleWhenDown: 3_600_000,
  key: { query: { kind: 'all' }, sortQuery: false, headers: [], cookies: [] },
  vary: [],
  bypass: { headers: [], cookies: [], query: [] },
  noStore: { headers: [], cookies: [], query: [] },
  clientDirectives: 'honor',
  setCookie: 'skip',
  targetFields: ['frontdesk-cache-control', 'cdn-cache-control'],
  tagFields: ['cache-tag', 'surrogate-key'],
  status: 'on',
  waitFor: 5000,
})

/** Ten years: what is longer is a mistake, not a time. */
const age = duration({ maxMs: 3650 * 86_400_000 })

/** As the answer says, or so long where it says nothing. */
const unlessSaid = z
  .union([z.literal('origin').transform((): number | null => null), age.transform((ms): number | null => ms)], {
    error: '"origin", or a duration like "30s"',
  })
  .meta({ title: '"origin" or duration' })

const share = z
  .union(
    [
      z.string().transform(parsing(parsePercent)).meta({ title: 'percentage' }),
      z.number().min(0, { error: 'use 0 to 1, or a percentage' }).max(1, { error: 'use 0 to 1, or a percentage' }),
    ],
    { error: 'a percentage like "10%"' },
  )
  .meta({ title: 'percentage, or 0–1' })

const heuristicObject = z
  .strictObject({
    share: share
      .prefault('10%')
      .meta({ description: 'Of the time since `Last-Modified`: so long an answer is fresh that says nothing itself.' }),
    max: age.prefault('24h').meta({ description: 'The most that it may come to.' }),
  })
  .transform((h): CacheSpec['heuristic'] => h)
const heuristic = z.union([z.literal(false).transform((): CacheSpec['heuristic'] => null), heuristicObject], {
  error: 'false, or an object such as {"share": "10%", "max": "24h"}',
})

const parameter = z
  .string()
  .min(1, { error: 'has no name' })
  .refine((text) => text !== '*', { error: 'means every parameter; write "query": "all" or "none"' })
  .refine((text) => !text.slice(0, -1).includes('*'), { error: 'may have a "*" only at its end, like "utm_*"' })
  .meta({ title: 'parameter' })

type QueryKey = CacheKeySpec['query']
const queryNames = z
  .strictObject({
    only: oneOrMore(parameter).optional().meta({ description: 'These alone count; `"utm_*"`: all that begin so.' }),
    except: oneOrMore(parameter).optional().meta({ description: 'All others count.' }),
  })
  .superRefine(({ only, except }, context) => {
    if (only !== undefined && except !== undefined) {
      context.addIssue({ code: 'custom', path: ['except'], message: 'cannot stand beside only; keep one of the two' })
    } else if (only === undefined && except === undefined) {
      context.addIssue({ code: 'custom', path: ['only'], message: 'name the parameters, in "only" or in "except"' })
    }
  })
  .transform(({ only, except }): QueryKey => {
    return only === undefined ? { kind: 'except', names: except ?? [] } : { kind: 'only', names: only }
  })
const queryKey = z.union(
  [
    // Two constants and no list of words: whoever writes an object is told of its keys.
    z.literal('all').transform((kind): QueryKey => ({ kind })),
    z.literal('none').transform((kind): QueryKey => ({ kind })),
    queryNames,
  ],
  { error: '"all", "none", or an object such as {"except": ["utm_*"]}' },
)

const key = z
  .strictObject({
    query: queryKey
      .prefault('all')
      .meta({ description: 'Which parameters of the query tell requests apart; the others still go to the backend.' }),
    sort_query: z
      .boolean()
      .prefault(false)
      .meta({ description: 'Parameters in another order are the same request. Only of one name their order counts.' }),
    headers: z.array(fieldName).prefault([]).meta({ description: 'Request fields that tell requests apart.' }),
    cookies: z.array(cookieName).prefault([]).meta({ description: 'Cookies that tell requests apart.' }),
  })
  .transform((k): CacheKeySpec => {
    return { query: k.query, sortQuery: k.sort_query, headers: k.headers, cookies: k.cookies }
  })

const anyValue = z.literal(true).transform((): readonly string[] => [])
const values = z
  .union([oneOrMore(z.string()), anyValue], { error: 'a text, a list of texts, or true for any' })
  .meta({ title: 'text, list of them, or true' })
type Condition = RequestConditions['headers'][number]
const named = (entries: Readonly<Record<string, readonly string[]>> = {}): Condition[] =>
  Object.entries(entries).map(([name, values]) => ({ name, values }))

const conditions = z
  .strictObject({
    header: z
      .record(fieldNameAsWritten, values)
      .optional()
      .meta({ description: 'Request fields: a text (`*` at either end stands for anything), several, or `true`.' }),
    cookie: z.record(cookieName, values).optional().meta({ description: 'Cookies, in the same way.' }),
    query: z
      .record(z.string().min(1, { error: 'has no name' }), values)
      .optional()
      .meta({ description: 'Parameters of the query, in the same way.' }),
  })
  .transform(
    (c): RequestConditions => ({
      headers: named(c.header).map((one) => ({ ...one, name: one.name.toLowerCase() })),
      cookies: named(c.cookie),
      query: named(c.query),
    }),
  )

const varyName = fieldName.refine((text) => text !== '*', {
  error: 'would mean that no answer fits a second request; use "bypass": {"header": …}, or "cache": false',
})

const words = <const W extends readonly [string, ...string[]]>(list: W) =>
  z.enum(list).meta({ title: list.join(' | ') })

const cacheObject = z
  .strictObject({
    ttl: z
      .union([z.literal('origin'), age], { error: '"origin", or a duration like "10m"' })
      .optional()
      .meta({
        title: '"origin" or duration',
        flatDefault: 'origin',
        description:
          'How long an answer is fresh: as it says itself, or so long whatever it says, `no-store` and `private` included (but not to clients that are authenticated).',
      }),
    ttl_by_status: statusTtls.optional().meta({
      description:
        'The same for single statuses, `"404"`, `"5xx"` or `"200-299"`; the narrowest counts. It beats `ttl`; `0s`: not stored.',
    }),
    default_ttl: age.optional().meta({
      flatDefault: '0s',
      description:
        'How long an answer is fresh that says nothing of it, where `heuristic` has nothing to go by and the client has neither cookie nor credentials; `0s`: it is not stored.',
    }),
    heuristic: heuristic.optional().meta({
      description: 'For answers that say nothing of time but have `Last-Modified`; false: they are not stored.',
    }),
    stale_while_revalidate: unlessSaid.optional().meta({
      flatDefault: 'origin',
      description:
        'So long after its end an answer is still served while it is fetched anew, where it says nothing itself (RFC 5861).',
    }),
    stale_if_error: unlessSaid.optional().meta({
      flatDefault: 'origin',
      description:
        'So long after its end an answer is still served in place of a 500, 502, 503 or 504, where it says nothing itself.',
    }),
    stale_when_down: age.optional().meta({
      flatDefault: '1h',
      description: 'So long after its end an answer is still served when no backend can be reached; `0s`: never.',
    }),
    key: key.optional().meta({ description: 'What tells requests apart besides scheme, host, path and route.' }),
    vary: z
      .array(varyName)
      .optional()
      .meta({ flatDefault: [], description: 'Request fields that answers differ by, besides those of their `Vary`.' }),
    bypass: conditions.optional().meta({
      description:
        'These requests go to the backend, and their answers are not stored; one of the conditions is enough.',
    }),
    no_store: conditions
      .optional()
      .meta({ description: 'The answers to these requests are not stored; what is stored is served to them.' }),
    client_directives: words(['honor', 'no-reload', 'ignore']).optional().meta({
      flatDefault: 'honor',
      description:
        'Whether `Cache-Control` and `Pragma` of requests count: all; all but those that ask for a fresh answer; none.',
    }),
    set_cookie: words(['skip', 'strip', 'store']).optional().meta({
      flatDefault: 'skip',
      description:
        'Answers with `Set-Cookie`: not stored; stored without it; stored with it, so that every client gets this cookie.',
    }),
    target_fields: z
      .array(fieldName)
      .optional()
      .meta({
        flatDefault: ['Frontdesk-Cache-Control', 'CDN-Cache-Control'],
        description:
          'Fields of answers that count in place of `Cache-Control`; of several the first that is there (RFC 9213).',
      }),
    tag_fields: z
      .array(fieldName)
      .optional()
      .meta({
        flatDefault: ['Cache-Tag', 'Surrogate-Key'],
        description: 'Fields of answers with tags, by which they are purged. Clients do not get them.',
      }),
    status: words(['on', 'off', 'key']).optional().meta({
      flatDefault: 'on',
      description: '`Cache-Status` on answers (RFC 9211); `key`: with the key, which tells clients of it.',
    }),
    wait_for: duration({ maxMs: 3_600_000 }).optional().meta({
      flatDefault: '5s',
      description: 'How long a request waits for the first one with the same key before it asks the backend itself.',
    }),
  })
  .transform((c): WrittenCache => {
    const said: { readonly [K in keyof CacheSpec]: CacheSpec[K] | undefined } = {
      ttl: c.ttl,
      ttlByStatus: c.ttl_by_status,
      defaultTtl: c.default_ttl,
      heuristic: c.heuristic,
      staleWhileRevalidate: c.stale_while_revalidate,
      staleIfError: c.stale_if_error,
      staleWhenDown: c.stale_when_down,
      key: c.key,
      vary: c.vary,
      bypass: c.bypass,
      noStore: c.no_store,
      clientDirectives: c.client_directives,
      setCookie: c.set_cookie,
      targetFields: c.target_fields,
      tagFields: c.tag_fields,
      status: c.status,
      waitFor: c.wait_for,
    }
    return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
  })

/** true = with the defaults, or as the top level says; false = off. */
export const cache = z.union([z.boolean(), cacheObject], {
  error: 'true, false, or an object such as {"ttl": "10m"}',
})

/** What is said, on a route or at the top level; undefined = nothing. */
export type CacheConfig = z.output<typeof cache> | undefined

/** What holds for a route: its own keys over those of the top level, over the defaults. Null = it does not cache. */
export function cacheOf(top: CacheConfig, own: CacheConfig): CacheSpec | null {
  const said = own ?? top ?? false
  if (said === false) return null
  return { ...cacheDefaults, ...(typeof top === 'object' && top), ...(typeof said === 'object' && said) }
}
