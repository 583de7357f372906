// What becomes of a route's requests: pools by weight, a copy to another pool, a redirect, a fixed answer.
import { z } from 'zod'
import type { MirrorSpec, RedirectSpec, SplitSpec } from '../../../core/route-spec.ts'
import { byteSize, name, parsePercent, parsing, whole } from '../scalars.ts'
import { type BodyConfig, body, bodyKeys, contentTypeOf, oneBody } from './body.ts'
import { type FieldConfig, fields } from './headers.ts'
import { parseKey } from './key.ts'

/** As SplitSpec; the counter is the compiler's. */
export type SplitConfig = Omit<SplitSpec, 'cursor'>

/** As RedirectSpec, `to` as written. */
export interface RedirectConfig extends Omit<RedirectSpec, 'to'> {
  readonly to: string
}

export interface RespondConfig {
  readonly status: number
  readonly headers: readonly FieldConfig[]
  /** Null where there is no body, or `headers` says it. */
  readonly contentType: string | null
  readonly body: BodyConfig
}

function parseSplitKey(text: string): SplitSpec['by'] {
  if (text === 'request') return text
  const key = parseKey(text)
  if (key.by === 'ip') return 'client-ip'
  if ('name' in key) return { kind: key.by, name: key.name }
  throw new Error(`${JSON.stringify(text)} is no key; use request, ip, header:NAME or cookie:NAME`)
}

const target = z.strictObject({
  pool: name.meta({ description: 'Name of the pool.' }),
  weight: whole(0, 65_535).prefault(1).meta({ description: 'Its share, relative to the others; 0 = none.' }),
})
const targets = z
  .array(target)
  .min(1, { error: 'needs at least one pool, such as {"pool": "api", "weight": 95}' })
  .max(64, { error: 'has more than 64 pools' })

export const split = z
  .union([
    targets.transform((list): SplitConfig => ({ targets: list, by: 'request' })),
    z
      .strictObject({
        to: targets.meta({ description: 'Pools and their weights.' }),
        by: z.string().transform(parsing(parseSplitKey)).prefault('request').meta({
          title: 'request | ip | header:NAME | cookie:NAME',
          description: '`request`: exactly by weight, over all workers. Otherwise a client stays at its pool.',
        }),
      })
      .transform((s): SplitConfig => ({ targets: s.to, by: s.by })),
  ])
  .meta({ description: 'Pools that share the requests by weight.' })

const mirrorDefaults = { maxBody: '64KB', maxActive: 64 } as const
const mirrorObject = z
  .strictObject({
    pool: name.meta({ description: 'Pool that gets the copies; its answers are thrown away.' }),
    share: z
      .string()
      .transform(parsing(parsePercent))
      .prefault('100%')
      .meta({ title: 'percentage', description: 'Share of the requests that are copied.' }),
    max_body: byteSize(0, 16 * 1024 ** 2, '0 to 16MB')
      .prefault(mirrorDefaults.maxBody)
      .meta({ description: 'Requests with a larger body are not copied.' }),
    max_active: whole(1, 65_535)
      .prefault(mirrorDefaults.maxActive)
      .meta({ description: 'Copies under way at once, in each worker; further ones are dropped and counted.' }),
  })
  .transform((m): MirrorSpec => ({ pool: m.pool, share: m.share, maxBody: m.max_body, maxActive: m.max_active }))

export const mirror = z
  .union([name.transform((pool) => mirrorObject.parse({ pool })), mirrorObject])
  .meta({ description: 'A pool that gets a copy of requests; it never slows or fails the real ones.' })

const statuses = [301, 302, 303, 307, 308] as const
const redirectObject = z
  .strictObject({
    to: z
      .string()
      .regex(/^(?:\/|https?:\/\/|\{)[^\0-\x20\x7f]*$/i, {
        error: 'is no place to redirect to; write a path like "/new/{path}", or a URL with http:// or https://',
      })
      .meta({ title: 'text with variables', description: 'Path or URL; may have variables.' }),
    status: z
      .literal(statuses)
      .prefault(302)
      .meta({ title: statuses.join(' | '), description: 'Status of the answer; 301 and 308 are permanent.' }),
    keep_query: z
      .boolean()
      .prefault(true)
      .meta({ description: 'The query of the request is kept where `to` has none.' }),
  })
  .transform((r): RedirectConfig => ({ to: r.to, status: r.status, keepQuery: r.keep_query }))

export const redirect = z
  .union([z.string().transform((to, context) => inner(redirectObject, { to }, context)), redirectObject])
  .meta({ description: 'An answer that sends the client elsewhere.' })

const status = whole(200, 599)
const saysType = (headers: readonly FieldConfig[]): boolean =>
  headers.some(({ name }) => name.toLowerCase() === 'content-type')

const respondObject = z
  .strictObject({
    status: status.prefault(200).meta({ description: 'Status of the answer.' }),
    headers: fields.prefault({}).meta({ description: 'Header fields; values may have variables.' }),
    ...bodyKeys,
  })
  .superRefine((r, context) => {
    oneBody(r, context)
    if (r.content_type === undefined || !saysType(r.headers)) return
    const message = 'is in headers too; keep one of the two'
    context.addIssue({ code: 'custom', path: ['content_type'], message })
  })
  .transform((r): RespondConfig => {
    const hasBody = r.file !== undefined || (r.body ?? '') !== ''
    const contentType = hasBody && !saysType(r.headers) ? contentTypeOf(r, 'text/plain; charset=utf-8') : null
    return { status: r.status, headers: r.headers, contentType, body: body(r) }
  })

export const respond = z
  .union([status.transform((code) => respondObject.parse({ status: code })), respondObject])
  .meta({ description: 'A fixed answer: a status, or an object.' })

/** A short form judged by the long one: its problems belong to the value itself. */
function inner<T extends z.ZodType>(schema: T, value: unknown, context: z.core.$RefinementCtx): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const message = result.error.issues[0]?.message ?? 'is not valid here'
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}
