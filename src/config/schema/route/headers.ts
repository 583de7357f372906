// Changes of header fields, and the fields that browsers protect their users by.
import { z } from 'zod'
import { redactedText } from '../../redact.ts'
import { oneOrMore } from '../lists.ts'
import { fieldNameAsWritten } from '../scalars.ts'

/** A field with a value that may have variables. */
export interface FieldConfig {
  /** As written. */
  readonly name: string
  readonly value: string
}

/** As HeaderEditsSpec, values as written. */
export interface HeaderEditsConfig {
  /** Lower case. */
  readonly remove: readonly string[]
  readonly set: readonly FieldConfig[]
  readonly add: readonly FieldConfig[]
}

const framing = new Set([
  ...['connection', 'content-length', 'expect', 'keep-alive', 'max-forwards'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
])

/** Why a field cannot be changed, as a sentence without its dot; null = it can. Named as proxies compare them: `_` is `-`. */
function fixedField(name: string): string | null {
  const lower = name.toLowerCase().replace(/[^0-9a-z]/g, '-')
  if (lower === 'host') return 'cannot be changed here; use "host_header" of the route'
  if (framing.has(lower))
    return 'tells where a message ends, or belongs to one connection, and cannot be changed; remove it'
  return lower.startsWith('proxy-') ? 'is between a client and its proxy, and cannot be changed; remove it' : null
}

/** The name of a field that may be changed. */
export const changeable = fieldNameAsWritten.superRefine((name, context) => {
  const message = fixedField(name)
  if (message !== null) context.addIssue({ code: 'custom', message })
})

const value = z
  .string()
  .regex(/^[^\0-\x08\x0a-\x1f\x7f]*$/, { error: 'has a line break or another control character in it' })
  .refine((text) => text !== redactedText, {
    error: 'only stands for a secret where a configuration is printed; write the value itself',
  })
  .meta({ title: 'text with variables' })

/** Fields by name, one value or several. */
export const fields = z
  .record(changeable, oneOrMore(value))
  .transform((entries): FieldConfig[] =>
    Object.entries(entries).flatMap(([name, values]) => values.map((one) => ({ name, value: one }))),
  )

const edits = z
  .strictObject({
    set: fields.prefault({}).meta({ description: 'Replaces every field of that name.' }),
    add: fields.prefault({}).meta({ description: 'Fields that are sent besides those there are.' }),
    remove: oneOrMore(changeable).optional().meta({ description: 'Names of fields that are taken out.' }),
  })
  .transform(
    (e): HeaderEditsConfig => ({ remove: (e.remove ?? []).map((name) => name.toLowerCase()), set: e.set, add: e.add }),
  )

export const headers = z
  .strictObject({
    request: edits.optional().meta({ description: 'Of the request, before the backend gets it.' }),
    response: edits.optional().meta({ description: 'Of the answer, before the client gets it; also of our own ones.' }),
  })
  .transform((h) => ({ request: h.request ?? null, response: h.response ?? null }))

/** Null = not sent. */
export interface SecurityHeadersConfig {
  readonly contentTypeOptions: boolean
  readonly frameOptions: 'DENY' | 'SAMEORIGIN' | null
  readonly referrerPolicy: string | null
  readonly crossOriginOpenerPolicy: string | null
  readonly crossOriginResourcePolicy: string | null
  readonly permissionsPolicy: string | null
  readonly contentSecurityPolicy: string | null
}

const policy = (fallback: string | null, description: string) =>
  value.min(1, { error: 'is empty' }).nullable().default(fallback).meta({ title: 'text or null', description })

const securityObject = z
  .strictObject({
    content_type_options: z.boolean().prefault(true).meta({ description: '`X-Content-Type-Options: nosniff`.' }),
    frame_options: z
      .enum(['DENY', 'SAMEORIGIN'])
      .nullable()
      .default('SAMEORIGIN')
      .meta({ title: 'DENY | SAMEORIGIN | null', description: '`X-Frame-Options`; null = not sent.' }),
    referrer_policy: policy('strict-origin-when-cross-origin', '`Referrer-Policy`; null = not sent.'),
    cross_origin_opener_policy: policy('same-origin', '`Cross-Origin-Opener-Policy`; null = not sent.'),
    cross_origin_resource_policy: policy(null, '`Cross-Origin-Resource-Policy`; null = not sent.'),
    permissions_policy: policy(null, '`Permissions-Policy`; null = not sent.'),
    content_security_policy: policy(null, '`Content-Security-Policy`; null = not sent.'),
  })
  .transform(
    (s): SecurityHeadersConfig => ({
      contentTypeOptions: s.content_type_options,
      frameOptions: s.frame_options,
      referrerPolicy: s.referrer_policy,
      crossOriginOpenerPolicy: s.cross_origin_opener_policy,
      crossOriginResourcePolicy: s.cross_origin_resource_policy,
      permissionsPolicy: s.permissions_policy,
      contentSecurityPolicy: s.content_security_policy,
    }),
  )

/** Makes an object out of `true`; null for `false`. */
export const securityHeaders = z.union(
  [z.boolean().transform((on) => (on ? securityObject.parse({}) : null)), securityObject],
  { error: 'true, or an object such as {"frame_options": "DENY"}' },
)
