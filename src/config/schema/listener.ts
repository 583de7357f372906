// A bound address and the pool behind it; the admin address.
import { z } from 'zod'
import { parseListenAddress } from '../listen-address.ts'
import { redactedText } from '../redact.ts'
import { name, parsing } from './scalars.ts'

/** Port 0 passes here: whether it may be asked for is the cross-check's question. */
export const listenAddress = z
  .string()
  .transform(parsing((text: string) => parseListenAddress(text, { anyPort: true })))
  .meta({ title: 'address' })

export const listener = z
  .strictObject({
    name: name.meta({ description: 'Name in logs and metrics.' }),
    listen: listenAddress.meta({ description: 'Address: `":80"` for all interfaces, `"127.0.0.1:80"`, `"[::1]:80"`.' }),
    protocol: z.enum(['http']).prefault('http').meta({ title: 'http', description: 'What clients speak.' }),
    pool: name.optional().meta({ description: 'The pool that serves it; without it `default`, or the only pool.' }),
  })
  .transform((l) => ({
    name: l.name,
    host: l.listen.host,
    port: l.listen.port,
    protocol: l.protocol,
    pool: l.pool ?? null,
  }))

export const adminDefaults = { host: '127.0.0.1', port: 8081 } as const

export const admin = z
  .strictObject({
    listen: listenAddress
      .prefault(`${adminDefaults.host}:${adminDefaults.port}`)
      .meta({ description: 'Address of the admin API.' }),
    token: z
      .string()
      .refine((text) => text !== redactedText, {
        error: 'only stands for a secret where a configuration is printed; write the token itself',
      })
      .optional()
      .meta({
        title: 'string',
        description:
          'Bearer token that callers must send; empty = none. Required unless `listen` is a loopback address.',
      }),
  })
  .transform((a) => ({
    host: a.listen.host,
    port: a.listen.port,
    token: a.token === undefined || a.token === '' ? null : a.token,
  }))

export type AdminConfig = z.output<typeof admin>
