// TLS that a listener terminates: certificates, versions, tickets, HSTS, client certificates.
import { z } from 'zod'
import type { ClientAuthSpec, TlsVersion } from '../../core/spec.ts'
import { checkCiphers } from '../ciphers.ts'
import { alpnName, duration, fieldName, fileName, filePath, parsing, port, tlsVersion } from './scalars.ts'

/** A certificate chain and its private key, as names of files. */
export interface KeyPairFiles {
  readonly cert: string
  readonly key: string
}

export interface HstsConfig {
  readonly maxAgeMs: number
  readonly includeSubdomains: boolean
  readonly preload: boolean
}

export interface ClientAuthConfig extends Omit<ClientAuthSpec, 'ca' | 'crl'> {
  /** Names of files. */
  readonly ca: string
  readonly crl: string | null
}

export interface ListenerTlsConfig {
  /** At least one; the first serves clients whose name nobody has. */
  readonly certificates: readonly KeyPairFiles[]
  readonly minVersion: TlsVersion
  /** OpenSSL cipher list for TLS 1.2. */
  readonly ciphers: string
  /** In our order of preference; null = what the protocol of the listener asks for. */
  readonly alpn: readonly string[] | null
  readonly sessionTickets: boolean
  readonly ticketRotationMs: number
  readonly hsts: HstsConfig | null
  readonly clientAuth: ClientAuthConfig | null
}

