// GET /cache and POST /cache/purge: what answers are kept, and throwing some of them out.
import { createRoute, z } from '@hono/zod-openapi'
import { cacheResults, storeRefusals } from '../../../state/names.ts'
import type { CacheControl } from '../../cache/cache-control.ts'
import { ControlError } from '../../control-error.ts'
import type { AdminApp } from '../app.ts'
import { type ProblemInput, problem } from '../problem.ts'
import { inputProblems } from '../validation.ts'
import { askedBy } from './backends.ts'
import { fails, gives, takes } from './describe.ts'

export interface CacheDeps {
  readonly cache: Pick<CacheControl, 'stats' | 'purge'>
}

const count = z.number().int()
const bytes = count.openapi({ description: 'Bytes.' })
const ratio = z
  .number()
  .nullable()
  .openapi({ description: 'Share of requests that were looked up which the cache answered, 0 to 1; null = none was.' })
const requests = z
  .object(
    Object.fromEntries(cacheResults.map((result) => [result, count])) as Record<
      (typeof cacheResults)[number],
      typeof count
    >,
  )
  .openapi({
    description:
      '`hit`: fresh; `stale`: served stale; `revalidated`: the backend said that it still holds; `miss`: fetched; ' +
      '`collapsed`: got what another request fetched; `bypass`: not looked up.',
  })

const notStored = z.record(z.string(), count).openapi({
  description: `Answers to GET that were not stored, by reason; only those that occurred: ${storeRefusals.join(', ')}.`,
  example: { private: 12, 'set-cookie': 3 },
})

const entryView = z.object({
  url: z.string(),
  route: z.string(),
  variant: z.string().openapi({ description: 'What tells it from others of its URL; empty = nothing does.' }),
  status: count,
  bytes: count.openapi({ description: 'Of its body, as it is stored.' }),
  hits: count,
  age_seconds: count,
  ttl_seconds: count.openapi({ description: 'Below 0: stale for so long.' }),
})

export const cacheView = z
  .object({
    enabled: z.boolean().openapi({ description: '`false`: no route caches.' }),
    memory: z.object({
      size: bytes,
      used: bytes.openapi({ description: 'Bytes in use, with index and metadata.' }),
      payload: bytes.openapi({ description: 'Bytes of heads and bodies alone.' }),
      entries: count,
    }),
    disk: z
      .object({
        path: z.string(),
        size: bytes,
        used: bytes,
        entries: count,
        state: z.enum(['ok', 'degraded']),
        problem: z.string().nullable().openapi({ description: 'Why it is degraded.' }),
      })
      .nullable()
      .openapi({ description: 'Null = memory only.' }),
    requests,
    hit_ratio: ratio,
    stored: count,
    evicted: count.openapi({ description: 'Thrown out for others.' }),
    purged: count,
    filling: count.openapi({ description: 'Answers on their way in.' }),
    oldest_age_seconds: count.nullable(),
    top: z.array(entryView).openapi({ description: 'Those used most.' }),
    routes: z.array(z.object({ name: z.string(), requests, hit_ratio: ratio, not_stored: notStored })).openapi({
      description: 'Those that cache, as far as they are counted apart.',
    }),
  })
  .openapi('Cache')

const query = z.strictObject({
  prefix: z.string().max(8192).optional().openapi({
    description: '`top` has only entries whose URL begins so.',
    example: 'http://example.com/static/',
  }),
  limit: z.coerce
    .number()
    .int()
    .min(0, 'is 0 to 1000')
    .max(1000, 'is 0 to 1000')
    .optional()
    .openapi({ description: 'Of `top`; 20.' }),
})

const word = (description: string, example: string) =>
  z.string().min(1, 'is empty').max(65_536, 'is longer than any URL').optional().openapi({ description, example })

const tag = z.string().regex(/^[\x21-\x7e\x80-\xff]{1,1024}$/, 'is not a tag: 1 to 1024 characters, no spaces')

const kinds = ['url', 'prefix', 'tag', 'all'] as const

const purgeBody = z
  .strictObject({
    url: word(
      'All that is stored for this URL. `*://` stands for http and https. What a route does not count as part of the key ' +
        'may be there or not.',
      'http://example.com/a',
    ),
    prefix: word('All whose URL begins so; `*://` as with `url`.', '*://example.com/static/'),
    tag: z
      .union([tag, z.array(tag).min(1, 'names no tag').max(1000, 'has more than 1000 tags')], {
        error: 'is a tag, or a list of up to 1000 of them',
      })
      .optional()
      .openapi({ description: 'All with this tag, or with any of these.', example: 'product-7' }),
    all: z.literal(true).optional().openapi({ description: 'Everything.' }),
    soft: z.boolean().optional().openapi({
      description: '`true`: marked stale, so that it is asked for again before it is used; not thrown out.',
    }),
  })
  .refine((body) => kinds.filter((kind) => body[kind] !== undefined).length === 1, {
    path: [],
    message: 'say what to purge: exactly one of "url", "prefix", "tag" and "all"',
  })
  .openapi('PurgeCache')

const look = createRoute({
  method: 'get',
  path: '/cache',
  summary: 'What is cached, and how often it serves',
  request: { query },
  responses: {
    200: gives('Now; counts since the start.', cacheView),
    400: fails('A parameter is wrong; `errors` names it.'),
  },
})

const purge = createRoute({
  method: 'post',
  path: '/cache/purge',
  summary: 'Throw answers out of the cache',
  description: 'In force for all workers, in memory and on disk, when it answers; also for answers on their way in.',
  request: takes(purgeBody),
  responses: {
    200: gives(
      'So many entries were thrown out, or marked stale.',
      z.object({ purged: count, soft: z.boolean() }).openapi('Purged'),
    ),
    409: fails('No route caches.'),
    422: fails('It does not say exactly one thing to purge, or what is no URL; `errors` names it.'),
  },
})

export function addCacheCalls(app: AdminApp, { cache }: CacheDeps): void {
  app.openapi(look, async (c) => {
    return c.json(structuredClone(await cache.stats(c.req.valid('query'))) as never, 200)
  })
  app.openapi(
    purge,
    async (c) => {
      try {
        return c.json(await cache.purge(c.req.valid('json'), askedBy(c).by), 200)
      } catch (error) {
        if (!(error instanceof ControlError && error.kind === 'invalid')) throw error
        return refused({ detail: error.message, errors: error.errors }) as never
      }
    },
    (result) => (result.success ? undefined : (refused(inputProblems(result.error.issues)) as never)),
  )
}

const refused = (what: Pick<ProblemInput, 'detail' | 'errors'>): Response =>
  problem({ status: 422, title: 'Nothing was purged', ...what })
