// How a client comes back to the backend that served it before.
import { z } from 'zod'
import { cookieName, duration, fieldName } from './scalars.ts'

const tenYearsMs = 10 * 365 * 86_400_000
const ttl = duration({ minMs: 1000, maxMs: tenYearsMs })
  .prefault('1h')
  .meta({ description: 'How long a client stays bound after its last request.' })

const secret = z.string().min(16, { error: 'use at least 16 characters' }).optional().meta({
  title: 'string',
  description:
    'Signs the cookie. Without it a secret is made at first start and kept in the state file; set it where several nodes share clients.',
})

const by = 'By what the client is known.'

const byCookie = z
  .strictObject({
    by: z.literal('cookie').meta({ description: by }),
    cookie: cookieName.prefault('fd_sticky').meta({ description: 'Name of the cookie.' }),
    ttl,
    secret,
  })
  .transform((s) => ({ by: 'cookie' as const, name: s.cookie, ttlMs: s.ttl, secret: s.secret ?? null }))

const byIp = z
  .strictObject({ by: z.literal('ip').meta({ description: by }), ttl })
  .transform((s) => ({ by: 'ip' as const, name: '', ttlMs: s.ttl, secret: null }))

const byHeader = z
  .strictObject({
    by: z.literal('header').meta({ description: by }),
    header: fieldName.meta({ description: 'Request header field whose value names the client.' }),
    ttl,
  })
  .transform((s) => ({ by: 'header' as const, name: s.header, ttlMs: s.ttl, secret: null }))

export interface StickyConfig {
  readonly by: 'cookie' | 'ip' | 'header'
  /** Cookie or header name; '' for ip. */
  readonly name: string
  readonly ttlMs: number
  /** As written; null = the one of the state file. */
  readonly secret: string | null
}

export const sticky = z
  .discriminatedUnion('by', [byCookie, byIp, byHeader], { error: 'use "cookie", "ip" or "header"' })
  .transform((s): StickyConfig => s)