export const tlsDefaults = {
  minVersion: '1.2',
  /** Forward secrecy and authenticated encryption only; for both kinds of certificate. */
  ciphers: [
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  ticketRotation: '12h',
} as const

/** Where `tls` in the flat form names no port. */
export const flatTlsPort = 8443

/** RFC 8446, section 4.6.1. */
const longestTicketMs = 7 * 86_400_000
const yearMs = 365 * 86_400_000
const tenYearsMs = 10 * yearMs

const missing = (what: string) => ({
  error: ({ input }: { input?: unknown }) => (input === undefined ? what : 'a string'),
})
const key = fileName(missing('a certificate is of no use without its private key: name that file'))
const cert = fileName(missing('name the file of the certificate that the key belongs to'))

const keyPair = z
  .strictObject({
    cert: cert.meta({ description: 'Certificate in PEM, the chain behind it.' }),
    key: key.meta({ description: 'Its private key in PEM, without a passphrase.' }),
  })
  .transform((pair): KeyPairFiles => pair)

const ciphers = z
  .string()
  .transform(parsing(checkCiphers))
  .prefault(tlsDefaults.ciphers)
  .meta({ title: 'OpenSSL cipher list', description: 'Ciphers of TLS 1.2; those of TLS 1.3 are on always.' })

const maxAge = duration({ maxMs: tenYearsMs })
const hstsObject = z
  .strictObject({
    max_age: maxAge.prefault('365d').meta({ description: 'How long browsers remember; `0s` makes them forget.' }),
    include_subdomains: z.boolean().prefault(false).meta({ description: 'Also for every name below this one.' }),
    preload: z.boolean().prefault(false).meta({ description: "Consents to the browsers' built-in lists." }),
  })
  .transform((h): HstsConfig => ({ maxAgeMs: h.max_age, includeSubdomains: h.include_subdomains, preload: h.preload }))
const plainHsts = (maxAgeMs: number): HstsConfig => ({ maxAgeMs, includeSubdomains: false, preload: false })

export const hsts = z
  .union([z.boolean().transform((on) => (on ? plainHsts(yearMs) : null)), maxAge.transform(plainHsts), hstsObject], {
    error: 'true, a duration like "365d", or an object such as {"max_age": "365d"}',
  })
  .meta({
    description:
      '`Strict-Transport-Security` in every answer: browsers then use https only. `true`: for 365 days; a duration: for that long.',
  })

/** What we set ourselves, what belongs to one connection, and what clients need to send: not to be replaced. */
const reserved = new Set([
  ...['connection', 'content-length', 'expect', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'proxy-authenticate', 'proxy-authorization', 'authorization', 'cookie', 'content-type', 'host'],
  ...['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-request-id'],
])
/** Backends that hand fields on as CGI does cannot tell `_` from `-`: neither do we. Lower case in, lower case out. */
const folded = (name: string): string => name.replace(/[^0-9a-z]/g, '-')
const certificateField = (description: string) =>
  fieldName
    .refine((name) => !reserved.has(folded(name)), {
      error: 'is a field with a meaning of its own; use a name like "X-Client-Cert-Subject"',
    })
    .nullable()
    .default(null)
    .meta({ description })

const clientAuthHeaders = z
  .strictObject({
    subject: certificateField('Field that holds the subject, like `CN=alice,O=Example`.'),
    san: certificateField('Field that holds the subject alternative names, like `DNS:alice.example.com`.'),
    fingerprint: certificateField('Field that holds the SHA-256 of the certificate, in hexadecimal.'),
  })
  .superRefine((headers, context) => {
    const seen = new Set<string>()
    for (const [key, name] of Object.entries(headers)) {
      if (name !== null && seen.has(folded(name))) {
        context.addIssue({
          code: 'custom',
          path: [key],
          message: 'is already the field of another part; choose another',
        })
      }
      if (name !== null) seen.add(folded(name))
    }
  })

const clientAuth = z
  .strictObject({
    mode: z.enum(['none', 'optional', 'required']).meta({
      title: 'none | optional | required',
      description:
        '`required`: a client without a good certificate gets no further than the handshake; `optional`: one without any does.',
    }),
    ca: filePath.optional().meta({ description: 'Authorities that sign the certificates of clients, in PEM.' }),
    crl: filePath.optional().meta({ description: 'Revoked certificates, in PEM: one list for each authority.' }),
    headers: clientAuthHeaders.prefault({}).meta({
      description: "Request fields that tell backends of the certificate; clients' own ones are removed. Null = none.",
    }),
  })
  .superRefine((auth, context) => {
    if (auth.mode !== 'none') {
      if (auth.ca !== undefined) return
      context.addIssue({ code: 'custom', path: ['ca'], message: 'name the file of the authorities that sign clients' })
    } else if (Object.values(auth.headers).some((name) => name !== null)) {
      // Nobody would take them out of what clients send: a backend that goes on believing them would believe anybody.
      const message = 'are nothing that backends may believe where no certificate is asked for; remove them'
      context.addIssue({ code: 'custom', path: ['headers'], message })
    }
  })
  .transform((auth): ClientAuthConfig | null =>
    auth.mode === 'none' ? null : { mode: auth.mode, ca: auth.ca!, crl: auth.crl ?? null, headers: auth.headers },
  )

const minVersion = tlsVersion
  .prefault(tlsDefaults.minVersion)
  .meta({ description: 'The oldest version that is spoken.' })

export const listenerTls = z
  .strictObject({
    certificates: z
      .array(keyPair)
      .min(1, { error: 'needs at least one certificate, such as {"cert": "a.pem", "key": "a.key"}' })
      .max(1000, { error: 'has more than 1000 certificates' })
      .meta({
        description:
          'Chosen by the name that a client asks for: exact, then wildcard, then the first. RSA and ECDSA may stand side by side.',
      }),
    min_version: minVersion,
    ciphers,
    alpn: z.array(alpnName).max(32, { error: 'has more than 32 protocols' }).optional().meta({
      description:
        'Application protocols, the preferred one first; default `["http/1.1"]` for http, `[]` (not negotiated) for tcp.',
    }),
    session_tickets: z
      .boolean()
      .prefault(true)
      .meta({ description: 'Lets clients resume a session on any worker, with a shorter handshake.' }),
    ticket_rotation: duration({ minMs: 1000, maxMs: longestTicketMs })
      .prefault(tlsDefaults.ticketRotation)
      .meta({ description: 'How long a key for tickets is used; the one before it is still taken as long again.' }),
    hsts: hsts.prefault(false),
    client_auth: clientAuth
      .nullable()
      .default(null)
      .meta({ description: 'Asks clients for a certificate; null = no.' }),
  })
  .transform(
    (t): ListenerTlsConfig => ({
      certificates: t.certificates,
      minVersion: t.min_version,
      ciphers: t.ciphers,
      alpn: t.alpn ?? null,
      sessionTickets: t.session_tickets,
      ticketRotationMs: t.ticket_rotation,
      hsts: t.hsts,
      clientAuth: t.client_auth,
    }),
  )

/** The flat key `tls`: a second listener beside `default`. */
export const flatTls = z.strictObject({
  port: port.optional().meta({ flatDefault: flatTlsPort, description: 'Port of the listener `default-tls`.' }),
  cert: cert.meta({ description: 'Certificate in PEM, the chain behind it.' }),
  key: key.meta({ description: 'Its private key in PEM, without a passphrase.' }),
  redirect_http: z
    .boolean()
    .prefault(false)
    .meta({ description: 'The listener `default` answers every request with a redirect to https at that port.' }),
  min_version: minVersion.unwrap().optional().meta({
    flatDefault: tlsDefaults.minVersion,
    description: 'The oldest version that is spoken.',
  }),
  hsts: hsts.optional().meta({ flatDefault: false }),
})
