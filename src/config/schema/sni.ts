// Where connections of a `tls-passthrough` listener go: by the name and the protocols that the client asks for.
import { z } from 'zod'
import type { SniRouteSpec } from '../../core/spec.ts'
import { hostName } from '../backend-url.ts'
import { alpnName, name } from './scalars.ts'

/** Normal form of a pattern: a host name, `*.` before one, or `*`; null if it is none of them. */
export function sniPattern(text: string): string | null {
  if (text === '*') return text
  const [star, rest] = text.startsWith('*.') ? ['*.', text.slice(2)] : ['', text]
  const host = hostName(rest)
  // RFC 6066, section 3: an address is no name.
  if (host === null || /^\d+$/.test(host.slice(host.lastIndexOf('.') + 1))) return null
  return star + host
}

const pattern = z.string().refine((text) => sniPattern(text) !== null, {
  error: 'is not a name that a client may ask for; write "db.example.com", "*.example.com" or "*"',
})

const target = z
  .strictObject({
    pool: name.meta({ description: 'Pool for this name.' }),
    alpn: z
      .record(alpnName, name)
      .prefault({})
      .meta({ description: 'Pools by application protocol, in this order, for clients that offer it; else `pool`.' }),
  })
  .transform((t) => ({
    pool: t.pool,
    alpn: Object.entries(t.alpn).map(([protocol, pool]) => ({ protocol, pool })),
  }))

export const sni = z
  .record(pattern, z.union([name.transform((pool) => ({ pool, alpn: [] })), target]))
  .superRefine((routes, context) => {
    const seen = new Map<string, string>()
    for (const key of Object.keys(routes)) {
      const normal = sniPattern(key) ?? key
      const before = seen.get(normal)
      seen.set(normal, key)
      if (before !== undefined) {
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `the same name as ${JSON.stringify(before)}; remove one`,
        })
      }
    }
  })
  .transform((routes): SniRouteSpec[] =>
    Object.entries(routes).map(([key, { pool, alpn }]) => ({ name: sniPattern(key)!, pool, alpn })),
  )
