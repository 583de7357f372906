// Where the admin API listens, how, and who may call it.
import { z } from 'zod'
import { type PortAddress, parsePortAddress } from '../listen-address.ts'
import { redactedText } from '../redact.ts'
import type { KeyPairFiles } from './listener-tls.ts'
import { filePath, parsing } from './scalars.ts'

export const adminDefaults = { host: '127.0.0.1', port: 8081 } as const

/** TLS of the admin API; names of files. */
export interface AdminTlsConfig {
  readonly identity: KeyPairFiles
  readonly clientAuth: { readonly mode: 'optional' | 'required'; readonly ca: string } | null
}

export interface AdminConfig {
  /** '' = all interfaces. */
  readonly host: string
  readonly port: number
  /** From `token` or the file; null = none is asked for. */
  readonly token: string | null
  /** Where it was read from; null = it stands in the configuration. */
  readonly tokenFile: string | null
  /** As `token`, for callers who may only look. */
  readonly readToken: string | null
  readonly readTokenFile: string | null
  /** What callers without a token may do where one is asked for. */
  readonly anonymous: 'none' | 'read'
  readonly tls: AdminTlsConfig | null
}

function parseAdminAddress(text: string): PortAddress {
  const [, scheme] = /^(unix|systemd):/i.exec(text) ?? []
  if (scheme === undefined) return parsePortAddress(text, { anyPort: true })
  throw new Error(`${JSON.stringify(text)} cannot stand here: the admin API listens on TCP only, like "127.0.0.1:8081"`)
}

/** What is wrong with a token, in words; null = nothing. */
export function tokenProblem(text: string): string | null {
  if (!/^[\x20-\x7e]*$/.test(text)) return 'use printable ASCII only: it is sent in a header field'
  return text.trim() === text ? null : 'begins or ends with a space'
}

/** The token that a file holds: editors and `echo` end it with a line break. */
export const tokenIn = (text: string): string => text.replace(/\r?\n$/, '')

/** Port 0 passes here: whether it may be asked for is the cross-check's question. */
const adminAddress = z.string().transform(parsing(parseAdminAddress)).meta({ title: 'TCP address' })

const token = (description: string) =>
  z
    .string()
    .refine((text) => text !== redactedText, {
      error: 'only stands for a secret where a configuration is printed; write the token itself',
    })
    .superRefine((text, context) => {
      const message = tokenProblem(text)
      if (message !== null) context.addIssue({ code: 'custom', message })
    })
    .optional()
    .meta({ title: 'string', description })

const clientAuth = z
  .strictObject({
    mode: z.enum(['none', 'optional', 'required']).meta({
      title: 'none | optional | required',
      description:
        '`required`: without a good certificate nobody gets past the handshake, and tokens are asked for as well where there are any; `optional`: a good certificate counts as the full token.',
    }),
    ca: filePath.optional().meta({ description: 'Authorities that sign the certificates of callers, in PEM.' }),
  })
  .superRefine(({ mode, ca }, context) => {
    if (mode === 'none' || ca !== undefined) return
    context.addIssue({ code: 'custom', path: ['ca'], message: 'name the file of the authorities that sign callers' })
  })
  .transform(({ mode, ca }) => (mode === 'none' ? null : { mode, ca: ca! }))

const adminTls = z
  .strictObject({
    cert: filePath.meta({ description: 'Certificate in PEM, the chain behind it.' }),
    key: filePath.meta({ description: 'Its private key in PEM, without a passphrase.' }),
    client_auth: clientAuth
      .nullable()
      .default(null)
      .meta({ description: 'Asks callers for a certificate; null = no.' }),
  })
  .transform((t): AdminTlsConfig => ({ identity: { cert: t.cert, key: t.key }, clientAuth: t.client_auth }))

export const admin = z
  .strictObject({
    listen: adminAddress.prefault(`${adminDefaults.host}:${adminDefaults.port}`).meta({
      description:
        'Address of the admin API, TCP only: `"127.0.0.1:8081"`, `":8081"` (all interfaces), `"[::1]:8081"`.',
    }),
    token: token(
      'Bearer token that callers must send; empty = none. Unless `listen` is a loopback address it is required, or `tls.client_auth` with mode `required`.',
    ),
    token_file: filePath.optional().meta({
      description: 'The file that holds the token, read at start and at each reload; in place of `token`.',
    }),
    read_token: token('A second token: who sends it may look, explain and try out, but change nothing.'),
    read_token_file: filePath.optional().meta({ description: 'The file that holds it; in place of `read_token`.' }),
    anonymous: z.enum(['none', 'read']).prefault('none').meta({
      title: 'none | read',
      description: 'What callers without a token may do where there is one: nothing, or look.',
    }),
    tls: adminTls.nullable().default(null).meta({ description: 'The admin API speaks HTTPS; null = HTTP.' }),
  })
  .superRefine((a, context) => {
    for (const key of ['token', 'read_token'] as const) {
      if ((a[key] ?? '') === '' || a[`${key}_file`] === undefined) continue
      const message = `contradicts ${key}; keep one of the two`
      context.addIssue({ code: 'custom', path: [`${key}_file`], message })
    }
    if (a.read_token !== undefined && a.read_token !== '' && a.read_token === a.token) {
      context.addIssue({ code: 'custom', path: ['read_token'], message: 'is the token that may do everything' })
    }
  })
  .transform(
    (a): AdminConfig => ({
      host: a.listen.host,
      port: a.listen.port,
      token: orNull(a.token),
      tokenFile: a.token_file ?? null,
      readToken: orNull(a.read_token),
      readTokenFile: a.read_token_file ?? null,
      anonymous: a.anonymous,
      tls: a.tls,
    }),
  )

/** An empty text is as good as none: `${VAR:-}`. */
const orNull = (text: string | undefined): string | null => (text === undefined || text === '' ? null : text)
