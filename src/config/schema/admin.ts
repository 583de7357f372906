// Where the admin API listens, and who may call it.
import { z } from 'zod'
import { type PortAddress, parsePortAddress } from '../listen-address.ts'
import { redactedText } from '../redact.ts'
import { parsing } from './scalars.ts'

export const adminDefaults = { host: '127.0.0.1', port: 8081 } as const

function parseAdminAddress(text: string): PortAddress {
  const [, scheme] = /^(unix|systemd):/i.exec(text) ?? []
  if (scheme === undefined) return parsePortAddress(text, { anyPort: true })
  throw new Error(`${JSON.stringify(text)} cannot stand here: the admin API listens on TCP only, like "127.0.0.1:8081"`)
}

/** Port 0 passes here: whether it may be asked for is the cross-check's question. */
const adminAddress = z.string().transform(parsing(parseAdminAddress)).meta({ title: 'TCP address' })

export const admin = z
  .strictObject({
    listen: adminAddress.prefault(`${adminDefaults.host}:${adminDefaults.port}`).meta({
      description:
        'Address of the admin API, TCP only: `"127.0.0.1:8081"`, `":8081"` (all interfaces), `"[::1]:8081"`.',
    }),
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
